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


def test_a_claim_that_was_not_proven_says_why(engines: Engines) -> None:
    (row,) = engines.rows

    assert [cell.verdict for cell in row.cells] == ["proven", "not observable here", ""]
    assert (row.contrary, row.unobserved) == ([], [(["B"], REASON)])
    assert list(engines.chapters) == ["Chapter 99: made up."]


def test_what_is_not_observable_somewhere_is_not_disputed(engines: Engines) -> None:
    assert engines.disputed == []


def test_the_terminal_has_the_numbers_and_what_was_refuted(
    engines: Engines, tmp_path: Path
) -> None:
    stream = MadeUpRun(tmp_path)
    stream.begin(bench=BENCH | {"engine": BENCH["engine"] | {"product": "Podman"}})
    stream.trial("as-is", "fell", "1 == 2")
    stream.trial("without-it", "fell")
    stream.finish()
    runs = [*(each.run for each in engines.columns), Run.read(tmp_path)]

    assert list(lines(Engines(runs))) == [
        "A  Docker 29.0 · overlay2: 1 proven, 0 refuted, 0 not observable here",
        "B  Docker 29.0 · vfs: 0 proven, 0 refuted, 1 not observable here",
        "C  Docker 29.0 · btrfs: 0 proven, 0 refuted, 0 not observable here",
        "D  Podman 29.0 · overlay2: 0 proven, 1 refuted, 0 not observable here",
        "",
        "claims: 1; observed and not proven somewhere: 1",
        "  Something holds.",
        "    A proven, B not observable here, C not chosen, D refuted",
        "    D: 1 == 2",
    ]


def test_the_page_links_to_the_books_that_are_there(engines: Engines) -> None:
    text = page(engines, {"A": "../a/evidence.html"})

    assert '<a href="../a/evidence.html#something-holds">' in text
    assert text.count("evidence.html") == 2
    assert REASON in text
