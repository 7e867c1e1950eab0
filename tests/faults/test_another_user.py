"""Another user of the machine, without any right, beside a run of root's and after one was killed.

What they try is a line of a shell each, in every place that a run sweeps, removes, chowns, listens
or locks. Some lines must fail; those that can not be denied them must do no harm.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.engine import Engine, home, private
from tests.traces import nothing_is_left

from .labs import BRIEFLY, HOLDING, QUICK, Labs, LabsRun

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="to be another user takes root"),
    pytest.mark.skipif(private.missing() is not None, reason=str(private.missing())),
]

STRANGER = 12345

DENIED = """\
ls "$HOME_OF_ROOT"
touch "$HOME_OF_ROOT/00000000.1.1.1.1"
ln -s "$VICTIM" "$HOME_OF_ROOT/isolation-labs.00000000.1.1.1.12345678"
ls "$ENGINE"
cat "$ENGINE/daemon.json"
ls "$ENGINE/data"
test -w "$ENGINE/docker.sock"
touch "$ENGINE/bin/modprobe"
mv "$ENGINE/netns" "$ENGINE/mine"
mkdir "$CGROUP/isolation-labs.00000000.1.1.1.box"
echo 0 > "$CGROUP/isolation-labs.$NAME/cgroup.procs"
ln -s "$VICTIM" /run/isolation-labs.00000000.1.1.1.x
ln -s "$VICTIM" "$PROJECT/reports/cards"
ln -s "$VICTIM" "$PROJECT/reports/runs/00000000-000000-1"
ln -s "$VICTIM/file" "$RUN/events.jsonl.2"
echo '{}' >> "$RUN/events.jsonl"
kill -KILL "$PYTEST"
kill -KILL "$REAPER"
kill -KILL "$DOCKERD"
cat "/proc/$PYTEST/environ"
""".splitlines()
"""what the kernel does not let them do"""

HARMLESS = """\
ln -s "$VICTIM" "$TMPDIR/isolation-labs.00000000.1.1.1.link"
ln -s "$VICTIM" "$TMPDIR/isolation-labs.$OWNER.link1234"
ln -s "$VICTIM/" "$TMPDIR/isolation-labs.$OWNER.link5678"
ln -s / "$TMPDIR/isolation-labs.00000000.1.1.2.slash"
mkdir "$TMPDIR/isolation-labs.00000000.1.1.1.folder"
mkdir "$TMPDIR/isolation-labs.$OWNER.folder12"
mkdir "$TMPDIR/isolation-labs.[!Z]*.1.1.1.x"
mkdir "$TMPDIR/isolation-labs.*.*.*.*.*"
mkdir "$TMPDIR/isolation-labs.00000000.1.99999999999999999999.1.x"
touch "$TMPDIR/isolation-labs.00000000.1.1.1.file"
mkfifo "$TMPDIR/isolation-labs.00000000.1.1.1.pipe"
ln -s "$VICTIM" "$TMPDIR/isolation-labs-vm-12345678"
ln -s "$VICTIM" "$TMPDIR/.rendering"
ln -s "$VICTIM" "$TMPDIR/reports"
mkdir -m 777 "$TMPDIR/isolation-labs.00000000.1.1.3.open" && ln -s "$VICTIM" "$TMPDIR/isolation-labs.00000000.1.1.3.open/in"
""".splitlines()
"""what nobody can be kept from where everybody may write"""

LOCKED = ("$PROJECT", "$PROJECT/reports", "$PROJECT/reports/runs", "$RUN", "$RUN/events.jsonl")
"""what they may open and so may lock, for as long as they like: flock(2)"""


class Stranger:
    """A user whom the machine does not know, with a shell."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment | {"PATH": os.defpath}
        self._holders: list[subprocess.Popen[bytes]] = []

    def may(self, line: str) -> bool:
        """Whether the line worked."""
        done = subprocess.run(
            ["sh", "-c", line],
            user=STRANGER, group=STRANGER, extra_groups=[], cwd="/",
            env=self._environment, capture_output=True, check=False,
        )  # fmt: skip
        return done.returncode == 0

    def lock(self, path: str) -> None:
        """Hold a lock on it."""
        holder = subprocess.Popen(
            ["sh", "-c", f'exec flock "{path}" sh -c "echo locked; exec sleep 1000"'],
            user=STRANGER, group=STRANGER, extra_groups=[], cwd="/",
            env=self._environment, stdout=subprocess.PIPE,
        )  # fmt: skip
        self._holders.append(holder)
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"locked\n", path

    def leave(self) -> None:
        for holder in self._holders:
            subprocess.run(["pkill", "--parent", str(holder.pid)], check=False)
            holder.communicate()


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder whose `tmp` is everybody's, as /tmp is, and whose `victim` is a mount of root's."""
    top = Path(tempfile.mkdtemp())
    for name, mode in {"tmp": 0o1777, "victim": 0o755, "project": 0o755, ".": 0o755}.items():
        (top / name).mkdir(exist_ok=True)
        (top / name).chmod(mode)
    subprocess.run(["mount", "-t", "tmpfs", "victim", str(top / "victim")], check=True)
    (top / "victim/file").write_text("precious")
    (top / "victim").chmod(0o755)
    monkeypatch.setenv("TMPDIR", str(top / "tmp"))
    yield top
    subprocess.run(["umount", str(top / "victim")], check=True)
    shutil.rmtree(top)


@pytest.fixture
def labs(machine: Path) -> Iterator[Labs]:
    made = Labs(machine / "project")
    made.chapter(HOLDING, QUICK)
    yield made
    made.close()


def stranger(machine: Path, run: LabsRun) -> Stranger:
    """Who knows of the run all that ps and ls show."""
    (reaper,) = (word for word in run.reaper.argv if word.count(".") == 3 and word[0] != "/")
    (engine,) = home.HOME.glob(f"{reaper}.1")
    dockerd = int((engine / "docker.pid").read_text())
    return Stranger(
        {
            "CGROUP": str(_cgroups()),
            "DOCKERD": str(dockerd),
            "ENGINE": str(engine),
            "HOME_OF_ROOT": str(home.HOME),
            "NAME": engine.name,
            "OWNER": reaper,
            "PROJECT": str(run.root),
            "PYTEST": str(run.process.pid),
            "REAPER": str(run.reaper.host_pid),
            "RUN": str(run.folder),
            "TMPDIR": str(machine / "tmp"),
            "VICTIM": str(machine / "victim"),
        }
    )


def _cgroups() -> Path:
    top = Path("/sys/fs/cgroup")
    return top if (top / "cgroup.controllers").exists() else top / "pids"


def attack(who: Stranger) -> None:
    """Try it all."""
    assert [line for line in DENIED if who.may(line)] == []
    assert [line for line in HARMLESS if not who.may(line)] == []
    for path in LOCKED:
        who.lock(path)


def assert_nothing_was_harmed(machine: Path) -> None:
    assert (machine / "victim/file").read_text() == "precious"
    assert str(machine / "victim") in Path("/proc/self/mountinfo").read_text()
    # What is the stranger's is left to them.
    assert len(os.listdir(machine / "tmp")) == len(HARMLESS)
    assert {each.lstat().st_uid for each in (machine / "tmp").iterdir()} == {STRANGER}


def test_beside_a_run_they_do_no_harm_and_do_not_hold_it_up(
    labs: Labs, machine: Path, engine: Engine
) -> None:
    with nothing_is_left(engine.client):
        run = labs.start()
        run.is_in_its_middle()
        who = stranger(machine, run)
        try:
            attack(who)
            began = time.monotonic()
            run.receive(signal.SIGTERM)

            assert run.end() == 128 + signal.SIGTERM, run.output
            assert time.monotonic() - began < 60
            assert (run.folder / "evidence.html").exists()
        finally:
            who.leave()

    assert "Traceback" not in run.output
    assert_nothing_was_harmed(machine)


def test_after_a_killed_run_the_next_one_sweeps_what_is_its_and_nothing_of_theirs(
    labs: Labs, machine: Path, engine: Engine
) -> None:
    with nothing_is_left(engine.client):
        run = labs.start()
        run.is_in_its_middle()
        who = stranger(machine, run)
        run.reaper.send_signal(signal.SIGKILL)
        run.process.kill()
        run.end()
        try:
            assert [line for line in HARMLESS if not who.may(line)] == []
            for path in LOCKED:
                who.lock(path)

            next_run = labs.run("-k", BRIEFLY)

            assert next_run.process.returncode == 0, next_run.output
            assert "what this run has shown" in next_run.output
        finally:
            who.leave()

    assert_nothing_was_harmed(machine)
