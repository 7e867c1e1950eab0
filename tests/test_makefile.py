"""What `make` hands on to pytest, and what it says of itself."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
NOTHING = "#!/bin/sh\n"
PYTHON = f'#!/bin/sh\nPYTHONPATH={PROJECT} exec {sys.executable} "$@"\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A made-up checkout in which all is prepared."""
    for name in ("Makefile", "pytest.ini", "conftest.py"):
        shutil.copy(PROJECT / name, tmp_path)
    files = {
        "labs/test_01_a.py": "",
        "labs/test_02_b.py": "",
        "tests/one/test_c.py": "def test_one(): pass\ndef test_two(): pass\n",
        "tests/two/test_d.py": "def test_three(): pass\n",
        "tools/prepare.sh": NOTHING,
        "tools/run.sh": "#!/bin/sh\nexec .venv/bin/python $*\n",
        ".venv/bin/python": PYTHON,
        ".venv-dev/bin/python": PYTHON,
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


def make(checkout: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {name: each for name, each in os.environ.items() if not name.startswith("MAKE")}
    return subprocess.run(
        ["make", *words], cwd=checkout, env=environment | {"PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "collected"),
    [
        ("", ["test_01_a", "test_02_b"]),
        ("labs/test_02_b.py", ["test_02_b"]),
        ("-q", ["test_01_a", "test_02_b"]),
    ],
)
def test_labs_runs_what_args_name_and_else_everything(
    checkout: Path, arguments: str, collected: list[str]
) -> None:
    for name in ("test_01_a", "test_02_b"):
        (checkout / "labs" / f"{name}.py").write_text(f'print("read: {name}")\n')

    done = make(checkout, "labs", f"ARGS=-s --collect-only {arguments}")

    said = done.stdout.splitlines()
    assert [line[6:] for line in said if line.startswith("read: ")] == collected


@pytest.mark.parametrize(
    ("arguments", "passed"),
    [
        ("", ["one", "three", "two"]),
        ("tests/one", ["one", "two"]),
        ("tests/one tests/two", ["one", "three", "two"]),
        ("tests/one/test_c.py::test_two", ["two"]),
        ("-k 'three or two'", ["three", "two"]),
    ],
)
def test_test_runs_what_args_name_and_else_everything(
    checkout: Path, arguments: str, passed: list[str]
) -> None:
    done = make(checkout, "test", f"ARGS=-v -p no:cacheprovider {arguments}")

    assert done.returncode == 0, done.stdout + done.stderr
    said = [line for line in done.stdout.splitlines() if " PASSED" in line]
    assert sorted(line.partition("::test_")[2].partition(" ")[0] for line in said) == passed
    assert not (checkout / "reports").exists(), "this is no run of the labs"


def test_the_matrix_gets_the_arguments_in_one_piece(checkout: Path) -> None:
    (checkout / "tools/run.sh").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")

    done = make(checkout, "matrix", 'ARGS=-k "one and two"', "ENGINES=here forky")

    assert done.stdout.splitlines()[-5:] == [
        *("-m", "tools.matrix"),
        '--args=-k "one and two"',
        *("here", "forky"),
    ]


def test_a_folder_and_words_are_handed_on_in_one_piece(checkout: Path) -> None:
    shows = "#!/bin/sh\nprintf '%s\\n' \"$@\"\n"
    (checkout / "tools/run.sh").write_text(shows)
    (checkout / ".venv/bin/python").write_text(shows)
    programs = 'PROGRAMS=/it\'s "just" built'

    labs = make(checkout, "labs", programs, "ARGS=-k oom").stdout.splitlines()
    vm = make(checkout, "vm", programs, "APPEND=selinux=1 x", "ARGS=-k oom").stdout.splitlines()
    matrix = make(checkout, "matrix", programs, "ENGINES=here").stdout.splitlines()

    assert vm[-5:] == [
        *('--programs=/it\'s "just" built', "--append=selinux=1 x"),
        *("--", "-k", "oom"),
    ]
    assert labs[-3:] == ['--lab-programs=/it\'s "just" built', "-k", "oom"]
    assert matrix[-3:] == ["--args=", '--programs=/it\'s "just" built', "here"]


def test_what_is_not_there_is_an_error_in_a_sentence(checkout: Path) -> None:
    done = make(checkout, "labs", "ARGS=labs/test_99_none.py")

    assert done.returncode == 2
    assert "ERROR: file or directory not found: labs/test_99_none.py" in done.stderr
    assert "Error 4" in done.stderr, "make ends with 2, and says what pytest ended with"


def test_render_says_that_it_takes_a_while(checkout: Path) -> None:
    done = make(checkout, "render", "RUN=none")

    assert "render: making the pages, which takes up to a minute\n" in done.stdout


def test_the_targets_fit_into_a_terminal() -> None:
    targets = make(PROJECT, "help").stdout.splitlines()

    assert len(targets) > 10
    assert [line for line in targets if len(line) > 80] == []
