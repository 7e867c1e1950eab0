"""A run without an engine, with the wrong one, with one that fails, and with one it shares."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from fixtures import static_archive
from fixtures.engine import Engine, home
from tests.fake_engine import FakeEngine, listening
from tests.project import experiment
from tests.traces import nothing_is_left

from .labs import ENVIRONMENT, LASTING, QUICK, UNTOLD, YOU, Labs, LabsRun, User

STRANGER = 12345
"""a user whom no machine knows"""


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeEngine]:
    """An engine that is none."""
    with listening(tmp_path / "docker.sock") as engine:
        yield engine


@pytest.fixture
def nobody() -> User:
    """A user without any right, where the tests are root's; with a Python that is theirs to use."""
    if os.geteuid() != 0:
        return YOU
    for python in (sys.executable, "/usr/bin/python3"):
        user = User(STRANGER, python)
        probe = [python, "-c", "import docker, pytest, psutil, fixtures.lab"]
        with suppress(OSError, subprocess.SubprocessError):
            subprocess.run(
                probe, cwd="/", env=ENVIRONMENT, capture_output=True, check=True, **user.how
            )
            return user
    pytest.skip("another user may use no Python that has what the labs need")


@pytest.fixture
def everybodys(monkeypatch: pytest.MonkeyPatch) -> Iterator[Labs]:
    """Made-up labs that everybody may read and write."""
    root = Path(tempfile.mkdtemp())
    monkeypatch.setenv("HOME", str(root))
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    made = Labs(root)
    made.chapter(QUICK)
    for path in (root, *root.rglob("*")):
        path.chmod(0o777)
    yield made
    made.close()
    shutil.rmtree(root)


def assert_was_refused(run: LabsRun, *messages: str) -> None:
    """It ends with these messages and nothing else, and has left no report."""
    assert run.process.returncode == pytest.ExitCode.USAGE_ERROR, run.output
    said = [line for line in run.output.splitlines() if line.startswith(("ERROR", "Try", "or "))]
    assert [line for line in said if line] == list(messages)
    assert "Traceback" not in run.output
    assert list((run.root / "reports" / "runs").iterdir()) == []


def test_without_an_engine_and_without_root_there_is_one_message(
    everybodys: Labs, nobody: User
) -> None:
    if Path("/var/run/docker.sock").exists():
        pytest.skip("there is an engine at the default socket")

    run = everybodys.run(user=nobody)

    assert_was_refused(
        run,
        "ERROR: no Docker Engine was found (no DOCKER_HOST, no docker context; nothing is at the "
        "default socket), and a private engine needs root",
        "Try: sudo make labs   (root installs what is missing and starts one for the run)",
        "or start yours: sudo systemctl start docker",
    )


def test_an_engine_that_is_not_for_this_user_is_told(everybodys: Labs, nobody: User) -> None:
    socket = everybodys.root / "docker.sock"
    with listening(socket):
        socket.chmod(0o600 if os.geteuid() == 0 else 0)

        run = everybodys.run(engine=f"unix://{socket}", user=nobody)

    assert_was_refused(
        run,
        f"ERROR: no Docker Engine answers at unix://{socket} (DOCKER_HOST): Permission denied",
        f"Try: docker --host unix://{socket} info",
    )


def test_an_engine_of_another_machine_gets_a_message_and_nothing_is_made_on_it(
    labs: Labs, fake: FakeEngine
) -> None:
    fake.answers["GET /info"] = {"KernelVersion": "3.10.0"}
    labs.chapter(QUICK)

    run = labs.run(engine=fake.url)

    assert_was_refused(
        run,
        f"ERROR: the Docker Engine at {fake.url} (DOCKER_HOST) does not run on this machine: its "
        f"kernel is 3.10.0, this one is {os.uname().release}.",
        "Try: run them on the machine of the engine, or unset DOCKER_HOST and DOCKER_CONTEXT",
    )
    assert {asked.partition(" ")[0] for asked in fake.asked} == {"GET"}


def test_an_engine_that_fails_before_the_first_experiment_gets_a_message(
    labs: Labs, fake: FakeEngine
) -> None:
    fake.answers["GET /info"] = {"KernelVersion": os.uname().release}
    fake.answers["POST /images/load"] = (500, "out of order")
    labs.chapter(QUICK)

    run = labs.run(engine=fake.url)

    assert_was_refused(
        run,
        "ERROR: the Docker Engine failed before the first trial: out of order",
    )


def test_an_unknown_context_gets_a_message(labs: Labs, monkeypatch: pytest.MonkeyPatch) -> None:
    labs.chapter(QUICK)
    monkeypatch.setenv("DOCKER_CONFIG", str(labs.root))
    (labs.root / "config.json").write_text('{"currentContext": "nowhere"}')

    run = labs.run()

    assert_was_refused(
        run,
        "ERROR: the docker context 'nowhere' does not exist; there are: default",
        "Try: docker context use default   (or unset DOCKER_CONTEXT)",
    )


@pytest.mark.engine
def test_when_the_engine_dies_the_rest_is_not_tried_in_vain(labs: Labs, engine: Engine) -> None:
    if engine.private is None:
        pytest.skip("the engine of this machine is not the tests' to kill")
    labs.chapter(LASTING, QUICK)
    with nothing_is_left(engine.client):
        run = labs.start()
        run.is_in_its_middle()
        (daemon,) = (
            child
            for child in psutil.Process(run.process.pid).children()
            if child.name() == "dockerd"
        )

        daemon.send_signal(signal.SIGKILL)

        assert run.end() == pytest.ExitCode.INTERRUPTED, run.output

    assert run.output.count("has stopped answering") == 1
    assert "INTERNALERROR" not in run.output
    verdicts = {name: each.verdict for name, each in run.reports.experiments.items()}
    assert verdicts == {
        "something-lasts": "broken",
        "a-container-has-a-name-of-its-own": "unproven",
    }


ON_ANOTHER = experiment(
    "an_experiment_has_the_suite_s_engine",
    above="@suite_engine\n@given(named=False)\n@without('it', named=True)",
    arguments="engine, named",
    body="import os\nassert (engine.where.url == os.environ['DOCKER_HOST']) == named",
)


ON_THAT_ENGINE = experiment(
    "the_run_s_engine_and_the_suite_s_are_from_there",
    above="@suite_engine\n@given(label='from=here')\n@without('it', label='from=elsewhere')",
    arguments="engine, docker, label",
    body="assert label in docker('info', '--format={{.Labels}}').stdout",
)


@pytest.mark.engine
@pytest.mark.skipif(os.geteuid() != 0, reason="a private engine takes root")
def test_what_is_built_is_not_built_on_the_users_engine(labs: Labs, engine: Engine) -> None:
    labs.chapter(QUICK, ON_ANOTHER, ON_ANOTHER.replace("has_the", "shares_the"))
    with nothing_is_left(engine.client):
        run = labs.run(engine=engine.where.url)

    assert run.process.returncode == 0, run.output
    assert run.reports.verdicts == {"proven": 3}
    assert list(home.HOME.glob(f"*.{run.process.pid}.*")) == []


@pytest.mark.engine
@pytest.mark.skipif(os.geteuid() != 0, reason="a private engine takes root")
def test_a_run_can_have_an_engine_that_is_configured(labs: Labs, engine: Engine) -> None:
    labs.chapter(QUICK)
    (labs.root / "daemon.json").write_text('{"storage-driver": "vfs"}')

    run = labs.run("--lab-daemon-json=daemon.json", engine=engine.where.url)

    assert run.process.returncode == 0, run.output
    told = run.reports.bench["engine"]
    assert told["storage_driver"] == "vfs"
    assert (told["configuration"], told["private"]) == ({"storage-driver": "vfs"}, True)


@pytest.mark.parametrize(
    ("content", "arguments", "message"),
    [
        (None, (), "ERROR: --lab-daemon-json daemon.json: no such file"),
        ("{", (), "ERROR: --lab-daemon-json daemon.json: it is no JSON: Expecting property name"),
        ("[]", (), "ERROR: --lab-daemon-json daemon.json: it must hold an object, such as"),
        ("{}", ("--lab-engine=by-hand",), "ERROR: --lab-engine=by-hand has no engine that"),
        ("{}", ("--lab-engine=runc",), "ERROR: --lab-engine=runc has no engine that"),
    ],
)
def test_a_configuration_that_is_none_gets_a_message(
    labs: Labs, content: str | None, arguments: tuple[str, ...], message: str
) -> None:
    labs.chapter(QUICK)
    if content is not None:
        (labs.root / "daemon.json").write_text(content)

    run = labs.run("--lab-daemon-json=daemon.json", *arguments)

    assert run.process.returncode == pytest.ExitCode.USAGE_ERROR, run.output
    assert message in run.output
    assert "Traceback" not in run.output


def put_programs(folder: Path) -> dict[str, Path]:
    """A folder with this machine's own engine in it, all of it by links; program → what it leads to."""
    folder.mkdir()
    found = {name: Path(shutil.which(name) or "") for name in static_archive.PROGRAMS}
    if missing := [name for name, program in found.items() if not program.is_file()]:
        pytest.skip(f"this machine has no {missing[0]}")
    for name, program in found.items():
        (folder / name).symlink_to(program)
    return found


@pytest.mark.engine
@pytest.mark.skipif(os.geteuid() != 0, reason="a private engine takes root")
def test_a_run_can_have_an_engine_that_is_not_installed(labs: Labs, engine: Engine) -> None:
    labs.chapter(ON_THAT_ENGINE)
    found = put_programs(labs.root / "just built")
    # Who runs it tells which one it is.
    (labs.root / "just built/dockerd").unlink()
    (labs.root / "just built/dockerd").write_text(
        f'#!/bin/sh\nexec {found["dockerd"]} --label=from=here "$@"\n'
    )
    (labs.root / "just built/dockerd").chmod(0o755)
    (labs.root / "daemon.json").write_text('{"storage-driver": "vfs"}')

    run = labs.run(
        *("--lab-programs", "just built", "--lab-daemon-json=daemon.json"), engine=engine.where.url
    )

    assert run.process.returncode == 0, run.output
    told = run.reports.bench["engine"]
    assert told["storage_driver"] == "vfs"
    assert told["chosen_because"] == (
        f"a private engine of the programs in {labs.root}/just built, "
        "as --lab-programs and --lab-daemon-json say"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "ERROR: --lab-programs bin: it has no dockerd, containerd, "),
        (("--lab-programs=conftest.py",), "ERROR: --lab-programs conftest.py: it is no folder"),
        (("--lab-programs=",), "argument --lab-programs: it is empty: type a path behind ="),
        (("--lab-programs=~/none",), "ERROR: --lab-programs /made/up/none: no such folder"),
        (("--lab-programs=a:b",), "ERROR: --lab-programs a:b: its path has a colon"),
        (("--lab-engine=podman",), "ERROR: --lab-engine=podman has no engine that --lab-programs"),
    ],
)
def test_programs_that_are_none_get_a_message(
    labs: Labs, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], message: str
) -> None:
    monkeypatch.setenv("HOME", "/made/up")
    labs.chapter(QUICK)
    (labs.root / "bin").mkdir()

    run = labs.run("--lab-programs=bin", *arguments)

    assert run.process.returncode == pytest.ExitCode.USAGE_ERROR, run.output
    assert message in run.output
    assert "Traceback" not in run.output
    assert list((labs.root / "reports").glob("runs/*")) == []


@pytest.mark.engine
def test_two_runs_at_once_on_one_engine_do_not_touch_each_other(labs: Labs, engine: Engine) -> None:
    labs.chapter(QUICK)
    with nothing_is_left(engine.client):
        runs = [labs.start(engine=engine.where.url) for _ in range(2)]

        assert [run.end() for run in runs] == [0, 0], [run.output for run in runs]

    assert [run.reports.verdicts for run in runs] == [{"proven": 1}, {"proven": 1}]


@pytest.mark.engine
def test_nothing_of_the_environment_reaches_the_reports(labs: Labs, engine: Engine) -> None:
    labs.chapter(QUICK)

    run = labs.run(engine=engine.where.url)

    reports = [each for each in (run.root / "reports").rglob("*") if each.is_file()]
    assert {"events.jsonl", "evidence.html", "slides.html", "report.html", "junit.xml"} <= {
        each.name for each in reports
    }
    assert [each.name for each in reports if UNTOLD in each.read_text()] == []
    assert UNTOLD not in run.output


@pytest.mark.engine
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can leave its files to another")
def test_the_reports_of_a_run_under_sudo_are_the_user_s(labs: Labs, engine: Engine) -> None:
    labs.chapter(QUICK)
    reports = labs.root / "reports"
    reports.mkdir()
    os.chown(reports, STRANGER, STRANGER)

    run = labs.run(engine=engine.where.url)

    assert run.process.returncode == 0, run.output
    left = [reports, *reports.rglob("*")]
    assert {"events.jsonl", "report.html", "junit.xml"} <= {path.name for path in left}
    assert {(path.stat().st_uid, path.stat().st_gid) for path in left} == {(STRANGER, STRANGER)}
