"""The page holds what a run says as text: none of it becomes an element, whoever wrote it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest

from fixtures.events import Run
from fixtures.report.pytest_html import pytest_html_results_table_row, summary_html
from tests.browser.hostile import Probes, poisoned
from tests.browser.runs import every_verdict, written
from tests.project import Project, experiment
from tests.saying import report_saying

HOSTILE = (
    """</script></code></pre>"'><img src=x onerror="alert(1)"><b>{{ 7 * 7 }}&lt;i&gt;\x00\udcff"""
)


class Page(HTMLParser):
    """The elements of a page with the names of their attributes, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, ...]] = []
        self.text = ""
        self.links: list[str] = []
        self.data = ""
        """pytest-html's table, from which its script builds elements"""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, *(name for name, _ in attributes)))
        self.data += dict(attributes).get("data-jsonblob") or ""
        if link := dict(attributes).get("href"):
            self.links.append(link)

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_summary_says_what_the_run_came_to_and_where_the_book_is(tmp_path: Path) -> None:
    page = Page(summary_html(Run.read(written(every_verdict(), tmp_path)), "evidence.html"))

    said = " ".join(page.text.split())
    assert "Linux 6.1.0-made-up x86_64" in said
    assert "1 not observable here" in said
    assert "2 of 4 questions answered by experiments of this run" in said
    assert page.links == ["evidence.html"]


@pytest.mark.parametrize("last", ["run", "bench", "experiment", "start", "fact", "end"])
def test_a_run_that_was_cut_off_can_be_shown(tmp_path: Path, last: str) -> None:
    events = list(every_verdict())
    end = [event["event"] for event in events].index(last) + 1

    text = summary_html(Run.read(written(iter(events[:end]), tmp_path)), "evidence.html")

    assert "0123456+" in Page(text).text


def test_no_text_of_a_run_becomes_an_element(tmp_path: Path) -> None:
    probes = Probes()
    events = poisoned(every_verdict(), probes, around_values=False)

    harmless = Page(summary_html(Run.read(written(every_verdict(), tmp_path)), "evidence.html"))
    hostile = Page(summary_html(Run.read(written(events, tmp_path)), "evidence.html"))

    assert hostile.elements == harmless.elements
    assert "bench.kernel" in probes.named_in(hostile.text)


def page_of(project: Project, text: str) -> Page:
    return Page(report_saying(project, text).read_text(encoding="utf-8"))


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


def test_the_page_leads_to_the_book_beside_it(project: Project) -> None:
    project.chapter(experiment())

    page = Page((project.run().folder / "report.html").read_text(encoding="utf-8"))

    assert "evidence.html" in page.links
    assert json.loads(page.data)["renderCollapsed"] == ["all"]


def test_a_page_that_was_put_elsewhere_leads_to_the_book_of_the_run(project: Project) -> None:
    project.chapter(experiment())

    folder = project.run("--html=elsewhere/page.html").folder

    page = Page((project.root / "elsewhere" / "page.html").read_text(encoding="utf-8"))
    assert f"../reports/runs/{folder.name}/evidence.html" in page.links
