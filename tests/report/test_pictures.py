"""Pictures show what a run's events say, all of it, and nothing else."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import Any

import pytest

from fixtures.events import Experiment, Run, Trial
from fixtures.report import pictures
from fixtures.report.pictures import Picture
from fixtures.report.pictures.drawing import SIZE, cut, visible_in_xml, width_of

from .runs import CARRIED, capture, layer

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert(1)</script>\"'&]]>\x00\x1b[31m\u202egnp\udcff\ufffe\n" + "W" * 300
HOST, CONTAINER, NEIGHBOUR, EXEC = 100, 200, 300, 400
KINDS = ("pid", "net", "mnt", "uts", "ipc", "cgroup", "user", "time")
Event = dict[str, Any]


def experiment(*, private_engine: object = None, **trials: list[Event]) -> Experiment:
    """One that held, with these trials: as_is, and controls by the names of their trials."""
    names = {name.replace("_", "-"): events for name, events in trials.items()}
    declared = {
        "id": "something-holds",
        "claim": "Something holds.",
        "answers": [],
        "private_engine": private_engine,
        "controls": [
            {"trial": name, "name": name.removeprefix("without-")}
            for name in names
            if name != "as-is"
        ],
    }
    made = Experiment(declared)
    for name, events in names.items():
        outcome = "held" if name == "as-is" else "fell"
        made.trials[name] = Trial(name, outcome, events=at_times(events))
    return made


def at_times(events: list[Event]) -> list[Event]:
    """The events with the times that they lack, a tenth of a second after one another."""
    return [{"at": number / 10} | event for number, event in enumerate(events)]


def run(*experiments: Experiment, processes: list[Event] | None = None) -> Run:
    bench = {"engine": {} if processes is None else {"processes": processes}}
    return Run({}, bench, {}, {str(n): each for n, each in enumerate(experiments)}, None)


def drawn(made: Experiment, **engine: Any) -> tuple[Picture, ...]:
    """Its pictures, each one checked: well-formed, and nothing outside or upon another."""
    found = pictures.of_experiment(made, run(made, **engine))
    for picture in found:
        check(picture)
    identities = [each for picture in found for each in re.findall(r' id="([^"]+)"', picture.svg)]
    assert len(set(identities)) == len(identities) == 2 * len(found)
    return found


def parsed(svg: str) -> ET.Element:
    """The drawing; what a group looks like is in each of its elements, too."""
    root = ET.fromstring(svg.encode())  # noqa: S314 - drawn by us, just now
    for group in root.iter(f"{SVG}g"):
        for each in group:
            each.attrib = group.attrib | each.attrib
    return root


def check(picture: Picture) -> None:
    svg = parsed(picture.svg)
    _, _, width, height = map(float, svg.attrib["viewBox"].split())
    title, desc = svg.find(f"{SVG}title"), svg.find(f"{SVG}desc")
    assert title is not None
    assert desc is not None
    assert svg.attrib["role"] == "img"
    assert svg.attrib["aria-labelledby"].split() == [title.attrib["id"], desc.attrib["id"]]
    assert title.text == visible_in_xml(picture.title)
    assert desc.text == visible_in_xml(picture.description)
    assert all(len(row) == len(picture.columns) for row in picture.rows)
    # Only what can not run, and asks for nothing.
    assert {each.tag.removeprefix(SVG) for each in svg.iter()} <= {
        "svg", "g", "title", "desc", "rect", "polyline", "polygon", "path", "text",
    }  # fmt: skip
    assert not re.search(r"(href|url\(|style|\son)", re.sub(r">[^<]*<", "><", picture.svg))
    texts = [edges(each) for each in svg.iter(f"{SVG}text")]
    for left, top, right, bottom in [*texts, *(edges(each) for each in svg.iter(f"{SVG}rect"))]:
        assert -0.6 <= left <= right <= width + 0.6
        assert 0 <= top <= bottom <= height
    for number, one in enumerate(texts):
        for other in texts[number + 1 :]:
            assert not overlap(one, other), (picture.title, one, other)


def edges(element: ET.Element) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of a rect, or about that of a text."""
    get = element.attrib
    x, y = float(get["x"]), float(get["y"])
    if element.tag == f"{SVG}rect":
        return x, y, x + float(get["width"]), y + float(get["height"])
    size = float(get.get("font-size", SIZE))
    mono, bold = "font-family" in get, "font-weight" in get
    width = width_of(element.text or "", size, mono=mono, bold=bold)
    left = x - {"start": 0, "middle": width / 2, "end": width}[get.get("text-anchor", "start")]
    return left, y - 0.75 * size, left + width, y + 0.22 * size


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return (
        min(one[2], other[2]) - max(one[0], other[0]) > 1
        and min(one[3], other[3]) - max(one[1], other[1]) > 1
    )


def words(picture: Picture) -> list[str]:
    """The texts in it, in the order of drawing."""
    svg = parsed(picture.svg)
    return [each.text or "" for each in svg.iter(f"{SVG}text")]


def colours(picture: Picture) -> list[tuple[str, str]]:
    """(custom property, text) of each box that begins where a text stands in it."""
    svg = parsed(picture.svg)
    found = []
    for box in svg.iter(f"{SVG}rect"):
        left, top, right, bottom = edges(box)
        inside = [
            text.text or ""
            for text in svg.iter(f"{SVG}text")
            if left <= edges(text)[0]
            and edges(text)[2] <= right
            and top <= edges(text)[1]
            and edges(text)[3] <= bottom
        ]
        if len(inside) == 1:
            found.append((box.attrib["stroke"][4:].partition(",")[0], inside[0]))
    return found


def file(path: str, value: str, **fields: Any) -> Event:
    return {"event": "file", "path": path, "field": None, "name": None, "value": value, **fields}


def container(role: str = "container", pid: int = CONTAINER, **fields: Any) -> Event:
    return {
        "event": "container", "role": role, "name": f"labs-{role}", "id": f"{pid}" * 20,
        "line": "docker run busybox sleep infinity", "host_pid": pid, **fields,
    }  # fmt: skip


def process(pid: int, where: str, *argv: str) -> Event:
    return {"event": "process", "container": where, "argv": list(argv), "host_pid": pid}


THE_HOST = process(HOST, "host", "sleep", "infinity")


def namespaces(pid: int, *inodes: int, kinds: tuple[str, ...] = KINDS) -> list[Event]:
    return [
        file(f"/proc/{pid}/ns/{kind}", f"{kind}:[{inode}]")
        for kind, inode in zip(kinds, inodes, strict=False)
    ]


# Namespaces


OF_HOST = namespaces(HOST, *range(1, 9))
OF_CONTAINER = namespaces(CONTAINER, 11, 12, 13, 14, 15, 6, 7, 8)


def test_a_namespace_that_two_share_is_one_box() -> None:
    (picture,) = drawn(experiment(as_is=[container(), THE_HOST, *OF_CONTAINER, *OF_HOST]))

    shown = words(picture)
    assert shown[:4] == ["host", "PID 100", "container", "PID 200"]
    assert [shown.count(str(inode)) for inode in (1, 2, 3, 4, 5, 11, 12, 13, 14, 15)] == [1] * 10
    assert [shown.count(f"{inode} shared") for inode in (6, 7, 8)] == [1] * 3
    assert picture.title == "Namespaces, as it is"
    assert picture.description == (
        "host (100) and container (200) share cgroup, user and time "
        "and differ in pid, net, mnt, uts and ipc."
    )
    assert picture.columns == ["namespace", "host (100)", "container (200)"]
    assert picture.rows[0] == ["pid", "pid:[1]", "pid:[11]"]
    assert picture.rows[-1] == ["time", "time:[8]", "time:[8]"]


def test_a_control_marks_what_is_shared_otherwise() -> None:
    made = experiment(
        as_is=[container(), THE_HOST, *OF_CONTAINER, *OF_HOST],
        without_pid=[
            container(), THE_HOST,
            *namespaces(CONTAINER, 1, 22, 23, 24, 25, 6, 7, 8), *OF_HOST,
        ],
    )  # fmt: skip

    as_is, control = drawn(made)

    assert control.title == "Namespaces, control: pid"
    assert control.description.endswith("Not as in the trial as it is: pid.")
    assert [text for colour, text in colours(control) if colour == "--without"] == ["1 shared"]
    assert "--without" not in as_is.svg


def test_a_control_that_shares_as_the_trial_as_it_is_has_no_picture() -> None:
    both = [container(), THE_HOST, *OF_CONTAINER, *OF_HOST]
    other_inodes = namespaces(CONTAINER, 31, 32, 33, 34, 35, 6, 7, 8)
    made = experiment(as_is=both, without_seccomp=[container(), THE_HOST, *other_inodes, *OF_HOST])

    assert [picture.trial for picture in drawn(made)] == ["as-is"]


def test_only_the_one_that_has_changed_is_marked() -> None:
    """A container that leaves its neighbour's network changes nothing for the host."""
    before = [container(), container("neighbour", NEIGHBOUR), THE_HOST]
    made = experiment(
        as_is=[*before, *namespaces(HOST, 1, kinds=("net",)),
               *namespaces(CONTAINER, 2, kinds=("net",)), *namespaces(NEIGHBOUR, 2, kinds=("net",))],
        without_it=[*before, *namespaces(HOST, 1, kinds=("net",)),
                    *namespaces(CONTAINER, 3, kinds=("net",)),
                    *namespaces(NEIGHBOUR, 2, kinds=("net",))],
    )  # fmt: skip

    as_is, control = drawn(made)

    assert "2 shared" in words(as_is)
    assert [text for colour, text in colours(control) if colour == "--without"] == ["3", "2"]


def test_a_namespace_of_columns_that_are_apart_is_joined_by_a_line() -> None:
    made = experiment(
        as_is=[
            container(), container("neighbour", NEIGHBOUR), THE_HOST,
            *namespaces(HOST, 1, kinds=("pid",)), *namespaces(CONTAINER, 2, kinds=("pid",)),
            *namespaces(NEIGHBOUR, 1, kinds=("pid",)),
        ]
    )  # fmt: skip

    (picture,) = drawn(made)

    assert words(picture).count("1") == 2
    assert picture.svg.count("<polyline") == 1
    assert "host (100) and neighbour (300) share pid." in picture.description


def test_a_process_that_was_started_in_a_container_has_a_column_that_says_so() -> None:
    made = experiment(
        as_is=[
            container(), process(EXEC, "labs-container", "/bin/sleep", "1000"),
            *OF_CONTAINER, *namespaces(EXEC, 11, 12, 13, 14, 15, 6, 7, 8),
        ]
    )  # fmt: skip

    (picture,) = drawn(made)

    assert words(picture)[:5] == ["container", "PID 200", "sleep", "PID 400", "in the container"]


def test_a_process_of_which_only_the_pid_is_known_is_not_said_to_be_anywhere() -> None:
    made = experiment(
        as_is=[
            container(), *OF_CONTAINER, *namespaces(EXEC, 11, 12),
            file(f"/proc/{EXEC}/status", str(CONTAINER), field="PPid"),
        ]
    )  # fmt: skip

    namespaces_, tree = drawn(made)

    assert words(namespaces_)[:5] == ["container", "PID 200", "process", "PID 400", ""]
    assert tree.rows[-1] == ["a process", "not known", "400", "not read", "200"]


@pytest.mark.parametrize("count", range(1, 9))
@pytest.mark.parametrize("columns", range(2, 8))
def test_any_number_of_kinds_and_processes_has_room(count: int, columns: int) -> None:
    others = [container(f"other {number}", 1000 + number) for number in range(columns - 2)]
    inodes = [4026531835 + number for number in range(count)]
    pids = [HOST, CONTAINER, *(each["host_pid"] for each in others)]
    made = experiment(
        as_is=[container(), THE_HOST, *others, *(e for p in pids for e in namespaces(p, *inodes))]
    )

    (picture,) = drawn(made)

    assert len(picture.rows) == count
    assert len(picture.columns) == columns + 1


def test_what_was_not_read_is_said_to_be_missing() -> None:
    made = experiment(as_is=[container(), THE_HOST, *OF_CONTAINER, *OF_HOST[:2]])

    (picture,) = drawn(made)

    assert words(picture).count("not read") == 6
    assert picture.rows[2] == ["mnt", "not read", "mnt:[13]"]


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([], id="nothing"),
        pytest.param([container(), *OF_CONTAINER], id="one process"),
        pytest.param([container(), THE_HOST, *OF_CONTAINER[:1], *OF_HOST[1:2]], id="other kinds"),
        pytest.param([container(), THE_HOST, file("/proc/1/ns/pid", "gone")], id="no inode"),
    ],
)
def test_without_two_that_can_be_compared_there_is_no_picture(events: list[Event]) -> None:
    made = experiment(as_is=events)

    assert drawn(made) == ()


# Curves

MIB = 2**20


def cgroup(name: str, value: object, at: float, *, v1: str = "", field: str | None = None) -> Event:
    return file(
        f"/sys/fs/cgroup/labs/{f'{CONTAINER}' * 20}/{v1 or name}",
        str(value),
        name=name,
        field=field,
        at=at,
    )


def memory(*mib: float, limit: object = 32 * MIB) -> list[Event]:
    events = [container(at=0), cgroup("memory.max", limit, 1, v1="memory.limit_in_bytes")]
    events += [
        cgroup("memory.current", int(each * MIB), 1 + number / 10, v1="memory.usage_in_bytes")
        for number, each in enumerate(mib)
    ]
    return events


def killed(at: float) -> list[Event]:
    return [
        {"event": "command", "container": "labs-container", "argv": ["dd"], "exit_code": 137,
         "stdout": "", "stderr": "", "seconds": 1, "truncated": False, "at": at},
        cgroup("memory.events", 1, at + 0.01, v1="memory.oom_control", field="oom_kill"),
    ]  # fmt: skip


def points(picture: Picture) -> list[tuple[float, float]]:
    """(x, y) of the dots."""
    svg = parsed(picture.svg)
    dots = " ".join(path.attrib["d"] for path in svg.iter(f"{SVG}path"))
    return [(float(x), float(y)) for x, y in re.findall(r"M([\d.]+),([\d.]+)h0", dots)]


def test_memory_is_drawn_against_its_limit_up_to_the_kill() -> None:
    made = experiment(as_is=[*memory(1, 8, 16, 24, 32), *killed(1.5)])

    (picture,) = drawn(made)

    assert picture.title == "Memory against its limit, as it is"
    assert "memory.max 32 MiB" in words(picture)
    assert "✗ OOM kill: oom_kill 1, exit code 137" in words(picture)
    assert picture.description == (
        "5 readings in 0.4 s: 32 MiB at most. memory.max is 32 MiB. "
        "After 0.5 s: OOM kill: oom_kill 1, exit code 137."
    )
    dots = points(picture)
    steps = {round(after[0] - before[0], 1) for before, after in pairwise(dots)}
    assert len(dots) == 5
    assert max(steps) - min(steps) <= 0.2  # the readings are as far apart as their times
    assert [y for _, y in dots] == sorted((y for _, y in dots), reverse=True)
    assert picture.rows[0] == ["0.000", "memory.limit_in_bytes", "33554432"]
    assert picture.rows[-1] == ["0.510", "memory.oom_control oom_kill", "1"]


@pytest.mark.parametrize("limit", ["max", 9223372036854771712])
def test_no_limit_is_no_line_and_the_scale_is_that_of_the_trial_as_it_is(limit: object) -> None:
    made = experiment(
        as_is=memory(1, 8, 16, 32), without_the_limit=memory(1, 8, 16, 64, limit=limit)
    )

    as_is, control = drawn(made)

    assert points(as_is)[:3] == points(control)[:3]
    assert "stroke-dasharray" in as_is.svg
    assert "stroke-dasharray" not in control.svg
    assert "memory.max sets no limit." in control.description
    assert not any("memory.max" in text for text in words(control))


def test_a_limit_that_was_changed_is_drawn_from_then_on() -> None:
    made = experiment(
        as_is=[*memory(1, 8, 16, 32, limit=64 * MIB), cgroup("memory.max", 128 * MIB, 1.2)]
    )

    (picture,) = drawn(made)

    dashed = [each for each in parsed(picture.svg).iter() if "stroke-dasharray" in each.attrib]
    assert [each.tag for each in dashed if each.tag != f"{SVG}g"] == [f"{SVG}polyline"] * 2
    assert "memory.max 128 MiB" in words(picture)


def test_137_without_an_oom_kill_is_not_called_one() -> None:
    made = experiment(as_is=[*memory(1, 8, 16, 24, 32), killed(1.5)[0]])

    (picture,) = drawn(made)

    assert "✗ SIGKILL: exit code 137" in words(picture)


def test_a_kill_in_another_container_is_not_marked() -> None:
    made = experiment(
        as_is=[
            *memory(1, 8, 16, 24), container("neighbour", NEIGHBOUR, at=1),
            killed(1.4)[0] | {"container": "labs-neighbour"},
        ]
    )  # fmt: skip

    (picture,) = drawn(made)

    assert "✗" not in picture.svg


def exit_code(at: float) -> Event:
    return {"event": "api", "source": "docker exec's exit code", "value": "137", "at": at}


def test_an_exit_code_that_the_engine_told_is_that_of_the_only_container() -> None:
    (alone,) = drawn(experiment(as_is=[*memory(1, 8, 16, 24), exit_code(1.4)]))
    neighbour = container("neighbour", NEIGHBOUR, at=1)
    (beside,) = drawn(experiment(as_is=[*memory(1, 8, 16, 24), neighbour, exit_code(1.4)]))

    assert "✗ SIGKILL: exit code 137" in words(alone)
    assert "✗" not in beside.svg


def test_a_kill_before_the_first_reading_is_not_on_the_curve() -> None:
    (picture,) = drawn(experiment(as_is=[*memory(1, 8, 16, 24), exit_code(0.5)]))

    assert "✗" not in picture.svg


def test_pids_are_drawn_against_pids_max() -> None:
    made = experiment(
        as_is=[
            container(at=0), cgroup("pids.max", 16, 1),
            *(cgroup("pids.current", n, 1 + n / 50) for n in range(1, 17)),
            cgroup("pids.events", 48, 1.4, field="max"),
        ]
    )  # fmt: skip

    (picture,) = drawn(made)

    assert "pids.max 16 tasks" in words(picture)
    assert "✗ forks refused: max 48" in words(picture)


def test_forks_that_were_refused_may_be_counted_in_another_cgroup() -> None:
    """Before Linux 6.11 the count is where the fork was, and the limit may be a parent's."""
    child = file(
        "/sys/fs/cgroup/labs/child/pids.events", "3", name="pids.events", field="max", at=2
    )
    made = experiment(
        as_is=[
            container(at=0), cgroup("pids.max", 16, 1),
            *(cgroup("pids.current", n, 1 + n / 50) for n in range(1, 17)),
            cgroup("pids.events", 0, 1.4, field="max"), child,
        ]
    )  # fmt: skip

    (picture,) = drawn(made)

    assert "✗ forks refused: max 3" in words(picture)


def cpu(*, v1: bool) -> list[Event]:
    """One second at half a CPU; throttled in its second half."""
    events = [container(at=0)]
    if v1:
        events += [
            cgroup("cpu.max", 50000, 1, v1="cpu.cfs_quota_us"),
            cgroup("cpu.max", 100000, 1, v1="cpu.cfs_period_us"),
        ]
    else:
        events.append(cgroup("cpu.max", "50000 100000", 1))
    for number in range(11):
        at, used = 1 + number / 10, 50000 * number
        events.append(cgroup("cpu.stat", max(0, number - 5), at, field="nr_throttled"))
        if v1:
            events.append(cgroup("cpu.stat", used * 1000, at, v1="cpuacct.usage"))
        else:
            events.append(cgroup("cpu.stat", used, at, field="usage_usec"))
    return events


@pytest.mark.parametrize("v1", [False, True])
def test_cpu_time_is_drawn_in_cpus_with_its_throttled_spans(v1: bool) -> None:
    (picture,) = drawn(experiment(as_is=cpu(v1=v1)))

    assert "cpu.max 0.5 CPUs" in words(picture)
    assert len({y for _, y in points(picture)}) == 1
    assert "0.5 CPUs at most" in picture.description
    assert "nr_throttled rose from 0 to 5." in picture.description
    svg = parsed(picture.svg)
    (shaded,) = [edges(b) for b in svg.iter(f"{SVG}rect") if "--code" in b.attrib["fill"]]
    xs = [x for x, _ in points(picture)]
    assert (shaded[0], shaded[2]) == pytest.approx((xs[5], xs[10]), abs=0.2)


def test_a_cpu_without_a_quota_has_no_limit() -> None:
    events = [
        event | ({"value": "-1"} if event.get("path", "").endswith("quota_us") else {})
        for event in cpu(v1=True)
    ]

    (picture,) = drawn(experiment(as_is=events))

    assert "stroke-dasharray" not in picture.svg


def test_the_name_of_a_limit_stands_above_a_curve_that_exceeds_it() -> None:
    events = [event | {"value": "20000 100000"} if event.get("name") == "cpu.max" else event
              for event in cpu(v1=False)]  # fmt: skip

    (picture,) = drawn(experiment(as_is=events))

    texts = parsed(picture.svg).iter(f"{SVG}text")
    (name,) = [text for text in texts if "cpu.max 0.2 CPUs" in "".join(text.itertext())]
    assert float(name.attrib["y"]) < min(y for _, y in points(picture))


def test_a_cgroup_that_is_no_containers_is_named() -> None:
    box = "/sys/fs/cgroup/labs.box/pids."
    readings = [file(f"{box}current", f"{n}", name="pids.current", at=1 + n) for n in range(5)]
    limit = file(f"{box}max", "100", name="pids.max", at=1)

    (picture,) = drawn(experiment(as_is=[container(at=0), limit, *readings]))

    assert picture.description.startswith("The cgroup labs.box. 5 readings in 4 s")


def test_a_cpu_that_nothing_bounds_has_no_picture() -> None:
    events = [
        event
        for event in cpu(v1=False)
        if event.get("name") != "cpu.max" and event.get("field") != "nr_throttled"
    ]

    assert drawn(experiment(as_is=events)) == ()


def _without_name(event: Event) -> Event:
    """As it was before file events had names."""
    return {k: v for k, v in event.items() if k != "name" or event["event"] != "file"}


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(memory(1, 8, 16), id="three readings"),
        pytest.param([_without_name(event) for event in memory(1, 8, 16, 32)], id="an older run"),
        pytest.param(cpu(v1=False)[:8], id="too little CPU time"),
    ],
)
def test_without_enough_readings_there_is_no_curve(events: list[Event]) -> None:
    made = experiment(as_is=events)

    assert drawn(made) == ()


# The process tree

ANCESTORS = [{"pid": 190, "name": "containerd-shim"}, {"pid": 1, "name": "systemd"}]
ENGINE = [
    {"pid": 50, "parent": 1, "name": "dockerd"},
    {"pid": 60, "parent": 50, "name": "containerd"},
]
NSPID = file(f"/proc/{CONTAINER}/status", f"{CONTAINER}\t1", field="NSpid")


def test_the_tree_goes_from_pid_1_through_engine_and_shim_into_the_container() -> None:
    made = experiment(as_is=[container(ancestors=ANCESTORS), NSPID])

    (picture,) = drawn(made, processes=ENGINE)

    assert picture.rows == [
        ["systemd", "on the host", "1", "not read", "not read"],
        ["dockerd", "on the host", "50", "not read", "1"],
        ["containerd", "on the host", "60", "not read", "50"],
        ["containerd-shim", "on the host", "190", "not read", "1"],
        ["container: first process", "in the container", "200", "1", "190"],
    ]
    assert "stroke-dasharray" not in picture.svg
    assert "container: first process (200) has the PID 1 inside." in picture.description


def test_a_process_that_was_started_by_exec_hangs_where_its_parent_was_read() -> None:
    started = process(EXEC, "labs-container", "sleep", "1000")
    made = experiment(
        as_is=[
            container(ancestors=ANCESTORS), started,
            file(f"/proc/{EXEC}/status", "190", field="PPid"),
        ],
        without_exec=[
            container(ancestors=ANCESTORS), started,
            file(f"/proc/{CONTAINER}/task/*/children", str(EXEC)),
        ],
    )  # fmt: skip

    as_is, control = drawn(made)

    assert as_is.rows[-1] == ["sleep 1000", "in the container", "400", "not read", "190"]
    assert control.rows[-1] == ["sleep 1000", "in the container", "400", "not read", "200"]


def test_a_process_whose_parent_was_not_read_is_left_out() -> None:
    started = process(EXEC, "labs-container", "sleep", "1000")
    (picture,) = drawn(experiment(as_is=[container(ancestors=ANCESTORS), NSPID, started]))

    assert "sleep 1000" not in words(picture)


def test_a_parent_that_is_not_known_is_a_dashed_line() -> None:
    engine = [{"pid": 50, "parent": 49, "name": "dockerd"}]
    made = experiment(as_is=[container(ancestors=ANCESTORS), NSPID])

    (picture,) = drawn(made, processes=engine)

    assert picture.svg.count("stroke-dasharray") == 1
    assert "Dashed: through processes that were not read." in words(picture)


def test_the_engine_of_the_bench_is_not_shown_for_an_experiment_with_one_of_its_own() -> None:
    made = experiment(private_engine={}, as_is=[container(ancestors=ANCESTORS), NSPID])

    (picture,) = drawn(made, processes=ENGINE)

    assert "dockerd" not in words(picture)


def test_an_older_run_has_the_parents_that_were_read() -> None:
    made = experiment(as_is=[container(), file(f"/proc/{CONTAINER}/status", "190", field="PPid")])

    (picture,) = drawn(made)

    assert [row[:1] for row in picture.rows] == [["a process"], ["container: first process"]]


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([container(ancestors=ANCESTORS)], id="no pid was asked for"),
        pytest.param([container(ancestors=[]), NSPID], id="no parent"),
        pytest.param([container(), NSPID], id="an older run"),
    ],
)
def test_without_parents_there_is_no_tree(events: list[Event]) -> None:
    made = experiment(as_is=events)

    assert drawn(made, processes=ENGINE) == ()


@pytest.mark.parametrize("count", [1, 2, 9, 30])
def test_any_number_of_ancestors_has_room(count: int) -> None:
    ancestors = [{"pid": 4194304 - n, "name": f"ancestor number {n}"} for n in range(count)]
    made = experiment(as_is=[container(ancestors=ancestors, pid=4194305), NSPID])

    (picture,) = drawn(made)

    assert len(picture.rows) == count + 1


def test_a_crafted_line_of_ancestors_is_only_long() -> None:
    ancestors = [{"pid": 1000 + n, "name": "sh"} for n in range(3000)]
    made = experiment(as_is=[container(ancestors=ancestors), NSPID])

    (picture,) = pictures.of_experiment(made, run(made))

    assert len(picture.rows) == 3001


def test_parents_in_a_circle_are_no_tree() -> None:
    made = experiment(
        as_is=[
            file("/proc/5/status", "6", field="PPid"),
            file("/proc/6/status", "5", field="PPid"),
        ]
    )

    assert drawn(made) == ()


def test_a_circle_of_parents_ends() -> None:
    made = experiment(
        as_is=[
            file("/proc/5/status", "6", field="PPid"),
            file("/proc/6/status", "5", field="PPid"),
            file("/proc/7/status", "1", field="PPid"),
        ]
    )

    assert [row[2] for row in drawn(made)[0].rows] == ["1", "7"]


# Layers

ROOT = "/var/lib/docker/overlay2"


def overlay(*lower: str, upper: str = "upper", pid: int = CONTAINER) -> Event:
    dirs = ":".join(f"{ROOT}/{each}/diff" for each in lower)
    options = f"rw,lowerdir={dirs},upperdir={ROOT}/{upper}/diff,workdir={ROOT}/{upper}/work"
    line = f"75 50 0:39 / / rw,relatime master:2 - overlay overlay {options}"
    return file(f"/proc/{pid}/mountinfo", line, field="/")


def entry(layer: str, path: str, value: str, field: str | None = None) -> Event:
    return file(f"{ROOT}/{layer}/diff{path}", value, field=field)


def diff(value: str) -> Event:
    return {"event": "api", "source": "docker diff", "value": value}


COPIED = [
    container(),
    overlay("init", "changes", "base"),
    entry("init", "/etc/motd", "absent"),
    entry("changes", "/etc/motd", "file"),
    entry("changes", "/etc/motd", "6b22f5e70e607ac71c33aa31c70626f0", "sha256"),
    entry("upper", "/etc/motd", "file"),
    diff("changed /etc, changed /etc/motd"),
]


def test_a_file_that_was_written_is_in_its_layer_and_copied_up() -> None:
    (picture,) = drawn(experiment(as_is=COPIED))

    shown = words(picture)
    assert [shown.count(each) for each in ("copied up", "file", "absent")] == [1, 1, 1]
    assert "sha256 6b22f5e70e60…" in shown
    assert "docker diff: changed /etc, changed /etc/motd" in shown
    assert shown.index("upper") < shown.index("init") < shown.index("changes") < shown.index("base")
    assert picture.description == (
        "The root of the container (200) is an overlay of one writable layer on 3 read-only ones. "
        "/etc/motd is in a read-only layer, and its copy in the writable one."
    )
    assert picture.rows == [
        ["container (200)", "upperdir", f"{ROOT}/upper/diff", "/etc/motd", "file"],
        ["container (200)", "lowerdir 1", f"{ROOT}/init/diff", "/etc/motd", "absent"],
        ["container (200)", "lowerdir 2", f"{ROOT}/changes/diff", "/etc/motd",
         "file, sha256 6b22f5e70e607ac71c33aa31c70626f0"],
        ["container (200)", "lowerdir 3", f"{ROOT}/base/diff", "", ""],
    ]  # fmt: skip


def test_a_file_that_no_lower_layer_has_is_not_called_a_copy() -> None:
    (picture,) = drawn(experiment(as_is=[event for event in COPIED if event.get("value") != "file"
                                         or "upper" in event["path"]]))  # fmt: skip

    assert "copied up" not in words(picture)
    assert "<polygon" not in picture.svg


@pytest.mark.parametrize("kind", ["absent", "whiteout", "directory"])
def test_what_is_no_file_in_the_upper_layer_is_no_copy_of_one(kind: str) -> None:
    looked = entry("upper", "/etc/motd", kind)
    (picture,) = drawn(experiment(as_is=[*COPIED[:-2], looked]))

    assert "copied up" not in words(picture)
    assert "its copy" not in picture.description


def test_a_whiteout_is_shown_as_one() -> None:
    made = experiment(
        as_is=[container(), overlay("base"), entry("upper", "/bin/vi", "whiteout")],
        without_the_image=[container(), overlay("base"), entry("upper", "/own", "absent")],
        without_nothing=[container(), overlay("b"), entry("upper", "/bin/vi", "whiteout")],
    )

    as_is, control = drawn(made)

    assert "✗ whiteout" in words(as_is)
    assert "A whiteout in the writable layer hides /bin/vi." in as_is.description
    assert control.trial == "without-the-image"
    assert "✗ whiteout" not in words(control)


def test_short_links_are_resolved() -> None:
    link = f"{ROOT}/l/XYZ"
    line = f"1 2 0:3 / / rw - overlay overlay rw,lowerdir={link},upperdir={ROOT}/u/diff"
    made = experiment(
        as_is=[
            container(), file(f"/proc/{CONTAINER}/mountinfo", line, field="/"),
            file(link, f"{ROOT}/{'0123456789abcdef' * 4}-init/diff", field="link"),
        ]
    )  # fmt: skip

    assert "0123456789ab…-init" in words(drawn(made)[0])


def test_a_layer_that_two_containers_read_is_one_box() -> None:
    neighbour = container("neighbour", NEIGHBOUR)
    made = experiment(
        as_is=[container(), neighbour, overlay("init-1", "base"),
               overlay("init-2", "base", upper="other", pid=NEIGHBOUR)],
        without_the_same_image=[container(), neighbour, overlay("init-1", "base"),
                                overlay("init-2", "musl", upper="other", pid=NEIGHBOUR)],
    )  # fmt: skip

    as_is, control = drawn(made)

    assert words(as_is).count("lowerdir: read only, shared") == 1
    assert "They share 1 of these layers: base." in as_is.description
    assert not any("shared" in text for text in words(control))


@pytest.mark.parametrize("count", range(1, 7))
@pytest.mark.parametrize("stacks", range(1, 4))
@pytest.mark.parametrize("entries", [0, 1, 6])
def test_any_number_of_layers_has_room(count: int, stacks: int, entries: int) -> None:
    lower = [f"layer-{number}" for number in range(count)]
    events = [container()]
    events += [
        overlay(*lower[number:], "base", upper=f"u{number}", pid=CONTAINER + number)
        for number in range(stacks)
    ]
    events += [
        entry(layer, f"/usr/share/a-directory/with-a-long-name-{number}", "symbolic link")
        for layer in ("base", "u0")
        for number in range(entries)
    ]

    (picture,) = drawn(experiment(as_is=events))

    assert len(words(picture)) >= 2 * stacks
    assert ("and 2 more in the table" in words(picture)) == (entries == 6)


@pytest.mark.parametrize(
    "line",
    ["", "mounted", "not mounted", "1 2 0:3 / / rw - ext4 /dev/vda rw",
     "1 2 0:3 / /var/merged rw - overlay overlay rw,lowerdir=/a:/b,upperdir=/u,workdir=/w",
     "1 2 0:3 / / ro - overlay overlay ro,lowerdir=/a:/b"],
)  # fmt: skip
def test_a_mount_without_layers_that_can_be_written_has_no_picture(line: str) -> None:
    made = experiment(as_is=[container(), file(f"/proc/{CONTAINER}/mountinfo", line, field="/")])

    assert drawn(made) == ()


# All of them


def hostile_trial() -> list[Event]:
    return [
        container(HOSTILE, ancestors=[{"pid": 190, "name": HOSTILE}, {"pid": 1, "name": HOSTILE}]),
        THE_HOST,
        process(EXEC, HOSTILE, HOSTILE, HOSTILE),
        *OF_CONTAINER, *OF_HOST, *namespaces(EXEC, *range(20, 28)),
        file(f"/proc/{CONTAINER}/ns/pid", HOSTILE),
        *memory(1, 8, 16, 32), cgroup("memory.max", HOSTILE, 1.5),
        cgroup("memory.events", HOSTILE, 1.6, field=HOSTILE),
        file(f"/proc/{CONTAINER}/status", HOSTILE, field="NSpid"),
        file(f"/proc/{CONTAINER}/task/*/children", HOSTILE),
        file(f"/proc/{EXEC}/status", "190", field="PPid"),
        overlay("init", re.sub(r"[:,\s]", "", HOSTILE)),
        entry("init", "/" + HOSTILE, HOSTILE), entry("upper", "/" + HOSTILE, HOSTILE),
        entry("upper", "/x", HOSTILE, HOSTILE), diff(HOSTILE),
    ]  # fmt: skip


def test_hostile_values_are_text() -> None:
    made = experiment(as_is=hostile_trial(), **{f"without_{HOSTILE}": hostile_trial()[:9]})
    made.declared["id"] = HOSTILE

    found = drawn(made, processes=[{"pid": 50, "parent": 1, "name": HOSTILE}])

    assert {"namespaces", "memory", "processes", "layers"} <= {each.name for each in found}
    for picture in found:
        assert "<script" not in picture.svg
        assert picture.svg.encode()
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e\ufffe]", picture.svg)


def test_a_long_text_takes_no_time() -> None:
    """The cut of a text looks at what could have room only."""
    long = "x" * 1_000_000
    (picture,) = drawn(experiment(as_is=[container(long), overlay("base"), diff(long)]))

    assert len(picture.svg) < 1_100_000


def test_an_experiment_of_which_nothing_was_run_has_no_pictures() -> None:
    assert drawn(experiment()) == ()


def test_a_text_is_cut_where_its_room_ends() -> None:
    assert cut("short", 100, 15) == "short"
    assert cut("much too long for that", 60, 15) == "much…"
    assert cut("\N{CJK UNIFIED IDEOGRAPH-4E2D}" * 9, 60, 15).endswith("…")
    assert cut("x", 0, 15) == "…"


def watched(**fields: Any) -> Event:
    """A timeline: docker run asks; containerd forks a shim, that runc, and that the container."""
    names = {50: ["docker", "run"], 51: ["/usr/bin/containerd-shim-runc-v2", "-id", "x"],
             52: ["runc", "--log", "x", "create"], 53: ["sleep", "9"]}  # fmt: skip
    parents = {50: 1, 51: 42, 52: 51, 53: 52}
    processes = [
        {
            "pid": pid, "parent": parents[pid], "began": 10.0 * pid - 490, "ended": None,
            "exit_code": None, "programs": [{"at": 10.0 * pid - 488, "argv": argv}],
            "names": [{"at": 10.0 * pid - 489, "name": "runc:[2:INIT]"}],
        }
        for pid, argv in names.items()
    ]  # fmt: skip
    processes[2] |= {"ended": 90.0, "exit_code": 0}
    told = [{"at": 1, "what": "container create"}, {"at": 1, "what": "network connect"},
            {"at": 99, "what": "container start"}]  # fmt: skip
    known = [{"pid": 42, "name": "containerd"}, {"pid": 1, "name": "pytest"}]
    return {"event": "timeline", "ms": 100, "known": known, "processes": processes,
            "told": told} | fields  # fmt: skip


def test_a_timeline_has_a_row_for_each_process_below_who_asked() -> None:
    (picture,) = drawn(experiment(as_is=[watched()]))

    assert [each for each in words(picture) if not each.isdecimal()] == [
        "milliseconds", "create", "start",
        "docker run", "containerd", "shim", "runc create", "sleep 9",
    ]  # fmt: skip
    assert picture.name == "timeline"
    assert picture.description == (
        "4 processes were forked in 100 ms, the first docker run. At the end docker run, shim and "
        "sleep 9 are left. A dot is where one became its program."
    )
    assert picture.rows[1] == ["1.0", "the engine says: network connect", "", "", "", ""]
    assert ["30.0", "runc --log x create", "52", "51", "90.0", "0"] in picture.rows


def test_the_control_of_a_timeline_has_the_same_scale() -> None:
    short = watched(ms=50, processes=watched()["processes"][:1], told=[])
    as_is, control = drawn(experiment(as_is=[watched()], without_it=[short]))

    axis = [each for each in words(as_is) if each.isdecimal()]
    assert axis == [each for each in words(control) if each.isdecimal()] == [
        "0", "20", "40", "60", "80", "100",
    ]  # fmt: skip
    assert "1 process was forked in 50 ms" in control.description


@pytest.mark.parametrize("fields", [{"processes": []}, {"ms": 0}])
def test_a_timeline_without_a_process_is_not_drawn(fields: Event) -> None:
    assert drawn(experiment(as_is=[watched(**fields)])) == ()


def test_a_crowded_and_hostile_timeline_stays_on_its_sheet() -> None:
    each = watched()["processes"][3]
    processes = [
        each | {"pid": pid, "programs": [{"at": 5, "argv": argv}], "names": []}
        for pid, argv in enumerate([[HOSTILE, HOSTILE], [], [""], *[["x"]] * 40], start=60)
    ]
    told = [{"at": at, "what": f"container {'die' if at % 2 else HOSTILE}"} for at in range(100)]
    (picture,) = drawn(experiment(as_is=[watched(processes=processes, told=told[:12])]))

    assert "(only a fork)" in words(picture)


def test_a_frame_in_a_packet_is_drawn_in_it_with_the_bytes_of_each_header() -> None:
    content = "".join(f"{number:02x}" for number in range(148))
    plain = capture(CARRIED[4:], where="eth0 of C1")
    wire = capture([], CARRIED, content=content)
    (picture,) = drawn(experiment(as_is=[plain, wire]))

    assert (picture.name, picture.title) == ("frame", "A packet at eth0 of host-1, as it is")
    texts = words(picture)
    assert [each for each in texts if each in {each["name"] for each in CARRIED}] == [
        "Ethernet", "IPv4", "UDP", "VXLAN", "Ethernet", "IPv4", "ICMP", "data",
    ]  # fmt: skip
    assert texts[texts.index("VXLAN") :][:4] == [
        "VXLAN",
        "bytes 42 to 49",
        "VNI 4097",
        "2a2b 2c2d 2e2f 3031",
    ]
    assert picture.description == (
        "148 bytes, from outside inwards: Ethernet from 46:d8:10:66:01:39 to 6e:e3:ec:95:09:58, "
        "IPv4 from 192.0.2.1 to 192.0.2.2, UDP from 44099 to 4789, VXLAN of network 4097, in it "
        "Ethernet from 02:42:0a:00:01:02 to 02:42:0a:00:01:04, IPv4 from 10.0.1.2 to 10.0.1.4, "
        "ICMP, data."
    )
    assert picture.rows[3] == ["42 to 49", "VXLAN", "VNI 4097", "2a2b 2c2d 2e2f 3031"]
    boxes = [edges(each) for each in parsed(picture.svg).iter(f"{SVG}rect")]
    assert [boxes[0][n] < boxes[1][n] for n in range(4)] == [True, True, False, False]


def test_a_trial_that_has_captured_nothing_has_no_frame() -> None:
    (picture,) = drawn(experiment(as_is=[capture(CARRIED)], without_it=[capture(), capture([])]))

    assert picture.trial == "as-is"


def test_where_no_frame_is_in_another_one_there_is_none_to_draw() -> None:
    plain = [capture(CARRIED[4:])]

    assert drawn(experiment(as_is=plain)) == ()
    assert len(drawn(experiment(as_is=[capture(CARRIED)], without_it=plain))) == 2


def test_a_hostile_frame_stays_on_its_sheet() -> None:
    layers = [
        layer("VXLAN", 2**60 * (-1) ** number, 2**60, **{HOSTILE: HOSTILE, "source": HOSTILE})
        for number in range(40)
    ]
    (picture,) = drawn(experiment(as_is=[capture(layers, where=HOSTILE, content=HOSTILE * 9)]))

    assert len(picture.rows) == 12
