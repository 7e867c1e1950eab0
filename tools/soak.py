"""Run chosen experiments many times, half of them with the other core busy: `make soak K=oom`.

A flaky experiment is a bug to be understood: no run is repeated, and every failure is shown. Where
it is ended early, by Ctrl-C or a signal, it says what the runs that were done have shown.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from fixtures.events import Run
from fixtures.events.verdict import NOT_OBSERVABLE_HERE, PROVEN
from fixtures.lab.spelling import meant

ROOT = Path(__file__).parents[1]
NOTHING_CHOSEN = 5
"""how pytest ends where no test was chosen"""
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Ended(BaseException):
    """Somebody has ended it, with a signal."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.status = 128 + number


def main() -> int:
    """Print runs and failures; returns 1 when there was a failure, 128 + the signal that ended it."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("expression", help="chooses experiments, as pytest -k does")
    parser.add_argument("--runs", type=int, default=20)
    arguments = parser.parse_args()
    for each in ENDINGS:
        signal.signal(each, _end)
    failures: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
    done = 0
    status = 0
    try:
        for number in range(1, arguments.runs + 1):
            busy = number > arguments.runs // 2
            with _other_core_busy() if busy else _idle():
                run = _run(arguments.expression)
            if run is None:
                return 1
            bad = {
                f"{each.id}: {each.verdict}: {each.reason}"
                for each in run.experiments.values()
                if each.verdict not in (PROVEN, NOT_OBSERVABLE_HERE)
            }
            failures.update(bad)
            verdicts.update(run.verdicts)
            done = number
            how = "other core busy" if busy else "idle"
            seconds = run.finish["seconds"] if run.finish else 0
            print(f"run {number:2} ({how}): {seconds:.1f} s, {dict(run.verdicts)}", flush=True)
            for line in sorted(bad):
                print(f"    {line}", flush=True)
    except Ended as ended:
        print(f"ended by {ended} after {done} of {arguments.runs} runs")
        status = ended.status
    print(f"{done} runs, {sum(failures.values())} failures; verdicts: {dict(verdicts)}")
    return status or (1 if failures else 0)


def _end(number: int, frame: FrameType | None) -> None:
    """One signal is enough: what comes after it does not break off the cleaning up."""
    for each in ENDINGS:
        signal.signal(each, signal.SIG_IGN)
    raise Ended(number)


def _run(expression: str) -> Run | None:
    """One run of the chosen experiments; None when nothing was run."""
    with tempfile.TemporaryFile("w+") as output:
        pytest = subprocess.Popen(
            [sys.executable, "-m", "pytest", "labs/", "-q", "-k", expression],
            cwd=ROOT, stdout=output, stderr=output,
        )  # fmt: skip
        try:
            pytest.wait()
        except Ended:
            pytest.terminate()  # it removes what it has made
            pytest.wait()
            raise
        # Others may be running the labs, too.
        made = list((ROOT / "reports/runs").glob(f"*-{pytest.pid}"))
        if not made:
            output.seek(0)
            nothing = pytest.returncode == NOTHING_CHOSEN
            print(_no_such(expression) if nothing else output.read(), file=sys.stderr)
            return None
    return Run.read(made[0])


def _no_such(expression: str) -> str:
    """That nothing was chosen; where it is one word, with the nearest part of a name that there is."""
    parts: set[str] = set()
    if not expression.isidentifier():
        return f"soak: no experiment is called so: {expression!r}"
    for chapter in (ROOT / "labs").glob("test_*.py"):
        for name in re.findall(
            r"^def test_(\w+)", chapter.read_text(encoding="utf-8"), re.MULTILINE
        ):
            words = name.split("_")
            for first, last in itertools.combinations(range(len(words) + 1), 2):
                parts.add("_".join(words[first:last]))
    return f"soak: no experiment is called so: {expression!r}{meant(expression, sorted(parts))}"


@contextmanager
def _other_core_busy() -> Iterator[None]:
    """Keep the last CPU of this machine busy, at ordinary priority."""
    last = max(os.sched_getaffinity(0))
    spinner = subprocess.Popen(
        ["taskset", "--cpu-list", str(last), sys.executable, "-c", "while True: pass"]
    )
    try:
        yield
    finally:
        spinner.kill()
        spinner.wait()


@contextmanager
def _idle() -> Iterator[None]:
    yield


if __name__ == "__main__":
    sys.exit(main())
