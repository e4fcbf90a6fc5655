"""
A headless Chromium, that of the system, and pages in it.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

CHROMIUM: Final = shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, without its sandbox where that is impossible: as root."""
    with sync_playwright() as playwright:
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=options)
        yield browser
        browser.close()


@contextmanager
def open_page(browser: Browser, width: int = 1280, **options: object) -> Iterator[tuple[Page, list[str]]]:
    """
    A page with storage of its own, and a list of what goes wrong in it: its exceptions, and warnings and errors of the
    browser, such as those about the Content-Security-Policy, but not error statuses, which it logs as well.
    """
    faults: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type in ("warning", "error") and "Failed to load resource" not in message.text:
            faults.append(message.text)

    context = browser.new_context(viewport={"width": width, "height": 800}, **options)  # type: ignore[arg-type]
    context.set_default_timeout(10_000)
    page = context.new_page()
    page.on("console", note)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page, faults
    context.close()
