from __future__ import annotations

import pytest

from fixtures.kernel import FileRead, NotObservable, links
from fixtures.kernel.network import peer

from .trees import Tree, as_ordinary_user


def test_a_link_is_read_from_sysfs(tree: Tree) -> None:
    tree.link("docker0", index=3, peer=3)
    tree.link("veth1a2b", index=8, peer=7, master="docker0")
    found = links(tree.root)
    veth = found["veth1a2b"]

    assert list(found) == ["docker0", "veth1a2b"]
    assert (
        veth.index, veth.peer_index, veth.address, veth.mtu,
    ) == (8, 7, "02:42:ac:11:00:08", 1500)  # fmt: skip
    assert (veth.master, found["docker0"].master) == ("docker0", None)


def test_a_bridges_name_is_read_from_the_link_and_need_not_exist_on_the_host(tree: Tree) -> None:
    """Through /proc/<pid>/root, following it would lead into the reader's own /sys."""
    tree.link("eth0", index=2, peer=7, master="br-inside")

    assert links(tree.root)["eth0"].master == "br-inside"


def test_a_file_beside_the_links_is_no_link(tree: Tree) -> None:
    tree.link("lo", index=1, peer=1)
    tree.write("sys/class/net/bonding_masters", "")

    assert list(links(tree.root)) == ["lo"]


def test_the_two_ends_of_a_veth_point_at_each_other(tree: Tree) -> None:
    inside, outside = Tree(tree.root / "inside"), Tree(tree.root / "outside")
    inside.link("eth0", index=7, peer=8)
    outside.link("veth1a2b", index=8, peer=7)
    outside.link("veth3c4d", index=9, peer=7)

    assert peer(links(inside.root)["eth0"], links(outside.root)).name == "veth1a2b"


def test_a_link_without_another_end_has_no_peer(tree: Tree) -> None:
    tree.link("eth0", index=7, peer=8)
    link = links(tree.root)["eth0"]

    with pytest.raises(LookupError, match="no link has index 8 and points back at 7"):
        peer(link, {"eth0": link})


def test_what_was_read_is_announced(tree: Tree, announced: list[FileRead]) -> None:
    tree.link("eth0", index=7, peer=8)
    links(tree.root)

    path = str(tree.root / "sys/class/net")
    assert [FileRead(path, None, "7: eth0@if8 02:42:ac:11:00:07")] == announced


def test_a_missing_file_is_not_observable(tree: Tree) -> None:
    tree.link("eth0", index=7, peer=8)
    (tree.root / "sys/class/net/eth0/iflink").unlink()

    with pytest.raises(NotObservable, match="eth0/iflink can not be read"):
        links(tree.root)


def test_without_sysfs_no_links_are_observable(tree: Tree) -> None:
    with pytest.raises(NotObservable, match="sys/class/net does not exist"):
        links(tree.root)


def test_unreadable_links_are_not_observable_without_root(tree: Tree) -> None:
    tree.link("eth0", index=7, peer=8)
    (tree.root / "sys/class/net").chmod(0)

    with as_ordinary_user(), pytest.raises(NotObservable) as caught:
        links(tree.root)
    assert "root" in caught.value.remedy
