"""Each slide has room for what it shows: nothing is cut off, too small, or on top of other things."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest

from fixtures.events import Experiment
from fixtures.report import slides
from fixtures.report.story import STORY

from ..report.runs import container, control, experiment, fact, run, trial
from .visit import Visits

SMALLEST = 20
"""px of 1280 by 720; only the foot of a slide is smaller"""

LINE = (
    "docker run --detach --memory=256m --memory-swap=256m --network=none{} --pids-limit=128 "
    "busybox sleep infinity"
)
SOURCE = "(the_first.exit_code, container.cgroup.memory.events['oom_kill']) == (128 + SIGKILL, 1)"
VALUES = "({}, 'a value of some length', 'and another', 1) == (137, 'a value', 'another', 1)"
REASON = "cgroup:memory: the kernel was booted with cgroup_disable=memory. Remedy: boot without it."

FAULTS = """
(slide, smallest) => {
  // What is to be seen of a box is the part inside of all around it that hides what flows over.
  const sheet = slide.getBoundingClientRect();
  const faults = [], shown = [];
  for (const element of slide.querySelectorAll("*")) {
    if (element.parentElement.closest("svg")) continue;
    const says = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!says && element.tagName !== "svg") continue;
    const name = `${element.tagName} "${element.textContent.trim().slice(0, 40)}"`;
    const size = parseFloat(getComputedStyle(element).fontSize);
    if (says && size < smallest && !element.closest("footer")) faults.push(`${name}: ${size} px`);
    for (const { left, right, top, bottom } of element.getClientRects()) {
      const box = { element, name, left, right, top, bottom };
      for (let around = element; around !== slide; around = around.parentElement) {
        const { display, overflow } = getComputedStyle(around);
        if (overflow !== "hidden" || display === "contents") continue;
        const edge = around.getBoundingClientRect();
        box.right = Math.min(box.right, edge.right);
        box.bottom = Math.min(box.bottom, edge.bottom);
        // A box that is clamped ends in an ellipsis.
        if (around.closest("[data-clamp], footer")) continue;
        if (right > edge.right + 1 || bottom > edge.bottom + 1) faults.push(`${name} is cut`);
      }
      if (left < sheet.left || box.right > sheet.right || top < sheet.top || box.bottom > sheet.bottom)
        faults.push(`${name} leaves the slide`);
      if (box.right > left && box.bottom > top) shown.push(box);
    }
  }
  for (const [i, one] of shown.entries()) for (const other of shown.slice(i + 1)) {
    if (one.element.contains(other.element) || other.element.contains(one.element)) continue;
    const across = Math.min(one.right, other.right) - Math.max(one.left, other.left);
    const down = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
    if (across > 2 && down > 2) faults.push(`${one.name} and ${other.name} overlap`);
  }
  return faults;
}
"""


def told(name: str, as_is: str, without: str) -> Experiment:
    return experiment(
        trial(
            "as-is", as_is, container(LINE.format("")),
            fact(VALUES.format(137), held=as_is == "held", source=SOURCE), reason=REASON,
        ),
        trial(
            "without-it", without, container(LINE.format(" --ipc=container:neighbour")),
            fact(VALUES.format(0), held=without == "held", source=SOURCE),
        ),
        id=name, given={}, controls=[control("ipc_mode=container:neighbour", ipc_mode="it")],
    )  # fmt: skip


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize(
    ("as_is", "without"),
    [("held", "fell"), ("fell", "fell"), ("held", "held"), ("not observable", "not observable")],
    ids=["proven", "refuted", "vacuous", "not-observable"],
)
def test_everything_on_a_slide_can_be_read(
    visits: Visits, tmp_path: Path, as_is: str, without: str, color_scheme: Literal["light", "dark"]
) -> None:
    names = [
        name
        for slide in STORY
        for name in (*slide.experiments, *(point.experiment for point in slide.points))
    ]
    deck = tmp_path / "slides.html"
    deck.write_text(slides.page(run(*(told(name, as_is, without) for name in names))))

    assert faults(deck, visits, color_scheme) == {}


def test_everything_on_a_slide_of_the_sample_can_be_read(sample: Path, visits: Visits) -> None:
    assert faults(sample / "slides.html", visits, "light") == {}


def faults(
    deck: Path, visits: Visits, color_scheme: Literal["light", "dark"]
) -> dict[int, list[str]]:
    """What can not be read, by the number of the slide."""
    page = visits.open(deck, color_scheme=color_scheme)
    page.set_viewport_size({"width": 1280, "height": 720})
    found = {}
    for number in range(1, len(STORY) + 1):
        page.evaluate(f"location.hash = '#/{number}'")
        slide = page.locator(f".slides > section.present:nth-of-type({number}) > .slide")
        if seen := slide.evaluate(FAULTS, SMALLEST):
            found[number] = seen
    return found
