"""What a run could leave on this machine, listed without knowing what it is called."""

from __future__ import annotations

import os
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import docker
import pytest

from fixtures.engine.ownership import Owner
from fixtures.engine.waiting import poll

MARK = "ISOLATION_LABS_TEST"
"""the environment variable that everything inherits which is started meanwhile"""

FOLDERS = ("/run/netns", "/sys/class/net", "/var/lib", "/var/lib/isolation-labs")


@contextmanager
def nothing_is_left(*clients: docker.DockerClient, within: float = 15) -> Iterator[None]:
    """What is started and made meanwhile, on the machine and these engines, is gone afterwards."""
    mark = uuid.uuid4().hex
    before = _traces(mark, *clients)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MARK, mark)
        yield
    left = poll(
        lambda: sorted(filter(_is_ours, _traces(mark, *clients) - before)),
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
    for folder in FOLDERS:
        with suppress(FileNotFoundError):
            yield from (f"file {folder}/{name}" for name in os.listdir(folder))


def _processes(mark: str) -> Iterator[str]:
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if f"{MARK}={mark}".encode() in (process / "environ").read_bytes():
                yield f"process {process.name} {(process / 'cmdline').read_text()}"


def _things(client: docker.DockerClient) -> Iterator[str]:
    api = client.api
    yield from (f"container {each['Id']}" for each in api.containers(all=True))
    yield from (f"network {each['Id']}" for each in api.networks())
    yield from (f"volume {each['Name']}" for each in api.volumes()["Volumes"] or ())
    for image in api.images(all=True):
        yield f"image {image['Id']}"
        yield from (f"tag {tag}" for tag in image["RepoTags"] or ())


def _is_ours(trace: str) -> bool:
    """Whether it is nobody's who lives: the labs may be run by others while the tests run."""
    for text in re.findall(r"\b[0-9a-f]{8}\.\d+\.\d+\.\d+", trace):
        owner = Owner.parse(text)
        if owner.pid != os.getpid() and not owner.dead:
            return False
    return True
