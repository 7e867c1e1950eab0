"""Chapter 11: a container's life is the life of its first process, PID 1."""

from signal import SIGKILL, SIGTERM

from fixtures.kernel import Cgroup
from fixtures.lab import (
    answers,
    fresh,
    given,
    private_engine,
    requires,
    settled,
    started_with,
    wait_until,
    without,
)

HAS_NO_HANDLER = ("sh", "-c", "touch /ready; exec sleep infinity")
# A program that ends in order when it is asked to.
GRACEFUL = 'trap "exit 0" TERM; touch /ready; sleep infinity & wait'
HANDLES_SIGTERM = ("sh", "-c", GRACEFUL)
# The same program in a shell. With nothing to follow it, the shell would make way by itself.
IN_SHELL_FORM = ("sh", "-c", 'sh -c "$0"; true', GRACEFUL)
# They wait for a signal at first; a file in the writable layer outlives each restart.
FAILS_ON_AND_ON = (
    "sh", "-c",
    'test -e /started || { trap "exit 3" TERM; touch /started; sleep infinity & wait; }; exit 3',
)  # fmt: skip
SUCCEEDS_AT_LAST = (
    "sh", "-c",
    'test -e /started || { trap "exit 0" TERM; touch /started; sleep infinity & wait; }; exit 0',
)  # fmt: skip
SECOND = 1_000_000_000
"""in the API's unit, ns"""
CTRL_P_CTRL_Q = "\x10\x11"


# PID 1 and its signals


@answers("deep-34", "deep-35", "deep-36")
@fresh
@started_with(command=HAS_NO_HANDLER)
@without(pid_mode="host")
@without("the default action: it has a handler", command=HANDLES_SIGTERM)
@without(init=True, requires=("docker-init",))
def test_pid_1_ignores_a_signal_that_it_has_no_handler_for(container):
    """SIGTERM does nothing to a PID 1 that has set no handler for it.

    Kernel: a signal whose action is the default is not delivered to the first process of a PID
        namespace; the namespace above can only force SIGKILL and SIGSTOP on it.
    Without: with --pid=host the same `sleep` is no PID 1 and ends at once. With a handler PID 1
        ends by itself, and the init of --init, which waits for signals, ends its child with it.
    Source: pid_namespaces(7), signal(7), docker run --init
    """
    wait_until(lambda: container.has("/ready"))
    has_handler = "SIGTERM" in container.init.caught_signals

    container.kill(SIGTERM)

    lives = settled(lambda: container.init.alive, until=lambda alive: not alive, within=2)
    assert (has_handler, lives) == (False, True)


@answers("deep-34")
@fresh
@given(sender="inside")
@without("the sender inside: the engine sends it", sender="the host")
def test_not_even_sigkill_ends_pid_1_from_inside(container, sender):
    """kill -9 1, typed inside a container, does nothing.

    Kernel: within its own PID namespace the first process is spared SIGKILL too: nobody inside
        can end the namespace against its will.
    Without: from the namespace above, where dockerd and the shim are, SIGKILL is forced.
    Source: pid_namespaces(7), kill(2)
    """
    if sender == "inside":
        container.exec("kill", "-KILL", "1")
    else:
        container.kill(SIGKILL)

    pid_1_lives = settled(lambda: container.init.alive, until=lambda alive: not alive, within=2)
    assert pid_1_lives


@answers("deep-34", "deep-36")
@fresh
@without(init=True, requires=("docker-init",))
@without("the sleep as PID 1: a shell waits there", command=("sh", "-c", "sleep infinity & wait"))
def test_an_orphan_that_ends_stays_a_zombie_of_a_pid_1_that_does_not_wait(container):
    """An orphan becomes a child of PID 1, and stays a zombie when PID 1 does not wait for it.

    Kernel: it makes the first process of the PID namespace the parent of an orphan. Of one that
        has ended it keeps the exit status, state Z, until the parent calls wait(2).
    Without: --init puts in an init that waits for whatever ends; a shell that waits does, too.
    Source: pid_namespaces(7), wait(2), krallin/tini README.md
    """
    container.exec("sh", "-c", "(sleep 1000 > /dev/null 2>&1 &)")
    orphan = wait_until(lambda: container.find("sleep", "1000"))
    wait_until(lambda: orphan in container.init.children)

    orphan.send_signal(SIGKILL)
    wait_until(lambda: not orphan.alive)

    zombies = settled(
        lambda: [child for child in container.init.children if not child.alive],
        until=lambda zombies: zombies == [],
        within=1,
    )
    assert zombies == [orphan]


# The end of PID 1 is the end


@answers("study-5", "intro-6")
@fresh
@started_with(command=("sh", "-c", "sleep 1000 & exec sleep infinity"))
@given(who="PID 1")
@without("PID 1: its child ends", who="the child")
def test_when_pid_1_ends_the_kernel_ends_all_others(container, who):
    """A container stops when its PID 1 ends; whatever else still runs in it is killed.

    Kernel: when the first process of a PID namespace ends, the kernel sends SIGKILL to all others
        in it, and nobody can join it any more.
    Without: the end of any other process ends nothing but that process.
    Source: pid_namespaces(7)
    """
    child = wait_until(lambda: container.find("sleep", "1000"))
    other = container.spawn("sleep", "2000")

    {"PID 1": container.init, "the child": child}[who].send_signal(SIGKILL)

    # PID 1 is the last to go: the kernel makes it wait for the others.
    live = settled(
        lambda: (container.init.alive, other.alive), until=lambda live: not any(live), within=2
    )
    assert live == (False, False)


@fresh
@given(where="the container")
@without("the container: it runs in a neighbour", where="the neighbour")
def test_a_detached_exec_ends_with_its_container(container, neighbour, where):
    """What docker exec --detach starts needs no client to go on, and ends with the container.

    Kernel: the client is not its parent, and the PID namespace that it was put into is the
        container's: it is killed with it.
    Without: in another container, which goes on, it goes on as well.
    Source: pid_namespaces(7), docker exec --help
    """
    process = {"the container": container, "the neighbour": neighbour}[where].spawn("sleep", "1000")

    container.kill()

    live = settled(
        lambda: (container.init.alive, process.alive), until=lambda live: not any(live), within=2
    )
    assert live == (False, False)


@fresh
@started_with(pid_mode="container:{neighbour}")
@without("the shared PID namespace", pid_mode=None)
def test_a_guest_in_a_pid_namespace_ends_with_its_owner(container, neighbour):
    """A container that joined another's PID namespace is killed when the other's PID 1 ends.

    Kernel: the namespace has one first process, that of the container which made it. The guest's
        own first process is like any other in it.
    Without: in a PID namespace of its own the container lives on.
    Source: pid_namespaces(7), docker run --pid
    """
    neighbour.kill()

    live = settled(
        lambda: (neighbour.init.alive, container.init.alive),
        until=lambda live: not any(live),
        within=2,
    )
    assert live == (False, False)


# docker stop


@answers("deep-35", "deep-36", "study-5")
@fresh
@without(init=True, requires=("docker-init",))
def test_docker_stop_asks_waits_and_then_kills(container):
    """docker stop sends SIGTERM, waits for the time of grace, and then sends SIGKILL.

    Kernel: 137 is 128 + 9, SIGKILL: the `sleep` that is PID 1 did not take the SIGTERM.
    Without: with --init it ends of SIGTERM at once: 143 is 128 + 15.
    Source: docs.docker.com/reference/cli/docker/container/stop/, wait(2)
    """
    seconds = container.stop(grace=1)

    exit_code = container.exit_code
    assert (exit_code, seconds >= 1) == (128 + SIGKILL, True)


@fresh
@started_with(
    stop_signal="SIGUSR1",
    command=("sh", "-c", 'trap "exit 10" USR1; trap "exit 15" TERM; sleep infinity & wait'),
)
@without("STOPSIGNAL", stop_signal=None)
def test_docker_stop_sends_the_stop_signal_of_the_container(container):
    """The signal that docker stop sends is a setting of the container: --stop-signal, STOPSIGNAL.

    Kernel: a signal is a number; that SIGTERM asks a program to end is a convention. Some have
        another: nginx ends in order on SIGQUIT, and httpd on SIGWINCH.
    Without: docker stop sends SIGTERM, and the program's other handler runs.
    Source: signal(7), Dockerfile reference, STOPSIGNAL
    """
    wait_until(lambda: {"SIGUSR1", "SIGTERM"} <= container.init.caught_signals)

    container.stop(grace=5)

    exit_code = container.exit_code
    assert exit_code == 10


@answers("deep-35", "deep-36")
@fresh
@started_with(command=IN_SHELL_FORM)
@without("the shell form: the exec form", command=HANDLES_SIGTERM)
def test_in_the_shell_form_the_signal_does_not_reach_the_program(container):
    """In the shell form PID 1 is a shell, and docker stop has to kill: the program hears nothing.

    Kernel: a signal goes to the process that it is sent to, and not to its children. The shell
        has no handler, so as PID 1 it ignores it; when it is killed, the program is killed too.
    Without: in the exec form the program is PID 1, gets the signal and ends by itself, with 0.
    Source: kill(2), pid_namespaces(7), Dockerfile reference, Shell and exec form
    """
    wait_until(lambda: container.has("/ready"))

    container.stop(grace=1)

    exit_code = container.exit_code
    assert exit_code == 128 + SIGKILL


@answers("deep-36")
@fresh
@started_with(
    entrypoint=("sh", "-c", 'cd /tmp; exec "$@"', "entrypoint"), command=("sleep", "infinity")
)
@without("exec", entrypoint=("sh", "-c", 'cd /tmp; "$@"; true', "entrypoint"))
def test_an_entrypoint_script_makes_way_with_exec(container):
    """An entrypoint script that ends in exec "$@" makes the program PID 1.

    Kernel: execve(2) replaces the program of a process; the process, and so its PID, stay.
    Without: the shell starts the program as its child and stays PID 1 itself.
    Source: execve(2), Dockerfile reference, ENTRYPOINT
    """
    program = wait_until(lambda: container.find("sleep", "infinity"))

    assert program.pids[-1] == 1


# Exit codes


@answers("study-43")
@requires("docker-init")
@given(entrypoint=None)
@without(
    "the command as PID 1: a script goes on after it",
    entrypoint=("sh", "-c", '"$@"; true', "entrypoint"),
)
def test_the_exit_code_of_a_container_is_that_of_its_pid_1(run, entrypoint):
    """The exit code is PID 1's own; 126: not executable, 127: not found, 128 + n: ended by signal n.

    Kernel: wait(2) gives the parent, here the shim, the code or the signal. 126 and 127 are what a
        shell says when execve(2) fails, with EACCES and ENOENT; Docker took them over.
    Without: a script that runs the same commands and then goes on ends with a code of its own, 0.
    Source: wait(2), execve(2), docs.docker.com/reference/cli/docker/container/run/, Exit status
    """
    own = run("sh", "-c", "exit 42", entrypoint=entrypoint)
    not_executable = run("/etc/group", entrypoint=entrypoint)
    not_found = run("no-such-program", entrypoint=entrypoint)
    # With --init: as PID 1 the shell would be spared its own signal.
    by_signal = run("sh", "-c", "kill -TERM $$", entrypoint=entrypoint, init=True)

    assert (own, not_executable, not_found, by_signal) == (42, 126, 127, 128 + SIGTERM)


@answers("study-43")
@requires("docker", "docker-cli", "cgroup:memory")
@given(memory="1m")
@without("the refusal: the command itself ends with 125", memory="64m")
def test_exit_code_125_is_docker_s_own(host, engine, folder, memory):
    """docker run ends with 125 when Docker refuses: no container was made, and nothing ran in it.

    Kernel: it is not asked. The engine answers the request with an error, here because less than
        6 MB of memory are no limit that it takes, and the client makes 125 of that.
    Without: a command can end with 125 as well, and then there was a container.
    Source: docs.docker.com/reference/cli/docker/container/run/, Exit status
    """
    note = folder / "id"
    limits = ("--network=none", f"--memory={memory}")
    image = engine.images["base"]

    done = host.exec(
        "docker", "run", "--rm", f"--cidfile={note}", *limits, image, "sh", "-c", "exit 125"
    )

    assert (done.exit_code, note.exists()) == (125, False)


# Restarts


@answers("study-4")
@fresh
@started_with(restart_policy={"Name": "always"})
@given(end="a crash")
@without("the policy", restart_policy=None)
@without("the crash: docker kill", end="docker kill")
def test_a_restart_policy_starts_a_crashed_container_again(container, end):
    """With --restart=always the engine starts a container again when its PID 1 has crashed.

    Kernel: nothing is revived: it is a new process, in new namespaces, on the same writable layer.
    Without: without a policy it stays down. What docker kill ended stays down, too: the engine
        knows that somebody wanted it.
    Source: docs.docker.com/engine/containers/start-containers-automatically/
    """
    if end == "a crash":
        container.init.send_signal(SIGKILL)
    else:
        container.kill()

    status, count = settled(
        lambda: (container.inspect("State.Status"), container.inspect("RestartCount")),
        until=lambda seen: seen in [("running", 1), ("exited", 0)],
    )
    assert (status, count) == ("running", 1)


@answers("study-4")
@fresh
@started_with(
    restart_policy={"Name": "on-failure", "MaximumRetryCount": 2}, command=FAILS_ON_AND_ON
)
@without("the failure: it ends with 0", command=SUCCEEDS_AT_LAST)
@without("the policy", restart_policy=None)
def test_on_failure_gives_up_after_so_many_restarts(container):
    """With --restart=on-failure:2 a container that fails on and on is started twice more, then not.

    Kernel: the exit code, which wait(2) gives, is all that a failure is: any but 0.
    Without: what ends with 0 has not failed, and without a policy nothing is started again.
    Source: docs.docker.com/engine/containers/start-containers-automatically/
    """
    wait_until(lambda: container.has("/started"))
    container.init.send_signal(SIGTERM)

    status, count = settled(
        lambda: (container.inspect("State.Status"), container.inspect("RestartCount")),
        until=lambda seen: seen[0] == "exited",
        within=30,
    )
    assert (status, count) == ("exited", 2)


@answers("study-4")
@private_engine(**{"live-restore": False})
@given(policy="always")
@without("always: unless-stopped", policy="unless-stopped")
def test_after_a_restart_of_the_engine_always_means_always(engine, start, policy):
    """When the engine starts, always brings back even what was stopped by hand; no policy, nothing.

    Kernel: it knows no policy. The engine reads from its own files what there was.
    Without: unless-stopped brings back what was running, and not what was stopped by hand.
    Source: docs.docker.com/engine/containers/start-containers-automatically/
    """
    # dockerd stops its containers when it stops, and this signal needs no time of grace.
    without_policy = start("container without policy", stop_signal="SIGKILL")
    running = start("running one", restart_policy={"Name": policy}, stop_signal="SIGKILL")
    stopped = start("stopped one", restart_policy={"Name": policy}, stop_signal="SIGKILL")
    stopped.stop(grace=1)

    engine.private.restart()

    up = [each.inspect("State.Running") for each in (without_policy, running, stopped)]
    assert up == [False, True, True]


# Health


@requires("health-checks")
@fresh
@started_with(
    restart_policy={"Name": "always"},
    command=HANDLES_SIGTERM,
    healthcheck={"test": "false", "interval": SECOND, "retries": 1},
)
@without(
    "the mere report: the check itself ends PID 1",
    healthcheck={"test": "kill 1; false", "interval": SECOND, "retries": 1},
)
def test_a_failed_health_check_restarts_nothing(container):
    """An unhealthy container runs on as it is, whatever its restart policy says.

    Kernel: the check is a process beside PID 1, and its exit code is written down: unhealthy. A
        policy waits for the end of PID 1, which did not come.
    Without: a check that ends PID 1 when it fails gets it restarted.
    Source: Dockerfile reference, HEALTHCHECK
    """
    settled(
        lambda: (
            container.inspect("State.Health.FailingStreak"),
            container.inspect("RestartCount"),
        ),
        until=lambda seen: seen[0] >= 2 or seen[1] > 0,
    )

    health, restarts = container.inspect("State.Health.Status"), container.inspect("RestartCount")
    assert (health, restarts, container.init.alive) == ("unhealthy", 0, True)


@requires("health-checks")
@fresh
@started_with(healthcheck={"test": "sleep 1000", "interval": SECOND // 10, "retries": 1})
@given(what="the check")
@without("the check: a process of the host", what="the host")
def test_a_health_check_runs_inside_the_container(container, host, what):
    """A health check is a command in the container: it has its namespaces, and counts in its cgroup.

    Kernel: the engine starts it as docker exec starts a command, with setns(2) and in the cgroup.
    Without: if it ran on the host, it would see the host's network and files, as this one does.
    Source: Dockerfile reference, HEALTHCHECK; setns(2)
    """
    check = wait_until(lambda: container.find("sleep", "1000"))
    process = {"the check": check, "the host": host.process}[what]

    other_namespaces = process.namespaces.own_against(container.init.namespaces)
    assert (other_namespaces, Cgroup.of(process) == container.cgroup) == (set(), True)


# The client


@answers("study-46")
@fresh
@started_with(tty=True, stdin_open=True, command=("sh",))
@given(keys=CTRL_P_CTRL_Q)
@without("Ctrl-P Ctrl-Q: exit is typed", keys="exit\r")
def test_ctrl_p_ctrl_q_leaves_a_container_running(container, keys):
    """Ctrl-P Ctrl-Q ends the session, and the shell that is PID 1 runs on.

    Kernel: the terminal's other end is held by the shim, not by the client. The engine sees the two
        keys in what is typed, and lets go of the client alone.
    Without: exit ends the shell, and with PID 1 the container.
    Source: docs.docker.com/reference/cli/docker/container/attach/, Override the detach sequence
    """
    container.attach(keys)

    pid_1_lives = settled(lambda: container.init.alive, until=lambda alive: not alive, within=1)
    assert pid_1_lives
