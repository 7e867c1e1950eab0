"""What differs between two runs, and what only has another name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fixtures.events import Run, Trial
from fixtures.report.comparison import NO_DIFFERENCE, Comparison, Difference, page
from fixtures.report.comparison_lines import ComparisonLines
from fixtures.report.likeness import EXPLANATION, likeness

from ..events.streams import BENCH, MadeUpRun, observed, proven
from .runs import command, container, file


class Runs:
    """A and B, each made in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folders = {name: folder / name for name in ("a", "b")}
        for each in self._folders.values():
            each.mkdir()

    def stream(self, name: str, **begin: Any) -> MadeUpRun:
        stream = MadeUpRun(self._folders[name])
        stream.begin(**begin)
        return stream

    def make(self, name: str, outcome: str = "held", reason: str = "", values: str = "1") -> None:
        """A run whose control fell; `outcome` is that of the trial as it is."""
        stream = self.stream(name)
        stream.trial("as-is", outcome, reason, values=values)
        stream.trial("without-it", "fell")
        stream.finish()

    @property
    def comparison(self) -> Comparison:
        return Comparison(*(Run.read(folder) for folder in self._folders.values()))


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


def told(comparison: Comparison, width: int = 80) -> list[str]:
    return list(ComparisonLines(comparison, width, colour=False))


def test_two_runs_alike_do_not_differ(runs: Runs) -> None:
    runs.make("a")
    runs.make("b")

    assert not runs.comparison.differs
    assert told(runs.comparison)[-1] == NO_DIFFERENCE
    assert NO_DIFFERENCE in page(runs.comparison, {})


def test_a_verdict_that_changed_has_its_reason_and_its_trial(runs: Runs) -> None:
    runs.make("a")
    runs.make("b", "not observable", "there is no swap")

    (pair,) = runs.comparison.verdicts
    trial, control = pair.trials
    assert (pair.a.experiment.verdict, pair.b.experiment.verdict) == (
        "proven",
        "not observable here",
    )
    assert trial.a is not None
    assert trial.b is not None
    assert (trial.called, trial.a.outcome, trial.b.outcome) == (
        "as it is", "held", "not observable here",
    )  # fmt: skip
    assert trial.reasons == [("B", "there is no swap")]
    assert trial.facts == control.facts == []
    assert "      fell, as it must → fell, and proves nothing" in told(runs.comparison)
    assert runs.comparison.counts == [("proven", 1, 0), ("not observable here", 0, 1)]


def test_a_fact_may_change_under_the_same_verdict(runs: Runs) -> None:
    runs.make("a", values="2 == 2")
    runs.make("b", values="3 == 3")

    (pair,) = runs.comparison.facts
    ((fact,),) = (trial.facts for trial in pair.trials)
    assert fact.a is not None
    assert fact.b is not None
    assert (fact.source, fact.a.seen, fact.b.seen) == ("it", "2 == 2", "3 == 3")
    assert not runs.comparison.verdicts


def test_another_reason_is_a_difference_under_the_same_verdict(runs: Runs) -> None:
    runs.make("a", "broken", "the engine did not answer")
    runs.make("b", "broken", "the disk is full")

    comparison = runs.comparison
    (pair,) = comparison.facts
    (trial,) = pair.trials
    assert trial.reasons == [("A", "the engine did not answer"), ("B", "the disk is full")]
    assert comparison.differs
    assert "      B: the disk is full" in told(comparison)
    assert "the disk is full" in page(comparison, {})


def test_a_reason_with_new_names_is_the_same_reason(runs: Runs) -> None:
    runs.make("a", "broken", "process 18206 is gone")
    runs.make("b", "broken", "process 18323 is gone")

    assert not runs.comparison.differs


def test_facts_of_a_trial_that_did_not_end_are_not_missed(runs: Runs) -> None:
    runs.make("a")
    stream = runs.stream("b")
    stream.start("as-is")
    stream.end("as-is", "broken", "the disk is full")
    stream.trial("without-it", "fell")
    stream.finish()

    (pair,) = runs.comparison.verdicts
    assert [trial.facts for trial in pair.trials] == [[], []]


def two_facts(stream: MadeUpRun, *held: bool) -> None:
    stream.start("as-is")
    for source, each in zip(("one", "other"), held, strict=False):
        stream.write("fact", source=source, text=str(each), line=1, held=each)
    stream.end("as-is", "held" if all(held) else "fell")
    stream.trial("without-it", "fell")
    stream.finish()


def test_a_fact_after_one_that_fell_was_not_reached(runs: Runs) -> None:
    two_facts(runs.stream("a"), True, True)
    two_facts(runs.stream("b"), False)

    (pair,) = runs.comparison.verdicts
    one, other = pair.trials[0].facts
    assert (one.source, one.absence) == ("one", "")
    assert (other.source, other.b) == ("other", None)
    assert other.absence == "not reached: a fact before it fell"


def test_a_fact_of_other_code_is_said_to_be_that(runs: Runs) -> None:
    two_facts(runs.stream("a"), True, True)
    stream = MadeUpRun(runs._folders["b"])
    stream.write("run", schema=1, id="b", started="2026-11-22T17:20:44Z", command=[],
                 commit="c0ffee", whole=True)  # fmt: skip
    stream.write("bench", **BENCH)
    stream.experiment(code="def test_something_holds(): assert one", controls=[])
    two_facts(stream, True)

    comparison = runs.comparison
    (pair,) = comparison.facts
    as_it_is, control = pair.trials
    assert [fact.absence for fact in as_it_is.facts] == [
        "not asserted: the experiment's code is not the same"
    ]
    assert (control.called, control.outcome_changed) == ("control: without it", True)
    assert comparison.rewritten == [pair]
    assert "      fell, as it must → no such control" in told(comparison)


def test_experiments_of_one_run_only_are_listed(runs: Runs) -> None:
    runs.make("a")
    stream = runs.stream("b")
    stream.experiment(id="something-else-holds", claim="Something else holds.")
    stream.trial("as-is", "held", values="1")
    stream.trial("without-it", "fell")
    stream.finish()

    comparison = runs.comparison
    assert (comparison.only_a, [each.id for each in comparison.only_b]) == (
        [],
        ["something-else-holds"],
    )
    assert "Something else holds." in page(comparison, {})
    assert "Only in B: 1 experiment" in told(comparison)
    assert "Something else holds." not in "\n".join(told(comparison))


def test_the_bench_is_compared_in_words(runs: Runs) -> None:
    engine = BENCH["engine"] | {
        "version": "28.3",
        "components": {"runc": "1.2"},
        "runtimes": ["runc", "crun"],
        "configuration": {"icc": "false", "log-opts.tag": None},
        "url": "unix:///var/lib/isolation-labs/8bf23908.4026531836.13183.882183.1/docker.sock",
        "processes": [],
    }
    other = BENCH | {
        "kernel": "6.8",
        "boot_id": "another",
        "memory": 2**30,
        "security_modules": "apparmor",
        "cgroup_controllers": {"memory": "v1"},
        "engine": engine,
        "not_observable": {},
    }
    for name, bench in (("a", BENCH), ("b", other)):
        stream = runs.stream(name, bench=bench)
        stream.trial("as-is", "held")
        stream.trial("without-it", "fell")
        stream.finish()

    assert runs.comparison.bench == [
        Difference("kernel", "6.1", "6.8"),
        Difference("memory", "24,104 MiB", "1,024 MiB"),
        Difference("cgroup controllers, where they differ", "memory v2", "memory v1"),
        Difference("security modules", "", "apparmor"),
        Difference("engine version", "29.0", "28.3"),
        Difference(
            "engine url",
            "unix:///run/docker.sock",
            "unix:///var/lib/isolation-labs/…/docker.sock",
        ),
        Difference("engine components, where they differ", "runc 1.3", "runc 1.2"),
        Difference("engine runtimes, where they differ", "", "crun"),
        Difference("engine configured with, where they differ", "", "icc = false, log-opts.tag"),
        Difference("not observable: swap", "there is none", ""),
    ]


HEX = "6b22f5e70e607ac71c33aa31c70626f06fc9c83f542c682483113773fee80dcd"
OTHER_HEX = HEX[::-1]
ALIKE = [
    ("(4321, 1) == (4321, 1)", "(8765, 1) == (8765, 1)"),
    ("'sleep 2.4321' in 16 command lines", "'sleep 2.8765' in 80 command lines"),
    ("process 4321 in [process 4300]", "process 8765 in [process 17]"),
    ("mount table /proc/4321/mountinfo", "mount table /proc/8765/mountinfo"),
    ("{pid:[4026532181], net:[4026531840]}", "{net:[4026539999], pid:[4026538888]}"),
    ("{net:[1], net:[2]} == net:[1]", "{net:[8], net:[9]} == net:[9]"),
    ("{net:[1], net:[2]} & {net:[2]}", "{net:[8], net:[9]} & {net:[8]}"),
    (f"cgroup /isolation-labs.8bf23908.4026531836.13183.882183.1/{HEX}",
     f"cgroup /isolation-labs.aaaaaaaa.4026531836.1.2.1/{OTHER_HEX}"),
    ("'/tmp/isolation-labs.8bf23908.4026531836.13183.882183.7np0vjby/note'",
     "'/tmp/isolation-labs.8bf23908.4026531836.99.100.abcdefgh/note'"),
    ("'/tmp/isolation-labs.8bf23908.4026531836.13183.882183.7np0vjby/note'",
     "'/var/lib/isolation-labs/isolation-labs.8bf23908.4026531836.99.100.abcdefgh/note'"),
    (f"'{HEX[:12]}' != 'vm'", f"'{OTHER_HEX[:12]}' != 'vm'"),
    ("'8bf23908-2b98-4a15-ab68-acc24702fc10'", "'11111111-2222-3333-4444-555555555555'"),
    ("{'docker0', 'veth0934efd'}", "{'veth1111111', 'docker0'}"),
    ("{'net', 'uts', 'pid'} <= {'pid', 'uts'}", "{'uts', 'pid', 'net'} <= {'uts', 'pid'}"),
    ("'32824' not in []", "'26' not in []"),
    ("02:42:ac:11:00:02", "9e:f4:00:00:aa:bb"),
    ("<generator object at 0x7fae055435b0>", "<generator object at 0x7fae05543790>"),
]  # fmt: skip
UNLIKE = [
    ("process 18206 == process 18206", "process 18323 == process 18303"),
    ("process 1", "process 77"),
    ("'32824' in ['32824']", "'32824' in ['32825']"),
    ("(137, 1) == (137, 1)", "(0, 0) == (137, 1)"),
    ("67108864 == 67108864", "33554432 == 33554432"),
    ("137438953472", "274877906944"),
    ("'67108864' == '67108864'", "'max' == '67108864'"),
    ("{'net', 'pid'}", "{'net'}"),
    ("{net:[1], net:[2]} == net:[1]", "{net:[1], net:[2]} == net:[3]"),
    ("pid:[4026532181]", "net:[4026532181]"),
    ("1", "2"),
    ("(4321, 1)", "(4321, 2)"),
    ("16 command lines", "17 command lines"),
    ("'6.18.44'", "'6.8.0'"),
    ("'00000000a80425fb'", "'000001ffffffffff'"),
    (f"'{HEX}'", f"'{OTHER_HEX}'"),
    (f"'{HEX[:12]}'", f"'{OTHER_HEX[:12]}'"),
]
PORTS = [
    ("('running', '8080')", "('running', '9090')"),
    ("'1000' in ['1000']", "'0' in ['0']"),
]


def trial(host_pid: int, identity: str = "e" * 64, lines: int = 16) -> Trial:
    """One whose container has these, and in which the host had so many processes."""
    started = container(pid=host_pid) | {
        "id": identity,
        "ancestors": [{"pid": 4300, "name": "containerd-shim"}, {"pid": 1, "name": "init"}],
    }
    return Trial("as-is", events=[started, file("/proc/*/cmdline", f"{lines} command lines")])


def with_segments(of: Trial) -> Trial:
    """One that also looked for segments of shared memory."""
    return Trial("as-is", events=[*of.events, command("cat", "/proc/sysvipc/shm")])


@pytest.mark.parametrize(("a", "b"), ALIKE)
def test_names_that_are_new_in_every_run_do_not_differ(a: str, b: str) -> None:
    one, other = with_segments(trial(4321, HEX)), with_segments(trial(8765, OTHER_HEX, 80))

    assert likeness(a, one) == likeness(b, other)


@pytest.mark.parametrize(("a", "b"), UNLIKE)
def test_values_and_who_is_who_do_differ(a: str, b: str) -> None:
    one = with_segments(trial(4321))

    assert likeness(a, one) != likeness(b, one)


@pytest.mark.parametrize(("a", "b"), PORTS)
def test_a_number_in_quotes_is_a_value_where_no_segment_was_looked_for(a: str, b: str) -> None:
    assert likeness(a, trial(1)) == a
    assert likeness(b, trial(1)) == b


@pytest.mark.parametrize("width", [20, 40, 80, 140])
def test_no_line_is_wider_than_the_terminal(tmp_path: Path, width: int) -> None:
    a, b = Run.read(proven(tmp_path)), Run.read(observed(tmp_path))
    b.bench["kernel"] = "6.1-" + "long" * 100

    assert max(map(len, told(Comparison(a, b), width))) <= width


def test_the_terminal_obeys_nothing_that_a_run_says(runs: Runs) -> None:
    runs.make("a")
    runs.make("b", "broken", "\x1b[2J\x07gone\u202e")

    told_in_colour = "\n".join(ComparisonLines(runs.comparison, 80, colour=True))
    plain = "\n".join(told(runs.comparison))
    assert "\x1b[31m! broken\x1b[0m" in told_in_colour
    assert "\x1b[2J" not in told_in_colour
    assert not any(ord(each) < 32 and each != "\n" for each in plain)
    assert "gone" in plain


def test_what_is_not_compared_is_said(runs: Runs) -> None:
    runs.make("a")
    runs.make("b", values="2")

    assert EXPLANATION in " ".join(told(runs.comparison))
    assert EXPLANATION in page(runs.comparison, {})


def test_the_page_escapes_what_a_run_says(runs: Runs) -> None:
    hostile = '</style><script>alert(1)</script><img src=x onerror="alert(1)">'
    runs.make("a", "broken", hostile, values=hostile)
    runs.make("b", values=f"{hostile} \udcff")

    text = page(runs.comparison, {"A": "evidence.html"})

    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;script&gt;alert(1)" in text
    assert text.encode()


def test_the_page_links_to_the_cards_where_there_are_books(runs: Runs) -> None:
    runs.make("a")
    runs.make("b", values="2")

    assert 'href="../a/evidence.html#something-holds"' in page(
        runs.comparison, {"A": "../a/evidence.html"}
    )
    assert "href=" not in page(runs.comparison, {})
