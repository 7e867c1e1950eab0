"""Whole runs of made-up labs, each a process of its own, on a real engine."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fixtures.engine.waiting import poll
from fixtures.events import Run
from fixtures.kernel import Cgroup, Process
from tests.project import AUTOLOAD_OFF, CATALOGUE, NO_OTHERS, OURS, experiment

QUICK = experiment(
    "a_container_has_a_name_of_its_own",
    above='@answers("made-1")\n@without(uts_mode="host")',
    arguments="container, host",
    body='assert container.init.namespaces["uts"] != host.process.namespaces["uts"]',
)
"""an experiment that is proven in a moment"""

BRIEFLY = "name_of_its_own and as-is"
"""of all that a chapter holds, only the half of QUICK"""

LASTING = experiment(
    "something_lasts",
    arguments="container, folder, taken",
    body='container.exec("sleep", "100", seconds=110)\nassert not taken',
)
"""an experiment that is in its middle until the run is ended"""

HOLDING = experiment(
    "something_lasts",
    above='@started_with(volumes=["{volume}:/volume", "{shared_mount}:/mount:rslave"])\n'
    "@given(taken=False)\n@without('it', taken=True)",
    arguments="container, taken",
    body='container.exec("sleep", "100", seconds=110)\nassert not taken',
)
"""the same with a volume and a mount on the host, for which it takes root"""

SECONDS = 60

UNTOLD = "word-that-nobody-may-read"

ENVIRONMENT = {
    "COLUMNS": "200",
    # Names that pytest plugins, CI systems and the Docker SDK look at.
    **dict.fromkeys(("API_TOKEN", "BUILD_TAG", "CI_JOB_TOKEN", "GITHUB_TOKEN"), UNTOLD),
    "no_proxy": f"{UNTOLD}.invalid",
    AUTOLOAD_OFF: "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    # The second one serves the Python of a user who may not use the tests'.
    "PYTHONPATH": f"{OURS}:{sysconfig.get_path('purelib')}",
}


_WORDS = ("-p", "no:cacheprovider", "labs")


@dataclass(frozen=True)
class User:
    """Who starts a run, and with which Python."""

    id: int | None = None
    """None is the user of the tests"""
    python: str = sys.executable

    @property
    def how(self) -> dict[str, Any]:
        """What makes subprocess start a process as that user."""
        return {"user": self.id, "group": self.id, "extra_groups": []} if self.id else {}


class LabsRun:
    """A run of the labs, as a trainer starts it in a terminal of its own."""

    def __init__(
        self, root: Path, user: User, arguments: list[str], environment: dict[str, str]
    ) -> None:
        self.root = root
        self._log = root / f"log.{len(list(root.glob('log.*')))}"
        # Where the tests themselves are started with `nohup` or `&`, signals would be ignored.
        heard = ["env", *(f"--default-signal={name}" for name in ("INT", "HUP", "TERM"))]
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [*heard, user.python, "-m", "pytest", *NO_OTHERS, *_WORDS, *arguments],
                cwd=root,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **user.how,
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    @property
    def folder(self) -> Path:
        """Where its reports are."""
        (folder,) = (self.root / "reports" / "runs").glob(f"*-{self.process.pid}")
        return folder

    @property
    def reports(self) -> Run:
        """What its events say."""
        return Run.read(self.folder)

    @property
    def reaper(self) -> Process:
        """Its last net."""
        (found,) = (
            child
            for child in Process(self.process.pid).children
            if "fixtures.engine.reaper" in child.argv
        )
        return found

    @property
    def container(self) -> Process:
        """The first process of the container that it looks at."""
        (pid,) = (event["host_pid"] for event in self._events() if event["event"] == "container")
        return Process(pid)

    def is_in_its_middle(self) -> None:
        """Wait until it runs a command in its container."""
        running = poll(self._is_in_its_middle, bool, SECONDS)
        assert running, self.output

    def receive(self, number: signal.Signals) -> None:
        """Get a signal, as everything in that terminal does."""
        os.killpg(self.process.pid, number)

    def end(self) -> int:
        """Wait until it has ended; its exit code."""
        try:
            return self.process.wait(SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise

    def _events(self) -> list[dict[str, Any]]:
        found = (self.root / "reports" / "runs").glob(f"*-{self.process.pid}/events.jsonl")
        lines = [line for file in found for line in file.read_text().splitlines(keepends=True)]
        return [json.loads(line) for line in lines if line.endswith("\n")]

    def _is_in_its_middle(self) -> bool:
        begun = any(event["event"] == "container" for event in self._events())
        return begun and len(Cgroup.of(self.container).procs) == 2


YOU = User()


class Labs:
    """Made-up labs in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._runs: list[LabsRun] = []
        for name in ("conftest.py", "pytest.ini"):
            shutil.copy(OURS / name, root)
        (root / "labs").mkdir()
        (root / "labs" / "questions.toml").write_text(CATALOGUE)

    def chapter(self, *experiments: str, name: str = "01_made_up") -> None:
        """Write a chapter of experiments."""
        text = "\n\n".join(["from fixtures.lab import *\n", *experiments])
        (self.root / "labs" / f"test_{name}.py").write_text(text)

    def start(self, *arguments: str, engine: str | None = None, user: User = YOU) -> LabsRun:
        """Start a run, on that engine or on one that it finds by itself."""
        unset = ("DOCKER_HOST", "DOCKER_CONTEXT", "PYTEST_ADDOPTS")
        environment = {key: value for key, value in os.environ.items() if key not in unset}
        environment |= ENVIRONMENT
        if engine:
            environment["DOCKER_HOST"] = engine
        run = LabsRun(self.root, user, list(arguments), environment)
        self._runs.append(run)
        return run

    def run(self, *arguments: str, **how: Any) -> LabsRun:
        """Start a run and wait for its end."""
        run = self.start(*arguments, **how)
        run.end()
        return run

    def close(self) -> None:
        """End what still runs."""
        for run in self._runs:
            if run.process.poll() is None:
                run.process.kill()
                run.process.wait()
