"""The text report, whole: what somebody reads who checks a file.

The expected reports lie in `report/`; `PIPELANG_UPDATE=1 pytest tests/unit/interfaces/report`
writes them anew, to be read in the diff.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelang.analysis.advice.trying import Bench
from pipelang.analysis.model.intervals import Number
from pipelang.diagnostics import Label, Span, codes
from pipelang.diagnostics import report as diagnose
from pipelang.diagnostics.columns import cells_of, wrap
from pipelang.interfaces.check.advice import with_advice
from pipelang.interfaces.check.check import Checked, PipelineAdvice, check_file, report_json
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.report.sections.sentence import apportion
from pipelang.interfaces.report.text import report_text
from pipelang.interfaces.text.colours import painter
from pipelang.interfaces.text.number_format import (
    a_day,
    against,
    interval,
    listed,
    money,
    one_in,
    percent,
)
from pipelang.interfaces.text.table import Cell, bar, cut, lay_out, range_bar
from pipelang.records import replace
from pipelang.semantics.chance import Basis
from tests.work import grows_no_faster_than

REPO = Path(__file__).resolve().parents[4]
EXPECTED = Path(__file__).parent / "report"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


class Shelf(DiskLoader):
    """Files that lie in a dict, with the libraries of the disk."""

    def __init__(self, files: Mapping[str, str]) -> None:
        self.files = files

    def read(self, path: str) -> str | None:
        return self.files[path] if path in self.files else super().read(path)


def check(text: str, **files: str) -> Checked:
    return check_file("e.pipe", Shelf({"e.pipe": text, **files}))


def report(text: str, **options: bool) -> str:
    checked = with_advice([check(text)], everything=options.get("verbose", False))
    return report_text(checked, **options)


def expect(name: str, found: str) -> None:
    """Compare with the stored report, or store it."""
    path = EXPECTED / f"{name}.txt"
    if os.environ.get("PIPELANG_UPDATE"):
        path.write_text(found, encoding="utf-8", newline="\n")
    stored = path.read_text(encoding="utf-8") if path.exists() else ""
    assert found == stored, f"PIPELANG_UPDATE=1 rewrites {path.name}, if the new one is right"


HEAD = """\
use std.tiers
type Answer { body: text max 100 tokens  confidence: probability }
prompt answer(q: text max 200 tokens) \"\"\"Answer {{ q }}\"\"\"
prompt improve(q: text max 200 tokens, a: Answer) \"\"\"{{ q }}: improve {{ a.body }}\"\"\"
role desk { people 2 handles 5m responds 15m median, 2h p95 accuracy 98% }
"""

OPTIONS = "{ accuracy 95% timeout 10s output 40 tokens mean, 100 tokens max }"

CHAIN = f"""\
{HEAD}
pipeline four(q: text max 200 tokens) -> Answer {{
  traffic 200/day {{ q: 30 tokens mean }}
  slo {{ success >= 80%  cost.mean <= $0.01 }}
  step one: Answer = ask answer(q) by haiku {OPTIONS}
  step two: Answer = ask improve(q, one) by haiku {OPTIONS}
  step three: Answer = ask improve(q, two) by haiku {OPTIONS}
  step four: Answer = ask improve(q, three) by haiku {OPTIONS}
  return four
}}
"""

UNKNOWN = """\
provider acme { kind anthropic }
tier small { provider acme model "small-1" price $1 in, $5 out context 8k tokens }
role desk { people 2 }

enum Kind { easy hard odd }
type Answer { kind: Kind  body: text max 100 tokens  confidence: probability }
prompt answer(q: text max 200 tokens) \"\"\"Answer {{ q }}\"\"\"
tool send(x: text max 100 tokens) -> text max 10 tokens { python "m:f" effect write }

pipeline reply(q: text max 200 tokens, vip: bool) -> Answer {
  slo { success >= 90%  failure <= 5% }
  gate plain: not vip else escalate to desk
  step draft: Answer = ask answer(q) by small { timeout 10s retry 1 output 100 tokens max }
    else escalate to desk
  gate good: draft.confidence >= 70% else escalate to desk "not sure"
  gate simple: draft.kind == easy else escalate to desk
  gate small_enough: len(draft.body) <= 200 else escalate to desk
  step again: Answer = ask answer(q) by desk { timeout 10m } else fail "nobody there"
  step sent = call send(again.body)
  return draft
}
"""

RANGE = f"""\
{HEAD}
pipeline two(q: text max 200 tokens, vip: bool) -> Answer {{
  traffic 50/day {{ vip: 10% }}
  slo {{ success >= 80%  silent_error <= 1%  latency.p95 <= 5s }}
  gate plain: not vip else escalate to desk "a vip"
  step one: Answer = ask answer(q) by haiku {OPTIONS}
  step two: Answer = ask improve(q, one) by haiku {OPTIONS}
    else ask answer(q) by sonnet {{ timeout 10s output 100 tokens max }}
  return two
}}
"""

BROKEN = f"""\
{HEAD}
enum Unused {{ a b }}

pipeline p(q: text max 200 tokens) -> Answer {{
  step one: Answer = ask answer(r) by haiku {OPTIONS}
  return one
}}
"""


# ---------------------------------------------------------------------------- whole reports


def test_the_support_example(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)
    found = report_text(with_advice([check_file("examples/support/support.pipe")]))
    # Where lines stand in the example is of no interest here.
    expect(
        "support",
        re.sub(r"^ *\d+ \|", "   |", re.sub(r"(\.pipe):[\d:]+", r"\1", found), flags=re.M),
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [("chain", CHAIN), ("unknown", UNKNOWN), ("range", RANGE), ("broken", BROKEN)],
)
def test_made_up_pipelines(name: str, text: str) -> None:
    expect(name, report(text))


@pytest.mark.parametrize("accuracy", ["86%", "91.55%", "95%", "99.95%"])
def test_bounds_hold_as_they_are_printed(accuracy: str) -> None:
    """What is certain for every value of the undeclared stays so when it is rounded."""
    checked = check(RANGE.replace("accuracy 95%", f"accuracy {accuracy}"))
    numbers = checked.analyses[0].numbers
    told = report_text([checked]).split("It is a range")[0].replace("\n", " ")
    kind = r"(are|go|fail)( answered right| answered wrong)?"
    said = re.findall(rf"(\d+) to (\d+) {kind}", told)
    names = {" answered right": "success", " answered wrong": "silent_error"}
    kinds = {"go": "escalation", "fail": "failure"}
    assert said
    for low, high, verb, what in said:
        number = numbers[names.get(what) or kinds[verb]]
        assert number.low is not None
        assert number.high is not None
        assert int(low) <= number.low * 100 + 1e-9
        assert int(high) >= number.high * 100 - 1e-9


def test_review_load_is_told_over_all_files() -> None:
    desk = RANGE.replace("pipeline two", "pipeline three")
    one, other = check(RANGE), check_file("f.pipe", Shelf({"f.pipe": desk}))
    found = report_text([one, other])
    assert found.count("Review load") == 1
    assert found.index("Review load") > found.index("three")


def test_the_support_example_in_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(REPO)
    checked = with_advice([check_file("examples/support/support.pipe")], everything=True)
    found = report_text(checked, verbose=True)
    for head in ("Steps", "Promises (slo)", "Claims (prove)", "Cost", "Time", "What the numbers"):
        assert f"\n{head}" in found
    assert len(found.splitlines()) > 2 * SCREEN


SCREEN = 57
"""Lines of a window as high as a screen; a report on a file has no more, but for findings: of all
examples `tests/e2e/test_contract.py` asks that, which has their reports.
"""


IDLE = """
use std.tiers
type A { x: text max 20 tokens }
prompt p(q: text) \"\"\"Do {{ q }}\"\"\"
role r { people 3 accuracy 98% }
pipeline f(q: text max 20 tokens) -> A {
  step idle: A = ask p(q) by haiku
  step a: A = ask p(q) by haiku
  step late: A = ask p(a.x) by sonnet
  when w: late.x == "b" { escalate to r "x" }
  return a
}
pipeline first(q: text max 20 tokens) -> A {
  step a: A = ask p(q) by haiku { accuracy 90% }
  approve ok by r showing a else escalate to r
  return a
}
"""


def test_what_changes_nothing_is_not_asked_for() -> None:
    """Rates of a gate that are equal at typical values hide what it reads; it is asked for."""
    found = advised(IDLE)
    asked = found.partition("Declare these")[2]
    assert "step a " in asked
    assert "step late" in asked
    assert "step idle" not in asked


def test_another_pipeline_is_a_row() -> None:
    found = advised(IDLE)
    rows = found.partition("Other pipelines of this file")[2].splitlines()
    assert rows[1].split()[:3] == ["right", "wrong", "to"]
    assert rows[2].split()[0] == "first"
    assert "\n  f " not in "\n".join(rows)


def test_a_time_without_an_end_is_told_from_below() -> None:
    text = IDLE[: IDLE.index("pipeline f")] + IDLE[IDLE.index("pipeline first") :]
    for verbose in (False, True):
        found = report(text, verbose=verbose)
        assert "under from" not in found
    assert "with people: 1 in 20 takes" in report(text)


def advised(text: str) -> str:
    return report_text(with_advice([check(text)]))


def test_findings_come_first_and_errors_before_warnings() -> None:
    found = report(f"enum Unused {{ a b }}\n{CHAIN.replace('accuracy 95%', 'accuracy 5%', 1)}")
    title = found.index("─" * 100)
    codes_of = re.findall(r"^(error|warning)\[", found, re.M)
    assert codes_of == sorted(codes_of)
    assert {"error", "warning"} <= set(codes_of)
    assert max(hit.start() for hit in re.finditer(r"^(error|warning)\[", found, re.M)) < title


def test_a_path_of_several_places_takes_a_line_a_place_and_is_told_once() -> None:
    checked = check(CHAIN)
    source = checked.sources["e.pipe"]
    places = [Span("e.pipe", source.start(line), source.start(line) + 3) for line in (2, 3, 4)]
    path = tuple(Label(span, f"{n}. here") for n, span in enumerate(places, 1))
    found = tuple(
        diagnose(codes.MISSING_FILE, span, path=name, labels=path)
        for name, span in zip("abc", places, strict=True)
    )
    told = report_text([replace(checked, diagnostics=found)])
    assert told.count("note: 1. here (line 2)\n  note: 2. here (line 3)\n") == 1
    assert told.count("note: by the way that is shown above, at line 2") == 2
    full = report_text([replace(checked, diagnostics=found)], verbose=True)
    assert full.count("note: 2. here\n --> e.pipe:3:1\n") == 3


def test_verbose_leaves_nothing_out() -> None:
    found = report(CHAIN, verbose=True)
    assert re.search(r"one accuracy +95.0% +declared +e.pipe:10", found)
    assert re.search(r"haiku transient +0.5% +declared +std/tiers.pipe:", found)
    assert "--verbose" not in found


@pytest.mark.parametrize("text", [CHAIN, UNKNOWN, RANGE, BROKEN])
def test_colour_changes_no_letter(text: str) -> None:
    coloured = report(text, colour=True)
    assert "\x1b[" in coloured
    assert ANSI.sub("", coloured) == report(text)


@pytest.mark.parametrize("width", [72, 80, 100])
@pytest.mark.parametrize("text", [CHAIN, UNKNOWN, RANGE])
def test_no_line_of_prose_is_too_wide(text: str, width: int) -> None:
    for verbose in (False, True):
        lines = report_text(with_advice([check(text)]), width=width, verbose=verbose).splitlines()
        assert "─" * width in lines
        # Lines of the source have a sign of their own; verdicts and lines to paste are never cut.
        wide = [line for line in lines if cells_of(line) > width and not _OF_SOURCE.match(line)]
        assert not [line for line in wide if " # " not in line and line[2] not in "✓✗?"]


_OF_SOURCE = re.compile(r" *\d* (\||-->) ")


@pytest.mark.parametrize("text", [CHAIN, UNKNOWN])
def test_reports_render_advice_and_work_out_none(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = with_advice([check(text)])
    expected = report_text(checked), report_json(checked)

    def fails(*arguments: object) -> None:
        raise AssertionError("a report works out advice")

    monkeypatch.setattr("pipelang.analysis.advice.advise.advise", fails)
    monkeypatch.setattr("pipelang.analysis.advice.what_if.what_if", fails)
    monkeypatch.setattr(Bench, "rebuilt", fails)
    assert (report_text(checked), report_json(checked)) == expected
    advice = checked[0].advice
    changed = [replace(checked[0], advice={name: PipelineAdvice() for name in advice})]
    without = report_text(changed), report_json(changed)
    assert all(one != other for one, other in zip(expected, without, strict=True))


def test_the_same_finding_is_told_once() -> None:
    checked = check(BROKEN)
    assert report_text([checked, checked]).count("error[P201]") == 1


def test_a_file_without_a_pipeline_is_said_to_have_none() -> None:
    found = report("enum A { x y }\n")
    assert found == (
        "e.pipe: no pipeline in it, so there is nothing to work out\n\nno errors, no warnings\n"
    )


def test_nothing_in_a_file_reaches_the_terminal_as_a_command() -> None:
    found = report("enum A { x \x1b]0;title\x07 \u202e }\npipeline \x9b2J\r x")
    assert "error[" in found
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", found)


def test_hits_that_nobody_declared_are_a_line_to_paste() -> None:
    cached = CHAIN.replace("output 40 tokens", "cache 1h by q output 40 tokens", 1)
    found = report(cached)
    assert re.search(r"step one +hits 30%", found)


# ----------------------------------------------------------------------- lines to paste


def test_the_lines_to_paste_declare_everything() -> None:
    """Put in where the report says, they leave nothing unknown."""
    assert check(UNKNOWN).analyses[0].unknown
    rows = "\n".join(json.dumps({"confidence": n / 100, "correct": n % 3 > 0}) for n in range(99))
    declared = (
        UNKNOWN.replace("kind anthropic", "kind anthropic available 99.9%")
        .replace("context 8k", "transient 0.5% context 8k")
        .replace("people 2", "people 2 responds 15m median, 2h p95 accuracy 98%")
        .replace("effect write", "effect write succeeds 99.9%")
        .replace("timeout 10s", 'timeout 10s accuracy from "evals/draft.jsonl"')
        .replace(
            "  slo",
            "  traffic {\n    vip: 10%\n    draft.kind: easy 34%, hard 33%, odd 33%\n"
            "    small_enough: 90% if right, 60% if wrong\n  }\n  slo",
        )
    )
    found = report(UNKNOWN)
    for line in (
        "provider acme  available 99.9%",
        "tier small     transient 0.5%",
        "role desk      responds 15m median, 2h p95",
        "role desk      accuracy 98%",
        "tool send      succeeds 99.9%",
        'step draft     accuracy from "evals/draft.jsonl"',
        "traffic        vip: 10%",
        "traffic        draft.kind: easy 34%, hard 33%, odd 33%",
        "traffic        small_enough: 90% if right, 60% if wrong",
    ):
        assert f"\n  {line}" in found
    checked = check(declared, **{"evals/draft.jsonl": rows})
    assert checked.program is not None
    assert not checked.analyses[0].unknown


# ------------------------------------------------------------------------------ numbers


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.0, "0%"),
        (1e-17, "0%"),
        (1.0, "100%"),
        (1 - 1e-14, "100%"),
        (0.4213398, "42.1%"),
        (0.0004456, "0.04%"),
        (0.0000031, "0.0003%"),
        (0.99957, "99.96%"),
        (0.999998, "99.9998%"),
        (0.005, "0.5%"),
    ],
)
def test_percent(share: float, shown: str) -> None:
    assert percent(share) == shown


def test_a_share_is_told_from_its_target() -> None:
    assert against(0.7998, 0.8) == "79.98%"
    assert against(0.8, 0.8) == "80.0%"
    assert against(0.41, 0.8) == "41.0%"


@pytest.mark.parametrize(
    ("dollars", "shown"),
    [
        (0.0, "$0"),
        (0.0041446, "$0.0041"),
        (0.0000734, "$0.000073"),
        (0.5, "$0.50"),
        (0.2, "$0.20"),
        (0.25, "$0.25"),
        (1.5, "$1.50"),
        (62.168, "$62.17"),
        (2412.4, "$2,412"),
    ],
)
def test_money(dollars: float, shown: str) -> None:
    assert money(dollars) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0.00044, "1 in 2,300"),
        (0.0535, "1 in 19"),
        (0.1999, "1 in 5"),
        (0.00000715, "1 in 140,000"),
    ],
)
def test_one_in(share: float, shown: str) -> None:
    assert one_in(share) == shown


@pytest.mark.parametrize(
    ("rate", "shown"),
    [
        (277.2, "277 cases a day"),
        (8.66, "8.7 cases a day"),
        (1.0, "1 case a day"),
        (0.45, "1 case every 2 days"),
        (0.0007, "1 case every 1,400 days"),
    ],
)
def test_a_day(rate: float, shown: str) -> None:
    assert a_day(rate, "case", "cases") == shown


def test_an_interval_that_shows_nothing_is_not_shown() -> None:
    assert interval(Number(0.5, 0.41, 0.62, 0.5, Basis.MEASURED), percent) == "41.0–62.0%"
    assert interval(Number(0.5, 0.50001, 0.50002, 0.5, Basis.MEASURED), percent) == ""
    assert interval(Number(None, 0.1, 0.9, None, Basis.UNKNOWN), percent) == ""


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=5).filter(any))
def test_the_runs_of_the_sentence_add_up(weights: list[int]) -> None:
    shares = [weight / sum(weights) for weight in weights]
    total, counts = apportion(shares)
    assert sum(counts) == total
    assert total in (100, 1000)
    most = 0.5 if total == 100 else 1
    for found, share in zip(counts, shares, strict=True):
        assert abs(found - share * total) <= most + 1e-6


def test_lists_in_words() -> None:
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"], "or") == "a, b or c"


# ------------------------------------------------------------------------------- layout


def test_columns_line_up_and_empty_ones_go() -> None:
    rows = [["a", "1.5", "", "x"], [Cell("弁護士", "bad"), "22.5", "", "y"]]
    lines = lay_out(rows, "<>><", painter(False), width=40)
    assert lines == ["  a        1.5  x", "  弁護士  22.5  y"]


def test_the_last_column_is_cut_or_wrapped_where_it_must_be_whole() -> None:
    rows = [["name", "a long reason that does not fit"]]
    assert lay_out(rows, "<<", painter(False), width=20) == ["  name  a long reas…"]
    assert lay_out(rows, "<<", painter(False), width=34, whole=True) == [
        "  name  a long reason that does",
        "        not fit",
    ]


def test_columns_that_have_no_room_go_below_their_row() -> None:
    rows = [["name", "12,345", "$1.00", "words"], ["b", "7", "$2.00", ""]]
    assert lay_out(rows, "<>><", painter(False), width=20) == [
        "  name  12,345",
        "    $1.00  words",
        "  b          7",
        "    $2.00",
    ]


def test_bars() -> None:
    assert bar(0, 10) == ""
    assert bar(1e-9, 10) == "▏"
    assert bar(0.5, 10) == "█████"
    assert bar(7, 10) == "█" * 10
    assert range_bar(0.2, 0.5, 10) == "██░░░"
    assert range_bar(0.2, 0.2001, 10) == "██░"


def test_wrapped_text_keeps_to_its_width() -> None:
    assert wrap("", 20) == []
    assert wrap("one two three", 9, 2) == ["  one two", "  three"]
    assert cut("弁護士", 5) == "弁護…"


def test_a_text_is_cut_in_as_many_letters_as_fit():
    """Whatever is left out: a name of a million letters took 9 s in `graph`, one letter a time."""
    for letters in ("a", "界", "é", "e\u0301"):
        for width in range(1, 9):
            made = cut(letters * 20, width)
            assert made.endswith("…")
            assert cells_of(made) <= width
            assert cells_of(made) + cells_of(letters) > width
    grows_no_faster_than(1, lambda size: cut("aé" * size, 40), 100, 10)
