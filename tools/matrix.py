"""The labs on each engine that this machine can have, one run each, and their results side by side.

    make matrix                          on all of them
    make matrix ENGINES="here forky"     on these
    make matrix ARGS="-k memory"         with arguments of pytest

Newer engines come with a Debian of their own: the files of the guest that `make vm` starts, used
on this machine's kernel. The host's engine and what it has are not touched.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fixtures.engine.errors import BenchError
from fixtures.vm import image
from fixtures.vm.errors import GuestError
from tools import tree, user

PROJECT = Path(__file__).parents[1]
RUNS = PROJECT / "reports" / "runs"


@dataclass(frozen=True)
class Place:
    """Where a run is done."""

    what: str
    suite: str | None = None
    """the Debian whose files it has; None: this machine's own"""
    daemon: dict[str, Any] = field(default_factory=dict)
    """the keys of daemon.json for its engine"""
    maker: str | None = None
    """what makes the containers, where that is not Docker: --lab-engine"""
    user: Callable[[Path], AbstractContextManager[tuple[list[str], str]]] | None = None
    """whose engine it is that an ordinary user has: of tools/user.py"""
    program: str | None = None
    """what has to be installed for that"""


PLACES = {
    "here": Place("this machine's own engine"),
    "group": Place("the same, for a user in its group who is not root", user=user.in_the_group),
    "rootless": Place(
        "an engine of such a user's own", user=user.rootless, program="dockerd-rootless.sh"
    ),
    "trixie": Place("the engine of Debian 13", "trixie"),
    "forky": Place("the newest engine of Debian", "forky"),
    "containerd": Place(
        "the same, with containerd's image store",
        "forky",
        {"features": {"containerd-snapshotter": True}},
    ),
    "podman": Place("Podman", maker="podman", program="podman"),
    "runc": Place("runc, without an engine", maker="runc", program="runc"),
    "ctr": Place("containerd, without dockerd", maker="ctr", program="ctr"),
    "by-hand": Place("nobody: containers by hand", maker="by-hand"),
}


def main() -> int:
    """Run the labs at each place, and render the runs side by side; 1 where a place had no run."""
    parser = argparse.ArgumentParser(
        prog="make matrix", description=str(__doc__).partition("\n")[0]
    )
    parser.add_argument("engines", nargs="*", metavar="ENGINE", help=", ".join(PLACES))
    parser.add_argument("--args", default="", help="arguments of pytest, for each run")
    options = parser.parse_args()
    if unknown := [name for name in options.engines if name not in PLACES]:
        parser.error(f"there is no engine {unknown[0]}; there are {', '.join(PLACES)}")
    if os.geteuid() != 0:
        parser.error("engines of their own need root\nTry: sudo make matrix")
    runs: list[Path] = []
    without: list[str] = []
    for name in options.engines or PLACES:
        place = PLACES[name]
        if place.program and shutil.which(place.program, path=user.PATH) is None:
            print(f"matrix: {name}: left out, for there is no {place.program} in the PATH")
            continue
        print(f"matrix: {name}: {place.what}", flush=True)
        try:
            run = _run(place, options.args.split())
        except (GuestError, BenchError, user.Failed) as error:
            print(f"matrix: {name}: {error}", file=sys.stderr)
            run = None
        if run is None:
            without.append(name)
            continue
        runs.append(run)
        _report("render", run)
    if without:
        print(f"matrix: no run on {', '.join(without)}", file=sys.stderr)
    if len(runs) > 1:
        _report("engines", *runs)
    return 1 if without else 0


def _run(place: Place, arguments: list[str]) -> Path | None:
    """The folder of the run that was done there; None where none was begun."""
    before = set(RUNS.iterdir()) if RUNS.exists() else set()
    with tempfile.TemporaryDirectory(prefix="isolation-labs-matrix.") as folder:
        words = ["-m", "pytest", "--lab-no-pages", "labs/", *arguments]
        if place.maker:
            words += ["--lab-engine", place.maker]
        if place.daemon:
            settings = Path(folder) / "daemon.json"
            settings.write_text(json.dumps(place.daemon))
            words += ["--lab-daemon-json", str(settings)]
        if place.user is not None:
            return _run_as_a_user(place.user, Path(folder), words)
        if place.suite is None:
            command = [sys.executable, *words]
        else:
            disk = image.get(place.suite, None, PROJECT).disk
            work = Path(folder) / "tree"
            work.mkdir()
            command = tree.command(disk, work, PROJECT, "python3", *words)
        subprocess.run(command, cwd=PROJECT, check=False, env=_environment(place))
    return _made(set(RUNS.iterdir()) - before)


def _run_as_a_user(
    engine: Callable[[Path], AbstractContextManager[tuple[list[str], str]]],
    folder: Path,
    words: list[str],
) -> Path | None:
    """The same for an ordinary user; what the run has left is brought to the others, and root's."""
    folder.chmod(0o711)
    copy = user.copy(PROJECT, folder)
    with engine(folder) as (who, url):
        command = [*who, str(copy / ".venv/bin/python"), *words]
        settings = user.environment(folder) | {"DOCKER_HOST": url}
        subprocess.run(command, cwd=copy, check=False, env=settings)
    made = _made(set((copy / "reports/runs").glob("*")))
    if made is None:
        return None
    RUNS.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copytree(made, RUNS / made.name))


def _made(runs: set[Path]) -> Path | None:
    return next((run for run in runs if (run / "events.jsonl").exists()), None)


def _report(what: str, *runs: Path) -> None:
    command = [sys.executable, "-m", "fixtures.report", what, *map(str, runs)]
    subprocess.run(command, cwd=PROJECT, check=False)


def _environment(place: Place) -> dict[str, str]:
    """In a tree nothing of the user's own: neither its PATH nor its engine is there."""
    if place.suite is None:
        return dict(os.environ)
    kept = {name: os.environ[name] for name in ("COLUMNS", "TERM") if name in os.environ}
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return kept | {"PATH": path, "HOME": "/root", "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


if __name__ == "__main__":
    sys.exit(main())
