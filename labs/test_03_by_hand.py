"""Chapter 3: a container by hand. The kernel is asked seven things, and Docker is not needed."""

from signal import SIGKILL

from fixtures.kernel import Cgroup
from fixtures.kernel.system_call import SystemCall
from fixtures.lab import (
    answers,
    given,
    helped_by,
    requires,
    settled,
    started_with,
    wait_until,
    without,
)

# fixtures/engine/by_hand.py has a function for each step. Here they come one by one.
NAMESPACES = ("namespaces",)
PROC = (*NAMESPACES, "proc")
ROOT = (*PROC, "root")
CGROUP = (*ROOT, "cgroup")
CABLE = (*CGROUP, "cable")
CAPABILITIES = (*CABLE, "capabilities")
FILTER = (*CAPABILITIES, "filter")
ALL = FILTER

FIVE = {"ipc", "mnt", "net", "pid", "uts"}
# Whether a container has one of these is the engine's decision, and its version's.
ENGINES = {"cgroup", "time"}
CLONE_NEWUSER = 0x10000000
# dd reads into one buffer and so touches all of it: 64 MiB, with a limit or without.
ALLOCATE_64_MIB = ("dd", "if=/dev/zero", "of=/dev/null", "bs=64M", "count=1")
# The first line of `ip route` is: default via …
PING_THE_GATEWAY = "set -- $(ip route); ping -c 1 -W 5 $3"


@answers("intro-3", "how-11", "study-34")
@requires("by-hand")
@given(steps=NAMESPACES)
@without("the step: the process is started as any other", steps=())
def test_five_flags_give_a_process_five_namespaces_of_its_own(by_hand, host, steps):
    """One system call with five flags gives a process five namespaces of its own.

    Kernel: unshare(2) takes a flag for each kind: CLONE_NEWPID, NEWNS, NEWNET, NEWUTS, NEWIPC. What
        is not named stays the parent's.
    Without: a process that is merely forked is in the namespaces of its parent, all of them.
    Source: unshare(2), namespaces(7)
    """
    process = by_hand(steps).init

    own = process.namespaces.own_against(host.process.namespaces)

    assert own & FIVE == FIVE


@answers("deep-2", "how-22")
@requires("by-hand")
@given(steps=NAMESPACES)
@without("the step", steps=())
def test_the_first_process_of_a_new_pid_namespace_is_pid_1(by_hand, steps):
    """The first process in a new PID namespace is PID 1 there, and has another PID on the host.

    Kernel: unshare(2) with CLONE_NEWPID leaves its caller where it is: its next child is the first
        process of the new namespace. NSpid lists a PID for each namespace, outermost first.
    Without: a forked process has one PID, the host's.
    Source: pid_namespaces(7), unshare(2)
    """
    process = by_hand(steps).init

    assert process.pids == (process.host_pid, 1)


@answers("how-23")
@requires("by-hand")
@given(steps=PROC)
@without("the step: only the namespaces are new", steps=NAMESPACES)
def test_a_new_proc_is_needed_before_the_host_is_out_of_sight(by_hand, host, steps):
    """A PID namespace alone hides nothing from ps: that takes a /proc of its own.

    Kernel: ps reads /proc, and that shows the PID namespace of whoever mounted it. A new mount
        namespace begins as a copy of the old one, with the host's /proc in it.
    Without: the process is PID 1, and yet finds the host's processes in its /proc.
    Source: pid_namespaces(7), proc(5)
    """
    container = by_hand(steps)

    seen = container.has(f"/proc/{host.process.host_pid}")

    assert (container.init.pids[1:], seen) == ((1,), False)


@answers("deep-11", "intro-8", "how-16")
@requires("by-hand")
@given(steps=ROOT)
@without("the step: it has namespaces and a /proc", steps=PROC)
def test_a_new_root_takes_the_files_of_the_host_out_of_sight(by_hand, folder, steps):
    """With a root of its own, a process finds no file of the host.

    Kernel: an overlay of the image's layers is mounted, pivot_root(2) makes it the root of the
        mount namespace, and umount2(2) takes the old root away. No path leads there any more.
    Without: a new mount namespace is a copy: the same files are at the same places.
    Source: pivot_root(2), mount_namespaces(7), overlayfs.rst
    """
    (folder / "note").write_text("written on the host\n")
    container = by_hand(steps)

    seen = container.has(f"{folder}/note")

    assert (seen, container.init.mounts.at("/").type) == (False, "overlay")


@answers("deep-7", "intro-4")
@requires("by-hand", "cgroup:memory", "memory-without-swap")
@given(steps=CGROUP)
@without("the step: it has a view of its own, and no limit", steps=ROOT)
def test_a_directory_and_two_files_limit_what_a_process_may_use(by_hand, steps):
    """A process that was written into a cgroup's cgroup.procs is under that cgroup's limits.

    Kernel: mkdir makes a cgroup, a number written to memory.max limits it, a PID written to
        cgroup.procs moves a process in (cgroup v1: memory.limit_in_bytes). Its children follow.
    Without: namespaces limit nothing. The 64 MiB are allocated, and nobody is killed.
    Source: cgroups(7), cgroup-v2.rst
    """
    container = by_hand(steps, mem_limit="32m", memswap_limit="32m")

    hog = container.exec(*ALLOCATE_64_MIB)

    assert hog.exit_code == 128 + SIGKILL


@answers("intro-7", "how-14", "deep-10")
@requires("by-hand")
@given(steps=CABLE)
@without("the step: its network namespace has no cable", steps=CGROUP)
def test_a_cable_connects_a_container_with_the_host(by_hand, steps):
    """A veth is a cable: its one end is the container's eth0, and the host answers on the other.

    Kernel: a veth is a pair of interfaces, of which each sends what the other gets, and each may
        be in a network namespace of its own.
    Without: a new network namespace has a loopback, what tunnel modules add, and no way out.
    Source: veth(4), network_namespaces(7)
    """
    container = by_hand(steps, network_mode="bridge")

    has_eth0 = "eth0" in container.init.interfaces
    ping = container.exec("sh", "-c", PING_THE_GATEWAY)

    assert (has_eth0, ping.exit_code) == (True, 0)


@requires("by-hand")
@given(others=False)
@without("the end of all: another process is in its network namespace", others=True)
def test_the_cable_goes_with_the_last_process(by_hand, host, others):
    """When the last process has ended, the cable is gone from the host, and nobody removed it.

    Kernel: a namespace lives as long as a process is in it, or somebody holds it open. With a
        network namespace go its interfaces, and with one end of a veth goes the other.
    Without: as long as another process is in it, the namespace and the cable stay.
    Source: namespaces(7), veth(4)
    """
    container = by_hand(CABLE, network_mode="bridge")
    if others:
        by_hand(CABLE, "neighbour", network_mode=f"container:{container.id}")
    # by_hand.py calls the host's end by its own pid; it is the parent of the first process.
    plug = f"veth{container.init.parent_pid}"
    wait_until(lambda: plug in host.process.interfaces)

    container.init.send_signal(SIGKILL)
    left = settled(lambda: host.process.interfaces, until=lambda names: plug not in names, within=3)

    assert plug not in left


@answers("study-36")
@requires("by-hand")
@given(steps=CAPABILITIES)
@without("the step: its root may do what the host's may", steps=CABLE)
def test_without_capabilities_root_may_not_mount(by_hand, steps):
    """A root whose capabilities were taken away may not mount anything: EPERM.

    Kernel: mount(2) wants CAP_SYS_ADMIN. What is dropped from the bounding set with prctl(2), no
        program gets when it is started, not even root's.
    Without: in namespaces, root is still root. It mounts what it likes.
    Source: capabilities(7), prctl(2), mount(2)
    """
    container = by_hand(steps)

    mount = container.exec("mount", "-t", "tmpfs", "none", "/etc")
    mounted = "/etc" in container.init.mounts

    assert (mount.exit_code == 0, mounted) == (False, False)


@answers("study-37")
@requires("by-hand")
@given(steps=FILTER)
@without(
    "the step: only capabilities were taken away",
    requires=("unprivileged-user-namespaces",),
    steps=CAPABILITIES,
)
def test_a_filter_refuses_what_takes_no_capability(by_hand, steps):
    """A seccomp filter refuses a system call that everybody may make: a new user namespace.

    Kernel: the filter is a small program, which the kernel runs before each system call of the
        process and of its children. It sees the number of the call, and answers EPERM in its place.
    Without: unshare(2) with CLONE_NEWUSER takes no capability at all, and is done.
    Source: seccomp(2), user_namespaces(7)
    """
    container = by_hand(steps)

    answer = container.answer_to(SystemCall("unshare", CLONE_NEWUSER))

    assert answer == "EPERM"


@answers("brief-5", "brief-7", "intro-5", "study-41")
@helped_by("fixtures/engine/by_hand.py")
@requires("by-hand", "docker", "overlay", "seccomp", "user-namespace-of-the-host")
@started_with(network_mode="bridge")
@given(steps=ALL)
@without("the namespaces", steps=tuple(step for step in ALL if step != "namespaces"))
@without("the new /proc", steps=tuple(step for step in ALL if step != "proc"))
@without("the new root", steps=tuple(step for step in ALL if step != "root"))
@without("the cgroup", steps=tuple(step for step in ALL if step != "cgroup"))
@without("the cable", steps=tuple(step for step in ALL if step != "cable"))
@without("the capabilities that are dropped", steps=tuple(s for s in ALL if s != "capabilities"))
@without("the filter", steps=tuple(step for step in ALL if step != "filter"))
def test_seven_steps_make_what_docker_makes(by_hand, container, host, steps):
    """Seven steps by hand give a process all that makes a container of Docker's one request.

    Kernel: these are attributes of a process, whoever asked for them. Docker asks for more of each
        kind: a longer filter, covered parts of /proc, a list of devices, from 29.5 on a time
        namespace.
    Without: each step that is left out is missing in the comparison.
    Source: OCI runtime-spec config-linux.md, namespaces(7), capabilities(7)
    """
    made = by_hand(steps, "by hand", network_mode="bridge")

    by_hand_it_is, with_docker_it_is = (
        {
            "own namespaces": each.namespaces.own_against(host.process.namespaces) - ENGINES,
            "PIDs": len(each.pids),
            "own /proc": "/proc" in each.mounts and len(each.pids) == 2,
            "root": each.mounts.at("/").type,
            # The host's may be an overlay too: a live system's, or that of a machine in a container.
            "own root": each.mounts.at("/").device != host.process.mounts.at("/").device,
            "own cgroup": Cgroup.of(each) != Cgroup.of(host.process),
            "eth0": "eth0" in each.interfaces,
            "capabilities": each.capabilities.effective,
            "seccomp": each.seccomp,
        }
        for each in (made.init, container.init)
    )

    assert by_hand_it_is == with_docker_it_is


@answers("deep-5")
@requires("by-hand", "docker")
@given(made="by hand")
@without("the hand: Docker makes it", made="by Docker")
def test_docker_covers_parts_of_proc_that_seven_steps_leave_open(by_hand, container, made):
    """The seven steps leave all of /proc open: nothing is mounted below it, as Docker does.

    Kernel: /proc/sys and other files of it are in no namespace; whoever may write them changes
        the host. A mount on top of a path covers it.
    Without: Docker mounts the dangerous parts read-only, and empty things over what tells too much.
    Source: OCI runtime-spec config-linux.md, maskedPaths, readonlyPaths; proc(5)
    """
    mounts = {"by hand": by_hand(ALL), "by Docker": container}[made].init.mounts

    covers = [each.point for each in mounts.of_type("proc", "tmpfs", "devtmpfs")]

    assert [point for point in covers if point.startswith("/proc/")] == []
