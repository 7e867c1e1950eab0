"""Waiting for a precondition breaks the bench in vain; waiting for a fact leaves it to the assert."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from fixtures.kernel import Doing, set_recorder
from fixtures.kernel.observation import doing
from fixtures.lab import BenchError, settled, wait_until


def never() -> list[str]:
    return []


@pytest.fixture
def announced() -> Iterator[list[object]]:
    """What is announced during the test."""
    observations: list[object] = []
    set_recorder(observations.append)
    yield observations
    set_recorder(None)


def test_a_wait_is_announced_once_whatever_its_condition_does(announced: list[object]) -> None:
    values = iter(["", "", "there"])

    def has() -> str:
        with doing("running `cat /file`"):
            return next(values)

    wait_until(lambda: has())  # noqa: PLW0108 - as experiments write it

    assert announced == [Doing("waiting for `has()`")]


def test_a_watch_is_announced_with_what_is_read_and_until_when(announced: list[object]) -> None:
    values = iter(range(10))

    settled(lambda: next(values), until=lambda value: value == 3)

    assert announced == [Doing("watching `next(values)` until `value == 3`")]


def test_what_came_true_is_returned() -> None:
    values = iter(["", "", "there"])

    assert wait_until(lambda: next(values)) == "there"


def test_waiting_in_vain_says_for_what_and_what_it_last_was() -> None:
    with pytest.raises(BenchError) as caught:
        wait_until(lambda: {"state": "starting"}.get("state") == "running", within=0)

    assert str(caught.value) == (
        "waited 0 s in vain for `{'state': 'starting'}.get('state') == 'running'`; "
        "it was last False"
    )


def test_the_condition_may_take_several_lines() -> None:
    with pytest.raises(BenchError) as caught:
        wait_until(
            lambda: never() and all(
                len(each) > 1 for each in never()
            ),
            within=0,
        )  # fmt: skip

    assert str(caught.value) == (
        "waited 0 s in vain for `never() and all((len(each) > 1 for each in never()))`; "
        "it was last []"
    )


def test_the_condition_may_have_a_name() -> None:
    with pytest.raises(BenchError) as caught:
        wait_until(never, within=0.01)

    assert str(caught.value) == "waited 0.01 s in vain for `never`; it was last []"


def test_the_condition_may_have_none() -> None:
    with pytest.raises(BenchError) as caught:
        wait_until(partial(never), within=0)

    assert str(caught.value) == "waited 0 s in vain for `a condition`; it was last []"


def test_what_the_condition_raises_is_not_waited_out() -> None:
    with pytest.raises(ZeroDivisionError):
        wait_until(lambda: 1 / 0)


def test_a_fact_that_settles_is_returned_as_it_is_wanted() -> None:
    values = iter(range(10))

    assert settled(lambda: next(values), until=lambda value: value == 3) == 3


def test_a_fact_that_does_not_settle_is_returned_as_it_last_was() -> None:
    assert settled(never, until=bool, within=0) == []
