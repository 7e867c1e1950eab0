"""A run is copied to where trainers look, and nothing that a link in its folder leads to."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.lab.publishing import publish


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run, in that of the reports."""
    folder = tmp_path / "reports" / "runs" / "one"
    (folder / "cards").mkdir(parents=True)
    for name in ("events.jsonl", "evidence.html", "slides.html", "cards/one.html"):
        (folder / name).write_text(f"of the run: {name}")
    return folder


def texts(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in files
        if "runs" not in path.parts
    }


def test_what_the_run_has_left_is_copied(tmp_path: Path, run: Path) -> None:
    reports = tmp_path / "reports"
    (reports / "comparison.html").write_text("of an older run")

    publish(run, reports)

    names = ("events.jsonl", "evidence.html", "slides.html", "cards/one.html")
    assert texts(reports) == {name: f"of the run: {name}" for name in names}


def test_links_are_not_followed(tmp_path: Path, run: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "shadow").write_text("secret")
    for name in ("report.html", "slides.pdf", "cards/two.html"):
        (run / name).symlink_to(outside / "shadow")
    for name in ("outputs", "cards/folder"):
        (run / name).symlink_to(outside)
    (tmp_path / "reports" / "evidence.html").symlink_to(outside / "shadow")
    (tmp_path / "reports" / "outputs").symlink_to(outside)

    publish(run, tmp_path / "reports")

    assert "secret" not in texts(tmp_path / "reports").values()
    assert sorted(texts(tmp_path / "reports")) == [
        "cards/one.html", "events.jsonl", "evidence.html", "slides.html",
    ]  # fmt: skip
    assert (outside / "shadow").read_text() == "secret"
    assert [path.name for path in outside.iterdir()] == ["shadow"]
