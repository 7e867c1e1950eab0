"""Run chosen experiments many times, half of them with the other core busy: `make soak K=oom`.

A flaky experiment is a bug to be understood: no run is repeated, and every failure is shown.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fixtures.events import Run
from fixtures.events.verdict import NOT_OBSERVABLE_HERE, PROVEN

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Print runs and failures; exit with 1 when there was a failure."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("expression", help="chooses experiments, as pytest -k does")
    parser.add_argument("--runs", type=int, default=20)
    arguments = parser.parse_args()
    failures: Counter[str] = Counter()
    verdicts: Counter[str] = Counter()
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
        how = "other core busy" if busy else "idle"
        seconds = run.finish["seconds"] if run.finish else 0
        print(f"run {number:2} ({how}): {seconds:.1f} s, {dict(run.verdicts)}", flush=True)
        for line in sorted(bad):
            print(f"    {line}", flush=True)
    print(f"{arguments.runs} runs, {sum(failures.values())} failures; verdicts: {dict(verdicts)}")
    return 1 if failures else 0


def _run(expression: str) -> Run | None:
    """One run of the chosen experiments; None when nothing was run."""
    with tempfile.TemporaryFile("w+") as output:
        pytest = subprocess.Popen(
            [sys.executable, "-m", "pytest", "labs/", "-q", "-k", expression],
            cwd=ROOT, stdout=output, stderr=output,
        )  # fmt: skip
        pytest.wait()
        # Others may be running the labs, too.
        made = list((ROOT / "reports/runs").glob(f"*-{pytest.pid}"))
        if not made:
            output.seek(0)
            print(output.read(), file=sys.stderr)
            return None
    return Run.read(made[0])


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
