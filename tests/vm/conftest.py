"""A QEMU that is none: it says what it is told to, and what it was started with."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.vm import image, machine
from fixtures.vm.image import Image
from fixtures.vm.machine import Machine

FAKE = """\
import os, re, sys, time
from pathlib import Path

words = sys.argv[1:]
with open("@CALLS@", "a") as calls:
    calls.write(words[words.index("-accel") + 1].partition(",")[0] + "\\n")
console = Path(words[words.index("-serial") + 1].removeprefix("file:"))
accelerator = words[words.index("-accel") + 1]
tries = len(open("@CALLS@").read().split())
@BEHAVIOUR@
"""
COMES_UP = """\
console.write_text("[    1.5] isolation-labs: kernel 6.12.0\\r\\n")
print("2 passed", flush=True)
"""
STAYS = "time.sleep(60)\n"


class FakeImage(Image):
    """An image whose QEMU is a script."""

    def __init__(self, folder: Path) -> None:
        self.suite = "forky"
        self.disk, self.kernel, self.initramfs = (
            folder / name for name in ("disk", "vmlinuz", "initramfs")
        )
        self.script = folder / "qemu.py"
        self.calls = folder / "calls"

    @property
    def qemu(self) -> list[str]:
        return [sys.executable, str(self.script)]

    def behaves(self, behaviour: str) -> None:
        self.script.write_text(
            FAKE.replace("@CALLS@", str(self.calls)).replace("@BEHAVIOUR@", behaviour)
        )

    @property
    def accelerators(self) -> list[str]:
        """What it was started with, start by start."""
        return self.calls.read_text().split()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache of guests, empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    image.cache().mkdir(parents=True)
    return image.cache()


@pytest.fixture
def fake(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> FakeImage:
    monkeypatch.setattr(machine, "SECONDS_TO_BOOT", {machine.KVM: 2, machine.TCG: 20})
    return FakeImage(tmp_path)


@pytest.fixture
def guest(fake: FakeImage, tmp_path: Path) -> Iterator[Machine]:
    folder = tmp_path / "workplace"
    folder.mkdir()
    made = Machine(fake, folder, kernel="quiet", memory=512, processors=2)
    yield made
    made.end()


@pytest.fixture
def kvm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A /dev/kvm that may be opened."""
    device = tmp_path / "kvm"
    device.touch()
    os.chmod(device, 0o600)
    monkeypatch.setattr(machine, "DEVICE", device)
    return device
