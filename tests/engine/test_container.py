"""Containers: what the host sees of them, commands in them, and what they refuse."""

from __future__ import annotations

import shlex
import signal
import time
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from docker.errors import NotFound
from docker.utils.proxy import ProxyConfig

from fixtures.engine import BenchError, Container, Engine
from fixtures.engine.command import ProcessFound
from fixtures.engine.container import ApiRead, ContainerStarted
from fixtures.engine.options import DEFAULTS, merged
from fixtures.engine.output import OUTPUT_CAP
from fixtures.engine.waiting import poll
from fixtures.kernel import Doing, set_recorder
from fixtures.kernel.system_call import SystemCall
from tests.traces import nothing_is_left

pytestmark = pytest.mark.engine

Start = Callable[..., Container]


@pytest.fixture(scope="module")
def container(engine: Engine) -> Iterator[Container]:
    """One for all the tests that leave it as it is, or nearly."""
    started = engine.start(DEFAULTS)
    yield started
    started.remove()


@pytest.fixture
def start(engine: Engine) -> Iterator[Start]:
    """Starts containers for one test."""
    started: list[Container] = []

    def start_one(*, shared: bool = False, **options: Any) -> Container:
        started.append(engine.start(merged(DEFAULTS, options), shared=shared))
        return started[-1]

    yield start_one
    for each in started:
        each.remove()


# What it is


def test_its_first_process_is_its_command_as_the_host_sees_it(container: Container) -> None:
    assert container.init.argv == ("sleep", "infinity")
    assert container.init.pids == (container.init.host_pid, 1)
    assert container.inspect("State.Pid") == container.init.host_pid


def test_its_cgroup_and_its_root_are_those_of_its_first_process(container: Container) -> None:
    assert container.cgroup.procs == [container.init.host_pid]
    assert "/bin/busybox" in container.overlay.lower[-1].entries()


def test_it_is_introduced_with_its_ancestors_whenever_it_is_lent(
    container: Container, announced: list[object]
) -> None:
    container.introduce()
    container.introduce()

    first, second = announced
    assert isinstance(first, ContainerStarted)
    assert first == second
    (pid, name), *others = first.ancestors
    assert (pid, name) == (container.init.parent.host_pid, container.init.parent.name)
    assert [pid for pid, _ in others][-1:] == [1]


def test_its_start_is_announced_once_and_a_command_with_the_role(
    start: Start, announced: list[object]
) -> None:
    container = start()
    container.exec("true")
    container.spawn("sleep", "1000")

    assert [each for each in announced if isinstance(each, Doing)] == [
        Doing("starting the container"),
        Doing("running `true` in the container"),
        Doing("starting `sleep 1000` in the container"),
    ]


def test_its_line_starts_the_same_container(container: Container) -> None:
    assert container.line == (
        "docker run --detach --memory=256m --memory-swap=256m --network=none --pids-limit=128 "
        "busybox sleep infinity"
    )


def test_a_proxy_that_the_user_has_configured_is_not_told_inside(
    engine: Engine, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxies = ProxyConfig(http="http://user:secret@proxy")
    monkeypatch.setattr(engine.client.api, "_proxy_configs", proxies)

    assert "secret" not in start().exec("env").output


# Commands


@pytest.mark.parametrize(
    ("argv", "exit_code"),
    [
        (("true",), 0),
        (("false",), 1),
        (("sh", "-c", "exit 42"), 42),
        (("/etc/group",), 126),
        (("sh", "-c", "no-such-program"), 127),
        (("sh", "-c", "kill -9 $$"), 128 + signal.SIGKILL),
    ],
)
def test_a_command_has_its_exit_code(
    container: Container, argv: tuple[str, ...], exit_code: int
) -> None:
    assert container.exec(*argv).exit_code == exit_code


def test_a_command_whose_program_is_not_there_was_not_run(container: Container) -> None:
    lack = r"`no-such-program -x` in isolation-labs-.*: there is no no-such-program in it. The base"
    with pytest.raises(BenchError, match=lack):
        container.exec("no-such-program", "-x")


def test_a_command_s_streams_are_told_apart(container: Container) -> None:
    done = container.exec("sh", "-c", "echo one; echo two >&2")

    assert (done.output, done.error) == ("one", "two")


def test_a_command_may_print_more_than_is_kept(container: Container) -> None:
    done = container.exec("sh", "-c", "yes | head -c 1000000; echo done >&2")

    assert (len(done.stdout), done.truncated, done.error) == (OUTPUT_CAP, True, "done")


def test_a_command_that_is_not_done_in_time_is_ended(container: Container) -> None:
    began = time.monotonic()

    with pytest.raises(BenchError, match=r"`sleep 271828` in .* was not done after 0\.3 s"):
        container.exec("sleep", "271828", seconds=0.3)

    assert time.monotonic() - began < 60
    lines = poll(container.command_lines, lambda lines: "sleep 271828" not in lines, seconds=60)
    assert "sleep 271828" not in lines


def test_a_command_that_runs_on_is_a_process_with_an_exit_code_to_come(start: Start) -> None:
    container = start()

    script = "trap 'exit 3' TERM; sleep infinity & wait"

    process = container.spawn("sh", "-c", script)

    assert process.argv == ("sh", "-c", script)
    assert process.exit_code is None

    process.send_signal(signal.SIGTERM)

    assert poll(lambda: process.exit_code, lambda code: code is not None, seconds=60) == 3


def test_a_command_that_can_not_run_on_says_so(container: Container) -> None:
    with pytest.raises(BenchError, match="no-such-program"):
        container.spawn("no-such-program")


# Files


def test_a_file_is_written_read_and_deleted_inside(start: Start) -> None:
    container = start()

    container.write("/a file", "it's $HOME")

    assert container.read("/a file") == "it's $HOME"
    assert container.diff() == {"/a file": "added"}

    container.delete("/a file")

    assert not container.has("/a file")
    with pytest.raises(BenchError, match="No such file or directory"):
        container.delete("/a file")


def test_what_may_not_be_looked_at_is_no_absence(
    start: Start,
) -> None:
    """As where SELinux forbids it: EACCES is told from ENOENT and ENOTDIR."""
    container = start(user="1000", tmpfs={"/closed": "mode=700"})

    assert not container.has("/none")
    assert not container.has("/etc/group/none")
    with pytest.raises(BenchError, match="Permission denied"):
        container.has("/closed/file")


def test_a_file_that_is_not_there_or_empty_is_no_observation(container: Container) -> None:
    with pytest.raises(BenchError, match="No such file or directory"):
        container.read("/nothing")
    with pytest.raises(BenchError, match="printed nothing"):
        container.read("/dev/null")


def test_a_process_is_found_by_its_command_line(start: Start) -> None:
    container = start()
    process = container.spawn("sleep", "1000")

    announced: list[object] = []
    set_recorder(announced.append)
    found = container.find("sleep", "1000"), container.find("sleep")
    set_recorder(None)

    assert found == (process, None)
    assert announced == [ProcessFound(container.name, ("sleep", "1000"), process.host_pid)]


# Its end


GRACEFUL = ("sh", "-c", "trap 'exit 3' TERM; echo ready; sleep infinity & wait")


def test_a_stop_gives_time_and_then_kills(start: Start, announced: list[object]) -> None:
    container = start()
    assert container.exit_code is None

    seconds = container.stop(grace=1)

    assert seconds >= 1
    assert container.exit_code == 128 + signal.SIGKILL
    assert announced[-2:] == [
        ApiRead(f"docker stop -t 1 {container.name}", f"done after {seconds:.2f} s"),
        ApiRead("docker inspect State.ExitCode", "137"),
    ]


def test_a_signal_is_sent_and_what_was_printed_is_kept(start: Start) -> None:
    container = start(command=GRACEFUL)
    poll(container.logs, bool, seconds=60)

    container.kill(signal.SIGTERM)

    assert poll(lambda: container.exit_code, lambda code: code is not None, seconds=60) == 3
    assert container.logs() == "ready\n"


def test_of_logs_the_beginning_is_kept(start: Start) -> None:
    container = start(command=("sh", "-c", "yes first | head -n 1000000; exec sleep infinity"))
    poll(lambda: container.init.name == "sleep", bool, seconds=30)

    tracemalloc.start()
    text = container.logs()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (text[:12], len(text), peak < 1024 * 1024) == ("first\nfirst\n", OUTPUT_CAP, True)


def test_what_has_ended_can_not_be_killed(start: Start) -> None:
    container = start()
    container.kill()

    with pytest.raises(
        BenchError, match=r"docker kill --signal=SIGKILL isolation-labs-.* not running"
    ):
        container.kill()


def test_a_session_ends_where_the_keys_end_it(start: Start, announced: list[object]) -> None:
    container = start(tty=True, stdin_open=True, command=("sh", "-c", "echo ready; exec sh"))
    poll(container.logs, bool, seconds=60)

    container.attach("\x10\x11")

    assert container.exit_code is None
    with pytest.raises(BenchError, match="'echo' did not end the session"):
        container.attach("echo", seconds=0.3)

    container.attach("\rexit 4\r")

    assert poll(lambda: container.exit_code, lambda code: code is not None, seconds=60) == 4
    sources = [each.source for each in announced if isinstance(each, ApiRead)]
    assert f"docker attach {container.name}" in sources


@pytest.mark.parametrize(
    ("command", "code"),
    [(("sh", "-c", "exit 42"), 42), (("/etc/group",), 126), (("no-such-program",), 127)],
)
def test_a_run_to_its_end_has_an_exit_code_and_leaves_nothing(
    engine: Engine, announced: list[object], command: tuple[str, ...], code: int
) -> None:
    with nothing_is_left(engine.client):
        assert engine.run(merged(DEFAULTS, {"command": command})) == code

    [said] = [each for each in announced if isinstance(each, ApiRead)]
    assert said.source.startswith("docker run --rm --memory=256m")
    assert said.source.endswith(shlex.join(["busybox", *command]))
    assert said.value.startswith(f"exit code {code}")


# Sharing


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda container: container.write("/a", "text"), "write to it"),
        (lambda container: container.delete("/etc/group"), "delete in it"),
        (lambda container: container.spawn("sleep", "1"), "start a process in it"),
        (lambda container: container.update(mem_limit="32m"), "update it"),
        (lambda container: container.kill(), "kill it"),
        (lambda container: container.stop(grace=0), "stop it"),
        (lambda container: container.attach("exit"), "type into it"),
    ],
)
def test_a_container_that_others_look_at_refuses_to_be_changed(
    start: Start, change: Callable[[Container], object], what: str
) -> None:
    container = start(shared=True)
    before = container.state()

    with pytest.raises(BenchError) as error:
        change(container)

    assert str(error.value) == (
        f"other experiments look at this container too, so this one may not {what}; "
        "mark the experiment @fresh to give it a container of its own"
    )
    assert container.state() == before


def test_a_change_shows_in_its_state(start: Start) -> None:
    container = start()
    before = container.state()

    container.write("/a", "text")
    container.spawn("sleep", "1000")

    after = container.state()
    assert {name for name in before if before[name] != after[name]} == {
        "processes",
        "writable layer",
    }


# Beginning and end


def test_an_update_changes_its_limits(start: Start) -> None:
    container = start()

    container.update(mem_limit="64m", memswap_limit="64m")

    assert container.cgroup.memory.max == 64 * 1024**2


def test_a_command_that_can_not_start_leaves_no_container(engine: Engine) -> None:
    with nothing_is_left(engine.client), pytest.raises(BenchError) as error:
        engine.start(merged(DEFAULTS, {"command": ("no-such-program",)}))

    line, _, reason = str(error.value).partition("\n")
    assert line.startswith("docker run --detach")
    assert line.endswith("busybox no-such-program")
    assert reason.startswith("could not start: ")
    assert "no-such-program" in reason


@pytest.mark.parametrize("code", [0, 3])
def test_a_container_that_ends_at_once_is_told_and_not_left(engine: Engine, code: int) -> None:
    with nothing_is_left(engine.client), pytest.raises(BenchError) as error:
        engine.start(merged(DEFAULTS, {"command": ("sh", "-c", f"exit {code}")}))

    assert str(error.value).endswith(f"\nended at once with exit code {code}")


def test_a_container_is_removed_running_or_not_and_once_is_enough(engine: Engine) -> None:
    with nothing_is_left(engine.client):
        container = engine.start(DEFAULTS)
        container.init.send_signal(signal.SIGKILL)
        container.remove()
        container.remove()

    with pytest.raises(NotFound):
        container.inspect("State")


def test_a_container_is_started_again_with_its_files_and_another_first_process(
    start: Start, announced: list[object]
) -> None:
    container = start()
    before = container.init
    container.write("/note", "kept")
    container.stop(grace=0)

    container.start()

    assert container.init != before
    assert container.init.argv == ("sleep", "infinity")
    assert container.read("/note") == "kept"
    starts = [each.host_pid for each in announced if isinstance(each, ContainerStarted)]
    assert starts == [before.host_pid, container.init.host_pid]


# System calls made inside


def test_the_kernel_answers_a_system_call_that_is_made_inside(start: Start) -> None:
    container = start()

    assert container.answer_to(SystemCall("setuid", 0)) == "done"
    assert container.answers_to(SystemCall("chroot", "/none"), SystemCall("unshare", 0x20000)) == {
        "chroot": "ENOENT",
        "unshare": "EPERM",
    }


def test_a_program_of_system_calls_may_have_the_setuid_bit(start: Start) -> None:
    container = start(user="1000:1000")

    assert container.answer_to(SystemCall("setuid", 0)) == "EPERM"
    assert container.answer_to(SystemCall("setuid", 0), mode=0o4755) == "done"


def test_a_shared_container_refuses_programs_of_system_calls(start: Start) -> None:
    with pytest.raises(BenchError, match="may not put a program into it"):
        start(shared=True).answer_to(SystemCall("setuid", 0))


def test_an_end_that_is_no_answer_is_a_broken_bench(start: Start) -> None:
    with pytest.raises(BenchError, match="exit code 126 is no answer"):
        start().answer_to(SystemCall("setuid", 0), mode=0o644)


def test_unconfined_system_paths_leave_proc_uncovered(start: Start) -> None:
    container = start(security_opt=["systempaths=unconfined", "no-new-privileges"])

    assert "/proc/sys" not in container.init.mounts
    assert container.init.no_new_privs
    assert "--security-opt=systempaths=unconfined" in container.line
