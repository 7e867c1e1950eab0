from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import docker
import pytest

from fixtures.engine import Owner
from fixtures.engine.endpoint import Endpoint
from fixtures.kernel import Process, set_recorder
from tests.fake_engine import FakeEngine, listening


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeEngine]:
    """An engine that is none."""
    with listening(tmp_path / "docker.sock") as engine:
        yield engine


@pytest.fixture
def client(fake: FakeEngine) -> Iterator[docker.DockerClient]:
    """A client of the engine that is none."""
    connected = Endpoint(fake.url, "made up").connect()
    yield connected
    connected.close()


@pytest.fixture
def announced() -> Iterator[list[Any]]:
    """What the instruments and the engine's parts announce during the test."""
    observations: list[Any] = []
    set_recorder(observations.append)
    yield observations
    set_recorder(None)


@pytest.fixture
def dead(monkeypatch: pytest.MonkeyPatch) -> Iterator[Owner]:
    """A run that is dead for this process alone: other runs sweep this machine as well."""
    is_dead = Owner.dead.fget
    assert is_dead is not None
    with subprocess.Popen(["sleep", "1000"]) as process:
        start_time = Process(process.pid).start_time
        owner = replace(Owner.current(), pid=process.pid, start_time=start_time)
        monkeypatch.setattr(Owner, "dead", property(lambda each: each == owner or is_dead(each)))
        yield owner
        process.kill()
