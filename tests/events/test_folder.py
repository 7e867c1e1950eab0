"""Files are put in place as a whole, and whatever breaks it off, nothing that was there is lost."""

from __future__ import annotations

import fcntl
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.events.folder import give_to_owner, replacing

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


def test_what_one_that_died_had_put_aside_is_put_back(folder: Path) -> None:
    """It is killed between two renamings: of `cards` neither the older nor the newer is in place."""
    dies = (
        "import os, sys; from pathlib import Path; from fixtures.events.folder import replacing\n"
        "def once(*paths):\n    rename(*paths)\n    os.kill(os.getpid(), 9)\n"
        "rename, os.rename = os.rename, once\n"
        "with replacing(Path(sys.argv[1])) as made:\n"
        "    (made / 'cards').mkdir(); (made / 'cards/newer.html').touch()"
    )
    subprocess.run([sys.executable, "-c", dies, folder], cwd=OURS, check=False)
    assert not (folder / "cards").exists()

    with pytest.raises(RuntimeError), replacing(folder):
        raise RuntimeError("and the next one makes nothing")

    assert texts(folder) == OLDER


WORKS = (
    "import sys; from pathlib import Path; from fixtures.events.folder import replacing\n"
    "with replacing(Path(sys.argv[1])) as made:\n"
    "    print('works', flush=True); sys.stdin.read(); (made / 'page.html').write_text(sys.argv[2])"
)


def worker(folder: Path, text: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WORKS, folder, text],
        cwd=OURS, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def test_one_waits_for_the_other_and_says_so(folder: Path) -> None:
    with worker(folder, "first") as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "works\n"
        with worker(folder, "second") as second:
            assert second.stderr is not None
            assert (
                second.stderr.readline() == f"waiting for another one that writes into {folder}\n"
            )
            first.communicate("", timeout=60)
            assert second.communicate("", timeout=60) == ("works\n", "")

    assert (first.returncode, second.returncode) == (0, 0)
    assert (folder / "page.html").read_text() == "second"
    assert sorted(os.listdir(folder)) == ["cards", "page.html"]


def test_who_can_read_the_folder_can_not_hold_its_lock(folder: Path) -> None:
    """As another user could, who opens it to read."""
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)

    with replacing(folder) as made:
        make(made)
        assert stat.S_IMODE(made.parent.stat().st_mode) == 0o700
    os.close(descriptor)

    assert texts(folder) == NEWER


@pytest.mark.parametrize("kind", ["link", "link to nothing", "file"])
def test_what_stands_in_the_way_is_named_and_not_followed(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, kind: str
) -> None:
    other = tmp_path_factory.mktemp("other")
    (other / "made").mkdir()
    (other / "thesis").touch()
    place = folder / ".rendering"
    match kind:
        case "link":
            place.symlink_to(other)
        case "link to nothing":
            place.symlink_to(other / "nothing")
        case "file":
            place.touch()

    with pytest.raises(FileExistsError, match="nothing that a rendering has left; move it away"):
        replacing(folder).__enter__()

    assert sorted(os.listdir(other)) == ["made", "thesis"]
    assert texts(folder).items() >= OLDER.items()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of another user")
def test_a_folder_of_somebody_else_is_not_worked_in(folder: Path) -> None:
    (folder / ".rendering").mkdir()
    os.chown(folder / ".rendering", 65534, 65534)

    with pytest.raises(FileExistsError, match="move it away"):
        replacing(folder).__enter__()


NOBODY = (65534, 65534)


def owner(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_uid, found.st_gid


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """A folder of another user, in which root has made a folder with a file."""
    if os.geteuid() != 0:
        pytest.skip("only root can give its files to another")
    reports = tmp_path / "reports"
    (reports / "run").mkdir(parents=True)
    (reports / "run" / "page").touch()
    os.chown(reports, *NOBODY)
    return reports


def test_what_root_has_made_is_given_to_the_owner(theirs: Path) -> None:
    (theirs / "run" / "cards").mkdir()
    (theirs / "run" / "cards" / "one").touch()

    give_to_owner(theirs / "run", theirs / "not-there", like=theirs)

    assert {owner(path) for path in theirs.rglob("*")} == {NOBODY}


def test_nothing_that_a_link_leads_to_is_given(theirs: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "shadow").touch()
    (theirs / "run" / "link").symlink_to(outside / "shadow")
    (theirs / "run" / "folder").symlink_to(outside)
    (theirs / "run" / "other-name").hardlink_to(outside / "shadow")
    (theirs / "linked").symlink_to(outside)

    give_to_owner(theirs / "run", theirs / "linked", like=theirs)

    assert owner(theirs / "run" / "page") == NOBODY
    assert owner(outside) == owner(outside / "shadow") == (0, 0)


@pytest.mark.parametrize("name", ["page", "folder"])
def test_nothing_that_is_swapped_for_a_link_meanwhile_is_given(
    theirs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Each name is looked at, and then given: in between it is another's."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "shadow").touch()
    (theirs / "run" / "folder").mkdir()
    (theirs / "run" / "folder" / "shadow").touch()
    place = theirs / "run" / name
    swapped = tmp_path / "swapped"

    def swap() -> None:
        if not swapped.exists():
            place.rename(swapped)
            place.symlink_to(outside / "shadow" if name == "page" else outside)

    fstat, lstat, scandir, chown = os.fstat, os.lstat, os.scandir, os.chown

    def after(call: Any, *arguments: Any, **options: Any) -> Any:
        found = call(*arguments, **options)
        of = arguments[0]
        looked_at = os.readlink(f"/proc/self/fd/{of}") if isinstance(of, int) else str(of)
        if looked_at == str(place):
            swap()
        return found

    def swaps_and_gives(*arguments: Any, **options: Any) -> None:
        swap()
        chown(*arguments, **options)

    monkeypatch.setattr(os, "fstat", lambda *a, **k: after(fstat, *a, **k))
    monkeypatch.setattr(os, "lstat", lambda *a, **k: after(lstat, *a, **k))
    monkeypatch.setattr(os, "scandir", lambda *a, **k: after(scandir, *a, **k))
    monkeypatch.setattr(os, "chown", swaps_and_gives)
    give_to_owner(theirs / "run", like=theirs)
    monkeypatch.undo()

    assert swapped.exists()
    assert owner(outside) == owner(outside / "shadow") == (0, 0)


def test_the_owner_needs_to_be_given_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "page").touch()
    for name in ("chown", "fchown"):
        monkeypatch.setattr(os, name, None)

    give_to_owner(tmp_path / "page", like=tmp_path)
