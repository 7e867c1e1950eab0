"""Chapter 7: layers. An image is never written to; what changes is in a layer of its own."""

from pathlib import Path

from fixtures.lab import (
    answers,
    fresh,
    given,
    private_engine,
    requires,
    started_with,
    wait_until,
    without,
)


@answers("intro-15", "deep-11", "how-19")
@requires("overlay")
@started_with(tmpfs={"/memory": ""})
@given(path="/")
@without("the image: the path is a tmpfs", path="/memory")
def test_the_root_of_a_container_is_an_overlay(container, path):
    """The root of a container is an overlay mount: read-only layers below, a writable one on top.

    Kernel: overlayfs shows several directories as one: lowerdir= lists the layers of the image,
        upperdir= takes the writes. Both stand in /proc/<pid>/mountinfo.
    Without: a tmpfs is one file system in memory, with no layers.
    Source: overlayfs.rst, proc_pid_mountinfo(5), tmpfs(5)
    """
    wait_until(lambda: container.overlay)  # some rootless engines have fuse-overlayfs in its place
    mount = container.init.mounts.at(path)
    # Newer kernels may list each layer as one lowerdir+=.
    options = {option.partition("=")[0].rstrip("+") for option in mount.options}

    assert (mount.type, {"lowerdir", "upperdir"} <= options) == ("overlay", True)


@answers("deep-18")
@requires("overlay")
@fresh
@given(write=False)
@without("being new: a file is written", write=True)
def test_a_new_container_has_an_empty_writable_layer(container, write):
    """A container that has written nothing takes no room: its upper layer is empty.

    Kernel: overlayfs copies nothing when it is mounted, however large the image is.
    Without: after one write the layer holds that file.
    Source: overlayfs.rst, Upper and Lower
    """
    if write:
        container.write("/etc/group", "changed")

    assert container.overlay.upper.entries() == []


@answers("deep-17", "deep-19", "deep-40", "study-31")
@requires("overlay")
@fresh
@started_with(volumes=["{folder}:/shared"])
@given(path="/etc/group")
@without("the image: the write goes through a bind mount", path="/shared/note")
def test_a_write_goes_to_a_copy_in_the_upper_layer(container, path):
    """Writing to a file of the image copies it up: the upper layer has it, the image is untouched.

    Kernel: opening a lower file for writing makes overlayfs copy the whole file to upperdir first.
    Without: a file in a bind mount is no part of the overlay; the upper layer gets nothing.
    Source: overlayfs.rst, Non-directories
    """
    overlay = container.overlay
    image_layer = overlay.layer_of("/etc/group")
    before = image_layer.sha256("/etc/group")

    container.write(path, "changed in the container")

    after = image_layer.sha256("/etc/group")
    copied = (overlay.upper.entry(path), container.diff().get(path))
    assert (copied, after) == (("file", "changed"), before)


@answers("deep-19")
@requires("overlay")
@fresh
@given(access="reading")
@without("mere reading", access="writing")
def test_reading_a_file_copies_nothing(container, access):
    """Reading a file of the image leaves the upper layer empty.

    Kernel: a lower file that is opened for reading is read where it is.
    Without: the first write to it copies it up.
    Source: overlayfs.rst, Non-directories
    """
    if access == "reading":
        container.read("/etc/group")
    else:
        container.write("/etc/group", "changed")

    assert container.overlay.upper.entry("/etc/group") == "absent"


@answers("deep-43")
@requires("overlay")
@fresh
@given(path="/bin/vi")
@without("the image: the container made the file itself", path="/own")
def test_deleting_a_file_of_the_image_leaves_a_whiteout(container, path):
    """Deleting a file of the image puts a whiteout into the upper layer, which hides the file.

    Kernel: a lower layer can not lose a file. overlayfs makes a character device 0:0 of that name
        in upperdir, and the name disappears from view.
    Without: a file that only the upper layer had is simply gone; there is nothing to hide.
    Source: overlayfs.rst, Whiteouts and opaque directories
    """
    container.write("/own", "made in the container")

    container.delete(path)

    entry = container.overlay.upper.entry(path)
    assert (entry, container.diff().get(path)) == ("whiteout", "deleted")


@answers("deep-43", "deep-40")
@fresh
@given(reader="a new container of the image")
@without("the new container: the changed one reads", reader="the same container")
def test_what_a_container_deletes_is_still_in_the_image(container, start, reader):
    """After one container has deleted a file, a new container of the same image still has it.

    Kernel: the file is in a lower layer that both mounts share; the whiteout is in the upper
        layer of one. Storage drivers without layers give each container a copy or a snapshot.
    Without: the container that deleted it does not see it any more.
    Source: overlayfs.rst, Whiteouts and opaque directories
    """
    container.delete("/bin/vi")
    who = container if reader == "the same container" else start("new container")

    assert (container.has("/bin/vi"), who.has("/bin/vi")) == (False, True)


@answers("study-14", "how-19")
@requires("overlay")
@without("the same image", image="other")
def test_containers_of_one_image_share_its_layers(container, neighbour):
    """Two containers of one image read the same file on disk, and write to different layers.

    Kernel: both overlay mounts name the same directories as lowerdir=, so /bin/busybox is one
        inode; upperdir= is each container's own.
    Without: a container of another image, with the same busybox in a layer of its own, reads
        another inode.
    Source: overlayfs.rst, Sharing and copying layers
    """
    mine, theirs = container.overlay, neighbour.overlay
    busybox = "/bin/busybox"

    same_file = mine.layer_of(busybox).inode(busybox) == theirs.layer_of(busybox).inode(busybox)

    assert (same_file, mine.upper == theirs.upper) == (True, False)


@answers("deep-39")
@requires("overlay")
@started_with(volumes=["{folder}:/shared"])
@given(place="the writable layer")
@without("Docker's storage: a bind mount", place="a bind mount")
def test_docker_keeps_what_containers_write_under_its_data_root(container, engine, folder, place):
    """The writable layer is a directory below the data root, which docker info names.

    Kernel: upperdir= in the mount table is a path on the host. The data root is a setting,
        /var/lib/docker by default; with the containerd image store the layers are containerd's.
    Without: what is written to a bind mount is in the user's directory, outside.
    Source: https://docs.docker.com/engine/daemon/, data-root
    """
    places = {"the writable layer": container.overlay.upper.directory, "a bind mount": folder}
    # Either may be a link to a larger disk; the mount table has the path behind it.
    roots = (Path(engine.info("DockerRootDir")).resolve(), Path("/var/lib/containerd").resolve())

    assert any(places[place].is_relative_to(root) for root in roots)


@answers("how-20")
@private_engine(
    features={"containerd-snapshotter": False}, **{"storage-driver": "vfs", "storage-opts": []}
)
@without("vfs: the driver is overlay2", requires=("overlay",), **{"storage-driver": "overlay2"})
def test_another_storage_driver_makes_another_root(container, engine, host):
    """The storage driver decides what a root is: with vfs it is a plain directory, and no overlay.

    Kernel: a driver uses what it finds in the kernel: overlay2 overlayfs, btrfs that file system's
        snapshots. vfs needs nothing but a directory, and copies all files for each container.
    Without: with overlay2 the root is a file system of its own, an overlay.
    Source: https://docs.docker.com/engine/storage/drivers/select-storage-driver/
    """
    data = host.mounts.above(Path(engine.info("DockerRootDir")))

    root = container.init.mounts.at("/")
    assert (root.type, root.device) == (data.type, data.device)
