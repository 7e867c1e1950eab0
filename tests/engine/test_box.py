"""A box: how it is called, how it is made, and that it goes."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.engine import box, cgroups
from fixtures.engine.box import ROOM, Box
from fixtures.engine.ownership import Owner
from fixtures.kernel import Hierarchies, NotObservable

OURS = Owner.current()
DEAD = replace(OURS, boot="00000000")


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up machine with two cgroup hierarchies; pids is on the first."""
    tops = [tmp_path / "pids", tmp_path / "memory"]
    for top in tops:
        top.mkdir()
    monkeypatch.setattr(cgroups, "hierarchies", lambda: tops)
    monkeypatch.setattr(Hierarchies, "__init__", lambda self: None)
    monkeypatch.setattr(Hierarchies, "v1", {"pids": (tops[0], "/")}, raising=False)
    monkeypatch.setattr(Hierarchies, "v2", None, raising=False)
    return tmp_path


def test_a_box_is_a_path_for_cgroupfs_and_a_slice_for_systemd() -> None:
    assert str(Box(OURS, "cgroupfs")) == f"/isolation-labs.{OURS}.box"
    # In a slice's name a hyphen stands for a slice above it.
    assert str(Box(OURS, "systemd")) == f"isolation_labs.{OURS}.box.slice"


def test_its_command_makes_it_with_its_limit(machine: Path) -> None:
    made = Box(OURS, "cgroupfs")

    subprocess.run(made.command, check=True)

    limit = machine / "pids" / str(made).lstrip("/") / "pids.max"
    assert limit.read_text() == f"{ROOM}\n"


def test_systemd_is_asked_for_a_slice_with_that_limit() -> None:
    made = Box(OURS, "systemd")

    *_, name, mode, count, what, kind, limit, more = made.command

    assert (name, mode) == (str(made), "fail")
    assert (count, what, kind, limit, more) == ("1", "TasksMax", "t", str(ROOM), "0")


def test_on_v2_it_is_made_in_the_one_hierarchy(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hierarchies, "v1", {})
    monkeypatch.setattr(Hierarchies, "v2", (machine / "memory", "/"))

    assert f"mkdir {machine}/memory/isolation-labs." in Box(OURS, "cgroupfs").command[-1]


def test_without_a_hierarchy_it_can_not_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hierarchies, "v1", {})

    with pytest.raises(NotObservable, match="no cgroup hierarchy is mounted"):
        _ = Box(OURS, "cgroupfs").command


def test_it_goes_from_each_hierarchy_with_what_is_below_it(machine: Path) -> None:
    made = Box(OURS, "cgroupfs")
    for name in ("pids", "memory"):
        (machine / name / str(made).lstrip("/") / "container").mkdir(parents=True)

    made.remove()

    assert [*machine.glob("*/*")] == []


def test_a_box_that_was_never_made_is_removed_in_peace() -> None:
    Box(OURS, "systemd").remove()


def test_only_the_boxes_of_dead_runs_are_swept(machine: Path) -> None:
    live, dead = (machine / "pids" / f"isolation-labs.{owner}.box" for owner in (OURS, DEAD))
    stranger = machine / "pids/isolation-labs.of-another.box"
    for cgroup in (live, dead, stranger):
        cgroup.mkdir()

    assert box.sweep() == 1
    assert sorted((machine / "pids").iterdir()) == sorted([live, stranger])


def test_what_is_in_a_box_ends_with_it(machine: Path) -> None:
    cgroup = machine / "pids" / f"isolation-labs.{OURS}.box"
    cgroup.mkdir()
    with subprocess.Popen(["sleep", "1000"]) as child:
        (cgroup / "cgroup.procs").write_text(f"{child.pid}\n")

        cgroups.end_processes(cgroup)

        assert child.wait(timeout=60) < 0
