"""The deck, as it is shown, without scripts, and as it is printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tools.packages import browser
from tools.slides_pdf import print_deck

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


def test_all_slides_are_there_without_scripts(made_up: Path, visits: Visits) -> None:
    page = visits.open(made_up / "slides.html", javascript=False)

    slides = page.locator(SLIDES).all()

    assert len(slides) > 5
    assert all(slide.locator(":is(h1, h2):visible").count() == 1 for slide in slides)


def test_axe_finds_nothing_serious(made_up: Path, visits: Visits) -> None:
    # Laid out for paper, all slides are there at once.
    page = visits.open(made_up / "slides.html", "?print-pdf")

    assert findings(page) == []


def test_a_page_is_printed_for_each_slide(deck: Path, visits: Visits, tmp_path: Path) -> None:
    slides = visits.open(deck).locator(SLIDES).count()
    pdf = tmp_path / "slides.pdf"

    print_deck(deck, pdf, str(browser()))

    assert len(re.findall(rb"/Type\s*/Page\b", pdf.read_bytes())) == slides
    assert [path.name for path in tmp_path.iterdir()] == ["slides.pdf"]
