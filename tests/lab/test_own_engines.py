"""An experiment on an engine of its own is judged by that one, once it is plain that it can have one."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.lab.session import Lab
from tests.project import CONTROLLED, Project, experiment
from tests.standin import StandInEngine

NEED = "needs cgroup:pids: docker info says PidsLimit: false"


class OwnEngine(StandInEngine):
    """An engine of the suite's, in which others leave nothing."""

    image_ids: frozenset[str] = frozenset()

    def forget_what_others_made(self) -> None:
        """There is nothing."""

    def forget_images(self, but: frozenset[str]) -> None:
        """There are none."""


@pytest.fixture
def own(project: Project, monkeypatch: pytest.MonkeyPatch) -> OwnEngine:
    """The engine that each of the suite's is."""
    engine = OwnEngine()

    def started(lab: Lab, *configuration: Any, **how: Any) -> OwnEngine:
        engine.contacts += 1
        return engine

    monkeypatch.setattr("fixtures.engine.private.missing", lambda: None)
    monkeypatch.setattr(Lab, "start_private_engine", started)
    return engine


def needing(mark: str, requirement: str = "cgroup:pids") -> str:
    return experiment(
        above=f'@{mark}\n@requires("{requirement}")\n{CONTROLLED}', arguments="engine, taken"
    )


@pytest.mark.parametrize("mark", ["suite_engine", "private_engine()"])
def test_what_the_run_s_engine_lacks_another_may_have(
    project: Project, own: OwnEngine, mark: str
) -> None:
    project.engine.information["PidsLimit"] = False
    project.chapter(needing(mark))

    outcome = project.run()

    assert outcome.verdict == "proven"
    assert "not observable here" not in outcome.out
    assert outcome.events.bench["not_observable"].keys() == {"cgroup:pids"}


@pytest.mark.parametrize("mark", ["suite_engine", "private_engine()"])
def test_what_the_run_s_engine_has_another_may_lack(
    project: Project, own: OwnEngine, mark: str
) -> None:
    own.information["PidsLimit"] = False
    project.chapter(needing(mark))

    outcome = project.run()

    assert (outcome.verdict, outcome.counts) == ("not observable here", {"skipped": 2})
    assert NEED in outcome.out


def test_no_engine_is_started_where_none_can_be(
    project: Project, own: OwnEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fixtures.engine.private.missing", lambda: "it is made up")
    project.chapter(needing("private_engine()"))

    outcome = project.run()

    assert (outcome.verdict, own.contacts) == ("not observable here", 0)
    assert "needs private-engine: it is made up" in outcome.out
