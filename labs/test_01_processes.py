"""Chapter 1: a container's processes are processes of the host, seen through a namespace."""

from fixtures.lab import answers, fresh, given, started_with, without


@answers("deep-2", "deep-8", "how-13")
@without(pid_mode="host")
def test_a_container_process_has_one_pid_inside_and_another_outside(container):
    """A process in a container has two PIDs: 1 inside, and an ordinary one on the host.

    Kernel: NSpid in /proc/<pid>/status lists a process's PID in each PID namespace that it
        lives in, outermost first.
    Without: with --pid=host there is no inner namespace, and only one PID.
    Source: pid_namespaces(7)
    """
    init = container.init

    assert init.pids == (init.host_pid, 1)

