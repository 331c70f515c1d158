"""Takes the pictures of docs/editors.md: code-server with the extension, in Chromium.

    make code-server    # once
    PATH=$PWD/.venv-code-server/node:$PATH .venv-code-server/node_modules/.bin/code-server \\
      --auth none --bind-addr 127.0.0.1:8397 &    # with the .vsix installed by --install-extension
    python editors/vscode/screenshots.py http://127.0.0.1:8397 /a/copy/of/examples/support

The folder is one that the code-server can write: a scene edits its file, and undoes it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

IMAGES = Path(__file__).parents[2] / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def seen(page: Page, words: str, seconds: int = 60) -> None:
    """Wait until some words stand somewhere on the page."""
    for _ in range(seconds * 2):
        if words in page.content().replace("\xa0", " ").replace("&nbsp;", " "):
            return
        time.sleep(0.5)
    raise TimeoutError(words)


def command(page: Page, words: str) -> None:
    """Call a command by its name."""
    page.keyboard.press("F1")
    time.sleep(1)
    page.keyboard.type(words, delay=20)
    time.sleep(1)
    page.keyboard.press("Enter")


def go(page: Page, line: int) -> None:
    """Go to a line, with the cursor at its end."""
    page.keyboard.press("Control+g")
    time.sleep(0.7)
    page.keyboard.type(str(line), delay=20)
    page.keyboard.press("Enter")
    page.keyboard.press("End")
    time.sleep(0.7)


def main(address: str, folder: str) -> int:
    """Take both pictures."""
    lines = (Path(folder) / "support.pipe").read_text(encoding="utf-8").splitlines()
    head = next(at for at, line in enumerate(lines, 1) if line.startswith("pipeline handle_ticket"))
    gate = next(at for at, line in enumerate(lines, 1) if line.startswith("  gate sure"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{address}/?folder={folder}", wait_until="domcontentloaded")
        page.wait_for_selector(".explorer-folders-view >> text=support.pipe", timeout=60_000)
        page.dblclick(".explorer-folders-view >> text=support.pipe")
        page.wait_for_selector(".view-lines", timeout=30_000)
        time.sleep(3)
        page.keyboard.press("Control+b")
        go(page, head + 14)
        seen(page, "answered right")
        command(page, "pipelang: Show the Report")
        time.sleep(9)
        page.screenshot(path=str(IMAGES / "editor-numbers.png"))
        page.keyboard.press("Control+1")
        command(page, "View: Close Editors in Other Groups")
        time.sleep(1)
        command(page, "View: Close Other Editors in Group")
        go(page, head)
        go(page, gate + 1)
        page.keyboard.type("\ngate bold: kind.sentiment == ", delay=60)
        time.sleep(2)
        page.keyboard.press("Control+Space")
        time.sleep(2)
        page.screenshot(path=str(IMAGES / "editor-completion.png"))
        page.keyboard.press("Escape")
        for _ in range(12):
            page.keyboard.press("Control+z")
        page.keyboard.press("Control+s")
        time.sleep(1)
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
