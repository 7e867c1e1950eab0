"""A run that is ended in its middle: by its user, its terminal, its machine."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

import pytest

from fixtures.engine import Engine, podman, private
from fixtures.engine.handmade_engine import MAKERS
from fixtures.engine.waiting import poll
from tests.traces import nothing_is_left

from .labs import BRIEFLY, HOLDING, LASTING, QUICK, Labs, LabsRun

pytestmark = pytest.mark.engine


@dataclass(frozen=True)
class Where:
    """Where a run makes its containers."""

    engine: str | None = None
    """the url of one that is there already and stays; None is one of the run's own"""
    maker: str | None = None
    """who makes them in its place: a Podman of the run's own, or one without an engine"""

    @property
    def how(self) -> tuple[str, ...]:
        """What the run is told of it."""
        return (f"--lab-engine={self.maker}",) if self.maker else ()


ITS_OWN = Where()
ITS_OWN_TAKES_ROOT = pytest.mark.skipif(
    private.missing() is not None, reason=str(private.missing())
)


@pytest.fixture(params=["its own engine", "the user's engine", "podman", *MAKERS])
def where(request: pytest.FixtureRequest, engine: Engine) -> Where:
    """Each of the places where a run can make its containers."""
    if request.param == "podman":
        if reason := podman.missing():
            pytest.skip(reason)
        return Where(maker=request.param)
    if request.param == "its own engine":
        if reason := private.missing():
            pytest.skip(reason)
        return ITS_OWN
    if request.param not in MAKERS:
        return Where(engine.where.url)
    if lack := MAKERS[request.param].missing():
        pytest.skip(f"needs a machine for {request.param}: {lack[0]}")
    return Where(maker=request.param)


def started(labs: Labs, where: Where) -> LabsRun:
    """A run that is in its middle."""
    has_volumes = os.geteuid() == 0 and where.maker is None
    labs.chapter(HOLDING if has_volumes else LASTING, QUICK)
    run = labs.start(*where.how, engine=where.engine)
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
        (signal.SIGINT, 2, "ended by SIGINT"),
        (signal.SIGTERM, 128 + signal.SIGTERM, "ended by SIGTERM"),
        (signal.SIGHUP, 128 + signal.SIGHUP, "ended by SIGHUP"),
    ],
)
def test_a_signal_ends_a_run_in_order(
    labs: Labs, engine: Engine, number: signal.Signals, exit_code: int, said: str
) -> None:
    with nothing_is_left(engine.client):
        run = started(labs, Where(engine.where.url))

        run.receive(number)

        assert run.end() == exit_code, run.output

    assert said in run.output
    assert "removing what the run made: this takes some seconds\n" in run.output
    assert "traceback" not in run.output.lower()
    assert_was_interrupted(run)
    assert run.reports.finish is not None


@ITS_OWN_TAKES_ROOT
def test_ctrl_c_once_more_does_not_break_off_the_cleaning_up(labs: Labs, engine: Engine) -> None:
    with nothing_is_left(engine.client):
        run = started(labs, ITS_OWN)
        container = run.container

        run.receive(signal.SIGINT)
        assert not poll(lambda: container.alive, lambda alive: not alive, seconds=15)
        run.receive(signal.SIGINT)

        assert run.end() == 2, run.output

    assert "traceback" not in run.output.lower()
    assert_was_interrupted(run)


def test_a_killed_run_is_cleaned_up_after(labs: Labs, engine: Engine, where: Where) -> None:
    with nothing_is_left(engine.client):
        run = started(labs, where)

        run.process.kill()

        assert run.end() == -signal.SIGKILL, run.output

    assert_was_interrupted(run)
    assert run.reports.finish is None


def test_where_the_last_net_was_killed_too_the_next_run_cleans_up(
    labs: Labs, engine: Engine, where: Where
) -> None:
    with nothing_is_left(engine.client):
        run = started(labs, where)
        run.reaper.send_signal(signal.SIGKILL)
        run.process.kill()
        run.end()
        assert run.container.alive

        next_run = labs.run("-k", BRIEFLY, *where.how, engine=where.engine)

        assert next_run.process.returncode == 0, next_run.output


@ITS_OWN_TAKES_ROOT
def test_a_run_right_after_a_killed_one_gets_along_with_its_reaper(
    labs: Labs, engine: Engine
) -> None:
    with nothing_is_left(engine.client):
        run = started(labs, ITS_OWN)
        run.process.kill()
        run.end()

        next_run = labs.run("-k", BRIEFLY)

        assert next_run.process.returncode == 0, next_run.output
