"""How made-up inputs are tried: the same ones each time, and nothing is slow by the clock."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

fuzzed = settings(
    derandomize=True,
    max_examples=100,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
