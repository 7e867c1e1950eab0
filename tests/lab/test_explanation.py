"""What a trainee reads when an experiment does not come out as it should."""

from __future__ import annotations

from itertools import takewhile

import pytest

from tests.project import CONTROLLED, DOCSTRING, Project, experiment

STARTED = (
    "docker run --detach --memory=256m --memory-swap=256m --network=none --pids-limit=128 base "
    "sleep infinity"
)


def between(out: str, heading: str) -> str:
    """The text below a heading of pytest's, up to the next one."""
    _, _, rest = out.partition(f" {heading} ")
    below = rest.splitlines()[1:]
    return "\n".join(takewhile(lambda line: not line.startswith(("___", "---", "===")), below))


def test_a_claim_that_fails_is_explained(project: Project) -> None:
    above = '@without(network_mode="bridge")'
    body = 'mode = container.options["network_mode"]\nassert mode == "host"'
    project.chapter(experiment(above=above, arguments="container", body=body))

    outcome = project.run()

    explanation = f"""\
the claim does not hold here: Something holds.
fact       assert mode == 'host'
observed   'none' == 'host'

             - host
             + none
kernel     the kernel sees to it.
started    container: {STARTED}
look next  made-up(7); labs/test_01_made_up.py:16"""
    assert between(outcome.out, "test_something_holds[as-is]") == explanation


def test_a_control_that_falls_is_explained_where_it_is_run_openly(project: Project) -> None:
    project.chapter(experiment())

    outcome = project.run("--runxfail")

    explanation = """\
without it this falls, as it must: Something holds.
fact       assert not taken
observed   not True
without    nobody sees to it.
kernel     the kernel sees to it.
look next  made-up(7); labs/test_01_made_up.py:17"""
    assert between(outcome.out, "test_something_holds[without-it]") == explanation


def test_a_control_that_does_not_fail_is_explained(project: Project) -> None:
    above = '@without(pid_mode="host")'
    project.chapter(experiment(above=above, arguments="container", body="assert container"))

    outcome = project.run()

    explanation = f"""\
the control did not fail, so the claim may hold for another reason: Something holds.
taken away pid_mode=host
expected   nobody sees to it.
started    container: {STARTED.replace(" --pids", " --pid=host --pids")}
look next  does the change reach the container, and does the assert read it?"""
    assert between(outcome.out, "test_something_holds[without-pid_mode-host]") == explanation


def test_every_container_of_a_trial_is_named_by_its_role(project: Project) -> None:
    above = '@without(pid_mode="host")'
    body = "assert neighbour is container"
    project.chapter(experiment(above=above, arguments="container, neighbour", body=body))

    outcome = project.run()

    text = between(outcome.out, "test_something_holds[as-is]")
    assert f"started    container: {STARTED}\n           neighbour: {STARTED}\nlook next" in text


def test_prose_is_wrapped_and_evidence_is_not(project: Project) -> None:
    words = " ".join(["word"] * 40)
    docstring = DOCSTRING.replace("the kernel sees to it.", words)
    body = f'words = "{words}"\nassert words == taken'
    project.chapter(experiment(docstring=docstring, body=body))

    outcome = project.run()

    lines = between(outcome.out, "test_something_holds[as-is]").splitlines()
    assert lines[2] == f"observed   '{words}' == False"
    assert lines[3:6] == [
        f"kernel     {' '.join(['word'] * 17)}",
        f"           {' '.join(['word'] * 17)}",
        f"           {' '.join(['word'] * 6)}",
    ]


BREAKS = {
    "call": (
        "taken",
        'raise BenchError("the bench shakes\\nTry: holding it")\nassert not taken',
        """\
when       while it ran
what       the bench shakes
           Try: holding it""",
    ),
    "setup": (
        "taken, prepared",
        "assert not taken",
        """\
when       while it was prepared
what       ValueError: no value
           {root}/labs/test_01_made_up.py:7""",
    ),
    "teardown": (
        "taken, put_away",
        "assert taken is not None",
        """\
when       afterwards
what       AssertionError: not put away
           assert False
           {root}/labs/test_01_made_up.py:12""",
    ),
}

BEFORE = """\
@pytest.fixture
def prepared():
    raise ValueError("no value")

@pytest.fixture
def put_away():
    yield
    assert False, "not put away"
"""


@pytest.mark.parametrize("phase", BREAKS)
def test_a_broken_bench_is_explained(project: Project, phase: str) -> None:
    arguments, body, explanation = BREAKS[phase]
    project.chapter(experiment(arguments=arguments, body=body), before=BEFORE)

    outcome = project.run("-k", "as-is")

    assert between(outcome.out, f"ERROR at {phase} of test_something_holds[as-is]") == (
        "the bench broke, the claim was not tested: Something holds.\n"
        + explanation.format(root=project.root)
    )


def test_the_end_of_a_run_is_told_in_words(project: Project) -> None:
    project.engine.information["MemoryLimit"] = False
    contrast = '@contrast("there is one kernel")'
    project.chapter(
        experiment("one_is_proven"),
        experiment("one_compares", above=contrast, arguments="", body="assert 1 + 1 == 2"),
        experiment("one_is_refuted", body="assert taken is None"),
        experiment("one_is_vacuous", body="assert taken is not None"),
        experiment("one_is_broken", body="assert not taken.gone"),
        experiment("one_can_not_be_observed", above=f'@requires("cgroup:memory")\n{CONTROLLED}'),
        experiment(
            "one_is_not_run_to_its_end", above='@without("ever", taken=True)\n@given(taken=0)'
        ),
    )

    outcome = project.run("--deselect", "labs/test_01_made_up.py::test_one_is_not_run_to_its_end"
                          "[without-ever]")  # fmt: skip

    explanation = f"""\
2 claims proven of 7, 2 controls failed as they must, 1 contrast compared
1 refuted: the claim does not hold here:
  one-is-refuted: `taken is None` fell: False is None
1 vacuous: a control did not fail:
  one-is-vacuous: without it every fact still held
1 unproven: the claim or a control was not run to its end:
  one-is-not-run-to-its-end: not run to the end: without-ever
1 not observable here:
  one-can-not-be-observed: needs cgroup:memory: docker info says MemoryLimit: false. To get it: \
boot the kernel with cgroup_enable=memory, and run an engine that may use cgroups.
1 broken: the bench failed, the claim was not tested:
  one-is-broken: AttributeError: 'bool' object has no attribute 'gone'
questions: 1 of 3 answered by experiments of this run, 1 by sourced prose alone, 1 not by this run
reports: {outcome.folder.relative_to(project.root)}/"""
    assert between(outcome.out, "what this run has shown") == explanation


def test_the_bench_stands_before_the_first_experiment(project: Project) -> None:
    project.engine.information["SwapLimit"] = False
    project.chapter(experiment())

    lines = project.run().out.splitlines()

    first = next(number for number, line in enumerate(lines) if line.startswith("bench: Linux "))
    assert lines[first + 1 : first + 6] == [
        "engine: Docker 29.0.0, API 1.52, runc, overlay2, cgroup driver cgroupfs",
        "chosen: a stand-in (unix:///made/up.sock)",
        "not observable here: private-engine (it is made up)",
        "not observable here: cgroup:swap (docker info says SwapLimit: false)",
        "",
    ]
