"""Made-up runs, written as a run writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fixtures.events import SCHEMA, Stream

BENCH: dict[str, Any] = {
    "kernel": "6.1",
    "machine": "x86_64",
    "distribution": "A made-up distribution",
    "boot_id": "8bf23908-2b98-4a15-ab68-acc24702fc10",
    "cpus": 2,
    "memory": 25274793984,
    "swap": 0,
    "cgroup_version": "v2",
    "cgroup_controllers": {"memory": "v2"},
    "namespaces": ["net", "pid"],
    "security_modules": None,
    "seccomp": "errno allow",
    "suite": {"python": "3.11", "user": 0, "seccomp": None, "bounding_capabilities": ["KILL"]},
    "engine": {
        "version": "29.0",
        "api_version": "1.52",
        "url": "unix:///run/docker.sock",
        "chosen_because": "it was made up",
        "components": {"runc": "1.3"},
        "storage_driver": "overlay2",
        "cgroup_driver": "systemd",
        "cgroup_version": "2",
        "security_options": ["name=seccomp"],
        "runtimes": ["runc"],
        "default_runtime": "runc",
        "data_root": "/var/lib/docker",
        "processes": [{"pid": 42, "parent": 1, "name": "dockerd"}],
    },
    "image": "sha256:made-up",
    "not_observable": {"swap": {"reason": "there is none", "remedy": "turn some on"}},
}
EXPERIMENT: dict[str, Any] = {
    "id": "something-holds",
    "chapter": "99_made_up",
    "chapter_title": "Chapter 99: made up.",
    "path": "labs/test_99_made_up.py",
    "line": 7,
    "function": "test_something_holds",
    "claim": "Something holds.",
    "kernel": "the kernel sees to it.",
    "without": "nobody sees to it.",
    "source": "made-up(7)",
    "code": "def test_something_holds(container):\n    assert it\n",
    "answers": ["made-1"],
    "requires": [],
    "given": {"path": "/made/up"},
    "private_engine": None,
    "controls": [
        {"trial": "without-it", "name": "without it", "changes": {"it": False}, "requires": []}
    ],
    "contrast": None,
}


class MadeUpRun(Stream):
    """A stream of one experiment, with one control."""

    def begin(self, schema: int = SCHEMA, bench: dict[str, Any] = BENCH) -> None:
        self.write("run", schema=schema, id="made-up", started="2026-11-22T17:20:44Z",
                   command=["pytest", "labs"], commit=None, whole=True)  # fmt: skip
        self.write("bench", **bench)
        self.question("made-1", "holds")
        self.question("made-2", "prose only")
        self.experiment()

    def question(self, name: str, standing: str) -> None:
        self.write("question", id=name, text="A made-up text", kind="question", quote="Is it?",
                   standing=standing, answer="It is.", sources=["made-up(7)"])  # fmt: skip

    def experiment(self, **declared: Any) -> None:
        self.write("experiment", **EXPERIMENT | declared)

    def trial(self, name: str, outcome: str, reason: str = "", *, values: str = "True") -> None:
        """A trial from its beginning to its end, with a fact."""
        self.start(name)
        self.write("fact", source="it", text=values, line=1, held=True)
        self.end(name, outcome, reason)

    def observe(self) -> None:
        """One of everything that is observed."""
        self.write("doing", what="starting the container")
        self.write("container", role="container", name="made-up-1", id="e" * 64,
                   line="docker run busybox", host_pid=43,
                   ancestors=[{"pid": 41, "name": "containerd-shim"}])  # fmt: skip
        self.write("process", container="host", argv=["sleep", "9"], host_pid=44, found=False)
        self.write("signal", host_pid=44, signal="SIGTERM")
        self.write("command", container="made-up-1", argv=["cat", "/x"], exit_code=0,
                   stdout="x\n", stderr="", seconds=0.1, truncated=False)  # fmt: skip
        self.write("file", path="/sys/fs/cgroup/x/memory.max", field=None, value="max",
                   name="memory.max")  # fmt: skip
        self.write("api", source="docker info Driver", value="overlay2")
        self.write("timeline", ms=9.5, known=[{"pid": 42, "name": "containerd"}],
                   processes=[{"pid": 45, "parent": 42, "began": 1.5, "ended": None,
                               "exit_code": None, "names": [{"at": 2, "name": "init"}],
                               "programs": [{"at": 1.75, "argv": ["runc", "create"]}]}],
                   told=[{"at": 3, "what": "container start"}])  # fmt: skip
        self.write("capture", where="eth0 of host-1", wanted="of UDP", found=1, of=3,
                   packets=[{"length": 60, "bytes": "0242", "layers": [
                       {"name": "UDP", "begin": 0, "size": 8, "fields": {"source": "9"}}]}])  # fmt: skip

    def start(self, name: str) -> None:
        self.write("start", experiment="something-holds", trial=name)

    def end(self, name: str, outcome: str, reason: str = "") -> None:
        self.write("end", experiment="something-holds", trial=name, outcome=outcome,
                   reason=reason, seconds=0.5)  # fmt: skip

    def finish(self) -> None:
        self.write("finish", exit_status=0, seconds=1.5, cpu_user=0.5, cpu_system=0.25)
        self.close()


def proven(folder: Path, **begin: Any) -> Path:
    """The file of a run whose only experiment is proven."""
    stream = MadeUpRun(folder)
    stream.begin(**begin)
    stream.trial("as-is", "held")
    stream.trial("without-it", "fell")
    stream.finish()
    return stream.path


def observed(folder: Path) -> Path:
    """The file of a run that has an event of every type."""
    stream = MadeUpRun(folder)
    stream.begin()
    for trial, outcome in (("as-is", "held"), ("without-it", "fell")):
        stream.start(trial)
        stream.observe()
        stream.write("fact", source="it", text=str(outcome == "held"), line=1,
                     held=outcome == "held")  # fmt: skip
        stream.end(trial, outcome)
    stream.finish()
    return stream.path
