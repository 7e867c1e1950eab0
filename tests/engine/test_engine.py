"""The engine of a run: proven to be this machine's, with images, and left as it was found."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from fixtures.engine import BenchError, Engine, Owner, cleanup, image, scratch
from fixtures.engine.endpoint import Endpoint
from fixtures.engine.errors import EngineUnreachable
from fixtures.engine.host_namespaces import REMEDY, HostNamespaces
from fixtures.engine.options import DEFAULTS
from fixtures.engine.ownership import LABEL, NAME
from fixtures.engine.reaper import Reaper
from fixtures.kernel import NotObservable, Process
from tests.fake_engine import FakeEngine
from tests.traces import nothing_is_left

OURS = Owner.current()


@pytest.fixture
def another() -> Iterator[Owner]:
    """Another run, which lives."""
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield replace(OURS, pid=process.pid, start_time=Process(process.pid).start_time)
        process.kill()


# Whose it is


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"KernelVersion": "3.10.0"}, f"its kernel is 3.10.0, this one is {os.uname().release}"),
        ({}, f"its kernel is unknown, this one is {os.uname().release}"),
        (
            {"OperatingSystem": "Docker Desktop", "KernelVersion": os.uname().release},
            "Docker Desktop has a virtual machine for it",
        ),
    ],
)
def test_an_engine_of_another_machine_is_refused_before_anything_is_made_on_it(
    fake: FakeEngine, said: dict[str, str], why: str
) -> None:
    fake.answers["GET /info"] = said

    with pytest.raises(EngineUnreachable) as refusal:
        Engine(Endpoint(fake.url, "DOCKER_HOST"), OURS, _NoReaper())

    first, _, rest = str(refusal.value).partition("\n")
    assert first == (
        f"the Docker Engine at {fake.url} (DOCKER_HOST) does not run on this machine: {why}."
    )
    assert "unset DOCKER_HOST" in rest
    assert {each.partition(" ")[0] for each in fake.asked} == {"GET"}


IN_A_CONTAINER = """
from fixtures.engine import Engine, Owner, cleanup
from fixtures.engine.endpoint import Endpoint
from fixtures.engine.reaper import Reaper

where, owner = Endpoint({url!r}, "made up"), Owner.current()
reaper = Reaper(owner)
try:
    Engine(where, owner, reaper)
except Exception as error:
    print(type(error).__name__, error)
finally:
    cleanup.remove_all_of(where.connect(), owner)
    reaper.dismiss()
"""


@pytest.mark.engine
@pytest.mark.skipif(os.geteuid() != 0, reason="a PID namespace takes root")
def test_a_run_in_another_pid_namespace_is_refused_with_what_it_needs(engine: Engine) -> None:
    """As in a container of CI with the engine's socket: its pids are nobody's there, or others'."""
    with nothing_is_left(engine.client):
        said = subprocess.run(
            ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c",
             IN_A_CONTAINER.format(url=engine.where.url)],
            cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip

    refusal, *rest = said.splitlines()
    assert refusal == (
        f"EngineUnreachable the Docker Engine at {engine.where.url} (made up) is in another PID "
        "namespace than the labs, as where either runs in a container: its pids are not those of "
        "this /proc."
    )
    assert rest == [
        "The labs read /proc and the cgroups of the engine's machine.",
        f"Try: {REMEDY}",
    ]


@pytest.mark.engine
def test_folders_of_a_run_get_the_label_where_selinux_wants_one(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = scratch.make(OURS)
    started = []
    volumes = [f"{ours}:/a", f"{ours}:/b:ro", "/etc:/c:ro", "named:/d"]
    try:
        for options in (["name=seccomp,profile=builtin"], ["name=selinux"]):
            monkeypatch.setitem(engine.information, "SecurityOptions", options)
            started.append(engine.start(DEFAULTS | {"volumes": volumes}))
        plain, labelled = started

        assert plain.options["volumes"] == volumes
        # An engine without SELinux knows the option, and has nothing to do.
        assert labelled.has("/a")
        assert labelled.options["volumes"] == [
            f"{ours}:/a:z",
            f"{ours}:/b:ro,z",
            "/etc:/c:ro",
            "named:/d",
        ]
    finally:
        for each in started:
            each.remove()
        engine.client.volumes.get("named").remove()
        scratch.remove(ours)


@pytest.mark.engine
def test_a_file_that_the_engine_does_not_have_is_not_mounted(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = HostNamespaces(Process(os.getpid()), ("mnt",), shares_files=False)
    monkeypatch.setattr(engine, "_host", elsewhere)
    monkeypatch.setattr(HostNamespaces, "have", lambda self, path: path != tmp_path)

    with pytest.raises(NotObservable, match=f"the engine does not find {tmp_path} on its host"):
        engine.start(DEFAULTS | {"volumes": ["/etc:/etc", f"{tmp_path}:/here"]})


@pytest.mark.engine
def test_its_processes_are_found_by_its_socket_where_it_is_docker_s(
    engine: Engine, another: Owner, reaper: Reaper
) -> None:
    """The run's own private engine, met as a user's."""
    theirs = Engine(Endpoint(engine.where.url, "made up"), another, reaper)
    try:
        assert theirs.daemons == engine.daemons
        assert [each.name for each in theirs.daemons] == ["dockerd", "containerd"]

        theirs.version["Components"] = [{"Name": "Podman Engine", "Version": "5.0"}]

        assert theirs.daemons == []
    finally:
        theirs.close()


class _NoReaper(Reaper):
    def __init__(self) -> None:
        """Watches nothing."""


# Its images


@pytest.mark.engine
def test_an_image_has_the_same_id_each_time_it_is_loaded(engine: Engine, another: Owner) -> None:
    with nothing_is_left(engine.client):
        engine.client.images.load(image.base_image(image.find_busybox(), another))
        names = (image.reference("base", another), engine.images["base"])
        ids = {engine.client.images.get(name).id for name in names}
        cleanup.remove_all_of(engine.client, another)

    assert len(ids) == 1


def test_without_a_static_busybox_there_is_a_message_and_no_image_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os.path, "exists", lambda path: False)

    with pytest.raises(BenchError) as error:
        image.find_busybox()

    assert str(error.value) == (
        "the containers are made of a static busybox, and this machine has none in its PATH\n"
        "Try: apt-get install busybox-static\n"
        "or put the one of an image that you trust into a folder of your PATH: "
        "docker cp $(docker create busybox:musl):/bin/busybox ~/bin/"
    )


# Cleaning up


@pytest.mark.engine
def test_a_sweep_removes_what_the_dead_left_and_nothing_of_the_living(
    engine: Engine, another: Owner, dead: Owner
) -> None:
    client = engine.client

    def make(text: str) -> list[str]:
        labels = {LABEL: text}
        name = f"{NAME}{text}"
        container = client.containers.create(
            engine.images["base"], ["sleep", "9"], name=name, labels=labels
        )
        network = client.networks.create(name, labels=labels)
        volume = client.volumes.create(name, labels=labels)
        client.images.get(engine.images["base"]).tag("isolation-labs/base", text)
        return [str(container.id), str(network.id), str(volume.name), f"isolation-labs/base:{text}"]

    with nothing_is_left(client):
        theirs = make(str(another))
        with nothing_is_left(client):
            make(str(dead))

            assert cleanup.sweep(client) >= 4

        client.containers.get(theirs[0])
        client.networks.get(theirs[1])
        client.volumes.get(theirs[2])
        client.images.get(theirs[3])
        cleanup.remove_all_of(client, another)


@pytest.mark.engine
def test_closing_leaves_the_engine_as_it_was(
    engine: Engine, another: Owner, reaper: Reaper
) -> None:
    """Two runs on one engine: the other one comes and goes."""
    with nothing_is_left(engine.client):
        theirs = Engine(Endpoint(engine.where.url, "made up"), another, reaper)
        container = theirs.start(DEFAULTS)
        name = f"{NAME}{another}"
        theirs.client.networks.create(name, labels={LABEL: str(another)})
        theirs.client.volumes.create(name, labels={LABEL: str(another)})
        theirs.close()

    assert not container.init.alive


@pytest.mark.engine
def test_a_container_of_an_image_that_was_committed_from_one_of_ours_is_left(
    engine: Engine, another: Owner
) -> None:
    """Docker gives the labels of a container to what it commits, and those to the next container."""
    client = engine.client
    with nothing_is_left(client):
        ours = client.containers.create(
            engine.images["base"], ["true"], name=f"{NAME}1", labels={LABEL: str(another)}
        )
        image_ = ours.commit("somebody-s", "latest")
        container = client.containers.create("somebody-s", ["true"], name="somebody-s")
        try:
            assert container.labels[LABEL] == str(another)

            cleanup.remove_all_of(client, another)

            left = {each.name for each in client.containers.list(all=True)}
            assert "somebody-s" in left
            assert ours.name not in left
        finally:
            container.remove()
            client.images.remove(str(image_.id))
