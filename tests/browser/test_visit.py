"""The tests in the browser see what they are to see: each kind of trouble is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from .visit import NARROW, Visits, findings, overflow

POLICY = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'">"""


@pytest.mark.parametrize("javascript", [True, False])
@pytest.mark.parametrize(
    ("page", "trouble"),
    [
        pytest.param("<p>calm", "", id="calm"),
        pytest.param('<img src="http://127.0.0.1:9/x.png">', "asked for http", id="a request"),
        pytest.param('<link rel=stylesheet href="beside.css">', "asked for file", id="a file"),
        pytest.param(f"{POLICY}<p style='color: red'>", "Content Security Policy", id="a style"),
        pytest.param(f"{POLICY}<img src=x.png>", "Content Security Policy", id="a picture"),
    ],
)
def test_trouble_is_noticed(
    chromium: Browser, tmp_path: Path, page: str, trouble: str, *, javascript: bool
) -> None:
    file = tmp_path / "page.html"
    file.write_text(page)
    visits = Visits(chromium)

    visits.open(file, javascript=javascript)
    visits.close()

    assert trouble in "".join(visits.troubles) if trouble else visits.troubles == []


@pytest.mark.parametrize(
    ("page", "trouble"),
    [
        pytest.param("<script>throw Error('made up')</script>", "made up", id="an exception"),
        pytest.param("<script>console.error('made up')</script>", "made up", id="an error"),
        pytest.param("<script>alert('made up')</script>", "made up", id="a dialogue"),
        pytest.param(f"{POLICY}<script>1</script>", "Content Security Policy", id="a script"),
        pytest.param(f"{POLICY}<img src=x onerror=1>", "Content Security Policy", id="a handler"),
    ],
)
def test_trouble_of_scripts_is_noticed(
    chromium: Browser, tmp_path: Path, page: str, trouble: str
) -> None:
    file = tmp_path / "page.html"
    file.write_text(page)
    visits = Visits(chromium)

    visits.open(file)
    visits.close()

    assert trouble in "".join(visits.troubles)


def test_what_is_too_wide_and_hard_to_read_is_noticed(visits: Visits, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text("<html lang=en><title>x</title><p style='width: 500px; color: #ddd'>faint</p>")

    page = visits.open(file, width=NARROW)

    assert overflow(page) > 100
    assert any(finding.startswith("color-contrast") for finding in findings(page))
