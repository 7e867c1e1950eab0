"""What an experiment must have, and what the one who forgot it is told."""

from __future__ import annotations

import re

import pytest

from fixtures.lab.experiment import PROVIDED
from fixtures.lab.requirements import REQUIREMENTS
from tests.project import CONTROLLED, DOCSTRING, Project, experiment

FORMS = '''\
    """The claim, as a sentence.

    Kernel: what the kernel does.
    Without: what happens in the control.
    Source: where that is written.
    """'''
KNOWN = ", ".join(REQUIREMENTS)
ARGUMENTS = ", ".join(PROVIDED)
NEITHER_OR_BOTH = (
    "it needs a control, @without(…), or else a @contrast that says why nothing can be taken away"
)

NOWHERE = (
    "neither a parameter of @given, nor a key of @private_engine, nor an option of a container"
)

HIDDEN = (
    "it has an assert below something else, a loop, an if, a with or a try: whether it was come to, "
    "and what became of it, nobody sees. It belongs into the function itself"
)
WAITING = (
    "a fact that takes time is read with settled(…), and what must hold before is waited for with "
    "wait_until(…)"
)
ASSERTING = (
    "the claim is an `assert` in the function itself, and what must hold before is a wait_until(…)"
)

MALFORMED = {
    "a first line that is no sentence": (
        experiment(docstring=DOCSTRING.replace("holds.", "holds")),
        f"its docstring must begin with the claim, a sentence with a full stop:\n{FORMS}",
    ),
    "no Kernel line": (
        experiment(docstring=DOCSTRING.replace("Kernel:", "The kernel:")),
        f"its docstring has no line `Kernel: …`; it has to look like:\n{FORMS}",
    ),
    "an empty Without line": (
        experiment(docstring=DOCSTRING.replace(" nobody sees to it.", "")),
        f"its docstring has no line `Without: …`; it has to look like:\n{FORMS}",
    ),
    "no Source line": (
        experiment(docstring=DOCSTRING.replace("Source: made-up(7)", "")),
        f"its docstring has no line `Source: …`; it has to look like:\n{FORMS}",
    ),
    "a question that there is not": (
        experiment(above=CONTROLLED.replace("made-1", "made-9")),
        (
            "@answers('made-9'): there is no such question in labs/questions.toml. "
            "Did you mean 'made-3'?"
        ),
    ),
    "a question that looks like none": (
        experiment(above=CONTROLLED.replace("made-1", "42")),
        "@answers('42'): there is no such question in labs/questions.toml",
    ),
    "a question that only prose answers": (
        experiment(above=CONTROLLED.replace("made-1", "made-3")),
        "@answers('made-3'): the catalogue says that only prose answers it",
    ),
    "an unknown requirement": (
        experiment(above=f'@requires("a moon")\n{CONTROLLED}'),
        f"the requirement 'a moon' is not known; there are: {KNOWN}",
    ),
    "an unknown requirement of a control": (
        experiment(above='@without("it", requires=("a moon",), taken=True)\n@given(taken=False)'),
        f"the requirement 'a moon' is not known; there are: {KNOWN}",
    ),
    "a misspelt requirement": (
        experiment(above=f'@requires("cgroup:memroy")\n{CONTROLLED}'),
        (
            f"the requirement 'cgroup:memroy' is not known; there are: {KNOWN}. "
            "Did you mean 'cgroup:memory'?"
        ),
    ),
    "neither a control nor a contrast": (
        experiment(above="@given(taken=False)"),
        NEITHER_OR_BOTH,
    ),
    "a control and a contrast": (
        experiment(above=f'@contrast("there is one kernel")\n{CONTROLLED}'),
        NEITHER_OR_BOTH,
    ),
    "a contrast without a why": (
        experiment(above="@contrast\n@given(taken=False)"),
        '@contrast must say why nothing can be taken away: @contrast("…")',
    ),
    "an option that containers do not have": (
        experiment(above=f'@started_with(colour="red")\n{CONTROLLED}'),
        "'colour' is no option of a container: fixtures/engine/options.py has them",
    ),
    "an option that neighbours do not have": (
        experiment(above=f'@neighbour_started_with(colour="red")\n{CONTROLLED}'),
        "'colour' is no option of a container: fixtures/engine/options.py has them",
    ),
    "a misspelt option": (
        experiment(above=f'@started_with(pidmode="host")\n{CONTROLLED}'),
        (
            "'pidmode' is no option of a container: fixtures/engine/options.py has them. "
            "Did you mean 'pid_mode'?"
        ),
    ),
    "a control that takes a misspelt thing away": (
        experiment(above="@without(takn=True)\n@given(taken=False)"),
        f"@without(takn=…): 'takn' is {NOWHERE}. Did you mean 'taken'?",
    ),
    "an argument that nothing provides": (
        experiment(arguments="taken, request, tmp_path, kontainer"),
        (
            f"nothing provides its argument 'kontainer'; there are: {ARGUMENTS}, and what @given "
            "names. Did you mean 'container'?"
        ),
    ),
    "two engines": (
        experiment(above=f"@suite_engine\n@private_engine()\n{CONTROLLED}"),
        "it has @private_engine and @suite_engine: it can run on one engine only",
    ),
    "a control that takes nothing away": (
        experiment(above='@without("it")\n@given(taken=False)'),
        "@without('it') takes nothing away: say what changes, name=value",
    ),
    "a control that takes an unknown thing away": (
        experiment(above='@without(colour="red")\n@given(taken=False)'),
        f"@without(colour=…): 'colour' is {NOWHERE}",
    ),
    "a control that changes no parameter": (
        experiment(above="@without(taken=False)\n@given(taken=False)"),
        "@without(taken=False) changes nothing: that is what it has as it is",
    ),
    "a control that changes no option": (
        experiment(above='@without(pid_mode="host")\n@started_with(pid_mode="host")\n'
                         "@given(taken=False)"),
        "@without(pid_mode='host') changes nothing: that is what it has as it is",
    ),
    "a control that changes no default": (
        experiment(above='@without(network_mode="none")\n@given(taken=False)'),
        "@without(network_mode='none') changes nothing: that is what it has as it is",
    ),
    "a control that takes away an option that is not there": (
        experiment(above="@without(pid_mode=None)\n@given(taken=False)"),
        "@without(pid_mode=None) changes nothing: that is what it has as it is",
    ),
    "a control that changes nothing of the engine": (
        experiment(above="@without(userns_remap=True)\n@private_engine(userns_remap=True)\n"
                         "@given(taken=False)"),
        "@without(userns_remap=True) changes nothing: that is what it has as it is",
    ),
    "two controls of one name": (
        experiment(above='@without("It!", taken=None)\n' + CONTROLLED),
        "two controls are called 'without-it': give them different names",
    ),
    "a parameter without an argument": (
        experiment(above=f"@given(colour='red')\n{CONTROLLED}"),
        "@given(colour=…): the function has no argument colour",
    ),
    "a misspelt parameter": (
        experiment(above='@without("it", takn=True)\n@given(takn=False)', body="assert 1 + 1 == 2"),
        (
            "@given(takn=…): the function has no argument takn. Did you mean 'taken'?\n"
            "labs/test_01_made_up.py::test_something_holds: nothing provides its argument 'taken'; "
            f"there are: {ARGUMENTS}, and what @given names. Did you mean 'takn'?"
        ),
    ),
    "a misspelt place": (
        experiment(above='@without(pid_mode="container:{neighbor}")', arguments="container",
                   body="assert container"),
        (
            "@without(pid_mode=…): nothing is filled in for {neighbor}; there are: {folder}, "
            "{shared_mount}, {volume}, {box}, {socket}, {network}, {other_network}, {neighbour}, "
            "{disk}, {cpu}. Did you mean 'neighbour'?"
        ),
    ),
    "a place as a card has it": (
        experiment(above='@without(pid_mode="container:neighbour")', arguments="container",
                   body="assert container"),
        (
            "@without(pid_mode='container:neighbour'): neighbour is written in braces: "
            "'container:{neighbour}'"
        ),
    ),
    "a place of a neighbour's as a card has it": (
        experiment(above='@neighbour_started_with(volumes=["folder:/folder"])\n' + CONTROLLED),
        (
            "@neighbour_started_with(volumes='folder:/folder'): folder is written in braces: "
            "'{folder}:/folder'"
        ),
    ),
    "an assert whose fall is swallowed": (
        experiment(
            body="try:\n    assert 1 == 2\nexcept AssertionError:\n    pass\nassert not taken"
        ),
        HIDDEN,
    ),
    "an assert that need not be come to": (
        experiment(body="for each in []:\n    assert each\nassert not taken"),
        HIDDEN,
    ),
    "an assert of an inner function": (
        experiment(body="def inner():\n    assert 1 == 2\nassert not taken"),
        HIDDEN,
    ),
    "an assert in a with": (
        "import contextlib\n"
        + experiment(body="with contextlib.suppress(AssertionError):\n    assert not taken"),
        HIDDEN,
    ),
    "a sleep": (
        "import time\n" + experiment(body="time.sleep(1)\nassert not taken"),
        f"it sleeps: {WAITING}",
    ),
    "a sleep under another name": (
        "from time import sleep as nap\n" + experiment(body="nap(1)\nassert not taken"),
        f"it sleeps: {WAITING}",
    ),
    "a sleep of a helper's helper": (
        "import time as t\ndef first(): second()\ndef second(): t.sleep(1)\n"
        + experiment(body="first()\nassert not taken"),
        f"it calls second, which sleeps: {WAITING}",
    ),
    "an assert of a helper": (
        "def holds(taken):\n    assert not taken\n" + experiment(body="holds(taken)\nassert taken"),
        f"it calls holds, which asserts: {ASSERTING}",
    ),
    "a helper that raises what an assert does": (
        "def holds(taken):\n    if taken: raise AssertionError('no')\n"
        + experiment(body="holds(taken)\nassert taken"),
        f"it calls holds, which asserts: {ASSERTING}",
    ),
    "a path in the text of a shell": (
        experiment(arguments="host, folder, taken",
                   body='host.exec("sh", "-c", f"echo old > {folder}/note")\nassert not taken'),
        (
            "it puts {folder} into the text of a shell, which takes it apart: give it as an "
            """argument, as in exec("sh", "-c", 'echo old > "$1"', "sh", path)"""
        ),
    ),
    "no assert": (
        experiment(body="if taken:\n    raise AssertionError"),
        "it asserts nothing: the claim is an `assert` in the function itself",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", MALFORMED)
def test_a_malformed_experiment_is_refused_with_the_way_to_mend_it(
    project: Project, fault: str
) -> None:
    source, message = MALFORMED[fault]
    project.chapter(source)

    outcome = project.run()

    assert outcome.exit_code == pytest.ExitCode.USAGE_ERROR
    assert outcome.err.strip() == (
        f"ERROR: labs/test_01_made_up.py::test_something_holds: {message}"
    )
    assert project.engine.contacts == 0
    assert list((project.root / "reports" / "runs").iterdir()) == []


def test_what_is_like_a_fault_and_is_none_passes(project: Project) -> None:
    project.chapter(
        "WORD = 'a word'\ndef small(taken):\n    return ('sh', '-c', f'echo {WORD}') and not taken\n",
        experiment(
            above="@started_with(command=('sh', '-c', \"sleep 9; awk '{print}' ${folders}\"), "
            f"environment={{'A': 'neighbour'}}, volumes=['{{folder}}:/folder'])\n{CONTROLLED}",
            body="from fixtures.lab import wait_until\nwait_until(lambda: 'sleep')\n"
            "assert small(taken)",
        ),
    )

    assert project.run().verdict == "proven"


def test_every_argument_that_is_offered_is_provided(project: Project) -> None:
    project.chapter(experiment(arguments=", ".join(["taken", *PROVIDED])))

    # Were one not provided, this would be refused.
    listed = project.run("--fixtures", "labs").out

    _, _, ours = listed.partition(" fixtures defined from fixtures.lab.provided ")
    names = re.findall(r"^(\w+) -- ", ours.partition("\n---")[0], re.MULTILINE)
    assert sorted(names) == sorted([*PROVIDED, "trial"])
    assert project.engine.contacts == 0


def test_everything_that_is_wrong_is_said_at_once(project: Project) -> None:
    project.chapter(
        experiment("one", above="@given(taken=False)"), experiment("other", body="taken")
    )

    outcome = project.run()

    one, other = outcome.err.strip().splitlines()
    assert one == f"ERROR: labs/test_01_made_up.py::test_one: {NEITHER_OR_BOTH}"
    assert other.startswith("labs/test_01_made_up.py::test_other: it asserts nothing: ")


def test_two_experiments_of_one_name_are_refused(project: Project) -> None:
    project.chapter(experiment(), name="01_made_up")
    project.chapter(experiment(), name="02_made_up_too")

    outcome = project.run()

    assert outcome.exit_code == pytest.ExitCode.USAGE_ERROR
    assert outcome.err.strip() == "ERROR: something-holds: two experiments have this name"


def test_an_unknown_marker_is_refused_by_pytest(project: Project) -> None:
    project.chapter(experiment(above=f"@pytest.mark.witout\n{CONTROLLED}"))

    outcome = project.run()

    assert outcome.exit_code == pytest.ExitCode.INTERRUPTED
    assert "'witout' not found in `markers` configuration option" in outcome.out
    assert project.engine.contacts == 0


def test_a_default_may_be_taken_away(project: Project) -> None:
    project.chapter(
        experiment(
            above="@without(mem_limit=None)",
            arguments="container",
            body='assert "mem_limit" in container.options',
        )
    )

    assert project.run().verdict == "proven"


@pytest.mark.parametrize("content", [None, "[[text]]\nid = "], ids=["missing", "no TOML"])
def test_without_a_catalogue_nothing_is_collected(project: Project, content: str | None) -> None:
    catalogue = project.root / "labs" / "questions.toml"
    catalogue.unlink() if content is None else catalogue.write_text(content)
    project.chapter(experiment())

    outcome = project.run()

    assert outcome.exit_code == pytest.ExitCode.USAGE_ERROR
    assert outcome.err.startswith(f"ERROR: {catalogue} can not be read: ")


def test_the_rules_do_not_apply_outside_the_labs(project: Project) -> None:
    project.write("tests/test_other.py", "def test_other():\n    pass\n")
    project.chapter(experiment())

    outcome = project.run("tests", "labs")

    assert (outcome.exit_code, outcome.counts) == (0, {"passed": 2, "xfailed": 1})
