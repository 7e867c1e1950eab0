"""A run from its beginning to its end, also where that comes early."""

from __future__ import annotations

import errno
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.engine.errors import EngineUnreachable
from fixtures.events import Run
from fixtures.events.schema import EVENTS, misfit
from tests.project import CONTROLLED, Project, experiment

PUBLISHED = {
    "events.jsonl",
    "junit.xml",
    "report.html",
    "evidence.html",
    "slides.html",
    "cards",
    "outputs",
}


def published(project: Project) -> set[str]:
    """What stands directly in reports/."""
    return {path.name for path in (project.root / "reports").iterdir()} - {"runs"}


def test_a_run_leaves_its_reports_in_a_folder_of_its_own(project: Project) -> None:
    project.chapter(experiment())

    outcome = project.run("-k", "as-is")

    assert {path.name for path in outcome.folder.iterdir()} == PUBLISHED


@pytest.mark.parametrize("choice", [(), ("labs",), (".",)])
def test_a_whole_run_is_published(project: Project, choice: tuple[str, ...]) -> None:
    project.chapter(experiment(), name="01_made_up")
    project.chapter(experiment("something_else_holds"), name="02_made_up_too")

    outcome = project.run(*choice)

    assert published(project) == PUBLISHED
    assert outcome.events.header["whole"]
    left = [
        path.relative_to(outcome.folder) for path in outcome.folder.rglob("*") if path.is_file()
    ]
    assert Path("outputs/an/output.txt") in left
    for name in left:
        report = project.root / "reports" / name
        assert report.read_bytes() == (outcome.folder / name).read_bytes()


def test_a_whole_run_replaces_all_that_an_older_one_has_left(project: Project) -> None:
    project.write("reports/cards/of_an_older_run.html", "older")
    for name in ("junit.xml", "slides.pdf", "comparison.html"):
        project.write(f"reports/{name}", "older")
    project.write("reports/README.md", "stays")
    project.chapter(experiment())

    project.run("--junitxml", "elsewhere.xml")

    assert published(project) == PUBLISHED - {"junit.xml"} | {"README.md"}
    assert [path.name for path in (project.root / "reports/cards").iterdir()] == ["a.html"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("no colours"), "ValueError: no colours"),
        (KeyboardInterrupt(), "KeyboardInterrupt: "),
    ],
)
def test_pages_that_can_not_be_made_are_told_and_lose_nothing(
    project: Project, error: BaseException, said: str
) -> None:
    project.pages.error = error
    project.write("reports/evidence.html", "older")
    project.chapter(experiment())

    outcome = project.run()

    folder = outcome.folder.relative_to(project.root)
    assert outcome.exit_code == pytest.ExitCode.TESTS_FAILED
    assert (
        f"the pages of this run could not be made: {said}\n"
        "Its events are whole. To make the pages of them:\n"
        f"  make render RUN={folder}\n"
        "In reports/ nothing was replaced.\n"
    ) in outcome.out
    assert "open " not in outcome.out
    assert outcome.verdict == "proven"
    assert published(project) == {"evidence.html"}
    assert (project.root / "reports/evidence.html").read_text() == "older"


def test_a_whole_run_without_pages_leaves_those_of_an_older_one(project: Project) -> None:
    project.write("reports/evidence.html", "older")
    project.chapter(experiment())

    outcome = project.run("--lab-no-pages")

    folder = outcome.folder.relative_to(project.root)
    assert outcome.exit_code == pytest.ExitCode.OK
    assert f"\nreports: {folder}/\n" in outcome.out
    assert "open " not in outcome.out
    assert published(project) == {"evidence.html"}


def test_a_run_that_can_not_be_read_back_gets_one_message(project: Project) -> None:
    project.engine.information["Driver"] = None
    project.chapter(experiment())

    outcome = project.run("--question", "made-1")

    file = outcome.folder / "events.jsonl"
    assert outcome.exit_code == pytest.ExitCode.TESTS_FAILED
    assert (
        f"\nthere are no pages and no summary of this run: {file}, line 2: "
        "`bench.engine.storage_driver` is not text. "
    ) in outcome.out
    assert "INTERNALERROR" not in outcome.out
    assert "what this run has shown" not in outcome.out
    assert published(project) == set()


@pytest.mark.parametrize(
    "choice",
    [
        ("-k", "as-is"),
        ("labs/test_01_made_up.py",),
        ("labs/test_01_made_up.py::test_something_holds", "labs/test_02_made_up_too.py"),
        ("--ignore=labs/test_02_made_up_too.py",),
        ("--question", "made-1"),
    ],
)
def test_a_part_of_the_labs_is_not_published(project: Project, choice: tuple[str, ...]) -> None:
    project.chapter(experiment(), experiment("it_holds_again"), name="01_made_up")
    unasked = CONTROLLED.partition("\n")[2]
    project.chapter(experiment("something_else_holds", above=unasked), name="02_made_up_too")

    outcome = project.run(*choice)

    assert outcome.exit_code == 0
    assert published(project) == set()
    assert not outcome.events.header["whole"]


@pytest.fixture
def heard() -> Iterator[None]:
    """Both are heard also where the tests themselves were started with `nohup` or a shell's &."""
    before = {
        signal.SIGHUP: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        signal.SIGINT: signal.signal(signal.SIGINT, signal.default_int_handler),
    }
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("heard")
@pytest.mark.parametrize(
    ("way", "exit_code"),
    [
        ("os.kill(os.getpid(), signal.SIGINT)", pytest.ExitCode.INTERRUPTED),
        ("os.kill(os.getpid(), signal.SIGTERM)", 128 + 15),
        ("os.kill(os.getpid(), signal.SIGHUP)", 128 + 1),
    ],
    ids=["Ctrl-C", "SIGTERM", "SIGHUP"],
)
def test_an_interrupted_run_is_read_back_as_interrupted_and_not_published(
    project: Project, way: str, exit_code: int
) -> None:
    project.chapter(
        experiment("one_was_done"),
        experiment("one_was_interrupted", body=f"if taken:\n    {way}\nassert not taken"),
        experiment("one_was_not_tried"),
        before="import os\nimport signal",
    )

    outcome = project.run(no_reraise_ctrlc=True)

    assert outcome.exit_code == exit_code
    assert "\nremoving what the run made: this takes some seconds\n" in outcome.out
    assert "traceback" not in outcome.out
    assert outcome.verdicts == {
        "one-was-done": "proven",
        "one-was-interrupted": "unproven",
        "one-was-not-tried": "unproven",
    }
    trials = outcome.events.experiments["one-was-interrupted"].trials
    assert {trial.name: trial.outcome for trial in trials.values()} == {
        "as-is": "held",
        "without-it": "interrupted",
    }
    assert outcome.events.finish is not None
    assert outcome.events.finish["exit_status"] == exit_code
    assert published(project) == set()


def test_a_run_that_stops_at_its_first_failure_is_not_published(project: Project) -> None:
    project.chapter(experiment(body="assert taken"))

    project.run("-x")

    assert published(project) == set()


def test_without_an_engine_there_is_one_message_and_no_run(project: Project) -> None:
    project.engine.unreachable = EngineUnreachable("no Docker Engine was found\nTry: make labs")
    project.chapter(experiment())

    outcome = project.run()

    assert outcome.exit_code == pytest.ExitCode.USAGE_ERROR
    assert outcome.err == "ERROR: no Docker Engine was found\nTry: make labs\n"
    assert "what this run has shown" not in outcome.out
    assert "generated" not in outcome.out.lower()
    assert list((project.root / "reports" / "runs").iterdir()) == []
    assert published(project) == set()


def test_when_the_engine_stops_the_rest_is_not_tried(project: Project) -> None:
    project.chapter(
        experiment("one_breaks", body='raise BenchError("no answer")\nassert not taken'),
        experiment("one_was_not_tried"),
    )
    project.engine.stopped = True

    outcome = project.run()

    assert outcome.exit_code == pytest.ExitCode.INTERRUPTED
    assert "unproven: the claim or a control was not run to its end:\n  not tried: 1" in outcome.out
    assert outcome.verdicts == {"one-breaks": "broken", "one-was-not-tried": "unproven"}
    assert (
        "the Docker Engine at unix:///made/up.sock has stopped answering; the experiments that "
        "were left were not tried"
    ) in outcome.out
    assert published(project) == set()


def test_trouble_in_cleaning_up_is_told(project: Project) -> None:
    project.engine.stuck = True
    project.chapter(experiment())

    outcome = project.run()

    assert "cleaning up failed; the next run tries again: the engine is stuck" in outcome.out
    assert outcome.events.finish is not None


def test_reports_that_can_not_be_made_are_an_error_of_usage(project: Project) -> None:
    project.write("reports", "a file where the folder should be")
    project.chapter(experiment())

    outcome = project.run()

    first, second = outcome.err.strip().splitlines()
    assert outcome.exit_code == pytest.ExitCode.USAGE_ERROR
    assert first.startswith(f"ERROR: {project.root}/reports/runs/")
    assert first.endswith(" can not be made: Not a directory")
    assert second == (
        f"The reports of a run go into {project.root}/reports: make that a folder that this user may "
        "write to."
    )
    assert project.engine.contacts == 0


def test_a_folder_that_takes_no_reports_in_the_end_is_refused_in_the_beginning(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.access", lambda path, mode: path != project.root / "reports")
    project.chapter(experiment())

    outcome = project.run()

    assert outcome.exit_code == pytest.ExitCode.USAGE_ERROR
    assert " can not be made: Permission denied\nThe reports of a run go into " in outcome.err
    assert list((project.root / "reports" / "runs").iterdir()) == []


def test_reports_that_can_not_be_copied_are_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(run: Path, reports: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("fixtures.lab.plugin.publish", fail)
    project.chapter(experiment())

    outcome = project.run()

    assert outcome.exit_code != 0
    assert outcome.err.strip() == (
        f"ERROR: the reports of this run could not be copied into {project.root}/reports: "
        f"No space left on device\nThey are in {outcome.folder}."
    )
    assert outcome.verdict == "proven"


def test_a_chapter_that_can_not_be_imported_stops_the_run(project: Project) -> None:
    project.chapter(experiment())
    project.write("labs/test_02_broken.py", "import no_such_module")

    outcome = project.run()

    assert outcome.exit_code == pytest.ExitCode.INTERRUPTED
    assert project.engine.contacts == 0
    assert list((project.root / "reports" / "runs").iterdir()) == []


def test_the_other_chapters_run_where_one_asks_for_it(project: Project) -> None:
    project.chapter(experiment())
    project.write("labs/test_02_broken.py", "import no_such_module")

    outcome = project.run("--continue-on-collection-errors")

    assert (outcome.exit_code, outcome.verdict) == (1, "proven")
    assert published(project) == set()


def test_the_stream_says_what_was_run_on_which_bench(project: Project) -> None:
    project.chapter(experiment())

    run = project.run().events

    assert run.bench["engine"]["version"] == "29.0.0"
    assert run.bench["not_observable"] == {
        "private-engine": {
            "reason": "it is made up",
            "remedy": "apt-get install docker.io iproute2, and run as root",
        }
    }
    assert list(run.questions) == ["made-1", "made-2", "made-3"]
    assert run.experiments["something-holds"].declared["controls"] == [
        {
            "trial": "without-it",
            "name": "it",
            "phrase": "without it",
            "changes": {"taken": True},
            "requires": [],
        }
    ]


def test_every_event_keeps_what_the_schema_promises(project: Project) -> None:
    body = (
        "host.exec('echo', 'x')\n"
        "announce(FileRead('/sys/fs/cgroup/x', None, 'max', 'memory.max'))\n"
        "announce(ApiRead('docker info Driver', 'overlay2'))\n"
        "announce(SignalSent(42, 'SIGTERM'))\n"
        "announce(ImageBuilt('classic', 'x', 'docker build .', {'a': 'b'}, 0, '', None, 0.1))\n"
        "announce(TimelineSeen({}, 0, 1.0, (), ()))\n"
        "announce(PacketsSeen('eth0', 'of UDP', (Packet.decoded(bytes(60)),), 1))\n"
        "with doing('waiting'):\n    pass\n"
        "assert not taken"
    )
    project.chapter(
        experiment(arguments="taken, container, host", body=body),
        before=(
            "from fixtures.engine.build import ImageBuilt\n"
            "from fixtures.engine.container import ApiRead\n"
            "from fixtures.engine.timeline import TimelineSeen\n"
            "from fixtures.kernel.capture import PacketsSeen\n"
            "from fixtures.kernel.observation import FileRead, SignalSent, announce, doing\n"
            "from fixtures.kernel.packet import Packet"
        ),
    )

    outcome = project.run()

    lines = (outcome.folder / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    assert [problem for event in events if (problem := misfit(event))] == []
    assert {event["event"] for event in events} == set(EVENTS)


def test_every_fact_is_in_the_stream_with_its_values(project: Project) -> None:
    project.chapter(experiment(body="assert 6 * 7 == 42\nassert taken is False"))

    trials = project.run().events.experiments["something-holds"].trials

    assert [
        [(fact["source"], fact["text"], fact["held"]) for fact in trial.of("fact")]
        for trial in trials.values()
    ] == [
        [("6 * 7 == 42", "(6 * 7) == 42", True), ("taken is False", "False is False", True)],
        [("6 * 7 == 42", "(6 * 7) == 42", True), ("taken is False", "True is False", False)],
    ]


def test_a_fact_is_found_again_where_it_fell_however_it_is_written(project: Project) -> None:
    project.chapter(
        experiment(body='assert (\n    taken,\n    "as it is",\n) == (False, "as it is")')
    )

    trials = project.run().events.experiments["something-holds"].trials

    held, fell = (trial.of("fact")[0] for trial in trials.values())
    assert (held["held"], fell["held"]) == (True, False)
    assert (held["source"], held["line"]) == (fell["source"], fell["line"])
    assert held["source"] == "(taken, 'as it is') == (False, 'as it is')"


def test_a_run_reads_back_after_sigkill(project: Project) -> None:
    """The events of a run are on disk before the next thing happens."""
    body = (
        "import shutil\nif taken:\n    shutil.copytree('reports/runs', 'killed')\nassert not taken"
    )
    project.chapter(experiment(body=body))

    project.run()

    (killed,) = (project.root / "killed").iterdir()
    run = Run.read(killed)
    assert run.finish is None
    assert run.experiments["something-holds"].trials["without-it"].outcome == "interrupted"


def test_programs_of_root_s_are_found_where_the_path_lacks_their_folders(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after su, or for a user of Debian."""
    monkeypatch.setenv("PATH", "/usr/bin:/usr/sbin")
    looked_in = "/usr/bin:/usr/sbin:/usr/local/sbin:/sbin"
    body = f"import os\nassert taken or os.environ['PATH'] == {looked_in!r}\nassert not taken"
    project.chapter(experiment(body=body))

    assert project.run().verdict == "proven"
