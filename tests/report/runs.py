"""Made-up runs in memory, for what is rendered of them."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from fixtures.events import Experiment, Run, Trial

from ..events.streams import BENCH, EXPERIMENT

Event = dict[str, Any]

HEADER: Event = {
    "event": "run",
    "schema": 1,
    "id": "made-up",
    "started": "2026-11-22T17:20:44Z",
    "command": ["pytest", "labs"],
    "commit": None,
    "whole": True,
}
LINE = "docker run --detach --memory=32m busybox sleep infinity"
IMAGE_ID = f"sha256:{'26ea5877866b' * 5}0000"
PID, NEIGHBOUR_PID, HOST_PID = 200, 300, 100
FOLDER = "/tmp/isolation-labs.8bf23908.4026531836.13183.882183._qwodvlf"


def run(*experiments: Experiment, **fields: Any) -> Run:
    """A run of these; `fields` are those of Run that differ."""
    by_id = {experiment.id: experiment for experiment in experiments}
    given: dict[str, Any] = {
        "header": HEADER,
        "bench": BENCH,
        "questions": {},
        "experiments": by_id,
        "finish": None,
    }
    return Run(**given | fields)


def experiment(*trials: Trial, **declared: Any) -> Experiment:
    """Something-holds of events/streams.py; `declared` are the fields that differ."""
    return Experiment(EXPERIMENT | declared, {trial.name: trial for trial in trials})


def trial(name: str, outcome: str, *events: Event, reason: str = "") -> Trial:
    return Trial(name, outcome, reason, 0.5, list(events))


def control(name: str, trial: str = "without-it", **changes: Any) -> Event:
    """A control, as an experiment declares it."""
    return {"trial": trial, "name": name, "changes": changes, "requires": []}


def fact(values: str, *, held: bool = True, source: str = "it", line: int = 5) -> Event:
    return {"event": "fact", "source": source, "text": values, "line": line, "held": held}


def container(line: str = LINE, role: str = "container", pid: int = PID) -> Event:
    """A container; its id is that of its role."""
    return {
        "event": "container",
        "role": role,
        "name": f"isolation-labs-42-{pid}",
        "id": identity(role),
        "line": line,
        "host_pid": pid,
    }


def identity(role: str) -> str:
    return hashlib.sha256(role.encode(errors="backslashreplace")).hexdigest()


def host() -> Event:
    """The process that stands for the host."""
    return process("host", "sleep", "infinity", pid=HOST_PID)


def process(where: str, *argv: str, pid: int, found: bool = False) -> Event:
    return {
        "event": "process",
        "container": where,
        "argv": list(argv),
        "host_pid": pid,
        "found": found,
    }


def sent(signal: str, pid: int) -> Event:
    return {"event": "signal", "host_pid": pid, "signal": signal}


def command(
    *argv: str, where: str | int = PID, stdout: str = "", stderr: str = "", exit_code: int = 0
) -> Event:
    """A command that was run in the container with that pid, or on the host."""
    return {
        "event": "command",
        "container": where if isinstance(where, str) else f"isolation-labs-42-{where}",
        "argv": list(argv),
        "exit_code": exit_code,
        "stdout": stdout,
        "stderr": stderr,
        "seconds": 0.125,
        "truncated": False,
    }


def file(path: str, value: str = "", field: str | None = None, **more: Any) -> Event:
    return {"event": "file", "path": path, "field": field, "value": value, **more}


def build(
    line: str = "DOCKER_BUILDKIT=1 docker build --tag=lab-image .",
    name: str = "lab-image",
    builder: str = "buildkit",
    image: str | None = IMAGE_ID,
    output: str = "",
    **files: str | bytes,
) -> Event:
    """A build of these files; bytes are a program."""
    return {
        "event": "build",
        "builder": builder,
        "name": name,
        "line": line,
        "files": [
            {"path": path, "text": each, "base64": None}
            if isinstance(each, str)
            else {"path": path, "text": None, "base64": base64.b64encode(each).decode()}
            for path, each in files.items()
        ],
        "exit_code": 0 if image else 1,
        "output": output,
        "image": image,
        "seconds": 0.25,
    }


def api(source: str, value: str = "") -> Event:
    return {"event": "api", "source": source, "value": value}


def layer(name: str, begin: int = 0, size: int = 8, **fields: str) -> Event:
    """A header in a packet."""
    return {"name": name, "begin": begin, "size": size, "fields": fields}


def capture(*packets: list[Event], where: str = "eth0 of host-1", content: str = "") -> Event:
    """The packets, each as its layers, that were asked for of three times as many."""
    return {
        "event": "capture",
        "where": where,
        "wanted": "from 10.0.1.2 to 10.0.1.4",
        "found": len(packets),
        "of": 3 * len(packets),
        "packets": [{"length": 148, "bytes": content, "layers": layers} for layers in packets],
    }


CARRIED = [
    layer("Ethernet", 0, 14, source="46:d8:10:66:01:39", destination="6e:e3:ec:95:09:58"),
    layer("IPv4", 14, 20, source="192.0.2.1", destination="192.0.2.2", protocol="UDP"),
    layer("UDP", 34, 8, source="44099", destination="4789", length="114"),
    layer("VXLAN", 42, 8, VNI="4097"),
    layer("Ethernet", 50, 14, source="02:42:0a:00:01:02", destination="02:42:0a:00:01:04"),
    layer("IPv4", 64, 20, source="10.0.1.2", destination="10.0.1.4", protocol="ICMP"),
    layer("ICMP", 84, 8, message="echo request"),
    layer("data", 92, 56),
]
"""the layers of a frame in a VXLAN packet"""
