"""Which processes an engine is: the kernel is asked, and nothing is guessed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fixtures.engine import daemons
from fixtures.engine.daemons import Daemon
from fixtures.kernel import Process

# It calls itself as it is told to, listens where it is told to, has a child of the name that it is
# told, and ends when its standard input does.
STAND_IN = """
import os, socket, sys
name, child, path = sys.argv[1:]
called = lambda name: open("/proc/self/comm", "w").write(name)
listener = socket.socket(socket.AF_UNIX)
if path:
    listener.bind(path)
    listener.listen()
pid = os.fork() if child else 0
if child and pid == 0:
    called(child)
    os.write(1, b"%d\\n" % os.getpid())
    sys.stdin.read()
    os._exit(0)
called(name)
os.write(1, b"%d\\n" % pid)
sys.stdin.read()
"""


@contextmanager
def process(name: str, *, child: str = "", listens: Path | None = None) -> Iterator[Process]:
    """A process of that name."""
    argv = [sys.executable, "-c", STAND_IN, name, child, str(listens or "")]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as started:
        assert started.stdout is not None
        for _ in range(2 if child else 1):
            started.stdout.readline()
        yield Process(started.pid)
        assert started.stdin is not None
        started.stdin.close()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> list[Process]:
    """The processes of a machine that has no others."""
    those: list[Process] = []
    monkeypatch.setattr(daemons, "processes", lambda: those)
    return those


def as_daemon(of: Process) -> Daemon:
    return Daemon(of.host_pid, of.parent.host_pid, of.name)


def test_dockerd_is_who_made_the_socket_and_containerd_its_child(
    tmp_path: Path, machine: list[Process]
) -> None:
    socket = tmp_path / "docker.sock"
    with (
        process("dockerd", child="containerd", listens=socket) as ours,
        process("dockerd") as other,
    ):
        machine += [ours, other]
        (child,) = ours.children

        found = daemons.find(f"unix://{socket}")

        assert found == [
            Daemon(ours.host_pid, os.getpid(), "dockerd"),
            Daemon(child.host_pid, ours.host_pid, "containerd"),
        ]


def test_where_another_made_the_socket_dockerd_is_the_only_one(
    tmp_path: Path, machine: list[Process]
) -> None:
    """systemd makes it where dockerd is started by the first who asks."""
    socket = tmp_path / "docker.sock"
    with (
        process("systemd", listens=socket) as systemd,
        process("dockerd") as dockerd,
        process("containerd") as containerd,
    ):
        machine += [systemd, dockerd, containerd]

        assert daemons.find(f"unix://{socket}") == [as_daemon(dockerd), as_daemon(containerd)]
        assert daemons.find("tcp://127.0.0.1:2375") == [as_daemon(dockerd), as_daemon(containerd)]


def test_between_several_none_is_chosen(machine: list[Process]) -> None:
    with process("dockerd") as one, process("dockerd") as other:
        machine += [one, other]

        assert daemons.find("tcp://127.0.0.1:2375") == []


def test_a_containerd_that_can_not_be_told_is_left_out(machine: list[Process]) -> None:
    with process("dockerd") as dockerd, process("containerd") as one, process("containerd") as two:
        machine += [dockerd, one, two]

        assert daemons.find("tcp://127.0.0.1:2375") == [as_daemon(dockerd)]


def test_on_a_machine_without_dockerd_nothing_is_found(machine: list[Process]) -> None:
    with process("podman") as podman:
        machine.append(podman)

        assert daemons.find("unix:///no/such.sock") == []


def test_one_that_has_ended_is_not_told(machine: list[Process]) -> None:
    with process("dockerd") as dockerd:
        machine.append(dockerd)

    assert daemons.find("tcp://127.0.0.1:2375") == []
    assert daemons.below(dockerd) == []
