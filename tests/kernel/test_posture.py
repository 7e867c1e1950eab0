"""A posture has what an option of a container can change, and tells what differs."""

from __future__ import annotations

import os
import subprocess

from fixtures.kernel import Process
from fixtures.kernel.posture import Posture


def test_two_processes_that_were_started_alike_have_the_same_posture(
    child: subprocess.Popen[bytes], own_process: Process
) -> None:
    mine = Posture.of(own_process, own_process)
    childs = Posture.of(Process(child.pid), own_process)

    # Anybody may mount something on the host between the two looks.
    assert mine.changed_from(childs) - {"mounts"} == set()
    assert (mine["pid namespace"], mine["user"]) == ("the host's", os.geteuid())


def test_what_differs_is_named(own_process: Process) -> None:
    argv = ["setpriv", "--no-new-privs", "prlimit", "--nofile=64", "sleep", "1000"]
    with subprocess.Popen(argv) as other:
        try:
            process = Process(other.pid)
            while process.name != "sleep":
                continue
            changed = Posture.of(process, own_process).changed_from(
                Posture.of(own_process, own_process)
            )
        finally:
            other.kill()

    assert changed - {"mounts"} == {"no_new_privs", "limit: Max open files"}


def test_a_property_that_only_one_has_differs() -> None:
    assert Posture({"time namespace": "own"}).changed_from(Posture()) == {"time namespace"}


def test_it_prints_as_its_size() -> None:
    assert repr(Posture({"user": 0})) == "a posture of 1 properties"
