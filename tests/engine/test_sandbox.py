"""A container under a kernel of its own: what the host sees is told, what it can not see is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fixtures.engine import sandbox
from fixtures.engine.sandbox import Sandbox, SandboxRun
from fixtures.kernel import NotObservable, Process
from tests.kernel.trees import Tree

ID = "0275d68f4564296e"
MOUNTS = "700 1 0:70 / / rw - tmpfs runsc-root rw\n701 700 0:71 / /proc ro - proc proc ro"


@pytest.fixture
def running(tmp_path: Path) -> Sandbox:
    """gVisor's process for a container, on a made-up machine."""
    tree = Tree(tmp_path)
    tree.process(42, name="exe", cgroup="4:memory:/docker/it")
    tree.write("proc/42/mountinfo", MOUNTS)
    tree.write("proc/42/status", "Name:\texe\nState:\tS (sleeping)\nSeccomp:\t2\nNSpid:\t42")
    return Sandbox(42, "runsc", tree.root)


@pytest.mark.parametrize(
    ("argv", "outside"),
    [
        (("runsc-sandbox", "--root=/run/moby", f"--log=/run/{ID}/log.json", "boot", ID), True),
        (("/usr/bin/qemu-system-x86_64", "-name", f"sandbox-{ID}"), True),
        (("sleep", "infinity"), False),
        (("runc", "init"), False),
        (("crun", "--root", "/run", "create", "--bundle", f"/run/{ID}", ID), False),
        ((), False),
    ],
)
def test_a_process_that_names_the_container_runs_it_from_outside(
    argv: tuple[str, ...], outside: bool
) -> None:
    assert sandbox.runs(ID, argv) == outside


def test_what_another_runtime_can_not_make_is_not_observable() -> None:
    said = "OCI runtime start failed: mounting submounts: operation not permitted: unknown"

    with pytest.raises(
        NotObservable, match="the runtime runsc does not make such a container: OCI"
    ):
        sandbox.refuse_what_it_can_not_make("runsc", said)
    sandbox.refuse_what_it_can_not_make("runc", said)
    sandbox.refuse_what_it_can_not_make("runsc", "no space left on device")


def test_what_the_host_enforces_on_the_sandbox_is_a_fact(running: Sandbox) -> None:
    assert (running.pids, running.seccomp) == ((42,), "filter")
    assert running.cgroup_lines == ["4:memory:/docker/it"]
    assert running.mounts.at("/").type == "tmpfs"
    assert "/proc" in running.mounts
    assert [mount.point for mount in running.mounts.of_type("proc")] == ["/proc"]


def test_that_a_command_said_nothing_is_not_observable() -> None:
    run = SandboxRun("it", ("uname", "-n"), 0, "\n", "", 0.1, False)

    with pytest.raises(NotObservable, match="`uname -n` printed nothing, under a kernel of"):
        assert run.output
    assert SandboxRun("it", ("uname", "-n"), 0, "name\n", "", 0.1, False).output == "name"


def test_it_is_the_same_process_as_any_other_look_at_it(running: Sandbox, tmp_path: Path) -> None:
    assert running == Process(42, tmp_path)


@pytest.mark.parametrize(
    ("look", "what"),
    [
        (lambda it: it.children, "its processes"),
        (lambda it: it.caught_signals, "its processes"),
        (lambda it: it.descriptors, "its open files"),
        (lambda it: it.limits, "the limits of its processes"),
        (lambda it: it.listening_ports, "its ports"),
        (lambda it: it.root_directory, "its files"),
        (lambda it: it.inode("/etc"), "its files"),
        (lambda it: it.mounts.at("/dev/shm"), "whether something is mounted on /dev/shm"),
        (lambda it: "/dev/shm" in it.mounts, "whether something is mounted on /dev/shm"),
        (lambda it: it.mounts.of_type("cgroup"), "whether a cgroup is mounted"),
    ],
)
def test_what_is_in_the_other_kernel_is_refused_and_never_said_to_be_missing(
    running: Sandbox, look: Callable[[Sandbox], object], what: str
) -> None:
    with pytest.raises(NotObservable) as caught:
        look(running)

    assert str(caught.value) == (
        "the runtime runsc runs the container under a kernel of its own, in which the host can "
        f"not see {what}. To get it: run it under a runtime that makes processes of this kernel, "
        "such as runc."
    )
