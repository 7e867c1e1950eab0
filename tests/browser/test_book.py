"""The evidence book, as people use it: without scripts, narrow, printed, by keyboard, by ear."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from fixtures.events import Run

from .visit import NARROW, Visits, findings, overflow, seen, unfold

PROVEN, REFUTED = "something-is-proven", "something-is-refuted"


@pytest.fixture
def book(made_up: Path) -> Path:
    return made_up / "evidence.html"


def texts(run: Run) -> set[str]:
    """What a reader must find: claims, reasons, facts with their values, answers, what was missing."""
    wanted: set[str] = set()
    for experiment in run.experiments.values():
        declared = experiment.declared
        wanted |= {experiment.claim, experiment.verdict, declared["kernel"], declared["without"]}
        wanted |= {control["name"] for control in declared["controls"]}
        for trial in experiment.trials.values():
            for fact in trial.of("fact"):
                wanted |= {fact["source"], fact["text"].partition("\n")[0]}
    for question in run.questions.values():
        wanted |= {question["quote"], question["answer"], question.get("correction") or ""}
    for lack in run.bench["not_observable"].values():
        wanted |= {lack["reason"], lack["remedy"]}
    # Ticks make code of a text; where they do, they are not shown.
    return {" ".join(text.replace("`", "").split()) for text in wanted}


@pytest.mark.parametrize("which", ["made_up", "sample"])
def test_all_that_a_run_says_is_there_without_scripts(
    request: pytest.FixtureRequest, visits: Visits, which: str
) -> None:
    folder = request.getfixturevalue(which)
    page = visits.open(folder / "evidence.html", javascript=False)
    unfold(page)

    text = seen(page).replace("`", "")

    assert {each for each in texts(Run.read(folder)) if each not in text} == set()


@pytest.mark.parametrize("name", ["evidence.html", "slides.html", f"cards/{PROVEN}.html"])
def test_the_policy_allows_only_what_the_page_itself_brings(made_up: Path, name: str) -> None:
    text = (made_up / name).read_text(encoding="utf-8")
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)
    assert found
    parts = (part.split() for part in html.unescape(found[1]).split(";"))
    policy = {name: set(sources) for name, *sources in parts}

    assert policy["default-src"] == {"'none'"}
    scripts = policy.get("script-src", set())
    assert all(re.fullmatch(r"'sha256-[\w+/=]+'|'none'", each) for each in scripts)
    assert {each for sources in policy.values() for each in sources} <= {
        "'none'", "data:", "'unsafe-inline'",  # of styles: the deck's script makes some
        *(each for sources in policy.values() for each in sources if each.startswith("'sha256-")),
    }  # fmt: skip
    assert policy["base-uri"] == policy["form-action"] == {"'none'"}


def test_axe_finds_nothing_serious(book: Path, visits: Visits) -> None:
    page = visits.open(book)
    unfold(page)

    assert findings(page) == []


def test_axe_finds_nothing_serious_on_a_telephone(book: Path, visits: Visits) -> None:
    page = visits.open(book, width=NARROW)
    unfold(page)

    assert findings(page, contrast=False) == []


def test_axe_finds_enough_contrast_in_the_dark(book: Path, visits: Visits) -> None:
    page = visits.open(book, color_scheme="dark")
    unfold(page)

    assert findings(page, others=False) == []


@pytest.mark.parametrize("which", ["made_up", "sample"])
def test_the_book_fits_a_telephone(
    request: pytest.FixtureRequest, visits: Visits, which: str
) -> None:
    page = visits.open(request.getfixturevalue(which) / "evidence.html", width=NARROW)
    folded = overflow(page)
    unfold(page)

    assert (folded, overflow(page)) == (0, 0)


FOCUSABLE = """() => [...document.querySelectorAll(
    "a[href], button, input, select, textarea, summary, [tabindex]")]
  .filter(each => each.tabIndex >= 0 && !each.disabled && each.checkVisibility())"""

FOCUSED = """() => {
  const {outlineStyle, outlineWidth, boxShadow} = getComputedStyle(document.activeElement);
  return outlineStyle !== "none" && outlineWidth !== "0px" || boxShadow !== "none";
}"""


def test_all_that_can_be_used_is_reached_by_keyboard_and_shows_it(
    book: Path, visits: Visits
) -> None:
    page = visits.open(book)
    wanted = page.evaluate_handle(f"window.wanted = ({FOCUSABLE})()")
    count = int(wanted.evaluate("all => all.length"))
    dull = []

    for _ in range(count):
        page.keyboard.press("Tab")
        page.evaluate(
            "window.wanted = window.wanted.filter(each => each !== document.activeElement)"
        )
        if not page.evaluate(FOCUSED):
            dull.append(page.evaluate("document.activeElement.outerHTML.slice(0, 200)"))

    assert page.evaluate("window.wanted.map(each => each.outerHTML.slice(0, 200))") == []
    assert dull == []


def cards(page: Page) -> list[str]:
    """The ids of the cards that are shown."""
    return [str(each.get_attribute("id")) for each in page.locator("article.card:visible").all()]


def test_words_are_searched_for_and_the_count_is_announced(book: Path, visits: Visits) -> None:
    page = visits.open(book)

    page.get_by_role("searchbox").fill("one that is REFUTED")

    assert cards(page) == [REFUTED]
    # What a screen reader reads out when it changes.
    expect(page.get_by_role("status")).to_have_text("1 of 7 experiments")


def test_verdicts_chapters_and_questions_are_filters(book: Path, visits: Visits) -> None:
    page = visits.open(book)
    everything = cards(page)
    assert len(everything) == 7

    page.get_by_label("Verdict").select_option("refuted")
    refuted = cards(page)
    page.get_by_label("Chapter").select_option(index=2)
    nothing = cards(page)
    page.get_by_role("button", name="Show all").click()
    expect(page.get_by_role("status")).to_have_text("7 experiments")
    page.get_by_role("combobox", name="Question").select_option("made-3")

    assert (refuted, nothing) == ([REFUTED], [])
    assert cards(page) == everything[1::2]


def test_a_permanent_link_shows_a_card_that_is_filtered_out(book: Path, visits: Visits) -> None:
    page = visits.open(book)
    page.get_by_label("Verdict").select_option("refuted")

    page.evaluate(f"location.hash = '#{PROVEN}'")

    expect(page.locator(f"#{PROVEN}")).to_be_in_viewport()


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize("fragment", [PROVEN, f"{PROVEN}--without-the-limit", "made-1"])
def test_a_link_from_outside_leads_to_its_place(
    book: Path, visits: Visits, fragment: str, *, javascript: bool
) -> None:
    page = visits.open(book, f"#{fragment}", javascript=javascript)

    expect(page.locator(f"[id='{fragment}']")).to_be_in_viewport()
    if fragment.startswith(PROVEN):
        fact = page.locator(f"#{PROVEN}").get_by_text("33554432 == 33554432").first
        expect(fact).to_be_visible()


def test_links_within_the_book_lead_somewhere(book: Path, visits: Visits) -> None:
    page = visits.open(book)

    lost = page.evaluate("""() => [...document.querySelectorAll("a[href^='#']")]
      .map(each => decodeURIComponent(each.hash.slice(1)))
      .filter(each => !document.getElementById(each))""")

    assert lost == []


def test_ids_are_given_once(book: Path, visits: Visits) -> None:
    page = visits.open(book)

    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")

    assert sorted(ids) == sorted(set(ids))


@pytest.mark.parametrize("javascript", [True, False])
def test_on_paper_nothing_is_folded(made_up: Path, visits: Visits, *, javascript: bool) -> None:
    page = visits.open(made_up / "evidence.html", javascript=javascript)
    page.emulate_media(media="print")

    # innerText leaves out what a closed <details> hides, unless the style of the print shows it.
    text = seen(page)

    assert {each for each in texts(Run.read(made_up)) if each not in text} == set()
    assert "what it complained of" in text


@pytest.mark.parametrize(
    "sandbox", [pytest.param("", id="without scripts"), pytest.param("allow-scripts", id="scripts")]
)
def test_the_book_works_in_a_frame_without_rights(
    book: Path, visits: Visits, tmp_path: Path, sandbox: str
) -> None:
    inside = html.escape(book.read_text(encoding="utf-8"))
    outside = tmp_path / "outside.html"
    outside.write_text(
        f'<!doctype html><meta charset=utf-8><iframe sandbox="{sandbox}" srcdoc="{inside}"></iframe>'
    )

    page = visits.open(outside)
    frame = page.frames[1]
    frame.wait_for_load_state()

    expect(frame.locator(f"#{PROVEN}")).to_contain_text("33554432 == 33554432")
    if sandbox:
        frame.get_by_role("searchbox").fill("one that is refuted")
        expect(frame.get_by_role("status")).to_have_text("1 of 7 experiments")
    else:
        # Chromium says of each script, when it comes to it, that this is how it should be.
        visits.troubles = [each for each in visits.troubles if "Blocked script" not in each]
