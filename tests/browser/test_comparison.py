"""Runs side by side, for everybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.events import Run
from fixtures.report import engines
from fixtures.report.comparison import Comparison, page
from fixtures.report.rendering import put

from . import runs
from .visit import NARROW, Visits, findings, overflow, seen, unfold


@pytest.fixture
def compared(made_up: Path, tmp_path: Path) -> Path:
    """Every verdict, against a run on another kernel in which every limit was read as the half."""
    other = (
        {
            key: value.replace("33554432", "16777216").replace("6.1.0-made-up", "6.18.0-made-up")
            if isinstance(value, str)
            else value
            for key, value in event.items()
        }
        for event in runs.every_verdict()
    )
    comparison = Comparison(Run.read(made_up), Run.read(runs.written(other, tmp_path)))
    (path,) = put([("comparison.html", page(comparison, {}))], tmp_path)
    return path


def test_what_differs_is_said_without_scripts(compared: Path, visits: Visits) -> None:
    shown = visits.open(compared, javascript=False)
    unfold(shown)

    text = seen(shown)

    assert {"6.1.0-made-up", "6.18.0-made-up", "33554432", "16777216"} <= set(
        text.replace("Linux ", "").replace(" x86_64", "").split()
    )


def test_the_comparison_can_be_read_by_all_and_on_a_telephone(
    compared: Path, visits: Visits
) -> None:
    shown = visits.open(compared, width=NARROW, color_scheme="dark")
    unfold(shown)

    assert findings(shown) == []
    assert overflow(shown) == 0


def test_several_engines_can_be_read_by_all_and_on_a_telephone(
    made_up: Path, tmp_path: Path, visits: Visits
) -> None:
    side_by_side = engines.Engines([Run.read(made_up)] * 3)
    (path,) = put([("engines.html", engines.page(side_by_side, {}))], tmp_path)

    shown = visits.open(path, width=NARROW, color_scheme="dark")
    unfold(shown)

    assert findings(shown) == []
    assert overflow(shown) == 0
