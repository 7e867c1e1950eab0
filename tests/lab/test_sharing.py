"""A shared container comes back as it was, or the experiment that had it is blamed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from fixtures.engine import BenchError, Container, Engine
from fixtures.engine.container import ContainerStarted
from fixtures.kernel import FileRead, set_recorder
from fixtures.kernel.observation import announce
from fixtures.lab.sharing import Shelf
from tests.standin import StandInContainer, StandInEngine

OPTIONS = {"image": "base", "command": ("sleep",)}


@pytest.fixture
def engine() -> StandInEngine:
    return StandInEngine()


@pytest.fixture
def shelf(engine: StandInEngine) -> Shelf:
    return Shelf(cast("Engine", engine))


def changed(container: Container) -> StandInContainer:
    """The container with a process more."""
    stand_in = cast("StandInContainer", container)
    stand_in.processes.append("sh")
    return stand_in


def test_a_container_with_the_same_options_is_lent_again(shelf: Shelf) -> None:
    first = shelf.lend(OPTIONS, "container")
    shelf.take_back(first)

    assert shelf.lend(dict(reversed(OPTIONS.items())), "container") is first


def test_one_that_has_died_is_not_lent_again(shelf: Shelf) -> None:
    first = shelf.lend(OPTIONS, "container")
    shelf.take_back(first)
    cast("StandInContainer", first).init.alive = False

    assert shelf.lend(OPTIONS, "container") is not first


def test_that_the_bench_looks_whether_it_lives_is_no_evidence(shelf: Shelf) -> None:
    class Init:
        @property
        def alive(self) -> bool:
            announce(FileRead("/proc/42/stat", "state", "S"))
            return True

    container = shelf.lend(OPTIONS, "container")
    cast("StandInContainer", container).init = cast("SimpleNamespace", Init())
    observed: list[object] = []
    set_recorder(observed.append)
    try:
        assert shelf.lend(OPTIONS, "container") is container
    finally:
        set_recorder(None)

    assert [type(each) for each in observed] == [ContainerStarted]


def test_other_options_are_another_container(shelf: Shelf) -> None:
    first = shelf.lend(OPTIONS, "container")

    assert shelf.lend(OPTIONS | {"pid_mode": "host"}, "container") is not first


def test_the_neighbour_is_another_container(shelf: Shelf) -> None:
    assert shelf.lend(OPTIONS, "neighbour") is not shelf.lend(OPTIONS, "container")


def test_a_look_that_changed_the_container_is_blamed(shelf: Shelf) -> None:
    container = shelf.lend(OPTIONS, "container")
    changed(container)

    with pytest.raises(BenchError) as caught:
        shelf.take_back(container)

    assert str(caught.value) == (
        "this experiment changed a shared container (processes: ['sleep'] became ['sleep', 'sh']);"
        " mark it @fresh to give it one of its own"
    )


def test_a_changed_container_is_replaced(shelf: Shelf) -> None:
    container = shelf.lend(OPTIONS, "container")
    stand_in = changed(container)

    with pytest.raises(BenchError):
        shelf.take_back(container)

    assert stand_in.removed
    assert shelf.lend(OPTIONS, "container") is not container


def test_what_changed_between_two_looks_is_nobodys_fault(shelf: Shelf) -> None:
    container = shelf.lend(OPTIONS, "container")
    shelf.take_back(container)
    changed(container)

    assert shelf.lend(OPTIONS, "container") is container
    shelf.take_back(container)
