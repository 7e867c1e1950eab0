"""The observer container: what it answers, and that it is root's eye and no more."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.engine import Container, Engine, observer_program, scratch
from fixtures.engine import observer as observer_module
from fixtures.engine.observer import ObserverContainer
from fixtures.engine.options import DEFAULTS
from fixtures.kernel import NotObservable, Process
from tests.kernel.trees import as_ordinary_user

pytestmark = pytest.mark.engine

AS_ROOT_READS = pytest.mark.skipif(
    os.geteuid() != 0, reason="what it reads is compared with root's"
)


@pytest.fixture(scope="module")
def observer(engine: Engine) -> Iterator[ObserverContainer]:
    opened = engine.open_observer()
    yield opened
    opened.close()
    engine.client.containers.get(opened.name).remove(force=True)


@pytest.fixture(scope="module")
def container(engine: Engine) -> Iterator[Container]:
    started = engine.start(DEFAULTS)
    yield started
    started.remove()


def test_one_that_has_ended_is_said(engine: Engine) -> None:
    observer = engine.open_observer()
    observer.read("/proc/version")
    engine.client.containers.get(observer.name).remove(force=True)

    with pytest.raises(
        NotObservable, match=r"observer container.*failed: (it has ended|.*Broken pipe)"
    ):
        observer.read("/proc/version")
    observer.close()


@AS_ROOT_READS
def test_it_reads_what_the_host_reads(observer: ObserverContainer, container: Container) -> None:
    own = Path(f"/proc/{container.init.host_pid}")

    assert observer.read(f"{own}/environ") == (own / "environ").read_bytes()
    assert observer.readlink(f"{own}/ns/net") == os.readlink(own / "ns/net")
    assert observer.realpath("/proc/self/../version") == "/proc/version"


@AS_ROOT_READS
def test_its_descriptor_is_of_the_same_namespace(
    observer: ObserverContainer, container: Container
) -> None:
    path = f"/proc/{container.init.host_pid}/ns/net"

    fd = observer.open(path, os.O_RDONLY)
    status = os.fstat(fd)
    os.close(fd)

    assert (status.st_dev, status.st_ino) == (os.stat(path).st_dev, os.stat(path).st_ino)


def test_what_is_not_there_is_not_there_for_it_either(observer: ObserverContainer) -> None:
    with pytest.raises(FileNotFoundError) as raised:
        observer.read("/no-such-\udcff")

    assert raised.value.filename == "/no-such-\udcff"


def test_it_opens_nothing_for_writing(observer: ObserverContainer, tmp_path: Path) -> None:
    (tmp_path / "note").touch()

    for flags in (os.O_WRONLY, os.O_RDWR, os.O_RDONLY | os.O_TRUNC, os.O_RDONLY | os.O_CREAT):
        with pytest.raises(OSError, match="Read-only"):
            observer.open(f"{tmp_path}/note", flags)


def test_its_program_has_not_the_power_to_write_what_is_root_s(
    observer: ObserverContainer, container: Container
) -> None:
    """Engines before version 25 leave the mounts below /host writable."""
    observer.read("/proc/version")
    container_ = observer._client.containers.get(observer.name)
    program = Process(int(container_.attrs["State"]["Pid"]))

    assert program.uid == observer_program.NOBODY
    assert program.capabilities.effective == {"DAC_READ_SEARCH", "KILL", "SYS_PTRACE"}
    assert program.capabilities.permitted == program.capabilities.effective


@pytest.mark.skipif(os.geteuid() != 0, reason="to be another user takes root")
def test_a_stranger_who_connects_first_is_not_believed() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listening,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger,
        socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as root,
    ):
        place = Path(folder, "socket")
        listening.bind(str(place))
        listening.listen()
        for each, mode in ((place.parent, 0o755), (place, 0o777)):
            each.chmod(mode)
        with as_ordinary_user():
            stranger.connect(str(place))
        root.connect(str(place))

        believed = observer_module._accept(listening)

        root.send(b"it is me")
        assert believed.recv(100) == b"it is me"
        believed.close()
        assert stranger.recv(1) == b""


def test_nobody_else_may_come_near_its_socket(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[str] = []

    def refuse(*words: object, volumes: list[str], **options: object) -> None:
        (socket_,) = scratch.place().glob(f"isolation-labs.{engine.owner}.*/socket")
        modes.extend(stat.filemode(each.stat().st_mode) for each in (socket_.parent, socket_))
        raise OSError("seen enough")

    monkeypatch.setattr(
        engine.client.containers.__class__, "run", lambda self, *a, **b: refuse(*a, **b)
    )
    with pytest.raises(NotObservable, match="seen enough"):
        engine.open_observer().read("/proc/version")

    assert modes == ["drwx------", "srw-------"]


def test_it_signals_a_process_and_not_the_next_one_with_its_pid(
    observer: ObserverContainer,
) -> None:
    child = subprocess.Popen(["sleep", "infinity"])
    process = Process(child.pid)

    with pytest.raises(ProcessLookupError):
        observer.send_signal(child.pid, process.start_time + 1, signal.SIGKILL)
    assert process.alive
    observer.send_signal(child.pid, process.start_time, signal.SIGKILL)

    assert child.wait() == -signal.SIGKILL


def test_one_that_can_not_start_is_said_once_and_not_tried_again(engine: Engine) -> None:
    broken = ObserverContainer(engine.client, "no-such-image:lab", engine.owner, {}, "observer")

    for _ in range(2):
        with pytest.raises(NotObservable, match=r"observer container.*failed"):
            broken.read("/proc/version")
