"""The block device below a directory."""

from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.kernel import Disk, FileRead, NotObservable

from .trees import Tree


@pytest.fixture
def machine(tree: Tree) -> Tree:
    """Its root is on the second partition of a disk, /data on another disk, /memory on none."""
    tree.write(
        "proc/self/mountinfo",
        "20 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
        "21 20 259:0 / /data rw - xfs /dev/nvme0n1 rw\n"
        "22 20 0:40 / /memory rw - tmpfs none rw",
    )
    tree.write("sys/devices/sda/dev", "8:0")
    tree.write("sys/devices/sda/uevent", "MAJOR=8\nMINOR=0\nDEVNAME=sda\nDEVTYPE=disk")
    tree.write("sys/devices/sda/sda2/dev", "8:2")
    tree.write("sys/devices/sda/sda2/partition", "2")
    tree.write("sys/devices/nvme0n1/dev", "259:0")
    tree.write("sys/devices/nvme0n1/uevent", "DEVNAME=nvme0n1\nDEVTYPE=disk")
    known = tree.root / "sys/dev/block"
    known.mkdir(parents=True)
    (known / "8:2").symlink_to("../../devices/sda/sda2")
    (known / "259:0").symlink_to("../../devices/nvme0n1")
    return tree


def test_a_directory_is_on_the_disk_of_its_mount(machine: Tree) -> None:
    disk = Disk.below(Path("/data/volumes"), machine.root)

    assert disk == Disk("259:0", "/dev/nvme0n1")
    assert repr(disk) == "/dev/nvme0n1 (259:0)"


def test_a_partition_stands_for_its_disk(machine: Tree) -> None:
    assert Disk.below(Path("/var/lib/docker"), machine.root) == Disk("8:0", "/dev/sda")


def test_a_file_system_without_a_block_device_is_not_observable(machine: Tree) -> None:
    with pytest.raises(NotObservable, match="/memory/here is on a tmpfs, which names no block"):
        Disk.below(Path("/memory/here"), machine.root)


def test_where_the_numbers_were_read_is_announced(machine: Tree, announced: list[FileRead]) -> None:
    Disk.below(Path("/data"), machine.root)

    path = machine.root / "sys/dev/block/259:0/dev"
    assert announced[-1] == FileRead(str(path), None, "259:0")
