"""Whatever text a run holds, on every page it is text: nothing of it runs, and nothing is loaded."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from fixtures.events import Run
from fixtures.report import comparison, engines
from fixtures.report.comparison import Comparison
from fixtures.report.engines import Engines
from fixtures.report.rendering import put, render

from ..project import Project
from ..saying import report_saying
from . import runs
from .hostile import PROBE, Probes, long_lines, poisoned
from .visit import NARROW, Visits, overflow, unfold

DANGERS = """() => {
  const found = Object.keys(window).filter(name => name.startsWith("XSS_")).map(name => `${name} ran`);
  const roots = [document];
  for (const root of roots)
    for (const element of root.querySelectorAll("*")) {
      if (element.content instanceof DocumentFragment) roots.push(element.content);
      for (const {name, value} of element.attributes) {
        const url = ["href", "xlink:href", "src", "action", "formaction", "data", "srcdoc"].includes(name);
        if (name.startsWith("on") && value.includes("XSS_") || name === "autofocus"
            || url && /^\\W*javascript:/i.test(value))
          found.push(`${element.localName} has ${name}=${value}`);
      }
      if (["script", "style"].includes(element.localName) && element.textContent.includes("XSS_"))
        found.push(`${element.localName} has ${element.textContent}`);
    }
  return found;
}"""
"""What ran, and what would if it were touched, also in templates that are not shown yet"""

COMPUTED = ("M49M", "$49")


class Rendered:
    """A folder with the renderings of a hostile run."""

    def __init__(self, folder: Path, probes: Probes) -> None:
        self.folder = folder
        self.probes = probes

    @property
    def pages(self) -> list[Path]:
        """All pages; of the cards, which are made alike, one."""
        cards = sorted(self.folder.glob("cards/*.html"))
        return [*sorted(self.folder.glob("*.html")), *cards[:1]]


@pytest.fixture(scope="module", params=["all", "around the values of the sample"])
def hostile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Rendered:
    of_sample = request.param != "all"
    events = list(runs.sample() if of_sample else runs.every_verdict())
    probes = Probes()
    around = tmp_path_factory.mktemp("around")
    folder = around / "reports" / "rendered"
    folder.mkdir(parents=True)
    run, other = (
        Run.read(runs.written(poisoned(events, probes, around_values=of_sample), folder))
        for _ in range(2)
    )
    render(run, folder)
    put(
        [
            ("comparison.html", comparison.page(Comparison(run, other), {"A": "evidence.html"})),
            ("engines.html", engines.page(Engines([run, other]), {"A": "evidence.html"})),
        ],
        folder,
    )
    # No id led out of the folder.
    assert [path.name for path in around.iterdir()] == ["reports"]
    assert [path.name for path in folder.parent.iterdir()] == ["rendered"]
    return Rendered(folder, probes)


def dangers(page: Page, probes: Probes) -> list[tuple[str, set[str]]]:
    """What of the probes became more than text, and the fields that it came from."""
    return [(danger, probes.named_in(danger)) for danger in page.evaluate(DANGERS)]


def everywhere(page: Page) -> None:
    """Touch what a script may wait for: open all, and move over all and into all."""
    unfold(page)
    page.evaluate("""() => {
      for (const each of document.querySelectorAll("*")) {
        each.dispatchEvent(new MouseEvent("mouseover"));
        if (each.tabIndex >= 0) each.focus({preventScroll: true});
      }
    }""")


def test_no_text_of_a_run_does_anything(hostile: Rendered, visits: Visits) -> None:
    found = {}
    assert hostile.pages
    for path in hostile.pages:
        # Without its policy: the escaping alone has to hold.
        page = visits.open(path, bypass_csp=True)
        everywhere(page)
        text = str(page.evaluate("document.documentElement.textContent"))
        found[path.name] = (
            dangers(page, hostile.probes),
            [each for each in COMPUTED if each in text],
        )
        assert hostile.probes.named_in(text), f"{path.name} shows nothing of the run"

    assert found == {path.name: ([], []) for path in hostile.pages}


def test_no_text_of_a_run_is_looked_up_in_the_deck(hostile: Rendered, visits: Visits) -> None:
    deck = hostile.folder / "slides.html"
    for address in ("?print-pdf", "#/2", "#/3"):
        page = visits.open(deck, address, bypass_csp=True)
        everywhere(page)

        assert dangers(page, hostile.probes) == [], address


def test_the_pages_of_a_hostile_run_keep_their_policy(hostile: Rendered, visits: Visits) -> None:
    for path in hostile.pages:
        visits.open(path)


def test_every_file_of_a_hostile_run_is_utf_8_without_control_characters(hostile: Rendered) -> None:
    controls = set(map(chr, [*range(9), 11, *range(14, 32), *range(127, 160), 0x202E, 0x2066]))
    for path in hostile.folder.rglob("*"):
        if path.suffix in (".html", ".svg"):
            assert not controls & set(path.read_text(encoding="utf-8")), path


def test_long_lines_widen_no_page(visits: Visits, tmp_path: Path) -> None:
    render(Run.read(runs.written(long_lines(runs.every_verdict()), tmp_path)), tmp_path)
    pages = [tmp_path / "evidence.html", *sorted(tmp_path.glob("cards/*.html"))[:1]]

    for path in pages:
        page = visits.open(path, width=NARROW)
        unfold(page)

        assert overflow(page) <= 0, path.name


def test_no_text_of_a_project_does_anything_in_the_page_of_pytest_html(
    project: Project, visits: Visits
) -> None:
    page = visits.open(report_saying(project, PROBE.format(n=0)))
    page.get_by_role("button", name="Show all details").click()
    everywhere(page)

    assert page.evaluate(DANGERS) == []
    assert "<img src=x onerror=" in str(page.evaluate("document.body.innerText"))


def test_the_page_of_pytest_html_is_folded_and_fits_a_telephone(
    project: Project, visits: Visits
) -> None:
    page = visits.open(report_saying(project, PROBE.format(n=0)), width=NARROW)
    logs = page.locator("#results-table .log:visible").count()
    page.get_by_role("button", name="Show all details").click()

    assert logs == 0
    assert page.locator("#results-table .log:visible").count() > 0
    assert overflow(page) <= 0
