"""Runs of a made-up project in a process of its own, with a terminal of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import sysconfig
import termios

import pytest

from .project import OURS, Project, in_general, stand_in
from .standin import StandInEngine, StandInPages

SECONDS = 60
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


def run(project: Project, *arguments: str, width: int, interrupt_at: str | None = None) -> str:
    """All that a run writes to a terminal of so many columns, but its colours.

    At `interrupt_at`, a text that the terminal shows, Ctrl-C is pressed.
    """
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 40, width, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    environment |= {
        "PYTHONPATH": f"{OURS}:{sysconfig.get_path('purelib')}",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TERM": "xterm",
    }
    process = subprocess.Popen(
        ["env", "--default-signal=INT", sys.executable, "-m", __name__, *arguments],
        cwd=project.root,
        env=environment,
        stdin=its,
        stdout=its,
        stderr=its,
        start_new_session=True,
    )
    os.close(its)
    shown = b""
    try:
        while text := _read(ours):
            shown += text
            if interrupt_at and interrupt_at.encode() in shown:
                os.killpg(process.pid, signal.SIGINT)
                interrupt_at = None
        process.wait(SECONDS)
    finally:
        process.kill()
        process.wait()
        os.close(ours)
    return _COLOURS.sub("", shown.decode()).replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux says EIO once nobody has the other end.
        return b""


if __name__ == "__main__":
    with pytest.MonkeyPatch.context() as patch:
        stand_in(patch, StandInEngine(), StandInPages())
        sys.exit(pytest.main([*in_general(), *sys.argv[1:]]))
