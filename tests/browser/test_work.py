"""The limit of the tests in the browser: what they and their browser work is counted, and no wait."""

from __future__ import annotations

import subprocess
import sys

import pytest
from playwright.sync_api import Browser

from .work import HANGS_AFTER, cpu_seconds

BUSY = "import time\nwhile time.process_time() < 0.5: pass\nprint('done', flush=True)\n"


def test_work_is_counted_that_a_process_does_and_one_has_done() -> None:
    before = cpu_seconds()
    with subprocess.Popen(
        [sys.executable, "-c", f"{BUSY}input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        child.stdout.readline()

        assert cpu_seconds() - before > 0.4

    assert cpu_seconds() - before > 0.4


def test_the_work_of_the_browser_is_counted(chromium: Browser) -> None:
    before = cpu_seconds()
    page = chromium.new_page()

    page.evaluate("() => { const end = Date.now() + 500; while (Date.now() < end); }")
    page.context.close()

    # On a busy machine the half second by the clock is less of work.
    assert cpu_seconds() - before > 0.02


def test_the_clock_ends_only_what_hangs(request: pytest.FixtureRequest) -> None:
    (limit,) = request.node.iter_markers("timeout")

    assert limit.args == (HANGS_AFTER,)
