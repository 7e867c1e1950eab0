"""Folders that a run makes on the host."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.engine import scratch
from fixtures.engine.ownership import Owner

OURS = Owner.current()
DEAD = replace(OURS, boot="00000000")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine's folder for such folders."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_folder_is_new_and_readable_for_everybody() -> None:
    first, second = scratch.make(OURS), scratch.make(OURS)

    assert first != second
    assert stat.S_IMODE(first.stat().st_mode) == 0o755


def test_a_folder_goes_with_all_that_is_in_it() -> None:
    folder = scratch.make(OURS)
    (folder / "below").mkdir()
    (folder / "below" / "file").touch()

    scratch.remove(folder)

    assert not folder.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_what_is_mounted_in_a_folder_is_unmounted_and_left_as_it_is(tmp_path: Path) -> None:
    folder, elsewhere = scratch.make(OURS), tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").touch()
    for argv in (
        ("mount", "-t", "tmpfs", "ours", str(folder)),
        ("mkdir", f"{folder}/below", f"{folder}/bound"),
        ("mount", "-t", "tmpfs", "ours", f"{folder}/below"),
        ("mount", "--bind", str(elsewhere), f"{folder}/bound"),
    ):
        subprocess.run(argv, check=True)

    scratch.remove(folder)

    assert not folder.exists()
    assert str(folder) not in Path("/proc/self/mountinfo").read_text()
    assert (elsewhere / "file").exists()


def test_a_folder_in_which_something_stays_mounted_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = scratch.make(OURS)
    (folder / "somebody's").touch()
    monkeypatch.setattr(scratch, "_mounted", lambda folder: [f"{folder}/nowhere"])

    scratch.remove(folder)

    assert (folder / "somebody's").exists()


def test_an_owner_s_folders_go_and_no_others() -> None:
    ours, theirs = scratch.make(OURS), scratch.make(replace(OURS, pid=OURS.pid + 1))

    scratch.remove_all_of(OURS)

    assert (ours.exists(), theirs.exists()) == (False, True)


def test_a_sweep_removes_the_folders_of_the_dead_and_nothing_else(temporary: Path) -> None:
    dead, living = scratch.make(DEAD), scratch.make(OURS)
    foreign = [temporary / "isolation-labs.a.b.c.d.e", temporary / f"mine.{DEAD}.1"]
    for folder in foreign:
        folder.mkdir()

    assert scratch.sweep() == 1
    assert not dead.exists()
    assert all(folder.exists() for folder in (living, *foreign))
