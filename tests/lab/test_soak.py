"""A soak that is ended early."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project import OURS

SOAK = """\
import sys
from pathlib import Path
from tools import soak

soak.ROOT = Path.cwd()
sys.exit(soak.main())
"""
SLOW = """\
import time


def test_it():
    with open("begun", "w"):
        pass
    time.sleep(60)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_shown_is_told_and_nothing_runs_on(tmp_path: Path, number: signal.Signals) -> None:
    os.mkfifo(tmp_path / "begun")
    (tmp_path / "labs").mkdir()
    (tmp_path / "labs" / "test_slow.py").write_text(SLOW)
    environment = os.environ | {"PYTHONPATH": str(OURS), "PYTHONDONTWRITEBYTECODE": "1"}
    with subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-c", SOAK, "it", "--runs=1"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True,
    ) as soak:  # fmt: skip
        (tmp_path / "begun").read_text()

        soak.send_signal(number)
        said, _ = soak.communicate(timeout=60)

    assert said == (
        f"ended by {number.name} after 0 of 1 runs\n0 runs, 0 failures; verdicts: {{}}\n"
    )
    assert soak.returncode == 128 + number
    with pytest.raises(ProcessLookupError):
        os.killpg(soak.pid, 0)
