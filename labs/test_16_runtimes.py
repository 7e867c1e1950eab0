"""Chapter 16: runtimes and virtual machines. Who makes a container can be swapped, the kernel too."""

import os

from fixtures.kernel import Cgroup
from fixtures.kernel.posture import Posture
from fixtures.lab import answers, given, private_engine, requires, started_with, without

KINDS = ("ipc", "mount", "network", "pid", "uts")
BUNDLE = {
    "ociVersion": "1.0.0",
    "root": {"path": "rootfs"},
    "process": {"args": ["/bin/sleep", "infinity"], "cwd": "/", "user": {"uid": 0, "gid": 0}},
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        # Where the bundle lies, devices may be of no effect: in /tmp, under systemd.
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs"},
    ],
}
# The fraction makes it a command line that nobody else has, no other run either.
SLEEP = ("sleep", f"27182818.{os.getpid()}")
# No network: gVisor's own stack is not the subject, and needs rights that not every machine gives.
GVISOR = {"runsc": {"path": "runsc", "runtimeArgs": ["--network=none"]}}
A_MINUTE = 60


# Another program instead of runc


@answers("study-48")
@private_engine(noting_runtime=True)
@given(runtime="lab-unknown")
@without("the unknown name: a script that the engine was told of", runtime="noting")
def test_a_runtime_must_be_registered_with_the_engine(engine, runtime):
    """docker run --runtime takes a name from the engine's own list, and refuses any other.

    Kernel: it is not asked. The list is in daemon.json: a name, and the program that the shim
        shall call by it.
    Without: the name of a registered program is taken.
    Source: docs.docker.com/engine/daemon/alternative-runtimes; daemon.json, runtimes
    """
    asked_for = {"Image": "busybox", "HostConfig": {"Runtime": runtime}}

    status, message = engine.request("POST", "/containers/create", asked_for)

    assert (status, "unknown" in message.lower()) == (400, True)


@answers("study-8", "study-48")
@requires("runc")
@private_engine(noting_runtime=True)
@started_with(runtime="noting")
@without(pid_mode="host")
@without(security_opt=["seccomp=unconfined"], requires=("seccomp",))
def test_a_script_can_be_the_runtime(container, neighbour, host):
    """With a shell script as its runtime, that calls runc, a container has all that it has by runc.

    Kernel: namespaces, rights, limits and mounts are attributes of the process. What program set
        them, none of them tells.
    Without: what the container is told to lack, the comparison sees.
    Source: OCI runtime-spec runtime.md, Operations; daemon.json, runtimes
    """
    by_the_script = Posture.of(container.init, host.process)
    by_runc = Posture.of(neighbour.init, host.process)

    assert by_the_script.changed_from(by_runc) == set()


@answers("study-8", "study-48")
@requires("runc", "crun")
@private_engine(runtimes={"crun": {"path": "crun"}})
@started_with(runtime="crun")
@without(pid_mode="host")
@without(security_opt=["seccomp=unconfined"], requires=("seccomp",))
def test_crun_makes_the_same_container_as_runc(container, neighbour, host):
    """crun is another program than runc, in C and not in Go, and what it makes is the same.

    Kernel: both read the same config.json, and it has one meaning: so many namespaces, these
        rights, this cgroup, those mounts. One difference is known: where the file says that the
        OOM score is changed by 0, runc writes 0, and crun (1.8) leaves what the shim has.
    Without: what the container is told to lack, the comparison sees.
    Source: OCI runtime-spec config.md, config-linux.md; github.com/containers/crun
    """
    by_crun = Posture.of(container.init, host.process)
    by_runc = Posture.of(neighbour.init, host.process)

    assert by_crun.changed_from(by_runc) - {"OOM score"} == set()


# No engine at all


@answers("how-21", "study-48")
@requires("root", "docker", "runc-command")
@given(kinds=KINDS)
@without("the namespace pid in config.json", kinds=("ipc", "mount", "network", "uts"))
@without("the namespace network in config.json", kinds=("ipc", "mount", "pid", "uts"))
def test_a_bundle_is_all_that_a_runtime_needs(bundle, host, kinds):
    """A folder with a root directory and a config.json is enough for runc: no engine is asked.

    Kernel: the process has the namespaces that the file names, the cgroup that it names, and the
        directory beside it for its root.
    Without: a namespace that is not in the file is not made.
    Source: OCI runtime-spec bundle.md, config-linux.md, Namespaces; runc-run(8)
    """
    namespaces = [{"type": kind} for kind in kinds]
    linux = {"namespaces": namespaces, "cgroupsPath": bundle.cgroup}

    init = bundle.run(BUNDLE | {"linux": linux})

    own = init.namespaces.own_against(host.process.namespaces)
    its_root = init.mounts.at("/").root == str(bundle.root)
    its_cgroup = Cgroup.of(init).path == bundle.cgroup
    assert (own & {"ipc", "mnt", "net", "pid", "uts"}, its_root, its_cgroup) == (
        {"ipc", "mnt", "net", "pid", "uts"},
        True,
        True,
    )


@answers("study-8", "study-49")
@requires("private-engine", "containerd", "ctr")
@given(options=())
@without("the network namespace: --net-host", options=("--net-host",))
def test_containerd_makes_containers_without_dockerd(containerd, host, options):
    """containerd needs no dockerd: asked by ctr, it makes a container with namespaces of its own.

    Kernel: the parent of the container's first process is a shim, as under Docker. That there is
        no dockerd, nothing in the kernel misses.
    Without: with --net-host that one namespace is not made.
    Source: containerd docs/getting-started.md; ctr run --help
    """
    init = containerd.run(*SLEEP, options=options)

    own = init.namespaces.own_against(host.process.namespaces)
    assert (own & {"ipc", "mnt", "net", "pid", "uts"}, init.parent.name[:15]) == (
        {"ipc", "mnt", "net", "pid", "uts"},
        "containerd-shim",
    )


@answers("study-48")
@requires("root", "docker", "crun")
@given(runtime="crun", kinds=KINDS)
@without("the namespace pid in config.json", kinds=("ipc", "mount", "network", "uts"))
def test_another_runtime_reads_the_same_bundle(bundle, host, runtime, kinds):
    """crun makes a container of the very folder that runc makes one of.

    Kernel: the process has the namespaces that the file names, whoever has read it.
    Without: a namespace that is not in the file is not made.
    Source: OCI runtime-spec bundle.md; crun(1)
    """
    namespaces = [{"type": kind} for kind in kinds]
    linux = {"namespaces": namespaces, "cgroupsPath": bundle.cgroup}

    init = bundle.run(BUNDLE | {"linux": linux}, runtime)

    own = init.namespaces.own_against(host.process.namespaces)
    assert own & {"ipc", "mnt", "net", "pid", "uts"} == {"ipc", "mnt", "net", "pid", "uts"}


# Another kernel


@answers("deep-1", "study-48")
@requires("runc", "runsc")
@private_engine(runtimes=GVISOR)
@started_with(runtime="runsc")
@without("gVisor: the runtime is runc", runtime=None)
def test_gvisor_gives_a_container_a_kernel_of_its_own(container, host):
    """Under the runtime runsc, a container's system calls are answered by a kernel that is a program.

    Kernel: gVisor's kernel, the Sentry, is a process of the host, and says of itself what it
        likes: another release than the host's.
    Without: under runc there is one kernel, and it says the same inside and outside.
    Source: gvisor.dev/docs/architecture_guide; uname(2)
    """
    inside, outside = container.exec("uname", "-r").output, host.exec("uname", "-r").output

    assert inside != outside


@answers("deep-1", "deep-37")
@requires("runc", "runsc")
@private_engine(runtimes=GVISOR)
@started_with(runtime="runsc", command=SLEEP)
@without("gVisor: the runtime is runc", runtime=None)
def test_the_host_sees_no_process_of_a_gvisor_container(container, host):
    """Under gVisor a container's processes are none of the host: its `ps` does not list them.

    Kernel: the host's has one process for the whole container, gVisor's. What runs inside is in the
        tables of the kernel inside, as with a virtual machine.
    Without: under runc the command is an ordinary process of the host.
    Source: gvisor.dev/docs/architecture_guide; proc(5)
    """
    command_line = " ".join(SLEEP)

    seen_inside = command_line in container.command_lines()
    seen_outside = command_line in host.command_lines()

    assert (seen_inside, seen_outside) == (True, False)


# A virtual machine


@answers("deep-1", "deep-37", "study-3", "study-45")
@requires("qemu", "docker")
@given(of="a virtual machine")
@without("the virtual machine", of="a container")
def test_a_virtual_machine_boots_a_kernel_of_its_own(guest, container, host, of):
    """A virtual machine has booted a kernel of its own: neither its boot nor its version is the host's.

    Kernel: each kernel draws a boot_id when it boots. That of a guest is another one, even where
        it is booted from the same file as the host's.
    Without: a container's is the host's: no kernel was booted for it.
    Source: random(4), boot_id; qemu(1), -kernel
    """
    of_container = container.read("/proc/sys/kernel/random/boot_id")
    boot_id = {"a virtual machine": guest.boot_id, "a container": of_container}[of]

    assert boot_id != host.exec("cat", "/proc/sys/kernel/random/boot_id").output


@answers("deep-25", "deep-28", "deep-37")
@requires("qemu", "root", "docker", "runc-command")
@given(of="a container")
@without("the container: the virtual machine compared with itself", of="a virtual machine")
def test_a_container_needs_half_of_what_a_virtual_machine_needs(bundle, guest, of):
    """A container needs at most half the time, memory and files of the smallest virtual machine.

    Kernel: to boot one takes time (seconds, and no minute), memory and a file to boot from. For a
        container nothing is booted: its process is one more of a kernel that runs. Compared are,
        from the start of runc and of QEMU, the time to the first process; its memory (QEMU's has
        all of the guest's in it); and the size of the files.
    Without: compared with itself, the virtual machine needs as much, and no more.
    Source: firecracker SPECIFICATION.md; clone(2); proc_pid_status(5), VmRSS
    """
    namespaces = [{"type": kind} for kind in KINDS]
    init = bundle.run(BUNDLE | {"linux": {"namespaces": namespaces, "cgroupsPath": bundle.cgroup}})
    container = (bundle.seconds, init.resident, bundle.size)
    virtual_machine = (guest.seconds, guest.process.resident, guest.size)

    compared = {"a container": container, "a virtual machine": virtual_machine}[of]
    times_as_much = [
        round(whole / part, 1) for whole, part in zip(virtual_machine, compared, strict=True)
    ]

    assert min(times_as_much) >= 2
    assert guest.seconds < A_MINUTE
