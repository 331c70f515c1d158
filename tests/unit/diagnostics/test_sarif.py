"""SARIF logs hold to the standard, and say of every kind of finding what code hosts need."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator, FormatChecker

from pipelang.diagnostics import RULES, Diagnostic, Edit, Label, Severity, Source, Span, report
from pipelang.diagnostics.sarif import FINGERPRINT, as_sarif
from pipelang.interfaces.check.check import check_file
from pipelang.records import replace

from ...memory import MemoryLoader
from ...suite.chunks import MAIN, all_chunks
from ...suite.test_suite import BESIDE

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "data" / "sarif_2.1.0_used.schema.json").read_text("utf-8")
)
VALIDATOR = Draft7Validator(SCHEMA, format_checker=FormatChecker())
CHUNKS = [chunk for chunk in all_chunks() if chunk.kind == "check"][::4]


def log(found: list[Diagnostic], sources: dict[str, Source], root: str | None = None) -> Any:
    made = json.loads(json.dumps(as_sarif(found, sources, "1.0", root), allow_nan=False))
    VALIDATOR.validate(made)
    return made["runs"][0]


def test_the_schema_is_one_and_refuses() -> None:
    Draft7Validator.check_schema(SCHEMA)
    for wrong in (
        {},
        {"version": "2.0.0", "runs": []},
        {"version": "2.1.0", "runs": [{"results": []}]},
        {"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "a"}}, "results": [{}]}]},
    ):
        assert not VALIDATOR.is_valid(wrong)
    region = {"startLine": 0}
    place = {"physicalLocation": {"artifactLocation": {"uri": "a"}, "region": region}}
    result = {"message": {"text": "a"}, "locations": [place]}
    whole = {
        "version": "2.1.0",
        "runs": [{"tool": {"driver": {"name": "a"}}, "results": [result]}],
    }
    assert not VALIDATOR.is_valid(whole)
    region["startLine"] = 1
    assert VALIDATOR.is_valid(whole)


@pytest.mark.parametrize("code", RULES)
def test_every_rule_is_described(code: str) -> None:
    rule = RULES[code]
    one = Diagnostic(rule, "words", None)
    (described,) = log([one], {})["tool"]["driver"]["rules"]
    assert described["id"] == code
    assert described["fullDescription"]["text"]
    assert "```" in described["help"]["markdown"]
    assert "{" not in described["shortDescription"]["text"].replace("{1F600}", "")
    assert described["defaultConfiguration"]["level"] == rule.severity.value


@pytest.mark.parametrize("chunk", CHUNKS, ids=lambda chunk: chunk.id)
def test_what_the_suite_finds_makes_a_valid_log(chunk: Any) -> None:
    checked = check_file(MAIN, MemoryLoader({**BESIDE, **chunk.files}))
    run = log(list(checked.diagnostics), checked.sources)
    assert len(run["results"]) == len(checked.diagnostics)
    for result, one in zip(run["results"], checked.diagnostics, strict=True):
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] == one.severity.value
        if one.span is None:
            continue
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"] == {"uri": one.span.file}
        region, text = place["region"], checked.sources[one.span.file].text
        lines = text.splitlines(keepends=True) or [""]
        start = sum(map(len, lines[: region["startLine"] - 1])) + region["startColumn"] - 1
        end = sum(map(len, lines[: region["endLine"] - 1])) + region["endColumn"] - 1
        assert text[start:end] == text[one.span.start : one.span.end]
    marks = [result["partialFingerprints"][FINGERPRINT] for result in run["results"]]
    assert len(set(marks)) == len(marks)


def found_in(text: str) -> tuple[list[Diagnostic], dict[str, Source]]:
    checked = check_file("a.pipe", MemoryLoader({"a.pipe": text}))
    return list(checked.diagnostics), dict(checked.sources)


def marks(text: str) -> list[str]:
    run = log(*found_in(text))
    return [result["partialFingerprints"][FINGERPRINT] for result in run["results"]]


TWICE = """\
pipeline p() -> int { return 1 }
fn a(x: int) -> int = 1
fn b() -> int = 2
"""


def test_fingerprints_stay_when_lines_move() -> None:
    before = marks(TWICE)
    assert len(before) == 3
    assert marks("\n# above\n\n" + TWICE.replace("\nfn b", "\n\n\n\n  fn b")) == before
    assert marks(TWICE.replace("fn b", "fn c")) != before


def test_alike_findings_have_fingerprints_of_their_own() -> None:
    text = "pipeline p() -> int { return x + x + x }\n"
    found = marks(text)
    assert len(set(found)) == len(found) == 3


def test_places_are_relative_to_the_folder_of_the_check(tmp_path: Path) -> None:
    inside, outside = str(tmp_path / "a b" / "c.pipe"), str(tmp_path.parent / "d.pipe")
    rule = RULES["P204"]
    edit = Edit(Span(inside, 0, 1), "")
    found = [
        report(rule, Span(inside, 0, 1), what="a", name="b", edits=(edit,)),
        report(rule, Span(outside, 0, 1), what="a", name="b"),
        report(rule, Span("x.pipe", 0, 1), what="a", name="b"),
        report(rule, Span("../x.pipe", 0, 1), what="a", name="b"),
    ]
    label = Label(Span(inside, 0, 1), "here")
    found.append(replace(found[0], labels=(label,), edits=()))
    run = log(found, {inside: Source(inside, "abc")}, str(tmp_path))
    places = [one["locations"][0]["physicalLocation"] for one in run["results"]]
    assert [place["artifactLocation"] for place in places] == [
        {"uri": "a%20b/c.pipe", "uriBaseId": "%SRCROOT%"},
        {"uri": Path(outside).as_uri()},
        {"uri": "x.pipe", "uriBaseId": "%SRCROOT%"},
        {"uri": "../x.pipe"},
        {"uri": "a%20b/c.pipe", "uriBaseId": "%SRCROOT%"},
    ]
    assert run["originalUriBaseIds"] == {"%SRCROOT%": {"uri": tmp_path.as_uri() + "/"}}
    (change,) = run["results"][0]["fixes"][0]["artifactChanges"]
    assert change["artifactLocation"] == {"uri": "a%20b/c.pipe", "uriBaseId": "%SRCROOT%"}


def test_what_a_profile_raised_is_raised_in_the_finding_alone() -> None:
    rule = RULES["P502"]
    one = Diagnostic(replace(rule, severity=Severity.ERROR), "words", None)
    run = log([one, Diagnostic(rule, "others", None)], {})
    assert [result["level"] for result in run["results"]] == ["error", "warning"]
    (described,) = run["tool"]["driver"]["rules"]
    assert described["defaultConfiguration"]["level"] == "warning"
