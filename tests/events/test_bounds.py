"""Whatever is taken for a run, it is read in bounded memory and time, and refused in one sentence."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.events import Run, UnreadableRun, run

from ..project import OURS
from .streams import observed, proven

WANTED = "expected events.jsonl of a run of the labs, or a folder that has one, such as reports/"
NO_RUN = f"does not begin with a run event: no run of the labs; {WANTED}"
TOO_LARGE = f"can not be read: it has more than 32 MiB, and all the labs leave 3; {WANTED}"
DAMAGED = "If the file was damaged, copy it again; `head -n {}` keeps what stands before"
MEMORY = 768 * 2**20
SECONDS = 60
"""on a busy machine; it takes 5 at most"""


def zeros(folder: Path) -> str:
    (folder / "events.jsonl").symlink_to("/dev/zero")
    return f"can not be read: it is no regular file; {WANTED}"


def pipe(folder: Path) -> str:
    os.mkfifo(folder / "events.jsonl")
    return f"can not be read: it is no regular file; {WANTED}"


def one_line_of_2_gib(folder: Path) -> str:
    with (folder / "events.jsonl").open("wb") as file:
        file.truncate(2 * 2**30)
    return TOO_LARGE


def one_line_of_32_mib(folder: Path) -> str:
    with (folder / "events.jsonl").open("wb") as file:
        file.truncate(32 * 2**20)
    return NO_RUN


def run_whose_last_line_has_31_mib(folder: Path) -> str:
    with proven(folder).open("ab") as file:
        file.truncate(32 * 2**20)
    return f"line 13: not an event of a run. {DAMAGED.format(12)}"


def ten_million_lines(folder: Path) -> str:
    with (folder / "events.jsonl").open("wb") as file:
        file.writelines([b"{}\n" * 10_000] * 1_000)
    return NO_RUN


def run_of_ten_million_lines(folder: Path) -> str:
    with proven(folder).open("ab") as file:
        file.writelines([b'{"event": "x", "at": 1}\n' * 10_000] * 1_000)
    return TOO_LARGE


@pytest.mark.parametrize(
    "kind",
    [zeros, pipe, one_line_of_2_gib, one_line_of_32_mib, run_whose_last_line_has_31_mib,
     ten_million_lines, run_of_ten_million_lines],
)  # fmt: skip
def test_what_has_no_end_is_refused(tmp_path: Path, kind: Any) -> None:
    said = kind(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "fixtures.report", "render", tmp_path],
        cwd=OURS, capture_output=True, text=True, check=False, timeout=SECONDS,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY)),
    )  # fmt: skip

    assert done.stderr.splitlines() == [
        f"{tmp_path}/events.jsonl{',' * said.startswith('line')} {said}"
    ]
    assert (done.returncode, done.stdout) == (2, "")
    assert os.listdir(tmp_path) == ["events.jsonl"]


def test_a_file_that_grows_meanwhile_is_read_no_further(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = proven(tmp_path)
    size = file.stat().st_size
    monkeypatch.setattr(run, "LARGEST", size)
    assert Run.read(file).verdicts == {"proven": 1}

    add = Run._add

    def grows(*arguments: Any) -> Any:
        with file.open("a") as stream:
            stream.write('{"event": "x", "at": 1}\n')
        return add(*arguments)

    monkeypatch.setattr(Run, "_add", grows)
    with pytest.raises(UnreadableRun, match="it has more than 0 MiB"):
        Run.read(file)


@pytest.mark.parametrize(
    ("name", "most", "said"),
    [
        ("MOST_QUESTIONS", 1, "line 4: more than 1 questions"),
        ("MOST_EXPERIMENTS", 0, "line 5: more than 0 experiments"),
        ("MOST_OBSERVED", 3, "line 10: more than 3 events of one trial"),
        ("MOST_STARTED", 1, "line 9: more than 1 containers and processes of one trial"),
    ],
)
def test_a_run_of_more_than_anybody_has_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, most: int, said: str
) -> None:
    monkeypatch.setattr(run, name, most)

    with pytest.raises(UnreadableRun, match=said):
        Run.read(observed(tmp_path))


def nested(depth: int) -> Any:
    inner: Any = 1
    for _ in range(depth):
        inner = [inner]
    return inner


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("x" * (2**20 + 1), "a text of more than 1 MiB"),
        ({"x" * (2**20 + 1): 1}, "a text of more than 1 MiB"),
        ([0] * 20_000, "more than 20,000 names and values"),
        (dict.fromkeys(map(str, range(10_000)), 0), "more than 20,000 names and values"),
        (nested(16), "lists or objects more than 16 deep"),
        (nested(500), "lists or objects more than 16 deep"),
    ],
)
@pytest.mark.parametrize("name", ["given", "of_a_newer_version"])
def test_an_event_of_more_than_anybody_has_is_refused(
    tmp_path: Path, name: str, value: Any, said: str
) -> None:
    file = proven(tmp_path)
    events = [json.loads(line) for line in file.read_text().splitlines()]
    events[4][name] = {"x": value}
    file.write_text("".join(f"{json.dumps(event)}\n" for event in events))

    with pytest.raises(UnreadableRun) as caught:
        Run.read(file)

    assert str(caught.value) == f"{file}, line 5: {said}. {DAMAGED.format(4)}"


def test_as_much_as_may_be_is_read(tmp_path: Path) -> None:
    file = proven(tmp_path)
    events = [json.loads(line) for line in file.read_text().splitlines()]
    events[4]["given"] = {"text": "x" * 2**20, "list": [0] * 19_000, "deep": nested(12)}
    file.write_text("".join(f"{json.dumps(event)}\n" for event in events))

    assert Run.read(file).verdicts == {"proven": 1}
