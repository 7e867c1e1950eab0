from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from fixtures.engine import Engine, Owner
from fixtures.engine.errors import EngineUnreachable
from fixtures.engine.reaper import Reaper
from fixtures.kernel.files import set_observer

from .project import Project

pytest_plugins = ["pytester"]


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(pytester, monkeypatch)


@pytest.fixture(scope="session")
def reaper() -> Iterator[Reaper]:
    """What cleans up should the tests be killed."""
    last_net = Reaper(Owner.current())
    yield last_net
    last_net.dismiss()


@pytest.fixture(scope="session")
def engine(reaper: Reaper) -> Iterator[Engine]:
    """The user's engine or else a private one, the same for all tests."""
    try:
        found = Engine.of_this_machine(reaper)
    except EngineUnreachable as error:
        pytest.skip(str(error))
    observer = None if os.geteuid() == 0 else found.open_observer()
    set_observer(observer)  # as in a run of a user who is not root
    yield found
    set_observer(None)
    if observer is not None:
        observer.close()
    found.close()
