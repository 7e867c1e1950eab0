"""Containers that are made by hand, by runc and by ctr. They take root, and no engine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.engine import BenchError, by_hand, home, image, private
from fixtures.engine.handmade import STEPS, HandmadeWorkshop
from fixtures.engine.handmade_engine import MAKERS
from fixtures.engine.options import DEFAULTS, merged
from fixtures.engine.ownership import Owner
from fixtures.engine.workshop import CAPABILITIES, Workshop, is_v2
from fixtures.kernel import Cgroup, NotObservable, Process
from fixtures.kernel.system_call import SystemCall

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


def opened(maker: str, owner: Owner) -> Iterator[Workshop]:
    if lack := MAKERS[maker].missing():
        pytest.skip(f"needs a machine for {maker}: {lack[0]}")
    try:
        busybox = image.find_busybox()
    except BenchError as error:
        pytest.skip(str(error))
    workshop = MAKERS[maker](owner, busybox, host_command)
    try:
        yield workshop
    finally:
        workshop.remove()


@pytest.fixture(params=MAKERS)
def workshop(request: pytest.FixtureRequest, owner: Owner) -> Iterator[Workshop]:
    """Each maker's."""
    yield from opened(request.param, owner)


@pytest.fixture
def handmade(owner: Owner) -> Iterator[HandmadeWorkshop]:
    """The one for containers by hand."""
    for workshop in opened("by-hand", owner):
        assert isinstance(workshop, HandmadeWorkshop)
        yield workshop


@pytest.fixture
def runc(owner: Owner) -> Iterator[Workshop]:
    yield from opened("runc", owner)


@pytest.fixture
def ctr(owner: Owner) -> Iterator[Workshop]:
    yield from opened("ctr", owner)


def options(**given: Any) -> dict[str, Any]:
    return merged(DEFAULTS, given)


def traces(workshop: Workshop) -> list[Path]:
    """What is left of it on the host."""
    owner = str(workshop.owner)
    cgroups = [  # not by a glob, which trips over those of other runs that go meanwhile
        Path(top, name)
        for top, names, _ in os.walk("/sys/fs/cgroup")
        for name in names
        if name.startswith(f"isolation-labs.{owner}.")
    ]
    mounts = [Path(each.point) for each in US.mounts if owner in each.point]
    return [*cgroups, *mounts, *home.HOME.glob(f"{owner}.*")]


def test_it_has_what_a_container_has(workshop: Workshop) -> None:
    container = workshop.start(options())

    init = container.init
    assert init.pids == (init.host_pid, 1)
    assert init.namespaces.own_against(US.namespaces) >= {"ipc", "mnt", "net", "pid", "uts"}
    # What is mounted there has to be there; Docker and by_hand.py have it in a layer of its own.
    assert {*container.overlay.upper.entries()} <= {"/dev", "/proc", "/run", "/sys"}
    assert Cgroup.of(init) != Cgroup.of(US)
    assert init.capabilities.effective == CAPABILITIES
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

    with pytest.raises(BenchError, match=r"there is no /none in it$"):
        container.exec("/none")
    with pytest.raises(BenchError, match=r"was not done after 0\.5 s"):
        container.exec("sleep", "10", seconds=0.5)
    with pytest.raises(
        BenchError, match=r"ended at once with exit code (125|1): .*(?i:no such file)"
    ):
        workshop.start(options(command=("/none",)))


def test_the_line_of_by_hand_makes_another_like_it(handmade: HandmadeWorkshop) -> None:
    container = handmade.start(options(user="1000:1000"), role="neighbour", steps=STEPS[:2])

    new = "mnt,pid,net,ipc,uts" + (",cgroup" if is_v2() else "")
    assert container.line.startswith(f"by_hand.py new={new} hostname=neighbour cgroup=neighbour ")
    assert container.line.endswith(" pids.max=128 user=1000:1000 -- sleep infinity")


def test_without_a_mount_namespace_nothing_is_mounted(handmade: HandmadeWorkshop) -> None:
    def mounts() -> list[str]:
        return [str(each) for each in US.mounts if each.point in ("/", "/proc", "/sys", "/dev")]

    before = mounts()
    container = handmade.start(options(), steps=[step for step in STEPS if step != "namespaces"])

    assert "layers=" not in container.line
    # Nor when by_hand.py is asked for it.
    subprocess.run(
        [sys.executable, by_hand.__file__, "layers=/", "folder=/none", "proc=new", "--", "true"],
        check=True,
    )
    assert mounts() == before
    assert [each for each in US.mounts if each.point.startswith(str(handmade.directory))] == []


def test_limits_are_changed_while_it_runs(workshop: Workshop) -> None:
    container = workshop.start(options(mem_limit="64m", memswap_limit="64m"))
    if workshop.MAKER == "ctr":
        with pytest.raises(NotObservable, match="a container by ctr has no way to change its"):
            container.update(mem_limit="128m", memswap_limit="128m")
        return

    for size in (128, 64):
        container.update(mem_limit=f"{size}m", memswap_limit=f"{size}m")

        assert container.cgroup.memory.max == size * 1024 * 1024


@pytest.mark.parametrize(
    "given",
    [
        {"privileged": True},
        {"user": "nobody"},
        {"volumes": ["data:/data"]},
        {"restart_policy": {"Name": "always"}},
        {"security_opt": ["apparmor=unconfined"]},
        {"cap_add": ["ALL"]},
    ],
    ids=str,
)
def test_what_it_can_not_fulfil_is_not_observable(
    workshop: Workshop, given: dict[str, Any]
) -> None:
    with pytest.raises(NotObservable, match=f"a container {workshop.HOW} has no ") as refused:
        workshop.start(options(**given))

    assert refused.value.remedy == f"run it on Docker, without --lab-engine={workshop.MAKER}"


@pytest.mark.parametrize(
    "given",
    [
        {"volumes": ["/tmp:/data:ro"]},
        {"tmpfs": {"/scratch": "noexec"}},
        {"security_opt": ["no-new-privileges"]},
        {"ipc_mode": "container:other"},
    ],
    ids=str,
)
def test_what_by_hand_can_not_fulfil_is_not_observable(
    handmade: HandmadeWorkshop, given: dict[str, Any]
) -> None:
    with pytest.raises(NotObservable, match="a container by hand has no "):
        handmade.start(options(**given))


@pytest.mark.parametrize(
    "given", [{"network_mode": "bridge"}, {"volumes": ["/tmp:/data:rslave"]}], ids=str
)
def test_what_a_bundle_can_not_say_is_not_observable(runc: Workshop, given: dict[str, Any]) -> None:
    with pytest.raises(NotObservable, match="a container by runc has no "):
        runc.start(options(**given))


def test_shared_memory_is_only_of_those_who_share_it(runc: Workshop) -> None:
    alone = runc.start(options())
    with pytest.raises(NotObservable, match="shared memory of one that is not shareable"):
        runc.start(options(ipc_mode=f"container:{alone.id}"))

    sharing = runc.start(options(ipc_mode="shareable"))
    other = runc.start(options(ipc_mode=f"container:{sharing.id}"))
    sharing.write("/dev/shm/note", "written")

    assert other.read("/dev/shm/note") == "written"


def test_the_line_of_runc_says_how_its_config_is_made(runc: Workshop) -> None:
    container = runc.start(options(pid_mode="host"))

    assert container.line.startswith(
        f"runc run --detach --bundle=/bundle/{container.name} {container.name} "
        "# config.json: runc spec | 'del(.process.terminal)' | "
    )
    assert """ | '.linux.namespaces-=[{"type":"pid"}]' | """ in container.line
    assert str(runc.directory) not in container.line


def test_the_line_of_ctr_says_how_its_config_is_made(ctr: Workshop) -> None:
    container = ctr.start(options(cap_add=["SYS_ADMIN"]))

    assert container.line.startswith(
        f"ctr run --detach --config=/bundle/{container.name}/config.json {container.name} "
        "# config.json: ctr containers create --seccomp --cap-add=CAP_SYS_ADMIN "
        "docker.io/library/busybox:latest lab-default | "
    )
    assert container.answer_to(SystemCall("setns", -1, 0)) == "EBADF"


def test_a_command_is_run_to_its_end(runc: Workshop, ctr: Workshop) -> None:
    for workshop in (runc, ctr):
        assert workshop.run(options(command=("sh", "-c", "exit 3"))) == 3
        assert workshop.run(options(command=("true",), sysctls={"vm.swappiness": "1"})) == 1
        assert workshop.containers == {}


def test_what_only_an_engine_does_is_not_observable(workshop: Workshop) -> None:
    container = workshop.start(options())

    for request in (container.diff, container.logs, lambda: container.inspect("HostConfig")):
        with pytest.raises(NotObservable, match=f"a container {workshop.HOW} has no "):
            request()


def test_nothing_is_left_of_a_workshop(workshop: Workshop) -> None:
    network = "bridge" if workshop.MAKER == "by-hand" else "none"
    container = workshop.start(options(pid_mode="host", network_mode=network))
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
