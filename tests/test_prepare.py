"""What prepares a machine, with a made-up Python and no packages."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
PYTHON = """\
#!/bin/sh
echo "$*" >>"$NOTED"
case "$*" in
-V) echo Python 3.12.1 ;;
"-c import sys; print"*) echo 3.12.1 ;;
*"-m venv"*) mkdir -p .venv/bin && cp "$0" .venv/bin/python ;;
esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    made = tmp_path / "checkout"
    shutil.copytree(PROJECT / "tools", made / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (made / "requirements.txt").write_text("pytest==9.2.0\n")
    (tmp_path / "python").write_text(PYTHON)
    (tmp_path / "python").chmod(0o755)
    return made


def prepare(checkout: Path, *words: str) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHON": str(checkout.parent / "python"),
        "NOTED": str(checkout.parent / "noted"),
    }
    done = subprocess.run(
        ["tools/prepare.sh", *words], cwd=checkout, env=environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_an_environment_is_made_once_and_takes_a_while_which_is_said(checkout: Path) -> None:
    assert prepare(checkout, ".venv", "requirements.txt") == (
        "prepare: making .venv from requirements.txt, with Python 3.12.1; that takes a minute\n"
    )
    assert prepare(checkout, ".venv", "requirements.txt") == ""
    assert (checkout / ".prepared").read_text() == "environment\t.venv\n"


def test_pip_checks_the_hash_of_each_file(checkout: Path) -> None:
    prepare(checkout, ".venv", "requirements.txt")

    (pip,) = [
        line
        for line in (checkout.parent / "noted").read_text().splitlines()
        if "pip install" in line
    ]
    assert "--require-hashes -r requirements.txt" in pip


def test_nobody_but_the_owner_can_make_a_call_wait(checkout: Path) -> None:
    prepare(checkout, ".venv", "requirements.txt")

    lock = (checkout / ".preparing").stat()
    assert stat.S_IMODE(lock.st_mode) == 0o600
    assert lock.st_uid == checkout.stat().st_uid


def test_what_it_leaves_in_the_checkout_is_no_part_of_it(checkout: Path) -> None:
    prepare(checkout, ".venv", "requirements.txt")

    left = {each.name for each in checkout.iterdir()} - {"tools", "requirements.txt"}
    ignored = (PROJECT / ".gitignore").read_text().splitlines()
    assert left == {".venv", ".prepared", ".preparing"}
    assert {
        each for each in left if f"/{each}" not in ignored and f"/{each}/" not in ignored
    } == set()
