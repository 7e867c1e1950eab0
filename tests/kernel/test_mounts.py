from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.kernel import FileRead, MountTable, NotObservable, Process

from .trees import Tree, as_ordinary_user

ROOT = "36 35 98:0 / / rw,noatime shared:1 master:2 - ext4 /dev/root rw,errors=continue"
DATA = r"40 36 0:31 /vol\040\134one /mnt/my\040data ro,nosuid - tmpfs a\011b rw,size=64k"
NEW_DATA = r"41 36 0:32 / /mnt/my\040data rw - tmpfs new rw"


def table(tree: Tree, *lines: str) -> MountTable:
    return MountTable(tree.write("mountinfo", "\n".join(lines)))


def test_a_line_is_read_with_its_optional_fields(tree: Tree) -> None:
    mount = table(tree, ROOT).at("/")

    assert (mount.id, mount.parent, mount.device) == (36, 35, "98:0")
    assert (mount.type, mount.source) == ("ext4", "/dev/root")
    assert mount.flags == {"rw", "noatime"}
    assert mount.propagation == {"shared:1", "master:2"}
    assert mount.options == ("rw", "errors=continue")


def test_a_private_mount_has_no_optional_fields(tree: Tree) -> None:
    assert table(tree, DATA).at("/mnt/my data").propagation == set()


def test_octal_escapes_are_undone(tree: Tree) -> None:
    mount = table(tree, DATA).at("/mnt/my data")

    assert (mount.point, mount.root, mount.source) == ("/mnt/my data", r"/vol \one", "a\tb")


def test_a_line_break_that_the_kernel_does_not_escape_is_a_part_of_the_name(tree: Tree) -> None:
    strange = "/mnt/a\fb\rc\u2028d"

    assert strange in table(tree, ROOT, f"42 36 0:33 / {strange} rw - tmpfs none rw")


def test_a_later_mount_hides_the_earlier_one_on_the_same_path(tree: Tree) -> None:
    assert table(tree, DATA, NEW_DATA).at("/mnt/my data").source == "new"


def test_a_path_is_on_the_nearest_mount_above_it_and_of_two_on_the_later(tree: Tree) -> None:
    mounts = table(tree, ROOT, DATA, NEW_DATA)

    assert mounts.above(Path("/mnt/my data/file")).source == "new"
    assert mounts.above(Path("/mnt/my")).point == "/"


def test_mounts_come_in_the_kernels_order(tree: Tree) -> None:
    assert [mount.id for mount in table(tree, ROOT, DATA, NEW_DATA)] == [36, 40, 41]


def test_a_path_is_in_the_table_only_when_something_is_mounted_on_exactly_it(tree: Tree) -> None:
    mounts = table(tree, ROOT)

    assert ("/" in mounts, "/etc" in mounts) == (True, False)
    with pytest.raises(LookupError, match="nothing is mounted on /etc"):
        mounts.at("/etc")


def test_a_file_system_is_found_by_its_device_wherever_it_is_mounted(
    tree: Tree, announced: list[FileRead]
) -> None:
    again = "43 36 98:0 /home /srv rw - ext4 /dev/root rw"
    mounts = table(tree, ROOT, DATA, again)

    assert [mount.point for mount in mounts.of_device("98:0")] == ["/", "/srv"]
    assert mounts.of_device("0:99") == []
    path = str(tree.root / "mountinfo")
    assert announced == [
        FileRead(path, "98:0", f"{ROOT}\n{again}"),
        FileRead(path, "0:99", "not mounted"),
    ]


def test_what_is_asked_for_is_announced_as_the_kernel_wrote_it(
    tree: Tree, announced: list[FileRead]
) -> None:
    mounts = table(tree, ROOT, DATA)
    mounts.at("/mnt/my data")
    assert "/etc" not in mounts

    path = str(tree.root / "mountinfo")
    assert announced == [
        FileRead(path, "/mnt/my data", DATA),
        FileRead(path, "/etc", "not mounted"),
    ]


def test_a_missing_table_is_not_observable(tmp_path: Path) -> None:
    with pytest.raises(NotObservable, match="does not exist"):
        MountTable(tmp_path / "mountinfo")


def test_an_unreadable_table_is_not_observable_without_root(tree: Tree) -> None:
    path = tree.write("mountinfo", ROOT)
    path.chmod(0)

    with as_ordinary_user(), pytest.raises(NotObservable) as caught:
        MountTable(path)
    assert "root" in caught.value.remedy


def test_a_mount_that_is_no_overlay_has_no_layers(tree: Tree) -> None:
    with pytest.raises(NotObservable, match="/ is a ext4 mount, which has no layers"):
        _ = table(tree, ROOT).at("/").overlay


def test_mounts_and_tables_print_readably(tree: Tree) -> None:
    mounts = table(tree, ROOT)

    assert repr(mounts.at("/")) == "ext4 mount /dev/root on /"
    assert repr(mounts) == f"mount table {tree.root}/mountinfo"


def test_this_process_has_proc_on_proc(own_process: Process) -> None:
    assert own_process.mounts.at("/proc").type == "proc"
