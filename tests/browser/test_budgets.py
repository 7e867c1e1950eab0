"""A large run stays quick: 200 experiments with 100 KB of output each."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from fixtures.events import Run
from fixtures.report import book, slides
from fixtures.report.rendering import render

from . import runs

EXPERIMENTS, OUTPUT = 200, 100_000
RENDERED_WITHIN, LOADED_WITHIN = 3.0, 1.5  # seconds
SIZE = 5_000_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("large")
    runs.written(runs.large(EXPERIMENTS, OUTPUT), folder)
    return folder


def quickest(times: list[float]) -> float:
    """Of several, in CPU time: what else the machine does at the moment is not measured."""
    return min(times)


def test_a_large_run_is_rendered_soon_into_a_page_that_is_not_large(folder: Path) -> None:
    def once() -> float:
        began = time.process_time()
        run = Run.read(folder)
        book.page(run)
        slides.page(run)
        return time.process_time() - began

    render(Run.read(folder), folder)
    assert quickest([once(), once(), once()]) < RENDERED_WITHIN
    assert (folder / "evidence.html").stat().st_size < SIZE


def test_the_book_of_a_large_run_is_loaded_soon(folder: Path, chromium: Browser) -> None:
    if not (folder / "evidence.html").exists():
        render(Run.read(folder), folder)

    def once() -> float:
        page = chromium.new_page()
        protocol = page.context.new_cdp_session(page)
        protocol.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.goto((folder / "evidence.html").as_uri(), timeout=0)
        metrics = protocol.send("Performance.getMetrics")["metrics"]
        page.context.close()
        # That of the thread which parses, lays out and runs the scripts, since it was enabled.
        return next(float(each["value"]) for each in metrics if each["name"] == "ThreadTime")

    assert 0.1 < quickest([once(), once()]) < LOADED_WITHIN
