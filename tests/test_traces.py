"""What a test leaves is noticed, whatever it is; what others make meanwhile is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.engine import Engine, Owner, cgroups, home
from fixtures.engine.ownership import LABEL
from fixtures.engine.waiting import poll
from fixtures.kernel import Process
from tests import traces
from tests.traces import nothing_is_left

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root makes such things")

# A process of somebody else's: nobody of the test's family has started it.
STRANGER = "import subprocess, sys; print(subprocess.Popen(['sleep', '1000'], stdout=subprocess.DEVNULL).pid)"


@pytest.fixture
def ours() -> Owner:
    return Owner.current()


@pytest.fixture
def stranger(ours: Owner) -> Iterator[Owner]:
    """A run of somebody else's, which lives."""
    done = subprocess.run(
        [sys.executable, "-c", STRANGER], stdout=subprocess.PIPE, text=True, check=True
    )
    process = Process(int(done.stdout))
    yield replace(ours, pid=process.host_pid, start_time=process.start_time)
    process.send_signal(signal.SIGKILL)


@contextmanager
def mount(name: str) -> Iterator[None]:
    with tempfile.TemporaryDirectory(prefix="traces-") as folder:
        subprocess.run(["mount", "-t", "tmpfs", name, folder], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", folder], check=True)


@contextmanager
def cgroup(name: str) -> Iterator[None]:
    made = cgroups.hierarchies()[0] / name
    made.mkdir()
    try:
        yield
    finally:
        made.rmdir()


@contextmanager
def named_network_namespace(name: str) -> Iterator[None]:
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        yield
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


@contextmanager
def folder_of_root_s(name: str) -> Iterator[None]:
    made = home.make(name)
    try:
        yield
    finally:
        made.rmdir()
        home.leave()


@contextmanager
def temporary_folder(name: str) -> Iterator[None]:
    made = Path(tempfile.gettempdir()) / name
    made.mkdir()
    try:
        yield
    finally:
        made.rmdir()


ANYBODY_S = [
    pytest.param(mount, marks=needs_root),
    pytest.param(cgroup, marks=needs_root),
    pytest.param(named_network_namespace, marks=needs_root),
    temporary_folder,
]
KINDS = [*ANYBODY_S, pytest.param(folder_of_root_s, marks=needs_root)]
Make = Callable[[str], ExitStack]


def is_noticed(make: Make, name: str) -> bool:
    """Whether what is made meanwhile under that name is said to be left."""
    with ExitStack() as later:
        try:
            with nothing_is_left(within=0):
                later.enter_context(make(name))
        except AssertionError as error:
            assert name in str(error)  # noqa: PT017 - the other way is an answer as well
            return True
    return False


@pytest.mark.parametrize("make", KINDS)
def test_what_is_left_is_noticed(make: Make, ours: Owner) -> None:
    assert is_noticed(make, f"isolation-labs.{ours}.x")


@pytest.mark.parametrize("make", KINDS)
def test_what_names_no_owner_but_the_suite_is_noticed(make: Make) -> None:
    assert is_noticed(make, "isolation-labs-nobody-s")


@pytest.mark.parametrize("make", KINDS)
def test_what_another_run_makes_meanwhile_is_not_noticed(make: Make, stranger: Owner) -> None:
    assert not is_noticed(make, f"isolation-labs.{stranger}.x")


@pytest.mark.parametrize("make", ANYBODY_S)
def test_what_others_make_meanwhile_is_not_noticed(make: Make) -> None:
    assert not is_noticed(make, "somebody-else-s")


def test_what_a_process_of_the_test_left_before_it_died_is_noticed() -> None:
    script = (
        "import os, tempfile\nfrom fixtures.engine import Owner\n"
        "name = f'isolation-labs.{Owner.current()}.x'\n"
        "print(name)\nos.mkdir(os.path.join(tempfile.gettempdir(), name))\n"
    )

    with (
        pytest.raises(AssertionError, match=r"file .*/isolation-labs\."),
        nothing_is_left(within=0),
    ):
        done = subprocess.run(
            [sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, check=True
        )
    (Path(tempfile.gettempdir()) / done.stdout.strip()).rmdir()


def test_what_a_run_of_another_boot_is_said_to_have_left_is_noticed(ours: Owner) -> None:
    assert is_noticed(temporary_folder, f"isolation-labs.{replace(ours, boot='00000000')}.x")


def test_the_folder_of_all_runs_is_noticed_where_it_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "isolation-labs"
    monkeypatch.setattr(home, "HOME", folder)
    monkeypatch.setattr(traces, "FOLDERS", (str(tmp_path),))
    with pytest.raises(AssertionError, match=f"^file {folder}$"), nothing_is_left(within=0):
        folder.mkdir()
    folder.rmdir()

    with nothing_is_left(within=0):
        (folder / "of another run").mkdir(parents=True)


@needs_root
def test_the_cgroup_of_an_engine_that_stands_goes_with_it(ours: Owner) -> None:
    engine = f"{ours}.999"
    with folder_of_root_s(engine):
        assert not is_noticed(cgroup, f"isolation-labs.{engine}")

    assert is_noticed(cgroup, f"isolation-labs.{engine}")


def started() -> subprocess.Popen[bytes]:
    """A process that shows its environment: a moment after its start it has none yet."""
    process = subprocess.Popen(["sleep", "1000"])
    poll(Path(f"/proc/{process.pid}/environ").read_bytes, bool, seconds=60)
    return process


def test_a_process_that_is_left_is_noticed() -> None:
    with pytest.raises(AssertionError, match=r"process .*sleep"), nothing_is_left(within=0):
        left = started()
    left.kill()
    left.wait()


def test_a_process_of_others_is_not_noticed() -> None:
    before = {**os.environ}
    with nothing_is_left(within=0):
        theirs = subprocess.Popen(["sleep", "1000"], env=before)
    theirs.kill()
    theirs.wait()


THINGS = ("container", "network", "volume", "tag")


def make_thing(engine: Engine, kind: str, owner: str, name: str) -> Callable[[], object]:
    """Make it on the engine; gives what removes it."""
    client, labels = engine.client, {LABEL: owner} if owner else {}
    if kind == "container":
        container = client.containers.create(engine.images["base"], name=name, labels=labels)
        return lambda: container.remove(force=True)
    if kind == "network":
        network = client.networks.create(name, labels=labels)
        return network.remove
    if kind == "volume":
        volume = client.volumes.create(name, labels=labels)
        return volume.remove
    tag = owner or "latest"
    client.images.get(engine.images["base"]).tag(name, tag)
    return lambda: client.images.remove(f"{name}:{tag}")


@pytest.mark.engine
@pytest.mark.parametrize("kind", THINGS)
def test_what_is_left_on_an_engine_is_noticed(engine: Engine, ours: Owner, kind: str) -> None:
    with pytest.raises(AssertionError, match=kind), nothing_is_left(engine.client, within=0):
        remove = make_thing(engine, kind, str(ours), "traces-ours")
    remove()


@pytest.mark.engine
@pytest.mark.parametrize("kind", THINGS)
def test_on_an_engine_of_the_test_s_own_all_that_is_left_is_noticed(
    engine: Engine, kind: str
) -> None:
    if engine.private is None:
        pytest.skip("the engine of this machine is not the tests' own")
    with pytest.raises(AssertionError, match=kind), nothing_is_left(engine.client, within=0):
        remove = make_thing(engine, kind, "", "traces-nobody-s")
    remove()


@pytest.mark.engine
@pytest.mark.parametrize("kind", THINGS)
@pytest.mark.parametrize("who", ["another run", "somebody"])
def test_what_others_make_on_the_user_s_engine_is_not_noticed(
    engine: Engine, stranger: Owner, monkeypatch: pytest.MonkeyPatch, kind: str, who: str
) -> None:
    info = engine.client.info() | {"DockerRootDir": "/var/lib/docker"}
    monkeypatch.setattr(engine.client, "info", lambda: info)
    owner = str(stranger) if who == "another run" else ""
    with nothing_is_left(engine.client, within=0):
        remove = make_thing(engine, kind, owner, "traces-theirs")
    remove()
