"""The HTML report in a real browser: it fits a phone and prints, and nothing in it runs.

The structure of the page is checked without a browser in the unit tests of reports.
"""

from __future__ import annotations

import html
import json
import re
import subprocess
from pathlib import Path

import pytest

from pipelang.interfaces.report.html.page import report_html
from tests.browser import CHROMIUM, OPTIONS, needs_chromium
from tests.unit.interfaces.report.test_report_html import PAGES

pytestmark = needs_chromium

FRAME = """<!doctype html><body style="margin: 0">
<iframe id="page" style="width: {width}px; height: 900px; border: 0" srcdoc="{page}"></iframe>
<pre id="seen"></pre>
<script>
window.alerts = 0;
const frame = document.getElementById("page");
frame.addEventListener("load", () => {{
  const inside = frame.contentDocument, body = getComputedStyle(inside.body);
  const tables = [...inside.querySelectorAll("table")];
  document.getElementById("seen").textContent = JSON.stringify({{
    width: inside.documentElement.scrollWidth,
    tables: tables.length,
    flat: tables.filter((table) => table.getBoundingClientRect().height < 20).length,
    pictures: [...inside.querySelectorAll("svg.pipelang")]
      .map((one) => one.getBoundingClientRect().height),
    font: parseFloat(body.fontSize),
    alerts: window.alerts,
    injected: inside.querySelectorAll("script, img, b").length,
  }});
}});
</script>"""


def browse(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    line = [CHROMIUM, "--headless", *OPTIONS, f"--user-data-dir={folder}/u"]
    return subprocess.run(
        [*line, *options], capture_output=True, text=True, timeout=120, check=True
    )


@pytest.mark.parametrize("name", ["support", "nasty", "unknown", "broken"])
@pytest.mark.parametrize("width", [320, 1280])
def test_it_fits_the_screen(name: str, width: int, tmp_path: Path) -> None:
    page = report_html([PAGES[name]()])
    place = tmp_path / "frame.html"
    place.write_text(FRAME.format(width=width, page=html.escape(page)), encoding="utf-8")
    done = browse(tmp_path, "--dump-dom", place.as_uri())
    text = re.search(r'<pre id="seen">(.*?)</pre>', done.stdout, re.DOTALL)
    assert text is not None, done.stderr
    seen = json.loads(html.unescape(text[1]))
    assert seen["width"] <= width
    assert seen["tables"] == page.count("<table")
    assert seen["flat"] == 0
    assert seen["font"] >= 14
    assert seen["alerts"] == 0
    assert seen["injected"] == 0
    assert all(height > 60 for height in seen["pictures"])


def test_it_prints(tmp_path: Path) -> None:
    place, out = tmp_path / "page.html", tmp_path / "page.pdf"
    place.write_text(report_html([PAGES["support"]()]), encoding="utf-8")
    browse(tmp_path, f"--print-to-pdf={out}", "--no-pdf-header-footer", place.as_uri())
    printed = out.read_bytes()
    assert printed.startswith(b"%PDF")
    pages = len(re.findall(rb"/Type\s*/Page\b", printed))
    assert 3 <= pages <= 20
