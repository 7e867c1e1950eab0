"""The guest at work, with a QEMU that is none."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from pathlib import Path

import pytest

from fixtures.vm import machine
from fixtures.vm.errors import GuestError
from fixtures.vm.machine import Machine

from .conftest import COMES_UP, STAYS, FakeImage


def words_after(command: list[str], option: str) -> list[str]:
    return [following for word, following in pairwise(command) if word == option]


def test_a_run_never_writes_to_the_disk_that_is_kept(guest: Machine, fake: FakeImage) -> None:
    kept, sent, sent_back = words_after(guest.command(machine.TCG), "-drive")

    assert f"file={fake.disk}," in kept
    assert "snapshot=on" in kept
    assert "readonly=on" in sent
    assert str(guest.sent_back) in sent_back


def test_a_comma_in_a_path_does_not_end_it(fake: FakeImage, tmp_path: Path) -> None:
    fake.disk = tmp_path / "a,b"
    guest = Machine(fake, tmp_path, kernel="", memory=512, processors=2)

    assert f"file={tmp_path}/a,,b,if=virtio" in words_after(guest.command(machine.TCG), "-drive")[0]


@pytest.mark.parametrize(("driver", "first"), machine.DRIVERS.items())
def test_the_driver_chooses_the_first_process(driver: str, first: str) -> None:
    assert f"labs.init={first}" in machine.command_line(driver).split()


def test_the_kernel_is_told_what_was_made_for_it(guest: Machine) -> None:
    assert words_after(guest.command(machine.TCG), "-append") == ["quiet"]


def test_programs_go_in_on_a_disk_that_the_guest_is_told_of(
    fake: FakeImage, tmp_path: Path
) -> None:
    guest = Machine(fake, tmp_path, kernel="quiet", memory=512, processors=2, programs=True)
    command = guest.command(machine.TCG)

    disk = words_after(command, "-drive")[3]
    assert disk == f"file={tmp_path}/programs,if=virtio,format=raw,readonly=on"
    assert words_after(command, "-append") == ["quiet labs.programs=/dev/vdd"]


def test_words_of_the_user_s_come_last_for_the_last_one_counts() -> None:
    line = machine.command_line("systemd", "cgroup_disable=memory  selinux=1")

    assert line.split()[-2:] == ["cgroup_disable=memory", "selinux=1"]


@pytest.mark.parametrize(
    ("append", "why"),
    [
        (
            "selinux=1 console=tty0",
            "console=tty0 is not for this guest: make vm hears the guest by",
        ),
        ("loglevel=0", "loglevel=0 is not for this guest: make vm hears the guest by its own"),
        ("panic=0", "panic=0 is not for this guest: a guest that panics is to end"),
        ("init=/bin/sh", "what the guest starts is chosen by DRIVER"),
        ("labs.init=/bin/sh", "labs.init=/bin/sh is not for this guest: that is the suite's own"),
        ("single", "what the guest starts is chosen by DRIVER"),
        ("-- x", "-- is not for this guest: all that follows would go to the first process"),
        ('dyndbg="file a"', "'dyndbg=\"file' is no plain word"),
        ("x=\x07", "'x=\\x07' is no plain word; what the kernel takes is ASCII"),
        ("x" * 2000, "and it can have 2000"),
    ],
)
def test_what_would_silence_or_stop_the_guest_is_refused(append: str, why: str) -> None:
    with pytest.raises(GuestError) as error:
        machine.command_line("cgroupfs", append)

    assert str(error.value).startswith("APPEND: ")
    assert why in str(error.value)


def test_a_guest_has_no_network(guest: Machine) -> None:
    assert words_after(guest.command(machine.KVM), "-nic") == ["none"]


def test_it_comes_up_and_what_the_run_says_is_handed_on(guest: Machine, fake: FakeImage) -> None:
    fake.behaves(COMES_UP)

    assert guest.start(machine.TCG) == machine.TCG
    assert b"".join(guest.output()) == b"2 passed\n"


def test_where_kvm_works_it_is_used(guest: Machine, fake: FakeImage, kvm: Path) -> None:
    fake.behaves(COMES_UP + STAYS)

    assert guest.start("auto") == machine.KVM
    assert fake.accelerators == ["kvm"]


def test_where_kvm_stops_the_guest_is_emulated_and_that_is_said_and_remembered(
    guest: Machine, fake: FakeImage, kvm: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    breaks = 'if accelerator == "kvm":\n    print("KVM internal error", file=sys.stderr, flush=True)\nelse:\n'
    fake.behaves(breaks + "".join(f"    {line}\n" for line in COMES_UP.splitlines()) + STAYS)

    assert guest.start("auto") == machine.TCG
    assert capsys.readouterr().out == (
        f"vm: {kvm} is there and does not work: KVM internal error\n"
    )

    guest.end()
    assert guest.start("auto") == machine.TCG
    assert fake.accelerators == ["kvm", "tcg", "tcg"]
    assert capsys.readouterr().out == (
        f"vm: {kvm} is there and does not work, as was seen before: KVM internal error\n"
    )


def test_a_guest_that_hangs_under_kvm_is_emulated(
    guest: Machine, fake: FakeImage, kvm: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fake.behaves(f'if accelerator == "kvm":\n    time.sleep(60)\n{COMES_UP}{STAYS}')

    assert guest.start("auto") == machine.TCG
    assert "it said nothing within 2 s" in capsys.readouterr().out


def test_where_kvm_is_not_this_user_s_the_way_to_it_is_said(
    guest: Machine,
    fake: FakeImage,
    kvm: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(machine.os, "access", lambda path, mode: False)
    fake.behaves(COMES_UP + STAYS)

    assert guest.start("auto") == machine.TCG
    assert capsys.readouterr().out == (
        f"vm: {kvm} is not this user's to open: sudo usermod --append --groups kvm $USER\n"
    )


def test_a_qemu_that_ends_before_its_guest_speaks_is_started_again(
    guest: Machine, fake: FakeImage
) -> None:
    fake.behaves(f'if tries < 2:\n    sys.exit("Assertion")\n{COMES_UP}{STAYS}')

    assert guest.start(machine.TCG) == machine.TCG
    assert fake.accelerators == ["tcg", "tcg"]


def test_a_guest_that_does_not_come_up_is_told_with_its_last_words(
    guest: Machine, fake: FakeImage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(machine.SECONDS_TO_BOOT, machine.TCG, 2)
    fake.behaves('console.write_text("Kernel panic - not syncing\\r\\n")\n' + STAYS)

    with pytest.raises(GuestError) as error:
        guest.start(machine.TCG)

    assert str(error.value) == (
        "the guest does not come up: it said nothing within 2 s\n"
        "the guest's console said in the end:\n"
        "  | Kernel panic - not syncing"
    )


def test_a_qemu_that_is_killed_is_told(guest: Machine, fake: FakeImage) -> None:
    fake.behaves(COMES_UP + "time.sleep(0.5)\nos.kill(os.getpid(), 9)\n")
    guest.start(machine.TCG)

    with pytest.raises(GuestError, match="QEMU ended with -9, and the guest with it"):
        list(guest.output())


def test_the_workplace_is_gone_in_the_end() -> None:
    with suppress(KeyboardInterrupt), machine.workplace() as folder:
        (folder / "console").touch()
        raise KeyboardInterrupt

    assert not folder.exists()
