"""A packet is taken apart header by header, and no further than its bytes say."""

from __future__ import annotations

import struct

from fixtures.kernel.packet import MOST_BYTES, Packet

C1, C2 = bytes.fromhex("02420a000102"), bytes.fromhex("02420a000104")
HOST_1, HOST_2 = bytes.fromhex("46d810660139"), bytes.fromhex("6ee3ec950958")


def ethernet(source: bytes, destination: bytes, payload: bytes, kind: int = 0x0800) -> bytes:
    return destination + source + struct.pack("!H", kind) + payload


def ipv4(source: str, destination: str, protocol: int, payload: bytes, fragment: int = 0) -> bytes:
    ends = [bytes(map(int, each.split("."))) for each in (source, destination)]
    length = 20 + len(payload)
    return (
        struct.pack("!BBHHHBBH4s4s", 0x45, 0, length, 1, fragment, 64, protocol, 0, *ends) + payload
    )


def udp(port: int, payload: bytes) -> bytes:
    return struct.pack("!HHHH", 44099, port, 8 + len(payload), 0) + payload


def vxlan(vni: int, frame: bytes, flags: int = 0x08) -> bytes:
    return struct.pack("!II", flags << 24, vni << 8) + frame


PING = struct.pack("!BBHHH", 8, 0, 0, 47, 1) + b"x" * 56
INNER = ethernet(C1, C2, ipv4("10.0.1.2", "10.0.1.4", 1, PING))
CARRIED = ethernet(
    HOST_1, HOST_2, ipv4("192.0.2.1", "192.0.2.2", 17, udp(4789, vxlan(4097, INNER)))
)


def test_a_frame_in_a_vxlan_packet_is_taken_apart_from_outside_inwards() -> None:
    packet = Packet.decoded(CARRIED)

    assert [(layer.name, layer.begin, layer.size) for layer in packet.layers] == [
        ("Ethernet", 0, 14),
        ("IPv4", 14, 20),
        ("UDP", 34, 8),
        ("VXLAN", 42, 8),
        ("Ethernet", 50, 14),
        ("IPv4", 64, 20),
        ("ICMP", 84, 8),
        ("data", 92, 56),
    ]
    assert (packet.source, packet.destination, packet.port) == ("192.0.2.1", "192.0.2.2", 4789)
    assert (packet.mac_source, packet.mac_destination) == ("46:d8:10:66:01:39", "6e:e3:ec:95:09:58")
    assert (packet.vni, packet.protocol, packet.message) == (4097, "UDP", None)
    assert (packet.length, packet.size) == (148, 134)


def test_the_frame_inside_is_the_frame_that_was_put_in() -> None:
    packet = Packet.decoded(CARRIED)

    assert packet.inner == Packet.decoded(INNER)
    assert [frame.source for frame in packet.frames] == ["192.0.2.1", "10.0.1.2"]
    assert packet.inner is not None
    assert (packet.inner.message, packet.inner.vni, packet.inner.inner) == (
        "echo request",
        None,
        None,
    )


def test_it_prints_as_its_headers() -> None:
    assert repr(Packet.decoded(INNER)) == (
        "Ethernet 02:42:0a:00:01:02 > 02:42:0a:00:01:04, type IPv4 | "
        "IPv4 10.0.1.2 > 10.0.1.4, protocol ICMP, length 84, time to live 64 | "
        "ICMP message echo request, id 47, sequence 1 | data"
    )


def test_other_protocols_say_theirs() -> None:
    syn = struct.pack("!HHIIBBHHH", 44848, 9, 1, 0, 5 << 4, 0x02, 512, 0, 0)
    esp = struct.pack("!II", 0xC0FFEE, 7) + b"\x9e" * 40
    arp = struct.pack(
        "!HHBBH6s4s6s4s",
        1,
        0x0800,
        6,
        4,
        1,
        C1,
        bytes([10, 0, 1, 2]),
        b"\0" * 6,
        bytes([10, 0, 1, 4]),
    )

    tcp = Packet.decoded(ethernet(C1, C2, ipv4("10.0.1.2", "10.0.1.4", 6, syn)))
    sealed = Packet.decoded(ethernet(C1, C2, ipv4("10.0.1.2", "10.0.1.4", 50, esp)))
    question = Packet.decoded(ethernet(C1, b"\xff" * 6, arp, 0x0806))

    assert (tcp.protocol, tcp.port, tcp.layers[-1].fields["flags"]) == ("TCP", 9, "SYN")
    assert (sealed.protocol, sealed.port) == ("ESP", None)
    assert sealed.layers[2].fields == {"SPI": "0x00c0ffee", "sequence": 7}
    assert question.layers[1].fields == {
        "operation": "who has",
        "sender": "02:42:0a:00:01:02",
        "sender's address": "10.0.1.2",
        "target's address": "10.0.1.4",
    }
    assert (question.protocol, question.source) == ("ARP", None)


def test_what_is_cut_off_or_not_known_is_data() -> None:
    names = [
        [layer.name for layer in Packet.decoded(frame).layers]
        for frame in (
            b"",
            b"short",
            CARRIED[:40],
            CARRIED[:95],
            ethernet(C1, C2, b"who knows", 0x88B5),
            ethernet(C1, C2, b"\x60" + b"\0" * 50, 0x0800),
            ethernet(C1, C2, ipv4("10.0.1.2", "10.0.1.4", 17, b"later", fragment=185)),
            ethernet(C1, C2, ipv4("10.0.1.2", "10.0.1.4", 17, udp(4789, vxlan(1, INNER, flags=0)))),
        )
    ]

    assert names == [
        [],
        ["data"],
        ["Ethernet", "IPv4", "data"],
        ["Ethernet", "IPv4", "UDP", "VXLAN", "Ethernet", "IPv4", "ICMP", "data"],
        ["Ethernet", "data"],
        ["Ethernet", "data"],
        ["Ethernet", "IPv4", "data"],
        ["Ethernet", "IPv4", "UDP", "data"],
    ]


def test_of_a_long_packet_the_beginning_is_kept() -> None:
    packet = Packet.decoded(CARRIED + b"y" * 4000)

    assert (len(packet.content), packet.length) == (MOST_BYTES, 4148)
    assert packet.inner is not None
    assert (len(packet.inner.content), packet.inner.length) == (MOST_BYTES - 50, 4098)


def test_frames_in_frames_come_to_an_end() -> None:
    frame = INNER
    for _ in range(40):
        frame = ethernet(C1, C2, ipv4("10.0.1.2", "10.0.1.4", 17, udp(4789, vxlan(1, frame))))

    assert len(list(Packet.decoded(frame).frames)) == 6
