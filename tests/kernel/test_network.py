"""The tools' outputs are those of iproute2 6.1 and iptables 1.8.9, shortened."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from fixtures.kernel import FileRead, Link, NetworkNamespace, NotObservable
from fixtures.kernel.network import Forwarding, Neighbour, Route, Rule, Socket

from .trees import as_ordinary_user

BRIDGE = {
    "ifindex": 2, "ifname": "docker0", "flags": ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"],
    "mtu": 1500, "link_type": "ether", "address": "02:42:e1:70:6e:34",
    "linkinfo": {"info_kind": "bridge", "info_data": {"forward_delay": 1500}},
    "addr_info": [
        {"family": "inet", "local": "172.17.0.1", "prefixlen": 16, "scope": "global"},
        {"family": "inet6", "local": "fe80::1450:e1ff:fe70:6e34", "prefixlen": 64, "scope": "link"},
    ],
}  # fmt: skip
PORT = {
    "ifindex": 8, "link_index": 7, "ifname": "veth1a2b", "flags": ["BROADCAST", "UP"], "mtu": 1500,
    "master": "docker0", "link_type": "ether", "address": "16:50:e1:70:6e:34", "link_netnsid": 0,
    "linkinfo": {"info_kind": "veth"}, "addr_info": [],
}  # fmt: skip
ETH0 = {
    "ifindex": 7, "link_index": 8, "ifname": "eth0", "flags": ["BROADCAST", "UP"], "mtu": 1500,
    "link_type": "ether", "address": "02:42:ac:11:00:02", "link_netnsid": 0,
    "linkinfo": {"info_kind": "veth"},
    "addr_info": [{"family": "inet", "local": "172.17.0.2", "prefixlen": 16, "scope": "global"}],
}  # fmt: skip
LO = {"ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK"], "mtu": 65536, "link_type": "loopback",
      "address": "00:00:00:00:00:00", "addr_info": []}  # fmt: skip
MACVLAN = {"ifindex": 3, "link": "lo", "ifname": "mv", "flags": ["UP"], "mtu": 1500,
           "link_type": "ether", "address": "5e:23:fa:bf:f3:58", "addr_info": [],
           "linkinfo": {"info_kind": "macvlan", "info_data": {"mode": "bridge"}}}  # fmt: skip


def namespace(*outputs: str | Sequence[object], asked: list[str] | None = None) -> NetworkNamespace:
    """One whose tools print these, one after the other; their lines go to `asked`."""
    left = [each if isinstance(each, str) else json.dumps(each) for each in outputs]

    def ask(argv: Sequence[str]) -> str:
        if asked is not None:
            asked.append(" ".join(argv))
        return left.pop(0)

    return NetworkNamespace("/proc/42/ns/net", ask)


def test_a_bridge_and_its_port_are_read(announced: list[FileRead]) -> None:
    asked: list[str] = []
    links = namespace([BRIDGE, PORT], asked=asked).links

    assert asked == ["ip -json -details address"]
    assert links == {
        "docker0": Link(
            "docker0", 2, "bridge", None, "02:42:e1:70:6e:34", 1500, None, True, ("172.17.0.1/16",)
        ),
        "veth1a2b": Link(
            "veth1a2b", 8, "veth", 7, "16:50:e1:70:6e:34", 1500, "docker0", True, ()
        ),
    }  # fmt: skip
    assert announced == [
        FileRead(
            "/proc/42/ns/net",
            "ip -details address",
            "2: docker0 bridge 02:42:e1:70:6e:34 172.17.0.1/16\n"
            "8: veth1a2b@if7 veth 16:50:e1:70:6e:34 master docker0",
        )
    ]


def test_a_link_on_another_of_the_same_namespace_has_that_one_s_index() -> None:
    links = namespace([LO, MACVLAN]).links

    assert (links["mv"].peer_index, links["mv"].kind, links["mv"].details["mode"]) == (
        1, "macvlan", "bridge",
    )  # fmt: skip
    assert (links["lo"].kind, links["lo"].up, repr(links["lo"])) == (
        "loopback", False, "1: lo loopback 00:00:00:00:00:00 down",
    )  # fmt: skip


def test_the_two_ends_of_a_veth_point_at_each_other() -> None:
    inside = namespace([LO, ETH0]).links["eth0"]
    stranger = PORT | {"ifindex": 9, "ifname": "veth3c4d"}

    assert namespace([stranger, PORT]).peer(inside).name == "veth1a2b"
    with pytest.raises(LookupError, match="no link has index 8 and points back at 7"):
        namespace([stranger]).peer(inside)


def test_routes_are_read(announced: list[FileRead]) -> None:
    said = [
        {"dst": "default", "gateway": "172.17.0.1", "dev": "eth0", "flags": []},
        {"dst": "172.17.0.0/16", "dev": "eth0", "protocol": "kernel", "prefsrc": "172.17.0.2"},
    ]
    seen = namespace(said, said)

    assert seen.routes == [
        Route("default", "172.17.0.1", "eth0", None),
        Route("172.17.0.0/16", None, "eth0", "172.17.0.2"),
    ]
    assert seen.gateway == "172.17.0.1"
    assert announced[0].value == (
        "default via 172.17.0.1 dev eth0\n172.17.0.0/16 dev eth0 src 172.17.0.2"
    )


def test_a_namespace_without_routes_has_no_gateway(announced: list[FileRead]) -> None:
    assert namespace("").gateway is None
    assert announced == [FileRead("/proc/42/ns/net", "ip route", "(nothing)")]


def test_neighbours_are_read() -> None:
    said = [
        {"dst": "10.1.0.9", "dev": "eth0", "lladdr": "02:42:0a:01:00:09", "state": ["REACHABLE"]},
        {"dst": "10.1.0.7", "dev": "eth0", "state": ["FAILED"]},
    ]

    assert namespace(said).neighbours == [
        Neighbour("10.1.0.9", "eth0", "02:42:0a:01:00:09", "REACHABLE"),
        Neighbour("10.1.0.7", "eth0", None, "FAILED"),
    ]


def test_forwarding_entries_are_read_and_those_of_groups_are_not() -> None:
    said = [
        {"mac": "33:33:00:00:00:01", "ifname": "br0", "flags": ["self"], "state": "permanent"},
        {"mac": "72:73:4a:f1:33:c5", "ifname": "va", "flags": [], "master": "br0", "state": ""},
        {"mac": "02:42:0a:00:00:04", "dst": "10.1.0.2", "ifname": "vx", "flags": ["self"],
         "state": "permanent"},
    ]  # fmt: skip
    found = namespace(said).forwarding

    assert found == [
        Forwarding("72:73:4a:f1:33:c5", "va", "br0", None, ""),
        Forwarding("02:42:0a:00:00:04", "vx", None, "10.1.0.2", "permanent"),
    ]
    assert list(map(repr, found)) == [
        "72:73:4a:f1:33:c5 dev va master br0",
        "02:42:0a:00:00:04 dev vx dst 10.1.0.2 permanent",
    ]


def test_listening_sockets_are_read_with_their_owners() -> None:
    said = """\
udp   UNCONN 0      0         127.0.0.11:39250      0.0.0.0:*    users:(("dockerd",pid=815,fd=42))
udp   UNCONN 0      0      10.99.0.1%vxlan0:4789      0.0.0.0:*
tcp   LISTEN 0      1                  *:81               *:*    users:(("nc",pid=7,fd=3),("sh",pid=8,fd=3))
"""

    assert namespace(said).listening == [
        Socket("udp", "127.0.0.11", 39250, ("dockerd",), (815,)),
        Socket("udp", "10.99.0.1", 4789, (), ()),
        Socket("tcp", "*", 81, ("nc", "sh"), (7, 8)),
    ]


def test_rules_are_read_with_their_tables(announced: list[FileRead]) -> None:
    said = """\
# Generated by iptables-save v1.8.9 (nf_tables)
*nat
:DOCKER - [0:0]
-A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE
-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:5000
COMMIT
*filter
:FORWARD DROP [0:0]
COMMIT
"""
    masquerade, dnat = namespace(said).rules

    assert masquerade == Rule("-t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE")
    assert (masquerade.port, masquerade.destination) == (None, None)
    assert (dnat.port, dnat.destination) == ("8080", "172.17.0.2:5000")
    assert announced[0].field == "iptables-save"
    assert announced[0].value.splitlines()[0] == masquerade.text


def test_where_iptables_has_no_rules_those_of_nft_are_read(announced: list[FileRead]) -> None:
    said = """\
table ip docker-bridges {
	map nat-postrouting-out-jumps {
		type ifname : verdict
		elements = { "docker0" : jump nat-postrouting-out__docker0 }
	}

	chain nat-PREROUTING {
		type nat hook prerouting priority dstnat; policy accept;
		fib daddr type local counter jump nat-prerouting-and-output
	}

	chain nat-prerouting-and-output {
		iifname != "docker0" tcp dport 8080 counter dnat to 172.17.0.2:5000 comment "DNAT"
	}
}
"""
    asked: list[str] = []

    jump, dnat = namespace("# Generated by iptables-save\n", said, asked=asked).rules

    assert asked == ["iptables-save", "nft --stateless list ruleset"]
    assert jump == Rule(
        "add rule ip docker-bridges nat-PREROUTING fib daddr type local counter "
        "jump nat-prerouting-and-output"
    )
    assert (jump.port, jump.destination) == (None, None)
    assert (dnat.port, dnat.destination) == ("8080", "172.17.0.2:5000")
    assert announced[0].field == "nft --stateless list ruleset"


def test_where_there_is_no_nft_there_are_no_rules_of_it(announced: list[FileRead]) -> None:
    def ask(argv: Sequence[str]) -> str:
        if argv[0] == "nft":
            raise NotObservable("there is no nft in the PATH", "apt-get install nftables")
        return ""

    assert NetworkNamespace("/proc/self/ns/net", ask).rules == []
    assert (announced[0].field, announced[0].value) == ("iptables-save", "(nothing)")


def test_an_ordinary_user_may_not_look() -> None:
    with as_ordinary_user(), pytest.raises(NotObservable, match="may not enter") as caught:
        NetworkNamespace("/proc/self/ns/net").links  # noqa: B018 - it is read
    assert "root" in caught.value.remedy


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may enter a network namespace")
def test_a_real_namespace_is_entered_by_a_process_and_gone_with_it() -> None:
    sleeper = subprocess.Popen(["unshare", "--net", "sh", "-c", "echo; exec sleep 60"], stdout=-1)
    try:
        assert sleeper.stdout is not None
        sleeper.stdout.readline()
        seen = NetworkNamespace(Path(f"/proc/{sleeper.pid}/ns/net"))

        assert seen.links["lo"].up is False
        assert (seen.routes, seen.neighbours, seen.listening) == ([], [], [])
    finally:
        sleeper.kill()
        sleeper.communicate()
    with pytest.raises(LookupError, match="`ip -json -details address` in /proc/"):
        seen.links  # noqa: B018 - it is read


def test_a_tool_that_is_missing_is_named_with_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    with pytest.raises(NotObservable, match="no iptables-save in the PATH") as caught:
        NetworkNamespace("/proc/self/ns/net").rules  # noqa: B018 - it is read
    assert caught.value.remedy == "apt-get install iptables"
