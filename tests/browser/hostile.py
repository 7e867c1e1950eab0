"""Hostile text for every field of a run: each holds injections that name it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Any

from .runs import Event

# What the schema gives, and what refers to something else: the same text gets the same probe.
KEYWORDS = {"event", "outcome"}
REFERENCES = {
    "run.id",
    "question.id",
    "experiment.id",
    "experiment.answers[]",
    "experiment.controls[].trial",
    "start.experiment",
    "start.trial",
    "end.experiment",
    "end.trial",
    "container.name",
    "command.container",
    "process.container",
}
# From these pictures are drawn, and cards told apart. They stay in the run "around values".
VALUES = {
    "file.path",
    "file.field",
    "file.value",
    "file.name",
    "container.role",
    "question.standing",
    "question.kind",
    "bench.cgroup_version",
    "bench.namespaces[]",
}
KEPT = {"host", "as-is"}
NAMED_FREELY = {
    "bench.cgroup_controllers",
    "bench.engine.components",
    "bench.engine.configuration",
    "bench.not_observable",
    "experiment.controls[].changes",
    "experiment.given",
    "experiment.private_engine",
}

PROBE = (
    "javascript:window.XSS_{n}_=1//"
    """'"><img src=x onerror="window.XSS_{n}_=1"><svg onload=window.XSS_{n}_=1>"""
    """' autofocus onfocus='window.XSS_{n}_=1' x='" autofocus onfocus="window.XSS_{n}_=1" x=" """
    "</script></style></textarea></title></template></noscript></svg></pre></details>"
    "<script>window.XSS_{n}_=1</script>"
    "M{{{{7*7}}}}M {{% for %}} {{# # }} ${{7*7}} ]]> --><!-- &lt;b&gt; &#60;b&#62; "
    "\x00\x07\x1b[31m\x85\u2028\u202e\u2066\ud800\udcff\uffff ../../../etc/passwd"
)


class Probes:
    """Numbers, and the fields that they stand for."""

    def __init__(self) -> None:
        self.fields: dict[int, str] = {}
        self._references: dict[str, str] = {}

    def text(self, field: str) -> str:
        """A new probe for this field."""
        number = len(self.fields)
        self.fields[number] = field
        return PROBE.format(n=number)

    def reference(self, field: str, value: str) -> str:
        """The probe of whatever has this name."""
        if value not in self._references:
            self._references[value] = self.text(field)
        return self._references[value]

    def named_in(self, text: str) -> set[str]:
        """The fields whose probes are named in the text."""
        return {self.fields[int(number)] for number in re.findall(r"XSS_(\d+)_", text)}


def poisoned(events: Iterable[Event], probes: Probes, *, around_values: bool) -> Iterator[Event]:
    """The events with a probe in the place of every text.

    With `around_values` the texts stay that pages compute with, so that they get further: the
    kernel's values, and lines that a shell could read.
    """
    for event in events:
        kind = event["event"]
        yield {
            key: value
            if key in KEYWORDS
            else _poisoned(f"{kind}.{key}", value, probes, around_values=around_values)
            for key, value in event.items()
        }


def _poisoned(field: str, value: Any, probes: Probes, *, around_values: bool) -> Any:
    match value:
        case dict():
            return {
                probes.text(f"{field}, a name") if field in NAMED_FREELY else key: _poisoned(
                    f"{field}.{key}", inner, probes, around_values=around_values
                )
                for key, inner in value.items()
            }
        case list():
            return [
                _poisoned(f"{field}[]", inner, probes, around_values=around_values)
                for inner in value
            ]
        case str() if around_values and field in VALUES:
            return value
        case str() if field in REFERENCES:
            return value if value in KEPT else probes.reference(field, value)
        case str() if around_values and field == "container.line":
            return f"{value} {shlex.quote(probes.text(field))}"
        case str():
            return probes.text(field)
    return value


def long_lines(events: Iterable[Event]) -> Iterator[Event]:
    """The events with lines of 5000 characters where something printed or a value was read."""
    names = {"stdout", "value", "text", "line", "reason"}
    for event in events:
        yield {
            key: value + "x" * 5000 if key in names and isinstance(value, str) else value
            for key, value in event.items()
        }
