"""Which experiments are chosen, and what a choice does not set off."""

from __future__ import annotations

import pytest

from tests.project import CATALOGUE, CONTROLLED, Project, experiment


@pytest.fixture
def chapter(project: Project) -> Project:
    """A project with an experiment that answers made-1, and one that answers nothing."""
    project.chapter(
        experiment("one_answers"),
        experiment("one_does_not", above=CONTROLLED.partition("\n")[2]),
    )
    return project


def test_a_question_chooses_the_experiments_that_answer_it(chapter: Project) -> None:
    outcome = chapter.run("--question", "made-1")

    assert (outcome.exit_code, outcome.verdicts) == (0, {"one-answers": "proven"})
    assert outcome.counts == {"passed": 1, "xfailed": 1, "deselected": 2}


def test_an_unknown_question_is_refused(chapter: Project) -> None:
    outcome = chapter.run("--question", "made-9")

    assert outcome.exit_code == pytest.ExitCode.USAGE_ERROR
    assert outcome.err.strip() == (
        "ERROR: --question made-9: there is no such question; labs/questions.toml has made-…. "
        "Did you mean 'made-3'?"
    )


@pytest.mark.parametrize(
    ("standing", "said", "in_the_end"),
    [
        ("holds", "holds", ""),
        (
            "wrong",
            "wrong: what is proven here speaks for the correction, not for the text",
            "; the text is wrong",
        ),
        (
            "holds with conditions",
            "holds with conditions: the correction says which",
            "; the text holds with conditions",
        ),
    ],
)
def test_a_question_is_told_before_its_experiments_and_answered_in_the_end(
    chapter: Project, monkeypatch: pytest.MonkeyPatch, standing: str, said: str, in_the_end: str
) -> None:
    text = CATALOGUE.replace('"holds"', f'"{standing}"', 1)
    if standing != "holds":
        text = text.replace('"It does."', '"It does."\ncorrection = "Only here and there."', 1)
    chapter.write("labs/questions.toml", text)
    monkeypatch.setenv("COLUMNS", "60")

    outcome = chapter.run("--question", "made-1")

    _, _, told = outcome.out.partition("\n\n")
    paragraphs = told.partition("\n\n")[0]
    assert " ".join(paragraphs.split()) == (
        "made-1: A made-up text "
        "the text asks “Does it hold?” "
        f"standing {said} "
        f"answer It does. {'' if standing == 'holds' else 'correction Only here and there. '}"
        "sources made-up(7) evidence one-answers"
    )
    assert all(len(line) <= 60 for line in paragraphs.splitlines())
    assert (
        "questions: 1 of 3 answered by this part of the labs\n"
        f"  made-1: answered by this run{in_the_end}\n"
    ) in outcome.out


def test_a_question_whose_evidence_is_not_proven_is_not_answered(project: Project) -> None:
    project.chapter(experiment(body="assert taken"))

    assert "\n  made-1: not answered by this run\n" in project.run("--question", "made-1").out


@pytest.mark.parametrize(
    ("question", "answer", "why"),
    [
        ("made-2", "Nobody does.", "it has no experiment yet"),
        ("made-3", "Somebody did.", "only prose answers it"),
    ],
)
def test_a_question_that_no_experiment_answers_is_answered_from_the_catalogue(
    chapter: Project, question: str, answer: str, why: str
) -> None:
    outcome = chapter.run("--question", question)

    assert outcome.exit_code == pytest.ExitCode.USAGE_ERROR
    assert f"\n\n{question}:        A made-up text\nthe text asks  " in outcome.out
    assert (
        f"\nanswer         {answer}\nsources        made-up(7)\nevidence       {why}\n"
    ) in outcome.out
    assert outcome.err.strip() == f"ERROR: --question {question}: {why}; nothing was run"
    assert chapter.engine.contacts == 0


def test_a_question_is_not_said_to_have_no_experiment_where_not_all_were_looked_at(
    chapter: Project,
) -> None:
    chapter.chapter(experiment("no_answer", above=CONTROLLED.partition("\n")[2]), name="02_other")

    outcome = chapter.run("--question", "made-1", "labs/test_02_other.py")

    why = "no experiment of the chapters that were collected answers it"
    assert outcome.err.strip() == f"ERROR: --question made-1: {why}; nothing was run"


def test_a_chapter_that_can_not_be_read_is_the_only_error(chapter: Project) -> None:
    chapter.write("labs/test_02_broken.py", "def")

    outcome = chapter.run("--question", "made-2")

    assert outcome.exit_code == pytest.ExitCode.INTERRUPTED
    assert "SyntaxError" in outcome.out
    assert outcome.err == ""
    assert "no experiment yet" not in outcome.out


def test_an_experiment_is_chosen_by_the_id_that_a_run_shows(chapter: Project) -> None:
    outcome = chapter.run("-k", "one-answers and without-it")

    assert list(outcome.verdicts) == ["one-answers"]
    assert outcome.counts == {"xfailed": 1, "deselected": 3}


def test_collecting_makes_no_contact_and_no_folder(chapter: Project) -> None:
    outcome = chapter.run("--collect-only", "-q")

    assert outcome.out.splitlines()[:4] == [
        "labs/test_01_made_up.py::test_one_answers[as-is]",
        "labs/test_01_made_up.py::test_one_answers[without-it]",
        "labs/test_01_made_up.py::test_one_does_not[as-is]",
        "labs/test_01_made_up.py::test_one_does_not[without-it]",
    ]
    assert chapter.engine.contacts == 0
    assert not (chapter.root / "reports").exists()


def test_choosing_nothing_makes_no_contact_and_leaves_no_run(chapter: Project) -> None:
    outcome = chapter.run("-k", "no_such_thing")

    assert outcome.exit_code == pytest.ExitCode.NO_TESTS_COLLECTED
    assert chapter.engine.contacts == 0
    assert list((chapter.root / "reports" / "runs").iterdir()) == []
