"""The matrix has every control of a run in its place, whatever became of it."""

from __future__ import annotations

from typing import Any

import pytest

from fixtures.events import Experiment
from fixtures.report.matrix import Cell, Column, Matrix

from .runs import control, experiment, fact, run, trial


def named(
    identity: str, *controls: dict[str, Any], chapter: str = "One", **declared: Any
) -> Experiment:
    """An experiment without trials."""
    return experiment(id=identity, chapter=chapter, controls=list(controls), given={}, **declared)


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"pid_mode": "host"}, Column("namespaces", "PID")),
        ({"mem_limit": None, "memswap_limit": None}, Column("limits", "memory")),
        ({"cap_add": None}, Column("privileges", "capabilities")),
        ({"volumes": []}, Column("files", "volumes")),
        ({"init": True}, Column("PID 1", "--init")),
        ({"hostname": "x"}, Column("other options", "hostname")),
        ({"path": "/x"}, Column("the step", "done another way")),
        ({"userns_remap": False}, Column("the engine", "userns_remap")),
    ],
)
def test_a_control_stands_under_what_it_takes_away(changes: dict[str, Any], column: Column) -> None:
    made = experiment(
        controls=[control("it", **changes)],
        given={"path": "/"},
        private_engine={"userns_remap": True},
    )

    assert Matrix.of(run(made)).columns == [column]


def test_columns_stand_in_bands_and_only_those_that_are_used() -> None:
    matrix = Matrix.of(
        run(
            named(
                "a",
                control("x", "without-x", hostname="x"),
                control("m", "without-m", mem_limit=None),
            ),
            named(
                "b", control("n", "without-n", network_mode="host"), control("p", pid_mode="host")
            ),
            named("c", control("d", cap_drop=[]), control("a", "without-a", cap_add=[])),
        )
    )

    assert {band: [each.label for each in columns] for band, columns in matrix.bands.items()} == {
        "namespaces": ["PID", "network"],
        "limits": ["memory"],
        "privileges": ["capabilities"],
        "other options": ["hostname"],
    }


def test_controls_that_take_away_the_same_share_a_cell() -> None:
    none, host = (
        control("none", "without-1", network_mode="none"),
        control("host", "without-2", network_mode="host"),
    )
    (row,) = Matrix.of(run(named("a", none, host))).chapters["One"]

    assert [cell.name for cell in row.cells[Column("namespaces", "network")]] == ["none", "host"]


def test_rows_stand_by_chapter_in_reading_order_and_a_contrast_has_none() -> None:
    pid = control("p", pid_mode="host")
    matrix = Matrix.of(
        run(
            named("b", pid),
            named("contrast"),
            named("a", pid, chapter="Two"),
            named("c", pid),
        )
    )

    assert {
        name: [row.experiment.id for row in rows] for name, rows in matrix.chapters.items()
    } == {"One": ["b", "c"], "Two": ["a"]}


@pytest.mark.parametrize(
    ("outcome", "facts", "shown"),
    [
        ("fell", [fact("1"), fact("0 == 1\nmore", held=False, source="that")], "that: 0 == 1"),
        ("held", [fact("1")], ""),
        ("not observable", [], ""),
        ("broken", [fact("1")], ""),
        ("interrupted", [fact("1")], ""),
    ],
)
def test_a_cell_says_what_came_of_the_control(
    outcome: str, facts: list[dict[str, Any]], shown: str
) -> None:
    made = experiment(
        trial("as-is", "held"),
        trial("without-it", outcome, *facts),
        controls=[control("it", pid_mode="host")],
    )

    (row,) = Matrix.of(run(made)).chapters["99_made_up"]
    assert list(row.cells.values()) == [
        [Cell("without-it", "it", "in the control “it”", outcome, shown)]
    ]


def test_a_control_that_was_not_run_is_in_the_matrix() -> None:
    (row,) = Matrix.of(run(named("a", control("p", pid_mode="host")))).chapters["One"]

    assert [cell.outcome for cells in row.cells.values() for cell in cells] == ["interrupted"]


def test_a_control_that_does_not_say_what_it_changes_stands_under_its_name() -> None:
    assert Matrix.of(run(named("a", control("it")))).columns == [Column("other options", "it")]


def test_a_run_without_controls_has_an_empty_matrix() -> None:
    matrix = Matrix.of(run(named("contrast")))

    assert (matrix.columns, matrix.chapters, matrix.bands) == ([], {}, {})
