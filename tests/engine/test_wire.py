"""Two hosts with a wire between them: they reach each other and nobody else, and they go."""

from __future__ import annotations

import os
from typing import Any

import pytest

from fixtures.engine import BenchError
from fixtures.engine.command import CommandRun
from fixtures.engine.container import ApiRead
from fixtures.engine.wire import bare_hosts, join
from tests.traces import nothing_is_left

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")


def test_each_host_has_an_end_of_the_wire_and_no_way_out() -> None:
    with bare_hosts() as hosts:
        found = [
            (
                {name: link.addresses for name, link in host.network.links.items()},
                host.network.routes,
            )
            for host in hosts
        ]

    for (links, routes), address in zip(found, ("192.0.2.1", "192.0.2.2"), strict=True):
        assert links == {"lo": ("127.0.0.1/8", "::1/128"), "eth0": (f"{address}/24",)}
        assert [route.destination for route in routes] == ["192.0.2.0/24"]


def test_what_one_sends_goes_over_the_wire() -> None:
    with bare_hosts() as (one, two):
        with two.listen() as wire:
            refused = one.exec("bash", "-c", f"echo > /dev/tcp/{two.address}/9")

        assert "refused" in refused.stderr
        assert {each.port for each in wire.between(one.address, two.address)} == {9}
        assert (repr(one), repr(two)) == ("host-1", "host-2")


def test_it_is_told_how_they_are_made_and_which_of_them_ran_what(announced: list[Any]) -> None:
    with bare_hosts() as (_, two):
        two.exec("echo", "hello")

    assert [each.source for each in announced if isinstance(each, ApiRead)] == [
        "ip netns add host-1",
        "ip netns add host-2",
        "ip link add eth0 netns host-1 type veth peer name eth0 netns host-2",
        "ip -n host-1 address add 192.0.2.1/24 dev eth0",
        "ip -n host-1 link set eth0 up",
        "ip -n host-2 address add 192.0.2.2/24 dev eth0",
        "ip -n host-2 link set eth0 up",
    ]
    ran = [each for each in announced if isinstance(each, CommandRun)]
    assert [(each.container, each.argv, each.output) for each in ran] == [
        ("host-2", ("echo", "hello"), "hello")
    ]


def test_nothing_of_them_is_left() -> None:
    with nothing_is_left(), bare_hosts() as (one, _):
        one.exec("ip", "link", "add", "vxlan0", "type", "vxlan", "id", "42", "dstport", "4789")


def test_a_wire_can_be_laid_once() -> None:
    with bare_hosts() as hosts, pytest.raises(BenchError, match=r"ip link add eth0 .* File exists"):
        join(hosts)
