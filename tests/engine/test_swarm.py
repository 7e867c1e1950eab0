"""Two hosts that are a swarm: what they are made of, and that they go without a trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from fixtures.engine import Engine, Owner, private
from fixtures.engine.container import ApiRead
from fixtures.engine.options import DEFAULTS, merged
from fixtures.engine.reaper import Reaper
from fixtures.engine.swarm import OVERLAYS, Swarm
from fixtures.engine.waiting import poll
from tests.traces import nothing_is_left

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(private.missing() is not None, reason=str(private.missing())),
]


@pytest.fixture(scope="module")
def swarm(reaper: Reaper) -> Iterator[Swarm]:
    def start(**config: Any) -> Engine:
        return Engine.start_private(Owner.current(), reaper, **config)

    with nothing_is_left():
        made = Swarm(start, heartbeat=1)
        yield made
        made.close()


def test_each_host_has_an_engine_with_a_name_and_an_identity_of_its_own(swarm: Swarm) -> None:
    informations = [host.engine.client.info() for host in swarm]

    assert [each["Name"] for each in informations] == ["host-1", "host-2"]
    assert len({each["ID"] for each in informations}) == 2
    assert [each["Swarm"]["ControlAvailable"] for each in informations] == [True, False]
    assert swarm.states == {"host-1": "ready", "host-2": "ready"}


def test_an_overlay_network_comes_to_a_host_with_a_container(swarm: Swarm) -> None:
    before = swarm["host-2"].namespace_of("red")
    options = merged(DEFAULTS, {"network_mode": "red"})
    c1, c2 = (host.engine.start(options, role=f"C on {host}") for host in swarm)
    try:
        red = swarm["host-2"].namespace_of("red")
        reached = poll(
            lambda: c1.exec("ping", "-c", "1", "-W", "1", c2.address("red")).exit_code == 0,
            bool,
            seconds=10,
        )

        assert before is None
        assert red is not None
        assert {"br0", "vxlan0"} <= red.links.keys()
        assert red.links["vxlan0"].details["id"] == swarm.vni("red")
        assert swarm["host-2"].namespace_of("green") is None
        assert reached
        assert c1.lookup(c2.name) == {c2.address("red")}
        assert c1.lookup("nobody") == set()
        with c1.listen() as link:
            c1.exec("ping", "-c", "1", c2.address("red"))
        assert len(link.of("ICMP")) == 2
    finally:
        c1.remove()
        c2.remove()


def test_each_overlay_network_has_a_number(swarm: Swarm) -> None:
    assert len({swarm.vni(name) for name in OVERLAYS}) == len(OVERLAYS)


def test_the_containers_of_a_service_are_told_by_host_and_go_with_it(
    swarm: Swarm, announced: list[Any]
) -> None:
    swarm["host-1"].docker(
        "service", "create", "--detach", "--no-resolve-image", "--name=web", "--mode=global",
        "--stop-signal=KILL", "busybox", "sleep", "infinity",
    )  # fmt: skip

    running = poll(
        lambda: [len(host.containers_of("web")) for host in swarm],
        lambda counts: counts == [1, 1],
        seconds=30,
    )
    ids = swarm["host-2"].containers_of("web")
    swarm.forget_services()
    left = poll(
        lambda: [len(host.containers_of("web")) for host in swarm],
        lambda counts: counts == [0, 0],
        seconds=30,
    )

    assert (running, left) == ([1, 1], [0, 0])
    line = "docker ps --quiet --filter=label=com.docker.swarm.service.name=web"
    assert ApiRead(f"host-2: {line}", ids[0]) in announced
    assert [each.container for each in announced if hasattr(each, "argv")] == ["host-1"]


def test_it_is_told_how_it_is_made(swarm: Swarm, announced: list[Any]) -> None:
    swarm.introduce()

    assert [each.source for each in announced] == [
        "host-1: docker swarm init --advertise-addr=192.0.2.1 --dispatcher-heartbeat=1s",
        "host-2: docker swarm join --advertise-addr=192.0.2.2 --token=$token 192.0.2.1:2377",
        "host-1: docker network create --driver=overlay --attachable red",
        "host-1: docker network create --driver=overlay --attachable blue",
        "host-1: docker network create --driver=overlay --attachable white",
        "host-1: docker network create --driver=overlay --attachable --opt=encrypted sealed",
        "host-1: docker network create green",
        "host-2: docker network create green",
    ]
