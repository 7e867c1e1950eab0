"""The book shows all that a run says, whatever came of it, and nothing that it does not say."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote

import pytest

from fixtures.events import Experiment, Run
from fixtures.report import book, outputs
from fixtures.report.card import Card

from ..events.streams import BENCH
from .runs import HEADER, LINE, command, container, control, experiment, fact, file, run, trial

HOSTILE = (
    "</script></style>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }} %41\n\x00\x1b[31m\u202e\udcff"
)
FINISH = {"event": "finish", "exit_status": 0, "seconds": 1, "cpu_user": 1, "cpu_system": 1}
THE_LIMIT = control("the limit", mem_limit=None) | {"phrase": "without the limit"}
HELD = trial("as-is", "held", container(), fact("(137, 1) == (137, 1)"))
FELL = trial(
    "without-it",
    "fell",
    container(LINE.replace("--memory=32m ", "")),
    fact("(0, 0) == (137, 1)\n\n  At index 0 diff: 0 != 137", held=False),
)
PROVEN = experiment(HELD, FELL, controls=[THE_LIMIT])
QUESTION = {
    "event": "question",
    "id": "made-1",
    "text": "A made-up text",
    "kind": "claim",
    "quote": "`it` is so",
    "standing": "holds",
    "answer": "It is, see proc(5).",
    "sources": ["proc(5)"],
}


class Page(HTMLParser):
    """A page's elements with their attributes, and the text within those that have an id."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.within: dict[str, str] = {}
        self._open: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attributes}
        self.elements.append((tag, named))
        if tag not in ("meta", "col", "input"):
            self._open.append((tag, named.get("id", "")))

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attributes}))

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] in ("script", "style"):
            return
        self.text += data
        for identity in {identity for _, identity in self._open}:
            self.within[identity] = self.within.get(identity, "") + data

    def all(self, attribute: str) -> list[str]:
        return [named[attribute] for _, named in self.elements if attribute in named]

    def links(self, text: str = "#") -> list[str]:
        return [href for href in self.all("href") if href.startswith(text)]


def page(made: Run) -> Page:
    """The book, checked: UTF-8 can hold it, ids are given once, and links within lead somewhere."""
    text = book.page(made)
    text.encode()
    found = Page(text)
    ids = found.all("id")
    assert sorted(ids) == sorted(set(ids))
    assert {unquote(href[1:]) for href in found.links()} - set(ids) == set()
    return found


def words(text: str) -> str:
    return " ".join(text.split())


def test_with_and_without_stand_side_by_side() -> None:
    found = page(run(PROVEN, finish=FINISH))
    card = words(found.within["something-holds"])
    with_it = words(found.within["something-holds--as-is"])
    without = words(found.within["something-holds--without-it"])

    assert card.startswith("proven Something holds.")
    assert f"As it is held {LINE}" in with_it
    assert "held it (137, 1) == (137, 1) falls without the limit" in with_it
    assert "Without the limit fell, as it must" in without
    assert "fell it (0, 0) == (137, 1) all that pytest saw" in without
    assert ("del", {}) in found.elements
    assert "pytest --runxfail labs/test_99_made_up.py::test_something_holds" in card
    assert "docker run --detach --name=" in card


def test_a_control_of_a_claim_that_does_not_hold_is_not_counted() -> None:
    second = fact("1 == 1", line=6)
    refuted = experiment(
        trial("as-is", "fell", second, fact("2 == 3", held=False)),
        trial("without-it", "fell", fact("0 == 1", line=6, held=False)),
        controls=[THE_LIMIT],
    )

    found = page(run(refuted, finish=FINISH))

    text = words(found.text)
    assert "0 of 1 controls failed, as they must" in text
    assert "1 fell from what does not hold" in text
    assert "Without the limit fell, and proves nothing" in text
    assert "not seen failing" in words(found.within["something-holds--as-is"])
    assert "without the limit: it fell, and proves nothing: the claim does not hold" in text


def test_a_fact_that_fell_in_no_control_is_not_seen_failing() -> None:
    second = fact("2 == 2", source="another", line=6)
    held = trial("as-is", "held", fact("1 == 1"), second)
    found = page(run(experiment(held, FELL, controls=[THE_LIMIT])))

    assert "2 == 2 not seen failing" in words(found.within["something-holds--as-is"])


def test_a_contrast_says_why_nothing_is_taken_away() -> None:
    alone = experiment(HELD, controls=[], contrast="the kernel can not be taken away")
    found = page(run(alone))

    assert "Nothing can be taken away here: the kernel can not be taken away." in words(found.text)
    assert "not seen failing" not in found.text
    assert "1 of the claims is a contrast" in found.text
    assert "No experiment of this run has a control." in found.text


UNPROVEN = {
    "refuted": (trial("as-is", "fell", fact("1 == 2", held=False), reason="WHY"), FELL),
    "vacuous": (HELD, trial("without-it", "held", fact("1 == 1"), reason="WHY")),
    "broken": (trial("as-is", "broken", reason="WHY"), FELL),
    "not observable here": (HELD, trial("without-it", "not observable", reason="WHY")),
    "unproven": (HELD,),
}


@pytest.mark.parametrize("verdict", UNPROVEN)
def test_what_is_not_proven_stands_above_all_with_its_reason(verdict: str) -> None:
    found = page(run(experiment(*UNPROVEN[verdict], controls=[THE_LIMIT])))
    above, _, rest = found.text.partition("Contents")
    card = words(found.within["something-holds"])

    assert f"{verdict} " in words(above.partition("What is not proven")[2])
    assert "Something holds." in above
    assert f"{verdict.capitalize()}: " in card
    assert above.count("WHY") == card.count("WHY") == (verdict != "unproven")
    assert "1 of 1 proven" not in rest


def test_a_control_that_was_not_run_says_so() -> None:
    found = page(run(experiment(HELD, controls=[THE_LIMIT])))

    assert "It was not run." in found.within["something-holds--without-it"]


def test_a_run_that_is_whole_and_proven_has_no_notice() -> None:
    above = page(run(PROVEN, finish=FINISH)).text.partition("Contents")[0]

    assert "This run was" not in above
    assert "a part of the labs" not in above
    assert "What is not proven" not in above


def test_a_killed_run_says_what_it_was_doing() -> None:
    doing = {"event": "doing", "what": "waiting for `container.has('/go')`"}
    cut = experiment(HELD, trial("without-it", "interrupted", doing), controls=[THE_LIMIT])
    found = page(run(cut))
    above = words(found.text.partition("Contents")[0])
    side = words(found.within["something-holds--without-it"])

    assert "This run was killed." in above
    assert "without the limit, while waiting for container.has('/go')." in above
    assert "It ended while waiting for container.has('/go')." in side


def test_a_run_killed_before_its_bench_is_shown() -> None:
    found = page(run(bench={}))

    assert "This run was killed." in found.text
    assert "The run ended before its bench was known." in found.text
    assert "This run has no experiments" in found.text


def test_a_run_that_was_interrupted_and_one_of_a_part_say_so() -> None:
    part = run(PROVEN, finish=FINISH | {"exit_status": 2}, header=HEADER | {"whole": False})
    above = page(part).text.partition("Contents")[0]

    assert "This run was interrupted." in above
    assert "This is a part of the labs." in above


def test_a_run_of_an_older_version_is_shown() -> None:
    older = experiment(HELD, FELL, controls=[control("pid_mode=host", pid_mode="host")])
    side = page(run(older, finish=FINISH)).within["something-holds--without-it"]

    assert "In the control “pid_mode=host”" in side


def questions(*declared: dict[str, Any], made: Experiment = PROVEN) -> Page:
    return page(run(made, questions={each["id"]: each for each in declared}, finish=FINISH))


def test_a_question_has_its_answer_and_its_evidence() -> None:
    found = questions(QUESTION)
    question = words(found.within["made-1"])

    assert "made-1 claim holds it is so It is, see proc(5)." in question
    assert "proven Something holds. Shown by 1 experiment of this run." in question
    assert found.links("https://man7.org/linux/man-pages/man5/proc.5.html")
    assert "made-1" in found.within["something-holds"]


@pytest.mark.parametrize(
    ("standing", "heading"),
    [("wrong", "The text is wrong:"), ("holds with conditions", "It holds on conditions:")],
)
def test_a_correction_stands_out(standing: str, heading: str) -> None:
    found = questions(QUESTION | {"standing": standing, "correction": "It is otherwise."})

    assert f"{heading} It is otherwise." in words(found.within["made-1"])


def test_a_question_without_evidence_says_so() -> None:
    prose = QUESTION | {"id": "made-2", "standing": "prose only"}
    found = questions(
        QUESTION, prose, QUESTION | {"id": "made-3"}, made=experiment(HELD, controls=[THE_LIMIT])
    )

    assert "no experiment of those above is proven" in words(found.within["made-1"])
    assert "the answer is prose" in words(found.within["made-2"])
    assert "No experiment of this run shows it." in words(found.within["made-3"])
    assert "0 of 3" in words(found.text)


def test_a_question_that_the_run_does_not_have_is_named_and_not_linked() -> None:
    card = page(run(PROVEN)).within["something-holds"]

    assert "made-1" in card


def test_the_matrix_leads_from_each_cell_to_its_control() -> None:
    found = page(run(PROVEN, finish=FINISH))

    assert found.links("#something-holds--without-it")
    shown = "without the limit: the fact fell, as it must it: (0, 0) == (137, 1)"
    assert shown in words(found.text)


def test_what_the_machine_lacks_is_named_with_who_wanted_it() -> None:
    wanting = experiment(HELD, FELL, controls=[THE_LIMIT | {"requires": ["swap"]}])
    lacks = {"swap": {"reason": "there is none", "remedy": "turn some on"}}
    shown = page(run(wanting, bench=BENCH | {"not_observable": lacks}))
    unseen = words(shown.text.partition("experiments that want it")[2])

    assert unseen.startswith("swapthere is noneturn some onSomething holds.")


def test_long_output_is_cut_and_linked_to_the_whole() -> None:
    printed = "".join(f"line {number}\n" for number in range(10_000))
    long = experiment(trial("as-is", "held", command("cat", stdout=printed)), controls=[])
    made = run(long)
    found = page(made)
    ((path, text),) = outputs.of_run(made)

    assert text == printed
    assert path == "outputs/something-holds-as-is-1.txt"
    assert found.links("outputs/") == [path]
    assert "line 0\n" in found.text
    assert "line 9999\n" in found.text
    assert len(found.text) < 2 * outputs.LONGEST + 10_000


def test_many_readings_share_the_room_of_their_trial() -> None:
    read = [file(f"/proc/{number}", "x" * 4000) for number in range(50)]
    made = run(experiment(trial("as-is", "held", *read), controls=[]))
    card = Card(made, made.experiments["something-holds"])
    shown = list(outputs.excerpts(card, card.as_it_is))

    assert sum(len(each.head + each.tail) for each in shown) < outputs.ROOM + 50 * outputs.LITTLE
    assert all(len(each.head) + each.left_out + len(each.tail) == 4000 for each in shown)
    assert len(shown) == 50


@pytest.mark.parametrize("identity", ["../../etc/passwd", "a/b", "A", "x" * 500, "\udcff", ""])
def test_no_name_leads_out_of_the_folder_of_the_outputs(identity: str) -> None:
    long = trial("as-is", "held", command("cat", stdout="x" * 10_000))
    ((path, _),) = outputs.of_run(run(experiment(long, id=identity, controls=[])))

    assert re.fullmatch(r"outputs/[a-z0-9_-]+\.txt", path)
    assert len(path) < 200


def test_nothing_that_a_run_says_becomes_an_element() -> None:
    hostile = trial(
        "as-is", "fell",
        container(HOSTILE), command(HOSTILE, stdout=HOSTILE * 100), file(HOSTILE, HOSTILE, HOSTILE),
        fact(HOSTILE, source=HOSTILE, held=False), {"event": "doing", "what": HOSTILE},
        reason=HOSTILE,
    )  # fmt: skip
    texts = "id chapter chapter_title path function claim kernel without source code contrast"
    declared: dict[str, Any] = dict.fromkeys(texts.split(), HOSTILE)
    controls = [{"trial": HOSTILE, "name": HOSTILE, "changes": {HOSTILE: 1}, "requires": [HOSTILE]}]
    made = run(
        experiment(hostile, **declared, answers=[HOSTILE], given={HOSTILE: HOSTILE},
                   controls=controls, private_engine={HOSTILE: HOSTILE}),
        header=HEADER | dict.fromkeys(("id", "started", "commit"), HOSTILE),
        bench=BENCH | {"kernel": HOSTILE, "not_observable": {HOSTILE: {"reason": HOSTILE, "remedy": HOSTILE}}},
        questions={HOSTILE: QUESTION | {"id": "q", "quote": HOSTILE, "answer": HOSTILE,
                                        "standing": HOSTILE, "sources": [HOSTILE]}},
    )  # fmt: skip
    found = page(made)

    assert "img" not in {tag for tag, _ in found.elements}
    assert not [name for _, named in found.elements for name in named if name.startswith("on")]
    assert [tag for tag, _ in found.elements].count("script") == 1
    assert "49" not in found.text
    assert "\x00" not in found.text
    assert "\x1b" not in found.text


def test_the_policy_allows_the_page_s_own_style_and_script_alone() -> None:
    text = book.page(run(PROVEN))
    (policy,) = (value for value in Page(text).all("content") if "default-src" in value)

    for element, source in (("style", "style-src"), ("script", "script-src")):
        (inside,) = re.findall(rf"<{element}>(.*?)</{element}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{source} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert not [name for _, named in Page(text).elements for name in named if name == "style"]


def test_the_page_asks_for_nothing() -> None:
    found = page(run(PROVEN))

    assert {"src", "srcset", "action", "background"} & {
        name for _, named in found.elements for name in named
    } == set()
    assert not [tag for tag, _ in found.elements if tag in ("link", "iframe", "object", "embed")]
