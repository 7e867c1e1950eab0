"""A card shows an experiment as its events have it, and says what they do not have."""

from __future__ import annotations

import pytest

from fixtures.events import Trial
from fixtures.report.card import Card, Fact, Reading, Word
from fixtures.report.templating import short

from ..events.streams import BENCH
from .runs import (
    CARRIED,
    FOLDER,
    HOST_PID,
    LINE,
    PID,
    api,
    build,
    capture,
    command,
    container,
    control,
    experiment,
    fact,
    file,
    host,
    identity,
    process,
    run,
    sent,
    trial,
)


def card(*trials: Trial, **declared: object) -> Card:
    made = experiment(*trials, **declared)
    return Card(run(made), made)


def readings(*events: dict[str, object]) -> list[Reading]:
    return card(trial("as-is", "held", *events)).as_it_is.readings


def test_the_fact_that_falls_is_named_with_the_controls_that_it_falls_without() -> None:
    both = [
        control("one", "without-1"),
        control("another", "without-2"),
        control("no", "without-3"),
    ]
    shown = card(
        trial("as-is", "held", fact("1 == 1"), fact("2 == 2", source="that", line=6)),
        trial("without-1", "fell", fact("0 == 1", held=False)),
        trial(
            "without-2", "fell", fact("1 == 1"), fact("0 == 2", held=False, source="that", line=6)
        ),
        trial("without-3", "held", fact("1 == 1"), fact("2 == 2", source="that", line=6)),
        controls=both,
    )

    it, that = shown.as_it_is.facts
    assert shown.falls_without(it) == ["one"]
    assert shown.falls_without(that) == ["another"]
    assert [side.outcome for side in shown.sides] == [
        "held",
        "fell, as it must",
        "fell, as it must",
        "held: the control is vacuous",
    ]


def test_the_same_assert_on_another_line_is_another_fact() -> None:
    shown = card(
        trial("as-is", "held", fact("1"), fact("1", line=9)),
        trial("without-it", "fell", fact("1"), fact("0", held=False, line=9)),
    )

    first, second = shown.as_it_is.facts
    assert shown.falls_without(first) == []
    assert shown.falls_without(second) == ["without it"]


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("fell", "fell: the claim does not hold here"),
        ("not observable", "not observable here"),
        ("broken", "the bench broke"),
        ("interrupted", "not run to its end"),
    ],
)
def test_what_became_of_a_claim_is_said_in_words(outcome: str, words: str) -> None:
    assert card(trial("as-is", outcome)).as_it_is.outcome == words


def test_the_values_of_a_fact_are_its_first_line_and_cut_only_where_they_are_shown() -> None:
    shown = card(trial("as-is", "held", fact("x" * 400 + "\n +  where x")))

    (it,) = shown.as_it_is.facts
    assert it.seen == "x" * 400
    assert it.shown == "x" * 300 + "…"


def test_a_control_s_line_is_compared_word_by_word_with_the_line_as_it_is() -> None:
    without = "docker run --detach --pid=host busybox sleep infinity"
    shown = card(
        trial("as-is", "held", container()),
        trial("without-it", "fell", container(without)),
    )

    ((_, as_it_is),) = shown.as_it_is.lines
    ((role, words),) = shown.controls[0].lines
    assert {word.change for word in as_it_is} == {""}
    assert role == "container"
    assert [word for word in words if word.change] == [
        Word("--memory=32m", "removed"),
        Word("--pid=host", "added"),
    ]
    assert [word.text for word in words if word.change != "removed"] == without.split()


def test_a_container_that_only_the_control_has_is_not_compared() -> None:
    shown = card(
        trial("as-is", "held", container()),
        trial("without-it", "fell", container(), container(role="neighbour", pid=300)),
    )

    assert {word.change for _, words in shown.controls[0].lines for word in words} == {""}


def test_lines_have_roles_for_ids_a_name_for_the_folder_and_quotes_where_they_belong() -> None:
    line = f"docker run --network=container:{identity('neighbour')} --volume={FOLDER}:/x busybox sh -c 'a b'"
    shown = card(
        trial("as-is", "held", container(role="neighbour", pid=300), container(line)),
    )

    assert " ".join(word.text for word in dict(shown.as_it_is.lines)["container"]) == (
        "docker run --network=container:neighbour --volume=$folder:/x busybox sh -c 'a b'"
    )


def test_a_line_that_no_shell_would_read_is_still_shown() -> None:
    shown = card(trial("as-is", "held", container("docker run 'busybox")))

    assert [word.text for word in shown.as_it_is.lines[0][1]] == ["docker", "run", "'busybox"]


def test_what_was_given_is_shown_with_what_the_control_changes() -> None:
    shown = card(
        trial("as-is", "held"),
        given={"path": "/image", "write": True},
        controls=[control("the image", path="/bind", mem_limit=None)],
    )

    assert shown.as_it_is.given == {"path": "/image", "write": True}
    assert shown.as_it_is.differs == set()
    assert shown.controls[0].given == {"path": "/bind", "write": True}
    assert shown.controls[0].differs == {"path"}


def test_readings_say_what_was_done_where_and_what_came_of_it() -> None:
    assert readings(
        container(),
        host(),
        process(f"isolation-labs-42-{PID}", "sleep", "9", pid=201),
        command("cat", "/a b", stdout="x", stderr="y", exit_code=1),
        api("docker info Driver", "overlay2"),
        file(f"/proc/{PID}/status", "200\t1", "NSpid"),
        file("/proc/201/cgroup", "0::/"),
        file(f"/proc/{HOST_PID}/ns/pid", "pid:[1]"),
        file("/proc/999/ns/pid", "pid:[2]"),
    ) == [
        Reading("started", "host", "sleep infinity", "", "process 100"),
        Reading("started", "container", "sleep 9", "", "process 201"),
        Reading("ran", "container", "cat '/a b'", "", "xy", ("exit code 1", "0.12 s")),
        Reading("asked", "the engine", "docker info Driver", "", "overlay2"),
        Reading(
            "read", "the host", "/proc/200/status", "NSpid", "200\t1",
            ("container's first process",),
        ),
        Reading("read", "the host", "/proc/201/cgroup", "", "0::/", ("container's `sleep 9`",)),
        Reading(
            "read", "the host", "/proc/100/ns/pid", "", "pid:[1]", ("host's `sleep infinity`",)
        ),
        Reading("read", "the host", "/proc/999/ns/pid", "", "pid:[2]"),
    ]  # fmt: skip


def test_a_capture_is_a_reading_with_a_line_for_each_packet() -> None:
    event = capture(CARRIED, CARRIED[4:]) | {"found": 5}

    assert card(trial("as-is", "held", event)).as_it_is.readings == [
        Reading(
            "listened",
            "eth0 of host-1",
            "from 10.0.1.2 to 10.0.1.4",
            "",
            "Ethernet 46:d8:10:66:01:39 → 6e:e3:ec:95:09:58 | IPv4 192.0.2.1 → 192.0.2.2 | "
            "UDP 44099 → 4789 | VXLAN VNI 4097 | "
            "Ethernet 02:42:0a:00:01:02 → 02:42:0a:00:01:04 | IPv4 10.0.1.2 → 10.0.1.4 | "
            "ICMP message echo request\n"
            "Ethernet 02:42:0a:00:01:02 → 02:42:0a:00:01:04 | IPv4 10.0.1.2 → 10.0.1.4 | "
            "ICMP message echo request\n"
            "and 3 more",
            ("5 of 6 packets that went by",),
        )
    ]


def test_a_signal_is_a_reading_with_the_process_that_got_it() -> None:
    assert readings(
        container(),
        process(f"isolation-labs-42-{PID}", "sleep", "9", pid=201, found=True),
        sent("SIGKILL", 201),
        sent("SIGHUP", 999),
    ) == [
        Reading("found", "container", "sleep 9", "", "process 201"),
        Reading("sent", "a signal", "SIGKILL", "", "to process 201", ("container's `sleep 9`",)),
        Reading("sent", "a signal", "SIGHUP", "", "to process 999"),
    ]


def test_an_output_that_was_longer_says_so() -> None:
    (reading,) = readings(command("yes") | {"truncated": True})

    assert "its output was longer" in reading.notes


def test_a_value_that_was_polled_is_one_reading_with_its_course() -> None:
    current, limit = "/sys/fs/cgroup/x/memory.usage_in_bytes", "/sys/fs/cgroup/x/memory.max"

    polled, once = readings(
        *(
            each
            for value in ("1", "2", "3")
            for each in (
                file(current, value, name="memory.current"),
                file(limit, "9", name="memory.max"),
            )
        )
    )[:2]

    assert polled.value == "1 … 3"
    assert polled.notes == ("cgroup v2: memory.current", "3 values while it changed")
    assert once.notes == ("3 values while it changed",)


def test_a_run_that_lacks_the_newer_fields_is_shown_all_the_same() -> None:
    (reading,) = readings(file("/sys/fs/cgroup/x/memory.usage_in_bytes", "1"))

    assert reading.notes == ()
    assert card(trial("as-is", "interrupted", container())).as_it_is.doing == ""


def test_a_control_that_was_not_begun_is_shown_as_that() -> None:
    (side,) = card(trial("as-is", "held")).controls

    assert (side.name, side.started, side.outcome) == ("without it", False, "not run to its end")
    assert (side.facts, side.lines, side.steps) == ([], [], [])


def test_an_interrupted_trial_says_what_it_was_doing_last() -> None:
    shown = card(
        trial(
            "as-is", "interrupted",
            {"event": "doing", "what": "starting the container"},
            {"event": "doing", "what": "running `dd`"},
        )
    )  # fmt: skip

    assert shown.as_it_is.started
    assert shown.as_it_is.doing == "running `dd`"


def test_a_question_that_the_run_does_not_have_keeps_its_name() -> None:
    made = experiment(answers=["deep-1", "deep-2"])
    known = {"id": "deep-1", "quote": "Why?", "text": "A text"}

    shown = Card(run(made, questions={"deep-1": known}), made)

    assert [(each["id"], each["quote"]) for each in shown.questions] == [
        ("deep-1", "Why?"),
        ("deep-2", ""),
    ]


def test_the_lines_for_pytest_are_words_of_a_shell() -> None:
    shown = card(path="labs/a b.py", function="test_it")

    assert shown.command == "pytest 'labs/a b.py::test_it'"
    assert shown.control_command == "pytest --runxfail 'labs/a b.py::test_it'"


def test_the_engine_s_configuration_is_that_of_the_trial() -> None:
    shown = card(
        trial("as-is", "held", container()),
        trial("without-it", "fell", container()),
        private_engine={"userns_remap": True},
        controls=[control("the remapping", userns_remap=False)],
    )

    assert [side.steps[0] for side in shown.sides] == [
        "# the engine is configured with userns_remap=True",
        "# the engine is configured with userns_remap=False",
    ]


@pytest.mark.parametrize(
    ("as_is", "without", "expected"),
    [
        ("fell", "fell", ["iptables = false", "log-opts.max-size"]),
        ("held", "held", ["iptables = false", "log-opts.max-size"]),
        ("held", "fell", []),
    ],
)
def test_what_the_engine_is_configured_with_stands_beside_what_does_not_hold(
    as_is: str, without: str, expected: list[str]
) -> None:
    configured = {"configuration": {"iptables": "false", "log-opts.max-size": None}}
    made = experiment(trial("as-is", as_is), trial("without-it", without))
    bench = BENCH | {"engine": BENCH["engine"] | configured}

    assert Card(run(made, bench=bench), made).settings == expected


def test_long_ids_are_cut_as_docker_ps_cuts_them() -> None:
    assert (
        short(f"/sys/fs/cgroup/{'0123456789ab' + 'f' * 52}/x") == "/sys/fs/cgroup/0123456789ab…/x"
    )
    assert short(LINE) == LINE


def test_a_build_is_shown_with_what_was_built_and_by_whom() -> None:
    line = "DOCKER_BUILDKIT=1 docker build --tag=lab-image ."

    (built,) = readings(build(Dockerfile="FROM busybox\nCOPY hello /\n", hello=b"\x7fELF"))

    assert (built.kind, built.where, built.what) == ("built", "an image", line)
    assert built.value == "Dockerfile:\nFROM busybox\nCOPY hello /\nhello: 4 bytes"
    assert built.notes == ("BuildKit", "0.25 s")


def test_a_build_that_failed_is_shown_with_what_it_said() -> None:
    (refused,) = readings(build(builder="none", image=None, output="invalid diffID", config="{}"))

    assert refused.notes == ("no builder", "0.25 s", "exit code 1")
    assert refused.value == "config:\n{}\ninvalid diffID"


def test_what_is_told_in_the_middle_of_a_line_is_a_sentence_on_a_card() -> None:
    shown = card(trial("as-is", "held"), kernel="the kernel counts.", without="ps shows all.")

    assert (shown.kernel, shown.without) == ("The kernel counts.", "ps shows all.")


def test_of_what_fell_the_items_are_those_that_differ() -> None:
    source = "(a, b) == (1, 2)"

    assert Fact(source, "(1, 3) == (1, 2)", 1, held=False).items == [("b", "3", "2")]
    assert Fact(source, "(1, 2) == (1, 2)", 1, held=True).items == [
        ("a", "1", "1"),
        ("b", "2", "2"),
    ]
    assert Fact("a == 1 + 1", "2 == (1 + 1)", 1, held=True).items == []
