"""The output of a command: framed, bounded in size and time, and never lost in silence."""

from __future__ import annotations

import signal
import struct
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from types import SimpleNamespace

import docker
import pytest

from fixtures.engine import command
from fixtures.engine.command import CommandRun
from fixtures.engine.errors import BenchError
from fixtures.engine.output import OUTPUT_CAP
from tests.fake_engine import FakeEngine

HEADERS = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
OUT, ERR = 1, 2


def frame(stream: int, content: bytes) -> bytes:
    """Source: Engine API, "Attach to a container", stream format."""
    return struct.pack(">BxxxL", stream, len(content)) + content


class Exec:
    """An exec in a container of the engine that is none."""

    def __init__(self, client: docker.DockerClient, fake: FakeEngine) -> None:
        self._client = client
        self._fake = fake
        fake.answers["POST /containers/c0ffee/exec"] = {"Id": "e"}
        self.ends()

    def ends(self, code: int | None = 0, pid: int = 0) -> None:
        """What the engine notes of its end."""
        self._fake.answers["GET /exec/e/json"] = {"ExitCode": code, "Pid": pid}

    def prints(self, *packets: bytes, hold: threading.Event | None = None) -> None:
        """What is sent, packet by packet; the stream stays open until `hold` is set."""

        def answer(request: BaseHTTPRequestHandler) -> None:
            for packet in packets:
                request.wfile.write(packet)
            if hold:
                hold.wait(10)
            request.close_connection = True

        self._fake.answers["POST /exec/e/start"] = answer

    def run(self, seconds: float = 10) -> CommandRun:
        container = SimpleNamespace(id="c0ffee", name="made-up")
        return command.run(self._client, container, ("say", "a word"), seconds)


@pytest.fixture
def exec_(client: docker.DockerClient, fake: FakeEngine) -> Exec:
    return Exec(client, fake)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


def test_the_two_streams_are_told_apart(exec_: Exec) -> None:
    exec_.prints(HEADERS, frame(OUT, b"one\n"), frame(ERR, b"two\n"), frame(OUT, b"three\n"))
    exec_.ends(7)

    done = exec_.run()

    assert (done.exit_code, done.stdout, done.stderr) == (7, "one\nthree\n", "two\n")
    assert (done.output, done.error, done.truncated) == ("one\nthree", "two", False)


def test_output_that_comes_together_with_the_headers_is_not_lost(exec_: Exec) -> None:
    """docker-py reads below the buffer that the headers came in (docker-py #2042)."""
    exec_.prints(HEADERS + frame(OUT, b"early\n"))

    assert exec_.run().stdout == "early\n"


def test_a_frame_may_come_in_pieces(exec_: Exec) -> None:
    whole = frame(OUT, b"piece by piece\n")
    exec_.prints(HEADERS, *(whole[at : at + 1] for at in range(len(whole))))

    assert exec_.run().stdout == "piece by piece\n"


def test_bytes_that_are_no_text_are_shown_as_such(exec_: Exec) -> None:
    exec_.prints(HEADERS, frame(OUT, b"\xff\xfe\n"))

    assert exec_.run().stdout == "��\n"


def test_a_stream_is_kept_up_to_its_cap(exec_: Exec) -> None:
    exec_.prints(HEADERS, frame(OUT, b"a" * OUTPUT_CAP), frame(OUT, b"b"), frame(ERR, b"c\n"))

    done = exec_.run()

    assert done.truncated
    assert (done.stdout, done.stderr) == ("a" * OUTPUT_CAP, "c\n")


def test_a_stream_of_exactly_its_cap_is_whole(exec_: Exec) -> None:
    exec_.prints(HEADERS, frame(OUT, b"a" * OUTPUT_CAP))

    done = exec_.run()

    assert (len(done.stdout), done.truncated) == (OUTPUT_CAP, False)


@pytest.mark.parametrize("printed", [b"", b"\n", b" \n\n"])
def test_nothing_is_no_observation(exec_: Exec, printed: bytes) -> None:
    exec_.prints(HEADERS, frame(OUT, printed), frame(ERR, printed))

    done = exec_.run()

    with pytest.raises(BenchError) as error:
        _ = done.output
    assert str(error.value) == (
        "`say 'a word'` printed nothing (exit code 0): there is nothing to observe"
    )
    with pytest.raises(BenchError, match="complained about nothing"):
        _ = done.error


def test_output_that_ends_in_the_middle_is_no_observation(exec_: Exec) -> None:
    exec_.prints(HEADERS, frame(OUT, b"whole\n"), frame(OUT, b"cut off\n")[:-4])

    with pytest.raises(BenchError, match="the engine ended the output in the middle"):
        exec_.run()


def test_a_command_that_is_not_done_in_time_is_killed(
    exec_: Exec, child: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command.Process, "cgroup_lines", ["0::/docker/c0ffee"])
    hold = threading.Event()
    exec_.prints(HEADERS, frame(OUT, b"a beginning\n"), hold=hold)
    exec_.ends(None, pid=child.pid)

    with pytest.raises(BenchError) as error:
        exec_.run(seconds=0.2)
    hold.set()

    assert str(error.value) == "`say 'a word'` in made-up was not done after 0.2 s"
    assert child.wait() == -signal.SIGKILL


def test_a_process_that_has_the_commands_pid_by_now_is_not_signalled(
    exec_: Exec, child: subprocess.Popen[bytes]
) -> None:
    hold = threading.Event()
    exec_.prints(HEADERS, hold=hold)
    exec_.ends(None, pid=child.pid)

    with pytest.raises(BenchError, match=r"was not done after 0\.1 s"):
        exec_.run(seconds=0.1)
    hold.set()

    assert child.poll() is None


def test_a_command_that_ended_just_when_time_was_up_is_not_signalled(exec_: Exec) -> None:
    hold = threading.Event()
    exec_.prints(HEADERS, hold=hold)
    exec_.ends(None, pid=0)

    with pytest.raises(BenchError, match=r"was not done after 0\.1 s"):
        exec_.run(seconds=0.1)
    hold.set()


def test_an_exit_code_that_the_engine_notes_late_is_waited_for(
    exec_: Exec, fake: FakeEngine
) -> None:
    codes = iter([None, None, 3])
    exec_.prints(HEADERS)
    fake.answers["GET /exec/e/json"] = lambda request: {"ExitCode": next(codes)}

    assert exec_.run().exit_code == 3


def test_without_an_exit_code_nothing_was_observed(exec_: Exec) -> None:
    exec_.prints(HEADERS, frame(OUT, b"a word\n"))
    exec_.ends(None)

    with pytest.raises(BenchError, match="the engine gave no exit code for `say 'a word'`"):
        exec_.run(seconds=0.1)
