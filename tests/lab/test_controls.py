"""A control must fail, and only an assert of the experiment itself may make it fail."""

from __future__ import annotations

import pytest

from tests.project import CONTROLLED, Project, experiment

LIBRARY = """\
def check(taken):
    assert not taken, 'checked in a library'


def helper(taken):
    assert not taken
    return True
"""

BEFORE = """\
import library
import threading


@pytest.fixture
def prepared(taken):
    assert not taken


@pytest.fixture
def prepared_on_a_bench(taken):
    if taken:
        raise BenchError("the bench shakes")


@pytest.fixture
def put_away(taken):
    yield
    assert not taken


# Were it written here, collection would refuse it.
helper = library.helper


class Special(AssertionError):
    pass
"""

WRONG_REASONS = {
    "an assert in a fixture's setup": ("taken, prepared", "assert not taken"),
    "an assert in a fixture's teardown": ("taken, put_away", "assert not taken"),
    "a BenchError in a fixture": ("taken, prepared_on_a_bench", "assert not taken"),
    "an assert in a helper": ("taken", "helper(taken)\nassert not taken"),
    "an assert in a helper that the fact calls": ("taken", "assert helper(taken)"),
    "an assert in a library": ("taken", "library.check(taken)\nassert not taken"),
    "an assert behind a lambda": ("taken", "(lambda: helper(taken))()\nassert not taken"),
    "an assert in a generator": ("taken", "assert all(helper(each) for each in [taken])"),
    "an AssertionError that it raises": (
        "taken",
        "if taken:\n    raise AssertionError('so there')\nassert not taken",
    ),
    "a kind of AssertionError": ("taken", "if taken:\n    raise Special\nassert not taken"),
    "a BenchError": ("taken", "if taken:\n    raise BenchError('no bench')\nassert not taken"),
    "a BenchError without a word": ("taken", "if taken:\n    raise BenchError\nassert not taken"),
    "a precondition that does not come": (
        "taken",
        "wait_until(lambda: not taken, within=0)\nassert not taken",
    ),
    "another exception": ("taken", "if taken:\n    raise ValueError('no value')\nassert not taken"),
    "pytest.fail": ("taken", "if taken:\n    pytest.fail('given up')\nassert not taken"),
    "a timeout": ("taken", "if taken:\n    threading.Event().wait()\nassert not taken"),
}


@pytest.mark.parametrize("runxfail", [(), ("--runxfail",)], ids=["", "with --runxfail"])
@pytest.mark.parametrize("reason", WRONG_REASONS)
def test_a_control_that_fails_for_another_reason_is_broken(
    project: Project, reason: str, runxfail: tuple[str, ...]
) -> None:
    arguments, body = WRONG_REASONS[reason]
    above = f"@pytest.mark.timeout(0.2)\n{CONTROLLED}" if reason == "a timeout" else CONTROLLED
    project.write("library.py", LIBRARY)
    project.chapter(experiment(above=above, arguments=arguments, body=body), before=BEFORE)

    outcome = project.run(*runxfail)

    assert outcome.exit_code == 1
    assert outcome.counts["errors"] == 1
    assert "ERROR labs/test_01_made_up.py::test_something_holds[without-it] - the bench broke" in (
        outcome.out
    )
    trials = outcome.events.experiments["something-holds"].trials
    assert (trials["as-is"].outcome, trials["without-it"].outcome) == ("held", "broken")
    assert outcome.verdict == "broken"
    assert outcome.properties["test_something_holds[without-it]"] == "broken"


def test_a_control_that_says_itself_that_it_fails_is_broken(project: Project) -> None:
    project.chapter(experiment(body="if taken:\n    pytest.xfail('it must')\nassert not taken"))

    outcome = project.run()

    assert (outcome.exit_code, outcome.verdict) == (1, "broken")


def test_a_claim_is_proven_when_it_holds_and_its_control_falls(project: Project) -> None:
    project.chapter(experiment())

    outcome = project.run()

    assert (outcome.exit_code, outcome.counts) == (0, {"passed": 1, "xfailed": 1})
    assert outcome.verdict == "proven"
    assert outcome.properties == {
        "test_something_holds[as-is]": "held",
        "test_something_holds[without-it]": "failed as it must",
    }


def test_a_control_proves_nothing_where_the_claim_does_not_hold(project: Project) -> None:
    project.chapter(experiment(body="assert taken is None"))

    outcome = project.run()

    assert (outcome.exit_code, outcome.counts) == (1, {"failed": 1, "xfailed": 1})
    assert outcome.verdict == "refuted"
    assert outcome.properties == {
        "test_something_holds[as-is]": "refuted",
        "test_something_holds[without-it]": "fell too",
    }
    assert "✗ refuted   Something holds. (0/1 controls" in outcome.out
    assert "0 claims proven of 1, 0 controls failed as they must" in outcome.out


def test_the_fact_may_take_several_lines(project: Project) -> None:
    project.chapter(experiment(body="assert (\n    not\n    taken\n), 'it is taken'"))

    assert project.run().verdict == "proven"


def test_a_control_that_does_not_fail_makes_the_experiment_vacuous(project: Project) -> None:
    project.chapter(experiment(body="assert taken in (True, False)"))

    outcome = project.run()

    assert (outcome.exit_code, outcome.counts) == (1, {"passed": 1, "failed": 1})
    assert outcome.verdict == "vacuous"


def test_every_control_must_fail(project: Project) -> None:
    above = f'@without("its name", taken=None)\n{CONTROLLED}'
    project.chapter(experiment(above=above, body="assert taken is not True"))

    outcome = project.run()

    assert (outcome.exit_code, outcome.verdict) == (1, "vacuous")


def test_a_claim_whose_teardown_breaks_is_broken(project: Project) -> None:
    put_away = "@pytest.fixture\ndef put_away():\n    yield\n    raise OSError('no room')\n"
    project.chapter(experiment(arguments="taken, put_away"), before=put_away)

    outcome = project.run()

    assert (outcome.exit_code, outcome.verdict) == (1, "broken")


def test_what_broke_first_stays_the_reason(project: Project) -> None:
    put_away = "@pytest.fixture\ndef put_away():\n    yield\n    assert False, 'gone'\n"
    body = "raise BenchError('no bench')\nassert not taken"
    project.chapter(experiment(arguments="taken, put_away", body=body), before=put_away)

    (broken,) = project.run().events.experiments.values()
    assert (broken.verdict, broken.reason) == ("broken", "no bench")


def test_what_broke_is_not_skipped_afterwards(project: Project) -> None:
    put_away = "@pytest.fixture\ndef put_away():\n    yield\n    pytest.skip('gone')\n"
    body = "raise BenchError('no bench')\nassert not taken"
    project.chapter(experiment(arguments="taken, put_away", body=body), before=put_away)

    assert project.run().verdict == "broken"


def test_an_experiment_that_changes_a_shared_container_is_broken(project: Project) -> None:
    above = '@without(pid_mode="host")'
    looks = 'assert container.options.get("pid_mode") is None'
    changes = f'container.processes.append("sh")\n{looks}'
    project.chapter(
        experiment("one_changes_it", above=above, arguments="container", body=changes),
        experiment("another_looks_at_it", above=above, arguments="container", body=looks),
    )

    outcome = project.run()

    assert outcome.verdicts == {"one-changes-it": "broken", "another-looks-at-it": "proven"}
    assert outcome.counts["errors"] == 2
