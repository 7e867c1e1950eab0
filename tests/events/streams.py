"""Made-up runs, written as a run writes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fixtures.events import SCHEMA, Stream


class MadeUpRun(Stream):
    """A stream of one experiment, with one control."""

    def begin(self, schema: int = SCHEMA) -> None:
        self.write("run", schema=schema, id="made-up", whole=True)
        self.write("bench", kernel="6.1")
        self.write("question", id="made-1", standing="holds")
        self.write("question", id="made-2", standing="prose only")
        self.write(
            "experiment",
            id="something-holds",
            claim="Something holds.",
            answers=["made-1"],
            controls=[{"trial": "without-it"}],
        )

    def trial(self, name: str, outcome: str, reason: str = "") -> None:
        """A trial from its beginning to its end, with a fact."""
        self.start(name)
        self.write("fact", source="it", text="True", line=1, held=True)
        self.write("end", experiment="something-holds", trial=name, outcome=outcome,
                   reason=reason, seconds=0.5)  # fmt: skip

    def start(self, name: str) -> None:
        self.write("start", experiment="something-holds", trial=name)


def proven(folder: Path, **begin: Any) -> Path:
    """The file of a run whose only experiment is proven."""
    stream = MadeUpRun(folder)
    stream.begin(**begin)
    stream.trial("as-is", "held")
    stream.trial("without-it", "fell")
    stream.write("finish", exit_status=0)
    stream.close()
    return stream.path
