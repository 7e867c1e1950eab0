"""A run is read back from its events, however it ended."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fixtures.events import SCHEMA, Run, UnreadableRun

from .streams import MadeUpRun, observed, proven

RUN = (
    '{"event": "run", "at": 0, "schema": 1, "id": "made-up", "started": "2026-11-22T17:20:44Z", '
    '"command": ["pytest"], "commit": null, "whole": false}\n'
)
WANTED = "expected events.jsonl of a run of the labs, or a folder that has one, such as reports/"
DAMAGED = ". If the file was damaged, copy it again; `head -n {}` keeps what stands before"


def test_a_run_reads_back_as_it_was_written(tmp_path: Path) -> None:
    run = Run.read(proven(tmp_path))

    (experiment,) = run.experiments.values()
    assert run.header["id"] == "made-up"
    assert run.bench["kernel"] == "6.1"
    assert (experiment.id, experiment.claim) == ("something-holds", "Something holds.")
    assert (experiment.verdict, experiment.reason) == ("proven", "")
    assert [(each.name, each.outcome, each.seconds) for each in experiment.trials.values()] == [
        ("as-is", "held", 0.5),
        ("without-it", "fell", 0.5),
    ]
    assert [fact["text"] for fact in experiment.trials["as-is"].of("fact")] == ["True"]
    assert (run.verdicts, run.answered, run.prose_only) == ({"proven": 1}, {"made-1"}, {"made-2"})
    assert run.finish is not None
    assert run.finish["exit_status"] == 0


def test_a_run_is_found_in_its_folder(tmp_path: Path) -> None:
    folder = proven(tmp_path).parent

    assert Run.read(folder).header == Run.read(folder / "events.jsonl").header


def test_an_event_is_on_disk_as_soon_as_it_is_written(tmp_path: Path) -> None:
    stream = MadeUpRun(tmp_path)
    stream.begin()

    assert Run.read(tmp_path).header["id"] == "made-up"
    stream.close()


def test_any_text_survives(tmp_path: Path) -> None:
    text = "\x00\x0b\x1c\x85\u2028\udcff</script>\r\n…"
    stream = MadeUpRun(tmp_path)
    stream.begin()
    stream.start("as-is")
    stream.write("file", path=Path("/proc/42"), field=None, value=text)
    stream.close()

    (file,) = Run.read(tmp_path).experiments["something-holds"].trials["as-is"].of("file")
    assert (file["path"], file["value"]) == ("/proc/42", text)


def test_a_killed_run_has_no_finish_and_an_interrupted_trial(tmp_path: Path) -> None:
    stream = MadeUpRun(tmp_path)
    stream.begin()
    stream.trial("as-is", "held")
    stream.start("without-it")
    stream.write("fact", source="it", text="True", line=1, held=True)
    stream.close()

    run = Run.read(tmp_path)

    experiment = run.experiments["something-holds"]
    assert run.finish is None
    assert experiment.trials["without-it"].outcome == "interrupted"
    assert len(experiment.trials["without-it"].of("fact")) == 1
    assert experiment.verdict == "unproven"


def test_a_run_that_was_killed_at_once_has_no_bench(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(RUN)

    run = Run.read(tmp_path)

    assert (run.bench, run.experiments, run.finish) == ({}, {}, None)


def test_a_last_line_may_be_cut_off_anywhere(tmp_path: Path) -> None:
    file = proven(tmp_path)
    whole = file.read_bytes()
    last_line = whole.rindex(b"\n", 0, -1) + 1

    for end in range(last_line, len(whole) - 2):
        file.write_bytes(whole[:end])
        assert Run.read(file).finish is None


def test_a_last_line_of_zeros_is_left_out(tmp_path: Path) -> None:
    """That is how a file may end when the power fails."""
    file = proven(tmp_path)
    file.write_bytes(file.read_bytes() + b"\0" * 100)

    assert Run.read(file).finish is not None


NO_RUN = f"does not begin with a run event: no run of the labs; {WANTED}"
START = '{"event": "start", "at": 1, "trial": "as-is", "experiment": "something-holds"}\n'
FOREIGN = {
    "an empty file": ("", NO_RUN),
    "no JSON": ("Hello\n", NO_RUN),
    "a page": ("<!DOCTYPE html>\n<html>\n", NO_RUN),
    "JSON that is no event": ('{"name": "made-up"}\n', NO_RUN),
    "a JSON list": ("[1, 2]\n", NO_RUN),
    "JSON that is nested without end": ("[" * 100_000, NO_RUN),
    "a number without end": ("1" * 100_000, NO_RUN),
    "an event whose type is a list": ('{"event": [1], "at": 0}\n', NO_RUN),
    "another stream": ('{"event": "push", "at": 0}\n', NO_RUN),
    "another run": ('{"event": "run", "at": 0}\n', NO_RUN),
    "another schema's numbering": ('{"event": "run", "at": 0, "schema": "1.0"}\n', NO_RUN),
    "a run without a name": (
        '{"event": "run", "at": 0, "schema": 1}\n',
        f"line 1: `run.id` is missing; {WANTED}",
    ),
    "a bad line in the middle": (
        f"{RUN}Hello\n{RUN}",
        f"line 2: not an event of a run{DAMAGED.format(1)}",
    ),
    "two runs in one file": (RUN + RUN, f"line 2: another run begins{DAMAGED.format(1)}"),
    "an event that lacks something": (
        f'{RUN}{{"event": "start", "at": 1, "experiment": "x"}}\n',
        f"line 2: `start.trial` is missing{DAMAGED.format(1)}",
    ),
    "a trial of nothing": (
        RUN + START,
        "line 2: a trial of something-holds, which the run has no experiment for"
        + DAMAGED.format(1),
    ),
}


@pytest.mark.parametrize("kind", FOREIGN)
def test_what_is_no_run_of_ours_is_refused(tmp_path: Path, kind: str) -> None:
    content, message = FOREIGN[kind]
    file = tmp_path / "events.jsonl"
    file.write_text(content)

    with pytest.raises(UnreadableRun) as caught:
        Run.read(file)

    assert str(caught.value).removeprefix(f"{file}").lstrip(", ") == message


def test_an_experiment_stands_in_a_run_once(tmp_path: Path) -> None:
    stream = MadeUpRun(tmp_path)
    stream.begin()
    stream.experiment()
    stream.close()

    with pytest.raises(UnreadableRun, match="line 6: the experiment something-holds for the sec"):
        Run.read(tmp_path)


def test_a_trial_begins_once(tmp_path: Path) -> None:
    stream = MadeUpRun(tmp_path)
    stream.begin()
    stream.trial("as-is", "held")
    stream.start("as-is")
    stream.close()

    with pytest.raises(UnreadableRun, match="the trial as-is of something-holds for the second"):
        Run.read(tmp_path)


def test_a_trial_ends_after_it_began(tmp_path: Path) -> None:
    stream = MadeUpRun(tmp_path)
    stream.begin()
    stream.end("as-is", "held")
    stream.close()

    with pytest.raises(UnreadableRun, match="the end of a trial that did not begin: as-is"):
        Run.read(tmp_path)


def test_only_what_was_observed_in_a_trial_is_its_evidence(tmp_path: Path) -> None:
    stream = MadeUpRun(tmp_path)
    stream.begin()
    stream.observe()
    stream.trial("as-is", "held")
    stream.observe()
    stream.close()

    trial = Run.read(tmp_path).experiments["something-holds"].trials["as-is"]
    assert [event["event"] for event in trial.events] == ["fact"]


MISFITS: list[tuple[str, dict[str, Any], str]] = [
    ("fact", {"held": "yes"}, "`fact.held` is not true or false"),
    ("fact", {"source": None}, "`fact.source` is not text"),
    ("fact", {"line": True}, "`fact.line` is not a whole number"),
    ("fact", {"line": 2**64}, "`fact.line` is not a whole number"),
    ("fact", {"line": 10**1000}, "`fact.line` is not a whole number"),
    ("fact", {"at": "now"}, "`fact.at` is not a number"),
    ("end", {"seconds": float("nan")}, "`end.seconds` is not a number"),
    ("end", {"seconds": float("inf")}, "`end.seconds` is not a number"),
    ("end", {"outcome": "good"}, "`end.outcome` is none of broken, fell, held, interrupted, not"),
    ("end", {"outcome": ["held"]}, "`end.outcome` is none of broken, fell"),
    ("command", {"argv": "cat /x"}, "`command.argv` is not a list"),
    ("command", {"argv": ["cat", 7]}, "`command.argv[1]` is not text"),
    ("container", {"ancestors": [{"pid": 1}]}, "`container.ancestors[0].name` is missing"),
    ("container", {"id": ""}, "`container.id` is not a text, or empty"),
    ("container", {"name": ""}, "`container.name` is not a text, or empty"),
    ("experiment", {"helper": {}}, "`experiment.helper.path` is missing"),
    ("experiment", {"controls": 3}, "`experiment.controls` is not a list"),
    ("experiment", {"controls": [3]}, "`experiment.controls[0]` is not an object"),
    ("bench", {"engine": []}, "`bench.engine` is not an object"),
    ("bench", {"not_observable": {"swap": None}}, "`bench.not_observable.swap` is not an object"),
]


@pytest.mark.parametrize(("kind", "change", "message"), MISFITS)
def test_an_event_that_breaks_the_schema_is_refused_with_its_place(
    tmp_path: Path, kind: str, change: dict[str, Any], message: str
) -> None:
    events = events_of(observed(tmp_path))
    place = next(number for number, event in enumerate(events) if event["event"] == kind)
    events[place] |= change

    with pytest.raises(UnreadableRun) as caught:
        Run.read(written(tmp_path, events))

    assert str(caught.value).startswith(f"{tmp_path}/events.jsonl, line {place + 1}: {message}")


@pytest.mark.parametrize(
    ("kind", "name"),
    [("container", "ancestors"), ("file", "name"), ("question", "correction")],
)
def test_a_reader_does_without_what_older_runs_lack(tmp_path: Path, kind: str, name: str) -> None:
    events = events_of(observed(tmp_path))
    for event in events:
        if event["event"] == kind:
            event.pop(name, None)

    assert Run.read(written(tmp_path, events)).verdicts == {"proven": 1}


def test_a_reader_passes_over_fields_that_it_does_not_know(tmp_path: Path) -> None:
    events = [event | {"colour": ["blue"]} for event in events_of(observed(tmp_path))]

    assert Run.read(written(tmp_path, events)).verdicts == {"proven": 1}


def events_of(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def written(folder: Path, events: list[dict[str, Any]]) -> Path:
    file = folder / "events.jsonl"
    file.write_text("".join(f"{json.dumps(event)}\n" for event in events))
    return file


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\xff\xfe")

    with pytest.raises(UnreadableRun) as caught:
        Run.read(file)

    assert str(caught.value) == f"{file} can not be read: it is no text; {WANTED}"


def test_a_folder_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableRun) as caught:
        Run.read(tmp_path)

    assert str(caught.value) == (
        f"{tmp_path}/events.jsonl can not be read: No such file or directory; {WANTED}"
    )


def test_a_line_may_hold_other_separators_of_lines(tmp_path: Path) -> None:
    file = proven(tmp_path)
    file.write_text(file.read_text().replace("Something holds.", "Some\u2028thing\x85 holds."))

    assert Run.read(file).experiments["something-holds"].claim == "Some\u2028thing\x85 holds."


def test_lines_may_end_as_on_another_system(tmp_path: Path) -> None:
    file = proven(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r\n"))

    assert Run.read(file).verdicts == {"proven": 1}


def test_a_newer_schema_is_refused_with_what_to_do(tmp_path: Path) -> None:
    file = proven(tmp_path, schema=SCHEMA + 1)

    with pytest.raises(UnreadableRun) as caught:
        Run.read(file)

    assert str(caught.value) == (
        f"{file} has schema {SCHEMA + 1}, this version reads up to {SCHEMA}: "
        "use the version that made it, or a newer one"
    )


def test_events_of_a_kind_that_is_not_known_are_kept(tmp_path: Path) -> None:
    stream = MadeUpRun(tmp_path)
    stream.begin()
    stream.start("as-is")
    stream.write("smell", of="smoke")
    stream.close()

    trial = Run.read(tmp_path).experiments["something-holds"].trials["as-is"]
    assert [event["of"] for event in trial.of("smell")] == ["smoke"]


def test_the_reason_is_that_of_the_trial_that_decided(tmp_path: Path) -> None:
    stream = MadeUpRun(tmp_path)
    stream.begin()
    stream.trial("as-is", "not observable", "no such file")
    stream.trial("without-it", "broken", "no such container")
    stream.close()

    experiment = Run.read(tmp_path).experiments["something-holds"]
    assert (experiment.verdict, experiment.reason) == ("broken", "no such container")


def test_every_event_has_its_type_and_its_time(tmp_path: Path) -> None:
    events = [json.loads(line) for line in proven(tmp_path).read_text().splitlines()]

    assert [event["event"] for event in events] == [
        "run", "bench", "question", "question", "experiment",
        "start", "fact", "end", "start", "fact", "end", "finish",
    ]  # fmt: skip
    assert [event["at"] for event in events] == sorted(event["at"] for event in events)
