"""The guest of a virtual machine: its files, and what a machine may lack for it."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from fixtures.engine import guest


def unpacked(archive: bytes) -> dict[str, tuple[int, bytes]]:
    """Name → (mode, content), as the kernel reads it: buffer-format.rst."""
    found = {}
    at = 0
    while True:
        assert archive[at : at + 6] == b"070701"
        numbers = [int(archive[at + 6 + 8 * n : at + 14 + 8 * n], 16) for n in range(13)]
        mode, size, length = numbers[1], numbers[6], numbers[11]
        name = archive[at + 110 : at + 110 + length - 1].decode()
        start = at + (110 + length + 3) // 4 * 4
        if name == "TRAILER!!!":
            return found
        found[name] = (mode, archive[start : start + size])
        at = start + (size + 3) // 4 * 4


def test_the_initramfs_has_the_programs_their_folders_and_a_console() -> None:
    made = guest.initramfs({"bin/busybox": b"\x7fELF?", "init": b"#!/bin/busybox sh\n"})

    assert unpacked(gzip.decompress(made)) == {
        "dev": (0o040755, b""),
        "dev/console": (0o020600, b""),
        "bin": (0o040755, b""),
        "bin/busybox": (0o100755, b"\x7fELF?"),
        "init": (0o100755, b"#!/bin/busybox sh\n"),
    }


def test_without_qemu_there_is_no_guest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(guest.platform, "machine", lambda: "x86_64")

    assert guest.missing() == (
        "there is no qemu-system-x86_64 in the PATH",
        "apt-get install qemu-system-x86",
    )


def test_without_a_kernel_image_there_is_no_guest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / guest.PROGRAM
    program.touch(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(guest.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(guest, "kernel_images", list)

    assert guest.missing() == (
        "there is no kernel image in /boot that can be read",
        "apt-get install linux-image-cloud-amd64, and run the labs as root",
    )
