"""The deck, as it is shown, without scripts, and as it is printed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from fixtures.events import Run
from fixtures.report import slides
from tools.packages import browser
from tools.slides_pdf import print_deck

from . import runs
from .hostile import Probes, poisoned
from .runs import Event
from .test_hostile_text import DANGERS
from .visit import Visits, findings, seen

SLIDES = ".reveal .slides > section"


@pytest.fixture(params=["made_up", "sample"])
def deck(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.getfixturevalue(request.param)
    return folder / "slides.html"


def test_every_slide_can_be_shown_and_fits(deck: Path, visits: Visits) -> None:
    page = visits.open(deck)
    count = page.locator(SLIDES).count()
    assert 5 < count < 20

    for number in range(1, count + 1):
        page.evaluate(f"location.hash = '#/{number}'")
        slide = page.locator(f"{SLIDES}:nth-of-type({number})")
        expect(slide).to_have_class(re.compile(r"\bpresent\b"))
        # What is lower, or more to the right, than its sheet is cut off.
        over = slide.locator(".slide").evaluate(
            "({scrollWidth, clientWidth, scrollHeight, clientHeight}) =>"
            " [scrollWidth - clientWidth, scrollHeight - clientHeight]"
        )
        assert over == [0, 0], f"slide {number}: {seen(page)}"


def test_notes_are_shown_in_a_window_of_the_speaker(made_up: Path, visits: Visits) -> None:
    page = visits.open(made_up / "slides.html")
    first, second = (page.locator(SLIDES).nth(n).locator("h1, h2").text_content() for n in (0, 1))

    with page.expect_popup() as popup:
        page.keyboard.press("s")
    notes = popup.value.get_by_role("heading", level=1)
    expect(notes).to_have_text(str(first))
    page.keyboard.press("ArrowRight")

    expect(notes).to_have_text(str(second))


def with_known_ids(probes: Probes) -> Iterator[Event]:
    """The sample with hostile texts, and with the ids that the story of the deck names."""
    for event, hostile in zip(
        runs.sample(), poisoned(runs.sample(), probes, around_values=True), strict=True
    ):
        name = "id" if event["event"] == "experiment" else "experiment"
        yield hostile | ({name: event[name]} if name in event else {})


def test_no_text_of_a_run_does_anything_in_the_window_of_the_speaker(
    visits: Visits, tmp_path: Path
) -> None:
    # The deck's script writes into that window, and no policy of its own is over it.
    probes = Probes()
    run = Run.read(runs.written(with_known_ids(probes), tmp_path))
    (tmp_path / "slides.html").write_text(slides.page(run), errors="backslashreplace")
    page = visits.open(tmp_path / "slides.html", bypass_csp=True)
    with page.expect_popup() as popup:
        page.keyboard.press("s")
    speaker = popup.value

    told = []
    for _ in range(page.locator(SLIDES).count()):
        told.append(str(speaker.evaluate("document.body.textContent")))
        assert speaker.evaluate(DANGERS) == page.evaluate(DANGERS) == []
        page.keyboard.press("ArrowRight")

    assert len(set(told)) == len(told)
    assert {"experiment.claim", "experiment.kernel"} <= probes.named_in(" ".join(told))


def test_all_slides_are_there_without_scripts(made_up: Path, visits: Visits) -> None:
    page = visits.open(made_up / "slides.html", javascript=False)

    shown = page.locator(SLIDES).all()

    assert len(shown) > 5
    assert all(slide.locator(":is(h1, h2):visible").count() == 1 for slide in shown)


def test_axe_finds_nothing_serious(made_up: Path, visits: Visits) -> None:
    # Laid out for paper, all slides are there at once.
    page = visits.open(made_up / "slides.html", "?print-pdf")

    assert findings(page) == []


def test_a_page_is_printed_for_each_slide(deck: Path, visits: Visits, tmp_path: Path) -> None:
    count = visits.open(deck).locator(SLIDES).count()
    pdf = tmp_path / "slides.pdf"

    print_deck(deck, pdf, str(browser()))

    assert len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes())) == count
    assert [path.name for path in tmp_path.iterdir()] == ["slides.pdf"]
