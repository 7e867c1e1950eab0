"""The labs on each engine that this machine can have, one run each, and their results side by side.

    make matrix                          on all of them
    make matrix ENGINES="here forky"     on these
    make matrix ARGS="-k memory"         with arguments of pytest
    make matrix PROGRAMS=DIR             with the engine in that folder, in the place of each

Newer engines come with a Debian of their own: the files of the guest that `make vm` starts, used
on this machine's kernel. The host's engine and what it has are not touched.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fixtures import static_archive
from fixtures.engine import private, scratch
from fixtures.engine.errors import BenchError
from fixtures.engine.ownership import Owner
from fixtures.engine.reaper import Reaper
from fixtures.events import commit
from fixtures.events.folder import give_to_owner
from fixtures.vm import image, parcel
from fixtures.vm.errors import Ended, GuestError, ended_in_order
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
    user: user.Engine | None = None
    """the engine of an ordinary user, who does the run"""
    program: str | None = None
    """what has to be installed for that"""


PLACES = {
    "here": Place("this machine's own engine"),
    "group": Place(
        "an engine of root's, for a user in the group of its socket", user=user.in_the_group
    ),
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
    parser.add_argument("--programs", type=Path, metavar="DIR", help="an engine's, for each run")
    options = parser.parse_args()
    if unknown := [name for name in options.engines if name not in PLACES]:
        parser.error(f"there is no engine {unknown[0]}; there are {', '.join(PLACES)}")
    programs: Path | None = options.programs and options.programs.absolute()
    if programs is not None:
        try:
            static_archive.check(programs)
        except static_archive.Unfit as error:
            parser.error(f"PROGRAMS={options.programs}: {error}")
        # The engine for a user in its group is started from here.
        os.environ["PATH"] = static_archive.in_front(programs, os.environ.get("PATH", os.defpath))
    if os.geteuid() != 0:
        parser.error("engines of their own need root\nTry: sudo make matrix")
    os.umask(0o022)
    scratch.sweep()
    private.sweep()
    owner = Owner.current()
    # Where this program is killed, that one removes what is the owner's.
    reaper = Reaper(owner)
    reaper.watch_private_engines()
    try:
        with ended_in_order():
            names = options.engines or list(PLACES)
            return _run_all(owner, names, shlex.split(options.args), programs)
    except Ended as ended:
        print(f"matrix: ended by {ended}", file=sys.stderr)
        return ended.status
    finally:
        reaper.dismiss()


def _run_all(owner: Owner, names: list[str], arguments: list[str], programs: Path | None) -> int:
    runs: list[Path] = []
    without: list[str] = []
    for name in names:
        place = PLACES[name]
        if _is_missing(place):
            print(f"matrix: {name}: left out, for there is no {place.program} in the PATH")
            continue
        if programs and place.maker:
            print(f"matrix: {name}: left out, for it has no dockerd that could be another")
            continue
        engine = f", with the engine in {programs}" if programs else ""
        print(f"matrix: {name}: {place.what}{engine}", flush=True)
        try:
            run = _run(owner, place, arguments, programs)
        except (GuestError, BenchError, user.Failed, OSError) as error:
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
    if not runs:
        print("matrix: there was no run", file=sys.stderr)
    return 0 if runs and not without else 1


def _is_missing(place: Place) -> bool:
    path = user.PATH if place.user else None
    return place.program is not None and shutil.which(place.program, path=path) is None


def _run(owner: Owner, place: Place, arguments: list[str], programs: Path | None) -> Path | None:
    """The folder of the run that was done there; None where none was begun."""
    # In one word each: a value that stands alone pytest takes for a place to find its settings in.
    words = ["-m", "pytest", "--lab-no-pages", *arguments]
    folder = scratch.make(owner)
    try:
        if place.maker:
            words.append(f"--lab-engine={place.maker}")
        if place.daemon:
            settings = folder / "daemon.json"
            settings.write_text(json.dumps(place.daemon))
            words.append(f"--lab-daemon-json={settings}")
        if place.user is not None:
            return _run_as_a_user(owner, place.user, folder, words, programs)
        if programs:
            words.append(f"--lab-programs={programs if place.suite is None else tree.PROGRAMS}")
        if place.suite is None:
            command = [sys.executable, *words]
        else:
            disk = image.get(place.suite, None, PROJECT).disk
            work = folder / "tree"
            work.mkdir()
            command = tree.command(disk, work, PROJECT, "python3", *words, programs=programs)
        before = set(RUNS.glob("*"))
        _wait_for(command, cwd=PROJECT, env=_environment(place))
        return _made(set(RUNS.glob("*")) - before)
    finally:
        scratch.remove(folder)


def _run_as_a_user(
    owner: Owner, engine: user.Engine, folder: Path, words: list[str], programs: Path | None
) -> Path | None:
    """The same for an ordinary user. The events of the run are brought to those of the others."""
    copy = user.copy(PROJECT, folder)
    try:
        with engine(owner, folder, programs) as (who, url):
            settings = user.environment(folder, programs)
            user.check_python(who, settings)
            if programs:
                user.check_programs(who, programs)
            settings |= commit.told(PROJECT) | {"DOCKER_HOST": url}
            _wait_for([*who, "python3", *words], cwd=copy, env=settings)
    finally:
        run = parcel.rescue(user.events(copy), RUNS.parent)
        if run is not None:
            give_to_owner(run, like=RUNS.parent)
    return run


def _wait_for(command: list[str], **more: Any) -> None:
    """Run pytest to its end. Where this program is ended it ends pytest, which then tidies up."""
    # Of its own session: Ctrl-C in a terminal would reach both.
    with subprocess.Popen(command, start_new_session=True, **more) as labs:
        try:
            labs.wait()
        except BaseException:
            labs.terminate()
            raise


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
