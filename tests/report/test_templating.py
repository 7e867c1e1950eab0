"""What a template prints is escaped, visible, and can be written as UTF-8."""

from __future__ import annotations

import jinja2
import pytest
from markupsafe import Markup

from fixtures.events.text import visible
from fixtures.report.templating import TEMPLATES, asset, code, fragment, prose


def printed(template: str, **values: object) -> str:
    return TEMPLATES.from_string(template).render(**values)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("Grüße → 你好", "Grüße → 你好"),
        ("\x00\x07\x1b[31m", "��\ufffd[31m"),
        ("a\rb\x0b\x0c", "a\ufffdb\ufffd\ufffd"),
        ("\x7f\x85\x9b", "\ufffd\ufffd\ufffd"),
        ("\u202egnp.exe\u2066\u2069", "\ufffdgnp.exe\ufffd\ufffd"),
        ("a\udcffb", "a\\udcffb"),
    ],
)
def test_what_would_be_obeyed_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown
    shown.encode()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("<b>&\"'", "&lt;b&gt;&amp;&#34;&#39;"),
        ("\x1b\udcff", "\ufffd\\udcff"),
        (7, "7"),
        (None, "None"),
        (["<i>"], "[&#39;&lt;i&gt;&#39;]"),
        (Markup("<b>ours</b>"), "<b>ours</b>"),
    ],
)
def test_a_value_is_escaped_and_markup_of_ours_is_not(value: object, text: str) -> None:
    assert printed("{{ value }}", value=value) == text
    assert printed('<a title="{{ value }}">', value=value) == f'<a title="{text}">'


def test_what_a_filter_makes_of_text_is_escaped_too() -> None:
    assert printed("{{ values | join(', ') }}", values=["<a>", "\x1b"]) == "&lt;a&gt;, \ufffd"
    assert printed("{{ value | upper }}{{ value ~ value }}", value="<a>") == (
        "&lt;A&gt;&lt;a&gt;&lt;a&gt;"
    )


def test_a_macro_s_text_is_escaped_once() -> None:
    macro = "{% macro bold(x) %}<b>{{ x }}</b>{% endmacro %}{{ bold(value) }}"

    assert printed(macro, value="<&") == "<b>&lt;&amp;</b>"


def test_a_name_that_is_not_there_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        printed("{{ missing }}")


def test_code_is_coloured_and_escaped() -> None:
    text = code("assert '<b>' != x  # \x1b\udcff")

    assert "<b>" not in text
    assert "&lt;b&gt;" in text
    assert '<span class="keyword">assert</span>' in text
    text.encode()


def test_prose_has_links_and_code() -> None:
    assert prose("`<dd>` as in clone(2) \x1b") == (
        "<code>&lt;dd&gt;</code> as in "
        '<a href="https://man7.org/linux/man-pages/man2/clone.2.html" rel="noreferrer">clone(2)</a>'
        " \ufffd"
    )


@pytest.mark.parametrize(
    ("identity", "link"),
    [
        ("a-b_c.d", "#a-b_c.d"),
        ('"><script>', "#%22%3E%3Cscript%3E"),
        ("a b#c?d/e", "#a%20b%23c%3Fd%2Fe"),
        ("\udcff", "#%5Cudcff"),
    ],
)
def test_a_link_to_an_id_is_an_address(identity: str, link: str) -> None:
    assert fragment(identity) == link


def test_an_asset_stands_in_the_page_as_it_is() -> None:
    assert "color-scheme: light dark" in printed("<style>{{ asset('assets/theme.css') }}</style>")
    assert isinstance(asset("assets/theme.css"), Markup)
