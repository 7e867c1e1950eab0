"""A Chromium for the tests of the pages, and the pages."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from fixtures.events import Run
from fixtures.report.rendering import render
from tools.packages import browser, has_library

from . import runs
from .visit import Visits


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, one for all tests; they are skipped where there is none."""
    program = browser()
    if program is None or not has_library("libatomic.so.1"):
        pytest.skip(
            "the pages are tested in Chromium, driven by playwright, which needs libatomic; "
            "Debian: sudo apt-get install chromium libatomic1"
        )
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program)
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
