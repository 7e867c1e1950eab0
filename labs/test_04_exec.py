"""Chapter 4: docker exec joins what is there; docker run makes it anew; nsenter joins half."""

from fixtures.kernel import Cgroup
from fixtures.lab import (
    answers,
    fresh,
    given,
    neighbour_started_with,
    requires,
    started_with,
    wait_until,
    without,
)


@answers("deep-45")
@fresh
@given(into="the container")
@without("the same container", into="a neighbour")
def test_exec_joins_the_namespaces_of_the_container(container, neighbour, into):
    """A process that docker exec starts is in the namespaces of the container's first process.

    Kernel: the runtime calls setns(2) for each namespace of that process before it starts the
        command; none is made.
    Without: a command that is started in another container is in that one's namespaces.
    Source: setns(2), runc libcontainer/nsenter/README.md
    """
    target = {"the container": container, "a neighbour": neighbour}[into]
    process = target.spawn("sleep", "1000")

    assert process.namespaces.own_against(container.init.namespaces) == set()


@answers("deep-45", "how-24")
@fresh
@given(by="docker exec")
@without("docker exec", by="nsenter", requires=("root",))
def test_exec_joins_cgroup_capabilities_and_seccomp_as_well(container, host, by):
    """docker exec joins more than namespaces: the cgroup, the capabilities, the seccomp filter.

    Kernel: a cgroup, a capability set and a seccomp filter are no namespaces; setns(2) leaves
        them as they were. The runtime sets each of them for the command.
    Without: nsenter enters the same namespaces and leaves its process in the host's cgroup, with
        root's capabilities and no filter: the limits and the locks are gone.
    Source: nsenter(1), cgroups(7), capabilities(7), seccomp(2)
    """
    if by == "docker exec":
        process = container.spawn("sleep", "1000")
    else:
        process = host.nsenter(container.init, "sleep", "1000")
    init = container.init

    assert (Cgroup.of(process), process.capabilities.effective, process.seccomp) == (
        container.cgroup,
        init.capabilities.effective,
        init.seccomp,
    )


@requires("shim")
@fresh
@started_with(command=("sh", "-c", "sleep 1000 & wait"))
@given(started_by="docker exec")
@without("docker exec", started_by="PID 1")
def test_the_parent_of_an_exec_is_the_shim_and_not_pid_1(container, started_by):
    """A process that docker exec starts is no child of PID 1: its parent is PID 1's own parent.

    Kernel: joining a PID namespace changes nothing about who forked the process. That was the
        container's shim, on the host.
    Without: what PID 1 starts by itself is its child.
    Source: pid_namespaces(7), containerd core/runtime/v2/README.md
    """
    if started_by == "docker exec":
        process = container.spawn("sleep", "1000")
    else:
        process = wait_until(lambda: container.init.children)[0]

    assert process.parent == container.init.parent


@answers("how-9")
@given(name="an image")
@without("the image: a container is named", name="a container")
def test_exec_on_the_name_of_an_image_finds_nothing(container, engine, name):
    """docker exec needs a container: on the name of an image it answers 404, no such container.

    Kernel: an image is files and a configuration. It has no process, so there is nothing whose
        namespaces could be joined.
    Without: with a container's name the same request is accepted.
    Source: Docker Engine API, POST /containers/{id}/exec
    """
    target = {"an image": container.image, "a container": container.id}[name]

    status, message = engine.request("POST", f"/containers/{target}/exec", {"Cmd": ["true"]})

    assert (status, message.startswith("No such container")) == (404, True)


@answers("intro-2")
@requires("user-namespace-of-the-host")
@neighbour_started_with(ipc_mode="shareable")
@without(pid_mode="container:{neighbour}")
@without(network_mode="container:{neighbour}")
@without(ipc_mode="container:{neighbour}")
def test_a_second_run_of_an_image_joins_nothing(container, neighbour, host):
    """Two containers of one image share no namespace but those that they share with the host.

    Kernel: docker run makes new namespaces each time; an image has none that could be shared.
    Without: each --…=container: option makes the second container join one of the first's.
    Source: namespaces(7), docker run --help
    """
    shared = container.init.namespaces.shared_with(neighbour.init.namespaces)

    assert shared <= container.init.namespaces.shared_with(host.process.namespaces)
