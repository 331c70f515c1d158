"""Debian's Chromium, in which tests look at pages; `make chromium` installs it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium here to show pages in: `make chromium`"
)
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
"""As root in a container there is no sandbox, and nothing is to be fetched."""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser, driven by playwright, which brings none of its own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()
