"""Whose a thing is, and when its owner is certainly dead."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.engine import ownership
from fixtures.engine.ownership import Owner
from fixtures.kernel import Process, ProcessGone


@pytest.fixture
def child() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield process
        process.kill()


def owner_of(process: subprocess.Popen[bytes]) -> Owner:
    """The owner that a living process is."""
    seen = Process(process.pid)
    return replace(Owner.current(), pid=seen.host_pid, start_time=seen.start_time)


def test_an_owner_is_read_back_from_its_text() -> None:
    assert Owner.parse(str(Owner.current())) == Owner.current()


def test_the_text_fits_an_image_tag_and_a_file_name() -> None:
    assert set(str(Owner.current())) <= set("0123456789abcdef.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "latest",
        "1.2.3",
        "a.b.c.d",
        "8bf23908.1.2.3.4",
        "8bf23908.1.2.",
        "[!Z]*.1.2.3",
        "8bf23908.1.2.3\n",
        "8bf23908.1.+2.3",
        "8bf23908.1. 2.3",
        "8bf23908.1.2_0.3",
        "8bf23908.1.\u0662.3",
        "8bf23908.1.99999999999999999999.3",
    ],
)
def test_what_others_write_names_no_owner(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - what it says is for nobody
        Owner.parse(text)


def test_this_process_lives() -> None:
    assert not Owner.current().dead


def test_a_process_that_was_reaped_is_dead(child: subprocess.Popen[bytes]) -> None:
    owner = owner_of(child)
    child.kill()
    child.wait()

    assert owner.dead


def test_a_zombie_is_dead(child: subprocess.Popen[bytes]) -> None:
    owner = owner_of(child)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert owner.dead


def test_the_next_process_with_its_pid_is_somebody_else(child: subprocess.Popen[bytes]) -> None:
    assert replace(owner_of(child), start_time=1).dead


def test_a_process_of_an_earlier_boot_is_dead() -> None:
    assert replace(Owner.current(), boot="00000000").dead


def test_a_process_in_another_pid_namespace_can_not_be_seen_to_be_dead() -> None:
    assert not replace(Owner.current(), pid_namespace=1, start_time=1).dead


def test_a_process_that_proc_hides_is_not_dead(
    monkeypatch: pytest.MonkeyPatch, child: subprocess.Popen[bytes]
) -> None:
    owner = owner_of(child)

    def hides(pid: int, root: Path = Path("/")) -> Process:
        raise ProcessGone(f"there is no process {pid}")

    monkeypatch.setattr(ownership, "Process", hides)

    assert not owner.dead
