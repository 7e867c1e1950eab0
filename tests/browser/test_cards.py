"""A card on a page of its own, and as a picture for somebody's own slides."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Literal

import pytest

from fixtures.events import Run

from .visit import NARROW, Visits, findings, overflow, seen, unfold

PROVEN = "something-is-proven"
DRAWN = {"svg", "g", "defs", "style", "title", "desc", "rect", "circle", "ellipse", "line", "path",
         "polyline", "polygon", "text", "tspan", "marker", "clipPath"}  # fmt: skip


def test_every_experiment_has_a_page_and_a_picture(made_up: Path) -> None:
    names = {path.name for path in (made_up / "cards").iterdir()}

    for identity in Run.read(made_up).experiments:
        assert {f"{identity}.html", f"{identity}.svg"} <= names


def test_a_card_says_all_without_scripts(made_up: Path, visits: Visits) -> None:
    for identity, experiment in Run.read(made_up).experiments.items():
        page = visits.open(made_up / "cards" / f"{identity}.html", javascript=False)
        unfold(page)
        text = seen(page)

        wanted = {experiment.claim, experiment.verdict, "6.1.0-made-up"}
        for trial in experiment.trials.values():
            wanted |= {fact["text"] for fact in trial.of("fact")}
        assert {each for each in wanted if each not in text} == set(), identity


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
def test_a_card_can_be_read_by_all_and_on_a_telephone(
    made_up: Path, visits: Visits, color_scheme: Literal["light", "dark"]
) -> None:
    card = made_up / "cards" / f"{PROVEN}.html"
    page = visits.open(card, color_scheme=color_scheme, width=NARROW)
    unfold(page)

    assert findings(page) == []
    assert overflow(page) == 0


def test_a_picture_of_a_card_is_only_drawn(made_up: Path, visits: Visits) -> None:
    for identity in Run.read(made_up).experiments:
        file = made_up / "cards" / f"{identity}.svg"
        root = ET.parse(file).getroot()  # noqa: S314 - our own rendering

        elements = {element.tag.rpartition("}")[2] for element in root.iter()}
        attributes = {name for element in root.iter() for name in element.attrib}
        assert elements <= DRAWN, identity
        assert not {name for name in attributes if name.startswith("on") or "href" in name}
    visits.open(file)
