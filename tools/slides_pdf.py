"""Print the deck of the latest whole run, reports/slides.html, to reports/slides.pdf.

    make slides-pdf

The system's Chromium does it, from reveal.js's own print layout: a page for each slide. The standard
library is enough.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.packages import browser

REPORTS = Path(__file__).parents[1] / "reports"
WITHIN = 120
"""seconds"""


def print_deck(deck: Path, pdf: Path, program: str) -> None:
    """Print `deck` to `pdf`, which is replaced as a whole. Exits with a message where that fails."""
    with tempfile.TemporaryDirectory(prefix="slides-", dir=pdf.parent) as folder:
        printed = Path(folder) / "slides.pdf"
        command = [
            program,
            "--headless",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            # A profile of its own: a browser that the user has open would take over the call.
            f"--user-data-dir={folder}/profile",
            # Chromium's sandbox refuses to be root's.
            *(["--no-sandbox"] if os.geteuid() == 0 else []),
            "--no-pdf-header-footer",
            # The script that lays out the pages has this time, in ms, which passes at once.
            "--virtual-time-budget=10000",
            f"--print-to-pdf={printed}",
            f"{deck.resolve().as_uri()}?print-pdf",
        ]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=WITHIN,
                check=False,
                # Where it notes crashes, whatever profile it has.
                env=os.environ | {"XDG_CONFIG_HOME": folder},
            )
        except subprocess.TimeoutExpired:
            sys.exit(f"slides-pdf: {program} did not end within {WITHIN} s")
        if not printed.exists():
            sys.exit(f"slides-pdf: {program} printed nothing. It said:\n{done.stderr.strip()}")
        printed.replace(pdf)


def main() -> None:
    """Print the deck, and say where it is."""
    deck, pdf = REPORTS / "slides.html", REPORTS / "slides.pdf"
    if not deck.exists():
        sys.exit("slides-pdf: there is no reports/slides.html yet. A whole run makes it: make labs")
    program = browser()
    if program is None:
        sys.exit(
            "slides-pdf: there is no Chromium here to print with. Debian: apt-get install chromium\n"
            "Or open reports/slides.html?print-pdf in any Chrome and print it to a file."
        )
    print_deck(deck, pdf, program)
    print(f"reports/slides.pdf, {pdf.stat().st_size // 1024} KiB")


if __name__ == "__main__":
    main()
