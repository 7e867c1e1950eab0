"""A Podman of the run's own: it makes containers as an engine does, and goes without a trace."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from fixtures.engine import Engine, Owner, podman, private, product
from fixtures.engine.options import DEFAULTS, merged
from fixtures.engine.podman import PrivatePodman
from fixtures.engine.reaper import Reaper
from fixtures.engine.waiting import poll
from fixtures.kernel import NotObservable, Process, ProcessGone, processes
from tests.traces import nothing_is_left

needs_podman = pytest.mark.skipif(podman.missing() is not None, reason=str(podman.missing()))

NUMBERS = itertools.count(950)

VERSION = {
    "Components": [
        {"Name": "Podman Engine", "Version": "4.3.1"},
        {"Name": "Conmon", "Version": "conmon version 2.1.6, commit: unknown"},
        {"Name": "OCI Runtime (runc)", "Version": "runc version 1.1.5+ds1\ncommit: 1.1.5"},
    ]
}


def test_podman_says_who_it_is_and_of_what_parts() -> None:
    assert product.of(VERSION) == "Podman"
    assert product.of({"Components": [{"Name": "Engine", "Version": "29.0"}]}) == "Docker"
    assert product.components(VERSION) == {
        "Podman Engine": "4.3.1",
        "Conmon": "2.1.6",
        "runc": "1.1.5+ds1",
    }


@contextmanager
def private_podman(reaper: Reaper) -> Iterator[tuple[Engine, PrivatePodman]]:
    engine = Engine.start_private(Owner.current(), reaper, kind=PrivatePodman)
    assert isinstance(engine.private, PrivatePodman)
    try:
        yield engine, engine.private
    finally:
        engine.close()


def cgroups_of_podman() -> list[Path]:
    return list(Path("/sys/fs/cgroup").glob(f"**/{private.PODMANS_PARENT}"))


@pytest.mark.engine
@needs_podman
def test_its_containers_are_those_that_were_asked_for(reaper: Reaper) -> None:
    with nothing_is_left(), private_podman(reaper) as (engine, _):
        container = engine.start(
            merged(DEFAULTS, {"network_mode": "bridge", "mem_limit": "64m", "memswap_limit": "64m"})
        )

        assert (engine.product, engine.daemons) == ("Podman", [])
        assert engine.name.startswith("Podman ")
        assert container.init.parent.name == "conmon"
        assert container.cgroup.memory.max == 64 * 1024 * 1024
        assert container.bundle["process.args"] == ["sleep", "infinity"]
        assert container.exec("true").exit_code == 0
        process = container.spawn("sleep", "1000")
        assert process.exit_code is None
        assert {"create", "start"} <= set(container.events())
        assert engine.image_ids


@pytest.mark.engine
@needs_podman
def test_what_it_refuses_is_not_observable(reaper: Reaper) -> None:
    with private_podman(reaper) as (engine, _):
        wrong = merged(DEFAULTS, {"tmpfs": {"/place": "nonsense=1"}})

        with pytest.raises(NotObservable, match="Podman refuses it: "):
            engine.start(wrong)


@pytest.mark.engine
@needs_podman
def test_it_leaves_nothing_though_its_containers_run(reaper: Reaper) -> None:
    """conmon outlives the service, and would start a podman when its container ends."""
    before = cgroups_of_podman()
    with nothing_is_left(), private_podman(reaper) as (engine, service):
        first = engine.start(DEFAULTS)
        first.spawn("sleep", "1000")
        conmons = [each for each in processes() if _names(each, service.directory)]
        assert len(conmons) >= 2

    assert not poll(lambda: first.init.alive, lambda alive: not alive, seconds=60)
    assert not any(each.alive for each in conmons)
    assert cgroups_of_podman() == before


@pytest.mark.engine
@needs_podman
def test_the_next_run_removes_what_a_killed_one_left(reaper: Reaper) -> None:
    script = """
import os, signal
from fixtures.engine import Owner
from fixtures.engine.podman import PrivatePodman
from fixtures.engine.engine import Engine
from fixtures.engine.options import DEFAULTS
class Nobody:
    def __getattr__(self, name): return lambda *given: None
engine = Engine.start_private(Owner.current(), Nobody(), kind=PrivatePodman)
engine.start(DEFAULTS | {"network_mode": "bridge"})
print(engine.private.directory, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    with nothing_is_left():
        done = subprocess.run(
            [sys.executable, "-c", script],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
            check=False,
        )
        left = Path(done.stdout.strip())
        assert left.is_dir(), done.stderr

        assert private.sweep() >= 1
        assert not left.exists()


@pytest.mark.engine
@needs_podman
def test_a_sweep_leaves_the_living_alone(dead: Owner) -> None:
    with nothing_is_left():
        left, living = (PrivatePodman(owner, next(NUMBERS)) for owner in (dead, Owner.current()))
        try:
            for service in (left, living):
                service.start()

            private.sweep()

            assert not left.directory.exists()
            assert living.daemon.alive
            assert living.daemon.namespaces["mnt"] != Process(os.getpid()).namespaces["mnt"]
        finally:
            left.remove()
            living.remove()


def _names(process: Process, directory: Path) -> bool:
    """Whether it is a conmon that works for that engine."""
    with suppress(ProcessGone):
        return process.name == "conmon" and str(directory) in " ".join(process.argv)
    return False
