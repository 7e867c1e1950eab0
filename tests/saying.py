"""A project of experiments that come out in every way, and say one text wherever they can."""

from __future__ import annotations

from pathlib import Path

from .project import Project, experiment

BEFORE = """\
from fixtures.engine.command import CommandRun
from fixtures.kernel import FileRead
from fixtures.kernel.observation import announce

TEXT = %r


class Value:
    def __repr__(self):
        return TEXT


@pytest.fixture
def read(taken):
    print(TEXT)
    announce(FileRead(TEXT, TEXT, TEXT))
    announce(CommandRun(TEXT, (TEXT,), 0, TEXT, TEXT, seconds=0.1, truncated=False))
    yield Value()
    print(TEXT)
"""


def report_saying(project: Project, text: str) -> Path:
    """The report.html of such a run: the text is in names, output, values and errors."""
    given = "@given(taken=False)"
    project.chapter(
        experiment("one_is_proven", arguments="taken, read"),
        experiment("one_is_refuted", arguments="taken, read", body="assert read is None, TEXT"),
        experiment("one_is_broken", arguments="taken, read", body="assert not taken\nread[TEXT]"),
        experiment(
            "one_raises", arguments="taken, read", body="raise BenchError(TEXT)\nassert read"
        ),
        experiment("one_is_skipped", arguments="taken", body="pytest.skip(TEXT)\nassert taken"),
        experiment(
            "one_has_a_strange_control",
            above=f"@without(TEXT, taken=True)\n{given}",
            arguments="taken, read",
        ),
        before=BEFORE % text,
    )
    return project.run().folder / "report.html"
