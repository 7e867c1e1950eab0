"""A Chromium for the tests of the pages, and the pages."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from fixtures.events import Run
from fixtures.report.rendering import render
from tools.packages import browser, has_library

from . import runs
from .visit import Visits
from .work import CPU_SECONDS, HANGS_AFTER, cpu_seconds


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The clock ends a test that hangs, and no other: a busy machine makes each take its time."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.timeout(HANGS_AFTER))


@pytest.fixture(autouse=True)
def limit() -> Iterator[None]:
    """A test that works for too long fails, however quick the machine is at the moment."""
    before = cpu_seconds()
    yield
    spent = cpu_seconds() - before
    assert spent < CPU_SECONDS, f"it took {spent:.1f} CPU seconds of {CPU_SECONDS:.0f}"


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """The system's Chromium, one for all tests; they are skipped where there is none."""
    program = browser()
    if program is None or not has_library("libatomic.so.1"):
        pytest.skip(
            "the pages are tested in Chromium, driven by playwright, which needs libatomic; "
            "Debian: sudo apt-get install chromium libatomic1"
        )
    expect.set_options(timeout=HANGS_AFTER * 1000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=program,
            timeout=0,
            # Where it notes crashes, whatever profile it has.
            env={**os.environ, "XDG_CONFIG_HOME": str(tmp_path_factory.mktemp("chromium"))},
        )
        yield chromium
        chromium.close()


@pytest.fixture
def visits(chromium: Browser) -> Iterator[Visits]:
    """Opens pages; at the end nothing may have gone wrong in any of them."""
    opened = Visits(chromium)
    yield opened
    opened.close()
    assert opened.troubles == []


@pytest.fixture(scope="session")
def made_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the renderings of a run that has every verdict."""
    return _rendered(runs.every_verdict(), tmp_path_factory.mktemp("made-up"))


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the renderings of the committed run."""
    return _rendered(runs.sample(), tmp_path_factory.mktemp("sample"))


def _rendered(events: Iterator[runs.Event], folder: Path) -> Path:
    render(Run.read(runs.written(events, folder)), folder)
    return folder
