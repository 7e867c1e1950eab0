from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from fixtures.kernel import FileRead, Layer, MountTable, NotObservable, Overlay

from .trees import Tree, as_ordinary_user

MOUNT = "50 1 0:50 / / rw - overlay overlay "


def overlay(tree: Tree, options: str) -> Overlay:
    return MountTable(tree.write("mountinfo", MOUNT + options)).at("/").overlay


def lower(tree: Tree, options: str) -> list[str]:
    found = overlay(tree, f"rw,{options},upperdir=/up,workdir=/work")
    return [str(layer.directory) for layer in found.lower]


def test_the_layers_come_topmost_first(tree: Tree) -> None:
    found = overlay(tree, "rw,lowerdir=/c:/b:/a,upperdir=/up,workdir=/work,xino=off")

    assert found.lower == (Layer(Path("/c")), Layer(Path("/b")), Layer(Path("/a")))
    assert (found.upper, found.work) == (Layer(Path("/up")), Path("/work"))


def test_a_colon_or_a_backslash_inside_a_path_is_escaped(tree: Tree) -> None:
    """The kernel shows the backslash of the escape as an octal number in turn."""
    assert lower(tree, r"lowerdir=/a\134:b:/c\134\134:/d") == ["/a:b", "/c\\", "/d"]


def test_blanks_commas_and_equal_signs_are_octal_numbers(tree: Tree) -> None:
    assert lower(tree, r"lowerdir=/my\040data\054x\075y:/b") == ["/my data,x=y", "/b"]


def test_each_layer_has_its_own_option_on_new_kernels_and_escapes_nothing(tree: Tree) -> None:
    assert lower(tree, r"lowerdir+=/a:b,lowerdir+=/c\134:d") == ["/a:b", "/c\\:d"]


def test_layers_that_hold_data_only_are_left_out(tree: Tree) -> None:
    assert lower(tree, "lowerdir=/a:/b::/data") == ["/a", "/b"]


def test_dockers_short_links_are_resolved(tree: Tree) -> None:
    (tree.root / "diff").mkdir()
    (tree.root / "short").symlink_to("diff")

    assert [str(tree.root / "diff")] == lower(tree, f"lowerdir={tree.root}/short")


def test_relative_paths_lead_nowhere(tree: Tree) -> None:
    """Docker mounts from its own directory when the options get too long."""
    with pytest.raises(NotObservable, match="relative path l/ABC"):
        lower(tree, "lowerdir=l/ABC:l/DEF")


def test_a_read_only_overlay_has_no_upper_layer(tree: Tree) -> None:
    with pytest.raises(NotObservable, match="no upper layer"):
        overlay(tree, "ro,lowerdir=/b:/a")


def test_a_layer_tells_what_it_holds_itself(tree: Tree) -> None:
    tree.write("layer/etc/motd", "hello")
    os.mkfifo(tree.root / "layer/pipe")
    (tree.root / "layer/link").symlink_to("etc")
    layer = Layer(tree.root / "layer")

    assert layer.entry("/etc") == "directory"
    assert layer.entry("/etc/motd") == "file"
    assert layer.entry("/pipe") == "pipe"
    assert layer.entry("/link") == "symbolic link"
    assert layer.entry("/etc/passwd") == "absent"
    assert layer.entry("/etc/motd/below-a-file") == "absent"


def test_a_layers_links_do_not_lead_out_of_it(tree: Tree) -> None:
    outside = tree.write("outside/secret", "of the host").parent
    (tree.root / "layer").mkdir()
    (tree.root / "layer/run").symlink_to(outside)
    layer = Layer(tree.root / "layer")

    assert layer.entry("/run/secret") == "absent"
    with pytest.raises(LookupError):
        layer.sha256("/run/secret")


@pytest.mark.skipif(os.geteuid() != 0, reason="mknod(2) of a device needs root")
def test_a_character_device_with_number_zero_is_a_whiteout(tree: Tree) -> None:
    (tree.root / "layer").mkdir()
    whiteout = tree.root / "layer/gone"
    try:
        os.mknod(whiteout, 0o20600, os.makedev(0, 0))
    except PermissionError:
        pytest.skip("this root has no CAP_MKNOD")

    assert Layer(tree.root / "layer").entry("/gone") == "whiteout"


def test_a_files_content_and_inode_are_read_and_announced(
    tree: Tree, announced: list[FileRead]
) -> None:
    file = tree.write("layer/motd", "hello")
    layer = Layer(tree.root / "layer")
    digest = hashlib.sha256(b"hello\n").hexdigest()
    status = file.stat()

    assert digest == layer.sha256("/motd")
    assert (status.st_dev, status.st_ino) == layer.inode("/motd")
    assert announced == [
        FileRead(str(file), "sha256", digest),
        FileRead(str(file), "inode", str(status.st_ino)),
    ]


def test_every_path_in_a_layer_is_listed(tree: Tree) -> None:
    tree.write("layer/etc/motd", "hello")
    tree.write("layer/data", "x")

    assert Layer(tree.root / "layer").entries() == ["/data", "/etc", "/etc/motd"]


def test_a_layer_that_is_gone_holds_nothing_to_tell_of(tree: Tree) -> None:
    layer = Layer(tree.root / "layer")

    with pytest.raises(LookupError, match="does not exist"):
        layer.entry("/etc")
    with pytest.raises(LookupError, match="does not exist"):
        layer.entries()


def test_an_unreadable_directory_in_a_layer_is_not_observable_without_root(tree: Tree) -> None:
    tree.write("layer/root/secret", "x")
    (tree.root / "layer/root").chmod(0)

    with as_ordinary_user(), pytest.raises(NotObservable) as caught:
        Layer(tree.root / "layer").entries()
    assert "root" in caught.value.remedy


def test_a_layer_prints_as_its_directory() -> None:
    assert repr(Layer(Path("/var/lib/docker/diff"))) == "/var/lib/docker/diff"


def test_a_layer_is_there_or_gone(tree: Tree, announced: list[FileRead]) -> None:
    tree.write("diff/file", "text")
    there, gone = Layer(tree.root / "diff"), Layer(tree.root / "nothing")

    assert (there.exists, gone.exists) == (True, False)
    assert announced == [
        FileRead(str(there), None, "exists"),
        FileRead(str(gone), None, "gone"),
    ]
    (tree.root / "diff").chmod(0o755)
    tree.root.chmod(0o700)
    with as_ordinary_user(), pytest.raises(NotObservable, match="may not be read"):
        assert there.exists
