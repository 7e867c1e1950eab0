from __future__ import annotations

from pathlib import Path

from fixtures.kernel import FileRead, NotObservable, set_observer
from fixtures.kernel.observation import announce, read_text, unobserved


def test_without_an_observer_an_announcement_goes_nowhere(announced: list[FileRead]) -> None:
    set_observer(None)
    announce(FileRead("/proc/1/stat", None, "1"))

    assert not announced


def test_the_observer_gets_what_is_announced(announced: list[FileRead]) -> None:
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


def test_what_is_not_observable_tells_why_and_how_to_get_it() -> None:
    error = NotObservable("the file is missing", "boot a newer kernel")

    assert str(error) == "the file is missing. To get it: boot a newer kernel."
    assert (error.reason, error.remedy) == ("the file is missing", "boot a newer kernel")


def test_bytes_that_are_no_text_survive_reading(tmp_path: Path) -> None:
    file = tmp_path / "comm"
    file.write_bytes(b"a\xffb\r\n")

    assert read_text(file).encode(errors="surrogateescape") == b"a\xffb\r\n"
