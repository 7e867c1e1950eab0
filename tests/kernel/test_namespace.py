from __future__ import annotations

import gc
import subprocess

import pytest

from fixtures.kernel import FileRead, NotObservable, Process

from .trees import Tree, as_ordinary_user

HOST = "net:[4026531840]"
OWN = "net:[4026532181]"
SHARED = "user:[4026531837]"


def test_a_namespace_prints_as_the_kernel_calls_it(tree: Tree) -> None:
    process = tree.process(42)
    tree.namespace(42, HOST)

    assert (repr(process.namespaces.net), process.namespaces.net.kind) == (HOST, "net")


def test_two_processes_in_one_namespace_have_equal_namespaces(tree: Tree) -> None:
    one, other = tree.process(42), tree.process(43)
    tree.namespace(42, HOST)
    tree.namespace(43, HOST)

    assert one.namespaces.net == other.namespaces.net
    assert len({one.namespaces.net, other.namespaces.net}) == 1


def test_two_processes_are_told_apart_by_the_kinds_that_they_do_not_share(tree: Tree) -> None:
    one, other = tree.process(42), tree.process(43)
    tree.namespace(42, HOST)
    tree.namespace(42, SHARED)
    tree.namespace(43, OWN)
    tree.namespace(43, SHARED)

    assert {"net"} == one.namespaces.own_against(other.namespaces)
    assert {"user"} == one.namespaces.shared_with(other.namespaces)


def test_namespaces_come_in_alphabetical_order(tree: Tree) -> None:
    process = tree.process(42)
    tree.namespace(42, SHARED)
    tree.namespace(42, HOST)

    assert [namespace.label for namespace in process.namespaces] == [HOST, SHARED]


def test_a_kind_that_the_kernel_does_not_have_is_not_observable(tree: Tree) -> None:
    process = tree.process(42)
    tree.namespace(42, HOST)

    with pytest.raises(NotObservable, match="/proc/42/ns/time can not be read"):
        _ = process.namespaces.time


def test_an_unreadable_namespace_is_not_observable_without_root(tree: Tree) -> None:
    process = tree.process(42)
    tree.namespace(42, HOST)
    (tree.root / "proc/42/ns").chmod(0)

    with as_ordinary_user(), pytest.raises(NotObservable) as caught:
        _ = process.namespaces.net
    assert "root" in caught.value.remedy


def test_a_namespace_is_announced_each_time_that_it_is_looked_at(
    tree: Tree, announced: list[FileRead]
) -> None:
    process = tree.process(42)
    tree.namespace(42, HOST)
    assert process.namespaces.net is process.namespaces.net

    assert announced == [FileRead(f"{tree.root}/proc/42/ns/net", None, HOST)] * 2


def test_this_process_and_its_child_share_their_namespaces(
    own_process: Process, child: subprocess.Popen[bytes]
) -> None:
    mine, other = own_process.namespaces, Process(child.pid).namespaces

    assert {namespace.kind for namespace in mine} == mine.shared_with(other)
    assert set() == mine.own_against(other)
    assert {"net", "pid", "user"} <= mine.shared_with(other)


def test_a_held_namespace_outlives_its_process(child: subprocess.Popen[bytes]) -> None:
    namespaces = Process(child.pid).namespaces
    held = namespaces.net

    child.kill()
    child.wait()

    assert namespaces.net is held


def test_closing_lets_go_of_every_descriptor(own_process: Process) -> None:
    gc.collect()  # earlier tests' processes
    before = len(own_process.descriptors)
    namespaces = Process(own_process.host_pid).namespaces
    held = list(namespaces)
    assert before + 1 + len(held) == len(own_process.descriptors)

    namespaces.close()
    assert before + 1 == len(own_process.descriptors)
