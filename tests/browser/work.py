"""How much a test and its browser work: CPU time, which a busy machine does not make longer."""

from __future__ import annotations

import psutil

CPU_SECONDS = 120.0
"""of a test at most; the longest was seen to take a fourth of it, on a machine with a load of 18"""
HANGS_AFTER = 1800
"""seconds by the clock: what has not come to its end by then works no more"""


def cpu_seconds() -> float:
    """What this process and all below it have taken so far, and those that have ended below them."""
    this = psutil.Process()
    spent = 0.0
    for process in (this, *this.children(recursive=True)):
        try:
            spent += sum(process.cpu_times()[:4])
        except psutil.NoSuchProcess:
            continue
    return spent
