"""Files are put in place as a whole, and whatever breaks it off, nothing that was there is lost."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.events.folder import replacing

from ..project import OURS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a page and cards of an older run."""
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "older.html").write_text("older")
    (tmp_path / "page.html").write_text("older")
    return tmp_path


def make(made: Path) -> None:
    """The same of a newer run."""
    (made / "cards").mkdir()
    (made / "cards" / "newer.html").write_text("newer")
    (made / "page.html").write_text("newer")


def texts(folder: Path) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text() for path in files}


OLDER = {"cards/older.html": "older", "page.html": "older"}
NEWER = {"cards/newer.html": "newer", "page.html": "newer"}


def test_what_was_made_replaces_what_was_there(folder: Path) -> None:
    with replacing(folder) as made:
        make(made)
        assert texts(folder).items() >= OLDER.items()

    assert texts(folder) == NEWER
    assert sorted(os.listdir(folder)) == ["cards", "page.html"]


def test_what_was_not_made_is_gone_where_it_was_named(folder: Path) -> None:
    with replacing(folder, "cards", "page.html", "never-there"):
        pass

    assert os.listdir(folder) == []


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_where_the_making_breaks_off_all_stays(folder: Path, error: type[BaseException]) -> None:
    def break_off() -> None:
        with replacing(folder, "cards") as made:
            make(made)
            raise error

    with pytest.raises(error):
        break_off()

    assert texts(folder) == OLDER
    assert sorted(os.listdir(folder)) == ["cards", "page.html"]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("done", [False, True])
def test_where_the_replacing_breaks_off_no_folder_is_lost(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    error: type[BaseException],
    number: int,
    done: bool,
) -> None:
    """`number` is that of the renaming that is broken off, `done` whether it was done by then."""
    rename, renamings = os.rename, []

    def breaks_off(*paths: Any) -> None:
        renamings.append(paths)
        if len(renamings) != number + 1:
            rename(*paths)
            return
        if done:
            rename(*paths)
        raise error

    monkeypatch.setattr(os, "rename", breaks_off)
    with pytest.raises(error), replacing(folder) as made:
        make(made)

    cards = NEWER if (number, done) == (1, True) else OLDER
    left = texts(folder)
    assert {name for name in left if name.startswith("cards/")} == {next(iter(cards))}
    assert left["page.html"] == "older"
    assert sorted(os.listdir(folder)) == ["cards", "page.html"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_one_that_died_has_left_goes_with_the_next(folder: Path, number: int) -> None:
    dies = (
        "import os, sys; from pathlib import Path; from fixtures.events.folder import replacing\n"
        "with replacing(Path(sys.argv[1])) as made:\n"
        f"    (made / 'half').touch(); os.kill(os.getpid(), {int(number)})"
    )
    subprocess.run([sys.executable, "-c", dies, folder], cwd=OURS, check=False)
    assert (folder / ".rendering" / "made" / "half").exists()

    with replacing(folder) as made:
        make(made)

    assert texts(folder) == NEWER
    assert sorted(os.listdir(folder)) == ["cards", "page.html"]


def test_one_waits_for_the_other(folder: Path) -> None:
    with replacing(folder):
        descriptor = os.open(folder, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)
