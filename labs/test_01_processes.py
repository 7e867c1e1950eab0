"""Chapter 1: a container's processes are processes of the host, seen through a namespace."""

from fixtures.lab import answers, fresh, given, neighbour_started_with, without


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
    container.spawn("sleep", "271828182")
    viewers = {"the host": host, "a neighbour": neighbour}

    assert "sleep 271828182" in viewers[viewer].command_lines()


@answers("deep-9", "how-23", "deep-6")
@without(pid_mode="host")
def test_a_container_neither_sees_nor_signals_the_processes_of_the_host(container, host):
    """A process of the host has no entry in a container's /proc, and no signal reaches it.

    Kernel: /proc shows the PID namespace for which it was mounted, and kill(2) looks a PID up in
        the caller's namespace: no such process (ESRCH).
    Without: with --pid=host the entry is there and signal 0, which only checks, is delivered.
    Source: pid_namespaces(7), kill(2)
    """
    pid = str(host.process.host_pid)

    seen = container.has(f"/proc/{pid}")
    signalled = container.exec("kill", "-0", pid).exit_code == 0

    assert (seen, signalled) == (False, False)


@neighbour_started_with(command=("sleep", "314159265"))
@without(pid_mode="container:{neighbour}")
def test_two_containers_do_not_see_each_others_processes(container, neighbour):
    """A container does not see the processes of the container beside it.

    Kernel: each has a PID namespace of its own, nested in the host's; neither is nested in the
        other.
    Without: with --pid=container:… the two share one namespace, and `ps` lists both.
    Source: pid_namespaces(7)
    """
    assert "sleep 314159265" not in container.command_lines()
