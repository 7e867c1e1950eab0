"""What a test could leave on this machine: what carries its owner, and what its processes are.

Others use the machine meanwhile: their engines, and their runs of the labs, come and go. So only
what names an owner of the test's counts, or the suite and no owner. All that the suite makes does:
what it is called, labelled, kept in or below says so. On an engine of the test's own all counts.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import docker
import psutil
import pytest

from fixtures.engine import home
from fixtures.engine.ownership import LABEL, Owner
from fixtures.engine.waiting import poll
from fixtures.kernel import Process, ProcessGone

MARK = "ISOLATION_LABS_TEST"
"""the environment variable that everything inherits which is started meanwhile"""

FOLDERS = ("/run/netns", "/sys/class/net", "/var/lib", str(home.HOME))

_OWNER = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}\.\d+\.\d+\.\d+")
# What comes with the first container of an engine and goes with it: one that stands has its folder.
_OF_AN_ENGINE = re.compile(
    rf"^cgroup .*/isolation-labs\.({_OWNER.pattern}\.\d+)$"
    rf"|^mount .*/({_OWNER.pattern}\.\d+)/exec/netns/default "
)
_SUITE = re.compile(r"isolation[-_]labs")

Identity = tuple[int, int]
"""the pid of a process, and when it started"""


@contextmanager
def nothing_is_left(*clients: docker.DockerClient, within: float = 60) -> Iterator[None]:
    """What is started and made meanwhile, on the machine and these engines, is gone afterwards."""
    mark = uuid.uuid4().hex
    before = _traces(mark, *clients)
    ours = _family()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MARK, mark)
        _note_children(patch, ours)
        yield
    ours |= _family()
    left = poll(
        lambda: sorted(
            each for each in _traces(mark, *clients) - before if _is_ours(each, mark, ours)
        ),
        lambda left: not left,
        within,
    )
    assert left == [], "\n".join(left)  # pytest does not rewrite the asserts of this file


def _traces(mark: str, *clients: docker.DockerClient) -> set[str]:
    found = {*_mounts(), *_cgroups(), *_folders(), *_processes(mark)}
    for client in clients:
        found.update(_things(client))
    return found


def _mounts() -> Iterator[str]:
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        yield f"mount {line.partition(' ')[2]}"


def _cgroups() -> Iterator[str]:
    for directory, _, _ in os.walk("/sys/fs/cgroup"):
        yield f"cgroup {directory}"


def _folders() -> Iterator[str]:
    for folder in (*FOLDERS, tempfile.gettempdir()):
        with suppress(FileNotFoundError, PermissionError):
            yield from (f"file {folder}/{name}" for name in os.listdir(folder))


def _processes(mark: str) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes():
                yield f"process {process.name} {mark} {(process / 'cmdline').read_text()}"


def _things(client: docker.DockerClient) -> Iterator[str]:
    """Each with its labels and with where the engine has its data, which names who an engine is of."""
    api = client.api
    place = client.info()["DockerRootDir"]

    def thing(kind: str, name: str, known: dict[str, Any]) -> str:
        owner = (known.get("Labels") or {}).get(LABEL, "")
        names = " ".join([*(known.get("Names") or ()), *(known.get("RepoTags") or ())])
        return f"{kind} {name} {known.get('Name', '')} {names} {owner} in {place}"

    yield from (thing("container", each["Id"], each) for each in api.containers(all=True))
    yield from (thing("network", each["Id"], each) for each in api.networks())
    yield from (thing("volume", each["Name"], each) for each in api.volumes()["Volumes"] or ())
    for image in api.images(all=True):
        yield thing("image", image["Id"], image | {"RepoTags": None})
        yield from (f"tag {tag} in {place}" for tag in image["RepoTags"] or ())


def _is_ours(trace: str, mark: str, ours: set[Identity]) -> bool:
    if mark in trace:
        return True
    if trace == f"file {home.HOME}":
        # A run of somebody else's makes it as well; it goes with the last thing in it.
        return not any(home.HOME.iterdir()) if home.HOME.exists() else False
    if (found := _OF_AN_ENGINE.search(trace)) and (home.HOME / (found[1] or found[2])).exists():
        return False
    owners = [Owner.parse(text) for text in _OWNER.findall(trace)]
    if owners:
        return any((owner.pid, owner.start_time) in ours for owner in owners)
    return _SUITE.search(trace) is not None


def _family() -> set[Identity]:
    """This process and those that it, or one of them, has started and that live."""
    this = psutil.Process()
    pids = [this.pid, *(each.pid for each in this.children(recursive=True))]
    return {found for pid in pids if (found := _identity(pid))}


def _identity(pid: int) -> Identity | None:
    with suppress(ProcessGone):
        return pid, Process(pid).start_time
    return None


def _note_children(patch: pytest.MonkeyPatch, ours: set[Identity]) -> None:
    """Note each process that this one starts: what a dead one has left is the test's as well."""
    start = subprocess.Popen.__init__

    def noting(popen: subprocess.Popen[Any], *words: Any, **how: Any) -> None:
        start(popen, *words, **how)
        if found := _identity(popen.pid):
            ours.add(found)

    patch.setattr(subprocess.Popen, "__init__", noting)
