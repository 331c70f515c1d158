"""The extension in VS Code itself, that is code-server in Chromium: `make code-server` gets it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser import CHROMIUM, chromium, needs_chromium

if TYPE_CHECKING:
    from playwright.sync_api import Page

REPO = Path(__file__).parents[2]
EXTENSION = REPO / "editors" / "vscode"
APART = REPO / ".venv-code-server"
SERVER = APART / "node_modules/code-server/out/node/entry.js"
NODE = APART / "node" / "node"

PATIENCE = 90
"""Seconds after which a wait is given up."""

pytestmark = [
    needs_chromium,
    pytest.mark.skipif(
        not SERVER.is_file() or not (EXTENSION / "node_modules").is_dir(),
        reason="no code-server here: `make code-server`",
    ),
]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with the extension, as it is now, and a command that is this checkout's."""
    home = tmp_path_factory.mktemp("home")
    subprocess.run(["npm", "run", "--silent", "build"], cwd=EXTENSION, check=True)
    subprocess.run([sys.executable, str(EXTENSION / "package_vsix.py")], check=True)
    command = home / "pipelang"
    command.write_text(
        f'#!/bin/sh\nPYTHONPATH="{REPO}" exec "{sys.executable}" -P -m pipelang "$@"\n'
    )
    command.chmod(0o755)
    shutil.copytree(REPO / "examples" / "support", home / "support")
    settings = home / "data" / "User" / "settings.json"
    settings.parent.mkdir(parents=True)
    chosen = {
        "pipelang.command": ["not-there"],
        "chat.disableAIFeatures": True,
        "workbench.startupEditor": "none",
        "workbench.secondarySideBar.defaultVisibility": "hidden",
        "files.autoSave": "off",
    }
    settings.write_text(json.dumps(chosen))
    return home


def _words(home: Path, *more: str) -> list[str]:
    places = ["--user-data-dir", str(home / "data"), "--extensions-dir", str(home / "extensions")]
    return [str(NODE), str(SERVER), *places, *more]


@pytest.fixture(scope="module")
def address(home: Path) -> Iterator[str]:
    """A code-server with the extension, on this machine alone."""
    env = {**os.environ, "HOME": str(home)}
    vsix = str(EXTENSION / "pipelang.vsix")
    install = _words(home, "--install-extension", vsix)
    subprocess.run(install, env=env, check=True, capture_output=True, timeout=120)
    alone = ["--auth", "none", "--bind-addr", "127.0.0.1:0", "--disable-workspace-trust"]
    quiet = ["--disable-telemetry", "--disable-update-check"]
    with subprocess.Popen(
        _words(home, *alone, *quiet), env=env, stdout=subprocess.PIPE, text=True, encoding="utf-8"
    ) as server:
        assert server.stdout is not None
        try:
            for line in server.stdout:
                found = re.search(r"listening on (http://[\d.:]+)", line)
                if found is not None:
                    break
            else:
                raise AssertionError("code-server ended")
            yield found[1]
        finally:
            server.terminate()


@pytest.fixture(scope="module")
def page(home: Path, address: str) -> Iterator[Page]:
    """The example `support`, open in the editor."""
    assert CHROMIUM is not None
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1500, "height": 900})
        page.set_default_timeout(PATIENCE * 1000)
        page.goto(f"{address}/?folder={home / 'support'}", wait_until="domcontentloaded")
        page.dblclick(".explorer-folders-view >> text=support.pipe")
        page.wait_for_selector(".view-lines")
        yield page


def seen(page: Page, words: str) -> None:
    """Wait until some words stand somewhere on the page."""
    for _ in range(PATIENCE):
        text = page.evaluate("document.body.innerText").replace("\xa0", " ")
        if words in text:
            return
        page.wait_for_timeout(1000)
    raise AssertionError(f"no {words!r} in {text}")


def palette(page: Page, words: str) -> None:
    """Call a command by its name."""
    page.keyboard.press("F1")
    page.wait_for_selector(".quick-input-widget:visible")
    page.keyboard.insert_text(words)
    page.wait_for_selector(f".quick-input-list .monaco-list-row:has-text('{words}')")
    page.keyboard.press("Enter")
    page.wait_for_selector(".quick-input-widget", state="hidden")


def go(page: Page, home: Path, line: str) -> None:
    """Stand at the end of the first line of the file that begins so."""
    lines = (home / "support" / "support.pipe").read_text(encoding="utf-8").splitlines()
    number = next(at for at, one in enumerate(lines, 1) if one.startswith(line))
    palette(page, "View: Focus First Editor Group")
    page.keyboard.press("Control+g")
    page.wait_for_selector(".quick-input-widget:visible")
    page.keyboard.type(str(number), delay=20)
    page.keyboard.press("Enter")
    page.wait_for_selector(".quick-input-widget", state="hidden")
    page.keyboard.press("End")


def test_a_command_that_is_not_there_can_be_named_at_once(home: Path, page: Page):
    """One message says so; the setting is enough, without a restart of anything."""
    seen(page, "`not-there` was not found")
    assert page.locator(".notification-toast").count() == 1
    settings = home / "support" / ".vscode" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(json.dumps({"pipelang.command": [str(home / "pipelang")]}))
    go(page, home, "pipeline handle_ticket")
    seen(page, "answered right 42.1%")
    go(page, home, "  step kind")
    seen(page, "reached 92.1%")


def test_a_finding_and_its_mend(home: Path, page: Page):
    go(page, home, "  gate no_dispute")
    page.keyboard.type("x")
    palette(page, "Problems: Focus on Problems View")
    seen(page, "`Kind` has no field `disputex`")
    go(page, home, "  gate no_dispute")
    page.keyboard.press("Control+.")
    seen(page, "`disputex` → `dispute`")
    page.keyboard.press("Enter")
    seen(page, "No problems have been detected")
    palette(page, "View: Hide Panel")


def test_completion_and_hover(home: Path, page: Page):
    go(page, home, "  gate no_dispute")
    page.keyboard.type(" and kind.topic == ", delay=20)
    page.keyboard.press("Control+Space")
    seen(page, "integration")
    page.keyboard.press("Escape")
    for _ in range(len(" and kind.topic == ")):
        page.keyboard.press("Backspace")
    page.keyboard.press("ArrowLeft")
    palette(page, "Show or Focus Hover")
    seen(page, "The customer contests a charge")
    page.keyboard.press("Escape")


def test_the_report_and_the_graph_beside_the_text(home: Path, page: Page):
    go(page, home, "pipeline handle_ticket")
    shown = {"Report": "p:has-text('Of 1,000 runs')", "Graph": "svg text:has-text('no_legal')"}
    for what, words in shown.items():
        palette(page, f"pipelang: Show the {what}")
        inner = page.frame_locator("iframe.webview:visible").frame_locator("#active-frame")
        inner.locator(words).first.wait_for()
        palette(page, "View: Focus First Editor Group")
        palette(page, "View: Close Editors in Other Groups")


def test_renaming_and_formatting_change_the_file(home: Path, page: Page):
    file = home / "support" / "support.pipe"
    before = file.read_text(encoding="utf-8")
    go(page, home, "  gate calm")
    page.keyboard.insert_text("   # angry")
    page.keyboard.press("Home")
    for _ in range(len("gate ")):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("F2")
    name = page.locator(".rename-input:visible")  # it is there before it has the keys
    name.fill("quiet")
    name.press("Enter")
    seen(page, "gate quiet")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".tab.dirty", state="detached")
    after = file.read_text(encoding="utf-8")
    assert "  gate quiet: kind.sentiment != very_negative  # angry\n" in after
    assert "by calm" in before or "calm" in before
    assert not re.search(r"\bcalm\b", re.sub(r'"[^"]*"|#.*', "", after))
