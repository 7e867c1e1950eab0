"""Chapter 5: memory. A limit is a number in a file, and the kernel kills for it."""

from signal import SIGKILL

from fixtures.kernel import Process
from fixtures.lab import (
    answers,
    contrast,
    fresh,
    given,
    requires,
    settled,
    started_with,
    wait_until,
    without,
)

MIB = 1024 * 1024

# dd reads into one buffer of the given size and so touches every page of it: memory that is
# nobody's file. The amount is bounded, because the controls take the limit away.
ALLOCATE_64_MIB = ("dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1")
# The shell keeps one string of 1 MiB more every 30 ms. It waits in a read from a pipe that nobody
# writes to: for a sleep it would have to fork, and a fork fails when memory is short.
GROW_TO_64_MIB = """\
mknod /pipe p; exec 3<>/pipe
mib=0123456789abcdef; while [ ${#mib} -lt 1048576 ]; do mib=$mib$mib; done
n=0; while [ $n -lt 64 ]; do read -t 0.03 line <&3; n=$((n + 1)); eval kept_$n=\\$mib; done
"""
# It waits in one read: a shell that forks meanwhile dies of the failed fork when memory is short.
PID_1_ALLOCATES_WHEN_TOLD = "mknod /go p; read go < /go; exec " + " ".join(ALLOCATE_64_MIB)


@answers("brief-3", "brief-9", "intro-1", "deep-14", "deep-41", "how-18", "study-35")
@requires("cgroup:memory", "cgroup:pids", "cgroup:cpu")
@started_with(mem_limit="64m", memswap_limit="64m", pids_limit=50, nano_cpus=500_000_000)
@without("--memory", mem_limit=None, memswap_limit=None)
@without("--pids-limit", pids_limit=None)
@without("--cpus", nano_cpus=None)
def test_a_limit_is_a_number_in_a_file_of_the_kernel(container):
    """What is asked of docker run arrives as a number in the files of the container's cgroup.

    Kernel: each container has a cgroup; memory.max, pids.max and cpu.max in its directory hold
        the limits (on cgroup v1 memory.limit_in_bytes, pids.max and cpu.cfs_quota_us).
    Without: what was not asked for reads max: no limit. Only pids.max holds systemd's own default
        (DefaultTasksMax) where systemd makes the cgroups.
    Source: cgroup-v2.rst, cgroups(7), https://github.com/moby/moby/issues/45188
    """
    cgroup = container.cgroup

    assert (cgroup.memory.max, cgroup.pids.max, cgroup.cpu.max.cpus) == (64 * MIB, 50, 0.5)


@answers("deep-7", "deep-16", "intro-4", "intro-11")
@requires("cgroup:memory", "memory-without-swap")
@fresh
@started_with(mem_limit="32m", memswap_limit="32m")
@without("the limit", mem_limit=None, memswap_limit=None)
def test_a_process_that_exceeds_the_memory_limit_is_killed_by_the_kernel(container):
    """64 MiB under a limit of 32 MiB end in SIGKILL, and the kernel counts an OOM kill.

    Kernel: when a cgroup is at its limit and nothing can be reclaimed, the OOM killer picks a
        process of that cgroup and counts it: memory.events, oom_kill (cgroup v1: memory.oom_control).
    Without: with no limit the same 64 MiB are allocated and the program ends by itself.
    Source: cgroup-v2.rst, memory.events; signal(7)
    """
    hog = container.exec(*ALLOCATE_64_MIB)

    assert (hog.exit_code, container.cgroup.memory.events["oom_kill"]) == (128 + SIGKILL, 1)


@answers("deep-7", "deep-16")
@requires("cgroup:memory", "memory-without-swap")
@fresh
@started_with(mem_limit="32m", memswap_limit="32m")
@without("the limit", mem_limit=None, memswap_limit=None)
def test_memory_grows_up_to_its_limit_and_then_the_kernel_kills(container):
    """Memory is charged as it is touched, up to memory.max and no further; then the kernel kills.

    Kernel: a page is charged to the cgroup when it is first touched: memory.current. For a charge
        above memory.max the kernel must first reclaim, and where nothing can be, it kills.
    Without: with no limit the same program goes on to its 64 MiB, and nobody is killed.
    Source: cgroup-v2.rst, memory.current, memory.max, memory.peak
    """
    memory = container.cgroup.memory
    grower = container.spawn("sh", "-c", GROW_TO_64_MIB)
    settled(lambda: memory.current, until=lambda _: not grower.alive, within=60)
    peak = round(memory.peak / MIB)  # before Linux 5.16 a dying process may get a page more

    assert (peak, memory.events["oom_kill"]) == (memory.max / MIB, 1)


@answers("deep-16")
@requires("cgroup:memory", "memory-without-swap")
@fresh
@started_with(mem_limit="32m", memswap_limit="32m", command=("sh", "-c", PID_1_ALLOCATES_WHEN_TOLD))
@given(who="a child")
@without("the child: PID 1 itself exceeds the limit", who="PID 1")
def test_the_oom_killer_kills_a_process_and_not_the_container(container, who):
    """When a child exceeds the limit, the child is killed; PID 1 and the container live on.

    Kernel: the OOM killer picks the process with the most memory in the cgroup, not the first.
        Only with memory.oom.group set does it take them all.
    Without: when the process with the most memory is PID 1, the container ends with it.
    Source: cgroup-v2.rst, memory.oom.group; pid_namespaces(7)
    """
    wait_until(lambda: container.has("/go"))
    if who == "a child":
        exit_code = container.exec(*ALLOCATE_64_MIB).exit_code
    else:
        container.write("/go", "now")
        settled(lambda: container.inspect("State.Running"), until=lambda running: not running)
        exit_code = container.inspect("State.ExitCode")

    assert (exit_code, container.init.alive) == (128 + SIGKILL, True)


@answers("deep-16")
@requires("cgroup:memory", "memory-without-swap", "disk")
@fresh
@started_with(mem_limit="32m", memswap_limit="32m")
@given(into="a file")
@without("the file: the same amount stays in memory", into="memory")
def test_page_cache_is_reclaimed_and_not_killed_for(container, into):
    """Writing 96 MiB to a file under a limit of 32 MiB kills nobody.

    Kernel: what a file holds in the page cache is charged to the cgroup too, but it can be
        written out and dropped. The kernel reclaims before it kills.
    Without: the same 96 MiB as memory of a process have no file to go to, and it is killed.
    Source: cgroup-v2.rst, memory.max; memory.stat, file and anon
    """
    write = ("dd", "if=/dev/zero", "of=/file", "bs=1M", "count=96")
    hold = ("dd", "if=/dev/zero", "of=/dev/null", "bs=96M", "count=1")
    load = container.exec(*(write if into == "a file" else hold), seconds=60)

    assert (load.exit_code, container.cgroup.memory.events["oom_kill"]) == (0, 0)


@requires("cgroup:memory", "memory-without-swap", "disk")
@fresh
@started_with(mem_limit="32m", memswap_limit="32m", shm_size="128m")
@given(path="/dev/shm/file")
@without("/dev/shm: the file is on a disk", path="/file")
def test_files_in_dev_shm_count_as_memory(container, path):
    """64 MiB in /dev/shm under a limit of 32 MiB end in an OOM kill: a tmpfs is memory.

    Kernel: the pages of a tmpfs are charged as shmem. They could only be written out to swap, and
        --memory-swap equal to --memory allows none.
    Without: the same file on a disk is reclaimed, and nobody is killed.
    Source: tmpfs(5), cgroup-v2.rst, memory.stat, shmem
    """
    writer = container.exec("dd", "if=/dev/zero", f"of={path}", "bs=1M", "count=64", seconds=60)

    assert (writer.exit_code, container.cgroup.memory.events["oom_kill"]) == (128 + SIGKILL, 1)


@requires("cgroup:memory", "memory-without-swap")
@fresh
@started_with(mem_limit="32m", memswap_limit="32m")
@given(by="kill -9 from the host")
@without("the plain SIGKILL", by="the OOM killer")
def test_exit_code_137_does_not_prove_that_memory_ran_out(container, by):
    """137 is 128 + 9: the process ended by SIGKILL. Who sent it, the code does not say.

    Kernel: an exit status holds the number of the signal and no sender. Only the counter
        oom_kill tells an OOM kill from any other.
    Without: killed by the OOM killer, the code is the same 137, and the counter is 1.
    Source: wait(2), cgroup-v2.rst, memory.events
    """
    if by == "the OOM killer":
        exit_code = container.exec(*ALLOCATE_64_MIB).exit_code
    else:
        child = container.spawn("sleep", "1000")
        child.send_signal(SIGKILL)
        exit_code = settled(lambda: child.exit_code, until=lambda code: code is not None)

    assert (exit_code, container.cgroup.memory.events["oom_kill"]) == (137, 0)


@requires("cgroup:memory")
@fresh
@started_with(mem_limit="64m", memswap_limit="64m")
@given(update=True)
@without("docker update", update=False)
def test_docker_update_changes_the_limit_of_a_running_process(container, update):
    """docker update rewrites the file while the same process runs on.

    Kernel: a limit is an attribute of the cgroup, not of its processes; writing to the file is
        all it takes.
    Without: with no update the file reads what docker run wrote.
    Source: cgroup-v2.rst, memory.max; docker update --help
    """
    if update:
        container.update(mem_limit="128m", memswap_limit="128m")
    now = Process(container.inspect("State.Pid"))

    assert (container.cgroup.memory.max, now) == (128 * MIB, container.init)


@answers("brief-6", "deep-46")
@requires("cgroup:memory", "meminfo-of-the-kernel")
@started_with(mem_limit="64m", memswap_limit="64m")
@contrast("no option gives /proc/meminfo a namespace; the cgroup file, read beside it, differs")
def test_proc_meminfo_does_not_know_of_the_limit(container, host):
    """Inside a container that may use 64 MiB, /proc/meminfo shows the memory of the whole host.

    Kernel: /proc/meminfo is in no namespace. The limit stands in the cgroup alone, so a program
        that sizes itself by meminfo sizes itself too large.
    Without: nothing takes this away; the file of the cgroup is the other reading.
    Source: proc_meminfo(5), cgroups(7)
    """
    inside = container.read("/proc/meminfo").splitlines()[0]
    outside = host.exec("cat", "/proc/meminfo").output.splitlines()[0]

    assert inside == outside
    assert container.cgroup.memory.max == 64 * MIB


@requires("cgroup:memory", "cgroup:swap")
@started_with(mem_limit="32m", memswap_limit="32m")
@without("--memory-swap", memswap_limit=None)
def test_memory_swap_counts_memory_and_swap_together(container):
    """--memory-swap equal to --memory means no swap at all.

    Kernel: memory.swap.max limits swap alone. Docker's number is memory and swap together, as
        cgroup v1's memory.memsw.limit_in_bytes was; the difference is what swap may take.
    Without: left out, it is twice the memory: as much swap as memory.
    Source: cgroup-v2.rst, memory.swap.max; docs.docker.com/engine/containers/resource_constraints
    """
    assert container.cgroup.memory.swap.max == 0


@requires("cgroup:memory")
@fresh
@started_with(mem_reservation="32m")
@without(
    "the softness: the same number is the limit",
    requires=("memory-without-swap",),
    mem_limit="32m",
    memswap_limit="32m",
)
def test_a_reservation_is_no_limit(container):
    """A container may use more than its --memory-reservation.

    Kernel: it counts only when memory is short on the host. Then cgroup v1 first reclaims what is
        above it (memory.soft_limit_in_bytes), and v2 spares what is below it (memory.low).
    Without: the same 32 MiB as a hard limit get the process killed.
    Source: cgroup-v2.rst, memory.low; cgroup-v1/memory.rst, Soft limits
    """
    user = container.exec(*ALLOCATE_64_MIB)

    assert (container.cgroup.memory.low, user.exit_code) == (32 * MIB, 0)
