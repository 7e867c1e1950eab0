"""What the instruments announce becomes events of the trial that runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fixtures.engine.build import ImageBuilt
from fixtures.engine.command import CommandRun, ProcessFound, ProcessStarted
from fixtures.engine.container import ApiRead, ContainerStarted
from fixtures.engine.timeline import TimelineSeen, Told
from fixtures.events import Stream
from fixtures.events.run import Event
from fixtures.events.schema import misfit
from fixtures.kernel import Doing, FileRead, SignalSent
from fixtures.kernel.capture import PacketsSeen
from fixtures.kernel.packet import Packet
from fixtures.kernel.process_events import Life
from fixtures.lab.host import CommandLines
from fixtures.lab.recording import FACT_CAP, PACKET_CAP, Recorder, plain


class Recording:
    """A recorder, and the events that it has written."""

    def __init__(self, folder: Path) -> None:
        self.events: list[Event] = []
        self.recorder = Recorder(_Notebook(self.events, folder))


class _Notebook(Stream):
    def __init__(self, events: list[Event], folder: Path) -> None:
        super().__init__(folder)
        super().close()
        self._events = events

    def write(self, event: str, **fields: Any) -> None:
        self._events.append({"event": event, **fields})


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    return Recording(tmp_path)


def test_a_kernel_file_that_was_read(recording: Recording) -> None:
    recording.recorder(FileRead("/proc/42/status", "NSpid", "42 1"))

    assert recording.events == [
        {
            "event": "file",
            "path": "/proc/42/status",
            "field": "NSpid",
            "value": "42 1",
            "name": None,
        }
    ]


def test_a_file_of_a_cgroup_with_the_name_that_cgroup_v2_has_for_it(recording: Recording) -> None:
    recording.recorder(FileRead("/made/up/memory.usage_in_bytes", None, "4096", "memory.current"))

    (event,) = recording.events
    assert (event["path"], event["name"]) == ("/made/up/memory.usage_in_bytes", "memory.current")


def test_what_is_about_to_take_time(recording: Recording) -> None:
    recording.recorder(Doing("starting the container"))
    recording.recorder(Doing("starting the container"))

    assert recording.events == [{"event": "doing", "what": "starting the container"}] * 2


def test_what_the_engine_said(recording: Recording) -> None:
    recording.recorder(ApiRead("docker inspect State.Pid", "42"))

    assert recording.events == [
        {"event": "api", "source": "docker inspect State.Pid", "value": "42"}
    ]


def test_a_command_that_ran(recording: Recording) -> None:
    recording.recorder(CommandRun("c", ("true",), 0, "", "", seconds=0.123456, truncated=False))

    assert recording.events == [
        {
            "event": "command",
            "container": "c",
            "argv": ("true",),
            "exit_code": 0,
            "stdout": "",
            "stderr": "",
            "seconds": 0.1235,
            "truncated": False,
        }
    ]


def test_a_container_that_was_started_is_also_a_line_of_the_trial(recording: Recording) -> None:
    lines: list[str] = []
    recording.recorder.begin(lines)

    ancestors = ((41, "containerd-shim"), (1, "systemd"))
    recording.recorder(
        ContainerStarted("neighbour", "n", "c0ffee", "docker run base", 42, ancestors)
    )

    assert lines == ["neighbour: docker run base"]
    assert recording.events == [
        {
            "event": "container",
            "role": "neighbour",
            "name": "n",
            "id": "c0ffee",
            "line": "docker run base",
            "host_pid": 42,
            "ancestors": [{"pid": 41, "name": "containerd-shim"}, {"pid": 1, "name": "systemd"}],
        }
    ]


def test_a_value_that_is_polled_is_written_when_it_changes(recording: Recording) -> None:
    for value in ("1", "1", "2", "2", "1"):
        recording.recorder(FileRead("/sys/fs/cgroup/pids.current", None, value))

    assert [event["value"] for event in recording.events] == ["1", "2", "1"]


def test_a_process_that_runs_on(recording: Recording) -> None:
    recording.recorder(ProcessStarted("host", ("sleep", "9"), 42))
    recording.recorder(ProcessFound("made-up-1", ("sleep", "1"), 43))
    recording.recorder(SignalSent(43, "SIGKILL"))

    known = {"event": "process", "container": "host", "argv": ("sleep", "9"), "host_pid": 42}
    looked_for = {"container": "made-up-1", "argv": ("sleep", "1"), "host_pid": 43}
    assert recording.events == [
        known | {"found": False},
        known | looked_for | {"found": True},
        {"event": "signal", "host_pid": 43, "signal": "SIGKILL"},
    ]


def test_a_timeline_in_ms_since_it_began(recording: Recording) -> None:
    ended = Life(50, 42, 3_000_000, [(3_500_000, ("true",))], [(4_000_000, "t")], 5_000_000, 256)
    core_dumped = Life(51, 42, 6_000_000, ended=7_000_000, status=0x80 | 6)
    living = Life(52, 42, 8_000_000)
    told = (Told(1.23456, "container start"),)
    recording.recorder(
        TimelineSeen({42: "containerd"}, 1_000_000, 9.87654, (ended, core_dumped, living), told)
    )

    (event,) = recording.events
    assert misfit(event | {"at": 0}) == ""
    assert (event["ms"], event["known"]) == (9.877, [{"pid": 42, "name": "containerd"}])
    assert event["told"] == [{"at": 1.235, "what": "container start"}]
    assert event["processes"][0] == {
        "pid": 50,
        "parent": 42,
        "began": 2.0,
        "programs": [{"at": 2.5, "argv": ["true"]}],
        "names": [{"at": 3.0, "name": "t"}],
        "ended": 4.0,
        "exit_code": 1,
    }
    assert [each["exit_code"] for each in event["processes"]] == [1, -6, None]


def test_the_packets_of_a_capture_with_their_layers(recording: Recording) -> None:
    # IEEE 802.3: to, from, and a type that is for experiments.
    frame = bytes.fromhex("02420a000104 02420a000102 88b5") + b"hello"
    packets = (Packet.decoded(frame, 900),) * (PACKET_CAP + 1)

    recording.recorder(PacketsSeen("eth0 of host-1", "of UDP", packets, 33))

    (event,) = recording.events
    assert misfit(event | {"at": 0}) == ""
    assert (event["event"], event["where"], event["wanted"]) == (
        "capture",
        "eth0 of host-1",
        "of UDP",
    )
    assert (event["found"], event["of"], len(event["packets"])) == (21, 33, 20)
    assert event["packets"][0] == {
        "length": 900,
        "bytes": "02420a00010402420a00010288b568656c6c6f",
        "layers": [
            {
                "name": "Ethernet",
                "begin": 0,
                "size": 14,
                "fields": {
                    "source": "02:42:0a:00:01:02",
                    "destination": "02:42:0a:00:01:04",
                    "type": "0x88b5",
                },
            },
            {"name": "data", "begin": 14, "size": 5, "fields": {}},
        ],
    }


def test_a_build_with_its_files(recording: Recording) -> None:
    files = {"Dockerfile": "FROM busybox\n", "hello": b"\x7fELF"}
    line = "docker build --tag=lab-image ."
    recording.recorder(
        ImageBuilt("classic", "lab-image", line, files, 0, "Step 1/1", "sha256:0", 0.123456)
    )

    (event,) = recording.events
    assert event == {
        "event": "build",
        "builder": "classic",
        "name": "lab-image",
        "line": line,
        "files": [
            {"path": "Dockerfile", "text": "FROM busybox\n", "base64": None},
            {"path": "hello", "text": None, "base64": "f0VMRg=="},
        ],
        "exit_code": 0,
        "output": "Step 1/1",
        "image": "sha256:0",
        "seconds": 0.1235,
    }
    assert misfit(event | {"at": 0}) == ""


def test_the_command_lines_of_the_hosts_processes_print_as_their_number() -> None:
    lines = CommandLines(["mysqld --password=secret", "init"])

    assert f"{lines!r} {lines}" == "2 command lines 2 command lines"


def test_in_a_new_trial_every_value_is_new(recording: Recording) -> None:
    recording.recorder(ApiRead("docker info Driver", "overlay2"))
    recording.recorder.begin([])
    recording.recorder(ApiRead("docker info Driver", "overlay2"))

    assert len(recording.events) == 2


def test_a_fact_is_cut_where_it_gets_long(recording: Recording) -> None:
    recording.recorder.fact("text == other", "x" * FACT_CAP + "y", 7, held=False)

    assert recording.events == [
        {
            "event": "fact",
            "source": "text == other",
            "text": "x" * FACT_CAP,
            "line": 7,
            "held": False,
        }
    ]


def test_a_fact_is_kept_without_colours_and_without_the_diff() -> None:
    explained = (
        "(1, \x1b[94m2\x1b[39m) == (1,)\n  \n  Left contains one more item\n  \n  Full diff:\n  (…)"
    )

    assert plain(explained) == "(1, 2) == (1,)\n  \n  Left contains one more item"
