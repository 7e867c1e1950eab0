from __future__ import annotations

import copy
import math
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.kernel import (
    MAX,
    Cgroup,
    CgroupGone,
    FileRead,
    Hierarchies,
    NotObservable,
    Process,
)  # fmt: skip
from fixtures.kernel.cgroup import Bandwidth

from .trees import Tree, as_ordinary_user

V2 = "sys/fs/cgroup"
SCOPE = "system.slice/docker-4f5e.scope"

V1_LINES = """\
12:cpu,cpuacct:/docker/4f5e
11:memory:/docker/4f5e
10:pids:/docker/4f5e
9:blkio:/docker/4f5e
8:cpuset:/docker/4f5e
7:freezer:/docker/4f5e
1:name=systemd:/docker/4f5e"""
V1_NO_LIMIT = 9223372036854771712


def on_v2(tree: Tree, path: str = f"/{SCOPE}") -> Cgroup:
    """A cgroup of the systemd driver."""
    tree.mount("cgroup2", "/sys/fs/cgroup")
    (tree.root / V2 / path.lstrip("/")).mkdir(parents=True, exist_ok=True)
    return Cgroup.of(tree.process(42, cgroup=f"0::{path}"), tree.root)


def mount_v1(tree: Tree, root: str = "/") -> None:
    tree.mount("tmpfs", "/sys/fs/cgroup")
    tree.mount("cgroup", "/sys/fs/cgroup/systemd", "rw,xattr,name=systemd", root)
    for name in ("cpu,cpuacct", "memory", "pids", "blkio", "cpuset", "freezer"):
        tree.mount("cgroup", f"/sys/fs/cgroup/{name}", f"rw,{name}", root)
        (tree.root / f"sys/fs/cgroup/{name}").mkdir(parents=True)


def on_v1(tree: Tree) -> Cgroup:
    """A cgroup of the cgroupfs driver."""
    mount_v1(tree)
    for controller in (tree.root / "sys/fs/cgroup").iterdir():
        (controller / "docker/4f5e").mkdir(parents=True)
    return Cgroup.of(tree.process(42, cgroup=V1_LINES), tree.root)


# Where a cgroup is


def test_v2_with_the_systemd_driver(tree: Tree) -> None:
    cgroup = on_v2(tree)
    tree.write(f"{V2}/{SCOPE}/memory.max", 33554432)

    assert (f"/{SCOPE}", 33554432) == (cgroup.path, cgroup.memory.max)


def test_v2_with_the_cgroupfs_driver(tree: Tree) -> None:
    cgroup = on_v2(tree, "/docker/4f5e")
    tree.write(f"{V2}/docker/4f5e/pids.max", 16)

    assert (cgroup.path, cgroup.pids.max) == ("/docker/4f5e", 16)


def test_v1_with_the_cgroupfs_driver(tree: Tree) -> None:
    cgroup = on_v1(tree)
    tree.write("sys/fs/cgroup/memory/docker/4f5e/memory.limit_in_bytes", 33554432)

    assert (cgroup.path, cgroup.memory.max) == ("/docker/4f5e", 33554432)


def test_v1_with_the_systemd_driver(tree: Tree) -> None:
    mount_v1(tree)
    tree.write(f"sys/fs/cgroup/memory/{SCOPE}/memory.limit_in_bytes", 33554432)
    process = tree.process(42, cgroup=f"11:memory:/{SCOPE}\n1:name=systemd:/{SCOPE}")

    assert Cgroup.of(process, tree.root).memory.max == 33554432


def test_hybrid_has_its_controllers_on_v1_and_the_rest_on_v2(tree: Tree) -> None:
    mount_v1(tree)
    tree.mount("cgroup2", "/sys/fs/cgroup/unified")
    tree.write("sys/fs/cgroup/memory/docker/4f5e/memory.limit_in_bytes", 33554432)
    tree.write(f"sys/fs/cgroup/unified/{SCOPE}/cgroup.events", "populated 1\nfrozen 1")
    process = tree.process(42, cgroup=f"11:memory:/docker/4f5e\n0::/{SCOPE}")
    cgroup = Cgroup.of(process, tree.root)

    assert (cgroup.memory.max, cgroup.frozen) == (33554432, True)


def test_a_path_may_hold_colons_and_blanks(tree: Tree) -> None:
    cgroup = on_v2(tree, "/kube:pod 1/app:web")
    tree.write(f"{V2}/kube:pod 1/app:web/pids.current", 3)

    assert cgroup.pids.current == 3


def test_a_mount_that_shows_a_part_of_the_tree_starts_at_that_part(tree: Tree) -> None:
    """So it is in a container on v1 that has no cgroup namespace."""
    mount_v1(tree, root="/docker/4f5e")
    tree.write("sys/fs/cgroup/memory/memory.limit_in_bytes", 1)
    tree.write("sys/fs/cgroup/memory/docker/nested/memory.limit_in_bytes", 2)
    own = tree.process(42, cgroup="11:memory:/docker/4f5e")
    nested = tree.process(43, cgroup="11:memory:/docker/4f5e/docker/nested")

    assert Cgroup.of(own, tree.root).memory.max == 1
    assert Cgroup.of(nested, tree.root).memory.max == 2


def test_a_cgroup_beside_the_part_that_is_mounted_is_not_observable(tree: Tree) -> None:
    mount_v1(tree, root="/docker/4f5e")
    neighbour = tree.process(42, cgroup="11:memory:/docker/4f5e99")

    with pytest.raises(NotObservable, match="no mounted hierarchy shows the cgroup of process 42"):
        Cgroup.of(neighbour, tree.root)


def test_a_cgroup_outside_the_readers_namespace_is_not_observable(tree: Tree) -> None:
    tree.mount("cgroup2", "/sys/fs/cgroup")
    neighbour = tree.process(42, cgroup="0::/../9a8b")

    with pytest.raises(NotObservable, match="no mounted hierarchy shows"):
        Cgroup.of(neighbour, tree.root)


def test_a_tree_that_is_mounted_from_outside_the_namespace_shows_what_lies_there(
    tree: Tree,
) -> None:
    tree.mount("cgroup2", "/sys/fs/cgroup", root="/..")
    tree.write(f"{V2}/9a8b/pids.max", 16)
    neighbour = tree.process(42, cgroup="0::/../9a8b")
    own = tree.process(43, cgroup="0::/")

    assert Cgroup.of(neighbour, tree.root).pids.max == 16
    with pytest.raises(NotObservable, match="no mounted hierarchy shows"):
        Cgroup.of(own, tree.root)


def test_without_a_mounted_hierarchy_no_cgroup_is_observable(tree: Tree) -> None:
    tree.mount("proc", "/proc")
    process = tree.process(42, cgroup="0::/")

    with pytest.raises(NotObservable):
        Cgroup.of(process, tree.root)


def test_the_processes_in_one_cgroup_have_equal_cgroups(tree: Tree) -> None:
    cgroup = on_v2(tree)
    sibling = tree.process(43, cgroup=f"0::/{SCOPE}")
    stranger = tree.process(44, cgroup="0::/")

    assert cgroup == Cgroup.of(sibling, tree.root)
    assert hash(cgroup) == hash(Cgroup.of(sibling, tree.root))
    assert cgroup != Cgroup.of(stranger, tree.root)


# Which hierarchies there are


def test_a_machine_on_v2(tree: Tree) -> None:
    tree.mount("cgroup2", "/sys/fs/cgroup")
    tree.write(f"{V2}/cgroup.controllers", "cpuset cpu io memory hugetlb pids rdma")
    hierarchies = Hierarchies(tree.root)

    assert hierarchies.version == "v2"
    assert hierarchies.controllers == {
        "cpu": "v2", "cpuset": "v2", "freezer": "v2", "io": "v2", "memory": "v2", "pids": "v2",
    }  # fmt: skip


def test_a_machine_on_v1(tree: Tree) -> None:
    mount_v1(tree)
    hierarchies = Hierarchies(tree.root)

    assert hierarchies.version == "v1"
    assert hierarchies.controllers == {
        "cpu": "v1", "cpuset": "v1", "freezer": "v1", "io": "v1", "memory": "v1", "pids": "v1",
    }  # fmt: skip


def test_a_hybrid_machine(tree: Tree) -> None:
    tree.mount("cgroup", "/sys/fs/cgroup/freezer", "rw,freezer")
    tree.mount("cgroup", "/sys/fs/cgroup/cpu,cpuacct", "rw,cpu,cpuacct")
    tree.mount("cgroup2", "/sys/fs/cgroup/unified")
    tree.write(f"{V2}/unified/cgroup.controllers", "memory")
    hierarchies = Hierarchies(tree.root)

    assert hierarchies.version == "hybrid"
    assert hierarchies.controllers == {"cpu": "v1", "freezer": "v1", "memory": "v2"}


def test_a_hidden_mount_does_not_count(tree: Tree) -> None:
    tree.mount("cgroup2", "/sys/fs/cgroup")
    mount_v1(tree)

    assert Hierarchies(tree.root).version == "v1"


def test_a_machine_without_cgroups_has_no_version(tree: Tree) -> None:
    tree.mount("proc", "/proc")

    with pytest.raises(NotObservable, match="no cgroup hierarchy is mounted"):
        _ = Hierarchies(tree.root).version


# The same fact on both versions


def test_memory_on_v2(tree: Tree) -> None:
    memory = on_v2(tree).memory
    tree.write(f"{V2}/{SCOPE}/memory.max", "max")
    tree.write(f"{V2}/{SCOPE}/memory.low", 0)
    tree.write(f"{V2}/{SCOPE}/memory.current", 4096)
    tree.write(f"{V2}/{SCOPE}/memory.peak", 8192)
    tree.write(f"{V2}/{SCOPE}/memory.swap.max", 0)
    tree.write(f"{V2}/{SCOPE}/memory.swap.current", 0)
    tree.write(f"{V2}/{SCOPE}/memory.events", "low 0\nhigh 0\nmax 9\noom 1\noom_kill 1")
    tree.write(f"{V2}/{SCOPE}/memory.stat", "anon 10\nfile 20\nkernel 5\nshmem 7")

    assert (memory.max, memory.low, memory.current, memory.peak) == (MAX, 0, 4096, 8192)
    assert (memory.swap.max, memory.swap.current) == (0, 0)
    assert memory.events == {"low": 0, "high": 0, "max": 9, "oom": 1, "oom_kill": 1}
    assert memory.stat == {"anon": 10, "file": 20, "shmem": 7}


def test_memory_on_v1(tree: Tree) -> None:
    """v1's limit of swap is one of memory and swap together; its stat has totals apart."""
    memory = on_v1(tree).memory
    directory = "sys/fs/cgroup/memory/docker/4f5e"
    tree.write(f"{directory}/memory.limit_in_bytes", 4096)
    tree.write(f"{directory}/memory.soft_limit_in_bytes", V1_NO_LIMIT)
    tree.write(f"{directory}/memory.usage_in_bytes", 1000)
    tree.write(f"{directory}/memory.max_usage_in_bytes", 2000)
    tree.write(f"{directory}/memory.memsw.limit_in_bytes", 12288)
    tree.write(f"{directory}/memory.memsw.usage_in_bytes", 1500)
    tree.write(f"{directory}/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 3")
    tree.write(
        f"{directory}/memory.stat",
        "cache 2\nrss 1\nshmem 0\ntotal_cache 20\ntotal_rss 10\ntotal_shmem 7",
    )

    assert (memory.max, memory.low, memory.current, memory.peak) == (4096, MAX, 1000, 2000)
    assert (memory.swap.max, memory.swap.current) == (8192, 500)
    assert memory.events == {"oom_kill": 3}
    assert memory.stat == {"anon": 10, "file": 20, "shmem": 7}


def test_no_limit_of_swap_on_v1(tree: Tree) -> None:
    memory = on_v1(tree).memory
    directory = "sys/fs/cgroup/memory/docker/4f5e"
    tree.write(f"{directory}/memory.limit_in_bytes", 4096)
    tree.write(f"{directory}/memory.memsw.limit_in_bytes", V1_NO_LIMIT)

    assert memory.swap.max == MAX


def test_cpu_on_v2(tree: Tree) -> None:
    cpu = on_v2(tree).cpu
    tree.write(f"{V2}/{SCOPE}/cpu.max", "50000 100000")
    tree.write(f"{V2}/{SCOPE}/cpu.weight", 100)
    tree.write(
        f"{V2}/{SCOPE}/cpu.stat",
        "usage_usec 900\nuser_usec 800\nnr_periods 7\nnr_throttled 3\nthrottled_usec 40",
    )

    assert (Bandwidth(50000, 100000), 0.5, 100) == (cpu.max, cpu.max.cpus, cpu.weight)
    assert cpu.stat == {
        "nr_periods": 7, "nr_throttled": 3, "throttled_usec": 40, "usage_usec": 900,
    }  # fmt: skip


def test_cpu_on_v1(tree: Tree) -> None:
    """v1 has the quota and the period apart, shares of 1024, and times in nanoseconds."""
    cpu = on_v1(tree).cpu
    directory = "sys/fs/cgroup/cpu,cpuacct/docker/4f5e"
    tree.write(f"{directory}/cpu.cfs_quota_us", 50000)
    tree.write(f"{directory}/cpu.cfs_period_us", 100000)
    tree.write(f"{directory}/cpu.shares", 512)
    tree.write(f"{directory}/cpu.stat", "nr_periods 7\nnr_throttled 3\nthrottled_time 40999")
    tree.write(f"{directory}/cpuacct.usage", 900000)

    assert (Bandwidth(50000, 100000), 0.5, 50) == (cpu.max, cpu.max.cpus, cpu.weight)
    assert cpu.stat == {
        "nr_periods": 7, "nr_throttled": 3, "throttled_usec": 40, "usage_usec": 900,
    }  # fmt: skip


def test_no_quota_is_max_on_both_versions(tree: Tree) -> None:
    one, other = Tree(tree.root / "v1"), Tree(tree.root / "v2")
    on_old, on_new = on_v1(one).cpu, on_v2(other).cpu
    one.write("sys/fs/cgroup/cpu,cpuacct/docker/4f5e/cpu.cfs_quota_us", -1)
    one.write("sys/fs/cgroup/cpu,cpuacct/docker/4f5e/cpu.cfs_period_us", 100000)
    other.write(f"{V2}/{SCOPE}/cpu.max", "max 100000")

    assert Bandwidth(MAX, 100000) == on_old.max == on_new.max
    assert "max" == str(on_old.max.cpus) == str(on_new.max.cpus)


def test_cpusets_on_both_versions(tree: Tree) -> None:
    one, other = Tree(tree.root / "v1"), Tree(tree.root / "v2")
    on_old, on_new = on_v1(one).cpuset, on_v2(other).cpuset
    one.write("sys/fs/cgroup/cpuset/docker/4f5e/cpuset.effective_cpus", "0-2,7")
    other.write(f"{V2}/{SCOPE}/cpuset.cpus.effective", "0-2,7")

    assert {0, 1, 2, 7} == on_old.cpus == on_new.cpus


def test_pids_on_both_versions(tree: Tree) -> None:
    one, other = Tree(tree.root / "v1"), Tree(tree.root / "v2")
    on_old, on_new = on_v1(one).pids, on_v2(other).pids
    one.write("sys/fs/cgroup/pids/docker/4f5e/pids.events", "max 5")
    other.write(f"{V2}/{SCOPE}/pids.events", "max 5")

    assert {"max": 5} == on_old.events == on_new.events


def test_io_on_v2(tree: Tree) -> None:
    """One device has counters of other kinds too, another none, and no line break after it."""
    io = on_v2(tree).io
    tree.write(f"{V2}/{SCOPE}/io.max", "8:0 rbps=max wbps=1048576 riops=max wiops=max")
    tree.write(
        f"{V2}/{SCOPE}/io.stat",
        "7:0 8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0 depth=max cost.vrate=100.00",
    )

    assert io.max == {"8:0": {"rbps": MAX, "wbps": 1048576, "riops": MAX, "wiops": MAX}}
    assert io.stat == {"8:0": {"rbytes": 1, "wbytes": 2, "rios": 3, "wios": 4}}


def test_io_on_v1(tree: Tree) -> None:
    io = on_v1(tree).io
    throttle = "sys/fs/cgroup/blkio/docker/4f5e/blkio.throttle"
    tree.write(f"{throttle}.read_bps_device", "")
    tree.write(f"{throttle}.write_bps_device", "8:0 1048576")
    tree.write(f"{throttle}.read_iops_device", "")
    tree.write(f"{throttle}.write_iops_device", "")
    tree.write(
        f"{throttle}.io_service_bytes_recursive", "8:0 Read 1\n8:0 Write 2\n8:0 Sync 3\nTotal 3"
    )
    tree.write(f"{throttle}.io_serviced_recursive", "8:0 Read 3\n8:0 Write 4\nTotal 7")

    assert io.max == {"8:0": {"rbps": MAX, "wbps": 1048576, "riops": MAX, "wiops": MAX}}
    assert io.stat == {"8:0": {"rbytes": 1, "wbytes": 2, "rios": 3, "wios": 4}}


def test_frozen_on_both_versions(tree: Tree) -> None:
    one, other = Tree(tree.root / "v1"), Tree(tree.root / "v2")
    on_old, on_new = on_v1(one), on_v2(other)
    one.write("sys/fs/cgroup/freezer/docker/4f5e/freezer.state", "FREEZING")
    other.write(f"{V2}/{SCOPE}/cgroup.events", "populated 1\nfrozen 0")
    assert (on_old.frozen, on_new.frozen) == (False, False)

    one.write("sys/fs/cgroup/freezer/docker/4f5e/freezer.state", "FROZEN")
    other.write(f"{V2}/{SCOPE}/cgroup.events", "populated 1\nfrozen 1")
    assert (on_old.frozen, on_new.frozen) == (True, True)


def test_the_parent_is_the_cgroup_around_it_on_both_versions(tree: Tree) -> None:
    one, other = Tree(tree.root / "v1"), Tree(tree.root / "v2")
    on_old, on_new = on_v1(one).parent, on_v2(other).parent
    one.write("sys/fs/cgroup/pids/docker/pids.max", 100)
    other.write(f"{V2}/system.slice/pids.max", 100)

    assert (on_old.path, on_new.path) == ("/docker", "/system.slice")
    assert on_old.pids.max == on_new.pids.max == 100
    assert on_old.parent.path == on_new.parent.path == "/"


def test_processes_are_listed_in_order_and_once(tree: Tree) -> None:
    cgroup = on_v2(tree)
    tree.write(f"{V2}/{SCOPE}/cgroup.procs", "50\n42\n50")

    assert cgroup.procs == [42, 50]


# What can not be read


def test_a_missing_file_is_not_observable_and_never_zero(tree: Tree) -> None:
    cgroup = on_v2(tree)

    with pytest.raises(NotObservable, match=r"memory.peak can not be read") as caught:
        _ = cgroup.memory.peak
    assert "enable its controller" in caught.value.remedy


def test_a_missing_line_is_not_observable_and_never_zero(tree: Tree) -> None:
    """memory.oom_control counts no kills before Linux 4.13."""
    memory = on_v1(tree).memory
    tree.write(
        "sys/fs/cgroup/memory/docker/4f5e/memory.oom_control", "oom_kill_disable 0\nunder_oom 0"
    )

    with pytest.raises(NotObservable, match=r"memory.oom_control has no line oom_kill"):
        _ = memory.events


def test_a_controller_that_is_nowhere_is_not_observable(tree: Tree) -> None:
    tree.mount("cgroup", "/sys/fs/cgroup/memory", "rw,memory")
    cgroup = Cgroup.of(tree.process(42, cgroup="11:memory:/docker/4f5e"), tree.root)

    with pytest.raises(NotObservable, match="has the controller pids for cgroup /docker/4f5e"):
        _ = cgroup.pids.max
    with pytest.raises(NotObservable, match="whether cgroup /docker/4f5e is frozen"):
        _ = cgroup.frozen


def test_an_unreadable_file_is_not_observable_without_root(tree: Tree) -> None:
    cgroup = on_v2(tree)
    tree.write(f"{V2}/{SCOPE}/memory.max", "max").chmod(0)

    with as_ordinary_user(), pytest.raises(NotObservable) as caught:
        _ = cgroup.memory.max
    assert "root" in caught.value.remedy


def test_a_cgroup_that_was_removed_is_gone(tree: Tree) -> None:
    cgroup = on_v2(tree)
    assert cgroup.exists

    shutil.rmtree(tree.root / V2 / SCOPE)

    assert not cgroup.exists
    with pytest.raises(CgroupGone, match=r"docker-4f5e.scope is gone"):
        _ = cgroup.memory.max
    with pytest.raises(CgroupGone):
        _ = cgroup.procs


def test_the_removed_cgroup_of_a_zombie_is_gone(tree: Tree) -> None:
    tree.mount("cgroup2", "/sys/fs/cgroup")
    zombie = tree.process(42, state="Z", cgroup=f"0::/{SCOPE} (deleted)")

    assert not Cgroup.of(zombie, tree.root).exists


# How values show


def test_no_limit_is_larger_than_every_number_and_prints_as_max() -> None:
    assert V1_NO_LIMIT < MAX
    assert math.inf == MAX
    assert (repr(MAX), str(MAX), f"{MAX}") == ("max", "max", "max")
    assert MAX / 1024 is MAX


def test_a_copy_of_max_is_max() -> None:
    assert copy.deepcopy(MAX) is MAX


def test_a_cgroup_and_its_controllers_print_with_the_path(tree: Tree) -> None:
    cgroup = on_v2(tree)

    assert f"cgroup /{SCOPE}" == repr(cgroup)
    assert f"memory of cgroup /{SCOPE}" == repr(cgroup.memory)


def test_v1_is_announced_with_its_own_paths_and_values_and_the_names_of_v2(
    tree: Tree, announced: list[FileRead]
) -> None:
    memory = on_v1(tree).memory
    directory = "sys/fs/cgroup/memory/docker/4f5e"
    limit = tree.write(f"{directory}/memory.limit_in_bytes", V1_NO_LIMIT)
    control = tree.write(f"{directory}/memory.oom_control", "oom_kill_disable 0\noom_kill 3")
    announced.clear()

    assert (memory.max, memory.events) == (MAX, {"oom_kill": 3})
    assert announced == [
        FileRead(str(limit), None, str(V1_NO_LIMIT), "memory.max"),
        FileRead(str(control), "oom_kill", "3", "memory.events"),
    ]


def test_v2_is_announced_line_by_line(tree: Tree, announced: list[FileRead]) -> None:
    memory = on_v2(tree).memory
    file = tree.write(f"{V2}/{SCOPE}/memory.stat", "anon 10\nfile 20\nkernel 5\nshmem 7")
    announced.clear()

    assert memory.stat["anon"] == 10
    assert announced == [
        FileRead(str(file), "anon", "10", "memory.stat"),
        FileRead(str(file), "file", "20", "memory.stat"),
        FileRead(str(file), "shmem", "7", "memory.stat"),
    ]


@pytest.mark.parametrize(
    ("read", "files", "name"),
    [
        (lambda cgroup: cgroup.memory.low, {"memory/memory.soft_limit_in_bytes": 1}, "memory.low"),
        (
            lambda cgroup: cgroup.memory.current,
            {"memory/memory.usage_in_bytes": 1},
            "memory.current",
        ),
        (lambda cgroup: cgroup.memory.peak, {"memory/memory.max_usage_in_bytes": 1}, "memory.peak"),
        (
            lambda cgroup: cgroup.cpu.max,
            {"cpu,cpuacct/cpu.cfs_quota_us": -1, "cpu,cpuacct/cpu.cfs_period_us": 100000},
            "cpu.max",
        ),
        (lambda cgroup: cgroup.cpu.weight, {"cpu,cpuacct/cpu.shares": 1024}, "cpu.weight"),
        (
            lambda cgroup: cgroup.cpu.stat,
            {
                "cpu,cpuacct/cpu.stat": "nr_periods 7\nnr_throttled 3\nthrottled_time 40",
                "cpu,cpuacct/cpuacct.usage": 9,
            },
            "cpu.stat",
        ),
        (
            lambda cgroup: cgroup.cpuset.cpus,
            {"cpuset/cpuset.effective_cpus": "0-2"},
            "cpuset.cpus.effective",
        ),
        (lambda cgroup: cgroup.pids.current, {"pids/pids.current": 1}, "pids.current"),
        (
            lambda cgroup: cgroup.io.stat,
            {
                "blkio/blkio.throttle.io_service_bytes_recursive": "8:0 Read 1",
                "blkio/blkio.throttle.io_serviced_recursive": "8:0 Read 1",
            },
            "io.stat",
        ),
        (lambda cgroup: cgroup.frozen, {"freezer/freezer.state": "THAWED"}, "cgroup.events"),
        (lambda cgroup: cgroup.procs, {"memory/cgroup.procs": 42}, "cgroup.procs"),
    ],
)
def test_each_file_of_v1_has_the_name_that_v2_has_for_it(
    tree: Tree,
    announced: list[FileRead],
    read: Callable[[Cgroup], object],
    files: dict[str, object],
    name: str,
) -> None:
    cgroup = on_v1(tree)
    for file, text in files.items():
        controller, _, own_name = file.partition("/")
        tree.write(f"sys/fs/cgroup/{controller}/docker/4f5e/{own_name}", text)
    announced.clear()

    read(cgroup)

    assert {each.name for each in announced} == {name}
    assert {Path(each.path).name for each in announced} == {Path(file).name for file in files}


def test_memory_and_swap_together_have_v1s_name_because_v2_has_none(
    tree: Tree, announced: list[FileRead]
) -> None:
    cgroup = on_v1(tree)
    for name in ("memory.memsw.limit_in_bytes", "memory.limit_in_bytes"):
        tree.write(f"sys/fs/cgroup/memory/docker/4f5e/{name}", 4096)
    announced.clear()

    assert cgroup.memory.swap.max == 0
    assert [each.name for each in announced] == ["memory.memsw.limit_in_bytes", "memory.max"]


# The real one


def test_this_process_is_in_its_own_cgroup(own_process: Process) -> None:
    cgroup = Cgroup.of(own_process)

    assert cgroup.exists
    assert own_process.host_pid in cgroup.procs
    assert Hierarchies().version in ("v1", "v2", "hybrid")
