"""`python -m fixtures.report`, as people type it, and what it says when it can not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fixtures.events import SCHEMA

from ..events.streams import observed, proven
from ..project import OURS

WANTED = "expected events.jsonl of a run of the labs, or a folder that has one, such as reports/"
FACT = '{"event": "fact"'


def report(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "fixtures.report", *map(str, arguments)],
        cwd=OURS, capture_output=True, text=True, check=False, timeout=60,
        env=os.environ | {"COLUMNS": "100"} | environment,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["", "events.jsonl"])
def test_render_says_what_it_made(tmp_path: Path, name: str) -> None:
    observed(tmp_path)

    done = report("render", tmp_path / name)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"{tmp_path}/cards/",
        f"{tmp_path}/evidence.html",
        f"{tmp_path}/slides.html",
    ]
    assert (tmp_path / "cards" / "something-holds.svg").exists()


def test_the_same_events_make_the_same_pages(tmp_path: Path) -> None:
    """Sets have another order in each process, and pages none of that."""
    made = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        folder.mkdir()
        shutil.copyfile(OURS / "reports/sample/events.jsonl", folder / "events.jsonl")
        done = report("render", folder, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
        done = report("compare", observed(tmp_path), folder, PYTHONHASHSEED=seed)
        assert done.returncode == 0, done.stderr
        files = (path for path in folder.rglob("*") if path.is_file())
        made.append({path.relative_to(folder): path.read_bytes() for path in files})

    one, other = made
    assert one.keys() == other.keys()
    assert [name for name in one if one[name] != other[name]] == []


def test_compare_says_what_differs_and_makes_a_page(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        file = observed(tmp_path / name)
    file.write_text(file.read_text().replace('"kernel": "6.1"', '"kernel": "6.8"'))

    done = report("compare", tmp_path / "a", file)

    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert "The bench: 1 difference\n  kernel\n    A  6.1\n    B  6.8\n" in done.stdout
    assert done.stdout.splitlines()[-1] == f"as a page: {tmp_path}/b/comparison.html"
    assert "6.8" in (tmp_path / "b" / "comparison.html").read_text()
    assert os.listdir(tmp_path / "a") == ["events.jsonl"]


def test_the_page_links_to_books_that_are_there(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        observed(tmp_path / name)
    (tmp_path / "a" / "evidence.html").touch()

    report("compare", tmp_path / "a", tmp_path / "b")

    text = (tmp_path / "b" / "comparison.html").read_text()
    assert 'href="../a/evidence.html"' in text
    assert 'href="evidence.html' not in text


def test_help_stands_on_one_screen() -> None:
    done = report("--help")

    assert done.returncode == 0
    assert "render" in done.stdout
    assert "compare" in done.stdout
    assert len(done.stdout.splitlines()) < 24


def page_instead(folder: Path) -> tuple[Path, str]:
    file = folder / "report.html"
    file.write_text("<!DOCTYPE html>\n<html></html>\n")
    return file, f"{file} does not begin with a run event: no run of the labs; {WANTED}"


def empty(folder: Path) -> tuple[Path, str]:
    file = folder / "events.jsonl"
    file.touch()
    return file, f"{file} does not begin with a run event: no run of the labs; {WANTED}"


def damaged(folder: Path) -> tuple[Path, str]:
    file = proven(folder)
    file.write_text(file.read_text().replace(FACT, "\x1b[2Jgarbage", 1))
    return file, (
        f"{file}, line 7: not an event of a run. If the file was damaged, copy it again; "
        "`head -n 6` keeps what stands before"
    )


def strange(folder: Path) -> tuple[Path, str]:
    file = proven(folder)
    file.write_text(file.read_text().replace('"held": true', '"held": "true"', 1))
    return file, (
        f"{file}, line 7: `fact.held` is not true or false. If the file was damaged, copy it "
        "again; `head -n 6` keeps what stands before"
    )


def binary(folder: Path) -> tuple[Path, str]:
    file = folder / "events.jsonl"
    file.write_bytes(bytes(range(255, -1, -1)))
    return file, f"{file} can not be read: it is no text; {WANTED}"


def newer(folder: Path) -> tuple[Path, str]:
    file = proven(folder, schema=SCHEMA + 1)
    return file, (
        f"{file} has schema {SCHEMA + 1}, this version reads up to {SCHEMA}: "
        "use the version that made it, or a newer one"
    )


def folder_without_events(folder: Path) -> tuple[Path, str]:
    file = folder / "events.jsonl"
    return folder, f"{file} can not be read: No such file or directory; {WANTED}"


BAD = [page_instead, empty, damaged, strange, binary, newer, folder_without_events]


@pytest.mark.parametrize("command", ["render", "compare with it", "compare it"])
@pytest.mark.parametrize("bad", BAD, ids=lambda bad: bad.__name__)
def test_what_is_no_run_gets_one_message(tmp_path: Path, command: str, bad: object) -> None:
    assert callable(bad)
    (tmp_path / "bad").mkdir()
    (tmp_path / "good").mkdir()
    good = proven(tmp_path / "good")
    path, message = bad(tmp_path / "bad")
    before = sorted(tmp_path.rglob("*"))
    arguments = {
        "render": ("render", path),
        "compare with it": ("compare", good, path),
        "compare it": ("compare", path, good),
    }

    done = report(*arguments[command])

    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{message}\n")
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_that_can_not_be_written_gets_one_message(tmp_path: Path) -> None:
    with proven(tmp_path).open() as events:
        descriptor = events.fileno()
        done = subprocess.run(
            [sys.executable, "-m", "fixtures.report", "render", f"/proc/self/fd/{descriptor}"],
            cwd=OURS, capture_output=True, text=True, check=False, timeout=60,
            pass_fds=[descriptor],
        )  # fmt: skip

    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("the pages can not be written: /proc/self/fd/.rendering: ")


def test_a_comparison_is_shown_also_where_its_page_can_not_be_written(tmp_path: Path) -> None:
    file = observed(tmp_path)
    with file.open() as events:
        folder = f"/proc/self/fd/{events.fileno()}"
        done = subprocess.run(
            [sys.executable, "-m", "fixtures.report", "compare", str(file), folder],
            cwd=OURS, capture_output=True, text=True, check=False, timeout=60,
            pass_fds=[events.fileno()],
        )  # fmt: skip

    assert done.returncode == 1
    assert "Nothing differs" in done.stdout
    assert "as a page" not in done.stdout
    assert done.stderr == (
        "as a page it can not be written: /proc/self/fd/.rendering: No such file or directory\n"
    )


def test_what_nobody_can_draw_gets_one_message(tmp_path: Path) -> None:
    file = observed(tmp_path)
    deep = 2000 * "[" + 2000 * "]"
    given = '"given": {"path": "/made/up"}'
    file.write_text(file.read_text().replace(given, f'"given": {{"path": {deep}}}'))

    done = report("render", tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert os.listdir(tmp_path) == ["events.jsonl"]


def test_comparing_takes_no_pytest() -> None:
    loads = "import sys, fixtures.report.__main__ as m; sys.exit('pytest' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", loads], cwd=OURS, check=False).returncode == 0


def test_another_ones_folder_in_the_way_gets_one_message(tmp_path: Path) -> None:
    proven(tmp_path)
    (tmp_path / "cards").mkdir()
    (tmp_path / "cards" / "thesis.txt").touch()

    done = report("render", tmp_path)

    assert done.returncode == 2
    assert done.stderr == (
        f"the pages can not be written: {tmp_path}/cards: no rendering made this folder, so none "
        "replaces it; move it away, or put the run's events into a folder of their own\n"
    )


def test_without_a_command_the_usage_is_shown() -> None:
    done = report()

    assert done.returncode == 2
    assert done.stderr.startswith("usage: python -m fixtures.report")
