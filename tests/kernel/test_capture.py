"""What goes over a link is seen, all of it, and that nothing went over it is certain."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.kernel import NotObservable, capture, set_recorder
from fixtures.kernel.capture import Capture, PacketsSeen

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="a network namespace of one's own needs root"
)

SETUP = """
ip link set lo up
ip link add left type veth peer name right
ip address add 192.0.2.1/24 dev left
ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev left
ip link set left up
ip link set right up
until ip link show left | grep -q 'state UP'; do sleep 0.02; done
echo ready
exec sleep 1000
"""


@pytest.fixture
def namespace() -> Iterator[Path]:
    """A network namespace of the test's own, with a cable of two ends in it."""
    with subprocess.Popen(
        ["unshare", "--net", "sh", "-ec", SETUP], stdout=subprocess.PIPE
    ) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == b"ready\n"
        yield Path(f"/proc/{keeper.pid}/ns/net")
        keeper.kill()


@pytest.fixture
def announced() -> Iterator[list[Any]]:
    observations: list[Any] = []
    set_recorder(observations.append)
    yield observations
    set_recorder(None)


def send(namespace: Path, address: str, text: bytes = b"hello") -> None:
    """A packet of UDP, from inside."""
    inside = capture._inside(namespace, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
    with inside:
        inside.sendto(text, (address, 9))


def test_a_packet_is_seen_on_both_ends(namespace: Path, announced: list[Any]) -> None:
    with (
        Capture(namespace, "left", "left of it") as left,
        Capture(namespace, "right", "right") as right,
    ):
        send(namespace, "192.0.2.2")

    (packet,) = left.between("192.0.2.1", "192.0.2.2")
    assert (packet.port, packet.content.endswith(b"hello")) == (9, True)
    assert right.of("UDP") == [packet]
    assert announced[0] == PacketsSeen(
        "left of it", "from 192.0.2.1 to 192.0.2.2", (packet,), len(left.packets)
    )


def test_what_did_not_go_by_is_not_there(namespace: Path, announced: list[Any]) -> None:
    with Capture(namespace, "left", "left of it") as left:
        send(namespace, "127.0.0.1")

    assert left.of("UDP", "ICMP") == []
    assert announced == [PacketsSeen("left of it", "of UDP or ICMP", (), len(left.packets))]


def test_what_went_by_before_and_after_is_not_seen(namespace: Path) -> None:
    send(namespace, "192.0.2.2", b"before")
    with Capture(namespace, "left", "left") as left:
        send(namespace, "192.0.2.2", b"meanwhile")
    send(namespace, "192.0.2.2", b"after")

    assert [each.content[-9:] for each in left.of("UDP")] == [b"meanwhile"]


def test_two_that_listen_at_one_link_do_not_see_each_other_s_marks(namespace: Path) -> None:
    with Capture(namespace, "left", "left") as outer:
        with Capture(namespace, "left", "left"):
            pass
        send(namespace, "192.0.2.2")

    assert len(outer.of("UDP")) == 1
    assert not [each for each in outer.packets if each.content.startswith(capture._MARK)]


def test_this_process_stays_in_its_own_namespace(namespace: Path) -> None:
    before = os.readlink("/proc/self/ns/net")
    with Capture(namespace, "left", "left"):
        inside = os.readlink("/proc/self/ns/net")

    assert before == inside == os.readlink("/proc/thread-self/ns/net")


def test_without_such_a_link_there_is_nothing_to_listen_to(namespace: Path) -> None:
    with pytest.raises(NotObservable, match=r"one can not listen in .* \(No such device\)"):
        Capture(namespace, "eth7", "eth7").__enter__()


def test_a_link_that_is_down_carries_no_mark(namespace: Path) -> None:
    enter = ["nsenter", f"--net={namespace}", "ip", "link", "set"]
    nothing_is_sent = pytest.raises(NotObservable, match="nothing can be sent over left of it")

    with nothing_is_sent, Capture(namespace, "left", "left of it"):
        subprocess.run([*enter, "left", "down"], check=True)


def test_more_than_can_be_kept_is_not_observed(
    namespace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capture, "MOST_PACKETS", 3)

    too_many = pytest.raises(NotObservable, match="more packets went over left than could be")

    with too_many, Capture(namespace, "left", "left"):
        for _ in range(4):
            send(namespace, "192.0.2.2")


def test_an_error_meanwhile_is_not_covered_up(namespace: Path) -> None:
    with pytest.raises(RuntimeError, match="something else"), Capture(namespace, "left", "left"):
        raise RuntimeError("something else")
