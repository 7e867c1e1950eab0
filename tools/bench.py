"""What the suite itself costs, from one run: `make bench`, with arguments of pytest in ARGS.

Prints the CPU time of the pytest process as a share of the run's time, the containers that were
started per trial, and the time of a container's life through the suite against the same life by
plain calls of the SDK.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from fixtures.engine import Engine, Owner
from fixtures.engine.options import DEFAULTS
from fixtures.engine.ownership import LABEL
from fixtures.engine.reaper import Reaper
from fixtures.events import Run

ROOT = Path(__file__).parents[1]
LIVES = 20


def main() -> int:
    """Run the labs, then time lives of containers; exit with the labs' exit code."""
    before = set((ROOT / "reports/runs").glob("*"))
    labs = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *sys.argv[1:]], cwd=ROOT, check=False
    )
    made = sorted(set((ROOT / "reports/runs").glob("*")) - before)
    if not made:
        print("bench: the labs left no run to measure", file=sys.stderr)
        return labs.returncode or 1
    _share(made[-1])
    _lives()
    return labs.returncode


def _share(folder: Path) -> None:
    run = Run.read(folder)
    if run.finish is None:
        print(f"bench: {folder} was not finished", file=sys.stderr)
        return
    cpu = run.finish["cpu_user"] + run.finish["cpu_system"]
    wall = run.finish["seconds"]
    trials = [trial for each in run.experiments.values() for trial in each.trials.values()]
    used = [event["id"] for trial in trials for event in trial.of("container")]
    print(f"run: {wall:.1f} s, {len(run.experiments)} experiments, {len(trials)} trials")
    print(
        f"the suite's own CPU time: {cpu:.2f} s (user {run.finish['cpu_user']:.2f}, system "
        f"{run.finish['cpu_system']:.2f}) = {cpu / wall:.1%} of the time; goal: at most 10 %"
    )
    print(
        f"containers: {len(set(used))} started for {len(used)} uses in {len(trials)} trials "
        f"= {len(set(used)) / len(trials):.2f} a trial"
    )


def _lives() -> None:
    """Time both kinds of life in turns, so that both see the same machine."""
    reaper = Reaper(Owner.current())
    engine = Engine.of_this_machine(reaper)
    try:
        lives = {"suite": lambda: _by_suite(engine), "SDK": lambda: _by_sdk(engine)}
        times: dict[str, list[float]] = {name: [] for name in lives}
        for turn in range(2 * LIVES):
            # Each goes first in every other turn.
            for name in sorted(lives, reverse=turn % 2 == 0):
                times[name].append(_timed(lives[name]))
    finally:
        engine.close()
        reaper.dismiss()
    suite, sdk = (statistics.median(times[name]) for name in ("suite", "SDK"))
    print(
        f"a container's life, median of {2 * LIVES}: {suite * 1000:.0f} ms by the suite, "
        f"{sdk * 1000:.0f} ms by plain SDK calls = {suite / sdk:.2f}x; goal: at most 1.1x"
    )


def _timed(live: Callable[[], None]) -> float:
    began = time.monotonic()
    live()
    return time.monotonic() - began


def _by_suite(engine: Engine) -> None:
    engine.start(DEFAULTS).remove()


def _by_sdk(engine: Engine) -> None:
    options = {name: value for name, value in DEFAULTS.items() if name != "image"}
    labels = {LABEL: str(engine.owner)}
    container = engine.client.containers.run(
        engine.images["base"], detach=True, labels=labels, **options
    )
    container.remove(force=True)


if __name__ == "__main__":
    sys.exit(main())
