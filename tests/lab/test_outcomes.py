"""Whatever pytest shows of an experiment, its verdict is computed from what happened."""

from __future__ import annotations

from tests.project import CONTROLLED, Project, experiment

NEEDS_MEMORY = f'@requires("cgroup:memory")\n{CONTROLLED}'
CONTROL_NEEDS_MEMORY = (
    '@without("it", requires=("cgroup:memory",), taken=True)\n@given(taken=False)'
)
NEED = (
    "needs cgroup:memory: docker info says MemoryLimit: false. To get it: boot the kernel with "
    "cgroup_enable=memory cgroup_memory=1, and run an engine that may use cgroups."
)
NOT_OFFERED = """\
from fixtures.kernel import NotObservable


def read():
    raise NotObservable("this kernel counts no colours", "boot a colourful one")
"""


def test_a_claim_that_fails_is_refuted(project: Project) -> None:
    project.chapter(experiment(body="assert taken"))

    outcome = project.run()

    assert (outcome.exit_code, outcome.verdict) == (1, "refuted")


def test_a_claim_without_what_it_requires_is_not_observable_here(project: Project) -> None:
    project.engine.information["MemoryLimit"] = False
    project.chapter(experiment(above=NEEDS_MEMORY))

    outcome = project.run()

    assert (outcome.exit_code, outcome.counts) == (0, {"skipped": 2})
    assert f"SKIPPED [2] labs/test_01_made_up.py:7: {NEED}" in outcome.out
    assert outcome.verdict == "not observable here"


def test_a_control_without_what_it_requires_leaves_the_claim_unobserved(project: Project) -> None:
    project.engine.information["MemoryLimit"] = False
    project.chapter(experiment(above=CONTROL_NEEDS_MEMORY))

    outcome = project.run()

    assert (outcome.exit_code, outcome.counts) == (0, {"passed": 1, "skipped": 1})
    assert NEED in outcome.out
    assert outcome.verdict == "not observable here"


def test_what_the_kernel_does_not_offer_is_not_observable_here(project: Project) -> None:
    project.chapter(experiment(body="assert read() != taken"), before=NOT_OFFERED)

    outcome = project.run()

    assert (outcome.exit_code, outcome.counts) == (0, {"skipped": 2})
    assert "this kernel counts no colours. To get it: boot a colourful one." in outcome.out
    assert outcome.verdict == "not observable here"


def test_with_lab_strict_a_missing_requirement_is_a_failure(project: Project) -> None:
    project.engine.information["MemoryLimit"] = False
    project.chapter(experiment(above=NEEDS_MEMORY))

    outcome = project.run("--lab-strict")

    assert (outcome.exit_code, outcome.counts) == (1, {"failed": 2})
    assert f"not observable here: {NEED}" in outcome.out
    assert outcome.verdict == "not observable here"


def test_with_lab_strict_a_control_fails_as_it_must(project: Project) -> None:
    project.chapter(experiment(above=NEEDS_MEMORY))

    outcome = project.run("--lab-strict")

    assert (outcome.exit_code, outcome.counts) == (0, {"passed": 1, "xfailed": 1})
    assert outcome.verdict == "proven"


def test_a_claim_whose_control_is_deselected_is_unproven(project: Project) -> None:
    project.chapter(experiment())

    outcome = project.run("-k", "as-is")

    assert (outcome.exit_code, outcome.verdict) == (0, "unproven")


def test_a_control_whose_claim_is_deselected_proves_nothing(project: Project) -> None:
    project.chapter(experiment())

    assert project.run("-k", "without-it").verdict == "unproven"


def test_a_contrast_needs_no_control(project: Project) -> None:
    contrast = '@contrast("there is one kernel")'
    project.chapter(experiment(above=contrast, arguments="", body="assert 1 + 1 == 2"))

    assert project.run().verdict == "proven"


def test_runxfail_changes_the_colours_and_not_the_verdicts(project: Project) -> None:
    project.engine.information["MemoryLimit"] = False
    project.chapter(
        experiment("one_is_proven"),
        experiment("one_is_refuted", body="assert taken"),
        experiment("one_is_vacuous", body="assert taken is not None"),
        experiment("one_is_broken", body="assert not taken.gone"),
        experiment("one_can_not_be_observed", above=NEEDS_MEMORY),
    )

    outcome = project.run("--runxfail")

    assert outcome.verdicts == {
        "one-is-proven": "proven",
        "one-is-refuted": "refuted",
        "one-is-vacuous": "vacuous",
        "one-is-broken": "broken",
        "one-can-not-be-observed": "not observable here",
    }
    assert outcome.events.experiments["one-is-vacuous"].reason == "without it every fact still held"
    assert outcome.counts == {"passed": 2, "failed": 4, "errors": 2, "skipped": 2}


def test_nothing_of_the_labs_applies_to_other_tests(project: Project) -> None:
    project.write("tests/test_other.py", "def test_other():\n    assert 1 + 1 == 2\n")
    project.chapter(experiment())

    outcome = project.run("tests")

    assert (outcome.exit_code, outcome.counts) == (0, {"passed": 1})
    assert not (project.root / "reports").exists()
    assert project.engine.contacts == 0


def test_a_terminal_does_not_obey_what_a_container_said(project: Project) -> None:
    project.chapter(experiment(body='raise BenchError("it said \\x1b[2J")\nassert not taken'))

    outcome = project.run()

    assert "it said \N{REPLACEMENT CHARACTER}[2J" in outcome.out
    assert "\x1b[2J" not in outcome.out


def test_a_folder_that_is_open_to_everybody_is_a_broken_bench(project: Project) -> None:
    project.chapter(
        experiment(
            "one_is_open", arguments="folder, taken", body="folder.chmod(0o777)\nassert not taken"
        ),
        experiment(
            "one_is_closed",
            arguments="folder, taken",
            body="folder.chmod(0o1777)\nassert not taken",
        ),
    )

    outcome = project.run()

    assert outcome.verdicts == {"one-is-open": "broken", "one-is-closed": "proven"}
    assert (
        "the experiment has opened its folder to everybody on this machine: close it with "
        "folder.chmod(0o700), and open one in it" in " ".join(outcome.out.split())
    )
