"""A timeline says how a process came to be, and what is left."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Self

import docker
import pytest

from fixtures.engine import timeline
from fixtures.engine.timeline import Timeline, TimelineSeen
from fixtures.kernel import set_recorder
from fixtures.kernel.process_events import Life, ProcessEvent
from tests.fake_engine import FakeEngine

MS = 1_000_000
LIVES = (
    Life(60, 1, 0, [(1, ("setpriv", "docker", "run")), (2, ("docker", "run"))], ended=9),
    Life(70, 42, 1, [(1, ())], ended=3),
    Life(71, 70, 2, [(2, ("/usr/bin/containerd-shim-runc-v2", "-id", "x"))]),
    Life(72, 71, 3, [(3, ("runc", "create"))], ended=8),
    Life(73, 72, 4, [(4, ("runc", "init"))], ended=6),
    Life(74, 72, 5, [(7, ("sleep", "9"))], [(5, "runc:[2:INIT]")]),
)


class Silent:
    """In the place of the kernel."""

    events: tuple[ProcessEvent, ...] = ()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def watched(
    fake: FakeEngine, client: docker.DockerClient, monkeypatch: pytest.MonkeyPatch
) -> Timeline:
    """A timeline of the made-up lives, on an engine that says two things."""
    monkeypatch.setattr(timeline, "ProcessEvents", Silent)
    monkeypatch.setattr(timeline, "descendants", lambda events, known: list(LIVES))

    def events(request: Any) -> None:
        now = time.time_ns()
        lines = [
            {"Type": "container", "Action": "start", "timeNano": now},
            {"Type": "container", "Action": "exec_start: cat /x", "timeNano": now},
        ]
        request.protocol_version = "HTTP/1.1"
        request.send_response(200)
        request.send_header("Transfer-Encoding", "chunked")
        request.end_headers()
        for chunk in [*(json.dumps(line).encode() + b"\n" for line in lines), b""]:
            request.wfile.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")

    fake.answers["GET /events"] = events
    return Timeline(client, {42: "containerd", 1: "pytest"})


def test_the_lineage_of_a_command_is_that_of_its_process(watched: Timeline) -> None:
    """What was gone before it could be looked at, and what only forked, is no part of it."""
    with watched:
        pass

    assert watched.lineage("sleep", "9") == [
        "containerd",
        "containerd-shim-runc-v2",
        "runc",
        "sleep",
    ]
    assert watched.lineage("docker", "run") == ["pytest", "docker"]
    assert watched.lineage("sleep", "10") == []
    assert watched.left == ["containerd-shim-runc-v2", "sleep"]


def test_it_is_announced_with_what_the_engine_said(watched: Timeline) -> None:
    announced: list[Any] = []
    set_recorder(announced.append)
    try:
        with watched:
            pass
    finally:
        set_recorder(None)

    (seen,) = announced
    assert isinstance(seen, TimelineSeen)
    assert seen.processes == LIVES
    assert [told.what for told in seen.told] == ["container start", "container exec_start"]
    assert all(0 <= told.at < 10_000 for told in seen.told)


def test_a_failure_within_is_not_hidden(watched: Timeline, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), watched:
        (tmp_path / "nothing").read_text()
