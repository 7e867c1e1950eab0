"""An experiment is told what its own engine is configured with, and no other one's configuration."""

from __future__ import annotations

import pytest

from fixtures.events.settings import settings, settings_of

CONFIGURED = {"icc": "false", "log-opts.max-size": None, "runtimes.nvidia": None}
WORDS = ["icc = false", "log-opts.max-size", "runtimes.nvidia"]


def test_a_value_that_is_not_told_leaves_the_name() -> None:
    assert settings({"configuration": CONFIGURED}) == WORDS


def test_a_run_that_does_not_say_has_none() -> None:
    assert settings({}) == []
    assert settings_of({}, [], {}) == []


@pytest.mark.parametrize(
    ("private", "requires", "own", "expected"),
    [
        (False, ["overlay"], {}, WORDS),
        (False, ["suite-engine"], {}, []),
        (False, ["private-engine", "overlay"], {}, []),
        (False, ["two-hosts"], {}, []),
        (True, ["suite-engine"], {}, WORDS),
        (True, ["private-engine"], {"icc": True, "runtimes": {}}, WORDS[1:2]),
    ],
)
def test_it_is_that_of_the_engine_of_the_experiment(
    private: bool, requires: list[str], own: dict[str, object], expected: list[str]
) -> None:
    bench = {"engine": {"configuration": CONFIGURED, "private": private}}

    assert settings_of(bench, requires, own) == expected
