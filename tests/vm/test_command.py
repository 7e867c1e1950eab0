"""`python -m fixtures.vm` from its start to its end, with a QEMU that is none."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures import static_archive
from tests.project import OURS

from .conftest import COMES_UP, STAYS, FakeImage

COMMAND = """\
import sys
from pathlib import Path
from fixtures.vm import __main__ as command, image
from tests.vm.conftest import FakeImage

command.PROJECT = Path.cwd()
command._make_pages = lambda run: command.say(f"open {run.relative_to(Path.cwd())}/evidence.html")
image.get = lambda suite, mirror, project: FakeImage(Path.cwd())
sys.exit(command.main())
"""
SENDS_BACK = """\
import io, tarfile
disk = [word for word in words if "sent-back" in word][0].split(",")[0].removeprefix("file=")
with tarfile.open(disk, "w") as archive:
    for name, text in {"status": "1", "reports/runs/20260101-1/events.jsonl": "{}"}.items():
        member = tarfile.TarInfo(name)
        member.size = len(text)
        archive.addfile(member, io.BytesIO(text.encode()))
"""


@pytest.fixture
def start(tmp_path: Path, fake: FakeImage) -> list[str]:
    """The command, in a project of its own."""
    for name in ("labs", "fixtures", "tmp", "reports"):
        (tmp_path / name).mkdir()
    for name in ("conftest.py", "pytest.ini", "requirements.txt"):
        (tmp_path / name).touch()
    return ["env", "--default-signal=INT,HUP", sys.executable, "-c", COMMAND, "--accelerator=tcg"]


def environment(tmp_path: Path) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(OURS), "TMPDIR": str(tmp_path / "tmp")}


def test_its_exit_status_is_that_of_pytest_and_the_reports_are_named(
    start: list[str], fake: FakeImage, tmp_path: Path
) -> None:
    fake.behaves(f"{COMES_UP}{SENDS_BACK}")

    done = subprocess.run(
        start, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False
    )

    assert "\n2 passed\nvm: open reports/runs/20260101-1/evidence.html\n" in done.stdout
    assert (done.returncode, done.stderr) == (1, "")
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_guest_that_dies_is_told_with_its_last_words(
    start: list[str], fake: FakeImage, tmp_path: Path
) -> None:
    panics = 'console.write_text(console.read_text() + "Kernel panic\\n")\n'
    fake.behaves(f"{COMES_UP}{panics}")

    done = subprocess.run(
        start, cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False
    )

    assert done.returncode == 3
    assert done.stderr.startswith("vm: the guest has ended, and what it has sent back is not whole")
    assert done.stderr.endswith("  | Kernel panic\n")


def test_an_engine_that_is_sent_goes_in_on_a_disk_and_is_named(
    start: list[str], fake: FakeImage, tmp_path: Path
) -> None:
    programs = tmp_path / "just built"
    programs.mkdir()
    for name in static_archive.PROGRAMS:
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    looks = """\
import tarfile
disk = [word for word in words if "/programs," in word][0].split(",")[0].removeprefix("file=")
print(len(tarfile.open(disk).getnames()), "programs;", words[words.index("-append") + 1], flush=True)
"""
    fake.behaves(f"{COMES_UP}{looks}{SENDS_BACK}")
    told = ["--programs=just built", "--append=selinux=1 enforcing=1"]

    done = subprocess.run(
        [*start, *told],
        cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert "with the engine in just built, its cgroups made by systemd" in done.stdout
    assert f"\n{len(static_archive.PROGRAMS)} programs; console=ttyS0 " in done.stdout
    assert " selinux=1 enforcing=1 labs.programs=/dev/vdd\n" in done.stdout
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("--programs=labs", "vm: PROGRAMS=labs: it has no dockerd, "),
        ("--append=panic=10", "vm: APPEND: panic=10 is not for this guest: a guest that panics"),
    ],
)
def test_what_can_not_be_is_said_before_there_is_a_guest(
    start: list[str], fake: FakeImage, tmp_path: Path, told: str, said: str
) -> None:
    done = subprocess.run(
        [*start, told],
        cwd=tmp_path, env=environment(tmp_path), capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 3
    assert done.stderr.startswith(said)
    assert not fake.calls.exists()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_turns_the_guest_off_and_leaves_nothing(
    start: list[str], fake: FakeImage, tmp_path: Path, number: signal.Signals
) -> None:
    events = """\
at = [word for word in words if word.startswith("file,id=events")][0].partition("path=")[2]
Path(at).write_text('{"id": "20260101-2"}\\n')
"""
    fake.behaves(f'Path("{tmp_path}/pid").write_text(str(os.getpid()))\n{events}{COMES_UP}{STAYS}')
    with subprocess.Popen(
        start, cwd=tmp_path, env=environment(tmp_path), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as command:  # fmt: skip
        assert command.stdout is not None
        while "2 passed" not in command.stdout.readline():
            pass

        command.send_signal(number)
        shown, said = command.communicate(timeout=30)

    assert shown == "vm: what it has shown until then: make render RUN=reports/runs/20260101-2\n"
    assert said == f"vm: ended by {number.name}; the guest is off\n"
    assert command.returncode == 128 + number
    assert list((tmp_path / "tmp").iterdir()) == []
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), 0)
