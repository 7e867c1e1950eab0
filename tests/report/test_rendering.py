"""All that is made of a run stands in its folder, whole, and nothing of an earlier rendering."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.events import Run, UnreadableRun
from fixtures.report import rendering
from fixtures.report.comparison import Comparison, page
from fixtures.report.comparison_lines import ComparisonLines
from fixtures.report.rendering import render

from ..events.streams import MadeUpRun, observed

PAGES = ["cards/something-holds.html", "cards/something-holds.svg", "evidence.html", "slides.html"]


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_pages_of_a_run_stand_beside_its_events(tmp_path: Path) -> None:
    placed = render(Run.read(observed(tmp_path)), tmp_path)

    assert files(tmp_path) == ["cards/README.txt", *PAGES[:2], "events.jsonl", *PAGES[2:]]
    assert placed == [tmp_path / name for name in ("cards", "evidence.html", "slides.html")]
    assert all((tmp_path / name).stat().st_size for name in PAGES)


def test_a_run_can_be_rendered_elsewhere_and_again(tmp_path: Path) -> None:
    run = Run.read(observed(tmp_path))
    other = tmp_path / "other"
    other.mkdir()

    render(run, other)
    once = {name: (other / name).read_bytes() for name in files(other)}
    render(run, other)

    assert {name: (other / name).read_bytes() for name in files(other)} == once


def test_files_of_an_earlier_rendering_are_gone(tmp_path: Path) -> None:
    run = Run.read(observed(tmp_path))
    render(run, tmp_path)
    (tmp_path / "cards" / "something-older.html").touch()
    (tmp_path / "report.html").touch()

    render(run, tmp_path)

    assert "cards/something-older.html" not in files(tmp_path)
    assert "report.html" in files(tmp_path)


def test_long_outputs_stand_beside_and_go_with_the_run_that_had_them(tmp_path: Path) -> None:
    file = observed(tmp_path)
    whole = file.read_text()
    file.write_text(whole.replace('"x\\n"', json.dumps("x" * 50_000)))
    render(Run.read(file), tmp_path)
    assert any(
        (tmp_path / name).read_text() == "x" * 50_000
        for name in files(tmp_path)
        if name.startswith("outputs/")
    )

    file.write_text(whole)
    render(Run.read(file), tmp_path)

    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("name", ["cards", "outputs"])
def test_a_folder_that_no_rendering_made_is_left_alone(tmp_path: Path, name: str) -> None:
    run = Run.read(observed(tmp_path))
    (tmp_path / name).mkdir()
    (tmp_path / name / "thesis.txt").write_text("years of work")

    with pytest.raises(FileExistsError, match="no rendering made this folder"):
        render(run, tmp_path)

    assert set(files(tmp_path)) == {"events.jsonl", f"{name}/thesis.txt"}


def test_an_empty_folder_is_nobodys(tmp_path: Path) -> None:
    run = Run.read(observed(tmp_path))
    (tmp_path / "cards").mkdir()

    render(run, tmp_path)

    assert "cards/something-holds.html" in files(tmp_path)


def test_where_a_page_can_not_be_made_the_earlier_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run.read(observed(tmp_path))
    render(run, tmp_path)
    before = {name: (tmp_path / name).read_bytes() for name in files(tmp_path)}

    def fails(*arguments: Any) -> str:
        raise RuntimeError

    monkeypatch.setattr(rendering.cards, "svg", fails)
    with pytest.raises(RuntimeError):
        render(run, tmp_path)

    assert {name: (tmp_path / name).read_bytes() for name in files(tmp_path)} == before
    assert sorted(os.listdir(tmp_path)) == ["cards", "events.jsonl", "evidence.html", "slides.html"]


def test_what_is_no_unicode_is_written(tmp_path: Path) -> None:
    file = observed(tmp_path)
    file.write_text(file.read_text().replace("Something holds.", "Some\\udcff\\u0000thing."))

    render(Run.read(file), tmp_path)

    for name in PAGES:
        assert (tmp_path / name).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "identity", ["../../outside", "/outside", "", ".", "a" * 5000, "a\0b", "README", "CON", "ä/ö"]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, identity: str) -> None:
    folder = tmp_path / "one" / "two"
    folder.mkdir(parents=True)
    file = observed(folder)
    file.write_text(
        file.read_text()
        .replace('"something-holds"', json.dumps(identity))
        .replace('"x\\n"', json.dumps("x" * 50_000))
    )

    render(Run.read(file), folder)

    assert os.listdir(tmp_path) == ["one"]
    assert os.listdir(tmp_path / "one") == ["two"]
    assert len(os.listdir(folder / "cards")) == 3
    assert len(os.listdir(folder / "outputs")) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give its files to another")
def test_another_user_gets_what_root_made(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)

    render(Run.read(observed(tmp_path)), tmp_path)

    made = {path for path in tmp_path.rglob("*") if path.name != "events.jsonl"}
    assert len(made) > len(PAGES)
    assert {(path.stat().st_uid, path.stat().st_gid) for path in made} == {(65534, 65534)}


def test_a_run_that_was_killed_anywhere_can_be_rendered(tmp_path: Path) -> None:
    file = observed(tmp_path)
    lines = file.read_text().splitlines(keepends=True)

    for end in range(1, len(lines)):
        file.write_text("".join(lines[:end]))
        render(Run.read(file), tmp_path)
        assert (tmp_path / "evidence.html").exists()


@pytest.mark.parametrize("outcome", ["held", "fell", "not observable", "broken", "interrupted"])
def test_however_a_trial_came_out_it_can_be_rendered(tmp_path: Path, outcome: str) -> None:
    stream = MadeUpRun(tmp_path)
    stream.begin()
    stream.trial("as-is", outcome, "because")
    stream.trial("without-it", outcome, "because")
    stream.finish()

    render(Run.read(tmp_path), tmp_path)


ABSENT = object()
VALUES = [ABSENT, None, True, 3, -1.5, 10**30, "text", "", [], [None], ["text"], {}, {"text": None}]
MADE_UP = ["run", "bench", "question", "experiment", "start", "container", "process", "command",
           "file", "api", "doing", "fact", "end", "finish"]  # fmt: skip


def places(value: Any) -> Iterator[tuple[str | int, ...]]:
    """The way to each value in an event, the inner ones as well."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in inner:
        yield (key,)
        if isinstance(part, (dict, list)):
            yield from ((key, *rest) for rest in places(part))


def changed(event: dict[str, Any], place: tuple[str | int, ...], value: Any) -> dict[str, Any]:
    """The event with another value at that place."""
    copy: dict[str, Any] = json.loads(json.dumps(event))
    around: Any = copy
    for key in place[:-1]:
        around = around[key]
    if value is ABSENT:
        del around[place[-1]]
    else:
        around[place[-1]] = value
    return copy


@pytest.mark.parametrize("kind", MADE_UP)
def test_a_strange_event_is_refused_or_shown(tmp_path: Path, kind: str) -> None:
    """Whatever stands in an event: one message, or all the pages; nothing else ever."""
    file = observed(tmp_path)
    events = [json.loads(line) for line in file.read_text().splitlines()]
    number = next(place for place, event in enumerate(events) if event["event"] == kind)
    whole = Run.read(file)
    for place in places(events[number]):
        for value in VALUES:
            strange = [*events]
            strange[number] = changed(events[number], place, value)
            file.write_text("".join(f"{json.dumps(event)}\n" for event in strange))
            try:
                run = Run.read(file)
            except UnreadableRun:
                continue
            try:
                for _, text in rendering._files(run):
                    text.encode(errors="backslashreplace")
                comparison = Comparison(whole, run)
                page(comparison, {})
                list(ComparisonLines(comparison, 80, colour=True))
            except Exception as error:
                raise AssertionError(f"{kind}: {place} = {value!r}") from error
