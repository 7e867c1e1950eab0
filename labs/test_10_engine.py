"""Chapter 10: the engine's parts. Who does what, shown by watching them and by killing them."""

import json
import os
from signal import SIGHUP, SIGKILL, SIGTERM

from fixtures.kernel import Process
from fixtures.lab import (
    answers,
    fresh,
    given,
    private_engine,
    requires,
    settled,
    started_with,
    suite_engine,
    wait_until,
    without,
)

MIB = 1024 * 1024
# The fraction makes it a command line that nobody else has, no other run either.
SLEEP = ("sleep", f"31415926.{os.getpid()}")
JSON = "Content-Type: application/json"
CREATE = json.dumps({"Image": "busybox", "Cmd": SLEEP, "HostConfig": {"NetworkMode": "none"}})
# 64 bytes a time, for some ten seconds.
CHATTER = f"while [ $((n += 1)) -lt 9999999 ]; do echo {'0' * 63}; done"
# dd reads into one buffer and so touches all of it. It begins when the shell is told to: the engine
# hears of what its shim sees, and that looks from when it has started the command. The shell ends
# with dd's code when it is asked to: an engine that hears of the end first may not note why it came
# (moby issue 41929).
WHEN_TOLD = "trap go=1 HUP; until [ $go ]; do sleep 0.1; done"
ALLOCATE_64_MIB = "dd if=/dev/zero of=/dev/null bs=64M count=1"
HOG = ("sh", "-c", f'{WHEN_TOLD}; {ALLOCATE_64_MIB}; trap "exit $?" TERM; sleep infinity & wait')
GRACEFUL = ("sh", "-c", 'trap "exit 0" TERM; touch /ready; sleep infinity & wait')
COMPOSE_FILE = """
services:
  web: {image: busybox, command: sleep infinity}
  client: {image: busybox, command: sleep infinity}
"""
UNSHARE = ("unshare", "--fork", "--pid", "--net", "--mount", "--uts", "--ipc")
# An engine may be configured to put one before each command.
NO_INIT = "--init=false"
DOCKER_RUN = ("docker", "run", "--rm", "--network=none", "busybox")
PROJECT, SERVICE = "com.docker.compose.project", "com.docker.compose.service"


# The docker command


@answers("deep-20", "how-1", "how-4")
@suite_engine
@requires("docker-cli")
@given(arguments=("run", "--detach", "--name=lab", "--network=none", "busybox", *SLEEP))
@without("the request: docker --version, which asks nobody", arguments=("--version",))
def test_the_docker_command_sends_http_requests(docker, relay, arguments):
    """docker run sends HTTP requests to a socket: POST /containers/create, and then …/start.

    Kernel: a Unix socket carries bytes from one process to another. Here a third one stands
        between the two, passes on what is said, and notes each request.
    Without: docker --version is answered by the docker command itself, and nothing is sent.
    Source: Docker Engine API, Containers; unix(7)
    """
    docker(f"--host={relay.url}", *arguments)

    sent = [each for each in relay.requests if each.endswith(("/create", "/start"))]
    assert sent == ["POST /containers/create", "POST /containers/{id}/start"]


@answers("deep-20", "how-4", "study-6")
@suite_engine
@requires("docker-cli", "curl")
@given(path="containers")
@without("the path: a wrong one", path="container")
def test_two_http_requests_make_what_docker_run_makes(docker, host, socket, path):
    """Whoever can open the socket needs no docker command: curl makes the same container.

    Kernel: afterwards there are two processes with the same command line on the host. Who asked
        for which, nothing in /proc tells.
    Without: the API knows no such path: 404, and no process but that of docker run.
    Source: Docker Engine API, POST /containers/create, POST /containers/{id}/start; curl(1)
    """
    docker("run", "--detach", "--name=lab-by-docker", "--network=none", "busybox", *SLEEP)

    post = ("curl", "--silent", "--unix-socket", str(socket), "--header", JSON, "--data")
    host.exec(*post, CREATE, f"http://engine/{path}/create?name=lab-by-curl")
    host.exec(*post, "", f"http://engine/{path}/lab-by-curl/start")

    assert host.command_lines().count(" ".join(SLEEP)) == 2


@answers("how-2")
@given(start=False)
@without("the mere creation: it is started", start=True)
def test_a_container_that_is_only_created_has_no_process(create, host, start):
    """docker create makes a container that is no process: it has a name, a config, and PID 0.

    Kernel: no process of the host is in a cgroup that has the container's id in its name. Its
        namespaces do not exist either: they come with the first process.
    Without: docker start is what makes the process.
    Source: Docker Engine API, POST /containers/create; namespaces(7), Namespace lifetime
    """
    container = create("container")
    if start:
        container.start()

    processes = host.processes_in_cgroup(container.id)
    assert (container.inspect("State.Pid"), processes) == (0, [])


@answers("study-5")
@requires("docker-cli")
@fresh
@started_with(command=GRACEFUL)
@given(signal=SIGKILL)
@without("SIGKILL: SIGTERM, which the docker command passes on", signal=SIGTERM)
def test_a_container_does_not_need_the_client_that_watches_it(container, host, signal):
    """Killing the docker command kills no container: it is not the parent, only a client.

    Kernel: SIGKILL ends the process that it is sent to, and nobody else. The container's parent
        is the shim.
    Without: SIGTERM the docker command can catch, and it asks the engine to send it to PID 1.
    Source: kill(2), signal(7), docs.docker.com/reference/cli/docker/container/attach/, --sig-proxy
    """
    wait_until(lambda: container.has("/ready"))
    client = host.spawn("docker", "attach", "--no-stdin", container.name)
    wait_until(lambda: "attach" in container.events())

    client.send_signal(signal)
    wait_until(lambda: not client.alive)

    lives = settled(lambda: container.init.alive, until=lambda alive: not alive, within=1)
    assert lives


# From dockerd to the first process


@answers("brief-8", "deep-22", "deep-44", "study-6", "study-10")
@suite_engine
@requires("dockerd", "docker-cli", "process-events", "runc")
@given(verb="run")
@without("the start: the container is only created", verb="create")
def test_docker_run_goes_from_containerd_by_shim_and_runc_to_the_container(docker, engine, verb):
    """A container's first process was forked by runc, runc by a shim, and the shim by containerd.

    Kernel: it tells, for each process, who forked it, what program it became, and when it ended.
        The docker command is in no such line: it sent a request to dockerd, and waits.
    Without: docker create makes no process; neither a shim nor runc is started for it.
    Source: connector.rst, cn_proc.h; containerd core/runtime/v2/README.md
    """
    with engine.watched() as timeline:
        docker(verb, "--rm", NO_INIT, "--network=none", "busybox", "sleep", "0.25")

    lineage = timeline.lineage("sleep", "0.25")
    assert lineage[-4:] == ["containerd", "containerd-shim-runc-v2", "runc", "sleep"]


@answers("deep-23", "intro-16", "study-7")
@suite_engine
@requires("dockerd", "docker-cli", "process-events", "runc")
@given(how="--detach", command=("sleep", "infinity"))
@without("the container that runs on: its command ends at once", how="--rm", command=("true",))
def test_of_all_that_docker_run_starts_two_processes_stay(docker, engine, how, command):
    """Of a dozen processes that docker run starts, two stay: the shim and the container's own.

    Kernel: it tells of each exit as of each fork. runc came three times, as create, init and
        start, and has ended each time; so has the docker command.
    Without: when the container ends, its shim ends too.
    Source: connector.rst, cn_proc.h; opencontainers/runc README.md
    """
    with engine.watched() as timeline:
        docker("run", how, NO_INIT, "--name=lab", "--network=none", "busybox", *command)

    assert timeline.left == ["containerd-shim-runc-v2", "sleep"]


@answers("deep-26")
@suite_engine
@requires("docker-cli", "root")
@given(starts=UNSHARE)
@without("the mere system calls: docker run", starts=DOCKER_RUN)
def test_the_kernel_is_done_long_before_docker_run_is(host, docker, starts):
    """A process in five new namespaces takes the kernel milliseconds; docker run takes far longer.

    Kernel: nothing boots. unshare(2) makes the namespaces, execve(2) starts the program. The rest
        is the engine's: a client, a shim, a runtime that comes three times, mounts and a cgroup.
    Without: what docker run does is not done in a fifth of the time that docker run takes.
    Source: unshare(2), execve(2), OCI runtime-spec runtime.md, Lifecycle
    """
    # The least of some tells what it takes when nothing comes in between.
    takes = min(host.exec(*starts, "true").seconds for _ in range(5))

    docker_run_takes = min(docker(*DOCKER_RUN[1:], "true").seconds for _ in range(3))
    assert takes * 5 < docker_run_takes


@answers("deep-24", "intro-16", "study-9")
@suite_engine
@requires("dockerd")
@given(of="the container")
@without("the container: containerd, which dockerd has started", of="containerd")
def test_the_shim_is_the_parent_and_nobody_s_child(container, engine, of):
    """A container's parent is its shim, and the shim belongs neither to containerd nor to dockerd.

    Kernel: the shim's own parent ended at once, so that the kernel gave it to PID 1, or to a
        process that takes in the orphans below it: PR_SET_CHILD_SUBREAPER.
    Without: this containerd is a child of dockerd: where the one is killed, the other goes too.
    Source: containerd core/runtime/v2/README.md; prctl(2), wait(2)
    """
    containerd = engine.private.containerd
    process = {"the container": container.init, "containerd": containerd}[of]

    parent = process.parent
    is_theirs = parent.parent in (containerd, engine.private.daemon)
    assert (parent.name[:15], is_theirs) == ("containerd-shim", False)


@answers("how-10")
@suite_engine
@requires("dockerd")
@given(of="the engine")
@without("the engine: the program in the container, written in C", of="the container")
def test_all_parts_of_the_engine_are_written_in_go(container, engine, host, of):
    """dockerd, containerd and the shim are Go programs; what makes a container is the kernel, in C.

    Kernel: /proc/<pid>/exe is the program that a process runs. The Go linker writes into each what
        it was made of, behind the words "Go buildinf:".
    Without: busybox, which runs in the container, has no such words.
    Source: proc_pid_exe(5), https://pkg.go.dev/debug/buildinfo
    """
    parts = [engine.private.daemon, engine.private.containerd, container.init.parent]
    processes = {"the engine": parts, "the container": [container.init]}[of]

    programs = [f"/proc/{process.host_pid}/exe" for process in processes]
    made_in_go = host.exec("grep", "--files-with-matches", "Go buildinf:", *programs)

    assert made_in_go.stdout.split() == programs


@answers("deep-21", "deep-22")
@suite_engine
@requires("dockerd", "ctr")
@given(namespace="moby")
@without("the namespace moby: another", namespace="default")
def test_containerd_knows_the_container_as_a_task(container, host, namespace):
    """containerd has a task for each of dockerd's containers, with the same id and the same PID.

    Kernel: it knows one process. dockerd, containerd and the shim each have notes of it.
    Without: these namespaces have nothing to do with the kernel's: they keep apart what different
        clients of one containerd do. dockerd's is called moby.
    Source: ctr task --help, containerd docs/namespaces.md
    """
    address = container.init.parent.argument("-address")

    tasks = host.exec("ctr", "--address", address, "--namespace", namespace, "tasks", "list")
    listed = [line.split()[:2] for line in tasks.stdout.splitlines()]

    assert [container.id, str(container.init.host_pid)] in listed


# The runtime and its orders


@answers("deep-22", "deep-23", "study-48")
@private_engine(noting_runtime=True)
@started_with(runtime="noting")
@without("the other runtime", runtime=None)
def test_the_shim_calls_the_runtime_by_its_command_line(container, engine):
    """Whatever program is registered as a runtime is called by the shim: create, start, delete.

    Kernel: each call is a process, and the parent of each is the shim (the last may be called by
        a second one, that cleans up). Nothing of a runtime stays between the calls.
    Without: with the default runtime, runc, the script that notes the calls is not called.
    Source: OCI runtime-spec runtime.md, Operations; daemon.json, runtimes
    """
    container.remove()

    calls = settled(
        lambda: engine.private.runtime_calls,
        until=lambda calls: ("containerd-shim", "delete") in calls,
        within=1,
    )
    assert [call for call in calls if call[1] != "kill"][:3] == [
        ("containerd-shim", "create"),
        ("containerd-shim", "start"),
        ("containerd-shim", "delete"),
    ]


@answers("how-21", "intro-5")
@requires("docker", "cgroup:memory", "seccomp")
@fresh
@started_with(mem_limit="64m", memswap_limit="64m")
@given(update=False)
@without("--memory", mem_limit=None, memswap_limit=None)
@without(pid_mode="host")
@without("the state at the start: docker update changed it", update=True)
def test_the_runtime_is_told_all_of_it_in_one_text_file(container, host, update):
    """What a runtime is to make stands in one JSON file, config.json, and then the kernel has it.

    Kernel: what the file names are its own things: a command line, flags of clone(2), a number for
        memory.max, a filter. runc makes the system calls.
    Without: what docker run was not given, or took away, is not in the file. What is changed later
        is not in it either: it is an order, and no state.
    Source: OCI runtime-spec, bundle.md, config.md, config-linux.md
    """
    if update:
        container.update(mem_limit="128m", memswap_limit="128m")
    bundle, init = container.bundle, container.init

    written = [
        bundle["process.args"],
        {"type": "pid"} in bundle["linux.namespaces"],
        bundle["linux.resources.memory.limit"],
        bundle["linux.seccomp"] is not None,
    ]
    found = [
        [*init.argv],
        "pid" in init.namespaces.own_against(host.process.namespaces),
        container.cgroup.memory.max,
        init.seccomp == "filter",
    ]
    assert written == found == [["sleep", "infinity"], True, 64 * MIB, True]


# Killing one after the other


@answers("deep-24", "study-8", "study-9")
@private_engine(**{"live-restore": True})
@started_with(stop_signal="SIGKILL")
@without("live-restore", **{"live-restore": False})
def test_with_live_restore_a_container_outlives_a_crash_of_dockerd(container, engine):
    """With live-restore, dockerd can be killed and started again: the same process is found running.

    Kernel: a process does not end because another does, and dockerd is not even its parent. Its PID
        and the time of its start tell that it is the same one.
    Without: the container runs on as well, but the next dockerd ends what it finds running.
    Source: docs.docker.com/engine/daemon/live-restore; proc_pid_stat(5), starttime
    """
    engine.private.kill()
    lived_on_alone = container.init.alive
    engine.private.start()

    running, pid = container.inspect("State.Running"), container.inspect("State.Pid")
    same_process = running and Process(pid) == container.init
    assert (lived_on_alone, same_process) == (True, True)


@answers("deep-24", "study-9")
@private_engine(**{"live-restore": True})
@started_with(stop_signal="SIGKILL")
@without("live-restore", **{"live-restore": False})
def test_with_live_restore_dockerd_stops_without_its_containers(container, engine):
    """systemctl stop docker stops dockerd alone with live-restore, and else every container first.

    Kernel: SIGTERM asks a program to end, and what it does before that is its own matter.
    Without: by default dockerd stops its containers as docker stop does.
    Source: docs.docker.com/engine/daemon/live-restore; signal(7)
    """
    engine.private.stop()

    lives = container.init.alive
    assert lives


@answers("deep-24", "study-7", "study-8")
@private_engine()
@given(part="containerd")
@without("containerd: the shim", part="the shim")
def test_a_container_outlives_containerd_and_not_its_shim(container, engine, part):
    """When containerd is killed, its containers run on; when a shim is killed, its container ends.

    Kernel: no container is a child of containerd. The end of a parent does not end a child either:
        it is containerd that sees the shim's end, and has what is left cleaned up.
    Without: with its shim, a container loses who holds its output and waits for its end.
    Source: containerd core/runtime/v2/README.md; kill(2)
    """
    parts = {"containerd": engine.private.containerd, "the shim": container.init.parent}
    parts[part].send_signal(SIGKILL)
    wait_until(lambda: not parts[part].alive)

    lives = settled(lambda: container.init.alive, until=lambda alive: not alive, within=1.5)
    assert lives


@answers("deep-24", "study-9")
@private_engine(**{"live-restore": True})
@started_with(command=("sh", "-c", CHATTER))
@without("the chatter: it goes to /dev/null", command=("sh", "-c", f"exec > /dev/null; {CHATTER}"))
def test_without_dockerd_a_container_that_prints_comes_to_a_halt(container, engine):
    """While no dockerd reads what a container prints, it fills its pipe, and then it waits.

    Kernel: a pipe holds 64 KiB. write(2) to a full one sleeps until somebody reads. The shim holds
        the other end, so that the pipe does not break, and waits for dockerd itself.
    Without: what prints nothing, or not into the pipe, runs on as before.
    Source: pipe(7), Pipe capacity; proc_pid_wchan(5), proc_pid_io(5)
    """
    engine.private.kill()

    init = container.init
    waits_in = settled(lambda: init.waits_in, until=lambda place: "pipe" in place, within=2)
    before = init.written
    after = settled(lambda: init.written, until=lambda written: written > before, within=0.5)
    engine.private.start()
    in_the_end = settled(lambda: init.written, until=lambda written: written > after)

    assert ("pipe" in waits_in, after == before, in_the_end > after) == (True, True, True)


# A container that has failed


@answers("study-43", "study-44")
@requires("cgroup:memory", "memory-without-swap", "oom-event")
@given(look_at=("Status", "ExitCode", "OOMKilled"))
@without("OOMKilled", look_at=("Status", "ExitCode"))
@without("ExitCode", look_at=("Status", "OOMKilled"))
def test_status_exit_code_and_oom_killed_tell_five_failures_apart(create, look_at):
    """docker inspect tells five ways to fail apart: by the status, the exit code, and OOMKilled.

    Kernel: ENOENT and EACCES of execve(2) become 127 and 126, and there was never a process of the
        container's. An exit status is a code or a signal, and 137 is both SIGKILLs.
    Without: by the exit code alone, what the OOM killer ended can not be told from what anybody
        else has killed. Without it, not found can not be told from not executable, nor a
        program's own failure from a kill.
    Source: wait(2), execve(2); docs.docker.com/reference/cli/docker/container/run/, Exit status
    """
    failures = {
        "not found": create("not found", command=("no-such-program",)),
        "not executable": create("not executable", command=("/etc/group",)),
        "its own": create("its own", command=("false",)),
        "out of memory": create("out of memory", command=HOG, mem_limit="32m", memswap_limit="32m"),
        "killed": create("killed"),
    }
    for each in failures.values():
        each.start()
    failures["killed"].process.send_signal(SIGKILL)
    hog = failures["out of memory"]
    wait_until(lambda: "SIGHUP" in hog.process.caught_signals)
    hog.process.send_signal(SIGHUP)
    wait_until(lambda: "oom" in hog.events() and "SIGTERM" in hog.process.caught_signals)
    hog.process.send_signal(SIGTERM)
    for name in ("its own", "out of memory", "killed"):
        failures[name].wait()

    seen = [tuple(each.inspect(f"State.{key}") for key in look_at) for each in failures.values()]
    assert sorted(set(seen)) == sorted(seen)


@answers("study-43")
@requires("logs")
@given(command=("sh", "-c", "echo no configuration >&2; exit 1"))
@without("standard error: it writes a file", command=("sh", "-c", "echo none > /log; exit 1"))
def test_docker_logs_still_has_what_a_dead_container_said(create, command):
    """docker logs shows what PID 1 wrote to standard output and error, also after its end.

    Kernel: both are pipes, whose other end the shim holds; dockerd writes down what comes.
    Without: what a program writes to a file of its own is in the writable layer, and not there.
    Source: docs.docker.com/reference/cli/docker/container/logs/; pipe(7)
    """
    container = create("container", command=command)
    container.start()
    container.wait()

    said = settled(container.logs, until=bool, within=2)
    assert "no configuration" in said


@answers("study-43")
@given(options=("--all",))
@without("--all", options=())
def test_a_failed_container_is_not_in_docker_ps(create, options):
    """docker ps lists what runs. What has failed is shown by docker ps --all, with its exit code.

    Kernel: there is nothing left of it to find: its process is gone, and what is listed is the
        engine's own note.
    Without: without --all it is as if it had never been.
    Source: docs.docker.com/reference/cli/docker/container/ls/
    """
    container = create("container", command=("false",))
    container.start()
    container.wait()
    # What docker ps reads is written after docker wait is answered, and before that is told.
    wait_until(lambda: "die" in container.events())

    listed = container.is_listed(*options)
    assert listed


@answers("study-43")
@given(removed=True)
@without("the removal", removed=False)
def test_docker_events_tells_of_a_container_that_is_gone(create, removed):
    """docker events tells the life of a container in order, also when docker inspect finds none.

    Kernel: it keeps nothing of a process that has been waited for. The engine keeps its last 256
        events, in memory.
    Without: as long as it is not removed, its life is not at its end: there is no destroy.
    Source: docs.docker.com/reference/cli/docker/system/events/
    """
    container = create("container", command=("false",))
    container.start()
    container.wait()
    if removed:
        container.remove()

    events = settled(container.events, until=lambda events: "destroy" in events, within=1)
    assert events == ["create", "start", "die", "destroy"]


# Several containers together


@answers("how-3", "study-21")
@suite_engine
@requires("libnetwork", "docker-cli")
@given(network="shop_default")
@without("the network of the project: the default bridge", network="bridge")
def test_a_project_of_compose_is_a_network_containers_and_labels(docker, network):
    """What Compose makes of a file can be made by hand: a network, containers, labels and names.

    Kernel: it sees network namespaces and a bridge between them. That they belong together is in
        labels, which only the engine keeps, and in the names that its DNS server answers.
    Without: a container beside the project's network may have its labels, and finds nobody by name.
    Source: docs.docker.com/compose/how-tos/networking/; docker run --network-alias
    """
    label = f"--label={PROJECT}=shop"
    docker("network", "create", label, "shop_default")
    docker("run", "--detach", "--network=shop_default", "--network-alias=web", "--name=shop-web-1",
           label, f"--label={SERVICE}=web", "busybox", "sleep", "infinity")  # fmt: skip
    docker("run", "--detach", f"--network={network}", "--name=shop-client-1",
           label, f"--label={SERVICE}=client", "busybox", "sleep", "infinity")  # fmt: skip

    ping = docker.attempt("exec", "shop-client-1", "timeout", "2", "ping", "-c", "1", "web")
    services = docker(
        "ps", "--filter", f"label={PROJECT}=shop", "--format", f'{{{{.Label "{SERVICE}"}}}}'
    )

    assert (ping.exit_code, sorted(services.output.split())) == (0, ["client", "web"])


@answers("how-3", "study-21")
@suite_engine
@requires("compose")
@given(network="by-hand_default", project="by-hand")
@without("the network: none", network="none")
@without("the labels", project="")
def test_docker_compose_up_makes_what_docker_commands_make(docker, folder, network, project):
    """docker compose up makes what docker network create and docker run make, and nothing else.

    Kernel: the same processes in the same kinds of namespaces. Compose itself has ended: nothing of
        it runs beside them.
    Without: what was made without the project's network, or without its labels, is not the same.
    Source: docs.docker.com/compose/intro/compose-application-model/
    """
    (folder / "compose.yaml").write_text(COMPOSE_FILE)
    docker("compose", f"--file={folder}/compose.yaml", "--project-name=composed", "up", "--detach")
    docker("network", "create", "by-hand_default")
    for service in ("web", "client"):
        labels = (f"--label={PROJECT}={project}", f"--label={SERVICE}={service}")
        docker("run", "--detach", f"--network={network}", f"--name=by-hand-{service}-1", *labels,
               "busybox", "sleep", "infinity")  # fmt: skip

    show = f'{{{{.Names}}}} {{{{.Label "{SERVICE}"}}}} {{{{.Networks}}}} {{{{.Image}}}} {{{{.Command}}}}'
    composed, by_hand = (
        sorted(
            docker("ps", f"--filter=label={PROJECT}={name}", "--format", show).stdout.splitlines()
        )
        for name in ("composed", "by-hand")
    )
    assert [line.replace("composed", "by-hand") for line in composed] == by_hand
