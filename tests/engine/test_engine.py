"""The engine of a run: proven to be this machine's, with images, and left as it was found."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fixtures.engine import BenchError, Engine, Owner, cleanup, image
from fixtures.engine.endpoint import Endpoint
from fixtures.engine.errors import EngineUnreachable
from fixtures.engine.options import DEFAULTS
from fixtures.engine.ownership import LABEL, NAME
from fixtures.engine.reaper import Reaper
from fixtures.kernel import Process
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
        "Try: apt-get install busybox-static   (Fedora: dnf install busybox)\n"
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
