"""The deck tells its story with what the run decided, and says what the run did not."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from fixtures.events import Experiment, Run
from fixtures.report import slides, templating
from fixtures.report.story import STORY, Slide

from .runs import (
    BENCH,
    HEADER,
    LINE,
    api,
    container,
    control,
    experiment,
    fact,
    file,
    run,
    trial,
)

LABS = Path(__file__).parents[2] / "labs"
REVEAL = templating.HERE / "vendor" / "reveal"
FINISH = {"event": "finish", "exit_status": 0}
HOSTILE = (
    """</script></code></pre>"'><img src=x onerror="alert`1`"><b>{{ 7 * 7 }}&lt;i&gt;\x00\udcff"""
)


class Page(HTMLParser):
    """The elements of a page with the names of their attributes, its slides and its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, ...]] = []
        self.addresses: list[str] = []
        """what it would fetch or may lead to"""
        self.policy = ""
        self.slides: list[str] = []
        """the text of each, without its notes"""
        self.notes: list[str] = []
        self.scripts: list[str] = []
        self._into: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.elements.append((tag, *given))
        self.addresses += [given[name] or "" for name in ("src", "href") if name in given]
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"] or ""
        into = {"section": self.slides, "aside": self.notes, "script": self.scripts}.get(tag)
        if into is not None:
            into.append("")
            self._into = into

    def handle_endtag(self, tag: str) -> None:
        if tag in ("aside", "script"):
            self._into = []

    def handle_data(self, data: str) -> None:
        if self._into:
            self._into[-1] += data


def page(shown: Run) -> Page:
    return Page(slides.page(shown))


PID_OF_HOST = control("pid_mode=host", pid_mode="host") | {"phrase": "with pid_mode=host"}


def telling(slide: Slide, as_is: str = "held", without: str = "fell", **more: Any) -> Experiment:
    """The first experiment of a slide, as it came out."""
    return named(slide.experiments[0], as_is, without, **more)


def named(name: str, as_is: str = "held", without: str = "fell", **more: Any) -> Experiment:
    changed = LINE.replace(" busybox", " --pid=host busybox")
    return experiment(
        trial("as-is", as_is, container(), fact("1 == 1", held=as_is == "held"), reason="for once"),
        trial(
            "without-it", without, container(changed), fact("0 == 1", held=without == "held")
        ),
        **{"id": name, "given": {}, "controls": [PID_OF_HOST]} | more,
    )  # fmt: skip


def slide_with(*experiments: str) -> Slide:
    """The first slide of the story that prefers these in this order."""
    return next(each for each in STORY if each.experiments[: len(experiments)] == experiments)


TWO_PIDS = slide_with(
    "a-container-process-has-one-pid-inside-and-another-outside",
    "the-host-sees-the-processes-of-a-container",
)


def shown_of(slide: Slide, *experiments: Experiment) -> str:
    """The text of that slide in a run of these experiments."""
    text = page(run(*experiments, finish=FINISH)).slides[STORY.index(slide)]
    return " ".join(text.split())


def test_the_story_is_short_and_every_slide_of_it_says_something_to_everybody() -> None:
    assert len(STORY) < 20
    assert len({slide.message for slide in STORY}) == len(STORY)
    for slide in STORY:
        assert len(slide.message.split()) > 5, "a title is a whole sentence"
        assert slide.beginners.endswith(".")
        assert slide.experts.endswith(".")


def test_the_story_names_only_experiments_that_exist() -> None:
    functions = re.findall(
        r"^def test_(\w+)", "\n".join(map(Path.read_text, LABS.glob("test_*.py"))), re.MULTILINE
    )
    points = chain.from_iterable(slide.points for slide in STORY)
    names = {
        *chain.from_iterable(slide.experiments for slide in STORY),
        *(point.experiment for point in points if point.experiment),
    }

    assert names - {function.replace("_", "-") for function in functions} == set()


def test_reveal_js_is_as_it_was_published() -> None:
    sums = dict(line.split()[::-1] for line in (REVEAL / "SHA256SUMS").read_text().splitlines())

    assert sums == {
        name: hashlib.sha256((REVEAL / name).read_bytes()).hexdigest()
        for name in ("reveal.js", "reveal.css", "LICENSE")
    }


def test_the_page_asks_for_nothing_and_runs_no_script_but_its_own() -> None:
    shown = page(run(telling(TWO_PIDS), finish=FINISH))
    hashes = {
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in shown.scripts
    }

    allowed = re.search(r"script-src ([^;]*);", shown.policy)
    assert allowed
    assert set(allowed[1].split()) == {f"'sha256-{each}'" for each in hashes}
    assert shown.policy.startswith("default-src 'none';")
    assert {
        address.partition("#")[0]
        for address in shown.addresses
        if not address.startswith("https://")
    } == {"evidence.html"}
    assert not [element for element in shown.elements if {"src", "style"} & {*element[1:]}]


def test_a_slide_shows_both_sides_with_what_changes_and_leads_to_the_card() -> None:
    proven = telling(TWO_PIDS)

    text = shown_of(TWO_PIDS, proven)
    source = slides.page(run(proven))

    assert "proven" in text
    assert "assert it" in text
    assert "As it is held" in text
    assert "With pid_mode=host fell, as it must" in text
    assert "1 == 1" in text
    assert "0 == 1" in text
    assert "<ins>--pid=host</ins>" in source
    assert f'href="evidence.html#{proven.id}"' in source


def test_every_slide_names_the_bench() -> None:
    assert all(BENCH["kernel"] in slide for slide in page(run()).slides)


def test_notes_say_how_to_repeat_it() -> None:
    notes = page(run(telling(TWO_PIDS))).notes[STORY.index(TWO_PIDS)]

    assert "pytest labs/test_99_made_up.py::test_something_holds" in notes
    assert "--runxfail" in notes
    assert re.search(r"docker run .*--memory=32m --pid=host busybox", notes)
    assert "# With pid_mode=host" in notes
    assert TWO_PIDS.beginners in notes
    assert TWO_PIDS.experts in notes


@pytest.mark.parametrize(
    ("as_is", "without", "verdict"),
    [
        ("not observable", "not observable", "not observable here"),
        ("broken", "fell", "broken"),
        ("held", "interrupted", "unproven"),
    ],
)
def test_what_the_run_did_not_decide_is_not_shown_as_if_it_had(
    as_is: str, without: str, verdict: str
) -> None:
    text = shown_of(TWO_PIDS, telling(TWO_PIDS, as_is, without))

    assert "This run can not show it." in text
    assert f"{verdict} Something holds. for once" in text
    assert "not part of this run the host sees the processes of a container" in text
    assert "1 == 1" not in text
    assert "proven" not in text.replace("unproven", "")


@pytest.mark.parametrize(
    ("as_is", "verdict"), [("held", "proven Something else"), ("fell", "refuted Something else")]
)
def test_the_next_experiment_is_shown_by_its_own_claim_where_the_first_was_not_decided(
    as_is: str, verdict: str
) -> None:
    first = telling(TWO_PIDS, "not observable")
    second = named(TWO_PIDS.experiments[1], as_is, claim="Something else holds.")
    number = STORY.index(TWO_PIDS)

    text = shown_of(TWO_PIDS, first, second)
    notes = page(run(first, second)).notes[number]

    assert f"{verdict} holds." in text.replace("What a container is", "")
    assert f"instead of “{TWO_PIDS.message}” (not observable here: for once)" in text
    assert ("Refuted in this run: the claim failed." in text) == (as_is == "fell")
    assert "1 == 1" in text
    assert "Something else holds." in notes
    assert "Not shown (not observable here): Something holds. for once" in notes


@pytest.mark.parametrize(("as_is", "verdict"), [("held", "proven"), ("fell", "refuted")])
def test_notes_tell_of_the_run_by_the_experiment_s_own_words(as_is: str, verdict: str) -> None:
    notes = page(run(telling(TWO_PIDS, as_is))).notes[STORY.index(TWO_PIDS)]

    assert f"Claim ({verdict}): Something holds." in notes
    assert "Without: Nobody sees to it." in notes


def test_the_story_holds_no_result() -> None:
    told = " ".join(f"{slide.why} {slide.beginners} {slide.experts}" for slide in STORY[1:])

    assert not re.search(r"this run|the (claim|control) (here|finds|is)|is the control", told)


MEMORY = next(slide for slide in STORY if slide.picture == "memory")


def polled(name: str, *, as_is: bool, without: bool, outcome: str = "held") -> Experiment:
    """An experiment of which these trials read the memory in use again and again."""
    path = "/sys/fs/cgroup/labs/memory.current"
    course = [file("/sys/fs/cgroup/labs/memory.max", str(32 << 20), name="memory.max", at=0.05)]
    course += [
        file(path, str(each << 20), name="memory.current", at=each / 10) for each in range(1, 9)
    ]
    return experiment(
        trial(
            "as-is", outcome, container() | {"at": 0}, *(course if as_is else []),
            fact("1 == 1", held=outcome == "held"),
        ),
        trial(
            "without-it", "fell", container() | {"at": 0}, *(course if without else []),
            fact("0 == 1", held=False),
        ),
        id=name, given={}, controls=[PID_OF_HOST],
    )  # fmt: skip


def test_a_picture_is_of_the_proven_experiment_of_the_message_as_it_is() -> None:
    first, second, *_ = MEMORY.experiments

    def drawn(*experiments: Experiment) -> bool:
        text = slides.page(run(*experiments))
        return "<svg" in text.split("<section>")[1 + STORY.index(MEMORY)]

    assert drawn(polled(first, as_is=True, without=True))
    assert not drawn(polled(first, as_is=False, without=True))
    assert not drawn(polled(first, as_is=True, without=True, outcome="fell"))
    assert not drawn(named(first), polled(second, as_is=True, without=True))
    assert not drawn(named(first, "not observable"), polled(second, as_is=True, without=True))


MATRIX = next(slide for slide in STORY if slide.layout == "matrix")


def cells_of(*experiments: Experiment) -> tuple[list[str], list[str]]:
    """The columns of the deck's matrix, and what stands in its cells."""
    section = slides.page(run(*experiments)).split("<section>")[1 + STORY.index(MATRIX)]
    columns = re.findall(r'<th scope="col"><span>([^<]*)', section)
    cells = re.findall(r'<td class="(?:all|some)">(.*?)</td>', section)
    return columns, [re.sub("<[^>]*>", "", cell) for cell in cells]


def controlled(name: str, *outcomes: str, **changes: Any) -> Experiment:
    """An experiment with as many controls, all of the same kind."""
    names = [f"without-{number}" for number, _ in enumerate(outcomes)]
    return experiment(
        trial("as-is", "held"),
        *(trial(name, outcome) for name, outcome in zip(names, outcomes, strict=True)),
        id=name,
        controls=[control(name, name, **changes) for name in names],
    )


def test_the_matrix_counts_claims_and_not_controls() -> None:
    both = controlled("both", "fell", "fell", network_mode="none")
    one = controlled("one", "fell", "held", network_mode="none")

    assert cells_of(both) == (["network"], ["1"])
    assert cells_of(both, one) == (["network"], ["1/2"])


def test_a_matrix_that_is_too_wide_is_shown_by_its_bands() -> None:
    many = [controlled(f"e{each}", "fell", **{f"option_{each}": 1}) for each in range(17)]

    assert cells_of(*many[:16])[0] == sorted(f"option_{each}" for each in range(16))
    assert cells_of(*many) == (["other options"], ["17"])


@pytest.mark.parametrize(
    ("as_is", "without", "words"),
    [
        ("fell", "fell", "Refuted in this run: the claim failed."),
        ("held", "held", "Vacuous in this run: a control did not fail"),
    ],
)
def test_what_the_run_decided_otherwise_is_shown_so_and_not_passed_over(
    as_is: str, without: str, words: str
) -> None:
    other = named(TWO_PIDS.experiments[1])

    assert words in shown_of(TWO_PIDS, telling(TWO_PIDS, as_is, without), other)


def test_a_slide_of_several_experiments_says_of_each_what_the_run_has() -> None:
    slide = next(each for each in STORY if each.layout == "points")
    first, second, third = (point.experiment for point in slide.points[:3])

    text = shown_of(slide, named(first), named(second, "not observable"))

    assert text.count("1 == 1") == 1
    assert "for once not observable here" in text
    assert "it was not chosen not part of this run" in text
    assert third


def test_the_title_says_what_kind_of_run_it_is() -> None:
    def title(**fields: Any) -> str:
        return page(run(telling(TWO_PIDS), **fields)).slides[0]

    assert "This run did not end in order" in title(finish=None)
    assert "Part of a run" in title(finish=FINISH, header=HEADER | {"whole": False})
    assert "run did not end" not in title(finish=FINISH)
    assert "Part of a run" not in title(finish=FINISH)


def test_a_part_of_a_run_leads_only_to_what_its_book_has() -> None:
    slide = next(each for each in STORY if each.layout == "points")
    there, *missing = (point.experiment for point in slide.points)

    addresses = page(run(named(there))).addresses

    assert f"evidence.html#{there}" in addresses
    assert not {f"evidence.html#{each}" for each in missing} & {*addresses}


def test_the_title_counts_controls_as_the_book_does_also_those_that_were_not_run() -> None:
    begun = named("one")
    cut_off = experiment(trial("as-is", "held"), id="two", controls=[PID_OF_HOST])

    title = page(run(begun, cut_off, finish=None)).slides[0]

    assert "1 of 2, 1 not run" in " ".join(title.split())


def test_a_control_of_a_claim_that_does_not_hold_is_not_counted() -> None:
    refuted = experiment(
        trial("as-is", "fell", fact("it", held=False)),
        trial("without-it", "fell", fact("it", held=False)),
        id="two",
        controls=[PID_OF_HOST],
    )

    deck = page(run(named("one"), refuted, finish=FINISH))

    assert "controls that fell, as they must1 of 2" in " ".join(deck.slides[0].split())
    assert "1 of 2 controls fell, as they must." in " ".join("".join(deck.slides).split())


def test_the_end_counts_questions_as_the_book_does() -> None:
    questions = {
        name: {"id": name, "standing": standing, "text": "", "quote": ""}
        for name, standing in {"a": "right", "b": "prose only", "c": "wrong"}.items()
    }
    made = named("one", answers=["a", "unknown"])

    end = page(run(made, questions=questions)).slides[-1]

    assert "1 of 3 study questions are shown by experiments of this run." in " ".join(end.split())


def test_what_a_fact_compared_is_shown_item_by_item() -> None:
    source = "(alike, seen) == (1, False)"
    made = experiment(
        trial("as-is", "held", fact("(1, False) == (1, False)", source=source)),
        trial("without-it", "fell",
              fact("(1, True) == (1, False)", source=source, held=False)),
        id=TWO_PIDS.experiments[0], controls=[PID_OF_HOST],
    )  # fmt: skip

    text = shown_of(TWO_PIDS, made)

    assert "As it is held seenFalse" in text
    assert "fell, as it must seenTrue claimed False" in text
    assert "alike" not in text.replace(source, "")


STEPS = next(slide for slide in STORY if slide.layout == "steps")


def test_a_step_shows_what_was_missing_where_it_alone_was_left_out() -> None:
    source = "made == asked"
    first, second, third, *_ = STEPS.points
    made = experiment(
        trial("as-is", "held", fact("{'a': 1, 'b': 2} == {'a': 1, 'b': 2}", source=source)),
        trial("without-1", "fell",
              fact("{'a': 0, 'b': 2} == {'a': 1, 'b': 2}", source=source, held=False)),
        trial("without-2", "interrupted"),
        id=STEPS.experiments[0],
        controls=[control(first.control, "without-1"), control(second.control, "without-2")],
    )  # fmt: skip
    proven = experiment(*list(made.trials.values())[:2], id=made.id, controls=[control(first.control, "without-1")])  # fmt: skip

    shown, unproven = shown_of(STEPS, proven), shown_of(STEPS, made)

    assert f"{first.what} {first.by_hand} a 0 {second.what}" in shown
    assert f"{third.by_hand} no such control in this run" in shown
    assert "This run can not show it." in unproven
    assert "a 0" not in unproven


def test_a_run_that_ended_before_it_began_has_a_deck() -> None:
    shown = page(run(bench={}, finish=None))

    assert len(shown.slides) == len(STORY)
    assert "no experiment in this run" in shown.slides[0]


def test_no_text_of_a_run_becomes_an_element() -> None:
    def of(text: str) -> Page:
        told = [
            experiment(
                trial(
                    "as-is", "held", container(f"docker run {text!r}"), api("docker diff", text),
                    fact(text, source=text), reason=text,
                ),
                trial("without-it", "fell", container(), fact(text, source=text, held=False)),
                id=name, claim=text, kernel=text, source=text, given={"a": text},
                controls=[control(text, a=text)],
            )
            for slide in STORY for name in slide.experiments
        ]  # fmt: skip
        return page(run(*told, bench=BENCH | {"kernel": text}))

    # A text may get places where it can be broken.
    harmless, hostile = of("made=up"), of(HOSTILE)

    assert set(hostile.elements) == set(harmless.elements)
    assert hostile.scripts == harmless.scripts
    assert any("<img src=x onerror=" in slide for slide in hostile.slides)


def test_what_is_no_unicode_can_be_written() -> None:
    text = slides.page(run(telling(TWO_PIDS, claim="\udcff", kernel="\udcff")))

    assert "\\udcff" in text.encode().decode()


def test_podman_s_chain_has_its_own_parts() -> None:
    podman = {"product": "Podman", "components": {"Podman Engine": "5.8", "Conmon": "2.1"}}
    made = run(bench=BENCH | {"engine": BENCH["engine"] | podman})

    parts = [(each.name, each.version) for each in slides._components(made)]

    assert parts[1:3] == [("podman", "5.8"), ("conmon", "2.1")]
    assert not {"dockerd", "containerd", "the shim"} & {name for name, _ in parts}
