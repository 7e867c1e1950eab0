"""Pages as people open them, and what goes wrong in them."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Dialog,
    Page,
    Request,
)

WIDE, NARROW = 1280, 390


class Visits:
    """Opens pages from files, and records what goes wrong in them."""

    def __init__(self, browser: Browser) -> None:
        self.troubles: list[str] = []
        """requests for anything but the page, violations of its policy, errors of its scripts"""
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    def open(
        self,
        file: Path,
        address: str = "",
        *,
        javascript: bool = True,
        color_scheme: Literal["light", "dark"] = "light",
        width: int = WIDE,
        bypass_csp: bool = False,
    ) -> Page:
        """The page in a context of its own. `address` is what follows the file's: ?query#fragment."""
        context = self._browser.new_context(
            java_script_enabled=javascript,
            color_scheme=color_scheme,
            viewport={"width": width, "height": 900},
            bypass_csp=bypass_csp,
        )
        # By the clock only what hangs is ended: work.py.
        context.set_default_timeout(0)
        self._contexts.append(context)
        url = file.as_uri()

        def requested(request: Request) -> None:
            if request.url.partition("#")[0].partition("?")[0] != url:
                self.troubles.append(f"{file.name} asked for {request.url}")

        def said(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning"):
                self.troubles.append(f"{file.name}: {message.text}")

        def asked(dialog: Dialog) -> None:
            self.troubles.append(f"{file.name}: {dialog.message}")
            dialog.dismiss()

        page = context.new_page()
        page.on("request", requested)
        page.on("console", said)
        page.on("pageerror", lambda error: self.troubles.append(f"{file.name}: {error}"))
        page.on("dialog", asked)
        page.goto(url + address)
        return page

    def close(self) -> None:
        """Close all of them."""
        for context in self._contexts:
            context.close()


def unfold(page: Page) -> None:
    """Open all that is folded, and lay out what is far away, as it is when a reader goes there."""
    page.evaluate("""() => {
      for (const each of document.querySelectorAll("details")) each.open = true;
      for (const each of document.querySelectorAll(".card, .question"))
        each.style.contentVisibility = "visible";
    }""")


def seen(page: Page) -> str:
    """The text that is to be seen, its white space as one blank each."""
    return " ".join(str(page.evaluate("document.body.innerText")).split())


def overflow(page: Page) -> int:
    """By how many pixels the page is wider than its window."""
    return int(page.evaluate("document.scrollingElement.scrollWidth - innerWidth"))


def findings(page: Page, *, contrast: bool = True, others: bool = True) -> list[str]:
    """What axe finds that is serious or critical: its rule, and where.

    Two thirds of its time go to the contrast, which does not depend on the width of the page, and
    the others do not depend on its colours.
    """
    options: dict[str, Any] = {"resultTypes": ["violations"], "preload": False}
    if not others:
        options["runOnly"] = ["color-contrast"]
    if not contrast:
        options["rules"] = {"color-contrast": {"enabled": False}}
    results: dict[str, Any] = Axe().run(page, options=options).response
    return [
        f"{violation['id']}: {node['target']} {node['html'][:200]}"
        for violation in results["violations"]
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
