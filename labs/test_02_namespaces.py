"""Chapter 2: namespaces, the part of a container that decides what its processes see."""

from signal import SIGTERM

from fixtures.lab import (
    answers,
    contrast,
    fresh,
    given,
    neighbour_started_with,
    private_engine,
    requires,
    started_with,
    wait_until,
    without,
)


@answers("brief-1", "brief-3", "brief-10", "how-11", "intro-3", "study-34", "study-41")
@requires("user-namespace-of-the-host")
@without(pid_mode="host")
@without(network_mode="host")
@without(ipc_mode="host")
@without(uts_mode="host")
def test_a_container_gets_five_namespaces_of_its_own(container, host):
    """By default a container has its own PID, network, mount, UTS and IPC namespace.

    Kernel: /proc/<pid>/ns has a link for each kind; two processes are in the same namespace when
        their links lead to the same inode while both live.
    Without: each --…=host leaves out one clone flag, and that kind is the host's. No option
        leaves out the mount namespace.
    Source: namespaces(7)
    """
    own = container.init.namespaces.own_against(host.process.namespaces)

    assert {"ipc", "mnt", "net", "pid", "uts"} <= own


@answers("how-1", "deep-4")
@requires("user-namespace-of-the-host")
@started_with(network_mode="container:{neighbour}")
@without("the shared network", network_mode="none")
def test_a_container_can_share_one_namespace_and_no_other(container, neighbour, host):
    """Namespaces are taken one by one: a container can share another's network, and only that.

    Kernel: a namespace belongs to whoever is in it. The kernel knows no object "container" that
        would hold the kinds together.
    Without: with a network of its own, nothing is shared that is not the host's anyway.
    Source: namespaces(7), setns(2)
    """
    with_neighbour = container.init.namespaces.shared_with(neighbour.init.namespaces)
    with_host = container.init.namespaces.shared_with(host.process.namespaces)

    assert with_neighbour - with_host == {"net"}


@answers("intro-8", "how-16", "deep-11")
@without(volumes=["{folder}:{folder}"])
def test_a_container_does_not_see_the_files_of_the_host(container, folder):
    """A container's file tree begins at a root of its own: a file of the host is not in it.

    Kernel: the mount namespace has its own mounts, and pivot_root(2) made another one its root,
        so no path leads to the host's files.
    Without: a bind mount puts one directory of the host into that tree, and the file is there.
    Source: mount_namespaces(7), pivot_root(2)
    """
    (folder / "note").write_text("written on the host\n")

    assert not container.has(f"{folder}/note")


@answers("intro-8", "how-16")
@started_with(tmpfs={"/scratch": ""}, volumes=["{folder}:/folder"])
@given(point="/scratch")
@without("the new file system: a directory of the host", point="/folder")
def test_what_is_mounted_in_a_container_is_not_mounted_on_the_host(container, host, point):
    """A file system that is mounted in a container is not in the mount table of the host.

    Kernel: each mount namespace has its own list of mounts. A mount goes from one to the other
        only where the two share its parent mount, and Docker makes the parents private.
    Without: a bind mount shows a file system that the host has mounted too.
    Source: mount_namespaces(7), proc_pid_mountinfo(5), docker run --tmpfs
    """
    file_system = container.init.mounts.at(point).device

    assert host.mounts.of_device(file_system) == []


@answers("intro-7", "how-14")
@started_with(network_mode="bridge")
@without(network_mode="none")
@without(network_mode="host")
def test_a_container_has_a_network_interface_of_its_own(container, neighbour, host):
    """On a bridge network a container has one interface besides the loopback: eth0.

    Kernel: each network namespace has its own devices, addresses, routes and ports. A new one, as
        the neighbour's with --network=none, has a loopback and what tunnel modules add to each.
    Without: with --network=none nothing is added; with --network=host it sees the host's
        interfaces instead.
    Source: network_namespaces(7), admin-guide/sysctl/net.rst, fb_tunnels_only_for_init_net
    """
    added = container.init.interfaces - neighbour.init.interfaces
    # A host may have one interface of that name as well, and no other.
    is_its_own = container.init.namespaces.net != host.process.namespaces.net

    assert (added, is_its_own) == ({"eth0"}, True)


@fresh
@without(network_mode="container:{neighbour}")
def test_two_containers_can_listen_on_the_same_port(container, neighbour):
    """Port 8080 of one container has nothing to do with port 8080 of another.

    Kernel: ports are a table of the network namespace.
    Without: in one shared namespace the second to come is refused: address already in use.
    Source: network_namespaces(7), bind(2)
    """
    neighbour.spawn("nc", "-l", "-p", "8080")
    wait_until(lambda: 8080 in neighbour.init.listening_ports)

    listener = container.exec("timeout", "1", "nc", "-l", "-p", "8080")
    # timeout ends it with SIGTERM; newer ones then say 124 themselves.
    listened_to_the_end = listener.exit_code in (124, 128 + SIGTERM)

    assert (listened_to_the_end, "in use" in listener.stderr) == (True, False)


@answers("deep-12", "how-17")
@without(uts_mode="host")
def test_a_container_has_a_host_name_of_its_own_and_the_kernel_version_of_the_host(container, host):
    """The UTS namespace isolates the host name; it does not isolate the kernel's version.

    Kernel: uname(2) gives both. The node and domain name are the namespace's, the release and
        version are the kernel's.
    Without: with --uts=host the host name is the host's as well.
    Source: uts_namespaces(7), uname(2)
    """
    own_name = container.exec("uname", "-n").output != host.exec("uname", "-n").output
    same_kernel = container.exec("uname", "-r").output == host.exec("uname", "-r").output

    assert (own_name, same_kernel) == (True, True)


@fresh
@started_with(cap_add=["SYS_ADMIN"])
@without("the capability SYS_ADMIN", cap_add=None)
def test_a_host_name_that_is_set_inside_stays_inside(container, host):
    """A container that may set its host name changes it for itself alone.

    Kernel: sethostname(2) writes into the caller's UTS namespace, and wants CAP_SYS_ADMIN there.
    Without: without that capability the call is refused (EPERM), and the name stays as it was.
    Source: uts_namespaces(7), sethostname(2)
    """
    before = host.exec("uname", "-n").output

    container.exec("hostname", "renamed")
    after = host.exec("uname", "-n").output

    assert (container.exec("uname", "-n").output, after) == ("renamed", before)


@answers("how-15")
@without(ipc_mode="host", requires=("user-namespace-of-the-host",))
def test_a_container_does_not_see_the_shared_memory_of_the_host(container, host):
    """A System V shared memory segment of the host is not listed inside a container.

    Kernel: /proc/sysvipc/shm lists the segments of the reader's IPC namespace.
    Without: with --ipc=host the same segment is listed.
    Source: ipc_namespaces(7), sysvipc(7)
    """
    with host.shared_memory() as segment:
        table = container.read("/proc/sysvipc/shm").splitlines()[1:]

    assert str(segment) not in [line.split()[1] for line in table]


@fresh
@neighbour_started_with(ipc_mode="shareable")
@without(ipc_mode="container:{neighbour}")
def test_a_container_has_a_dev_shm_of_its_own(container, neighbour):
    """A file in a neighbour's /dev/shm is not in the container's.

    Kernel: POSIX shared memory is a tmpfs; the engine mounts a new one for each container.
    Without: with --ipc=container:… the engine mounts the neighbour's, and the file is there.
    Source: shm_overview(7), docker run --ipc
    """
    neighbour.write("/dev/shm/note", "from the neighbour")

    assert not container.has("/dev/shm/note")


@fresh
@neighbour_started_with(ipc_mode="shareable")
@without(ipc_mode="container:{neighbour}")
def test_a_container_has_message_queues_of_its_own(container, neighbour):
    """A POSIX message queue of a neighbour does not exist in the container.

    Kernel: the file system mqueue shows the queues of one IPC namespace.
    Without: with --ipc=container:… both are in one namespace, and the queue is there.
    Source: ipc_namespaces(7), mq_overview(7)
    """
    queue = "/dev/mqueue/queue"
    neighbour.exec("touch", queue)

    assert (neighbour.has(queue), container.has(queue)) == (True, False)


@without(ipc_mode="none")
def test_a_container_gets_a_file_system_for_shared_memory(container):
    """By default a container has a tmpfs at /dev/shm.

    Kernel: shm_open(3) makes its files in /dev/shm, so where nothing is mounted there, POSIX
        shared memory has no place.
    Without: --ipc=none still makes an IPC namespace, but mounts nothing on /dev/shm.
    Source: shm_overview(7), docker run --ipc
    """
    mounts = container.init.mounts

    assert "/dev/shm" in mounts


@answers("intro-9", "deep-13")
@requires("user-namespace-of-the-host")
@without(user="1000:1000")
def test_root_in_a_container_is_root_on_the_host(container, host):
    """By default a container has no user namespace of its own: its root is the host's root.

    Kernel: uid_map maps the user ids of a process's user namespace to its parent's. The host's
        maps every id to itself, and a default container has that same map.
    Without: with --user=1000 the process is user 1000, inside and outside alike.
    Source: user_namespaces(7)
    """
    init = container.init

    assert (init.uid, init.uid_map) == (0, host.process.uid_map)


@answers("intro-9", "deep-13")
@requires("user-namespace-of-the-host")
@given(user=None)
@without(user="1000:1000")
def test_what_root_writes_in_a_container_belongs_to_root_on_the_host(start, host, folder, user):
    """A file that a container's root makes in a bind mount is owned by the host's root.

    Kernel: a new file gets the user id of the process as the host counts it. With no user
        namespace between them, 0 inside is 0 outside.
    Without: with --user=1000 the file belongs to user 1000.
    Source: user_namespaces(7), inode(7)
    """
    folder.chmod(0o700)  # so nobody on the host reaches what everybody may write to
    shared = folder / "shared"
    host.exec("mkdir", "--mode=777", str(shared))
    container = start("container", user=user, volumes=[f"{shared}:/shared"])

    container.write("/shared/note", "written inside")

    assert (shared / "note").stat().st_uid == 0


@answers("intro-9", "deep-13")
@private_engine(userns_remap=True)
@without(userns_mode="host")
def test_with_userns_remap_root_inside_is_an_ordinary_user_outside(container):
    """With userns-remap, root in a container is an unprivileged user on the host.

    Kernel: in a user namespace with the map "0 100000 65536" user 0 inside is user 100000
        outside, and capabilities count only for what that namespace owns.
    Without: --userns=host takes the remapping back for one container, and root is root again.
    Source: user_namespaces(7), https://docs.docker.com/engine/security/userns-remap/
    """
    inside = int(container.exec("id", "-u").output)
    outside = container.init.uid

    assert (inside, outside) == (0, 100000)


@requires("namespace:cgroup", "cgroupns")
@started_with(cgroupns="private")
@without(cgroupns="host")
def test_a_cgroup_namespace_hides_where_the_container_stands(container):
    """With a cgroup namespace of its own, a container's cgroup looks like the root of the tree.

    Kernel: /proc/self/cgroup shows paths relative to the root of the reader's cgroup namespace.
    Without: with --cgroupns=host the whole path shows, with the container's id in it.
    Source: cgroup_namespaces(7)
    """
    lines = container.read("/proc/self/cgroup").splitlines()

    assert {line.split(":", 2)[2] for line in lines} == {"/"}


@answers("how-12")
@requires("oci-runtime", "namespace:cgroup", "user-namespace-of-the-host")
@contrast("which namespaces a container gets by default is the engine's decision")
def test_the_user_namespace_is_shared_with_the_host_by_default(container, host):
    """Not all is separate: the user namespace is the host's, and of others the engine decides.

    Kernel: a namespace that nobody unshared is the parent's. What is to be unshared, the engine
        lists in config.json: user only when it is configured to, cgroup by default on cgroup v2
        alone, time from Docker 29.5 on.
    Without: nothing is taken away; what the engine has listed is compared with what there is.
    Source: namespaces(7), OCI runtime-spec config-linux.md, moby daemon/pkg/oci/defaults.go
    """
    listed = {each["type"] for each in container.bundle["linux.namespaces"]}
    own = container.init.namespaces.own_against(host.process.namespaces)

    assert "user" not in own
    assert own & {"cgroup", "time"} == listed & {"cgroup", "time"}


@answers("how-12")
@requires("time-namespaces")
@private_engine(features={"time-namespaces": True})
@without("the feature time-namespaces", features={"time-namespaces": False})
def test_a_container_has_a_time_namespace_of_its_own_and_the_clocks_of_the_host(container, host):
    """From Docker 29.5 on a container has a time namespace of its own; its clocks go like the host's.

    Kernel: in a time namespace the clock since boot and the monotonic one may be shifted, by
        timens_offsets. Docker writes nothing there. The time of day is in no namespace.
    Without: an engine with the feature time-namespaces off makes none, as each one did before.
    Source: time_namespaces(7), moby daemon/oci_linux.go
    """
    own = "time" in container.init.namespaces.own_against(host.process.namespaces)
    shifted = [line for line in container.read("/proc/self/timens_offsets").splitlines()
               if line.split()[1:] != ["0", "0"]]  # fmt: skip

    assert (own, shifted) == (True, [])


@requires("user-namespace-of-the-host")
@without(volumes=["/sys/fs/cgroup:/sys/fs/cgroup"])
def test_a_container_can_not_write_to_its_cgroup(container):
    """The cgroup file systems in a container are mounted read-only: it can not lift its limits.

    Kernel: the flag ro of a mount refuses every write through it, root's too (EROFS).
    Without: a bind mount of the host's /sys/fs/cgroup brings them in writable.
    Source: mount(2), OCI runtime-spec config.md, mounts
    """
    mounts = container.init.mounts.of_type("cgroup", "cgroup2")
    writable = {mount.point for mount in mounts if "ro" not in mount.flags}

    assert (len(mounts) > 0, writable) == (True, set())
