"""A run that is ended in its middle: by its user, its terminal, its machine."""

from __future__ import annotations

import os
import signal

import pytest

from fixtures.engine import Engine
from fixtures.engine.waiting import poll
from tests.traces import nothing_is_left

from .labs import BRIEFLY, HOLDING, LASTING, QUICK, Labs, LabsRun

pytestmark = pytest.mark.engine


@pytest.fixture(params=["its own engine", "the user's engine"])
def where(request: pytest.FixtureRequest, engine: Engine) -> str | None:
    """The engine of a run: a private one, or one that is there already and stays."""
    return None if request.param == "its own engine" else engine.where.url


def started(labs: Labs, where: str | None) -> LabsRun:
    """A run that is in its middle."""
    labs.chapter(LASTING if os.geteuid() else HOLDING, QUICK)
    run = labs.start(engine=where)
    run.is_in_its_middle()
    return run


def assert_was_interrupted(run: LabsRun) -> None:
    """What it leaves can be read, and says what came of it."""
    experiments = run.reports.experiments
    assert [each.verdict for each in experiments.values()] == ["unproven", "unproven"]
    assert experiments["something-lasts"].trials["as-is"].outcome == "interrupted"


@pytest.mark.parametrize(
    ("number", "exit_code", "said"),
    [
        (signal.SIGINT, 2, "KeyboardInterrupt"),
        (signal.SIGTERM, 128 + signal.SIGTERM, "ended by SIGTERM"),
        (signal.SIGHUP, 128 + signal.SIGHUP, "ended by SIGHUP"),
    ],
)
def test_a_signal_ends_a_run_in_order(
    labs: Labs, engine: Engine, number: signal.Signals, exit_code: int, said: str
) -> None:
    with nothing_is_left(engine.client):
        run = started(labs, engine.where.url)

        run.receive(number)

        assert run.end() == exit_code, run.output

    assert said in run.output
    assert "Traceback" not in run.output
    assert_was_interrupted(run)
    assert run.reports.finish is not None


def test_ctrl_c_once_more_does_not_break_off_the_cleaning_up(labs: Labs, engine: Engine) -> None:
    with nothing_is_left(engine.client):
        run = started(labs, None)
        container = run.container

        run.receive(signal.SIGINT)
        assert not poll(lambda: container.alive, lambda alive: not alive, seconds=15)
        run.receive(signal.SIGINT)

        assert run.end() == 2, run.output

    assert "Traceback" not in run.output
    assert_was_interrupted(run)


def test_a_killed_run_is_cleaned_up_after(labs: Labs, engine: Engine, where: str | None) -> None:
    with nothing_is_left(engine.client):
        run = started(labs, where)

        run.process.kill()

        assert run.end() == -signal.SIGKILL, run.output

    assert_was_interrupted(run)
    assert run.reports.finish is None


def test_where_the_last_net_was_killed_too_the_next_run_cleans_up(
    labs: Labs, engine: Engine, where: str | None
) -> None:
    with nothing_is_left(engine.client):
        run = started(labs, where)
        run.reaper.send_signal(signal.SIGKILL)
        run.process.kill()
        run.end()
        assert run.container.alive

        next_run = labs.run("-k", BRIEFLY, engine=where)

        assert next_run.process.returncode == 0, next_run.output


def test_a_run_right_after_a_killed_one_gets_along_with_its_reaper(
    labs: Labs, engine: Engine
) -> None:
    with nothing_is_left(engine.client):
        run = started(labs, None)
        run.process.kill()
        run.end()

        next_run = labs.run("-k", BRIEFLY)

        assert next_run.process.returncode == 0, next_run.output
