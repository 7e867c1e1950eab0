"""What pip installs is pinned, and told by its hash."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


def requirements(name: str) -> dict[str, tuple[str, list[str]]]:
    """By the package: its version, and the hashes of its files."""
    text = (PROJECT / name).read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    found = {}
    for line in lines:
        match = re.match(r"([a-z0-9-]+)==([^ ]+)", line)
        assert match, f"not pinned: {line}"
        found[match[1]] = match[2], re.findall(r"--hash=sha256:([0-9a-f]{64})\b", line)
    return found


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_each_package_is_pinned_and_has_hashes(name: str) -> None:
    pinned = requirements(f"{name}.txt")

    assert pinned
    assert [package for package, (_, hashes) in pinned.items() if not hashes] == []


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_the_pins_are_made_of_what_is_asked_for(name: str) -> None:
    lines = (PROJECT / f"{name}.in").read_text().splitlines()
    asked = dict(line.split("==") for line in lines if "==" in line)
    pinned = requirements(f"{name}.txt")

    assert asked
    assert {package: pinned[package][0] for package in asked} == asked


def test_working_on_the_suite_has_what_running_it_has() -> None:
    assert requirements("requirements.txt").items() <= requirements("requirements-dev.txt").items()


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_no_index_is_named(name: str) -> None:
    text = (PROJECT / name).read_text()

    assert "http" not in text
    assert "-index" not in text
    assert "find-links" not in text


def test_the_workflow_s_actions_are_commits() -> None:
    workflow = (PROJECT / ".github/workflows/labs.yml").read_text()
    used = re.findall(r"uses: (.*)", workflow)

    assert used
    assert [
        each for each in used if not re.fullmatch(r"[a-z/-]+@[0-9a-f]{40} # v[0-9.]+", each)
    ] == []
