from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.kernel import FileRead, Process, set_recorder

from .trees import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.fixture
def announced() -> Iterator[list[FileRead]]:
    """What the instruments announce during the test."""
    observations: list[FileRead] = []
    set_recorder(observations.append)
    yield observations
    set_recorder(None)


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    """A living process; `child.kill(); child.wait()` ends and reaps it."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


@pytest.fixture
def own_process() -> Process:
    """The process that runs the tests, read from the real /proc."""
    return Process(os.getpid())
