"""What came of a request: a text, one of four reasons, or a broken bench."""

from __future__ import annotations

import pytest

from fixtures.engine import BenchError, fetching
from fixtures.engine.command import CommandRun

URL = "http://172.17.0.2:5000/hostname"


def ran(exit_code: int, stdout: str = "", stderr: str = "") -> CommandRun:
    return CommandRun("container", ("client", URL), exit_code, stdout, stderr, 0.1, truncated=False)


@pytest.mark.parametrize(
    ("exit_code", "stdout", "stderr", "answer"),
    [
        (0, "web\n", "", "web"),
        (143, "", "Terminated\n", "timed out"),
        (124, "", "", "timed out"),
        (1, "", "wget: bad address 'web:5000'\n", "no such name"),
        (1, "", "wget: can't connect to remote host (172.17.0.2): Connection refused\n",
         "no connection"),
        (1, "", "wget: can't connect to remote host: Network unreachable\n", "no connection"),
    ],
)  # fmt: skip
def test_what_wget_says_is_an_answer(exit_code: int, stdout: str, stderr: str, answer: str) -> None:
    assert fetching.answer_to_wget(ran(exit_code, stdout, stderr)) == answer


@pytest.mark.parametrize(
    ("exit_code", "answer"),
    [
        (6, "no such name"),
        (7, "no connection"),
        (28, "timed out"),
        (52, "connected, and no answer"),
        (56, "connected, and no answer"),
    ],
)
def test_what_curl_ends_with_is_an_answer(exit_code: int, answer: str) -> None:
    assert fetching.answer_to_curl(ran(0, "web\n")) == "web"
    assert fetching.answer_to_curl(ran(exit_code, "", "curl: …")) == answer


def test_a_missing_program_is_no_reason_why_there_is_no_connection() -> None:
    missing = ran(127, "", "timeout: can't execute 'wget': No such file or directory\n")
    crashed = ran(139, "", "Segmentation fault\n")

    for each in (missing, crashed):
        with pytest.raises(BenchError, match="exit code 1"):
            fetching.answer_to_wget(each)
        with pytest.raises(BenchError, match="exit code 1"):
            fetching.answer_to_curl(each)


def test_an_empty_answer_is_none() -> None:
    with pytest.raises(BenchError, match="nothing to observe"):
        fetching.answer_to_wget(ran(0))
