"""Findings as people and machines get them: text, GitHub, SARIF."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import Any

import pytest

from pipelang.diagnostics import Diagnostic, Edit, Label, Source, Span, codes, report
from pipelang.diagnostics.columns import cells_of
from pipelang.diagnostics.render import as_github, as_text
from pipelang.diagnostics.sarif import as_sarif, uri


def at(text: str, word: str, nth: int = 0, file: str = "a.pipe") -> Span:
    start = -1
    for _ in range(nth + 1):
        start = text.index(word, start + 1)
    return Span(file, start, start + len(word))


def unknown(text: str, word: str, **more: Any) -> Diagnostic:
    return report(codes.UNKNOWN_NAME, at(text, word), what="name", name=word, **more)


def shown(text: str, one: Diagnostic, width: int = 100, colour: bool = False) -> str:
    return as_text(one, {"a.pipe": Source("a.pipe", text)}, colour, width)


def test_a_finding_with_its_line_and_the_mend() -> None:
    text = "fn f(count: int) -> int =\n  coutn + 1\n"
    assert shown(text, unknown(text, "coutn", help="did you mean `count`?")) == (
        "error[P201]: unknown name `coutn`\n"
        " --> a.pipe:2:3\n"
        "2 |   coutn + 1\n"
        "  |   ^^^^^\n"
        "  help: did you mean `count`?"
    )


def test_each_label_has_an_excerpt_and_gutters_are_as_wide() -> None:
    text = "enum E { a b }\n" + "\n" * 9_997 + "enum E { c d }\nenum F { c }"
    labels = (
        Label(at(text, "E"), "`E` is declared here first"),
        Label(at(text, "F"), "this one is another"),
    )
    one = report(codes.DUPLICATE, at(text, "E", 1), name="E", labels=labels)
    assert shown(text, one) == (
        "error[P202]: `E` is declared twice\n"
        "     --> a.pipe:9999:6\n"
        " 9999 | enum E { c d }\n"
        "      |      ^\n"
        "  note: `E` is declared here first\n"
        "     --> a.pipe:1:6\n"
        "    1 | enum E { a b }\n"
        "      |      -\n"
        "  note: this one is another\n"
        "     --> a.pipe:10000:6\n"
        "10000 | enum F { c }\n"
        "      |      -\n"
        "  help: rename one of the two"
    )


def test_long_lines_of_words_are_wrapped() -> None:
    text = "x"
    one = unknown(text, "x", help="word " * 40)
    lines = shown(text, one, width=80).splitlines()
    assert all(cells_of(line) <= 80 for line in lines)
    assert [line[:8] for line in lines[-2:]] == [" " * 8] * 2
    one = report(codes.ARGUMENTS, at(text, "x"), what="word " * 40)
    lines = shown(text, one, width=80).splitlines()
    assert all(cells_of(line) <= 80 for line in lines)
    assert lines[1].startswith("    word")


@pytest.mark.parametrize(
    ("before", "word"),
    [("日本語 ", "x"), ("é\N{COMBINING ACUTE ACCENT} ", "x"), ("\t\t", "x"), ("a ", "日本")],
)
def test_carets_stand_below_what_they_mean(before: str, word: str) -> None:
    text = before + word + " rest"
    _, _, line, mark = shown(text, unknown(text, word)).splitlines()
    assert cells_of(mark.rstrip("^")) == cells_of(line[: line.index(word)])
    assert mark.count("^") == cells_of(word)


@pytest.mark.parametrize("filler", ["a", "日"])
def test_of_a_very_long_line_the_place_is_shown(filler: str) -> None:
    text = filler * 500 + "HERE" + filler * 500
    _, _, line, mark = shown(text, unknown(text, "HERE")).splitlines()
    assert cells_of(line) <= 100
    assert cells_of(mark.rstrip("^")) == cells_of(line[: line.index("HERE")])
    assert mark.endswith("^^^^")


def test_what_is_marked_may_be_longer_than_the_line_is_wide() -> None:
    text = "a" * 1000
    one = report(codes.ARGUMENTS, at(text, text), what="too long")
    _, _, line, mark = shown(text, one).splitlines()
    assert cells_of(line) == cells_of(mark) == 100


def test_nothing_in_a_file_acts_on_the_terminal() -> None:
    evil = "\x1b[31m \u202e \u2066 \x07 \x9b \u200f \ufeff"
    text = f"{evil} x\r\n"
    one = unknown(text, "x", help=f"mean {evil}?", labels=(Label(at(text, "x"), evil),))
    said = shown(text, one)
    assert not set(said) & set(evil.replace(" ", "").replace("[31m", ""))
    assert "\r" not in said
    assert "\N{REPLACEMENT CHARACTER}[31m" in said


def test_a_place_at_the_end_of_the_file_can_be_shown() -> None:
    text = "enum E {"
    one = report(codes.SYNTAX, Span("a.pipe", 8, 8), expected="a name", found="the end")
    assert shown(text, one).splitlines()[2:] == ["1 | enum E {", "  |         ^"]
    empty = report(codes.SYNTAX, Span("a.pipe", 0, 0), expected="a name", found="the end")
    assert shown("", empty).splitlines()[2:] == ["1 |", "  | ^"]


def test_colours_change_no_letter() -> None:
    text = "x y"
    one = unknown(text, "x", labels=(Label(at(text, "y"), "why"),), help="do")
    painted = shown(text, one, colour=True)
    assert "\x1b[1;31merror[P201]\x1b[0m" in painted
    plain = painted
    for code in ("1;31", "1", "31", "34", "36", "0"):
        plain = plain.replace(f"\x1b[{code}m", "")
    assert plain == shown(text, one)


def test_a_finding_without_a_place() -> None:
    one = report(codes.MISSING_FILE, None, path="x.pipe")
    assert as_text(one, {}) == "error[P205]: there is no file `x.pipe`"
    assert as_github(one, {}) == "::error::there is no file `x.pipe`"


def test_github_gets_its_signs_escaped() -> None:
    name = "a,b:c%.pipe"
    one = report(codes.ARGUMENTS, Span(name, 0, 1), what="one, two: 100%\nthree", help="a: b")
    assert as_github(one, {name: Source(name, "x")}) == (
        "::error file=a%2Cb%3Ac%25.pipe,line=1,col=1,endLine=1,endColumn=2,title=P303"
        "::one, two: 100%25%0Athree%0Ahelp: a: b"
    )


# ----------------------------------------------------------------------------------- SARIF


def log() -> dict[str, Any]:
    text = "ENUM E { a }\nenum 😀E { b }\n"
    first = report(
        codes.DUPLICATE,
        at(text, "E", 2),
        name="E",
        labels=(Label(at(text, "E", 1), "here first"),),
        edits=(Edit(at(text, "E", 2), "F"),),
    )
    second = report(codes.UNUSED, at(text, "b"), what="member", name="b")
    third = report(codes.MISSING_FILE, None, path="x")
    fourth = report(codes.DUPLICATE, at(text, "a"), name="a")
    sources = {"a.pipe": Source("a.pipe", text)}
    return as_sarif([first, second, third, fourth], sources, "1.2.3")


def test_a_sarif_log_holds_together() -> None:
    made = log()
    json.dumps(made, allow_nan=False)
    assert made["version"] == "2.1.0"
    (run,) = made["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["version"]) == ("pipelang", "1.2.3")
    rules = [rule["id"] for rule in driver["rules"]]
    assert rules == sorted(set(rules)) == ["P202", "P204", "P205"]
    assert run["columnKind"] == "unicodeCodePoints"
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["message"]["text"]
        for place in [*result.get("locations", ()), *result.get("relatedLocations", ())]:
            region = place["physicalLocation"]["region"]
            assert region["startLine"] >= 1
            assert region["startColumn"] >= 1
            assert (region["startLine"], region["startColumn"]) <= (
                region["endLine"],
                region["endColumn"],
            )
    assert "locations" not in run["results"][2]


def test_a_sarif_result_has_labels_and_edits() -> None:
    result = log()["runs"][0]["results"][0]
    assert result["message"]["text"] == "`E` is declared twice\nhelp: rename one of the two"
    region = result["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 2, "startColumn": 7, "endLine": 2, "endColumn": 8}
    (related,) = result["relatedLocations"]
    assert related["message"] == {"text": "here first"}
    (fix,) = result["fixes"]
    (change,) = fix["artifactChanges"]
    assert change["artifactLocation"] == {"uri": "a.pipe"}
    (replacement,) = change["replacements"]
    assert replacement["insertedContent"] == {"text": "F"}
    assert replacement["deletedRegion"]["charLength"] == 1


def test_file_names_become_uris() -> None:
    assert uri("a b/ü#1.pipe") == "a%20b/%C3%BC%231.pipe"
    assert uri("c:d.pipe") == "c%3Ad.pipe"
    assert uri(str(PurePosixPath("/tmp/a b.pipe"))) == "file:///tmp/a%20b.pipe"
