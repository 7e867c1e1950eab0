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
observed   'none'
claimed    'host'
           - host
           + none
kernel     The kernel sees to it.
started    container: {STARTED}
look next  made-up(7); labs/test_01_made_up.py:16"""
    assert between(outcome.out, "test_something_holds[as-is]") == explanation


def test_what_the_engine_is_configured_with_stands_beside_what_does_not_hold(
    project: Project,
) -> None:
    project.engine.configuration = {"iptables": "false", "log-opts.max-size": None}
    above = '@without("it", taken=1)\n@given(taken=0)'
    project.chapter(
        experiment("one_is_refuted", body="assert taken is None"),
        experiment("one_is_vacuous", body="assert taken is not None"),
        experiment("one_is_proven", above=above, body="assert taken == 0"),
    )

    outcome = project.run()

    engine = "\nengine     is configured with iptables = false, log-opts.max-size\n"
    assert "\nconfigured with: iptables = false, log-opts.max-size\n" in outcome.out
    assert engine in between(outcome.out, "test_one_is_refuted[as-is]")
    assert engine in between(outcome.out, "test_one_is_vacuous[without-it]")
    assert outcome.out.count(engine) == 2
    assert engine not in project.run("--runxfail", "-k", "one_is_proven").out


def test_a_control_that_falls_is_explained_where_it_is_run_openly(project: Project) -> None:
    project.chapter(experiment())

    outcome = project.run("--runxfail")

    explanation = """\
without it the claim falls, as it must: Something holds.
fact       assert not taken
observed   not True
without    Nobody sees to it.
kernel     The kernel sees to it.
look next  made-up(7); labs/test_01_made_up.py:17"""
    assert between(outcome.out, "test_something_holds[without-it]") == explanation


@pytest.mark.parametrize(
    ("control", "phrase"),
    [
        ('"its name", taken=True', "without its name"),
        ('"its name: another comes", taken=True', "without its name (another comes)"),
        ("taken=True", "with taken=True"),
        ('taken="container:{neighbour}"', "with taken=container:neighbour"),
    ],
)
def test_what_a_control_changes_reads_well_in_a_sentence(
    project: Project, control: str, phrase: str
) -> None:
    project.chapter(experiment(above=f"@without({control})\n@given(taken=False)"))

    outcome = project.run("--runxfail")

    assert f"- {phrase} the claim falls, as it must: Something holds." in outcome.out


def test_a_control_of_a_claim_that_does_not_hold_is_not_said_to_fall_as_it_must(
    project: Project,
) -> None:
    project.chapter(experiment(body="assert taken is None"))

    outcome = project.run("--runxfail")

    assert (
        "- without it the claim falls, and does not hold as it is, so this proves nothing: "
        "Something holds."
    ) in outcome.out


@pytest.mark.parametrize("runxfail", [(), ("--runxfail",)], ids=["", "with --runxfail"])
def test_a_control_that_does_not_fail_is_explained(
    project: Project, runxfail: tuple[str, ...]
) -> None:
    above = '@without(pid_mode="host")'
    body = 'options = container.options\nassert options["image"] == "base"\nassert "user" not in options'
    project.chapter(experiment(above=above, arguments="container", body=body))

    outcome = project.run(*runxfail)

    explanation = f"""\
the control did not fail, so the claim may hold for another reason: Something holds.
control    with pid_mode=host
fact       assert options['image'] == 'base'
observed   'base'
claimed    'base'
fact       assert 'user' not in options
observed   'user' not in {{'image': 'base', 'command': ['sleep', 'infinity'], 'network_mode': 'none', \
'mem_limit': '256m', 'memswap_limit': '256m', 'pids_limit': 128, 'pid_mode': 'host'}}
expected   Nobody sees to it.
started    container: {STARTED.replace(" --pids", " --pid=host --pids")}
look next  does the change reach the container, and does the assert read it?"""
    assert between(outcome.out, "test_something_holds[without-pid_mode-host]") == explanation


@pytest.mark.parametrize(
    ("body", "label"), [("assert not taken", "without"), ("assert taken is not None", "expected")]
)
def test_of_several_controls_the_experiment_speaks_in_one_breath(
    project: Project, body: str, label: str
) -> None:
    above = '@without("it", taken=True)\n@without("that", taken=1)\n@given(taken=False)'
    project.chapter(experiment(above=above, body=body))

    outcome = project.run("--runxfail")

    said = f"\n{label:<11}Of its 2 controls the experiment says: nobody sees to it.\n"
    assert outcome.out.count(said) == 2


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("it counts, too.", "It counts, too."),
        ("tmpfs counts.", "tmpfs counts."),
        ("memory.max counts.", "memory.max counts."),
        ("kill(2) counts.", "kill(2) counts."),
    ],
)
def test_a_sentence_begins_with_a_capital_letter_and_a_name_keeps_its_own(
    project: Project, written: str, shown: str
) -> None:
    project.chapter(
        experiment(
            docstring=DOCSTRING.replace("the kernel sees to it.", written), body="assert taken"
        )
    )

    assert f"\nkernel     {shown}\n" in project.run().out


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            "(taken, 1) == (None, 1)",
            """\
observed   (False, 1)
claimed    (None, 1)
           At index 0 diff: False != None
""",
        ),
        (
            "{str(n) for n in 'lab'} == {'x', 'b'}",
            """\
observed   {'a', 'b', 'l'}
claimed    {'b', 'x'}
           Extra items in the left set:
           'a'
           'l'
           Extra items in the right set:
           'x'
""",
        ),
        ("taken == 'a == b'", "observed   False == 'a == b'\n"),
        ("taken == (1 == 1)", "observed   False == (1 == 1)\n"),
        ("taken == False == True", "observed   False == True\n"),
        ("taken in ['x']", "observed   False in ['x']\n"),
    ],
)
def test_what_was_observed_stands_apart_where_it_is_plain(
    project: Project, code: str, said: str
) -> None:
    project.chapter(experiment(body=f"assert {code}"))

    assert f"\n{said}kernel " in project.run("-k", "as-is").out


def test_every_container_of_a_trial_is_named_by_its_role(project: Project) -> None:
    above = '@without(pid_mode="host")'
    body = "assert neighbour is container"
    project.chapter(experiment(above=above, arguments="container, neighbour", body=body))

    outcome = project.run()

    text = between(outcome.out, "test_something_holds[as-is]")
    assert f"started    container: {STARTED}\n           neighbour: {STARTED}\nlook next" in text


def test_prose_is_wrapped_to_the_terminal_and_evidence_is_not(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    words = " ".join(["word"] * 40)
    docstring = DOCSTRING.replace("the kernel sees to it.", words)
    body = f'words = "{words}"\nassert words == taken'
    project.chapter(experiment(docstring=docstring, body=body))

    outcome = project.run()

    lines = between(outcome.out, "test_something_holds[as-is]").splitlines()
    assert lines[2:4] == [f"observed   '{words}'", "claimed    False"]
    assert lines[4:9] == [
        f"kernel     Word {' '.join(['word'] * 9)}",
        *[f"           {' '.join(['word'] * 10)}"] * 3,
        "look next  made-up(7); labs/test_01_made_up.py:18",
    ]


def test_a_headline_is_wrapped_to_the_terminal(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    project.chapter(experiment(body="assert taken is not None"))

    outcome = project.run()

    assert between(outcome.out, "test_something_holds[without-it]").splitlines()[:2] == [
        "the control did not fail, so the claim may hold for another",
        "reason: Something holds.",
    ]


def test_one_line_for_each_failure(project: Project) -> None:
    project.chapter(experiment(body="assert taken"))

    outcome = project.run("--tb=line", "-k", "as-is")

    assert "\nthe claim does not hold here: Something holds.\n===" in outcome.out


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

    project.chapter(
        experiment("one_compares_no_more", above=contrast, arguments="", body="assert 1 + 1 == 2"),
        name="02_not_chosen",
    )

    outcome = project.run("--deselect", "labs/test_01_made_up.py::test_one_is_not_run_to_its_end"
                          "[without-ever]", "labs/test_01_made_up.py")  # fmt: skip

    folder = outcome.folder.relative_to(project.root)

    explanation = f"""\
2 claims proven of 7, 1 control failed as it must, 1 contrast compared
1 refuted: the claim does not hold here:
  one-is-refuted: `taken is None` fell: False is None
1 vacuous: a control did not fail:
  one-is-vacuous: without it every fact still held
1 unproven: the claim or a control was not run to its end:
  one-is-not-run-to-its-end: not run to the end: without-ever
1 not observable here:
  one-can-not-be-observed: needs cgroup:memory: docker info says MemoryLimit: false. To get it: \
boot the kernel with cgroup_enable=memory cgroup_memory=1, and run an engine that may use cgroups.
1 broken: the bench failed in the claim or in a control:
  one-is-broken: AttributeError: 'bool' object has no attribute 'gone'
questions: 1 of 3 answered by this part of the labs
open {folder}/evidence.html
open {folder}/slides.html
reports: {folder}/"""
    assert between(outcome.out, "what this run has shown") == explanation


def test_a_whole_run_says_what_is_left_and_where_its_pages_will_be(project: Project) -> None:
    project.chapter(experiment())

    outcome = project.run()

    assert (
        between(outcome.out, "what this run has shown")
        == f"""\
1 claim proven of 1, 1 control failed as it must
questions: 1 of 3 answered by experiments of this run, 1 by sourced prose alone, 1 has no experiment yet
open reports/evidence.html
open reports/slides.html
reports: {outcome.folder.relative_to(project.root)}/"""
    )


def test_a_whole_run_says_which_questions_have_an_experiment_that_is_not_proven(
    project: Project,
) -> None:
    project.chapter(experiment(body="assert taken"))

    assert (
        "\nquestions: 0 of 3 answered by experiments of this run, 1 by sourced prose alone, "
        "1 by none that is proven here, 1 has no experiment yet\n"
    ) in project.run().out


def test_a_contrast_that_was_not_run_is_not_counted(project: Project) -> None:
    contrast = '@contrast("there is one kernel")'
    project.chapter(
        experiment("one_fails", body="assert taken"),
        experiment("one_compares", above=contrast, arguments="", body="assert 1 + 1 == 2"),
    )

    outcome = project.run("-x")

    assert "\n0 claims proven of 2, 0 controls failed as they must\n" in outcome.out
    assert f"\nopen {outcome.folder.relative_to(project.root)}/evidence.html\n" in outcome.out


def test_a_run_names_its_files_once(project: Project) -> None:
    project.chapter(experiment())

    assert "generated" not in project.run().out.lower()


def test_files_that_go_elsewhere_are_named_by_those_who_write_them(project: Project) -> None:
    project.chapter(experiment())

    outcome = project.run("--junitxml=elsewhere.xml", "--html=elsewhere.html")

    assert f"generated xml file: {project.root}/elsewhere.xml" in outcome.out
    assert f"Generated html report: file://{project.root}/elsewhere.html" in outcome.out


def test_the_bench_stands_before_the_first_experiment(project: Project) -> None:
    project.engine.information["SwapLimit"] = project.engine.information["PidsLimit"] = False
    # Of what it lacks is told what an experiment requires.
    project.chapter(experiment(above=f'@requires("private-engine", "cgroup:swap")\n{CONTROLLED}'))

    lines = project.run().out.splitlines()

    first = next(number for number, line in enumerate(lines) if line.startswith("bench: Linux "))
    assert lines[first + 1 : first + 6] == [
        "engine: Docker 29.0.0, API 1.52, runc, overlay2, cgroup driver cgroupfs",
        "chosen: a stand-in (unix:///made/up.sock)",
        "not observable here: private-engine (it is made up)",
        "not observable here: cgroup:swap (docker info says SwapLimit: false)",
        "",
    ]
