"""In a terminal, an editor and a pull request a finding says the same, and so does its mend."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelang.diagnostics import Diagnostic
from pipelang.diagnostics.render import as_github, as_json, as_text
from pipelang.diagnostics.sarif import as_sarif
from pipelang.interfaces.check.check import Checked, check_file
from pipelang.interfaces.check.compare import against
from pipelang.interfaces.report.changes.markdown import against_markdown
from pipelang.interfaces.report.html.page import report_html

REPO = Path(__file__).resolve().parents[3]
FILES = [
    *sorted((REPO / "tests/property/programs").rglob("*.pipe"))[:4],
    REPO / "examples/support/support.pipe",
    REPO / "examples/gallery/42_quota.pipe",
    REPO / "tests/unit/interfaces/export/nasty.pipe",
]


def flat(text: str) -> str:
    """Without line breaks, signs of markup, and what only keeps them apart."""
    return re.sub(r"[\s`\\\u200b]+", "", text)


def of_text(checked: Checked, one: Diagnostic) -> str:
    return flat(as_text(one, checked.sources))


def of_github(checked: Checked, one: Diagnostic) -> str:
    line = as_github(one, checked.sources)
    for sign, code in (("\n", "%0A"), ("\r", "%0D"), ("%", "%25")):
        line = line.replace(code, sign)
    return flat(line)


def of_sarif(checked: Checked, one: Diagnostic) -> str:
    result = as_sarif([one], checked.sources, "0")["runs"][0]["results"][0]
    return flat(result["message"]["text"])


def of_json(checked: Checked, one: Diagnostic) -> str:
    record = as_json(one, checked.sources)
    return flat(f"{record['message']} help: {record['help']}")


def of_markdown(checked: Checked, one: Diagnostic) -> str:
    empty = Checked(checked.path, None, (), (), {})
    alone = Checked(checked.path, None, (), (one,), checked.sources)
    return flat(against_markdown(against([empty], [alone], "before", None)))


def of_html(checked: Checked, one: Diagnostic) -> str:
    alone = Checked(checked.path, None, (), (one,), checked.sources)
    page = report_html([alone]).partition('<ul class="findings">')[2]
    return flat(html.unescape(re.sub(r"<[^>]+>", "", page)))


@pytest.mark.parametrize("form", [of_text, of_github, of_sarif, of_json, of_markdown, of_html])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_form_says_the_message_and_the_mend(
    form: Callable[[Checked, Diagnostic], str], path: Path
) -> None:
    checked = check_file(str(path))
    for one in checked.diagnostics:
        said = form(checked, one)
        assert flat(one.message) in said
        if one.help:
            assert flat(f"help{one.help}") in said.replace("help:", "help")


def test_there_are_findings_to_compare() -> None:
    found = [one for path in FILES for one in check_file(str(path)).diagnostics]
    assert sum(one.help is not None for one in found) >= 2
    assert len({one.rule.code for one in found}) >= 2
