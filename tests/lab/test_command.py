"""Nothing is never taken for an observation."""

from __future__ import annotations

import pytest

from fixtures.engine import BenchError
from fixtures.engine.command import CommandRun


def ran(stdout: str = "", stderr: str = "") -> CommandRun:
    argv = ("sh", "-c", "ls /none")
    return CommandRun("made-up", argv, 1, stdout, stderr, seconds=0.1, truncated=False)


def test_what_a_command_printed_has_no_last_newline() -> None:
    assert ran(stdout="one\ntwo\n").output == "one\ntwo"


def test_a_command_that_printed_nothing_is_no_observation() -> None:
    with pytest.raises(BenchError) as caught:
        ran(stdout=" \n").output  # noqa: B018

    assert str(caught.value) == (
        "`sh -c 'ls /none'` printed nothing (exit code 1): there is nothing to observe"
    )


def test_a_command_that_complained_about_nothing_is_no_observation() -> None:
    with pytest.raises(BenchError) as caught:
        ran(stdout="fine").error  # noqa: B018

    assert str(caught.value) == (
        "`sh -c 'ls /none'` complained about nothing (exit code 1): there is nothing to observe"
    )


def test_a_command_reads_as_it_was_typed() -> None:
    assert repr(ran()) == "`sh -c 'ls /none'`, exit code 1"
