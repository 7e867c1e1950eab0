"""Chapter 6: CPU, processes and disk. What one container takes, its neighbours lack."""

from signal import SIGHUP

from fixtures.lab import (
    answers,
    fresh,
    given,
    neighbour_started_with,
    requires,
    settled,
    started_with,
    wait_until,
    without,
)

MIB = 1024 * 1024

# It ends by itself, because the controls run it without a limit.
BUSY_LOOP = ("timeout", "20", "sh", "-c", "while true; do true; done")
BUSY_FOR_2_SECONDS = ("timeout", "2", "sh", "-c", "while true; do true; done")

# Each shell starts one more of its kind every 0.1 s, seven times: 2, 4, 8, … 128 processes. It waits
# in a read from a pipe that nobody writes to, which needs no fork. What the shell can not fork ends
# it; then it becomes a sleep, so that no place that was taken becomes free again.
FORK_BOMB = """\
mknod /pipe p; exec 3<>/pipe
double() {
    trap 'exec sleep infinity' EXIT
    while [ $1 -lt 7 ]; do read -t 0.1 line <&3; set -- $(($1 + 1)); double $1 & done
}
double 0
"""
# It waits, also without a fork, until it gets a SIGHUP; then it needs one process more.
FORK_WHEN_TOLD = """\
trap 'cat /etc/group; exit $?' HUP
mknod /ready p; exec 3<>/ready
while true; do read -t 0.1 line <&3; done
"""
START_64 = "n=0; while [ $n -lt 64 ]; do n=$((n + 1)); sleep 1000 >/dev/null 2>&1 & done"


@answers("intro-13", "deep-7", "deep-14", "intro-4")
@requires("cgroup:cpu")
@fresh
@started_with(nano_cpus=100_000_000)
@without("--cpus", nano_cpus=None)
def test_a_cpu_quota_makes_a_busy_process_wait(container):
    """With --cpus=0.1, two seconds of busy looping get a fifth of a second of CPU time.

    Kernel: cpu.max holds a quota for each period of 0.1 s. Who has used it up is throttled: taken
        off the CPU until the next period begins, even when nobody else wants it. cpu.stat counts.
    Without: with no quota no period is counted, and the loop gets as much of a CPU as is free.
    Source: scheduler/sched-bwc.rst, cgroup-v2.rst, cpu.max and cpu.stat
    """
    cpu = container.cgroup.cpu
    before = cpu.stat["usage_usec"]
    hog = container.exec(*BUSY_FOR_2_SECONDS, seconds=60)
    after = cpu.stat
    used = (after["usage_usec"] - before) / 1e6
    throttled = after["nr_throttled"] > 0

    assert (cpu.max.cpus, throttled, used < hog.seconds * 0.1 * 1.2) == (0.1, True, True)


@answers("intro-13", "deep-15")
@requires("cgroup:cpu-shares", "cgroup:cpuset")
@fresh
@started_with(cpuset_cpus="{cpu}", cpu_shares=128)
@neighbour_started_with(cpuset_cpus="{cpu}", cpu_shares=1024)
@given(neighbour_is="busy")
@without("--cpu-shares: both have 1024", cpu_shares=1024)
@without("the competition: the neighbour is idle", neighbour_is="idle")
def test_cpu_shares_divide_a_cpu_between_those_that_compete(container, neighbour, neighbour_is):
    """Two containers that compete for one CPU divide it: 128 shares get far less than 1024.

    Kernel: cpu.shares is a weight, on cgroup v2 cpu.weight, on another scale. Those that want the
        same CPU at the same time get time in proportion to their weights: on v1 here one ninth.
    Without: with equal shares each gets half, and beside an idle neighbour 128 shares get it all.
    Source: cgroup-v2.rst, cpu.weight; sched-design-CFS.rst; docs.docker.com resource_constraints
    """
    container.spawn(*BUSY_LOOP)
    if neighbour_is == "busy":
        neighbour.spawn(*BUSY_LOOP)
    mine, theirs = container.cgroup.cpu, neighbour.cgroup.cpu
    weights = mine.weight / (mine.weight + theirs.weight)
    before = mine.stat["usage_usec"], theirs.stat["usage_usec"]
    after = settled(
        lambda: (mine.stat["usage_usec"], theirs.stat["usage_usec"]),
        until=lambda now: sum(now) - sum(before) > 1.5e6,
        within=15,
    )
    share = (after[0] - before[0]) / (sum(after) - sum(before))

    assert weights * 0.65 < share < min(weights * 1.35, 1 / 4)


@answers("deep-15")
@requires("cgroup:cpu-shares", "cgroup:cpu")
@fresh
@started_with(cpu_shares=2)
@without("the shares: a quota of a twentieth instead", cpu_shares=None, nano_cpus=50_000_000)
def test_cpu_shares_are_no_limit(container):
    """2 shares, the least there is, are no limit: who is alone gets all the CPU that it asks for.

    Kernel: a weight is compared with the weights of those that want the CPU too. Where nobody
        does, there is nothing to divide.
    Without: a quota is a limit: --cpus=0.05 gives a twentieth, even while the CPU is idle.
    Source: cgroup-v2.rst, cpu.weight and cpu.max; docs.docker.com resource_constraints
    """
    cpu = container.cgroup.cpu
    before = cpu.stat["usage_usec"]
    hog = container.exec(*BUSY_FOR_2_SECONDS, seconds=100)
    cpus = (cpu.stat["usage_usec"] - before) / 1e6 / hog.seconds

    assert cpus > 0.05 * 1.2


@answers("intro-13")
@requires("cgroup:cpuset", "two-cpus")
@started_with(cpuset_cpus="{cpu}")
@without("--cpuset-cpus", cpuset_cpus=None)
def test_a_cpuset_pins_a_container_to_its_cpus(container, cpu):
    """With --cpuset-cpus=0, the processes of a container may run on CPU 0 and on no other.

    Kernel: cpuset.cpus of the cgroup bounds Cpus_allowed_list in /proc/<pid>/status of each of
        its processes. sched_setaffinity(2) can narrow that further, and not widen it.
        Here it is the first CPU that the host itself may use: mostly 0.
    Without: all CPUs of the host are allowed.
    Source: cpuset(7), cgroup-v2.rst, cpuset.cpus
    """
    assert container.init.cpus == {cpu}


@answers("deep-33", "intro-4", "deep-14")
@requires("cgroup:pids")
@fresh
@started_with(pids_limit=16)
@without("--pids-limit", pids_limit=None)
def test_at_the_pids_limit_a_fork_fails(container):
    """Of 64 processes under a limit of 16 only 14 start: then fork fails with EAGAIN.

    Kernel: a fork that would raise pids.current above pids.max fails with EAGAIN, "Resource
        temporarily unavailable", and pids.events counts it. PID 1 and the shell count as well.
    Without: with no limit all 64 start.
    Source: cgroup-v2.rst, pids.max; fork(2), EAGAIN
    """
    starter = container.exec("sh", "-c", START_64)
    running = container.cgroup.procs

    refused = "Resource temporarily unavailable" in starter.stderr

    assert (refused, len(running)) == (True, 1 + 14)


@requires("cgroup:pids")
@fresh
@given(child="an orphan")
@without("the orphans: their parent waits for them", child="waited for")
def test_a_zombie_keeps_its_place_under_the_pids_limit(container, child):
    """Six processes that have ended, and that nobody waited for, still count in pids.current.

    Kernel: a process that has ended is a zombie until its parent waits for it. An orphan's new
        parent is PID 1, and a `sleep` waits for nobody. A zombie still has its PID, and counts.
    Without: a parent that waits takes the zombies away, and only PID 1 counts.
    Source: cgroup-v1/pids.rst, wait(2), NOTES; pid_namespaces(7)
    """
    end_six = "for n in 1 2 3 4 5 6; do sleep 0 & done; wait"
    orphan_six = "for n in 1 2 3 4 5 6; do (sleep 0 &); done"
    container.exec("sh", "-c", orphan_six if child == "an orphan" else end_six)
    pids = container.cgroup.pids
    count = settled(lambda: pids.current, until=lambda now: now == 1 + 6, within=1)

    assert count == 1 + 6


@answers("deep-45")
@requires("cgroup:pids")
@fresh
@given(into="the container")
@without("the same container", into="a neighbour")
def test_exec_adds_its_process_to_the_count_of_the_container(container, neighbour, into):
    """docker exec makes no new container: its process counts in pids.current of the one it joins.

    Kernel: the runtime puts the new process into the container's cgroup, and there its limits
        hold for it too.
    Without: what is started in another container counts there, and here nothing changes.
    Source: cgroup-v2.rst, pids.current; runc exec(8)
    """
    pids = container.cgroup.pids
    before = pids.current
    {"the container": container, "a neighbour": neighbour}[into].spawn("sleep", "1000")

    assert pids.current == before + 1


@answers("deep-32", "deep-33", "study-42", "deep-46")
@requires("cgroup:pids", "root", "files-of-the-host")
@fresh
@started_with(cgroup_parent="{box}", pids_limit=40)
@neighbour_started_with(cgroup_parent="{box}")
@without("--pids-limit", pids_limit=None)
def test_a_pids_limit_keeps_a_fork_bomb_from_starving_its_neighbours(container, neighbour):
    """A fork bomb stops at its container's pids limit, and the neighbour can still fork.

    A cgroup around both, with room for 100 tasks, plays the host: the bomb harms nobody else.

    Kernel: a fork counts in the process's cgroup and in each one around it, up to the whole
        host's. The first that is full refuses it, whoever filled it.
    Without: with no limit of its own the bomb fills the host. Now the neighbour, which has done
        nothing, gets EAGAIN when it forks, and its shell ends with an error.
    Source: cgroup-v2.rst, PID and pids.max; fork(2), EAGAIN
    """
    worker = neighbour.spawn("sh", "-c", FORK_WHEN_TOLD)
    wait_until(lambda: neighbour.has("/ready"))
    bombed, small_host = container.cgroup.pids, container.cgroup.parent.pids
    wait_until(lambda: small_host.max == 100)
    container.spawn("sh", "-c", FORK_BOMB)
    settled(
        lambda: small_host.current,
        until=lambda _: bombed.events["max"] + small_host.events["max"] > 0,
        within=30,
    )

    worker.send_signal(SIGHUP)
    settled(lambda: small_host.current, until=lambda _: worker.exit_code is not None)

    assert (worker.exit_code, bombed.current) == (0, 40)


@answers("intro-12")
@requires("cgroups", "block-device", "io-throttling")
@started_with(device_write_bps=[{"Path": "{disk}", "Rate": MIB}])
@without("--device-write-bps", device_write_bps=None)
def test_an_io_limit_is_a_rate_for_one_disk(container, disk):
    """--device-write-bps arrives in the kernel as a rate for one disk, named by its numbers.

    Kernel: io.max has a line for each disk that is limited: major:minor, and the rate in bytes
        per second (cgroup v1: blkio.throttle.write_bps_device).
    Without: no disk is named there.
    Source: cgroup-v2.rst, io.max; cgroup-v1/blkio-controller.rst
    """
    limited = {device: limits["wbps"] for device, limits in container.cgroup.io.max.items()}

    assert limited == {disk.device: MIB}


@answers("intro-12")
@requires("cgroups", "block-device", "io-throttling")
@fresh
@started_with(device_write_bps=[{"Path": "{disk}", "Rate": MIB}], volumes=["/data"])
@without("--device-write-bps", device_write_bps=None)
def test_an_io_limit_slows_what_is_written_to_the_disk(container):
    """At 1 MiB/s, 3 MiB take three seconds to reach the disk.

    Kernel: a request above the rate waits in its queue. It is writing to the disk that waits, with
        O_DIRECT here. The page cache would take the 3 MiB at once, and what the kernel writes out of
        it later cgroup v1 counts for nobody.
    Without: with no rate the same 3 MiB are on the disk in a moment.
    Source: cgroup-v2.rst, io.max and Writeback; cgroup-v1/blkio-controller.rst; open(2)
    """
    write = "dd", "if=/dev/zero", "of=/data/file", "bs=1M", "count=3", "oflag=direct"
    written = container.exec(*write, seconds=60)

    assert written.seconds > 2.5


@fresh
@started_with(command=BUSY_LOOP)
@requires("cgroups")
@given(pause=True)
@without("docker pause", pause=False)
def test_docker_pause_freezes_every_process(container, pause):
    """docker pause stops all processes of a container where they are; docker unpause lets them go on.

    Kernel: the cgroup is frozen as a whole. Its processes get no CPU time and know nothing of it;
        their memory stays charged. The cgroup's count of CPU time stands still.
    Without: with no pause the busy loop goes on, and so does the count.
    Source: cgroup-v2.rst, cgroup.freeze and cgroup.events; cgroup-v1/freezer-subsystem.rst
    """
    cgroup = container.cgroup
    if pause:
        container.pause()
    frozen = settled(lambda: cgroup.frozen, until=bool, within=1)
    usage = cgroup.cpu.stat["usage_usec"]
    used = settled(lambda: cgroup.cpu.stat["usage_usec"] - usage, until=bool, within=0.5)
    if pause:
        container.unpause()
    goes_on = settled(lambda: cgroup.cpu.stat["usage_usec"] > usage, until=bool)

    assert (frozen, used, goes_on) == (True, 0, True)


# runc 1.3.3 has 60 files open when it takes this limit on: CHANGELOG.md of 1.3.4.
@fresh
@started_with(ulimits=[{"Name": "nofile", "Soft": 256, "Hard": 256}])
@without("--ulimit", ulimits=None)
def test_a_ulimit_is_a_limit_of_each_process_and_not_of_the_container(container):
    """With --ulimit nofile=256 no process can open more than 256 files; two can have more together.

    Kernel: a resource limit belongs to a process and is inherited by fork, each child having it
        to itself. A cgroup's limit holds for all of its processes together.
    Without: with the engine's own limit one process opens 270 files.
    Source: getrlimit(2), proc_pid_limits(5)
    """
    two = [container.spawn("tail", "-f", *["/etc/group"] * 160) for _ in range(2)]
    together = settled(
        lambda: sum(len(each.descriptors) for each in two), until=lambda count: count >= 320
    )
    one = container.exec("tail", *["/etc/group"] * 270)

    assert (one.exit_code, together > 256) == (1, True)


@requires("cgroup:memory")
@fresh
@given(mib=64)
@without("the load: one MiB", mib=1)
def test_the_peak_of_memory_is_kept_when_the_memory_is_free_again(container, mib):
    """A process that used 64 MiB has ended, and the kernel still knows that they were used.

    Kernel: memory.peak is the highest memory.current since the cgroup was made (cgroup v1:
        memory.max_usage_in_bytes). It shows what a limit would have to allow.
    Without: when only 1 MiB is touched, the peak stays far below.
    Source: cgroup-v2.rst, memory.peak; cgroup-v1/memory.rst
    """
    container.exec("dd", "if=/dev/zero", "of=/dev/null", f"bs={mib}M", "count=1")
    memory = container.cgroup.memory

    assert memory.peak >= 64 * MIB > memory.current
