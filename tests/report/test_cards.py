"""A card on its own: a page that needs nothing, and a drawing that any slide tool can read."""

from __future__ import annotations

import base64
import hashlib
import re
import string
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from fixtures.events import Experiment, Run
from fixtures.report import cards
from fixtures.report.pictures.drawing import width_of
from fixtures.report.typesetting import Piece, broken, shortened

from .runs import HEADER, LINE, container, control, experiment, fact, run, trial

DASH = "\N{EN DASH}"
SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "<script>alert(1)</script>\"'&]]>\x00\x1b[31m\u202egnp\udcff\ufffe\n{{ 7 * 7 }}" + "W" * 400
)
PROVEN = experiment(
    trial("as-is", "held", container(), fact("(137, 1) == (137, 1)")),
    trial("without-it", "fell", container(LINE.replace("--memory=32m ", "")),
          fact("(0, 0) == (137, 1)", held=False)),
    controls=[control("the limit", mem_limit=None)],
)  # fmt: skip


def drawn(made: Experiment, **fields: Any) -> ET.Element:
    """The drawing of an experiment, checked: well-formed, and no text leaves its place."""
    text = cards.svg(run(made, **fields), made.id)
    text.encode()
    svg = ET.fromstring(text)  # noqa: S314 - drawn by us, just now
    panels = [each for each in svg.iter(f"{SVG}rect") if each.get("stroke")]
    for line in svg.iter(f"{SVG}text"):
        x, y, size = (float(line.attrib[name]) for name in ("x", "y", "font-size"))
        mono = "font-family" in line.attrib
        wide = sum(
            width_of(each.text or "", size, mono=mono, bold="font-weight" in each.attrib)
            for each in line
        )
        left = x - wide / 2 if line.get("text-anchor") else x
        right, bottom = 1280 - 48, 720
        for panel in panels:
            px, py, pw, ph = (float(panel.attrib[each]) for each in ("x", "y", "width", "height"))
            if px <= left < px + pw and py <= y - size < py + ph:
                right, bottom = px + pw - 20, py + ph
        assert left >= 47
        assert left + wide <= right + 1, words([line])
        assert y + 0.25 * size <= bottom, words([line])
    return svg


def words(lines: Any) -> list[str]:
    return ["".join(each.itertext()) for each in lines]


def lines(svg: ET.Element) -> list[str]:
    return words(svg.iter(f"{SVG}text"))


def styled(svg: ET.Element, name: str, value: str) -> list[str]:
    return [each.text or "" for each in svg.iter(f"{SVG}tspan") if each.get(name) == value]


# The name of its files


@pytest.mark.parametrize("identity", ["a-claim-that-holds", "a_b", "0"])
def test_an_id_that_can_be_a_file_name_is_one(identity: str) -> None:
    assert cards.file_name(identity) == identity


@pytest.mark.parametrize(
    "identity",
    ["", ".", "..", "../../etc/passwd", "a/b", "a\\b", "A", "con:", "a b", "a\x00b", "ä", "\udcff",
     "-rf", "x" * 500, "a.svg", HOSTILE],
)  # fmt: skip
def test_any_other_id_gets_a_safe_name_of_its_own(identity: str) -> None:
    name = cards.file_name(identity)

    assert set(name) <= set(string.ascii_lowercase + string.digits + "-_.")
    assert 0 < len(name) <= 100
    assert name[0] not in ".-"
    others = ["", "a", "a-b", "x" * 501, "..", "A", "a b", "a/b"]
    assert name not in {cards.file_name(each) for each in others if each != identity}


# The page


def test_the_page_says_what_the_run_says_and_where_there_is_more() -> None:
    page = cards.page(run(PROVEN), PROVEN.id)

    assert "<title>Something holds. · Isolation Labs</title>" in page
    assert "(0, 0) == (137, 1)" in page
    assert "Linux 6.1 x86_64" in page
    assert 'href="../evidence.html#something-holds"' in page
    assert 'href="something-holds.svg"' in page


def test_the_page_allows_its_own_style_and_nothing_else() -> None:
    page = cards.page(run(PROVEN), PROVEN.id)
    style = re.search(r"<style>(.*?)</style>", page, re.DOTALL)
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)

    assert style
    assert policy
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert policy[1].replace("&#39;", "'") == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    assert "<script" not in page
    assert not re.search(r'\sstyle="|\son\w+="', page)


def test_hostile_text_is_text_in_the_page_and_in_the_drawing() -> None:
    made = hostile()
    page = cards.page(run(made, header=HEADER | {"commit": HOSTILE, "id": HOSTILE}), made.id)

    page.encode()
    assert "<script" not in page
    assert "{{ 7 * 7 }}" in page
    svg = drawn(made, header=HEADER | {"commit": HOSTILE})
    assert {each.tag for each in svg.iter()} <= {
        SVG + name for name in ("svg", "title", "rect", "text", "tspan")
    }


def hostile() -> Experiment:
    """One whose every text is."""
    return experiment(
        trial("as-is", "held", container(f"docker run '{HOSTILE}'", HOSTILE), fact(HOSTILE, source=HOSTILE)),
        trial("without-it", "fell", container(HOSTILE), fact(HOSTILE, held=False, source=HOSTILE),
              reason=HOSTILE),
        id=HOSTILE, claim=HOSTILE, chapter_title=HOSTILE, kernel=HOSTILE, without=HOSTILE,
        source=HOSTILE, code=HOSTILE, path=HOSTILE, function=HOSTILE, answers=[HOSTILE],
        given={HOSTILE: HOSTILE}, controls=[control(HOSTILE, **{HOSTILE: HOSTILE})],
    )  # fmt: skip


# The drawing


def test_the_drawing_shows_both_sides_and_what_differs_on_each() -> None:
    svg = drawn(PROVEN)

    assert svg.attrib["viewBox"] == "0 0 1280 720"
    assert {"✓ proven", "Something holds.", "As it is", "In the control “the limit”"} <= set(
        lines(svg)
    )
    assert {"✓ held", "✗ fell, as it must"} <= set(lines(svg))
    assert {"(137, 1) == (137, 1)", "(0, 0) == (137, 1)"} <= set(lines(svg))
    assert "The kernel: The kernel sees to it." in lines(svg)
    assert styled(svg, "text-decoration", "line-through") == ["--memory=32m"]
    assert "--memory=32m" in styled(svg, "fill", "#1b62a5")
    assert lines(svg)[-1] == "pytest labs/test_99_made_up.py::test_something_holds"


def test_of_long_tuples_the_drawing_shows_the_items_that_differ() -> None:
    source = "(group, rights, filtered) == (own, fourteen, 'filter')"
    long, rights = f"cgroup /{'a' * 300}", "{" + "CAP_OF_SOME_KIND " * 40 + "}"
    svg = drawn(
        experiment(
            trial("as-is", "held", fact(f"({long}, {rights}, 'filter') == ({long}, {rights}, 'filter')", source=source)),
            trial("without-it", "fell", fact(f"(cgroup /, {rights}, 'disabled') == ({long}, {rights}, 'filter')", source=source, held=False)),
        )
    )  # fmt: skip

    assert "filtered 'disabled' claimed 'filter'" in lines(svg)
    assert [line for line in lines(svg) if line.startswith("group cgroup / claimed ")]
    assert not [line for line in lines(svg) if line.startswith("rights")]


def test_the_drawing_is_of_the_plainest_svg() -> None:
    text = cards.svg(run(PROVEN), PROVEN.id)

    assert not re.search(
        r"foreignObject|<style|style=|class=|var\(|url\(|href|@import|&(?!amp;|lt;|gt;|#)", text
    )


def test_a_newer_run_s_phrase_for_the_control_is_its_title() -> None:
    declared = control("pid_mode=host", pid_mode="host") | {"phrase": "with pid_mode=host"}

    svg = drawn(
        experiment(trial("as-is", "held"), trial("without-it", "fell"), controls=[declared])
    )

    assert "With pid_mode=host" in lines(svg)


def test_of_several_controls_the_first_that_fell_is_shown_and_the_others_are_counted() -> None:
    svg = drawn(
        experiment(
            trial("as-is", "held", fact("1")),
            trial("without-1", "not observable", reason="no swap"),
            trial("without-2", "fell", fact("0", held=False)),
            controls=[control(f"number {each}", f"without-{each}") for each in (1, 2, 3)],
        )
    )

    assert "In the control “number 2”" in lines(svg)
    assert "✗ fell, as it must   + 2 more controls" in lines(svg)


def test_the_fact_that_fell_in_the_control_is_the_one_that_is_shown() -> None:
    alive, decisive = fact("True", source="alive"), fact("1 == 1", line=6)
    svg = drawn(
        experiment(
            trial("as-is", "held", alive, decisive),
            trial("without-it", "fell", alive, fact("0 == 1", held=False, line=6)),
        )
    )

    assert not [each for each in lines(svg) if "alive" in each]
    assert {"1 == 1", "0 == 1"} <= set(lines(svg))


def test_a_contrast_has_one_wide_panel_with_all_its_facts() -> None:
    svg = drawn(
        experiment(
            trial("as-is", "held", fact("1 == 1"), fact("2 != 3", line=6)),
            controls=[], contrast="the kernel stays",
        )
    )  # fmt: skip

    assert len([each for each in svg.iter(f"{SVG}rect") if each.get("stroke")]) == 2
    assert {"1 == 1", "2 != 3", "Nothing can be taken away: the kernel stays."} <= set(lines(svg))


@pytest.mark.parametrize(
    ("as_is", "without", "badge", "said"),
    [
        ("fell", "fell", "✗ refuted", "✗ fell: the claim does not hold here"),
        ("held", "held", "∅ vacuous", "✓ held: the control is vacuous"),
        ("held", "interrupted", "? unproven", f"{DASH} not run to its end"),
        (
            "not observable",
            "not observable",
            f"{DASH} not observable here",
            f"{DASH} not observable here",
        ),
        ("broken", "fell", "! broken", f"{DASH} the bench broke"),
    ],
)
def test_what_is_not_proven_is_not_shown_as_if_it_were(
    as_is: str, without: str, badge: str, said: str
) -> None:
    svg = drawn(
        experiment(
            trial("as-is", as_is, reason="why it is so"), trial("without-it", without, reason="why")
        )
    )

    assert {badge, said, "why it is so"} <= set(lines(svg))
    assert "✓ proven" not in lines(svg)


def test_an_experiment_that_was_not_begun_is_drawn() -> None:
    assert {"? unproven", f"{DASH} not run to its end"} <= set(lines(drawn(experiment())))


def test_long_texts_are_cut_and_say_so() -> None:
    many = " ".join(["word"] * 400)
    made = experiment(
        trial("as-is", "held", container(f"docker run {many}"), fact(f"begin {many} end", source=many)),
        trial("without-it", "fell", container(f"docker run --x {many}"),
              fact(f"begin {many} end", source=many, held=False)),
        claim=many, kernel=many, chapter_title=many, given={"x": many},
        controls=[control(many, x=many + "y")],
    )  # fmt: skip

    shown = "\n".join(lines(drawn(made)))

    assert shown.count("begin") == shown.count("end") == 2
    assert shown.count("…") >= 8


def test_a_run_without_a_bench_is_drawn() -> None:
    assert "2026-11-22 17:20:44 UTC · unknown" in lines(drawn(PROVEN, bench={}))


# Setting text


def test_lines_are_broken_at_blanks_and_keep_the_styles() -> None:
    pieces = [Piece("one two ", bold=True), Piece("three four", struck=True)]

    set_lines = broken(pieces, width_of("one two three ", 10, mono=True), 10, mono=True)

    assert ["".join(each.text for each in line).strip() for line in set_lines] == [
        "one two three",
        "four",
    ]
    assert [(each.text.strip(), each.bold, each.struck) for each in set_lines[0]][:2] == [
        ("one two", True, False),
        ("three", False, True),
    ]


def test_a_word_longer_than_a_line_is_broken_and_nothing_is_lost() -> None:
    word = "".join(string.ascii_letters * 4)

    set_lines = broken([Piece(word)], 100, 10, mono=True)

    assert "".join(each.text for line in set_lines for each in line) == word
    assert all(
        width_of("".join(each.text for each in line), 10, mono=True) <= 100 for line in set_lines
    )


def test_too_many_lines_end_in_an_ellipsis_that_fits() -> None:
    *_, last = broken([Piece("word " * 50)], 100, 10, mono=True, most=2)

    assert "".join(each.text for each in last).endswith("…")
    assert width_of("".join(each.text for each in last), 10, mono=True) <= 100


@pytest.mark.parametrize("most", [1, 2, 5])
def test_a_value_is_shortened_in_its_middle(most: int) -> None:
    text = f"begin {'x' * 5000} end"

    short = shortened(text, 300, 10, most)

    assert short.startswith("begin")
    assert short.endswith("end")
    assert " … " in short
    assert len(broken([Piece(short)], 300, 10, mono=True)) <= most
    assert shortened("all of it", 300, 10, most) == "all of it"


def test_a_real_run_is_drawn_quickly() -> None:
    many = {
        f"number-{each}": experiment(*PROVEN.trials.values(), id=f"number-{each}")
        for each in range(50)
    }
    made: Run = run(*many.values())

    assert len({cards.svg(made, identity) for identity in many}) == 1
