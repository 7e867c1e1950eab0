from __future__ import annotations

import gc
import math
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from fixtures.engine.waiting import poll
from fixtures.kernel import (
    FileRead,
    IdMap,
    NotObservable,
    Process,
    ProcessGone,
    SignalSent,
    processes,
)
from fixtures.kernel.process import Limit

from .trees import Tree, as_ordinary_user

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid
   0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0
   1: 0100007F:0050 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0"""
TCP6 = """\
  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A"""
LIMITS = """\
Limit                     Soft Limit           Hard Limit           Units     \n\
Max open files            1024                 524288               files     \n\
Max realtime timeout      unlimited            unlimited            us        """


# Identity


def test_a_name_may_hold_parentheses_and_blanks(tree: Tree) -> None:
    assert tree.process(42, name="a) S (b").start_time == 1000


def test_a_process_has_a_pid_in_each_namespace(tree: Tree) -> None:
    process = tree.process(42)
    tree.write("proc/42/status", "Name:\tsleep\nNSpid:\t42\t7\t1")

    assert process.pids == (42, 7, 1)


def test_memory_in_ram_is_read_in_bytes(tree: Tree) -> None:
    process = tree.process(42)
    tree.write("proc/42/status", "Name:\tsleep\nVmHWM:\t    1400 kB\nVmRSS:\t    1024 kB")

    assert process.resident == 1024 * 1024


def test_a_name_can_not_forge_a_line_of_status(tree: Tree) -> None:
    """The kernel escapes a newline in a name, and no other line break."""
    process = tree.process(42)
    tree.write("proc/42/status", "Name:\tx\x0cSeccomp:\t2\nSeccomp:\t0")

    assert process.seccomp == "disabled"


def test_two_readings_of_one_process_are_equal(tree: Tree) -> None:
    first, second = tree.process(42), Process(42, tree.root)

    assert (first, hash(first)) == (second, hash(second))


def test_the_next_process_with_that_pid_is_another_one(tree: Tree) -> None:
    first = tree.process(42, start=1000)
    shutil.rmtree(tree.root / "proc/42")
    second = tree.process(42, start=2000)

    assert first != second
    assert (first.alive, second.alive) == (False, True)
    with pytest.raises(ProcessGone, match="process 42 has ended"):
        _ = first.state


def test_a_process_prints_with_its_pid(tree: Tree) -> None:
    assert repr(tree.process(42)) == "process 42"


# What is read


def test_empty_arguments_are_kept(tree: Tree) -> None:
    process = tree.process(42)
    (tree.root / "proc/42/cmdline").write_bytes(b"sh\0-c\0\0\0")

    assert process.argv == ("sh", "-c", "", "")


def test_a_kernel_thread_has_no_arguments(tree: Tree) -> None:
    process = tree.process(42)
    (tree.root / "proc/42/cmdline").touch()

    assert process.argv == ()


def test_children_of_every_thread_are_children_of_the_process(tree: Tree) -> None:
    parent, first, second = tree.process(42), tree.process(50), tree.process(51)
    tree.write("proc/42/task/42/children", "50 ")
    tree.write("proc/42/task/43/children", "51 ")

    assert {first, second} == set(parent.children)


def test_a_child_that_has_ended_meanwhile_is_left_out(tree: Tree) -> None:
    parent, living = tree.process(42), tree.process(51)
    tree.write("proc/42/task/42/children", "50 51 ")

    assert [living] == parent.children


def test_a_kernel_that_lists_no_children_is_not_one_without_children(tree: Tree) -> None:
    process = tree.process(42)
    (tree.root / "proc/42/task/42").mkdir(parents=True)

    with pytest.raises(NotObservable, match="task/42/children can not be read"):
        _ = process.children


def test_the_signals_that_it_has_a_handler_for_go_by_name(tree: Tree) -> None:
    process = tree.process(42)
    tree.write("proc/42/status", "SigIgn:\t0000000000000004\nSigCgt:\t8000000000014002")

    assert process.caught_signals == {"SIGINT", "SIGTERM", "SIGCHLD", "SIGRTMAX"}


def test_the_cpus_that_it_may_run_on_are_a_list_with_ranges(tree: Tree) -> None:
    process = tree.process(42)
    tree.write("proc/42/status", "Cpus_allowed:\t87\nCpus_allowed_list:\t0-2,7")

    assert process.cpus == {0, 1, 2, 7}


def test_privileges_are_read_from_status(tree: Tree) -> None:
    process = tree.process(42)
    tree.write(
        "proc/42/status",
        "Uid:\t1000\t1001\t1000\t1000\nCapInh:\t0\nCapPrm:\t3\nCapEff:\t1\nCapBnd:\t2000\nCapAmb:\t0\n"
        "NoNewPrivs:\t1\nSeccomp:\t2",
    )

    sets = process.capabilities
    assert sorted(sets.permitted) == ["CHOWN", "DAC_OVERRIDE"]
    assert sorted(sets.effective) == ["CHOWN"]
    assert sorted(sets.bounding) == ["NET_RAW"]
    assert not sets.inheritable
    assert not sets.ambient
    assert (process.uid, process.seccomp, process.no_new_privs) == (1001, "filter", True)


def test_user_ids_are_mapped_in_ranges(tree: Tree) -> None:
    process = tree.process(42)
    tree.write("proc/42/uid_map", "         0     100000      65536")

    assert (IdMap(inside=0, outside=100000, count=65536),) == process.uid_map


def test_limits_have_names_with_blanks_and_may_be_unlimited(tree: Tree) -> None:
    process = tree.process(42)
    tree.write("proc/42/limits", LIMITS)

    assert process.limits == {
        "Max open files": Limit(1024, 524288),
        "Max realtime timeout": Limit(math.inf, math.inf),
    }


def test_an_oom_score_is_adjusted_by_a_number(tree: Tree) -> None:
    process = tree.process(42)
    tree.write("proc/42/oom_score_adj", "-500\n")

    assert process.oom_score_adj == -500


def test_a_security_label_is_what_the_module_calls_it(tree: Tree) -> None:
    process = tree.process(42)
    tree.write("proc/42/attr/current", "docker-default (enforce)\n")
    assert process.security_label == "docker-default (enforce)"

    # SELinux ends it as a string of C.
    tree.write("proc/42/attr/current", "system_u:system_r:container_t:s0:c1,c2\0")
    assert process.security_label == "system_u:system_r:container_t:s0:c1,c2"


def test_ports_that_are_listened_on_are_read_of_both_ip_versions(tree: Tree) -> None:
    process = tree.process(42)
    tree.write("proc/42/net/tcp", TCP)
    assert {8080} == process.listening_ports

    tree.write("proc/42/net/tcp6", TCP6)
    assert {8080, 443} == process.listening_ports


def test_interfaces_are_read_by_name(tree: Tree) -> None:
    process = tree.process(42)
    tree.write("proc/42/net/dev", "Inter-|\n face |\n    lo: 0 0\n  eth0:10 0")

    assert {"lo", "eth0"} == process.interfaces


def test_what_is_read_is_announced_with_its_path_and_value(
    tree: Tree, announced: list[FileRead]
) -> None:
    process = tree.process(42)
    tree.write("proc/42/comm", "sleep")
    tree.write("proc/42/net/tcp", TCP)
    assert ("sleep", "S", {8080}) == (process.name, process.state, process.listening_ports)

    directory = f"{tree.root}/proc/42"
    assert announced == [
        FileRead(f"{directory}/comm", None, "sleep"),
        FileRead(f"{directory}/status", "State", "S (made up)"),
        FileRead(f"{directory}/net/tcp", "listening", "8080"),
    ]


def test_every_process_is_found_in_the_order_of_pids(tree: Tree) -> None:
    expected = [tree.process(pid) for pid in (9, 10, 1000)]
    tree.write("proc/uptime", "1.0 1.0")

    assert expected == list(processes(tree.root))


# What can not be read


def test_there_is_no_process_without_a_directory(tree: Tree) -> None:
    with pytest.raises(ProcessGone, match="there is no process 42"):
        Process(42, tree.root)


def test_a_missing_file_is_not_observable(tree: Tree) -> None:
    process = tree.process(42)

    with pytest.raises(NotObservable, match="/proc/42/net/dev can not be read"):
        _ = process.interfaces


def test_a_missing_line_is_not_observable(tree: Tree) -> None:
    process = tree.process(42)

    with pytest.raises(NotObservable, match="/proc/42/status has no line Seccomp"):
        _ = process.seccomp


def test_an_unreadable_file_is_not_observable_without_root(tree: Tree) -> None:
    process = tree.process(42)
    tree.write("proc/42/limits", LIMITS).chmod(0)

    with as_ordinary_user(), pytest.raises(NotObservable) as caught:
        _ = process.limits
    assert "root" in caught.value.remedy


def test_no_signal_leaves_a_made_up_tree(tree: Tree) -> None:
    """Its pid means nothing to the kernel that runs the tests."""
    process = tree.process(os.getpid())

    with pytest.raises(OSError, match="Bad file descriptor"):
        process.send_signal(signal.SIGKILL)


# Real processes


def test_a_signal_that_was_sent_is_announced(
    child: subprocess.Popen[bytes], announced: list[object]
) -> None:
    Process(child.pid).send_signal(signal.SIGTERM)

    assert announced == [SignalSent(child.pid, "SIGTERM")]


def test_this_process_reads_itself(own_process: Process) -> None:
    assert os.getpid() == own_process.pids[0]
    assert (os.getppid(), os.geteuid()) == (own_process.parent.host_pid, own_process.uid)
    assert own_process.parent_pid == own_process.parent.host_pid
    assert os.path.basename(sys.executable) == os.path.basename(own_process.argv[0])
    assert own_process.alive
    assert own_process in set(processes())


def test_this_process_finds_its_descriptors(own_process: Process) -> None:
    reader, writer = os.pipe()
    try:
        found = own_process.descriptors
    finally:
        os.close(reader)
        os.close(writer)

    assert found[reader] == found[writer]
    assert found[reader].startswith("pipe:[")


def test_a_child_of_another_thread_is_found(own_process: Process) -> None:
    """A thread's children are listed apart from its process's."""
    started, finish = threading.Event(), threading.Event()
    pids: list[int] = []

    def spawn() -> None:
        with subprocess.Popen(["sleep", "1000"]) as process:
            pids.append(process.pid)
            started.set()
            finish.wait()
            process.kill()

    thread = threading.Thread(target=spawn)
    thread.start()
    try:
        started.wait()
        found = [process.host_pid for process in own_process.children]
    finally:
        finish.set()
        thread.join()

    assert pids[0] in found


def test_a_reaped_process_is_gone(child: subprocess.Popen[bytes]) -> None:
    process = Process(child.pid)
    assert process.alive

    child.kill()
    child.wait()

    assert not process.alive
    with pytest.raises(ProcessGone):
        _ = process.state
    with pytest.raises(ProcessGone):
        _ = process.mounts
    with pytest.raises(ProcessGone):
        _ = process.descriptors
    with pytest.raises(ProcessGone):
        _ = process.namespaces.net
    with pytest.raises(ProcessGone):
        process.send_signal(signal.SIGTERM)
    with pytest.raises(ProcessGone):
        Process(child.pid)


def test_a_process_is_gone_also_when_its_pid_is_anothers(
    tree: Tree, child: subprocess.Popen[bytes]
) -> None:
    """The made-up /proc leads to the real one, and pid 42 from the child to the test itself."""
    (tree.root / "proc").mkdir()
    (tree.root / "proc/42").symlink_to(f"/proc/{child.pid}")
    process = Process(42, tree.root)

    child.kill()
    child.wait()
    (tree.root / "proc/42").unlink()
    (tree.root / "proc/42").symlink_to(f"/proc/{os.getpid()}")

    assert Process(42, tree.root).alive
    assert not process.alive
    with pytest.raises(ProcessGone):
        _ = process.name
    with pytest.raises(ProcessGone):
        _ = process.mounts
    with pytest.raises(ProcessGone):
        _ = process.namespaces.net
    with pytest.raises(ProcessGone):
        process.send_signal(signal.SIGKILL)


def test_a_zombie_still_has_a_state_and_has_lost_the_rest(
    child: subprocess.Popen[bytes],
) -> None:
    process = Process(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)

    assert (process.state, process.alive, process.argv) == ("Z", False, ())
    with pytest.raises(ProcessGone):
        _ = process.mounts
    with pytest.raises(ProcessGone):
        _ = process.interfaces
    with pytest.raises(ProcessGone):
        _ = process.namespaces.net


def test_a_signal_reaches_the_process(child: subprocess.Popen[bytes]) -> None:
    Process(child.pid).send_signal(signal.SIGTERM)

    assert child.wait() == -signal.SIGTERM


def test_no_descriptor_is_left_open(own_process: Process) -> None:
    gc.collect()  # earlier tests' processes
    before = len(own_process.descriptors)
    for process in processes():
        del process
    with pytest.raises(ProcessGone):
        Process(0)

    assert before == len(own_process.descriptors)


def test_what_a_process_sees_at_a_path_is_an_inode(
    own_process: Process, tmp_path: Path, announced: list[FileRead]
) -> None:
    file = tmp_path / "file"
    file.touch()
    status = file.stat()

    assert own_process.inode(str(file)) == (status.st_dev, status.st_ino)
    assert announced[-1] == FileRead(
        f"/proc/{os.getpid()}/root{file}", "inode", f"{status.st_dev}:{status.st_ino}"
    )
    with pytest.raises(LookupError, match=f"sees nothing at {tmp_path}/nothing"):
        own_process.inode(f"{tmp_path}/nothing")


def test_a_link_in_a_container_does_not_lead_out_of_it(
    own_process: Process, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to("/")

    assert own_process.inode(str(link)) == (link.lstat().st_dev, link.lstat().st_ino)


def test_where_it_works_and_what_it_was_told(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "1000"], cwd=tmp_path) as child:
        process = Process(child.pid)
        assert process.working_directory == tmp_path
        child.kill()


def test_a_word_of_its_command_line_is_found_by_the_one_before_it(tree: Tree) -> None:
    tree.process(42)
    tree.write("/proc/42/cmdline", "shim\0-address\0/run/x.sock\0-id\0")
    shim = Process(42, tree.root)

    assert shim.argument("-address") == "/run/x.sock"
    with pytest.raises(LookupError, match="process 42 has no argument -namespace"):
        shim.argument("-namespace")


def test_a_full_pipe_is_where_a_writer_waits() -> None:
    """The kernel says that it waits, where, and that it writes no more."""
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as child:
        process = Process(child.pid)
        place = poll(lambda: process.waits_in, lambda name: "pipe" in name, seconds=60)
        assert "pipe" in place
        assert process.written >= 65536
        assert process.written == process.written
        child.kill()
