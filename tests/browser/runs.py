"""Made-up runs for the browser: one with every verdict and every event, and a large one."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fixtures.events import SCHEMA

from ..project import OURS

Event = dict[str, Any]

SAMPLE = OURS / "reports" / "sample" / "events.jsonl"
"""the committed run"""

CODE = '''\
@answers("made-1")
@without("the limit", mem_limit=None)
def test_it(container):
    """Something holds."""
    assert container.cgroup.memory.max == 32 << 20
'''

VERDICTS = {
    "proven": ("held", "fell"),
    "refuted": ("fell", "fell"),
    "vacuous": ("held", "held"),
    "unproven": ("held", None),
    "not observable here": ("not observable", "not observable"),
    "broken": ("broken", "fell"),
}
"""verdict → the outcomes as it is and without; None was interrupted"""

GROUP = "/sys/fs/cgroup/isolation-labs/c0ffee"


def run_event() -> Event:
    return {
        "event": "run",
        "schema": SCHEMA,
        "id": "20260102-030405-42",
        "started": "2026-01-02T03:04:05Z",
        "command": ["pytest", "labs/"],
        "commit": "0123456+",
        "whole": True,
    }


def bench_event() -> Event:
    return {
        "event": "bench",
        "kernel": "6.1.0-made-up",
        "machine": "x86_64",
        "distribution": "Made-up Linux 1",
        "boot_id": "8bf23908-2b98-4a15-ab68-acc24702fc10",
        "cpus": 2,
        "memory": 4 << 30,
        "swap": 0,
        "cgroup_version": "v2",
        "cgroup_controllers": {"memory": "v2", "cpu": "v2", "pids": "v2"},
        "namespaces": ["cgroup", "ipc", "mnt", "net", "pid", "user", "uts"],
        "security_modules": "capability,apparmor",
        "seccomp": "kill_process errno allow",
        "suite": {
            "python": "3.11.2",
            "user": 0,
            "seccomp": "disabled",
            "bounding_capabilities": ["CHOWN"],
        },
        "engine": {
            "version": "29.0.0",
            "api_version": "1.52",
            "url": "unix:///var/run/docker.sock",
            "chosen_because": "the default socket",
            "components": {"Engine": "29.0.0", "containerd": "2.1.0", "runc": "1.3.0"},
            "storage_driver": "overlay2",
            "cgroup_driver": "systemd",
            "cgroup_version": "2",
            "security_options": ["name=seccomp,profile=builtin", "name=cgroupns"],
            "runtimes": ["io.containerd.runc.v2", "runc"],
            "default_runtime": "runc",
            "data_root": "/var/lib/docker",
            "configuration": {
                "icc": "false",
                "ip-masq": "false",
                "live-restore": "true",
                "log-driver": "local",
                "log-opts.max-size": None,
                "default-address-pools": None,
                "runtimes.nvidia": None,
            },
            "private": False,
            "processes": [
                {"pid": 900, "parent": 1, "name": "dockerd"},
                {"pid": 910, "parent": 900, "name": "containerd"},
            ],
        },
        "image": f"sha256:{'ba' * 32}",
        "not_observable": {"swap": {"reason": "no swap is on", "remedy": "turn swap on"}},
    }


def question_events() -> Iterator[Event]:
    standings = ("holds", "holds with conditions", "wrong", "prose only")
    for number, standing in enumerate(standings, start=1):
        question = {
            "event": "question",
            "id": f"made-{number}",
            "kind": "claim" if number % 2 else "question",
            "quote": f"Does the made-up thing number {number} hold?",
            "standing": standing,
            "answer": f"It does, as the answer number {number} says.",
            "sources": ["cgroups(7)", "https://docs.kernel.org/made-up.html"],
            "text": f"The made-up text {1 + number // 3}",
        }
        if standing == "wrong":
            question["correction"] = "It does not, as the correction says."
        yield question


def experiment_event(verdict: str, number: int) -> Event:
    identity = f"something-is-{verdict.replace(' ', '-')}"
    return {
        "event": "experiment",
        "id": identity,
        "chapter": f"{number // 3:02}_made_up",
        "chapter_title": f"Chapter {number // 3}: made up. What the chapter {number // 3} is about.",
        "path": f"labs/test_{number // 3:02}_made_up.py",
        "line": 10 + number,
        "function": f"test_{identity.replace('-', '_')}",
        "claim": f"Something is {verdict}: it holds with the limit, and not without.",
        "kernel": f"memory.max of cgroups(7), for the one that is {verdict}.",
        "without": f"Without the limit there is no number, where it is {verdict}.",
        "source": "cgroups(7), admin-guide/cgroup-v2.rst",
        "code": CODE,
        "answers": ["made-1", f"made-{2 + number % 2}"],
        "requires": ["cgroup:memory"],
        "given": {"step": "as usual"},
        "private_engine": {"live-restore": True} if number % 2 else None,
        "controls": [
            {
                "trial": "without-the-limit",
                "name": "the limit",
                "changes": {"mem_limit": None},
                "requires": ["swap"],
            }
        ],
        "contrast": None,
    }


def observations(control: bool) -> Iterator[Event]:
    """What a trial with a container, a neighbour and a memory limit announces."""
    limit = [] if control else ["--memory=32m"]
    for offset, role in enumerate(("container", "neighbour")):
        yield {
            "event": "container",
            "role": role,
            "name": f"isolation-labs-42-{offset}",
            "id": f"{offset}c0ffee0" * 8,
            "line": " ".join(["docker run --detach", *limit, "busybox sleep infinity"]),
            "host_pid": 1000 + offset,
            "ancestors": [
                {"pid": 950 + offset, "name": "containerd-shim"},
                {"pid": 1, "name": "systemd"},
            ],
        }
    yield {
        "event": "process",
        "container": "host",
        "argv": ["sleep", "infinity"],
        "host_pid": 990,
    }
    yield {"event": "signal", "host_pid": 990, "signal": "SIGCONT"}
    yield {"event": "doing", "what": "running `dd` in the container"}
    yield {
        "event": "command",
        "container": "isolation-labs-42-0",
        "argv": ["dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1"],
        "exit_code": 0 if control else 137,
        "stdout": "what it said\n",
        "stderr": "what it complained of\n",
        "seconds": 0.25,
        "truncated": control,
    }
    for kind in ("pid", "net", "mnt", "uts", "ipc", "cgroup", "user"):
        for offset, pid in enumerate((990, 1000, 1001)):
            yield file(f"/proc/{pid}/ns/{kind}", f"{kind}:[{4026531835 + offset}]")
    yield file("/proc/1000/status", "1000 1", field="NSpid")
    if not control:
        yield file(f"{GROUP}/memory.max", "33554432", name="memory.max")
    yield file(f"{GROUP}/cpu.stat", "12", field="nr_throttled", name="cpu.stat")
    yield file(f"{GROUP}/pids.max", "16", name="pids.max")
    for step in range(1, 9):
        yield file(f"{GROUP}/memory.current", str(step << 22), name="memory.current")
        yield file(f"{GROUP}/pids.current", str(2 * step), name="pids.current")
    yield file("/proc/1000/mountinfo", "/var/lib/docker/overlay2/top/diff", field="/")
    yield file("/var/lib/docker/overlay2/l/AAAA", "/var/lib/docker/overlay2/low/diff", field="link")
    yield {"event": "api", "source": "docker inspect State.OOMKilled", "value": "true"}


def file(path: str, value: str, field: str | None = None, name: str | None = None) -> Event:
    return {"event": "file", "path": path, "field": field, "value": value, "name": name}


def trial_events(
    identity: str, trial: str, outcome: str | None, *, observed: int | None = 5
) -> Iterator[Event]:
    """A trial with so many of its observations, None for all."""
    control = trial != "as-is"
    yield {"event": "start", "experiment": identity, "trial": trial}
    if outcome != "not observable":
        yield from list(observations(control))[:observed]
    if outcome in ("held", "fell"):
        yield fact("container.init.alive", "True", 4, held=True)
        seen = "33554432" if outcome == "held" else "None"
        text = f"{seen} == 33554432"
        yield fact("container.cgroup.memory.max == 32 << 20", text, 5, held=outcome == "held")
    if outcome is not None:
        reasons = {"held": "", "fell": "it was not so"}
        yield {
            "event": "end",
            "experiment": identity,
            "trial": trial,
            "outcome": outcome,
            "reason": reasons.get(outcome, f"the reason why it is {outcome}"),
            "seconds": 0.5,
        }


def fact(source: str, text: str, line: int, *, held: bool) -> Event:
    return {"event": "fact", "source": source, "text": text, "line": line, "held": held}


def every_verdict() -> Iterator[Event]:
    """A run with an experiment for each verdict, and one contrast."""
    experiments = [experiment_event(verdict, each) for each, verdict in enumerate(VERDICTS)]
    contrast = experiment_event("a contrast", len(experiments))
    contrast |= {"controls": [], "contrast": "the kernel can not be taken away"}
    yield run_event()
    yield bench_event()
    yield from question_events()
    yield from experiments
    yield contrast
    for experiment, outcomes in zip(experiments, VERDICTS.values(), strict=True):
        for trial, outcome in zip(("as-is", "without-the-limit"), outcomes, strict=True):
            # One experiment has all, so that all pictures are drawn once.
            observed = None if experiment is experiments[0] else 5
            yield from trial_events(experiment["id"], trial, outcome, observed=observed)
    yield from trial_events(contrast["id"], "as-is", "held")
    yield {
        "event": "finish",
        "exit_status": 1,
        "seconds": 12.5,
        "cpu_user": 1.5,
        "cpu_system": 0.5,
    }


def sample() -> Iterator[Event]:
    """The committed run."""
    with SAMPLE.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def large(experiments: int, output: int) -> Iterator[Event]:
    """The committed run's experiments again and again, each with so many characters of output."""
    line = "a line of what it printed, and so on and so forth\n"
    printed = {
        "event": "command",
        "container": "host",
        "argv": ["cat", "/a/long/file"],
        "exit_code": 0,
        "stdout": (line * (output // len(line) + 1))[:output],
        "stderr": "",
        "seconds": 0.1,
        "truncated": False,
    }
    events = list(sample())
    yield from (event for event in events if event["event"] in ("run", "bench", "question"))
    declared = {event["id"]: event for event in events if event["event"] == "experiment"}
    observed: dict[str, list[Event]] = {identity: [] for identity in declared}
    current: list[Event] = []
    for event in events:
        if event["event"] == "start":
            current = observed[event["experiment"]]
        if event["event"] not in ("run", "bench", "question", "experiment", "finish"):
            current.append(event)
    copies = [
        (original, f"{original}-{number}")
        for number, original in zip(range(experiments), itertools.cycle(declared), strict=False)
    ]
    for original, identity in copies:
        yield {**declared[original], "id": identity}
    for original, identity in copies:
        for event in observed[original]:
            yield {**event, "experiment": identity} if "experiment" in event else event
            if event["event"] == "start" and event["trial"] == "as-is":
                yield printed
    yield {"event": "finish", "exit_status": 0, "seconds": 1.0, "cpu_user": 1, "cpu_system": 1}


def written(events: Iterator[Event], folder: Path) -> Path:
    """The file of these events, as a run writes it."""
    path = folder / "events.jsonl"
    with path.open("w", encoding="utf-8") as stream:
        for number, event in enumerate(events):
            stream.write(json.dumps({"event": "", "at": number / 100, **event}) + "\n")
    return path
