"""Chapter 15: data. What dies with a container, what outlives it, and what two of them share."""

from pathlib import Path

from fixtures.lab import (
    answers,
    fresh,
    given,
    neighbour_started_with,
    requires,
    settled,
    started_with,
    wait_until,
    without,
)

MIB = 1024 * 1024

# It reads a number, waits for /data/go and writes the next number. Whoever has read, or has to wait
# for the lock, says so with a file of its name, $0: so the order of things is no matter of luck.
COUNT = """\
read number < /data/counter; touch /data/$0;
until [ -e /data/go ]; do sleep 0.05; done;
echo $((number + 1)) > /data/counter"""
COUNT_UNDER_A_LOCK = f"""\
until mkdir /data/lock; do touch /data/$0; sleep 0.05; done;
{COUNT};
rm -r /data/lock"""


@answers("study-31", "deep-48")
@requires("overlay")
@fresh
@given(ended_with="docker rm")
@without("docker rm: the container is only stopped", ended_with="docker stop")
def test_the_writable_layer_is_deleted_with_the_container(container, ended_with):
    """What a container wrote to its own file system is gone with it: docker rm deletes the layer.

    Kernel: the writes are files in upperdir=, a directory of the host that belongs to this one
        container. The engine unmounts the overlay and deletes that directory.
    Without: docker stop ends the processes and leaves the layer where it is.
    Source: overlayfs.rst, Upper and Lower; docs.docker.com/engine/storage
    """
    layer = container.overlay.upper
    container.write("/note", "written in the container")

    if ended_with == "docker rm":
        container.remove()
    else:
        container.stop(grace=0)

    assert not layer.exists


@answers("study-31", "deep-48")
@requires("overlay")
@fresh
@given(then="docker start")
@without("the same container: a new one of the image", then="docker run")
def test_stop_and_start_keep_the_writable_layer(container, start, then):
    """A container that is stopped and started again has its files: it is on the same upper layer.

    Kernel: the overlay is mounted anew, with the same directory as upperdir=.
    Without: docker run makes a new container with an empty layer of its own; nothing is there.
    Source: overlayfs.rst, Upper and Lower; docker start --help
    """
    layer = container.overlay.upper
    container.write("/note", "written before the stop")

    container.stop(grace=0)
    if then == "docker start":
        container.start()
    who = container if then == "docker start" else start("new container")

    assert (who.overlay.upper == layer, who.has("/note")) == (True, True)


@answers("study-32", "deep-48")
@fresh
@started_with(volumes=["{volume}:/data"])
@given(path="/data/note")
@without("the volume: the file is in the writable layer", path="/note")
def test_a_volume_outlives_the_container(container, start, volume, path):
    """What is written to a volume is there for the next container, when the first is removed.

    Kernel: the volume is a directory that the overlay is no part of; removing the container
        unmounts it, and the next one mounts it again.
    Without: a file beside the volume is in the writable layer, and goes with the container.
    Source: docs.docker.com/engine/storage/volumes, mount(2)
    """
    container.write(path, "written by the first container")
    container.remove()

    following = start("new container", volumes=[f"{volume}:/data"])

    assert following.has(path)


@answers("study-32")
@started_with(volumes=["{volume}:/data"])
@without("the volume: a directory in memory", volumes=None, tmpfs={"/data": ""})
def test_a_volume_is_a_directory_of_the_host(container, host, volume):
    """A volume is a directory of the host, mounted into the container beside its overlay.

    Kernel: the engine bind mounts the directory that docker volume inspect calls Mountpoint. Both
        paths lead to one inode on one device.
    Without: a tmpfs at the same path is a file system of its own, with another inode.
    Source: docs.docker.com/engine/storage/volumes, mount(2), inode(7)
    """
    inside = container.init.inode("/data")

    assert inside == host.process.inode(volume.mountpoint)


@requires("overlay")
@fresh
@started_with(volumes=["{volume}:/data"])
@given(path="/data/note")
@without("the volume: the file is beside it", path="/note")
def test_writes_to_a_volume_do_not_go_through_the_overlay(container, path):
    """What is written to a volume is not in the writable layer: nothing is copied or kept there.

    Kernel: a path is looked up through the mounts on its way. At the volume it leaves the overlay
        for the file system of the host.
    Without: a file beside the volume is a new file in upperdir=.
    Source: path_resolution(7), overlayfs.rst, Upper and Lower
    """
    container.write(path, "written in the container")

    assert container.overlay.upper.entry(path) == "absent"


@started_with(volumes=["{volume}:/etc"])
@without("the volume: a bind mount", volumes=["{folder}:/etc"])
@without("the copy", volumes=["{volume}:/etc:nocopy"])
def test_an_empty_volume_is_filled_from_the_image(container):
    """A new volume on a directory of the image begins with a copy of that directory's files.

    Kernel: a mount hides what is below it. The engine copies the files into the volume before it
        mounts it; the kernel does no such thing.
    Without: with a bind mount, and with the option nocopy, the image's files are hidden.
    Source: docs.docker.com/engine/storage/volumes, mount(2)
    """
    assert container.has("/etc/group")


@fresh
@started_with(volumes=["{volume}:/data"])
@given(write=True)
@without("the file: the volume is empty", write=False)
def test_a_volume_that_has_files_is_not_filled(container, start, volume, write):
    """A volume that is not empty keeps its files, and hides the image's at that path.

    Kernel: the mount hides the directory below it; there is no merging, as overlayfs does it.
    Without: while the volume is empty, the engine copies the image's files into it.
    Source: docs.docker.com/engine/storage/volumes, mount(2)
    """
    if write:
        container.write("/data/note", "the first file in the volume")

    second = start("second container", volumes=[f"{volume}:/etc"])

    assert (second.has("/etc/note"), second.has("/etc/group")) == (True, False)


@answers("study-32")
@started_with(volumes=["{folder}:/shared"])
@given(path="/shared/note")
@without("the bind mount: a copy", path="/copy")
def test_a_bind_mount_is_the_same_file(container, host, folder, path):
    """A file in a bind mount is the host's own file, and no copy: one inode on one device.

    Kernel: a bind mount makes a directory visible at a second place. What is written through one
        is read through the other; there is nothing to synchronise.
    Without: a copy has the same text, and an inode of its own.
    Source: mount(2), inode(7)
    """
    (folder / "note").write_text("written on the host\n")
    container.exec("cp", "/shared/note", "/copy")

    assert container.init.inode(path) == host.process.inode(f"{folder}/note")


@started_with(volumes=["{folder}:/shared:ro"])
@without("ro", volumes=["{folder}:/shared"])
def test_a_read_only_bind_mount_is_read_only_for_the_container_alone(container, folder):
    """Through a read-only bind mount a container can not write, while the host writes on.

    Kernel: ro is a flag of this one mount, not of the file system. Each write through it fails
        with EROFS, root's too; the same directory is writable at its other places.
    Without: without ro the container's write succeeds.
    Source: mount(2), MS_RDONLY with MS_BIND; mount_namespaces(7)
    """
    (folder / "note").write_text("written on the host\n")

    attempt = container.exec("sh", "-c", "echo changed > /shared/note")

    assert ("Read-only" in attempt.stderr, container.read("/shared/note")) == (
        True,
        "written on the host",
    )


@given(source="settings", target="/settings")
@without("the file: its directory is mounted", source="", target="/folder")
def test_a_file_that_is_saved_by_renaming_is_lost_to_its_bind_mount(
    start, host, folder, source, target
):
    """An editor saves by renaming a new file over the old; a bind mount of the file keeps the old.

    Kernel: a bind mount leads to an inode, not to a name. The name gets a new inode, and the old
        one lives on, with no name: the mount table calls it deleted.
    Without: when the directory is mounted, the name is looked up in it anew, and the new file is
        read.
    Source: rename(2), mount(2), proc_pid_mountinfo(5)
    """
    settings = folder / "settings"
    host.exec("sh", "-c", 'echo old > "$1"', "sh", str(settings))
    container = start("container", volumes=[f"{folder / source}:{target}"])

    host.exec("sh", "-c", 'echo new > "$1.new" && mv "$1.new" "$1"', "sh", str(settings))

    mounted = container.init.mounts.at(target).root.endswith("//deleted")
    text = container.read("/settings" if source else "/folder/settings")
    assert (mounted, text) == (True, "old")


@requires("root", "mounts-of-the-host")
@started_with(volumes=["{shared_mount}:/shared"])
@without("rprivate: the option rslave", volumes=["{shared_mount}:/shared:rslave"])
def test_a_later_mount_of_the_host_does_not_reach_a_container(container, host, shared_mount):
    """What the host mounts in a bind-mounted directory afterwards is not seen by the container.

    Kernel: a mount goes on to the copies of its parent only where these are its peers or slaves.
        Docker makes a bind mount private (rprivate), which is neither.
    Without: with rslave the container's mount follows the host's, and the new one arrives.
    Source: mount_namespaces(7), Shared subtrees; docker run --volume
    """
    host.exec("mkdir", f"{shared_mount}/later")
    host.exec("mount", "-t", "tmpfs", "made-by-the-host", f"{shared_mount}/later")
    wait_until(lambda: f"{shared_mount}/later" in host.mounts)

    assert "/shared/later" not in container.init.mounts


@requires("root", "mounts-of-the-host")
@started_with(volumes=["{shared_mount}:/shared:rslave"])
@without("the one way: rshared", volumes=["{shared_mount}:/shared:rshared"])
@without("the way in: rprivate", volumes=["{shared_mount}:/shared:rprivate"])
def test_rslave_lets_mounts_in_and_none_out(container, host, shared_mount):
    """With rslave a mount of the host reaches the container, and one of the container not the host.

    Kernel: a slave gets the mounts of its master and gives none back. In mountinfo the one has
        master:N and the other shared:N.
    Without: with rshared the two are peers, and mounts go both ways; with rprivate, none.
    Source: mount_namespaces(7), Shared subtrees; proc_pid_mountinfo(5)
    """
    enter = ("nsenter", f"--target={container.init.host_pid}", "--mount")
    host.exec("mkdir", f"{shared_mount}/outside", f"{shared_mount}/inside")
    host.exec("mount", "-t", "tmpfs", "made-by-the-host", f"{shared_mount}/outside")
    host.exec(*enter, "/bin/mount", "-t", "tmpfs", "made-inside", "/shared/inside")
    wait_until(lambda: "/shared/inside" in container.init.mounts)

    arrived = "/shared/outside" in container.init.mounts
    escaped = f"{shared_mount}/inside" in host.mounts

    assert (arrived, escaped) == (True, False)


@requires("root", "mounts-of-the-host")
@started_with(volumes=["{shared_mount}:/shared:ro,rslave"])
@given(flags="rw")
@without("the flag rw of the later mount", flags="ro")
def test_ro_says_nothing_of_what_is_mounted_below_later(container, host, shared_mount, flags):
    """In a read-only bind mount a mount that arrives later is writable: ro is not recursive.

    Kernel: each mount has a flag of its own. Docker sets ro on the one that it makes; since
        Engine 25, and Linux 5.12, also on those below that are there when the container starts.
    Without: what is itself mounted ro is read-only, as its own line in the mount table says.
    Source: mount_setattr(2), docs.docker.com/engine/storage/bind-mounts, Recursive mounts
    """
    host.exec("mkdir", f"{shared_mount}/below")
    host.exec("mount", "-t", "tmpfs", "-o", flags, "made-by-the-host", f"{shared_mount}/below")
    wait_until(lambda: "/shared/below" in container.init.mounts)

    above = container.exec("touch", "/shared/note").stderr
    below = container.exec("touch", "/shared/below/note").stderr

    assert ("Read-only" in above, "Read-only" in below) == (True, False)


@fresh
@started_with(tmpfs={"/scratch": "size=1m"})
@without("size=", tmpfs={"/scratch": ""})
def test_a_tmpfs_holds_no_more_than_its_size(container):
    """Of 2 MiB, a tmpfs with size=1m takes 1 MiB, and refuses the rest: no space left on device.

    Kernel: tmpfs counts its pages against the size that it was mounted with: ENOSPC.
    Without: the kernel's default is half of the host's memory, and 2 MiB fit.
    Source: tmpfs(5), size=; docker run --tmpfs
    """
    writer = container.exec("dd", "if=/dev/zero", "of=/scratch/file", "bs=64k", "count=32")
    size = int(container.exec("stat", "-c", "%s", "/scratch/file").output)

    assert ("No space left" in writer.stderr, size) == (True, 1 * MIB)


@requires("cgroup:memory", "disk")
@fresh
@started_with(tmpfs={"/scratch": ""})
@given(path="/scratch/file")
@without("the tmpfs: the file is on a disk", path="/file")
def test_files_in_a_tmpfs_are_memory_of_the_container(container, path):
    """16 MiB in a tmpfs are 16 MiB of the container's memory: they count against its limit.

    Kernel: a page of a tmpfs is charged to the cgroup of the process that first wrote it, as
        shmem in memory.stat, and can not be dropped.
    Without: a file on a disk is page cache, which is charged as file alone, and can be.
    Source: cgroup-v2.rst, memory.stat, shmem; tmpfs(5)
    """
    container.exec("dd", "if=/dev/zero", f"of={path}", "bs=1M", "count=16")

    # The kernel adds up what its CPUs have counted every two seconds, or sooner.
    memory = container.cgroup.memory
    charged = settled(lambda: memory.stat, until=lambda stat: stat["file"] >= 16 * MIB)
    assert charged["shmem"] >= 16 * MIB


@answers("study-31")
@fresh
@started_with(tmpfs={"/scratch": ""})
@given(path="/scratch/note")
@without("the tmpfs: the file is in the writable layer", path="/note")
def test_a_tmpfs_is_lost_when_the_container_stops(container, path):
    """What is in a tmpfs is lost at the stop; the same container, started again, has a new one.

    Kernel: a tmpfs has no disk behind it. It ends with its last mount, that of the container's
        mount namespace, which ends with its last process.
    Without: a file in the writable layer is there again.
    Source: tmpfs(5), mount_namespaces(7), docs.docker.com/engine/storage/tmpfs
    """
    container.write(path, "written before the stop")

    container.stop(grace=0)
    container.start()

    assert not container.has(path)


@requires("oci-runtime", "user-namespace-of-the-host")
@fresh
@started_with(tmpfs={"/scratch": ""})
@without("noexec", tmpfs={"/scratch": "exec"})
@without("nodev", tmpfs={"/scratch": "dev"})
@without("nosuid", tmpfs={"/scratch": "suid"})
def test_a_tmpfs_runs_no_programs_and_opens_no_devices(container):
    """On a --tmpfs nothing can be executed, no device opened, and no set-user-ID bit counts.

    Kernel: noexec, nodev and nosuid are flags of the mount. execve(2) and open(2) look at them
        first: EACCES, for root too.
    Without: each flag can be taken back by its opposite: exec, dev, suid.
    Source: mount(2), MS_NOEXEC, MS_NODEV, MS_NOSUID; docker run --tmpfs
    """
    container.exec("cp", "/bin/busybox", "/scratch/true")
    container.exec("mknod", "/scratch/null", "c", "1", "3")

    program = container.exec("sh", "-c", "/scratch/true").stderr
    device = container.exec("sh", "-c", "echo > /scratch/null").stderr
    flags = container.init.mounts.at("/scratch").flags

    assert ("denied" in program, "denied" in device, "nosuid" in flags) == (True, True, True)


@answers("study-33")
@fresh
@started_with(volumes=["{volume}:/data"])
@neighbour_started_with(volumes=["{volume}:/data"])
@given(count=COUNT)
@without("the overlap: each takes a lock first", count=COUNT_UNDER_A_LOCK)
def test_a_shared_volume_loses_updates(container, neighbour, count):
    """Two containers add 1 to a number in a shared volume at once, and the number is 1, not 2.

    Kernel: reading and writing are two calls, and nothing keeps another process, in whichever
        container, from coming in between. A file has no owner among its writers.
    Without: mkdir(2) makes a directory for one caller and fails for the other, in any container:
        a lock. Who holds it reads, adds and writes undisturbed, and both updates count.
    Source: fcntl(2), advisory record locking; mkdir(2), EEXIST
    """
    container.write("/data/counter", "0")

    first = container.spawn("sh", "-c", count, "first")
    wait_until(lambda: container.has("/data/first"))
    second = neighbour.spawn("sh", "-c", count, "second")
    wait_until(lambda: container.has("/data/second"))
    container.write("/data/go", "now")
    wait_until(lambda: (first.exit_code, second.exit_code) == (0, 0))

    assert container.read("/data/counter") == "1"


@answers("study-31", "deep-48")
@requires("docker", "overlay", "mounts-of-the-host")
@fresh
@started_with(network_mode="bridge")
@given(ended_with="docker rm")
@without("docker rm: the container is only stopped", ended_with="docker stop")
@without("the end: it runs on", ended_with="nothing")
def test_nothing_of_a_removed_container_is_left(container, host, ended_with):
    """After docker rm nothing of a container is left: no process, cgroup, mount, layer or network.

    Kernel: it frees a namespace when its last process has ended and its last file is closed or
        unmounted; the engine removes the cgroup and the directories, which nobody else would.
    Without: after docker stop its writable layer is left, and while it runs everything is there.
    Source: namespaces(7), Namespace lifetime; cgroups(7), docker rm --help
    """
    layer, cgroup, init = container.overlay.upper, container.cgroup, container.init
    root = host.mounts.of_device(init.mounts.at("/").device)[0]
    network = str(Path(container.inspect("NetworkSettings.SandboxKey")).resolve())

    if ended_with == "docker rm":
        container.remove()
    elif ended_with == "docker stop":
        container.stop(grace=0)

    there = {
        "process": init.alive,
        "cgroup": cgroup.exists,
        "overlay mount": root.point in host.mounts,
        "network namespace": network in host.mounts,
        "upper layer": layer.exists,
    }
    assert [name for name, is_there in there.items() if is_there] == []


@answers("study-44")
@requires("cgroup:memory", "cgroup:pids")
@fresh
@started_with(hostname="given", mem_limit="64m", pids_limit=50, cap_add=["SYS_ADMIN"])
@given(name="given")
@without("--memory", mem_limit=None, memswap_limit=None)
@without("--pids-limit", pids_limit=None)
@without("the name that was given: it is changed inside", name="changed inside")
def test_docker_inspect_says_what_was_given_and_the_kernel_has_it(container, name):
    """docker inspect gives back what docker run was given, and the kernel has the same values.

    Kernel: the engine keeps what it was asked for in a file, and passes it on: to memory.max,
        pids.max and sethostname(2).
    Without: what was not given is in neither place. What is changed behind the engine's back, as
        a host name inside, the kernel has and docker inspect does not: it looks nothing up.
    Source: docker inspect --help, cgroup-v2.rst, uts_namespaces(7)
    """
    container.exec("hostname", name)

    asked = [container.inspect(f"HostConfig.{key}") for key in ("Memory", "PidsLimit")]
    asked.append(container.inspect("Config.Hostname"))
    cgroup = container.cgroup
    found = [cgroup.memory.max, cgroup.pids.max, container.exec("uname", "-n").output]

    assert asked == found == [64 * MIB, 50, "given"]
