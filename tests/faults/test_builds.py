"""Who builds, and what is left of it on the suite's engine."""

from __future__ import annotations

import os

import pytest

from fixtures.engine import build
from tests.faults.labs import Labs
from tests.project import experiment
from tests.traces import nothing_is_left

ON_THE_SUITE_S = "@suite_engine\n@given(wanted={wanted!r})\n@without('it', wanted='none')"
EITHER = experiment(
    "an_image_is_built_by_whom_the_option_says",
    above=ON_THE_SUITE_S.format(wanted="classic"),
    arguments="build, wanted",
    body="build('FROM busybox\\nENV A=b')\nassert build.kind == wanted",
)
ONE_ALONE = experiment(
    "an_image_is_built_by_whom_the_experiment_requires",
    above="@requires('buildkit')\n" + ON_THE_SUITE_S.format(wanted="buildkit"),
    arguments="build, wanted",
    body="build('FROM busybox\\nENV A=b')\nassert build.kind == wanted",
)
NOTHING_LEFT = experiment(
    "no_image_of_another_experiment_is_there",
    above="@suite_engine\n@given(left=0)\n@without('it', left=1)",
    arguments="engine, left",
    body="names = [tag for image in engine.client.images.list() for tag in image.tags]\n"
    "assert len([name for name in names if name.startswith('lab-')]) == left",
)

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="a private engine takes root"),
    pytest.mark.skipif(not build.available(), reason="there is no docker in the PATH"),
]


def test_the_option_chooses_where_an_experiment_does_not_and_nothing_is_left(labs: Labs) -> None:
    labs.chapter(EITHER, ONE_ALONE, NOTHING_LEFT)
    with nothing_is_left():
        run = labs.run("--lab-builder=classic")

    both = build.BUILDKIT in build.available()
    assert run.process.returncode == 0, run.output
    assert run.reports.verdicts == (
        {"proven": 3} if both else {"proven": 2, "not observable here": 1}
    )
