"""A network beside an engine's host: a cable, a switch and a router, and nothing of it stays."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from fixtures.engine import BenchError, Engine
from fixtures.engine.lan import Lan
from fixtures.kernel import NetworkNamespace

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(os.geteuid() != 0, reason="a network beside the host takes root"),
]


@pytest.fixture
def lan(engine: Engine) -> Iterator[Lan]:
    laid = Lan(engine)
    yield laid
    laid.remove()


def ping(engine: Engine, address: str) -> bool:
    """Whether the host is answered; by bash, as not every host has a ping: refused is an answer."""
    script = f"exec 3<> /dev/tcp/{address}/9"
    command = engine.host_command("timeout", "1", "bash", "-c", script)
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    return "refused" in said


def test_the_router_answers_over_the_cable_and_the_switch_learns_who_asked(
    engine: Engine, lan: Lan
) -> None:
    assert engine.private is not None
    host = NetworkNamespace(engine.private.network_namespace)

    with lan.listen() as cable:
        assert ping(engine, lan.router)

    card = host.links[lan.link]
    assert (card.addresses, card.kind) == (("198.51.100.10/24",), "veth")
    assert {packet.mac_source for packet in cable.between(lan.host_address, lan.router)} == {
        card.address
    }
    assert [each.device for each in lan.network.forwarding if each.mac == card.address] == ["port1"]


def test_a_locked_switch_knows_the_host_and_whom_it_was_told(engine: Engine, lan: Lan) -> None:
    lan.lock()
    assert ping(engine, lan.router)

    other = "02:00:00:00:00:99"
    lan.register(other)
    known = {each.mac for each in lan.network.forwarding if each.device == lan.port and
             each.state == "static"}  # fmt: skip
    assert known == {lan.mac, other}


def test_a_locked_switch_drops_what_is_for_a_mac_that_it_was_not_told(
    engine: Engine, lan: Lan
) -> None:
    lan.lock()
    change = engine.host_command("ip", "link", "set", lan.link, "address", "02:00:00:00:00:99")
    subprocess.run(change, check=True)

    assert not ping(engine, lan.router)


def test_nothing_of_it_stays_and_once_is_enough(engine: Engine) -> None:
    assert engine.private is not None
    host = NetworkNamespace(engine.private.network_namespace)
    before = host.links

    for _ in range(2):
        lan = Lan(engine)
        assert lan.link in host.links
        lan.remove()
        assert host.links == before
        assert not lan.process.alive
    lan.remove()


def test_no_cable_is_laid_on_a_user_s_host(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "private", None)

    with pytest.raises(BenchError, match="use @suite_engine"):
        Lan(engine)
