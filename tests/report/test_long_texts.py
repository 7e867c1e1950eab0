"""A long text, made to take long, takes a second at most: each is read once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from fixtures.report import by_hand, cards, equality, templating
from fixtures.report.card import card_of
from fixtures.report.comparison import Comparison, page
from fixtures.report.likeness import likeness
from fixtures.report.pictures import layer, namespace, path
from fixtures.report.source import links

from . import runs
from .runs import PID

LONG = 100_000
# What takes the square of it, takes minutes.
pytestmark = pytest.mark.timeout(30)


def long(unit: str) -> str:
    return (unit * (LONG // len(unit) + 1))[:LONG]


@pytest.mark.parametrize(
    "unit", ["a", "a-", "-", "a/", "a.", "a(", "https://", "RFC ", "docs.docker.com/"]
)
def test_sources(unit: str) -> None:
    links(long(unit))


@pytest.mark.parametrize("unit", ["a", "`", "`a", "'\\", '"""a', "f'{", "\\\n", "a" * 12])
@pytest.mark.parametrize(
    "show", [templating.prose, templating.breakable, templating.short, templating.code]
)
def test_prose_and_code(show: Callable[[str], Any], unit: str) -> None:
    show(long(unit))


@pytest.mark.parametrize(
    "unit",
    ["/", "/a", "a/", "/isolation-labs", "/isolation-labs.a.1.", "isolation-labs-", "isolation-labs-a-",
     "isolation-labs-volume-1", "/isolation-labs/a/exec/"],
)  # fmt: skip
def test_what_is_repeated_by_hand(unit: str) -> None:
    trial = runs.trial(
        "as-is", "held", runs.container(), runs.command("cat", long(unit)), runs.file(long(unit))
    )
    run = runs.run(runs.experiment(trial))

    assert by_hand.steps(trial)
    assert card_of(run, "something-holds").as_it_is.readings


@pytest.mark.parametrize("words", ["a", "a b", "a b c a"])
def test_lines_that_are_compared(words: str) -> None:
    lines = [long(f"{words} "), long(f"b {words} a ")]
    trials = [
        runs.trial(name, "held", runs.container(line))
        for name, line in zip(("as-is", "without-it"), lines, strict=True)
    ]
    card = card_of(runs.run(runs.experiment(*trials)), "something-holds")

    assert [word.change for word in card.as_it_is.lines[0][1]] == [""] * len(lines[0].split())
    assert {word.change for word in card.controls[0].lines[0][1]} == {"removed", "added"}


@pytest.mark.parametrize("unit", ["'", "\\'", "'\\", "('", "{'a': ", "(", " == ", "a, ", "'a', "])
def test_values_of_facts(unit: str) -> None:
    equality.items("it == other", long(unit))
    equality.closed(long(unit), long(unit))


@pytest.mark.parametrize(
    "source", ["(" * 5000, "-" * 5000 + "1", f"({'-' * 2000}1, 2)", "a." * 9999]
)
def test_sources_of_facts(source: str) -> None:
    assert equality.items(f"{source} == (1, 2)", "(1, 2) == (1, 2)") in (
        [],
        [equality.Item("", "(1, 2)", "(1, 2)")],
    )


@pytest.mark.parametrize("unit", ["{/proc/2", "/proc/2, ", "{'12', ", "{a: b", "at 0x1", "net:[1]"])
def test_values_that_are_compared(unit: str) -> None:
    trial = runs.trial("as-is", "held", runs.container())

    likeness("{" + long(unit) + "}", trial)
    likeness("{" + long(unit)[:9_000] + "}", trial)


OVERLAY = "36 25 0:32 / / rw - overlay overlay rw,{}"
RULE = "-t nat --dport 1 -j DNAT --to-destination "


@pytest.mark.parametrize(
    ("draw", "file"),
    [
        (layer, runs.file(f"/proc/{PID}/mountinfo", OVERLAY.format(option + long(unit) + "\\"), "/"))
        for option in ("upperdir=/u,lowerdir=", "lowerdir=")
        for unit in ("a", "\\", ":", "a:", "\\134", "a,", ",lowerdir+=a")
    ]
    + [
        (path, runs.file(f"/proc/{runs.HOST_PID}/ns/net", long(text), field))
        for field, text in [
            (path.RULES, (RULE * 20)[:999] + "\n"),
            (path.RULES, ("-t nat " + "--dport 1 " * 99)[:999] + "\n"),
            (path.LINKS, "1: "),
            (path.LINKS, "1: a a 02:42:0a:00:01:02 10.0.0.1/1"),
        ]
    ],
)  # fmt: skip
def test_pictures(draw: Any, file: runs.Event) -> None:
    experiment = runs.experiment(
        runs.trial("as-is", "held", runs.host(), runs.container(), file,
                   runs.file(f"/proc/{PID}/ns/net", "2: eth0@if7 veth 02:42:0a:00:01:02 10.0.0.1/24",
                             path.LINKS))
    )  # fmt: skip

    draw.of_experiment(experiment)


def test_many_processes_in_namespaces() -> None:
    files = [runs.file(f"/proc/{pid}/ns/net", f"net:[{pid}]") for pid in range(2, 4_000)]
    (picture,) = namespace.of_experiment(
        runs.experiment(runs.trial("as-is", "held", *files, files[0] | {"path": "/proc/1/ns/net"}))
    )

    assert len(picture.description) < 10_000
    assert len(picture.rows[0]) == 4_000


@pytest.mark.parametrize("unit", ["a", "\N{GRINNING FACE}", " a", "/", "{'a': ", "\udcff"])
def test_cards(unit: str) -> None:
    trials = [
        runs.trial(name, outcome, runs.container(long(f"{unit} ")),
                   runs.fact(long(unit), held=outcome == "held"), reason=long(unit))
        for name, outcome in (("as-is", "held"), ("without-it", "fell"))
    ]  # fmt: skip
    run = runs.run(runs.experiment(*trials, claim=long(unit), kernel=long(unit)))

    assert "…" in cards.svg(run, "something-holds")


def test_many_facts_are_compared() -> None:
    facts = [runs.fact(f"{line} == 1", line=line) for line in range(4_000)]
    one, other = (
        runs.run(runs.experiment(runs.trial("as-is", "held", runs.container(), *each)))
        for each in (facts, facts[1:])
    )

    assert page(Comparison(one, other), {})


def test_two_long_runs_are_compared() -> None:
    a, b = (
        runs.run(
            runs.experiment(runs.trial("as-is", "fell", *map(runs.fact, values), reason=values[0]))
        )
        for values in ([long("{/proc/2, ")], [long("{/proc/3, ")])
    )

    assert page(Comparison(a, b), {})
