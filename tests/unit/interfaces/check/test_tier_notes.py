"""What is told of tiers beside the figures: in text, on the page and in JSON."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from pipelang.interfaces.check.check import check_file, report_json
from pipelang.interfaces.report.html.page import report_html
from pipelang.interfaces.report.text import report_text

REPO = Path(__file__).parents[4]
SCHEMA = json.loads((REPO / "docs" / "schemas" / "report.schema.json").read_text())


TOLD = {
    "36_word_or_probability": "the probability told by `",
    "37_scans": "counts at most 1,600 tokens for a picture and 4,600 tokens for a page",
}


@pytest.mark.parametrize("name", TOLD)
def test_a_note_is_in_every_form_of_the_report(name: str) -> None:
    checked = [check_file(str(REPO / "examples" / "gallery" / f"{name}.pipe"))]
    report = report_json(checked)
    jsonschema.validate(report, SCHEMA)
    told = [note for one in report["pipelines"].values() for note in one.get("notes", ())]
    assert any(TOLD[name] in note for note in told)
    page = report_html(checked).replace("<code>", "`").replace("</code>", "`")
    assert TOLD[name] in page.replace("&#39;", "'")
    text = " ".join(report_text(checked).split())
    assert TOLD[name] in text


def test_json_says_what_each_confidence_is() -> None:
    checked = [check_file(str(REPO / "examples" / "gallery" / "36_word_or_probability.pipe"))]
    found = {
        (step, tier): source
        for one in report_json(checked)["pipelines"].values()
        for step, tiers in one.get("confidence_from", {}).items()
        for tier, source in tiers.items()
    }
    assert set(found.values()) == {"probabilities", "word"}


def test_where_there_is_nothing_to_say_nothing_is_said() -> None:
    checked = [check_file(str(REPO / "examples" / "gallery" / "01_chain.pipe"))]
    (one,) = report_json(checked)["pipelines"].values()
    assert "notes" not in one
    assert "confidence_from" not in one
