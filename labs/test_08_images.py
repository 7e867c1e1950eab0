"""Chapter 8: images and builds. An image is files: tar archives, and a text that names them."""

import platform

from fixtures.engine.archive import Archive
from fixtures.kernel.system_call import SystemCall, program
from fixtures.lab import (
    answers,
    fresh,
    given,
    private_engine,
    requires,
    suite_engine,
    without,
)

MIB = 1024 * 1024
KEY = "key-4711"
MACHINE = platform.machine()
FOREIGN = "aarch64" if MACHINE == "x86_64" else "x86_64"

# Every instruction but FROM, and ONBUILD, which is for images that are built on this one: it has
# no line in the history that BuildKit writes.
INSTRUCTIONS = """\
FROM busybox
ADD note /added
ARG VERSION=1
CMD ["sh"]
COPY note /copied
ENTRYPOINT ["sh", "-c"]
ENV LANG=C
EXPOSE 80
HEALTHCHECK CMD true
LABEL team=labs
MAINTAINER labs
RUN echo made > /made
SHELL ["sh", "-c"]
STOPSIGNAL SIGINT
USER root
VOLUME /data
WORKDIR /new"""

# The kernel makes another uuid each time, so the same one means that the step was not run again.
CODE_LAST = """\
FROM busybox
RUN cat /proc/sys/kernel/random/uuid > /dependencies
COPY code /code"""
CODE_FIRST = """\
FROM busybox
COPY code /code
RUN cat /proc/sys/kernel/random/uuid > /dependencies"""

DELETED_IN_A_LATER_STEP = """\
FROM busybox
RUN dd if=/dev/urandom of=/big bs=1M count=4
RUN rm /big"""
DELETED_IN_THE_SAME_STEP = """\
FROM busybox
RUN dd if=/dev/urandom of=/big bs=1M count=4 && rm /big"""

KEY_DELETED = """\
FROM busybox
COPY key /key
RUN rm /key"""
KEY_IN_AN_EARLIER_STAGE = """\
FROM busybox AS builder
COPY key /key
RUN test -s /key && echo made > /made
FROM busybox
COPY --from=builder /made /made"""
KEY_MOUNTED = """\
FROM busybox
RUN --mount=type=secret,id=key,target=/key test -s /key"""

ARGUMENT = """\
FROM busybox
ARG KEY
RUN test $KEY"""
ARGUMENT_IN_AN_EARLIER_STAGE = """\
FROM busybox AS builder
ARG KEY
RUN test $KEY && echo made > /made
FROM busybox
COPY --from=builder /made /made"""
ARGUMENT_REPLACED = """\
FROM busybox
RUN --mount=type=secret,id=key test -s /run/secrets/key"""

MOUNTED = """\
FROM busybox
RUN --mount=type=secret,id=key grep /run/secrets/key /proc/self/mountinfo > /mount"""
COPIED = """\
FROM busybox
COPY key /run/secrets/key
RUN grep /run/secrets/key /proc/self/mountinfo > /mount || true"""

TWO_STAGES = """\
FROM busybox AS builder
COPY compiler source /work/
RUN sh /work/compiler /work/source > /program
FROM busybox
COPY --from=builder /program /program"""
ONE_STAGE = """\
FROM busybox
COPY compiler source /work/
RUN sh /work/compiler /work/source > /program"""

# Where Alpine's package manager lists what is installed; 1.0.1f has a known vulnerability.
PACKAGES = "lib/apk/db/installed"
HEARTBLEED = "P:openssl\nV:1.0.1f-r0\n"
FIXED = "P:openssl\nV:1.0.1g-r0\n"
UPGRADED = """\
FROM busybox
COPY installed /lib/apk/db/installed
RUN sed -i s/1.0.1f-r0/1.0.1g-r0/ /lib/apk/db/installed"""


# What an image is


@answers("study-11", "deep-38", "how-2")
@suite_engine
@given(change=False)
@without("the layer as it was: one bit is changed", change=True)
def test_a_layer_is_called_by_the_sha256_of_its_tar(build, change):
    """An image is a config and tar archives, its layers, each called by its SHA-256.

    Kernel: it knows of no images; they are files. The config, a JSON text, lists the digests of
        the layers, and docker save gives all of it out.
    Without: with one bit changed a layer has another digest, which the config does not list.
    Source: OCI image-spec config.md, rootfs.diff_ids; layer.md
    """
    image = build("FROM busybox\nCOPY note /note", {"note": "a file of the image"})
    archive = image.saved.with_a_bit_changed() if change else image.saved

    assert [layer.digest for layer in archive.layers] == image.layers


@answers("study-11")
@suite_engine
@given(change=True)
@without("the change", change=False)
def test_an_image_with_one_bit_changed_is_refused(engine, run, change):
    """An image is refused when a layer has one bit that is not as its config says.

    Kernel: it knows of no images. The engine computes the SHA-256 of each layer that it unpacks,
        and compares it with the one in the config: at docker load, or with containerd's image
        store when a container is created of it, where docker run ends with 125.
    Without: as it was, the image is taken in, and runs.
    Source: OCI image-spec config.md, rootfs.diff_ids; docker load --help
    """
    hello = program(SystemCall("write", 1, b"hello\n", 6))
    archive = Archive.of_files({"hello": hello}, Cmd=["/hello"])

    loading = engine.load(archive.with_a_bit_changed() if change else archive)

    assert loading.image is None or run(image=loading.image) == 125


@answers("study-11", "how-6", "how-21", "deep-28")
@suite_engine
@given(command=["/hello"])
@without("the command in the config", command=None)
def test_an_image_made_by_hand_runs(engine, run, command):
    """A tar with one program and a JSON text are an image: docker load takes it, and it runs.

    Kernel: it is given a directory, the unpacked tar, and a program to execute there. Which one
        that is, stands in the config.
    Without: an image is more than its files: with no command in it the engine creates nothing.
    Source: OCI image-spec config.md, Cmd; layer.md
    """
    hello = program(SystemCall("write", 1, b"hello\n", 6))
    image = engine.load(Archive.of_files({"hello": hello}, Cmd=command)).image

    assert (run(image=image), image.size < 1 * MIB) == (0, True)


@answers("study-14", "deep-38")
@suite_engine
@requires("overlay")
@given(base="busybox")
@without("the same base", base="busybox:musl")
def test_images_of_one_base_have_its_layers_in_common(build, start, base):
    """Two images that are built on one base share its layers: the same file on the disk.

    Kernel: both overlay mounts have the directory of that layer in lowerdir=, so /bin/busybox is
        one inode. The engine keeps a layer once for all images that list its digest.
    Without: an image of another base has the same busybox in another layer: another inode.
    Source: overlayfs.rst, Sharing and copying layers; docs.docker.com/engine/storage/drivers
    """
    one = start("container", image=build("FROM busybox\nCOPY note /one", {"note": "1"}, "one"))
    two = start("neighbour", image=build(f"FROM {base}\nCOPY note /two", {"note": "2"}, "two"))

    inodes = [each.overlay.layer_of("/bin/busybox").inode("/bin/busybox") for each in (one, two)]

    assert inodes[0] == inodes[1]


@answers("study-15", "how-7")
@suite_engine
@given(second="exit 2")
@without("the other content: the same is built again", second="exit 1")
def test_a_tag_moves_and_an_id_does_not(build, docker, run, second):
    """Built anew under the same tag, an image takes the tag over; the older one keeps its id.

    Kernel: it knows of neither. A tag is an entry in a list of the engine's, an id is the SHA-256
        of the content: it can not come to mean something else.
    Without: the same content has the same id, and the tag stays where it is.
    Source: docker image tag --help, OCI image-spec descriptor.md, Digests
    """
    older = build('FROM busybox\nCMD ["sh", "-c", "exit 1"]', name="app")
    docker("tag", older.name, "kept")
    newer = build(f'FROM busybox\nCMD ["sh", "-c", "{second}"]', name="app")

    assert (run(image=newer.name), run(image=older.id), older.tags) == (2, 1, ["kept:latest"])


@answers("brief-2")
@suite_engine
@requires("no-emulator")
@given(machine=FOREIGN)
@without("the other architecture: it is a program for this one", machine=MACHINE)
def test_a_program_of_another_architecture_is_not_executed(build, start, machine):
    """An image does not bring its CPU along: a program for another one is an exec format error.

    Kernel: execve(2) reads e_machine in the head of an ELF file, and says ENOEXEC where it is not
        its own, unless an emulator is registered for it in binfmt_misc.
    Without: the same program for this machine runs.
    Source: execve(2), ENOEXEC; elf(5), e_machine; admin-guide/binfmt-misc.rst
    """
    hello = program(SystemCall("write", 1, b"hello\n", 6), machine=machine)
    image = build("FROM busybox\nCOPY hello /hello", {"hello": hello})

    ran = start("container", image=image).exec("/hello")

    assert "exec format error" in ran.stdout + ran.stderr


# What a build makes


@answers("study-17", "how-5")
@suite_engine
@given(what="layer")
@without("the layers: the lines of the history are counted", what="line")
def test_four_instructions_add_a_layer(build, what):
    """Of all instructions ADD, COPY, RUN and WORKDIR add a layer; the others change the config.

    Kernel: a layer is what a step changed in the files of the overlay. ENV, CMD and the like
        change none; they are values in the config, which a container is started with.
    Without: the history, which is in the config too, has a line for every instruction.
    Source: docs.docker.com/reference/dockerfile, OCI image-spec config.md, history.empty_layer
    """
    image = build(INSTRUCTIONS, {"note": "a file"})
    names = [line.split()[0] for line in INSTRUCTIONS.splitlines()[1:]]

    steps = zip(names, image.history[-len(names) :], strict=True)
    found = [name for name, step in steps if what == "line" or step.adds_a_layer]

    assert found == ["ADD", "COPY", "RUN", "WORKDIR"]


@answers("deep-38")
@suite_engine
@given(dockerfile="FROM busybox\nCOPY note /note\nRUN rm /note")
@without("the later step", dockerfile="FROM busybox\nCOPY note /note")
def test_a_layer_says_what_was_deleted(build, dockerfile):
    """A step that deletes a file adds a layer, whose tar has an empty file .wh.<name>.

    Kernel: in upperdir of the step's overlay the deletion is a character device 0:0. A tar of a
        layer spells this as a file whose name begins with .wh., for all storage drivers.
    Without: the layer of the step before has the file.
    Source: OCI image-spec layer.md, Whiteouts; overlayfs.rst, Whiteouts and opaque directories
    """
    image = build(dockerfile, {"note": "a file of the image"})

    assert image.saved.layers[-1].files == {".wh.note": b""}


@answers("deep-47", "how-7")
@suite_engine
@given(dockerfile=CODE_LAST)
@without("the order: the code comes first", dockerfile=CODE_FIRST)
def test_what_stands_before_a_change_is_not_built_again(build, dockerfile):
    """With the code last, a changed code leaves the steps before it in the cache: same layer.

    Kernel: /proc/sys/kernel/random/uuid is another one each time it is read. The same twice means
        that the step was not run again.
    Without: after the first step that is changed everything is run again, and the uuid is new.
    Source: docs.docker.com/build/cache, random(4)
    """
    before = build(dockerfile, {"code": "version 1"}, "before")
    after = build(dockerfile, {"code": "version 2"}, "after")

    assert before.read("/dependencies") == after.read("/dependencies")


@answers("study-18")
@suite_engine
@given(dockerfile=DELETED_IN_A_LATER_STEP)
@without("the later step: it is deleted where it was made", dockerfile=DELETED_IN_THE_SAME_STEP)
def test_deleting_in_a_later_step_makes_no_image_smaller(engine, build, run, dockerfile):
    """A file that a later step deletes is gone for the container, and still takes its room.

    Kernel: the overlay shows what the layers make together. The layer that has the file is
        another directory, which nobody writes to any more.
    Without: a file that is made and deleted in one step is in no layer.
    Source: overlayfs.rst, Whiteouts; docs.docker.com/build/building/best-practices
    """
    image = build(dockerfile)

    is_there = run("test", "-e", "/big", image=image) == 0
    grown = image.size - engine.image("busybox").size
    assert (is_there, grown >= 4 * MIB) == (False, True)


@answers("study-18")
@suite_engine
@given(dockerfile=KEY_DELETED, options={})
@without("the copy: a stage that is left behind has it", dockerfile=KEY_IN_AN_EARLIER_STAGE)
@without(
    "the copy: it is mounted for one step",
    dockerfile=KEY_MOUNTED,
    options={"secret": "id=key,src=key"},
    requires=("buildkit",),
)
def test_a_deleted_secret_is_still_in_the_image(build, dockerfile, options):
    """A secret that a later step deletes can be read by everybody who has the image.

    Kernel: rm in the later step puts a whiteout into a layer of its own. The layer before it has
        the file, and docker save gives it out.
    Without: what is mounted for one step, or copied in another stage, is in no layer.
    Source: OCI image-spec layer.md, Whiteouts; docs.docker.com/build/building/secrets
    """
    image = build(dockerfile, {"key": KEY}, **options)

    seen = "key" in image.saved.files
    in_a_layer = any("key" in layer.files for layer in image.saved.layers)
    assert (seen, in_a_layer) == (False, True)


@answers("study-18")
@suite_engine
@given(dockerfile=ARGUMENT, options={"build_arg": {"KEY": KEY}})
@without(
    "the one stage: the argument is used in a stage that is left behind",
    dockerfile=ARGUMENT_IN_AN_EARLIER_STAGE,
)
@without(
    "the argument: a build secret",
    dockerfile=ARGUMENT_REPLACED,
    options={"secret": "id=key,src=key"},
    requires=("buildkit",),
)
def test_a_build_argument_stands_in_the_history(build, dockerfile, options):
    """The value of a build argument can be read in docker history by everybody who has the image.

    Kernel: it knows of no arguments of builds; a RUN step gets them in its environment. So the
        builder keeps them with the step, to tell whether its cache may be used.
    Without: a secret is named with its id alone, and the history of an earlier stage is not kept.
    Source: docs.docker.com/reference/dockerfile, ARG; docs.docker.com/build/building/secrets
    """
    image = build(dockerfile, {"key": KEY}, **options)

    told = [step.created_by for step in image.history if KEY in step.created_by]
    assert told != []


@suite_engine
@requires("buildkit")
@given(dockerfile=MOUNTED, options={"secret": "id=key,src=key"})
@without("the mount: the secret is copied", dockerfile=COPIED, options={})
def test_a_build_secret_is_a_mount_for_one_step(build, dockerfile, options):
    """A build secret is mounted from memory for one step, and no layer has it.

    Kernel: the step's mount table has a tmpfs with the file at /run/secrets. What is below a
        mount is no part of the overlay, of whose upperdir the layer is made.
    Without: a file that is copied is in a layer, and there is no mount.
    Source: docs.docker.com/build/building/secrets, proc_pid_mountinfo(5)
    """
    image = build(dockerfile, {"key": KEY}, **options)

    mounted = image.read("/mount")
    in_a_layer = any(KEY.encode() in layer.content for layer in image.saved.layers)
    assert (" tmpfs " in mounted, in_a_layer) == (True, False)


@answers("study-18", "study-19")
@suite_engine
@given(dockerfile=TWO_STAGES)
@without("the second stage", dockerfile=ONE_STAGE)
def test_a_second_stage_leaves_the_tools_behind(build, dockerfile):
    """Of what the first stage had, the image of the last one has what it copies, and nothing else.

    Kernel: each stage has a root file system of its own. COPY --from reads in the one and writes
        to the other; the layers of the first are no part of the image.
    Without: in one stage the compiler and the source are in the image for good.
    Source: docs.docker.com/build/building/multi-stage
    """
    files = {"compiler": "tr a-z A-Z < $1", "source": "the program"}

    image = build(dockerfile, files)

    wanted = ("program", "work/compiler", "work/source")
    assert [path for path in wanted if path in image.saved.files] == ["program"]


@suite_engine
@given(installed=HEARTBLEED)
@without("the old layer: it is built anew of the fixed version", installed=FIXED)
def test_an_upgrade_leaves_the_vulnerable_version_in_the_image(build, installed):
    """After an upgrade in a later step, the vulnerable version is still in a layer of the image.

    Kernel: nothing of the image is run for this. A scanner reads the list of packages, a file,
        out of every layer, and looks each version up in a list of known vulnerabilities.
    Without: an image that is built anew of the fixed version has the other in no layer.
    Source: OCI image-spec layer.md; CVE-2014-0160 of openssl 1.0.1 to 1.0.1f
    """
    image = build(UPGRADED, {"installed": installed})

    found = [
        layer.files[PACKAGES].decode() for layer in image.saved.layers if PACKAGES in layer.files
    ]
    assert found == [HEARTBLEED, FIXED]


# Images without a build


@suite_engine
@fresh
@given(write=True)
@without("the change", write=False)
def test_a_commit_adds_one_layer(container, engine, write):
    """docker commit makes an image of a container: the layers of its image, and its own on top.

    Kernel: overlayfs has kept what the container changed apart, in upperdir. Its tar is the layer.
    Without: a container that has changed nothing has no layer to add.
    Source: docker commit --help, overlayfs.rst, Upper and Lower
    """
    if write:
        container.write("/note", "written in the container")

    image = engine.commit(container)

    base = engine.image("busybox")
    added = list(image.saved.layers[-1].files)
    assert (image.layers[:-1], added) == (base.layers, ["note"])


@answers("study-20")
@suite_engine
@fresh
@given(how="export and import")
@without("the import: it is committed", how="commit")
def test_an_imported_image_has_lost_its_layers_and_its_config(container, engine, how):
    """docker export and import make one layer of all files: it is shared with no other image.

    Kernel: docker export reads the overlay as the container sees it, as one tree. What layer a
        file is from can not be seen there; and the command and the environment are no files.
    Without: docker commit keeps the layers of the base, which the store has once, and the config.
    Source: docs.docker.com/reference/cli/docker/image/import, OCI image-spec config.md
    """
    image = engine.commit(container) if how == "commit" else engine.flatten(container)

    shared = {*image.layers} & {*engine.image("busybox").layers}
    assert (len(image.layers), len(shared), image.config.get("Cmd")) == (1, 0, None)


@answers("study-20")
@requires("classic-builder")
# The containerd image store can not squash.
@private_engine(experimental=True, features={"containerd-snapshotter": False})
@given(squash=True)
@without("--squash", squash=False)
def test_squashing_merges_the_new_layers(build, engine, squash):
    """docker build --squash makes one layer of those that a build adds, and keeps the base's.

    Kernel: a layer that was squashed is what the overlay of all of them shows: files that were
        made and deleted on the way are in none.
    Without: each step has a layer of its own, which another image may share and a cache reuse.
    Source: docs.docker.com/reference/cli/docker/build-legacy, --squash
    """
    image = build(DELETED_IN_A_LATER_STEP, squash=squash)

    base = engine.image("busybox")
    assert (image.layers[:-1] == base.layers, image.size - base.size < 4 * MIB) == (True, True)
