"""`make matrix`: where the labs are run, and what is said where they can not be."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from fixtures import static_archive
from fixtures.engine import private
from fixtures.engine.home import HOME
from fixtures.engine.ownership import Owner
from fixtures.engine.waiting import poll
from fixtures.kernel import Process
from fixtures.vm.parcel import USER
from tests.standin import StandInReaper
from tools import matrix, tree, user

PROJECT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def reaper(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the end it would remove all private engines that are this process's, the tests' own."""
    monkeypatch.setattr(matrix, "Reaper", StandInReaper)


def test_an_unknown_engine_is_an_error_that_names_the_known_ones() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.matrix", "docker"],
        capture_output=True, text=True, check=False, cwd=PROJECT,
    )  # fmt: skip

    assert done.returncode == 2
    assert "there is no engine docker; there are here, group, rootless, trixie" in done.stderr


def test_a_folder_that_lacks_a_program_gets_a_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tools.matrix", f"--programs={tmp_path}"],
        capture_output=True, text=True, check=False, cwd=PROJECT,
    )  # fmt: skip

    assert done.returncode == 2
    assert f"error: PROGRAMS={tmp_path}: it has no dockerd, containerd, " in done.stderr


@pytest.fixture
def commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[list[str]]:
    """What is run where the labs would be: the commands."""
    ran: list[list[str]] = []
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("PATH", os.environ["PATH"])
    monkeypatch.setattr(matrix, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(matrix, "_wait_for", lambda command, **_: ran.append(command))
    monkeypatch.setattr(matrix.image, "get", lambda *_: SimpleNamespace(disk=tmp_path / "disk"))
    return ran


def test_what_pytest_is_told_is_no_place_to_find_its_settings_in(
    monkeypatch: pytest.MonkeyPatch, commands: list[list[str]]
) -> None:
    monkeypatch.setattr(sys, "argv", ["matrix", "containerd", "by-hand"])

    matrix.main()

    told = [command[command.index("pytest") + 1 :] for command in commands]
    assert [len(words) for words in told] == [2, 2]
    assert [word for words in told for word in words if not word.startswith("--lab-")] == []


def test_each_engine_of_docker_is_the_one_in_the_folder(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    commands: list[list[str]],
) -> None:
    for name in static_archive.PROGRAMS:
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    words = ["matrix", f"--programs={tmp_path}", "here", "forky", "by-hand"]
    monkeypatch.setattr(sys, "argv", words)

    matrix.main()

    here, forky = commands
    assert here[-1] == f"--lab-programs={tmp_path}"
    assert forky[-1] == f"--lab-programs={tree.PROGRAMS}"
    assert str(tmp_path) in forky, "it is put there"
    said = capsys.readouterr().out
    assert f"matrix: forky: the newest engine of Debian, with the engine in {tmp_path}\n" in said
    assert "matrix: by-hand: left out, for it has no dockerd that could be another\n" in said
    assert user.environment(tmp_path, tmp_path)["PATH"] == f"{tmp_path}:{user.PATH}"


def test_what_is_not_installed_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["matrix", "podman"])
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "/nonexistent")

    assert matrix.main() == 1
    said = capsys.readouterr()
    assert "podman: left out, for there is no podman in the PATH" in said.out
    assert said.err == "matrix: there was no run\n"


def test_a_place_without_a_run_is_named_and_makes_it_fail(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["matrix", "here"])
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(matrix, "RUNS", tmp_path)
    monkeypatch.setattr(sys, "executable", "/bin/false")

    assert matrix.main() == 1
    assert "no run on here" in capsys.readouterr().err


MATRIX = """\
import sys
from pathlib import Path
from tools import matrix
matrix.RUNS = Path(sys.argv.pop(1))
matrix._report = lambda *_: None
sys.exit(matrix.main())
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="an engine for another user takes root")
@pytest.mark.parametrize("place", ["group", "rootless"])
def test_a_user_who_is_not_root_leaves_a_run_and_nothing_else(place: str, tmp_path: Path) -> None:
    if lacks := private.missing() if place == "group" else user.missing():
        pytest.skip(lacks)
    runs = tmp_path / "runs"
    chosen = "-k 'runs_on_the_kernel or without_capabilities_root'"
    with subprocess.Popen(
        [sys.executable, "-c", MATRIX, str(runs), place, "--args", chosen],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=PROJECT,
    ) as program:  # fmt: skip
        owner = replace(
            Owner.current(), pid=program.pid, start_time=Process(program.pid).start_time
        )
        said, wrong = program.communicate()

    assert program.returncode == 0, wrong
    assert f"the labs run as user {USER}, not as root" in said
    assert "1 claim proven of 2" in said
    (run,) = runs.iterdir()
    assert (run / "events.jsonl").stat().st_uid == 0
    assert list(HOME.glob(f"*{owner}.*")) == []
    assert poll(lambda: _of_the_user(owner), lambda left: not left, seconds=60) == []


def _of_the_user(owner: Owner) -> list[int]:
    """The user's processes of that run, which have a home in a folder of its owner's."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.NoSuchProcess):
            if USER in process.uids() and str(owner) in str(process.environ()):
                found.append(process.pid)
    return found


def test_what_a_rootless_engine_lacks_is_named_with_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(user, "PATH", str(tmp_path))
    for name in ("dockerd-rootless.sh", "setpriv"):
        (tmp_path / name).touch(0o755)

    assert user.missing() == "a rootless engine needs rootlesskit\nTry: apt-get install rootlesskit"


def test_a_command_in_a_tree_sees_its_files_and_writes_beside_them(tmp_path: Path) -> None:
    command = tree.command(tmp_path / "disk", tmp_path / "work", PROJECT, "python3", "-V")

    assert command[:3] == ["unshare", "--mount", "--propagation=private"]
    assert command[-2:] == ["python3", "-V"]
