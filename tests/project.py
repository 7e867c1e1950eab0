"""Made-up projects: the labs' own conftest and settings, other experiments, no engine."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from fixtures.events import Run
from fixtures.lab.refused import MODULES
from fixtures.lab.requirements import REQUIREMENTS

from .standin import StandInEngine, StandInPages, StandInReaper

OURS = Path(__file__).parents[1]

CATALOGUE = """\
[[text]]
id = "made"
title = "A made-up text"

[[question]]
id = "made-1"
kind = "question"
quote = "Does it hold?"
standing = "holds"
answer = "It does."
sources = ["made-up(7)"]

[[question]]
id = "made-2"
kind = "question"
quote = "Does anybody ask?"
standing = "holds"
answer = "Nobody does."
sources = ["made-up(7)"]

[[question]]
id = "made-3"
kind = "question"
quote = "Who wrote it?"
standing = "prose only"
answer = "Somebody did."
sources = ["made-up(7)"]
"""

DOCSTRING = """\
Something holds.

Kernel: the kernel sees to it.
Without: nobody sees to it.
Source: made-up(7)
"""

ASKED_OF_THE_ENGINE = {
    "docker", "private-engine", "overlay", "disk", "seccomp", "apparmor", "selinux",
    "memory-without-swap", "cgroup:cpu", "cgroup:cpu-shares", "cgroup:cpuset", "cgroup:memory",
    "cgroup:swap", "cgroup:pids",
}  # fmt: skip
"""the requirements that a stand-in answers as an engine would"""

NO_OTHERS = [f"-p{module}" for module in MODULES.values()]
"""with AUTOLOAD_OFF: the plugins that the labs use, and no other that is installed"""
AUTOLOAD_OFF = "PYTEST_DISABLE_PLUGIN_AUTOLOAD"

CONTROLLED = '@answers("made-1")\n@without("it", taken=True)\n@given(taken=False)'


def experiment(
    name: str = "something_holds",
    *,
    above: str = CONTROLLED,
    arguments: str = "taken",
    docstring: str = DOCSTRING,
    body: str = "assert not taken",
) -> str:
    """The source of an experiment; as it is given here it is well formed, and proven."""
    inside = f'"""{docstring}"""\n{body}'
    return f"{above}\ndef test_{name}({arguments}):\n{textwrap.indent(inside, '    ')}\n"


class Outcome:
    """What a run of a made-up project has left."""

    def __init__(self, root: Path, result: pytest.RunResult) -> None:
        self.exit_code = int(result.ret)
        self.out = str(result.stdout)
        self.err = str(result.stderr)
        self._root = root
        self._result = result

    @property
    def counts(self) -> dict[str, int]:
        """How many tests passed, failed, …, as the terminal's last line has it."""
        return self._result.parseoutcomes()

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        (folder,) = (self._root / "reports" / "runs").iterdir()
        return folder

    @property
    def events(self) -> Run:
        return Run.read(self.folder)

    @property
    def verdicts(self) -> dict[str, str]:
        """The verdicts by the experiments' ids."""
        return {name: each.verdict for name, each in self.events.experiments.items()}

    @property
    def verdict(self) -> str:
        """That of the only experiment."""
        (verdict,) = self.verdicts.values()
        return verdict

    @property
    def properties(self) -> dict[str, str]:
        """What junit.xml says in the property `verdict`, by the names of the tests."""
        suite = ET.parse(self.folder / "junit.xml")  # noqa: S314 - pytest has just written it
        return {
            str(case.get("name")): str(found.get("value"))
            for case in suite.iter("testcase")
            for found in case.iter("property")
            if found.get("name") == "verdict"
        }


def in_general() -> list[str]:
    """What pytest is told in every run."""
    return ["-p", "no:cacheprovider", *(NO_OTHERS if AUTOLOAD_OFF in os.environ else ())]


def stand_in(monkeypatch: pytest.MonkeyPatch, engine: StandInEngine, pages: StandInPages) -> None:
    """From now on the labs run without an engine, on a machine that lacks no requirement but one."""
    monkeypatch.setattr("fixtures.lab.session.Engine", engine)
    monkeypatch.setattr("fixtures.lab.session.Reaper", StandInReaper)
    monkeypatch.setitem(sys.modules, "fixtures.report.rendering", pages)  # type: ignore[arg-type]
    monkeypatch.setattr("fixtures.engine.private.missing", lambda: "it is made up")
    for name in REQUIREMENTS.keys() - ASKED_OF_THE_ENGINE:
        # What this machine lacks is not what these tests are about.
        monkeypatch.setitem(REQUIREMENTS, name, lambda engine: None)


class Project:
    """A made-up project; its experiments are the trainees', its engine is a stand-in."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root = pytester.path
        self.engine = StandInEngine()
        self.pages = StandInPages()
        self._pytester = pytester
        for name in ("conftest.py", "pytest.ini"):
            shutil.copy(OURS / name, self.root)
        self.write("labs/questions.toml", CATALOGUE)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setenv(AUTOLOAD_OFF, "1")
        stand_in(monkeypatch, self.engine, self.pages)

    def write(self, path: str, text: str) -> None:
        """Write a file of the project."""
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text, encoding="utf-8")

    def chapter(self, *experiments: str, name: str = "01_made_up", before: str = "") -> None:
        """Write a chapter of experiments, with what stands before them."""
        imports = "import pytest\nfrom fixtures.lab import *\n"
        self.write(f"labs/test_{name}.py", "\n\n".join([imports, before, *experiments]))

    def run(self, *arguments: str, **how: Any) -> Outcome:
        """Run pytest on labs/, or what else the arguments name, in this process."""
        result = self._pytester.runpytest_inprocess(*in_general(), *arguments, **how)
        return Outcome(self.root, result)
