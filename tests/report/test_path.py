"""The way of a packet: drawn from what was read in two network namespaces, and no further."""

from __future__ import annotations

import pytest

from fixtures.kernel.network import Link, Rule

from .test_pictures import (
    CONTAINER,
    HOST,
    HOSTILE,
    Event,
    drawn,
    experiment,
    parsed,
)

SVG_TEXT = "{http://www.w3.org/2000/svg}text"
LO = Link("lo", 1, "loopback", None, "00:00:00:00:00:00", 65536, None, True, ("127.0.0.1/8",))
DOCKER0 = Link(
    "docker0", 2, "bridge", None, "02:42:e1:70:6e:34", 1500, None, True, ("172.17.0.1/16",)
)
LAN0 = Link("lan0", 3, "veth", 2, "de:d9:c9:0d:f8:c7", 1500, None, True, ("198.51.100.10/24",))
PLUG = Link("veth1a2b", 8, "veth", 7, "16:50:e1:70:6e:34", 1500, "docker0", True, ())
ETH0 = Link("eth0", 7, "veth", 8, "02:42:ac:11:00:02", 1500, None, True, ("172.17.0.2/16",))
DNAT = Rule(
    "-t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 80 -j DNAT --to-destination 172.17.0.2:5000",
)
ANOTHER = Rule("-t nat -A DOCKER -p tcp --dport 81 -j DNAT --to-destination 172.17.0.9:5000")
MASQUERADE = Rule("-t nat -A POSTROUTING -s 172.17.0.0/16 ! -o docker0 -j MASQUERADE")


def started() -> list[Event]:
    return [
        {"event": "process", "container": "host", "argv": ["sleep", "infinity"], "host_pid": HOST},
        {
            "event": "container", "role": "container", "name": "one", "id": "1", "line": "docker run",
            "host_pid": CONTAINER,
        },
    ]  # fmt: skip


def read(pid: int, what: list[Link] | list[Rule], line: str = "ip -details address") -> Event:
    """What the instrument announces of it."""
    return {
        "event": "file", "path": f"/proc/{pid}/ns/net", "field": line,
        "value": "\n".join(map(repr, what)) or "(nothing)", "name": None,
    }  # fmt: skip


def rules(*found: Rule, line: str = "iptables-save") -> Event:
    return read(HOST, list(found), line)


def words(svg: str) -> list[str]:
    return [each.text or "" for each in parsed(svg).iter(SVG_TEXT)]


OUTSIDE, INSIDE = read(HOST, [LO, DOCKER0, LAN0, PLUG]), read(CONTAINER, [LO, ETH0])


def test_a_cable_leads_from_the_bridge_into_the_container() -> None:
    (picture,) = drawn(experiment(as_is=[*started(), OUTSIDE, INSIDE]))

    assert picture.title == "The way into the container, as it is"
    assert picture.description == (
        "eth0 of the container is the other end of veth1a2b, a port of docker0."
    )
    assert [row[1] for row in picture.rows] == ["docker0", "veth1a2b", "eth0"]
    shown = words(picture.svg)
    assert [each for each in shown if each in DOCKER0.addresses or each == "docker0"] == [
        "docker0",
        "172.17.0.1/16",
    ]
    # Nobody has read the rules, so nothing is said of them.
    assert "lan0" not in shown


def test_a_rule_leads_a_packet_for_the_host_to_the_container() -> None:
    events = [*started(), OUTSIDE, INSIDE, rules(ANOTHER, DNAT, MASQUERADE)]
    (picture,) = drawn(experiment(as_is=events))

    shown = words(picture.svg)
    assert "to 198.51.100.10:80" in shown
    assert "to 172.17.0.2:5000" in shown
    assert "port 5000" in shown
    assert " ".join(shown).count("DNAT") == 1
    assert picture.description.endswith(
        "A packet that comes by lan0 for 198.51.100.10:80 is sent on to 172.17.0.2:5000 by a rule."
    )
    assert [row[2] for row in picture.rows] == ["veth", "rule", "bridge", "veth", "veth"]


def test_a_rule_of_nft_leads_there_as_well() -> None:
    nft = Rule(
        "add rule ip docker-bridges nat-prerouting-and-output tcp dport 80 counter "
        'dnat to 172.17.0.2:5000 comment "DNAT"'
    )
    events = [*started(), OUTSIDE, INSIDE, rules(nft, line="nft --stateless list ruleset")]

    (picture,) = drawn(experiment(as_is=events))

    assert {"to 198.51.100.10:80", "to 172.17.0.2:5000"} <= {*words(picture.svg)}


@pytest.mark.parametrize("others", [(), (ANOTHER, MASQUERADE)])
def test_without_a_rule_for_it_the_way_ends_on_the_host(others: tuple[Rule, ...]) -> None:
    (picture,) = drawn(
        experiment(
            as_is=started(), without_rules=[*started(), OUTSIDE, INSIDE, rules(*others)]
        )
    )  # fmt: skip

    assert "no rule leads on" in words(picture.svg)
    assert "No rule of the host leads a packet from lan0 there." in picture.description


def test_each_cable_of_a_container_has_its_bridge() -> None:
    bridge = Link("br-5eed", 4, "bridge", None, "02:42:e1:70:6e:35", 1500, None, True, ())
    plug = Link("veth3c4d", 10, "veth", 9, "16:50:e1:70:6e:36", 1500, "br-5eed", True, ())
    eth1 = Link("eth1", 9, "veth", 10, "02:42:ac:12:00:02", 1500, None, True, ("172.18.0.2/16",))
    (picture,) = drawn(
        experiment(
            as_is=[
                *started(), read(HOST, [DOCKER0, bridge, PLUG, plug]), read(CONTAINER, [ETH0, eth1]),
            ]
        )
    )  # fmt: skip

    assert picture.description == (
        "eth0 of the container is the other end of veth1a2b, a port of docker0; "
        "eth1 of the container is the other end of veth3c4d, a port of br-5eed."
    )


@pytest.mark.parametrize(
    "events",
    [
        [OUTSIDE],
        [INSIDE],
        [OUTSIDE, read(CONTAINER, [LO])],
        [read(HOST, [LO]), INSIDE],
        [OUTSIDE, read(CONTAINER, [LO]) | {"value": HOSTILE}],
        [OUTSIDE, INSIDE | {"value": f"{'7' * 5000}: eth0@if8 veth 02:42:ac:11:00:02"}],
    ],
)
def test_what_was_not_read_at_both_ends_is_not_drawn(events: list[Event]) -> None:
    assert drawn(experiment(as_is=[*started(), *events])) == ()


def test_names_and_rules_of_others_are_text(request: pytest.FixtureRequest) -> None:
    evil = Link("<b>&", 8, "veth", 7, "16:50:e1:70:6e:34", 1500, "docker0", True, ())
    rule = Rule(f"{DNAT.text} -m comment --comment <script>{'W' * 200}")
    (picture,) = drawn(
        experiment(
            as_is=[*started(), read(HOST, [DOCKER0, LAN0, evil]), INSIDE, rules(rule)]
        )
    )  # fmt: skip

    assert "<script>" not in picture.svg
    assert "<b>&" in words(picture.svg)
