from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import docker
import pytest

from fixtures.engine.endpoint import Endpoint
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
