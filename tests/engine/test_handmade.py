"""Containers that are made by hand. They take root, and no engine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.engine import BenchError, by_hand, handmade, image, private
from fixtures.engine.handmade import STEPS, Workshop
from fixtures.engine.options import DEFAULTS, merged
from fixtures.engine.ownership import Owner
from fixtures.kernel import Cgroup, NotObservable, Process
from fixtures.kernel.system_call import SystemCall

pytestmark = pytest.mark.skipif(
    handmade.missing() is not None or image.busybox_of_this_machine() is None,
    reason=f"needs a machine for containers by hand: {handmade.missing()}",
)

US = Process(os.getpid())


@pytest.fixture
def owner() -> Iterator[Owner]:
    """An owner that lives, so that no run sweeps what is its, and that owns nothing else."""
    child = subprocess.Popen(["sleep", "infinity"])
    try:
        start_time = Process(child.pid).start_time
        yield replace(Owner.current(), pid=child.pid, start_time=start_time)
    finally:
        child.kill()
        child.wait()


def host_command(*argv: str) -> list[str]:
    return ["setpriv", "--pdeathsig=KILL", *argv]


@pytest.fixture
def workshop(owner: Owner) -> Iterator[Workshop]:
    opened = Workshop(owner, image.busybox_of_this_machine() or b"", host_command)
    try:
        yield opened
    finally:
        opened.remove()


def options(**given: Any) -> dict[str, Any]:
    return merged(DEFAULTS, given)


def traces(workshop: Workshop) -> list[Path]:
    """What is left of it on the host."""
    cgroups = Path("/sys/fs/cgroup").glob(f"**/{workshop.cgroup}")
    return [*cgroups, *([workshop.directory] if workshop.directory.exists() else [])]


def test_it_has_what_a_container_has(workshop: Workshop) -> None:
    container = workshop.start(options())

    init = container.init
    assert init.pids == (init.host_pid, 1)
    assert init.namespaces.own_against(US.namespaces) >= {"ipc", "mnt", "net", "pid", "uts"}
    assert container.overlay.upper.entries() == []
    assert Cgroup.of(init) != Cgroup.of(US)
    assert init.capabilities.effective == handmade.CAPABILITIES
    assert init.seccomp == "filter"


def test_commands_run_in_it(workshop: Workshop) -> None:
    container = workshop.start(options())

    assert container.exec("sh", "-c", "echo out; echo err >&2; exit 3").exit_code == 3
    assert container.command_lines()[0] == "sleep infinity"
    container.write("/note", "written")
    assert container.read("/note") == "written"
    process = container.spawn("sleep", "1000")
    assert process.namespaces.own_against(container.init.namespaces) == set()
    assert (Cgroup.of(process), process.seccomp) == (container.cgroup, "filter")
    assert process.exit_code is None
    assert container.answer_to(SystemCall("keyctl", 0, 0)) == "EPERM"


def test_a_command_that_can_not_start_breaks_the_bench(workshop: Workshop) -> None:
    container = workshop.start(options())

    with pytest.raises(BenchError, match="No such file"):
        container.exec("/none")
    with pytest.raises(BenchError, match=r"was not done after 0\.5 s"):
        container.exec("sleep", "10", seconds=0.5)
    with pytest.raises(BenchError, match="ended at once with exit code 125"):
        workshop.start(options(command=("/none",)))


def test_its_line_makes_another_like_it(workshop: Workshop) -> None:
    container = workshop.start(options(user="1000:1000"), role="neighbour", steps=STEPS[:2])

    new = "mnt,pid,net,ipc,uts" + (",cgroup" if handmade.is_v2() else "")
    assert container.line.startswith(f"by_hand.py new={new} hostname=neighbour cgroup=neighbour ")
    assert container.line.endswith(" pids.max=128 user=1000:1000 -- sleep infinity")


def test_without_a_mount_namespace_nothing_is_mounted(workshop: Workshop) -> None:
    def mounts() -> list[str]:
        return [str(each) for each in US.mounts if each.point in ("/", "/proc", "/sys", "/dev")]

    before = mounts()
    container = workshop.start(options(), steps=[step for step in STEPS if step != "namespaces"])

    assert "layers=" not in container.line
    # Nor when by_hand.py is asked for it.
    subprocess.run(
        [sys.executable, by_hand.__file__, "layers=/", "folder=/none", "proc=new", "--", "true"],
        check=True,
    )
    assert mounts() == before
    assert [each for each in US.mounts if each.point.startswith(str(workshop.directory))] == []


def test_limits_are_changed_while_it_runs(workshop: Workshop) -> None:
    container = workshop.start(options(mem_limit="64m", memswap_limit="64m"))

    for size in (128, 64):
        container.update(mem_limit=f"{size}m", memswap_limit=f"{size}m")

        assert container.cgroup.memory.max == size * 1024 * 1024


@pytest.mark.parametrize(
    "given",
    [
        {"privileged": True},
        {"user": "nobody"},
        {"volumes": ["data:/data"]},
        {"volumes": ["/tmp:/data:ro"]},
        {"tmpfs": {"/scratch": "noexec"}},
        {"security_opt": ["no-new-privileges"]},
        {"ipc_mode": "container:other"},
        {"cap_add": ["ALL"]},
    ],
    ids=str,
)
def test_what_it_can_not_fulfil_is_not_observable(
    workshop: Workshop, given: dict[str, Any]
) -> None:
    with pytest.raises(NotObservable, match="a container by hand has no "):
        workshop.start(options(**given))


def test_what_only_an_engine_does_is_not_observable(workshop: Workshop) -> None:
    container = workshop.start(options())

    for request in (container.diff, container.logs, lambda: container.inspect("HostConfig")):
        with pytest.raises(NotObservable, match="a container by hand has no "):
            request()


def test_nothing_is_left_of_a_workshop(workshop: Workshop) -> None:
    container = workshop.start(options(pid_mode="host", network_mode="bridge"))
    process = container.spawn("sleep", "1000")
    assert traces(workshop) != []

    workshop.remove()
    workshop.remove()

    assert traces(workshop) == []
    assert not container.init.alive
    assert not process.alive


def test_what_a_killed_run_left_is_removed_with_its_private_engines(
    workshop: Workshop, owner: Owner
) -> None:
    container = workshop.start(options())

    private.remove_all_of(owner)

    assert traces(workshop) == []
    assert not container.init.alive
