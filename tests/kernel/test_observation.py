from __future__ import annotations

from pathlib import Path

import pytest

from fixtures.kernel import Doing, FileRead, NotObservable, set_recorder
from fixtures.kernel.observation import announce, doing, quoted, read_text, unobserved


def test_without_a_recorder_an_announcement_goes_nowhere(announced: list[FileRead]) -> None:
    set_recorder(None)
    announce(FileRead("/proc/1/stat", None, "1"))

    assert not announced


def test_the_recorder_gets_what_is_announced(announced: list[FileRead]) -> None:
    read = FileRead("/proc/1/stat", None, "1")
    announce(read)

    assert [read] == announced


def test_a_look_that_is_no_evidence_is_not_announced(announced: list[FileRead]) -> None:
    read = FileRead("/proc/1/stat", None, "1")
    with unobserved():
        announce(read)
    assert not announced

    announce(read)
    assert announced == [read]


def test_what_takes_time_is_announced_before_and_what_it_is_made_of_is_not(
    announced: list[object],
) -> None:
    with doing("waiting for a file"):
        assert announced == [Doing("waiting for a file")]
        with doing("running `test -e /file`"):
            announce(FileRead("/proc/1/stat", None, "1"))
    with doing("waiting for another"):
        pass

    assert announced == [
        Doing("waiting for a file"),
        FileRead("/proc/1/stat", None, "1"),
        Doing("waiting for another"),
    ]


def test_after_one_that_failed_the_next_is_announced(announced: list[object]) -> None:
    with pytest.raises(ZeroDivisionError), doing("one"):
        _ = 1 / 0
    with doing("the next"):
        pass

    assert announced == [Doing("one"), Doing("the next")]


def test_what_a_look_that_is_no_evidence_does_is_not_announced(announced: list[object]) -> None:
    with unobserved(), doing("starting the container"):
        pass

    assert announced == []


def test_code_stands_in_a_phrase_on_one_line_and_is_cut_where_it_gets_long() -> None:
    assert quoted("sh -c 'one\n  two'") == "`sh -c 'one two'`"
    assert quoted("123456789", longest=8) == "`1234567…`"
    assert quoted("12345678", longest=8) == "`12345678`"


def test_what_is_not_observable_tells_why_and_how_to_get_it() -> None:
    error = NotObservable("the file is missing", "boot a newer kernel")

    assert str(error) == "the file is missing. To get it: boot a newer kernel."
    assert (error.reason, error.remedy) == ("the file is missing", "boot a newer kernel")


def test_bytes_that_are_no_text_survive_reading(tmp_path: Path) -> None:
    file = tmp_path / "comm"
    file.write_bytes(b"a\xffb\r\n")

    assert read_text(file).encode(errors="surrogateescape") == b"a\xffb\r\n"
