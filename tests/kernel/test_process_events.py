"""What the kernel tells of processes is taken apart rightly, and put together to their lives."""

from __future__ import annotations

import errno
import os
import socket
import struct
import subprocess
import time
from collections.abc import Iterator

import pytest

from fixtures.kernel import NotObservable, process_events
from fixtures.kernel.process_events import (
    EXEC,
    EXIT,
    FORK,
    NAME,
    Life,
    ProcessEvent,
    ProcessEvents,
    descendants,
    missing,
    parsed,
)

here = pytest.mark.skipif(missing() is not None, reason=str(missing()))


def message(what: int, details: bytes, at: int = 7) -> bytes:
    """A netlink message of the connector, as include/uapi/linux/cn_proc.h lays it out."""
    event = struct.pack("=IIQ", what, 0, at) + details
    body = struct.pack("=IIIIHH", 1, 1, 0, 0, len(event), 0) + event
    return struct.pack("=IHHII", 16 + len(body), 3, 0, 0, 0) + body


def test_each_kind_of_event_is_taken_apart() -> None:
    datagram = b"".join(
        [
            message(0x1, struct.pack("=4i", 41, 40, 50, 50)),
            message(0x2, struct.pack("=2i", 50, 50), at=8),
            message(0x200, struct.pack("=2i16s", 50, 50, b"runc:[2:INIT]")),
            message(0x80000000, struct.pack("=2iII", 50, 50, 256, 17)),
        ]
    )

    assert list(parsed(datagram)) == [
        ProcessEvent(FORK, 7, 50, parent=40),
        ProcessEvent(EXEC, 8, 50),
        ProcessEvent(NAME, 7, 50, words=("runc:[2:INIT]",)),
        ProcessEvent(EXIT, 7, 50, status=256),
    ]


def test_threads_and_what_is_not_known_are_left_out() -> None:
    datagram = b"".join(
        [
            message(0x1, struct.pack("=4i", 40, 40, 51, 50)),
            message(0x80000000, struct.pack("=2iII", 51, 50, 0, 17)),
            message(0x4, struct.pack("=2iII", 50, 50, 0, 0)),
            message(0x0, b"\0" * 4),
            b"cut off",
        ]
    )

    assert list(parsed(datagram)) == []


def test_a_length_that_leads_nowhere_does_not_lead_on_for_ever() -> None:
    assert list(parsed(b"\0" * 64)) == []


def test_lives_are_those_of_the_descendants() -> None:
    events = [
        ProcessEvent(FORK, 1, 50, parent=40),
        ProcessEvent(FORK, 2, 60, parent=30),
        ProcessEvent(EXEC, 3, 50, words=("runc", "create")),
        ProcessEvent(FORK, 4, 51, parent=50),
        ProcessEvent(NAME, 5, 51, words=("runc:[2:INIT]",)),
        ProcessEvent(EXEC, 6, 60, words=("cron",)),
        ProcessEvent(EXIT, 7, 50, status=9),
        ProcessEvent(EXEC, 8, 51, words=("sleep", "1")),
    ]

    assert descendants(events, {40}) == [
        Life(50, 40, 1, [(3, ("runc", "create"))], [], 7, 9),
        Life(51, 50, 4, [(8, ("sleep", "1"))], [(5, "runc:[2:INIT]")]),
    ]


def test_a_pid_that_is_used_again_is_another_process() -> None:
    events = [
        ProcessEvent(FORK, 1, 50, parent=40),
        ProcessEvent(EXIT, 2, 50),
        ProcessEvent(FORK, 3, 50, parent=30),
        ProcessEvent(EXEC, 4, 50, words=("cron",)),
        ProcessEvent(FORK, 5, 50, parent=40),
    ]

    assert descendants(events, {40}) == [Life(50, 40, 1, [], [], 2), Life(50, 40, 5)]


@here
def test_a_process_of_this_machine_is_seen_from_its_fork_to_its_exit() -> None:
    began = time.monotonic_ns()
    with ProcessEvents() as listening:
        child = subprocess.Popen(["sh", "-c", "sleep 0.1; exit 3"])
        child.wait()
    ended = time.monotonic_ns()

    shell, sleep = descendants(listening.events, {os.getpid()})
    assert (shell.pid, os.waitstatus_to_exitcode(shell.status)) == (child.pid, 3)
    assert sleep.parent == shell.pid
    assert sleep.programs[0][1] == ("sleep", "0.1")
    assert began < shell.began < sleep.began < (sleep.ended or 0) < (shell.ended or 0) < ended


class Deaf(socket.socket):
    """A socket from which events were lost, as netlink(7) says it."""

    def __init__(self) -> None:
        self.answers: Iterator[int] = iter([errno.ENOBUFS])
        ours, self.theirs = socket.socketpair()
        super().__init__(fileno=ours.detach())
        self.theirs.send(b"something")

    def recv(self, *args: int) -> bytes:
        raise OSError(next(self.answers, errno.EAGAIN), "")


def test_lost_events_are_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_events, "_open", Deaf)

    with pytest.raises(NotObservable, match="more process events than"), ProcessEvents():
        pass


def test_a_machine_that_tells_nothing_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden() -> socket.socket:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(process_events, "_open", forbidden)
    assert missing() == (
        "the kernel's process events can not be listened to (Operation not permitted)",
        "boot a kernel with CONFIG_PROC_EVENTS, and run as root on the host",
    )

    # In a container the socket can be opened, and stays silent.
    def quiet() -> socket.socket:
        listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listener.setblocking(False)
        return listener

    monkeypatch.setattr(process_events, "_open", quiet)
    silent = missing()
    assert silent is not None
    assert "tells nothing" in silent[0]
