"""What programs print without end takes time, and no memory."""

from __future__ import annotations

import shlex
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from fixtures.engine import build, command, output
from fixtures.engine.build import CLASSIC, Builder
from fixtures.engine.errors import BenchError
from fixtures.engine.output import OUTPUT_CAP
from fixtures.engine.ownership import Owner

MIB = 1024 * 1024
MUCH = ("sh", "-c", f"echo first; head -c {100 * MIB} /dev/zero | tr '\\0' x; echo; echo last")
"""prints 100 MB"""


@pytest.fixture(autouse=True)
def _memory_stays_small() -> Iterator[None]:
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < MIB


def started(*argv: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_of_what_a_command_on_the_host_prints_the_beginning_is_kept() -> None:
    done = command.run_on_host(("much",), MUCH)

    assert (done.exit_code, len(done.stdout), done.truncated) == (0, OUTPUT_CAP, True)
    assert done.stdout.startswith("first\nxxx")


def test_of_what_a_builder_prints_the_end_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, client: docker.DockerClient
) -> None:
    monkeypatch.setattr(build, "program", lambda kind: "docker")
    builder = Builder(
        client, Owner.current(), "unix:///nowhere", lambda *argv: [*MUCH[:2], f"{MUCH[2]}; exit 1"],
        CLASSIC,
    )  # fmt: skip

    with pytest.raises(BenchError, match=r"xxx\nlast$"):
        builder("FROM busybox")


def test_two_streams_are_read_at_once_and_told_apart() -> None:
    line = shlex.join(MUCH)
    with started("sh", "-c", f"{line}; {line} >&2; exit 3") as process:
        said = output.read(process, 60)

    assert (process.returncode, len(said.stdout), len(said.stderr)) == (3, OUTPUT_CAP, OUTPUT_CAP)


def test_a_stream_of_exactly_the_cap_is_whole() -> None:
    with started("head", "-c", str(OUTPUT_CAP), "/dev/zero") as process:
        said = output.read(process, 60)

    assert (len(said.stdout), said.truncated) == (OUTPUT_CAP, False)


def test_a_program_that_prints_for_ever_is_killed_in_time() -> None:
    with pytest.raises(BenchError, match="`yes` on the host was not done in time"):
        command.run_on_host(("yes",), ("yes",), seconds=0.5)


def test_a_program_that_has_closed_its_streams_is_waited_for_and_killed() -> None:
    with (
        started(
            sys.executable,
            "-c",
            "import os, signal; os.closerange(1, 3); signal.alarm(60); signal.pause()",
        ) as it,
        pytest.raises(subprocess.TimeoutExpired),
    ):
        output.read(it, 0.5)


def test_of_a_log_the_end_is_read(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with log.open("wb") as file:
        subprocess.run(MUCH, stdout=file, check=True)

    end = output.end_of(log)

    assert (end[-8:], len(end) < OUTPUT_CAP) == ("xxx\nlast", True)
