"""An engine of the run's own: started, stopped, killed, restarted, and gone without a trace."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fixtures.engine import BenchError, Engine, Owner, cgroups, home, private
from fixtures.engine.daemons import Daemon
from fixtures.engine.options import DEFAULTS, merged
from fixtures.engine.private import PrivateEngine
from fixtures.engine.reaper import Reaper
from fixtures.engine.waiting import poll
from fixtures.kernel import Doing, Process, set_recorder
from tests.traces import nothing_is_left

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(private.missing() is not None, reason=str(private.missing())),
]

NUMBERS = itertools.count(900)

# sleep as PID 1 is deaf to SIGTERM, and dockerd waits 10 s for it.
POLITE = merged(DEFAULTS, {"command": ("sh", "-c", "trap exit TERM; sleep infinity & wait")})


@contextmanager
def private_engine(reaper: Reaper, **how: Any) -> Iterator[tuple[Engine, PrivateEngine]]:
    engine = Engine.start_private(Owner.current(), reaper, **how)
    assert engine.private is not None
    try:
        yield engine, engine.private
    finally:
        engine.close()


def test_a_container_s_data_survive_a_restart_and_nothing_survives_the_end(reaper: Reaper) -> None:
    with nothing_is_left(), private_engine(reaper) as (engine, daemon):
        container = engine.start(POLITE)
        container.write("/etc/group", "written before")
        first = daemon.daemon
        (containerd,) = (each for each in first.children if each.name == "containerd")
        assert engine.daemons == [
            Daemon(first.host_pid, os.getpid(), "dockerd"),
            Daemon(containerd.host_pid, first.host_pid, "containerd"),
        ]

        daemon.restart()

        assert daemon.daemon != first
        assert not container.init.alive
        assert container.inspect("State.Status") == "exited"
        engine.client.api.start(container.id)
        assert container.read("/etc/group") == "written before"
        (socket,) = set(private._shim_sockets(daemon.directory))
        assert socket.exists()
    assert not socket.exists()


def test_a_killed_engine_s_containers_live_on_and_are_found_again_in_its_own_etc(
    reaper: Reaper,
) -> None:
    """A fresh mount namespace would break exec, and userns-remap needs an /etc of its own."""
    with (
        nothing_is_left(),
        private_engine(reaper, userns_remap=True, configuration={"live-restore": True}) as (
            engine,
            daemon,
        ),
    ):
        container = engine.start(DEFAULTS)
        daemon_before, etc = daemon.daemon, daemon.daemon.namespaces["mnt"]
        assert container.init.uid == 100000

        daemon.kill()

        assert not daemon_before.alive
        assert container.init.alive
        with pytest.raises(BenchError, match="the private engine is not running"):
            _ = daemon.daemon

        daemon.start()

        assert daemon.daemon.namespaces["mnt"] == etc
        assert container.inspect("State.Pid") == container.init.host_pid
        assert container.read("/proc/self/uid_map").split() == ["0", "100000", "65536"]


def test_its_start_takes_time_and_its_proof_is_no_evidence(reaper: Reaper) -> None:
    observed: list[object] = []
    set_recorder(observed.append)
    try:
        with private_engine(reaper):
            assert observed == [Doing("starting a private engine")]
    finally:
        set_recorder(None)


def test_a_configuration_that_dockerd_refuses_is_told_with_its_log(reaper: Reaper) -> None:
    with nothing_is_left(), pytest.raises(BenchError) as error:
        Engine.start_private(Owner.current(), reaper, configuration={"nonsense": True})

    first, second, *log = str(error.value).splitlines()
    assert first == (
        "the private engine's dockerd ended: "
        "the following directives don't match any configuration option: nonsense"
    )
    assert second == "the end of its log:"
    assert "nonsense" in log[-1]


def test_a_dockerd_that_a_signal_ends_is_told_with_it(
    reaper: Reaper, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    dying = tmp_path / "dockerd"
    dying.write_text("#!/bin/sh\nkill -SEGV $$\n")
    dying.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with nothing_is_left(), pytest.raises(BenchError) as error:
        Engine.start_private(Owner.current(), reaper)

    assert str(error.value) == (
        f"the private engine's dockerd ({dying}) ended by SIGSEGV: it has said nothing"
    )


def test_a_storage_driver_that_is_not_there_is_told_in_the_first_line(reaper: Reaper) -> None:
    with nothing_is_left(), pytest.raises(BenchError) as error:
        Engine.start_private(
            Owner.current(), reaper, configuration={"storage-driver": "floppy", "debug": True}
        )

    assert str(error.value).splitlines()[0].removeprefix(
        "the private engine's dockerd ended: "
    ) in (
        "error initializing graphdriver: driver not supported",
        'configured driver "floppy" not available: unavailable',  # with containerd's image store
    )


def test_what_is_stopped_can_be_stopped_killed_and_removed_again() -> None:
    with nothing_is_left():
        daemon = PrivateEngine(Owner.current(), next(NUMBERS))
        try:
            daemon.start()
            assert daemon.endpoint.connect().ping()
            daemon.stop()
            daemon.stop()
            daemon.kill()
        finally:
            daemon.remove()
            daemon.remove()


def test_nothing_of_the_host_s_etc_is_changed_though_users_are_remapped(reaper: Reaper) -> None:
    """By itself dockerd would add a user for "default", and keep its identity in /etc/docker."""
    before = _etc()
    with private_engine(reaper, userns_remap=True) as (engine, daemon):
        assert engine.start(DEFAULTS).init.uid == 100000
        assert _etc() == before
    with private_engine(reaper) as (engine, daemon):
        assert (daemon.directory / "key.json").exists() or engine.version["Version"] >= "24"
    assert _etc() == before


def _etc() -> dict[Path, tuple[int, int]]:
    """When each file of /etc was changed, and how large it is."""
    files = [Path(folder, name) for folder, _, names in os.walk("/etc") for name in names]
    return {each: (each.lstat().st_mtime_ns, each.lstat().st_size) for each in files}


def test_what_its_daemons_make_at_places_of_the_machine_s_goes_with_it(
    reaper: Reaper, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    places = (*private._PLACES, private._OF_A_SWARM)
    before = {place: os.path.exists(place) for place in places}
    with private_engine(reaper, hostname="host-1"):
        assert os.path.exists("/opt/containerd/bin")
    assert {place: os.path.exists(place) for place in places} == before


def test_a_host_of_a_swarm_keeps_its_own_place_when_another_goes(reaper: Reaper) -> None:
    """A directory that is removed takes what is mounted on it elsewhere with it: umount(2)."""
    with private_engine(reaper, hostname="host-1") as (_, first):
        with private_engine(reaper, hostname="host-2"), private_engine(reaper):
            pass

        seen = subprocess.run(
            first.enter("stat", "--file-system", "--format=%T", private._OF_A_SWARM),
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert seen.stdout == "tmpfs\n"


def test_of_such_places_what_was_there_or_has_something_in_it_stays(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    there, made, used = (tmp_path / name for name in ("there", "made", "used"))
    monkeypatch.setattr(private, "_PLACES", tuple(map(str, (there, made, used))))
    there.mkdir()
    daemon = PrivateEngine(Owner.current(), next(NUMBERS))
    daemon._prepare()
    for place in (made, used):
        place.mkdir()
    (used / "file").touch()

    daemon.remove()

    assert [place.exists() for place in (there, made, used)] == [True, False, True]


def test_its_configuration_is_for_root_alone(reaper: Reaper) -> None:
    secret = {"labels": ["password=of a proxy, say"]}
    with private_engine(reaper, configuration=secret) as (_, daemon):
        file = daemon.directory / "daemon.json"
        assert file.stat().st_mode & 0o077 == 0


def test_a_name_is_no_part_of_a_script(
    reaper: Reaper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FILE", str(tmp_path / "made"))
    name = "$(touch $FILE);touch $FILE"
    with private_engine(reaper, hostname=name) as (engine, _):
        assert engine.information["Name"] == name
    assert list(tmp_path.iterdir()) == []


def test_what_it_calls_modprobe_loads_nothing() -> None:
    """With br_netfilter, which dockerd would load, all bridges of the host go through iptables."""
    daemon = PrivateEngine(Owner.current(), next(NUMBERS))
    try:
        daemon.start()

        asked = subprocess.run(
            ["sh", "-c", "modprobe br_netfilter"],
            env=_environment_of(daemon.daemon), capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (asked.returncode, asked.stderr) == (1, "the labs load no module\n")
    finally:
        daemon.remove()


@pytest.mark.parametrize(
    ("configuration", "forwards"),
    [({"firewall-backend": "nftables"}, "1"), ({"firewall-backend": "iptables"}, "0"), ({}, "0")],
)
def test_its_network_forwards_from_the_start_where_its_firewall_wants_that(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, configuration: dict[str, Any], forwards: str
) -> None:
    """Of the kernel it is asked by a dockerd that says what it finds, and ends."""
    program = tmp_path / "dockerd"
    program.write_text(
        "#!/bin/sh\nread -r found < /proc/sys/net/ipv4/ip_forward\necho ip_forward is $found\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    daemon = PrivateEngine(Owner.current(), next(NUMBERS), configuration)
    try:
        with pytest.raises(BenchError, match=f"ended: ip_forward is {forwards}"):
            daemon.start()
    finally:
        daemon.remove()


def _environment_of(process: Process) -> dict[str, str]:
    text = Path(f"/proc/{process.host_pid}/environ").read_text()
    return dict(each.split("=", 1) for each in text.split("\0") if each)


def test_it_can_not_ask_the_host_s_firewalld_to_set_its_rules() -> None:
    daemon = PrivateEngine(Owner.current(), next(NUMBERS))
    try:
        daemon.start()

        environment = Path(f"/proc/{daemon.daemon.host_pid}/environ").read_text().split("\0")
        assert "DBUS_SYSTEM_BUS_ADDRESS=unix:path=/dev/null" in environment
    finally:
        daemon.remove()


def test_the_stacks_of_a_containerd_that_is_slow_to_end_go_with_the_engine() -> None:
    """dockerd asks for them with SIGUSR1, and containerd writes them to its TMPDIR."""
    daemon = PrivateEngine(Owner.current(), next(NUMBERS))
    try:
        daemon.start()
        (containerd,) = (each for each in daemon.daemon.children if each.name == "containerd")

        containerd.send_signal(signal.SIGUSR1)

        stacks = f"containerd.{containerd.host_pid}.stacks.log"
        assert poll((daemon.directory / stacks).exists, bool, seconds=60)
    finally:
        daemon.remove()


def test_two_sweeps_at_once_remove_what_a_dead_run_left_and_nothing_of_the_living(
    dead: Owner,
) -> None:
    with nothing_is_left():
        left, living = (PrivateEngine(owner, next(NUMBERS)) for owner in (dead, Owner.current()))
        try:
            for daemon in (left, living):
                daemon.start()
            failures: list[BaseException] = []
            sweeps = [threading.Thread(target=_sweep, args=(failures,)) for _ in range(2)]
            for sweep in sweeps:
                sweep.start()
            for sweep in sweeps:
                sweep.join()

            assert failures == []
            assert not left.directory.exists()
            assert living.daemon.alive
        finally:
            left.remove()
            living.remove()


def test_a_cgroup_that_was_made_after_the_end_is_swept(dead: Owner) -> None:
    for top in cgroups.hierarchies():
        for owner in (dead, Owner.current()):
            (top / f"isolation-labs.{owner}.runc/1").mkdir(parents=True)
    try:
        private.sweep()

        left = [each for top in cgroups.hierarchies() for each in top.glob("isolation-labs.*.runc")]
        assert not [each for each in left if str(dead) in each.name]
        assert len([each for each in left if str(Owner.current()) in each.name]) == len(
            cgroups.hierarchies()
        )
    finally:
        private.remove_traces(home.HOME / f"{Owner.current()}.runc")


def _sweep(failures: list[BaseException]) -> None:
    try:
        private.sweep()
    except BaseException as error:
        failures.append(error)


def test_its_containerd_is_its_own_where_the_machine_has_one(
    reaper: Reaper, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    socket = tmp_path / "containerd/containerd.sock"
    socket.parent.mkdir()
    socket.touch()
    monkeypatch.setattr(private, "SYSTEM_CONTAINERD", socket)
    with nothing_is_left(), private_engine(reaper) as (engine, daemon):
        seen = subprocess.run(
            daemon.enter("ls", str(socket.parent)), capture_output=True, text=True, check=True
        )
        container = engine.start(DEFAULTS)

        daemon.kill()
        daemon.start()

        assert (seen.stdout, socket.exists()) == ("", True)
        assert daemon.containerd.name == "containerd"
        assert not container.init.alive
