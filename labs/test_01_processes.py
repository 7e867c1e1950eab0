"""Chapter 1: a container's processes are processes of the host, seen through a namespace."""

from fixtures.kernel import Cgroup
from fixtures.lab import answers, fresh, given, neighbour_started_with, requires, without


@answers("deep-2", "deep-8", "how-13", "intro-6")
@without(pid_mode="host")
def test_a_container_process_has_one_pid_inside_and_another_outside(container):
    """A process in a container has two PIDs: 1 inside, and an ordinary one on the host.

    Kernel: NSpid in /proc/<pid>/status lists a process's PID in each PID namespace that it lives
        in, outermost first.
    Without: with --pid=host there is no inner namespace, and only one PID.
    Source: pid_namespaces(7)
    """
    init = container.init

    assert init.pids == (init.host_pid, 1)


@answers("how-22", "deep-42")
@fresh
@given(viewer="the host")
@without("the view from the host", viewer="a neighbour")
def test_the_host_sees_the_processes_of_a_container(container, neighbour, host, viewer):
    """From outside, every process inside a container is an ordinary entry in /proc.

    Kernel: a process is visible in its own PID namespace and in each one that this is nested in,
        up to the host's.
    Without: seen from another container, whose PID namespace is beside it and not around it, the
        process does not exist.
    Source: pid_namespaces(7)
    """
    # The fraction makes it a command line that nobody else has.
    seconds = f"27182818.{host.process.host_pid}"
    container.spawn("sleep", seconds)
    viewers = {"the host": host, "a neighbour": neighbour}

    assert f"sleep {seconds}" in viewers[viewer].command_lines()


@answers("deep-9", "how-23", "deep-6")
@without(pid_mode="host")
def test_a_container_neither_sees_nor_signals_the_processes_of_the_host(container, host):
    """A process of the host has no entry in a container's /proc, and no signal reaches it.

    Kernel: /proc shows the PID namespace for which it was mounted, and kill(2) looks a PID up in
        the caller's namespace: no such process (ESRCH).
    Without: with --pid=host the entry is there and kill finds the process. Signal 0 only checks:
        it is allowed, or AppArmor, where it is on, denies it.
    Source: pid_namespaces(7), kill(2)
    """
    pid = str(host.process.host_pid)

    seen = container.has(f"/proc/{pid}")
    answer = container.exec("kill", "-0", pid).stderr

    assert (seen, "No such process" in answer) == (False, True)


@neighbour_started_with(command=("sleep", "314159265"))
@without(pid_mode="container:{neighbour}")
def test_two_containers_do_not_see_each_others_processes(container, neighbour):
    """A container does not see the processes of the container beside it.

    Kernel: each has a PID namespace of its own, nested in the host's; neither is nested in the
        other.
    Without: with --pid=container:… the two share one namespace, and `ps` lists both.
    Source: pid_namespaces(7)
    """
    command_line = "sleep 314159265"

    seen_beside = command_line in container.command_lines()
    seen_inside = command_line in neighbour.command_lines()

    assert (seen_beside, seen_inside) == (False, True)


@answers("brief-5", "intro-1", "deep-5", "how-4", "study-2")
@requires("cgroups", "overlay", "seccomp")
@given(of="the container")
@without("the container: a plain process of the host", of="the host")
@without(pid_mode="host")
@without(security_opt=["seccomp=unconfined"])
def test_a_container_is_a_process_with_a_view_a_group_a_root_and_fewer_rights(container, host, of):
    """A container is a process with namespaces, a cgroup and a root of its own, and fewer rights.

    Kernel: it has no object "container". It has processes, and each of these is an attribute of
        one: /proc/<pid>/ns, cgroup, mountinfo, and CapBnd and Seccomp in status.
    Without: a plain process of the host has none of the five, and each can be left out alone:
        with --pid=host a namespace, with seccomp=unconfined the filter of system calls.
    Source: namespaces(7), cgroups(7), capabilities(7), seccomp(2), OCI runtime-spec config-linux.md
    """
    process, plain = {"the container": container.init, "the host": host.process}[of], host.process

    own_namespaces = process.namespaces.own_against(plain.namespaces)
    own_cgroup = Cgroup.of(process) != Cgroup.of(plain)
    root = process.mounts.at("/").type
    fewer_capabilities = process.capabilities.bounding < plain.capabilities.bounding

    assert (
        own_namespaces >= {"ipc", "mnt", "net", "pid", "uts"},
        own_cgroup,
        root,
        fewer_capabilities,
        process.seccomp,
    ) == (True, True, "overlay", True, "filter")
