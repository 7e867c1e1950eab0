"""The one loop that waits."""

from __future__ import annotations

import itertools
import time

import pytest

from fixtures.engine.waiting import poll


def test_it_returns_the_first_value_that_will_do() -> None:
    numbers = itertools.count()

    assert poll(lambda: next(numbers), lambda number: number == 3, seconds=10) == 3


def test_it_returns_the_last_value_when_time_is_up() -> None:
    began = time.monotonic()

    assert poll(lambda: "never", lambda value: value == "now", seconds=0.1) == "never"
    assert 0.1 <= time.monotonic() - began < 60


def test_it_reads_once_where_there_is_no_time() -> None:
    numbers = itertools.count()

    assert poll(lambda: next(numbers), lambda number: number == 3, seconds=0) == 0


def test_what_reading_raises_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        poll(lambda: 1 / 0, bool, seconds=10)
