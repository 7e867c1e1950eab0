"""A containerd without a dockerd: it makes a container, and nothing of it is left."""

from __future__ import annotations

import os

import pytest

from fixtures.engine import BenchError, Engine, cgroups, image
from fixtures.engine.containerd import Containerd
from fixtures.engine.private import cgroup_name
from tests.traces import nothing_is_left

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="containerd takes root"),
]


def test_its_container_runs_and_goes_with_it(engine: Engine) -> None:
    busybox = image.find_busybox()
    with nothing_is_left():
        containerd = Containerd(engine.owner, busybox, engine.host_command)
        try:
            process = containerd.run("sleep", "27182818.25")

            assert process.argv == ("sleep", "27182818.25")
            assert f"/{cgroup_name(containerd.directory)}/lab" in process.cgroup_lines[0]
            with pytest.raises(BenchError, match="ctr run"):
                containerd.run("sleep", "1")
        finally:
            containerd.remove()

    assert not process.alive
    name = cgroup_name(containerd.directory)
    assert [top for top in cgroups.hierarchies() if (top / name).exists()] == []
