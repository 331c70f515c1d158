"""The HTML report: all in one file, every text escaped, readable aloud and without scripts."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from pipelang.interfaces.check.check import Checked, check_file
from pipelang.interfaces.cli.check.command import command
from pipelang.interfaces.report.html.page import report_html
from tests.unit.interfaces.report.test_report_text import BROKEN, CHAIN, RANGE, UNKNOWN, check

REPO = Path(__file__).resolve().parents[4]
SUPPORT = REPO / "examples/support/support.pipe"
EVIL = '<script>alert("1")</script><img src=x onerror=alert(2)> & `tick` ]]></style>'
NASTY = f"""
use std.tiers
## {EVIL}
role desk {{ people 1  handles 1m  responds 1m median, 2m p95  accuracy 90% }}
type Reply {{ body: text max 20 tokens }}
prompt write(body: text max 20 tokens) \"\"\"
  {EVIL} {{{{ body }}}}
\"\"\"
## {EVIL}
pipeline main(body: text max 20 tokens) -> Reply {{
  ## {EVIL}
  step reply: Reply = ask write(body) by haiku {{ accuracy 90% }}
    else escalate to desk {EVIL.replace('"', "'")!r}
  gate fine: reply.body != "<b>{EVIL.replace('"', "'")}" {{ catches 10%  false_alarms 1% }}
    else escalate to desk "</svg><script>alert(3)</script>"
  return reply
}}
"""
VOID = frozenset("meta br img hr input link rect path line circle polygon polyline".split())


class Outline(HTMLParser):
    """Tags with their attributes; that every one is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.ids: list[str] = []
        self.feed(page)
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open, tag
            assert self.open.pop() == tag

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.tags if name == tag]


def support() -> Checked:
    return check_file(str(SUPPORT))


PAGES = {
    "support": support,
    "nasty": lambda: check(NASTY),
    "chain": lambda: check(CHAIN),
    "range": lambda: check(RANGE),
    "unknown": lambda: check(UNKNOWN),
    "broken": lambda: check(BROKEN),
}


@pytest.mark.parametrize("name", PAGES)
def test_it_needs_nothing_else(name: str) -> None:
    page = report_html([PAGES[name]()])
    outline = Outline(page)
    assert page.count("<!doctype html>") == 1
    for tag, attrs in outline.tags:
        assert tag not in ("script", "link", "iframe", "img", "object", "form"), tag
        for key, value in attrs.items():
            assert not key.startswith("on")
            if key in ("src", "href"):
                assert (value or "").removeprefix("#") in outline.ids
                assert (value or "").startswith("#")
    assert not re.search(r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)", page)
    assert len(set(outline.ids)) == len(outline.ids)


@pytest.mark.parametrize("name", PAGES)
def test_it_can_be_read_aloud(name: str) -> None:
    outline = Outline(report_html([PAGES[name]()]))
    assert outline.all("html")[0]["lang"] == "en"
    assert outline.all("title")
    assert outline.all("main")
    for picture in outline.all("svg"):
        assert picture["role"] == "img"
    assert len(outline.all("caption")) == len(outline.all("table"))
    assert len(outline.all("th")) >= len(outline.all("table"))
    assert all(attrs.get("scope") in ("row", "col") for attrs in outline.all("th"))
    for area in outline.all("div"):
        if "scroll" in (area.get("class") or "").split():
            assert area["tabindex"] == "0"
            assert area["aria-label"]


def test_what_stands_in_a_file_is_never_markup() -> None:
    checked = check(NASTY)
    assert checked.program is not None, [d.message for d in checked.diagnostics]
    page = report_html([checked])
    assert "alert(1)" in page.replace("&#34;", "").replace('"', "")
    assert "alert(3)" in page
    assert "onerror=alert(2)&gt;" in page
    assert "<script" not in page
    assert "<b>" not in page
    styles = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert styles
    assert not any("alert" in style for style in styles)


def test_source_lines_of_findings_are_escaped() -> None:
    page = report_html([check('pipeline <script>alert(1)</script>(x: text) -> "<i>" {')])
    Outline(page)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_it_says_what_the_text_says() -> None:
    page = report_html([support()])
    for said in ("42.1%", "38.0–45.2%", "81", "met, 97.3% sure", "review the draft", "$0.161"):
        assert said in page
    for section in ("Promises (slo)", "Review load", "Where each number comes from"):
        assert section in page
    assert "Findings" not in page
    assert "Findings" in report_html([check(NASTY)])


def test_the_command_writes_a_file(tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    done = CliRunner().invoke(command, [str(SUPPORT), "--format", "html", "--output", str(out)])
    assert done.exit_code == 0
    assert done.output == ""
    assert out.read_text(encoding="utf-8").startswith("<!doctype html>")
    done = CliRunner().invoke(command, [str(SUPPORT), "--output", str(out)])
    assert done.exit_code == 2


def luminance(colour: str) -> float:
    """Relative luminance: WCAG 2.2, https://www.w3.org/TR/WCAG22/#dfn-relative-luminance"""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_colours_have_contrast() -> None:
    css = (REPO / "pipelang/interfaces/report/html/report.css").read_text(encoding="utf-8")
    schemes = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    assert len(schemes) == 2
    for scheme in schemes:
        colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", scheme))
        for name in ("text", "dim", "good", "bad", "unsure", "people", "plain"):
            for ground in ("ground", "raised"):
                pair = sorted((luminance(colours[name]), luminance(colours[ground])))
                assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5, (name, ground)
