"""What other people's plugins, and some options, may not make of a run."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fixtures.events import Run
from fixtures.lab.refused import (
    AGAIN,
    ASSERTS,
    ELSEWHERE,
    MANY,
    MARKS,
    NEEDED,
    ONE_BY_ONE,
    OPTIMIZED,
    OPTIONS,
)
from tests import on_a_terminal
from tests.project import AUTOLOAD_OFF, OURS, Project, experiment, in_general

REFUSED = "test_01_made_up.py::test_something_holds"
PYTESTS_OWN = {
    "assertmode": "--assert=plain",
    "setuponly": "--setup-only",
    "setupplan": "--setup-plan",
}
FELL_ONCE = "TRIES = []"
HOLDS_AT_LAST = "TRIES.append(taken)\nassert TRIES.count(taken) > 1 or taken\nassert not taken"
FALLS_AT_LAST = "TRIES.append(taken)\nassert TRIES.count(taken) == 1 or not taken"
BROKEN_ONCE = (
    "TRIES.append(taken)\nif TRIES == [False]:\n    raise BenchError('the first time')\n"
    "assert not taken"
)

AGAIN_IN_ONE_GO = """\
from _pytest.runner import runtestprotocol


def pytest_runtest_protocol(item, nextitem):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for _ in range(2):
        item._initrequest()
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
"""
"""a plugin that tries each test twice, and tells pytest of the second time alone"""

AGAIN_FROM_THE_START = """\
def pytest_runtestloop(session):
    for item in session.items * 2:
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
    return True
"""

SWALLOWING = """\
import pytest


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    try:
        return (yield)
    except AssertionError:
        return True
"""

PASSING = """\
import pytest


class Passing:
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(self, item, call):
        report = yield
        report.outcome = "passed"
        return report


def pytest_collection_finish(session):
    session.config.pluginmanager.register(Passing())
"""

FAILING = """\
import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if call.when == "call" and "as-is" in item.name:
        report.outcome, report.longrepr = "failed", "a soft assert fell"
    return report
"""

ASSERTING = """\
import pytest


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    values = [42]
%s    assert 42 in values  # on each line that the experiment may have an assert on
    return (yield)
""" % ("    assert values\n" * 40)

OTHER_LINES = """\
import pytest


class Other(pytest.TerminalReporter):
    def pytest_runtest_logreport(self, report):
        self.write_line("another line")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    plugins = config.pluginmanager
    plugins.unregister(plugins.get_plugin("terminalreporter"))
    plugins.register(Other(config), "terminalreporter")
"""

SHUFFLING = """\
def pytest_collection_modifyitems(items):
    items.reverse()
"""

SHUFFLING_LAST = """\
import pytest


class Last:
    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items):
        result = yield
        items.reverse()
        return result


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    config.pluginmanager.register(Last())
"""
"""as pytest's own --new-first does"""


@pytest.fixture
def chapter(project: Project) -> Project:
    project.chapter(experiment())
    return project


@pytest.fixture
def autoload(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs have every plugin that is installed."""
    monkeypatch.delenv(AUTOLOAD_OFF)


def having(project: Project, plugin: str) -> tuple[str, ...]:
    """The arguments with which a run has that plugin."""
    project.write("made_up_plugin.py", plugin)
    return ("-p", "made_up_plugin")


def assert_is_refused(project: Project, *arguments: str, said: str) -> None:
    """There is this message alone, and neither a run nor a look for an engine."""
    outcome = project.run(*arguments, syspathinsert=True)

    assert outcome.exit_code == pytest.ExitCode.USAGE_ERROR
    assert outcome.err.strip() == f"ERROR: {said}"
    assert project.engine.contacts == 0
    assert not list((project.root / "reports").glob("runs/*"))


@pytest.mark.parametrize(("name", "flag", "why"), OPTIONS, ids=lambda value: value)
def test_an_option_that_repeats_or_spreads_trials_is_refused(
    chapter: Project, name: str, flag: str, why: str
) -> None:
    if own := PYTESTS_OWN.get(name):
        assert_is_refused(chapter, own, said=f"{flag} is not for the labs: {why}")
        return
    option = (
        "def pytest_addoption(parser):\n"
        f"    parser.getgroup('made up')._addoption({flag!r}, dest={name!r})\n"
    )

    assert_is_refused(
        chapter, *having(chapter, option), flag, "2", said=f"{flag} is not for the labs: {why}"
    )


@pytest.mark.parametrize(
    ("option", "given"),
    [
        ("'--count', dest='count', type=int, default=1", ()),
        ("'--dist', dest='dist', default='no'", ()),
        ("'--tx', dest='tx', action='append', default=[]", ()),
        ("'--parallel-threads', dest='parallel_threads', default=1", ()),
        ("'-n', dest='numprocesses', type=int", ("-n", "0")),
        ("'--reruns', dest='reruns', type=int", ("--reruns", "0")),
    ],
)
def test_a_plugin_that_is_only_there_does_not_disturb(
    chapter: Project, option: str, given: tuple[str, ...]
) -> None:
    plugin = (
        f"def pytest_addoption(parser):\n    parser.getgroup('made up')._addoption({option})\n"
        "    parser.addini('retries', 'how often', default='0')\n"
    )

    outcome = chapter.run(*having(chapter, plugin), *given, syspathinsert=True)

    assert (outcome.exit_code, outcome.verdict) == (0, "proven")


@pytest.mark.parametrize("way", ["-o", "pytest.ini", "PYTEST_ADDOPTS"])
def test_it_does_not_matter_where_reruns_are_asked_for(
    chapter: Project, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    plugin = having(chapter, "def pytest_addoption(parser):\n    parser.addini('reruns', '')\n")
    arguments = ("-o", "reruns=1") if way == "-o" else ()
    if way == "PYTEST_ADDOPTS":
        monkeypatch.setenv("PYTEST_ADDOPTS", "-o reruns=1")
    if way == "pytest.ini":
        settings = chapter.root / "pytest.ini"
        settings.write_text(f"{settings.read_text()}\nreruns = 1\n")

    assert_is_refused(
        chapter, *plugin, *arguments, said=f"the setting reruns is not for the labs: {AGAIN}"
    )


def test_everything_that_is_refused_is_said_at_once(chapter: Project) -> None:
    plugin = (
        "def pytest_addoption(parser):\n"
        "    group = parser.getgroup('made up')\n"
        "    group._addoption('--count', type=int, default=1)\n"
        "    group._addoption('--tx', action='append', default=[])\n"
    )

    assert_is_refused(
        chapter,
        *having(chapter, plugin),
        "--count=3",
        "--tx=2*popen",
        said=f"--tx is not for the labs: {ONE_BY_ONE}\n--count is not for the labs: {MANY}",
    )


def test_options_are_the_own_business_of_other_tests(chapter: Project) -> None:
    chapter.write("tests/test_other.py", "def test_other():\n    pass\n")

    assert chapter.run("tests", "--assert=plain").exit_code == 0


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("place", ["experiment", "chapter"])
def test_a_mark_that_makes_more_or_else_of_a_trial_is_refused(
    project: Project, mark: str, place: str
) -> None:
    source, before = experiment(), ""
    if place == "chapter":
        before = f"pytestmark = pytest.mark.{mark}"
    else:
        source = f"@pytest.mark.{mark}\n{source}"
    project.chapter(source, before=before)
    known = f"def pytest_configure(config):\n    config.addinivalue_line('markers', '{mark}: made up')\n"

    assert_is_refused(
        project,
        *having(project, known),
        said=f"labs/{REFUSED}: @pytest.mark.{mark} is not for experiments: {MARKS[mark]}",
    )


def test_a_chapter_that_is_chosen_twice_is_refused(chapter: Project) -> None:
    file = "labs/test_01_made_up.py"
    repeated = [
        f"labs/{REFUSED}[{trial}]: it is to be run more than once, but {MANY}"
        for trial in ("as-is", "without-it")
    ]

    assert_is_refused(chapter, "--keep-duplicates", file, file, said="\n".join(repeated))


def test_a_trial_that_a_plugin_multiplies_is_refused(chapter: Project) -> None:
    doubling = "def pytest_collection_modifyitems(items):\n    items += items[:1]\n"

    assert_is_refused(
        chapter,
        *having(chapter, doubling),
        said=f"labs/{REFUSED}[as-is]: it is to be run more than once, but {MANY}",
    )


def test_a_trial_that_a_plugin_begins_again_ends_the_run(chapter: Project) -> None:
    outcome = chapter.run(*having(chapter, AGAIN_FROM_THE_START), syspathinsert=True)

    assert outcome.exit_code == pytest.ExitCode.USAGE_ERROR
    assert outcome.err.strip() == (
        f"ERROR: labs/{REFUSED}[as-is]: a plugin runs it for the second time, but {MANY}"
    )
    assert outcome.verdict == "proven"


@pytest.mark.parametrize(
    ("body", "verdict", "reason"),
    [
        (HOLDS_AT_LAST, "refuted", "`TRIES.count(taken) > 1 or taken` fell: (1 > 1 or False)"),
        (FALLS_AT_LAST, "vacuous", "without it every fact still held"),
        (BROKEN_ONCE, "broken", "the first time"),
    ],
)
def test_of_several_tries_the_worst_counts(
    project: Project, body: str, verdict: str, reason: str
) -> None:
    project.chapter(experiment(body=body), before=FELL_ONCE)

    outcome = project.run(*having(project, AGAIN_IN_ONE_GO), syspathinsert=True)

    assert (outcome.exit_code, outcome.verdict) == (pytest.ExitCode.TESTS_FAILED, verdict)
    (shown,) = outcome.events.experiments.values()
    assert shown.reason.startswith(reason)


@pytest.mark.parametrize("body", ["assert taken", "assert 1 + 1 == 2\nassert taken"])
def test_a_fact_whose_fall_a_plugin_swallows_does_not_hold(project: Project, body: str) -> None:
    project.chapter(experiment(body=body))

    outcome = project.run(*having(project, SWALLOWING), syspathinsert=True)

    assert (outcome.exit_code, outcome.verdict) == (pytest.ExitCode.TESTS_FAILED, "broken")
    assert (
        "`assert taken` was not seen to hold: something has taken it over, such as a plugin of pytest, "
        "or a __pycache__ that was written under other settings (remove labs/__pycache__)"
    ) in outcome.out


def test_what_a_plugin_makes_pass_all_the_same_fails_in_the_end(project: Project) -> None:
    project.chapter(experiment(body="assert taken"))

    outcome = project.run(*having(project, PASSING), syspathinsert=True)

    assert (outcome.exit_code, outcome.verdict) == (pytest.ExitCode.TESTS_FAILED, "refuted")
    assert (
        f"labs/{REFUSED}[as-is] is refuted, and a plugin has made it pass all the same"
    ) in outcome.out
    assert outcome.events.finish is not None
    assert outcome.events.finish["exit_status"] == pytest.ExitCode.TESTS_FAILED


def test_what_a_plugin_makes_fail_does_not_hold(chapter: Project) -> None:
    outcome = chapter.run(*having(chapter, FAILING), syspathinsert=True)

    assert (outcome.exit_code, outcome.verdict) == (pytest.ExitCode.TESTS_FAILED, "broken")
    assert "a plugin of pytest has made it fail:\n           a soft assert fell" in outcome.out


@pytest.mark.parametrize("shuffling", [SHUFFLING, SHUFFLING_LAST])
def test_trials_are_in_reading_order_whatever_a_plugin_makes_of_it(
    project: Project, shuffling: str
) -> None:
    project.chapter(experiment("one"), experiment("another"), name="01_made_up")
    project.chapter(experiment("a_third"), name="02_made_up_too")

    outcome = project.run(*having(project, shuffling), syspathinsert=True)

    events = (outcome.folder / "events.jsonl").read_text().splitlines()
    begun = [line for line in events if '"event": "start"' in line]
    assert list(outcome.verdicts) == ["one", "another", "a-third"]
    assert ["as-is" in line for line in begun] == [True, False] * 3


def test_only_the_experiment_s_own_asserts_are_facts(chapter: Project) -> None:
    outcome = chapter.run(*having(chapter, ASSERTING), syspathinsert=True)

    trials = outcome.events.experiments["something-holds"].trials
    facts = [[fact["source"] for fact in trial.of("fact")] for trial in trials.values()]
    assert (outcome.verdict, facts) == ("proven", [["not taken"], ["not taken"]])


@pytest.mark.parametrize("where", ["in a file", "on a terminal"])
def test_another_plugin_s_lines_do_not_replace_those_of_the_labs(
    chapter: Project, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    plugin = having(chapter, OTHER_LINES)
    monkeypatch.syspath_prepend(chapter.root)
    shown = (
        chapter.run(*plugin).out
        if where == "in a file"
        else on_a_terminal.run(chapter, *plugin, width=80)
    )

    assert shown.count("proven    Something holds.") == 1
    assert "1 claim proven of 1" in shown
    assert "another line" not in shown


def test_another_plugin_s_lines_are_those_of_other_tests(project: Project) -> None:
    project.write("tests/test_other.py", "def test_other():\n    pass\n")

    shown = project.run(*having(project, OTHER_LINES), "tests", syspathinsert=True).out

    assert "another line" in shown


@pytest.mark.usefixtures("autoload")
@pytest.mark.parametrize("where", ["in a file", "on a terminal"])
def test_the_plugins_that_are_installed_change_nothing(project: Project, where: str) -> None:
    for name in ("01_made_up", "02_made_up_too"):
        project.chapter(experiment(f"a_{name}"), experiment(f"b_{name}"), name=name)

    shown = project.run().out if where == "in a file" else on_a_terminal.run(project, width=80)

    (folder,) = (project.root / "reports" / "runs").iterdir()
    run = Run.read(folder)
    assert "4 claims proven of 4, 4 controls failed as they must\n" in shown
    assert shown.count("proven    Something holds.") == 4
    assert list(run.experiments) == [
        "a-01-made-up",
        "b-01-made-up",
        "a-02-made-up-too",
        "b-02-made-up-too",
    ]
    assert "warning" not in shown.lower()


@pytest.mark.usefixtures("autoload")
@pytest.mark.parametrize("name", NEEDED)
def test_a_plugin_that_the_labs_need_can_not_be_left_out(chapter: Project, name: str) -> None:
    assert_is_refused(
        chapter,
        "-p",
        f"no:{name}",
        said=f"the labs need the plugin {name}: {NEEDED[name]}; leave out -p no:{name}",
    )


@pytest.mark.usefixtures("autoload")
def test_pytest_html_s_page_needs_a_plugin_of_its_own(chapter: Project) -> None:
    assert_is_refused(
        chapter,
        "-p",
        "no:metadata",
        said="the labs need the plugin metadata: pytest-html writes its page with it; "
        "leave out -p no:metadata",
    )


@pytest.mark.parametrize(
    "name",
    [
        "html",
        "debugging",
        "capture",
        "setuponly",
        "logging",
        "warnings",
        "fixtures.report.terminal",
    ],
)
def test_the_labs_do_without_a_plugin_that_they_do_not_need(chapter: Project, name: str) -> None:
    outcome = chapter.run("-p", f"no:{name}")

    assert (outcome.exit_code, outcome.verdict) == (0, "proven")
    assert "Traceback" not in outcome.out + outcome.err


@pytest.mark.parametrize("optimized", ["-O", "-OO"])
def test_without_asserts_or_docstrings_nothing_is_run(
    chapter: Project, monkeypatch: pytest.MonkeyPatch, optimized: str
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(OURS))
    command = (sys.executable, optimized, "-m", "pytest", *in_general(), "labs")

    done = subprocess.run(command, cwd=chapter.root, capture_output=True, text=True, check=False)

    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert done.stderr.strip() == (
        f"ERROR: python -O (PYTHONOPTIMIZE) is not for the labs: {OPTIMIZED}"
    )


def test_a_run_in_another_root_than_the_labs_own_is_refused(chapter: Project) -> None:
    outcome = chapter.run("labs", "--rootdir=/")

    assert outcome.exit_code == pytest.ExitCode.USAGE_ERROR
    assert outcome.err.strip() == f"ERROR: {ELSEWHERE}"


def test_what_a_plugin_has_to_mend_does_not_end_a_run(chapter: Project) -> None:
    """Warnings are errors, but pytest-asyncio and pytest-parallel warn while they are set up."""
    warning = (
        "import warnings\nimport pytest\n\n\ndef pytest_configure(config):\n"
        "    warnings.warn(pytest.PytestDeprecationWarning('an option is unset'))\n"
    )

    with pytest.warns(pytest.PytestDeprecationWarning, match="an option is unset"):
        outcome = chapter.run(*having(chapter, warning), syspathinsert=True)

    assert (outcome.exit_code, outcome.verdict) == (0, "proven")


def test_without_pytest_s_hook_for_facts_nothing_is_run(chapter: Project) -> None:
    assert_is_refused(
        chapter,
        "-o",
        "enable_assertion_pass_hook=false",
        said=f"enable_assertion_pass_hook must be true in the labs: {ASSERTS}",
    )
