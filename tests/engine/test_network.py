"""A network: labelled, by its name in an option, a bridge on the host, and there until removed."""

from __future__ import annotations

import os

import pytest

from fixtures.engine import BenchError, Engine
from fixtures.engine.container import ApiRead, Container
from fixtures.engine.network import Network
from fixtures.engine.options import DEFAULTS, merged
from fixtures.engine.ownership import LABEL
from fixtures.kernel import NetworkNamespace, set_recorder
from tests.traces import nothing_is_left

pytestmark = pytest.mark.engine

ENTERING_TAKES_ROOT = pytest.mark.skipif(
    os.geteuid() != 0, reason="to enter the network of a container takes root"
)


def start(engine: Engine, **options: object) -> Container:
    return engine.start(merged(DEFAULTS, options))


def host(engine: Engine) -> NetworkNamespace:
    assert engine.private is not None
    return NetworkNamespace(engine.private.network_namespace)


@ENTERING_TAKES_ROOT
def test_a_network_is_the_run_s_and_a_bridge_and_goes_and_once_is_enough(engine: Engine) -> None:
    with nothing_is_left(engine.client):
        network = engine.make_network()
        made = engine.client.networks.get(str(network))

        assert made.attrs["Labels"] == {LABEL: str(engine.owner)}
        assert host(engine).links[network.bridge].kind == "bridge"

        network.remove()
        network.remove()
        assert network.bridge not in host(engine).links


def test_its_options_reach_the_engine_and_the_line_says_them(engine: Engine) -> None:
    told: list[object] = []
    with nothing_is_left(engine.client):
        set_recorder(told.append)
        try:
            network = engine.make_network(
                "closed-network", internal=True, subnet="10.98.0.0/24", ip_range="10.98.0.128/25",
                gateway="10.98.0.9", options={"com.docker.network.bridge.enable_icc": "false"},
            )  # fmt: skip
        finally:
            set_recorder(None)
        asked = engine.client.networks.get(network.name).attrs
        network.remove()

    assert told[1:] == [
        ApiRead(
            "docker network create --driver=bridge --internal --subnet=10.98.0.0/24 "
            "--ip-range=10.98.0.128/25 --gateway=10.98.0.9 "
            f"--opt=com.docker.network.bridge.enable_icc=false {network.name}",
            network.id,
        )
    ]
    assert network.name.startswith("isolation-labs-closed-network-")
    assert (asked["Internal"], asked["Options"]["com.docker.network.bridge.enable_icc"]) == (
        True, "false",
    )  # fmt: skip
    (pool,) = asked["IPAM"]["Config"]
    assert (pool["Subnet"], pool["IPRange"], pool["Gateway"]) == (
        "10.98.0.0/24", "10.98.0.128/25", "10.98.0.9",
    )  # fmt: skip


@ENTERING_TAKES_ROOT
def test_who_is_still_in_it_is_taken_out_before_it_goes(engine: Engine) -> None:
    first, second = engine.make_network(), engine.make_network("other-network")
    container = start(engine, network_mode=first.name)
    second.connect(container)
    addresses = [container.address(network) for network in (first, second)]

    links = container.network.links
    assert [links[name].addresses[0].partition("/")[0] for name in ("eth0", "eth1")] == addresses
    second.remove()
    assert "eth1" not in container.network.links
    container.remove()
    first.remove()


def test_what_can_not_be_made_is_a_broken_bench_with_its_line(engine: Engine) -> None:
    with nothing_is_left(engine.client), pytest.raises(BenchError, match="no-such-driver lab"):
        Network(engine.client, "lab", {}, driver="no-such-driver")


def test_a_container_is_published_and_has_an_alias(engine: Engine) -> None:
    network = engine.make_network()
    container = start(
        engine, network_mode=network.name, network_aliases=["web"], ports=["127.0.0.1:80:5000"]
    )

    settings = container.inspect("NetworkSettings")
    assert "web" in settings["Networks"][network.name]["Aliases"]
    assert settings["Ports"] == {"5000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "80"}]}
    container.remove()
    network.remove()
