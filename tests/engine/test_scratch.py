"""Folders that a run makes on the host."""

from __future__ import annotations

import os
import stat
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.engine import home, scratch
from fixtures.engine.errors import BenchError
from fixtures.engine.ownership import Owner

OURS = Owner.current()
DEAD = replace(OURS, boot="00000000")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that they are in: root's own, or a user's temporary one."""
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.setattr(home, "HOME", place)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    return place


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
    monkeypatch.setattr(home, "mounted", lambda folder: [f"{folder}/nowhere"])

    scratch.remove(folder)

    assert (folder / "somebody's").exists()


def test_an_owner_s_folders_go_and_no_others() -> None:
    ours, theirs = scratch.make(OURS), scratch.make(replace(OURS, pid=OURS.pid + 1))

    scratch.remove_all_of(OURS)

    assert (ours.exists(), theirs.exists()) == (False, True)


def test_a_sweep_removes_the_folders_of_the_dead_and_nothing_else(temporary: Path) -> None:
    dead, living = scratch.make(replace(OURS, start_time=1)), scratch.make(OURS)
    foreign = [temporary / "isolation-labs.a.b.c.d.e", temporary / f"mine.{DEAD}.1"]
    for folder in foreign:
        folder.mkdir()

    assert scratch.sweep() == 1
    assert not dead.exists()
    assert all(folder.exists() for folder in (living, *foreign))


def test_root_s_are_where_nobody_else_may_write(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert scratch.place() == home.HOME

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert scratch.place() == Path(tempfile.gettempdir())


def test_a_user_s_folder_of_another_machine_s_run_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Temporary files may be on a disk that machines share, each with a boot of its own."""
    theirs = scratch.make(DEAD)
    us = os.geteuid()
    monkeypatch.setattr(scratch, "place", lambda: theirs.parent)
    monkeypatch.setattr(scratch, "_is_ours", lambda folder: True)
    monkeypatch.setattr(os, "geteuid", lambda: us or 1000)

    assert scratch.sweep() == 0
    assert theirs.exists()


# What others put where these folders are, under the name of one that a dead run left


def forged(temporary: Path, target: Path) -> Path:
    """A link to `target` that is called like a dead run's folder."""
    link = temporary / f"isolation-labs.{DEAD}.12345678"
    link.symlink_to(target)
    return link


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_what_is_mounted_is_found_also_where_a_folder_above_is_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk/folder/below").mkdir(parents=True)
    (tmp_path / "var").symlink_to(tmp_path / "disk")
    point = tmp_path / "disk/folder/below"
    subprocess.run(["mount", "-t", "tmpfs", "ours", str(point)], check=True)
    try:
        assert home.mounted(tmp_path / "var/folder") == [str(point)]
    finally:
        subprocess.run(["umount", str(point)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting needs root")
def test_a_link_makes_nobody_unmount_anything(temporary: Path, tmp_path: Path) -> None:
    target = tmp_path / "somebody's"
    target.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "theirs", str(target)], check=True)
    try:
        (target / "file").touch()
        link = forged(temporary, target)

        assert scratch.sweep() == 0
        scratch.remove(link)

        assert (target / "file").exists()
        assert str(target) in Path("/proc/self/mountinfo").read_text()
    finally:
        subprocess.run(["umount", str(target)], check=True)


def test_a_file_and_a_folder_of_somebody_else_are_left(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = temporary / f"isolation-labs.{DEAD}.1"
    file.touch()
    theirs = scratch.make(DEAD)
    us = os.geteuid()
    monkeypatch.setattr(scratch, "place", lambda: temporary)
    monkeypatch.setattr(os, "geteuid", lambda: us + 1)

    assert scratch.sweep() == 0
    scratch.remove(theirs)

    assert file.exists()
    assert theirs.exists()


def test_a_pattern_in_a_name_chooses_nothing(temporary: Path) -> None:
    living = scratch.make(OURS)
    pattern = f"isolation-labs.[!Z]*.{OURS.pid_namespace}.{OURS.pid}.{OURS.start_time}.x"
    (temporary / pattern).mkdir()

    assert scratch.sweep() == 0
    assert living.exists()


UNFIT = {
    "/a:b": (
        "temporary files are in '/a:b', and docker run --volume takes a path apart at a colon\n"
        "Try: set TMPDIR to a folder without a colon in its name, such as /tmp"
    ),
    "/100%": (
        "temporary files are in '/100%', and the docker command reads what follows a percent sign "
        "as a code\n"
        "Try: set TMPDIR to a folder without a percent sign in its name, such as /tmp"
    ),
    "/" + "é" * 30: (
        f"temporary files are in '/{'é' * 30}', which is too long by 26 bytes: the path of a "
        "socket has 107 at most\nTry: set TMPDIR to a shorter one, such as /tmp"
    ),
}


@pytest.mark.parametrize("path", UNFIT)
def test_a_place_of_a_name_that_can_not_be_told_is_refused(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scratch, "place", lambda: Path(path))

    with pytest.raises(BenchError) as error:
        scratch.refuse_unfit_place(replace(OURS, pid=12345, start_time=123456789))

    assert str(error.value) == UNFIT[path]


def test_a_place_is_not_refused_for_what_only_a_shell_takes_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scratch, "place", lambda: Path("/a b$(c)`d`'e\""))

    scratch.refuse_unfit_place(OURS)
