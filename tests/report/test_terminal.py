"""The lines of a run in a terminal, in a file, and where pytest has its own."""

from __future__ import annotations

import re

import pytest

from fixtures.report.line import columns
from fixtures.report.live import ERASED
from tests import on_a_terminal
from tests.project import CONTROLLED, DOCSTRING, Project, experiment

DOING = """\
import os
import select
import signal
from fixtures.kernel.observation import doing
"""
WAITS = """\
print("printed by an experiment")
with doing("waiting for `it`"):
    select.select([], [], [], 0.01)
assert not taken"""
STANDING = """\
with doing("waiting for `it`"):
    select.select([], [], [], 60)
assert not taken"""


def chapter(project: Project, title: str, *experiments: str, name: str = "01_made_up") -> None:
    """A chapter with a title."""
    text = "\n\n".join([f'"""{title}"""', "import pytest\nfrom fixtures.lab import *", DOING])
    project.write(f"labs/test_{name}.py", "\n\n".join([text, *experiments]))


def claiming(claim: str) -> str:
    return DOCSTRING.replace("Something holds.", claim)


@pytest.fixture
def labs(project: Project) -> Project:
    """Two chapters whose experiments come out in every way."""
    project.engine.information["MemoryLimit"] = False
    named = '@without("the file: it stays in memory", taken=True)\n'
    contrast = '@contrast("there is one kernel")'
    chapter(
        project,
        "Chapter 1: what is proven.",
        experiment("a", above=named + CONTROLLED, docstring=claiming("It has two controls.")),
        experiment("b", above=contrast, arguments="", body="assert 1 + 1 == 2"),
    )
    chapter(
        project,
        "Chapter 2: what is not.",
        experiment("c", body="assert taken is None"),
        experiment("d", body="assert taken is not None"),
        experiment("e", body='raise BenchError("no bench")\nassert taken'),
        experiment("f", above=f'@requires("cgroup:memory")\n{CONTROLLED}'),
        name="02_made_up_too",
    )
    return project


def lines(out: str) -> list[str]:
    """The lines of the experiments with their chapters, without what they took in seconds."""
    _, _, begun = out.partition("Chapter 1")
    told = f"Chapter 1{begun}".partition("\n\n===")[0]
    return at_once(told).splitlines()


def at_once(told: str) -> str:
    """As it would be were no time taken."""
    return re.sub(r"\d\.\d s", "0.0 s", told)


def test_in_a_file_each_experiment_has_a_line_when_it_is_done(labs: Project) -> None:
    outcome = labs.run()

    assert lines(outcome.out) == [
        "Chapter 1: what is proven.",
        "✓ proven    It has two controls. (2 controls, 0.0 s)",
        "✓ proven    Something holds. (contrast, 0.0 s)",
        "",
        "Chapter 2: what is not.",
        "✗ refuted   Something holds. (0/1 controls, 0.0 s)",
        "∅ vacuous   Something holds. (0/1 controls, 0.0 s)",
        "! broken    Something holds. (0/1 controls, 0.0 s)",
        "\N{EN DASH} not observable here  Something holds. (0/1 controls, 0.0 s)",
    ]
    assert "\r" not in outcome.out
    assert "\x1b" not in outcome.out


def test_what_was_not_run_to_its_end_is_told_when_the_next_begins(labs: Project) -> None:
    assert lines(labs.run("-k", "as-is").out)[:3] == [
        "Chapter 1: what is proven.",
        "? unproven  It has two controls. (0/2 controls, 0.0 s)",
        "✓ proven    Something holds. (contrast, 0.0 s)",
    ]


def test_after_the_first_failure_the_rest_has_no_lines(labs: Project) -> None:
    assert lines(labs.run("-x").out)[3:] == [
        "",
        "Chapter 2: what is not.",
        "✗ refuted   Something holds. (0/1 controls, 0.0 s)",
    ]


@pytest.mark.parametrize("runxfail", [(), ("--runxfail",)], ids=["", "with --runxfail"])
def test_the_lines_are_the_same_with_runxfail(labs: Project, runxfail: tuple[str, ...]) -> None:
    assert lines(labs.run(*runxfail).out)[1].startswith("✓ proven    It has two controls.")


def test_a_chapter_without_a_title_has_its_name(project: Project) -> None:
    project.chapter(experiment())

    assert "\n01_made_up\n✓ proven    Something holds. (1 control, " in project.run().out


def test_a_terminal_does_not_obey_a_claim(project: Project) -> None:
    project.chapter(experiment(docstring=claiming("It \\x1b[2J holds.")))

    assert "✓ proven    It \N{REPLACEMENT CHARACTER}[2J holds. (" in project.run().out


def test_verbose_lists_trials_as_pytest_does(labs: Project) -> None:
    outcome = labs.run("-v")

    assert "labs/test_01_made_up.py::test_a[as-is] PASSED " in outcome.out
    assert "labs/test_01_made_up.py::test_a[without-it] XFAIL (control) " in outcome.out
    assert "Chapter 1" not in outcome.out


@pytest.mark.parametrize("option", ["-q", "--setup-show"])
def test_other_ways_to_report_are_pytest_s(labs: Project, option: str) -> None:
    assert "Chapter 1" not in labs.run(option).out


def test_quiet_has_pytest_s_letters(labs: Project) -> None:
    assert "\n.xx.Fx.FEEss " in labs.run("-q").out


def test_other_tests_are_reported_as_ever(labs: Project) -> None:
    labs.write(
        "tests/test_other.py", "def test_other():\n    pass\n\n\ndef test_one_more():\n    pass\n"
    )

    out = labs.run("tests", "labs/test_01_made_up.py", "tests/test_other.py").out

    assert "\ntests/test_other.py .." in out
    assert lines(out)[:3] == [
        "Chapter 1: what is proven.",
        "✓ proven    It has two controls. (2 controls, 0.0 s)",
        "✓ proven    Something holds. (contrast, 0.0 s)",
    ]
    assert " 4 passed, 2 xfailed in " in out


def test_failed_trials_have_their_words_in_the_end(labs: Project) -> None:
    outcome = labs.run("-rA")

    for line in (
        "PASSED labs/test_01_made_up.py::test_a[as-is]",
        "XFAIL labs/test_01_made_up.py::test_a[without-it] - control",
        "FAILED labs/test_02_made_up_too.py::test_c[as-is] - the claim does not hold here: ",
        "ERROR labs/test_02_made_up_too.py::test_e[as-is] - the bench broke, ",
    ):
        assert f"\n{line}" in outcome.out


@pytest.fixture
def slow(project: Project) -> Project:
    """A chapter whose experiments take a moment, in words that take room."""
    chapter(
        project,
        "Chapter 1: 命名空間 and what else there is to see for one who looks at it from the host.",
        experiment("a", body=WAITS, docstring=claiming("It holds, whoever looks and from where.")),
        experiment(
            "b",
            body=WAITS,
            docstring=claiming("容器中的進程是主機上的普通進程 從主機上看得見 在容器裡看不見."),
        ),
    )
    return project


def test_on_a_terminal_the_experiment_that_runs_has_a_line_drawn_in_place(slow: Project) -> None:
    shown = on_a_terminal.run(slow, width=60)

    _, _, told = shown.partition("Chapter 1")
    drawn = at_once(f"Chapter 1{told}".partition("\n\n===")[0]).split(ERASED)
    assert max(columns(line.strip("\n")) for line in drawn) == 60
    assert drawn == [
        "Chapter 1: 命名空間 and what else there is to see for one w…\n",
        "[1/2] It holds, whoever looks and from where. · as it is",
        "[1/2] It holds, whoever look… · as it is · waiting for `it`",
        "[1/2] It holds, whoever looks and from where. · without it",
        "[1/2] It holds, whoever lo… · without it · waiting for `it`",
        "✓ proven    It holds, whoever looks and…   1 control   0.0 s\n",
        "[2/2] 容器中的進程是主機上的普通進程 從主機上看… · as it is",
        "[2/2] 容器中的進程是主機上的… · as it is · waiting for `it`",
        "[2/2] 容器中的進程是主機上的普通進程 從主機上… · without it",
        "[2/2] 容器中的進程是主機上… · without it · waiting for `it`",
        "✓ proven    容器中的進程是主機上的普通…    1 control   0.0 s",
    ]
    assert "printed by an experiment" not in told


@pytest.mark.parametrize("argument", ["-s", "--pdb"])
def test_no_line_is_drawn_where_others_write_to_the_terminal(slow: Project, argument: str) -> None:
    shown = on_a_terminal.run(slow, argument, width=60)

    assert ERASED not in shown
    assert "✓ proven    It holds, whoever looks and…   1 control   0." in shown


def test_ctrl_c_leaves_no_half_line(project: Project) -> None:
    chapter(project, "Chapter 1.", experiment("a", body=STANDING), experiment("b"))

    shown = on_a_terminal.run(project, width=80, interrupt_at="waiting for `it`")

    _, _, rest = shown.partition("[1/2] Something holds. · as it is · waiting for `it`")
    removing, _, rest = rest.partition("\n")
    assert (
        removing.strip() == f"{ERASED}removing what the run made: this takes some seconds".strip()
    )
    assert rest.startswith(f"{ERASED}? unproven  Something holds.    ")
    assert "[1/2]" not in rest
    assert "  a: not run to the end: as-is, without-it\n  not tried: 1\n" in rest
    assert "ended by SIGINT" in rest
    assert "traceback" not in rest.lower()
