"""The page holds what a run says as text: none of it becomes an element, whoever wrote it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from fixtures.events import Run, Stream
from fixtures.report.pytest_html import experiments_html, pytest_html_results_table_row
from tests.project import Project, experiment

HOSTILE = (
    """</script></code></pre>"'><img src=x onerror="alert(1)"><b>{{ 7 * 7 }}&lt;i&gt;\x00\udcff"""
)


class Page(HTMLParser):
    """The elements of a page with the names of their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, ...]] = []
        self.text = ""
        self.data = ""
        """pytest-html's table, from which its script builds elements"""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, *(name for name, _ in attributes)))
        self.data += dict(attributes).get("data-jsonblob") or ""

    def handle_data(self, data: str) -> None:
        self.text += data


def run_that_says(text: str, folder: Path) -> Run:
    """A run in which every text is this one, but those that the schema gives."""
    stream = Stream(folder)
    stream.write("run", schema=1, id=text, started=text, commit=text)
    stream.write(
        "bench",
        kernel=text,
        cgroup_version=text,
        engine={"version": text, "default_runtime": text, "storage_driver": text},
    )
    stream.write("question", id=text, standing=text)
    stream.write(
        "experiment",
        id=text,
        claim=text,
        path=text,
        kernel=text,
        without=text,
        source=text,
        contrast=text,
        answers=[text],
        controls=[{"trial": text}],
    )
    for trial in ("as-is", text):
        stream.write("start", experiment=text, trial=trial)
        stream.write("container", role=text, line=text)
        stream.write("file", path=text, field=text, value=text)
        stream.write("api", source=text, value=text)
        stream.write(
            "command", container=text, argv=[text, text], exit_code=1, stdout=text, stderr=text
        )
        stream.write("fact", source=text, text=text, held=True)
        stream.write("end", outcome="broken", reason=text, seconds=0.5)
    stream.close()
    return Run.read(folder)


@pytest.mark.parametrize("event", ["start", "container", "fact", "finish"])
def test_a_run_that_was_cut_off_can_be_shown(tmp_path: Path, event: str) -> None:
    run_that_says("made up", tmp_path)
    file = tmp_path / "events.jsonl"
    before, _, _ = file.read_text().partition(f'{{"event": "{event}"')
    file.write_text(before)

    assert "made up" in Page(experiments_html(Run.read(file))).text


def test_no_text_of_a_run_becomes_an_element(tmp_path: Path) -> None:
    harmless = Page(experiments_html(run_that_says("made up", tmp_path)))
    hostile = Page(experiments_html(run_that_says(HOSTILE, tmp_path)))

    assert hostile.elements == harmless.elements
    assert hostile.text.count("<img src=x onerror=") == harmless.text.count("made up")


def test_what_is_no_unicode_can_be_written(tmp_path: Path) -> None:
    page = experiments_html(run_that_says("\udcff", tmp_path))

    assert "\\udcff" in page.encode().decode()


BEFORE = """\
from fixtures.engine.command import CommandRun
from fixtures.kernel import FileRead
from fixtures.kernel.observation import announce

TEXT = %r


class Value:
    def __repr__(self):
        return TEXT


@pytest.fixture
def read(taken):
    print(TEXT)
    announce(FileRead(TEXT, TEXT, TEXT))
    announce(CommandRun(TEXT, (TEXT,), 0, TEXT, TEXT, seconds=0.1, truncated=False))
    yield Value()
    print(TEXT)
"""


def page_of(project: Project, text: str) -> Page:
    """The page of a run whose experiments come out in every way, and say this text."""
    given = "@given(taken=False)"
    project.chapter(
        experiment("one_is_proven", arguments="taken, read"),
        experiment("one_is_refuted", arguments="taken, read", body="assert read is None, TEXT"),
        experiment("one_is_broken", arguments="taken, read", body="assert not taken\nread[TEXT]"),
        experiment(
            "one_raises", arguments="taken, read", body="raise BenchError(TEXT)\nassert read"
        ),
        experiment("one_is_skipped", arguments="taken", body="pytest.skip(TEXT)\nassert taken"),
        experiment(
            "one_has_a_strange_control",
            above=f"@without(TEXT, taken=True)\n{given}",
            arguments="taken, read",
        ),
        before=BEFORE % text,
    )
    return Page((project.run().folder / "report.html").read_text(encoding="utf-8"))


def test_the_id_of_a_test_is_text_in_the_table() -> None:
    report = SimpleNamespace(nodeid=f"tests/test_x.py::test_x[{HOSTILE}]")
    cells = ["<td>passed</td>", f"<td>{HOSTILE}</td>", "<td>1 ms</td>", "<td>links</td>"]

    pytest_html_results_table_row(report, cells)  # type: ignore[arg-type]

    assert HOSTILE in Page(f"<table><tr>{''.join(cells)}</tr></table>").text


def fragments(page: Page) -> Iterator[str]:
    """What pytest-html's script makes elements of."""
    data = json.loads(page.data)
    assert data["environment"] == {}
    for tests in data["tests"].values():
        for test in tests:
            yield from test["resultsTableRow"]
            yield test["log"]


def test_no_text_becomes_an_element_of_the_page(
    project: Project, request: pytest.FixtureRequest
) -> None:
    harmless = page_of(project, "made up")
    for run in (project.root / "reports" / "runs").iterdir():
        run.rename(project.root / "harmless")
    hostile = page_of(project, HOSTILE)

    assert hostile.elements == harmless.elements
    assert [Page(each).elements for each in fragments(hostile)] == [
        Page(each).elements for each in fragments(harmless)
    ]
    assert any("<img src=x" in Page(each).text for each in fragments(hostile))


def test_the_page_says_nothing_of_the_environment(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setenv("BUILD_TAG", "a-secret")
    project.chapter(experiment())

    page = (project.run().folder / "report.html").read_text(encoding="utf-8")

    assert "a-secret" not in page
    assert '<title id="head-title">Isolation Labs</title>' in page
