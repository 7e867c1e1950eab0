"""An assert of equality is taken apart item by item, and what can not be read stays whole."""

from __future__ import annotations

import pytest

from fixtures.report.equality import Item, closed, cut_at, items


def test_items_of_tuples_have_the_names_that_the_assert_gives_them() -> None:
    assert items(
        "(seen, 'No such process' in answer) == (False, True)", "(True, False) == (False, True)"
    ) == [Item("seen", "True", "False"), Item("'No such process' in answer", "False", "True")]


def test_items_of_dicts_have_their_keys() -> None:
    assert items("made == asked", "{'a, b': {1, 2}, 'c': 'd'} == {'a, b': {1}, 'c': 'd'}") == [
        Item("a, b", "{1, 2}", "{1}"),
        Item("c", "'d'", "'d'"),
    ]


@pytest.mark.parametrize(
    ("source", "seen", "observed", "claimed"),
    [
        ("init.pids == (pid, 1)", "(410,) == (410, 1)", "(410,)", "(410, 1)"),
        ("own & {'user'} == set()", "set() == set()", "set()", "set()"),
        ("limit == 64 * MIB", "1 == (64 * 1048576)", "1", "(64 * 1048576)"),
        ("(one, two) == three", "(1, 2) == 3", "(1, 2)", "3"),
        ("one == two", "{'a': 1} == {'b': 1}", "{'a': 1}", "{'b': 1}"),
        ("said == 'a'", "' == ' == 'a'", "' == '", "'a'"),
    ],
)
def test_anything_else_is_one_item(source: str, seen: str, observed: str, claimed: str) -> None:
    assert items(source, seen) == [Item("", observed, claimed)]


@pytest.mark.parametrize(
    ("source", "seen"),
    [
        ("a <= b", "1 <= 2"),
        ("not a", "not True"),
        ("a == b == c", "1 == 1"),
        ("a == b", "1"),
        ("a == b", "(1 == 1"),
        ("no code at all", "1 == 1"),
        ("\x00", "1 == 1"),
        ("", ""),
        ("(" * 5000, "1 == 1"),
    ],
)
def test_what_is_no_single_equality_has_none(source: str, seen: str) -> None:
    assert items(source, seen) == []


def test_an_apostrophe_within_a_word_begins_no_string() -> None:
    assert cut_at(" == ", "the host's == the neighbour's") == ["the host's", "the neighbour's"]


def test_a_text_is_not_cut_in_brackets_or_in_strings() -> None:
    assert cut_at(", ", r"""(a, b), [c, {d, e}], 'f, \', g', "(, h" """) == [
        "(a, b)", "[c, {d, e}]", r"'f, \', g'", '"(, h" ',
    ]  # fmt: skip


def test_a_line_that_pytest_explains_before_its_end_is_closed() -> None:
    text = "('cgroup' in {'(net'}) == ('1' == '2'\n  \n  - 2\n  + 1)"

    assert closed(text.partition("\n")[0], text) == "('cgroup' in {'(net'}) == ('1' == '2')"


@pytest.mark.parametrize("text", ["(1, 2)", "(1, 2) == (1, 2)\n  where", "(cut off …", "([)]", ""])
def test_any_other_line_stays_as_it_is(text: str) -> None:
    line = text.partition("\n")[0]

    assert closed(line, text) == line
