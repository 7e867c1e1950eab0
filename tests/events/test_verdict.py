"""From the outcomes of an experiment's trials to its verdict."""

from __future__ import annotations

import pytest

from fixtures.events import VERDICTS
from fixtures.events.verdict import came_out, verdict

NOT_RUN = None

TABLE = [
    # the claim, one control, another control, the verdict
    ("held", "fell", "fell", "proven"),
    ("fell", "fell", "fell", "refuted"),
    ("fell", "held", "fell", "refuted"),
    ("fell", "broken", "fell", "refuted"),
    ("fell", "interrupted", NOT_RUN, "refuted"),
    ("held", "held", "fell", "vacuous"),
    ("held", "fell", "held", "vacuous"),
    ("held", "held", NOT_RUN, "vacuous"),
    ("held", "held", "not observable", "vacuous"),
    ("broken", "fell", "fell", "broken"),
    ("held", "broken", "fell", "broken"),
    ("held", "broken", "held", "broken"),
    ("held", "broken", "not observable", "broken"),
    ("not observable", "broken", "fell", "broken"),
    (NOT_RUN, "broken", "fell", "broken"),
    ("not observable", "not observable", "not observable", "not observable here"),
    ("held", "fell", "not observable", "not observable here"),
    ("not observable", "fell", "fell", "not observable here"),
    ("held", NOT_RUN, "not observable", "not observable here"),
    ("held", "fell", NOT_RUN, "unproven"),
    ("held", "fell", "interrupted", "unproven"),
    ("interrupted", NOT_RUN, NOT_RUN, "unproven"),
    (NOT_RUN, "fell", "fell", "unproven"),
    (NOT_RUN, NOT_RUN, NOT_RUN, "unproven"),
]


@pytest.mark.parametrize(("claim", "one", "other", "expected"), TABLE)
def test_the_verdict(claim: str | None, one: str | None, other: str | None, expected: str) -> None:
    trials = {"as-is": claim, "without-one": one, "without-other": other}
    outcomes = {name: outcome for name, outcome in trials.items() if outcome is not NOT_RUN}

    assert verdict(outcomes, "as-is", ["without-one", "without-other"]) == expected


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        ("held", "proven"),
        ("fell", "refuted"),
        ("broken", "broken"),
        ("not observable", "not observable here"),
        ("interrupted", "unproven"),
    ],
)
def test_a_contrast_has_only_its_claim(outcome: str, expected: str) -> None:
    assert verdict({"as-is": outcome}, "as-is", []) == expected


def test_every_verdict_is_explained() -> None:
    assert {expected for *_, expected in TABLE} == set(VERDICTS)


@pytest.mark.parametrize(
    ("control", "claim", "expected"),
    [
        ("fell", "held", "fell"),
        ("fell", "fell", "fell too"),
        ("fell", "broken", "fell too"),
        ("fell", "not observable", "fell too"),
        ("fell", "interrupted", "fell"),
        ("held", "fell", "held"),
        ("interrupted", "fell", "interrupted"),
    ],
)
def test_a_control_that_falls_from_a_claim_that_does_not_hold_proves_nothing(
    control: str, claim: str, expected: str
) -> None:
    assert came_out(control, claim) == expected
