"""Whatever stands in a file of events or in the catalogue: all the pages, or one message.

What hypothesis makes up is the same in every run of these tests.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as some

from fixtures.events import Run, UnreadableRun
from fixtures.events.schema import EVENTS
from fixtures.lab import catalogue
from fixtures.report.comparison import Comparison, page
from fixtures.report.comparison_lines import ComparisonLines
from fixtures.report.engines import Engines, lines
from fixtures.report.engines import page as engines_page
from fixtures.report.line import one_line
from fixtures.report.rendering import render

from ..events.streams import observed
from ..project import OURS

Event = dict[str, Any]

OBSERVED = ("container", "process", "signal", "timeline", "capture", "command", "build", "file", "api",
            "doing", "fact")  # fmt: skip
the_same_each_time = settings(
    derandomize=True, max_examples=12, deadline=None, database=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@cache
def sample() -> list[list[Event]]:
    """Of each experiment of the sample, what was declared and what its trials observed."""
    text = (OURS / "reports/sample/events.jsonl").read_text()
    events = [json.loads(line) for line in text.splitlines()]
    head = [event for event in events if event["event"] in ("run", "bench")]
    of: dict[str, list[Event]] = {}
    current = ""
    for event in events:
        match event["event"]:
            case "experiment":
                of[event["id"]] = [*head, event]
            case "start":
                current = event["experiment"]
        if current:
            of[current].append(event)
    return list(of.values())


HOSTILE = [
    "", " ", "\n", "\0", "\x1b[2J", "\u202e", "\ud800", "\ufffe", "</script><script>alert(1)</script>",
    "]]>", "<!--", "{{ 7 * 7 }}", "../../outside", "/", "-", "%s", "{}", "$(id)", "`id`", "'", '"', "\\",
    "a" * 5_000, "a-" * 2_000, "/" * 3_000, "1" * 5_000, "/proc/1/ns/net", "/proc/99999999999/status",
    "net:[1]", "docker run", "docker run --detach", "137", "max", "-1", "0x", "1e999", "{'a': 1} == {'a': 2}",
    "(1, 2) == (1, 3)", "[" * 200, "as-is", "sha256:", "sleep infinity", "python3 by_hand.py",
    "runc run config.json:", "É\u0301😀", "\N{ARABIC LETTER ALEF}", "isolation-labs-network-1-2",
]  # fmt: skip
texts = some.sampled_from(HOSTILE) | some.text(max_size=12)
numbers = some.sampled_from(
    [0, 1, -1, 2**31, 2**63, 2**64 - 1, -(2**64) + 1, 10**400, 1e300, -0.0, 5e-324,
     float("nan"), float("inf"), True]
) | some.integers(-5, 70_000)  # fmt: skip
anything = some.recursive(
    texts | numbers | some.none() | some.booleans(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)


def fitting(shape: Any) -> some.SearchStrategy[Any]:
    """Values that fit a shape of the schema."""
    match shape:
        case "id":
            return texts.filter(bool)
        case set():
            return some.sampled_from(sorted(shape))
        case (None, each):
            return some.none() | fitting(each)
        case [each]:
            return some.lists(fitting(each), max_size=4)
        case UnionType():
            return some.one_of(*map(fitting, get_args(shape)))
        case dict() if str in shape:
            return some.dictionaries(texts, fitting(shape[str]), max_size=3)
        case dict():
            return some.fixed_dictionaries(
                {key: fitting(each) for key, each in shape.items() if not key.endswith("?")},
                optional={
                    key[:-1]: fitting(each) for key, each in shape.items() if key.endswith("?")
                },
            )
    if shape is str:
        return texts
    if shape is bool:
        return some.booleans()
    if shape is int:
        return numbers.filter(lambda each: type(each) is int and abs(each) < 2**64)
    if shape is float:
        return some.floats(-1e6, 1e6)
    if shape is type(None):
        return some.none()
    if shape is dict:
        return some.dictionaries(texts, anything, max_size=3)
    return anything


@cache
def events(kinds: tuple[str, ...]) -> some.SearchStrategy[Event]:
    return some.one_of(
        fitting(EVENTS[kind] | {"at": float}).map(lambda event, kind=kind: {"event": kind} | event)
        for kind in kinds
    )


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each (list or object, key of a value in it) in an event."""
    for key, part in list(value.items() if isinstance(value, dict) else enumerate(value)):
        yield value, key
        if isinstance(part, (dict, list)):
            yield from places(part)


def is_shown_or_refused(content: bytes) -> bool:
    """Whether pages were made; where not, there was one message, and nothing was written at all."""
    with tempfile.TemporaryDirectory() as name:
        above = Path(name)
        folder = above / "one" / "two"
        folder.mkdir(parents=True)
        (folder / "events.jsonl").write_bytes(content)
        run, said = None, ""
        try:
            run = Run.read(folder)
        except UnreadableRun as error:
            said = str(error)
        if run is None:
            assert one_line(said)
            assert os.listdir(folder) == ["events.jsonl"]
            return False
        render(run, folder)
        (above / "other").mkdir()
        other = Run.read(observed(above / "other"))
        for one, another in ((run, other), (other, run), (run, Run.read(folder))):
            comparison = Comparison(one, another)
            # No assert: pytest would write down what it is of.
            page(comparison, {})
            list(ComparisonLines(comparison, 80, colour=True))
        engines_page(Engines([run, other]), {})
        list(lines(Engines([run, other])))
        assert sorted(os.listdir(above)) == ["one", "other"]
        assert os.listdir(above / "one") == ["two"]
        assert {*os.listdir(folder)} <= {
            "events.jsonl", "evidence.html", "slides.html", "cards", "outputs",
        }  # fmt: skip
        return True


def written(events: list[Event]) -> bytes:
    return "".join(f"{json.dumps(event)}\n" for event in events).encode()


def of_sample(data: some.DataObject) -> list[Event]:
    """The events of an experiment of the sample, to be changed."""
    number = data.draw(some.integers(0, len(sample()) - 1))
    chosen: list[Event] = json.loads(json.dumps(sample()[number]))
    return chosen


def test_an_experiment_of_the_sample_is_shown() -> None:
    content = written(sample()[0])
    assert is_shown_or_refused(content)


@the_same_each_time
@given(some.data())
def test_values_that_are_replaced(data: some.DataObject) -> None:
    events = of_sample(data)
    every = [place for event in events for place in places(event)]
    for _ in range(data.draw(some.integers(1, 4))):
        around, key = every[data.draw(some.integers(0, len(every) - 1))]
        match around[key]:
            case str():
                around[key] = data.draw(texts)
            case int() | float():
                around[key] = data.draw(numbers)
            case list():
                around[key].append(data.draw(anything))
            case dict():
                around[key][data.draw(texts)] = data.draw(anything)
    is_shown_or_refused(written(events))


@the_same_each_time
@given(some.data())
def test_values_of_another_type(data: some.DataObject) -> None:
    events = of_sample(data)
    every = [place for event in events for place in places(event)]
    around, key = every[data.draw(some.integers(0, len(every) - 1))]
    around[key] = data.draw(anything)
    is_shown_or_refused(written(events))


@the_same_each_time
@given(some.data())
def test_events_that_fit_the_schema(data: some.DataObject) -> None:
    chosen = of_sample(data)
    for _ in range(data.draw(some.integers(1, 6))):
        place = data.draw(some.integers(2, len(chosen)))
        chosen.insert(place, data.draw(events(OBSERVED)))
    content = written(chosen)
    assert is_shown_or_refused(content)


@the_same_each_time
@given(some.data())
def test_experiments_and_benches_that_fit_the_schema(data: some.DataObject) -> None:
    chosen = of_sample(data)
    chosen[1] = data.draw(events(("bench",)))
    made = data.draw(events(("experiment",)))
    trials = ["as-is", *(control["trial"] for control in made["controls"])]
    question, finish = data.draw(events(("question",))), data.draw(events(("finish",)))
    chosen += [question, made | {"answers": [*made["answers"], question["id"]]}]
    for trial in dict.fromkeys(trials):
        chosen.append({"event": "start", "at": 1, "experiment": made["id"], "trial": trial})
        chosen += data.draw(some.lists(events(OBSERVED), max_size=3))
        end = data.draw(events(("end",)))
        chosen.append(end | {"experiment": made["id"], "trial": trial})
    content = written([*chosen, finish])
    assert is_shown_or_refused(content)


@the_same_each_time
@given(some.data())
def test_events_that_come_twice_or_not_at_all_or_in_another_order(data: some.DataObject) -> None:
    chosen = of_sample(data)
    numbers = some.integers(0, len(chosen) - 1)
    order = data.draw(some.lists(numbers, min_size=1, max_size=6))
    for number in order:
        match data.draw(some.sampled_from(["twice", "gone", "moved"])):
            case "twice":
                chosen.insert(data.draw(numbers), chosen[number % len(chosen)])
            case "gone" if len(chosen) > 1:
                del chosen[number % len(chosen)]
            case _:
                chosen.insert(data.draw(numbers), chosen.pop(number % len(chosen)))
    is_shown_or_refused(written(chosen))


@the_same_each_time
@given(some.data())
def test_bytes_that_are_damaged(data: some.DataObject) -> None:
    content = bytearray(written(of_sample(data)))
    for _ in range(data.draw(some.integers(1, 4))):
        at = data.draw(some.integers(0, len(content)))
        end = at + data.draw(some.integers(0, 20))
        content[at:end] = data.draw(
            some.binary(max_size=8)
            | some.sampled_from(
                [b"\n", b"{", b"}", b'"', b"\\ud800", b"NaN", b"1e999", b"-Infinity", b"\xef\xbb\xbf",
                 b"[" * 2_000, b"1" * 5_000, b'"event": "fact", ']
            )
        )  # fmt: skip
    is_shown_or_refused(bytes(content))


TABLE = {
    "id": "one-1", "kind": "question", "quote": "q", "standing": "holds", "answer": "a",
    "sources": ["s"],
}  # fmt: skip


def toml(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case dict():
            return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
        case list():
            return f"[{', '.join(map(toml, value))}]"
        case str():
            return json.dumps(value)
    return str(value)


@the_same_each_time
@given(some.data())
def test_the_catalogue(data: some.DataObject) -> None:
    """All the questions, or one message that names the file."""
    tables = [
        ("text", {"id": "one", "title": "One"}),
        *(("question", TABLE | {"id": f"one-{number}"}) for number in range(3)),
    ]
    number = data.draw(some.integers(0, 3))
    name, table = tables[number]
    key = data.draw(some.sampled_from([*table, "correction", "event", "at"]))
    tables[number] = (
        data.draw(some.sampled_from([name, "other"])),
        table | {key: data.draw(anything)},
    )
    if data.draw(some.booleans()):
        tables.append(tables[data.draw(some.integers(0, 3))])
    content = "".join(
        f"[[{name}]]\n" + "".join(f"{json.dumps(k)} = {toml(v)}\n" for k, v in table.items())
        for name, table in tables
    ).encode(errors="surrogatepass")
    at = data.draw(some.integers(0, len(content)))
    content = content[:at] + data.draw(some.binary(max_size=3)) + content[at:]
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "labs" / "questions.toml"
        file.parent.mkdir()
        file.write_bytes(content)
        questions, said = {}, ""
        try:
            questions = catalogue.load(Path(name))
        except pytest.UsageError as error:
            said = str(error)
        assert questions or said.startswith((f"{file} ", f"{file}: "))
        for question in questions.values():
            list(catalogue.lines(question, ["evidence"], 80))
