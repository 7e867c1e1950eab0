"""Who looks where: this process where it may, an observer where it may not."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.kernel import NotObservable, Process, files
from fixtures.kernel.procfs import ProcessDirectory, ProcessGone


class Root:
    """An observer that may look everywhere, and notes where it did."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def read(self, path: str) -> bytes:
        self.asked.append(f"read {path}")
        return b"seen by the observer"

    def readlink(self, path: str) -> str:
        self.asked.append(f"readlink {path}")
        return "net:[1]"

    def realpath(self, path: str) -> str:
        self.asked.append(f"realpath {path}")
        return "/real"

    def open(self, path: str, flags: int) -> int:
        self.asked.append(f"open {path}")
        return os.open("/", os.O_RDONLY | os.O_CLOEXEC)

    def send_signal(self, pid: int, start_time: int, number: int) -> None:
        self.asked.append(f"kill -{number} {pid}")


@pytest.fixture
def root() -> Iterator[Root]:
    observer = Root()
    files.set_observer(observer)
    yield observer
    files.set_observer(None)


def forbid(*_: object, **__: object) -> None:
    raise PermissionError(13, "Permission denied")


def test_where_this_process_may_look_nobody_else_is_asked(root: Root, tmp_path: Path) -> None:
    (tmp_path / "note").write_bytes(b"seen by this process")

    assert files.read(tmp_path / "note") == b"seen by this process"
    assert files.lstat(tmp_path / "note").st_size == 20
    assert files.names(tmp_path) == ["note"]
    assert root.asked == []


def test_where_it_may_not_the_observer_looks(root: Root, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "read_bytes", forbid)
    monkeypatch.setattr(Path, "lstat", forbid)
    monkeypatch.setattr(os.path, "realpath", forbid)

    assert files.read(Path("/secret")) == b"seen by the observer"
    assert files.lstat(Path("/secret")).st_ino == os.stat("/").st_ino
    assert files.realpath("/secret") == "/real"
    assert root.asked == ["read /secret", "open /secret", "realpath /secret"]


def test_without_an_observer_what_is_forbidden_stays_forbidden(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Path, "read_bytes", forbid)

    with pytest.raises(PermissionError):
        files.read(Path("/secret"))


def test_what_has_gone_is_not_looked_for_by_the_observer(root: Root, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.read(tmp_path / "nothing")
    assert root.asked == []


def test_a_process_is_looked_at_by_the_observer_in_its_own_proc_directory(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = ProcessDirectory(Path("/proc/self"))
    monkeypatch.setattr(os, "readlink", forbid)

    assert directory.readlink("ns/net") == "net:[1]"
    assert root.asked == ["readlink /proc/self/ns/net"]


def test_what_the_observer_saw_of_a_pid_is_dropped_when_the_process_had_gone(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = subprocess.Popen(["sleep", "infinity"])
    directory = ProcessDirectory(Path(f"/proc/{child.pid}"))
    child.kill()
    child.wait()
    monkeypatch.setattr(os, "readlink", forbid)

    with pytest.raises(ProcessGone):
        directory.readlink("ns/net")


def test_a_signal_that_this_user_may_not_send_goes_by_the_observer(
    root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = Process(os.getpid())
    monkeypatch.setattr(signal, "pidfd_send_signal", forbid)

    process.send_signal(signal.SIGTERM)

    assert root.asked == [f"kill -15 {os.getpid()}"]


def test_without_an_observer_a_signal_that_is_forbidden_is_not_observable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    process = Process(os.getpid())
    monkeypatch.setattr(signal, "pidfd_send_signal", forbid)

    with pytest.raises(NotObservable, match="may not signal"):
        process.send_signal(signal.SIGTERM)
