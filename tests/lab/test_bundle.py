"""An OCI bundle of an experiment's own: a container of it runs, and nothing of it is left."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.engine import BenchError, Engine, cgroups, scratch
from fixtures.kernel import Cgroup
from fixtures.lab.bundle import OwnBundle

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="runc takes root"),
]

CONFIG = {
    "ociVersion": "1.0.0",
    "root": {"path": "rootfs"},
    "process": {"args": ["/bin/sleep", "infinity"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
}


@pytest.fixture
def folder(engine: Engine) -> Iterator[Path]:
    made = scratch.make(engine.owner)
    yield made
    scratch.remove(made)


def config(bundle: OwnBundle, **more: object) -> dict[str, object]:
    linux = {"namespaces": [{"type": "mount"}, {"type": "pid"}], "cgroupsPath": bundle.cgroup}
    return CONFIG | {"linux": linux} | more


def test_its_container_is_where_it_says_and_goes_without_a_trace(
    engine: Engine, folder: Path
) -> None:
    bundle = OwnBundle(engine, folder)
    process = bundle.run(config(bundle))

    assert process.argv == ("/bin/sleep", "infinity")
    assert process.mounts.at("/").root == str(bundle.root)
    assert Cgroup.of(process).path == bundle.cgroup

    bundle.remove()

    assert not process.alive
    assert [top for top in cgroups.hierarchies() if (top / bundle.cgroup[1:]).exists()] == []
    assert list((folder / "state").iterdir()) == []


def test_what_the_runtime_refuses_is_said(engine: Engine, folder: Path) -> None:
    bundle = OwnBundle(engine, folder)
    wrong = {"args": ["/bin/nothing"], "cwd": "/", "user": {"uid": 0, "gid": 0}}

    with pytest.raises(BenchError, match=r"runc made no container of the bundle: .*nothing"):
        bundle.run(config(bundle, process=wrong))

    bundle.remove()
