"""The same labs on several engines: a row for each claim, a column for each run."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.events import Run
from fixtures.report.engines import Engines, lines, page

from ..events.streams import BENCH, EXPERIMENT, MadeUpRun

REASON = "needs swap: there is none"


@pytest.fixture
def engines(tmp_path: Path) -> Engines:
    """Proven on an engine with overlay2, not observable on one with vfs, not chosen on a third."""
    made = []
    for driver, outcome in (("overlay2", "held"), ("vfs", "not observable"), ("btrfs", None)):
        folder = tmp_path / driver
        folder.mkdir()
        stream = MadeUpRun(folder)
        stream.begin(bench=BENCH | {"engine": BENCH["engine"] | {"storage_driver": driver}})
        if outcome:
            stream.trial("as-is", outcome, REASON if outcome == "not observable" else "")
            stream.trial("without-it", "fell")
        stream.finish()
        made.append(Run.read(folder))
    del made[2].experiments[EXPERIMENT["id"]]
    return Engines(made)


def test_a_run_is_called_by_what_the_others_have_not(engines: Engines) -> None:
    assert [(each.letter, each.name) for each in engines.columns] == [
        ("A", "overlay2"),
        ("B", "vfs"),
        ("C", "btrfs"),
    ]


def test_a_claim_that_came_out_otherwise_says_why(engines: Engines) -> None:
    (row,) = engines.differing

    assert [cell.verdict for cell in row.cells] == ["proven", "not observable here", ""]
    assert row.reasons == [(["B"], REASON)]
    assert list(engines.chapters) == ["Chapter 99: made up."]


def test_the_same_verdict_everywhere_is_no_difference(engines: Engines) -> None:
    same = Engines([engines.columns[0].run, engines.columns[0].run])

    assert same.differing == []
    assert [each.name for each in same.columns] == ["made-up", "made-up"]


def test_the_terminal_has_the_numbers_and_the_differences(engines: Engines) -> None:
    assert list(lines(engines)) == [
        "A  overlay2: 1 proven, 0 not observable here",
        "B  vfs: 0 proven, 1 not observable here",
        "C  btrfs: 0 proven, 0 not observable here",
        "",
        "claims: 1; not with the same verdict everywhere: 1",
        "  Something holds.",
        "    A proven, B not observable here, C not chosen",
        f"    B: {REASON}",
    ]


def test_the_page_links_to_the_books_that_are_there(engines: Engines) -> None:
    text = page(engines, {"A": "../a/evidence.html"})

    assert '<a href="../a/evidence.html#something-holds">' in text
    assert text.count("evidence.html") == 2
    assert REASON in text
