"""Sketches: known answers, against the real analysis of the same pipeline, and bad input."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelang.analysis.sketch.figures import at_accuracy, figures, needed
from pipelang.analysis.sketch.reading import NoSketch, read
from pipelang.interfaces.check.check import check_file
from pipelang.interfaces.cli.main import main

PIPE = """
provider a {{ available 100% }}
tier t {{ provider a transient {fails} price $0 in, $10 out }}
tier u {{ provider a transient 0% price $0 in, $10 out }}
prompt q(x: text) \"\"\"hi {{{{ x }}}}\"\"\"
pipeline p(x: text max 10 tokens) -> text {{
{steps}
  return s{last}
}}
"""


def said(text: str, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    assert main(["sketch", text, "--format", "json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize(
    ("text", "success"),
    [
        ("0.95 x 4", "0.81450625"),
        ("95% x 5", "0.7737809375"),
        (".95 × 4", "0.81450625"),
        ("4 x 0.95", "0.81450625"),
        ("95% then 95% -> 95% then 95%", "0.81450625"),
        ("100% x 9", "1"),
        ("0%", "0"),
        ("95% x 4 then 98%", "0.798216125"),
        ("90% fails 10%", "0.81"),
        ("90% fails 10% retry 1", "0.891"),
        ("90% fails 10% with fallback 50%", "0.86"),
        ("90% x 2, fails 10%, retry 1", "0.793881"),
        ("90% fails 0% then 90%, fails 10%", "0.729"),
    ],
)
def test_known_answers(text: str, success: str) -> None:
    assert figures(read(text)).success == Decimal(success)


def test_costs_and_times_add_up() -> None:
    found = figures(read("95% x 4 fails 10% retry 1, $0.02 each, 2s each, 100/day"))
    reached = sum((1 - Decimal("0.01")) ** number for number in range(4))
    assert found.cost_mean == reached * Decimal("1.1") * Decimal("0.02")
    assert found.cost_worst == Decimal("0.16")
    assert found.seconds_worst == 16


@pytest.mark.parametrize("fails", ["0%", "5%"])
@pytest.mark.parametrize("fallback", [None, "80%"])
@pytest.mark.parametrize("retry", [0, 2])
def test_the_same_as_a_pipeline(
    fails: str, fallback: str | None, retry: int, tmp_path: Path
) -> None:
    """The sketch against the exact analysis of the pipeline that it stands for."""
    options = "output 100 tokens mean, 100 tokens max timeout 9s recovers 0%"
    otherwise = (
        ""
        if fallback is None
        else (f"\n    else ask q({{given}}) by u {{{{ accuracy {fallback} {options} }}}}")
    )
    steps = "\n".join(
        f"  step s{n}: text max 100 tokens = ask q({'x' if n == 1 else f's{n - 1}'}) by t"
        f" {{ accuracy 9{n}% retry {retry} {options} }}"
        + otherwise.format(given="x" if n == 1 else f"s{n - 1}")
        for n in (1, 2, 3)
    )
    path = tmp_path / "a.pipe"
    path.write_text(PIPE.format(fails=fails, steps=steps, last=3), encoding="utf-8")
    (analysis,) = check_file(str(path)).analyses
    text = " then ".join(f"9{n}%" for n in (1, 2, 3)) + f", fails {fails}, retry {retry}, $0.001"
    found = figures(read(text + (f", with fallback {fallback}" if fallback else "")))
    numbers = analysis.numbers
    assert numbers["success"].value == pytest.approx(float(found.success), abs=1e-12)
    assert numbers["silent_error"].value == pytest.approx(float(found.silent_error), abs=1e-12)
    assert numbers["failure"].value == pytest.approx(float(found.failure), abs=1e-12)
    assert numbers["cost.mean"].value == pytest.approx(float(found.cost_mean), abs=1e-12)
    assert numbers["cost.worst"].value == pytest.approx(float(found.cost_worst), abs=1e-12)


@given(st.integers(1, 30), st.integers(1, 99))
def test_what_is_needed_is_enough_and_not_more(count: int, percent: int) -> None:
    sketch = read(f"50% x {count} for {percent}%")
    assert sketch.target is not None
    least = needed(sketch, sketch.target)
    assert least is not None
    assert figures(at_accuracy(sketch, least)).success >= sketch.target
    assert figures(at_accuracy(sketch, least - Decimal("1e-9"))).success < sketch.target


def test_a_target_that_failures_keep_away(capsys: pytest.CaptureFixture[str]) -> None:
    found = said("95% x 4 fails 5% for 90%", capsys)
    assert found["needs"] == [{"success": 0.9, "accuracy": None}]


def test_what_helps_nothing_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sketch", "95% x 4 retry 2"]) == 0
    out = capsys.readouterr().out
    assert "81.45%" in out
    assert "fails 5%" in out


@pytest.mark.parametrize(
    ("text", "marked", "words"),
    [
        ("95", "95", "95%"),
        ("150%", "150%", "at most 100%"),
        ("95% x", "", "how many"),
        ("95% x 2.5", "2.5", "whole number"),
        ("95% x 0", "0", "between 1 and"),
        ("95% x 4 banana", "banana", "$0.02 each"),
        ("95% 98%", "98%", "then"),
        ("95% x 4,", "", "expected something"),
        ("95% for 100%", "100%", "for 90%"),
        ("x 4", "x", "expected a share"),
        ("", "", "0.95 x 4"),
        ("95% x 4, bash.02 each", "bash", "single quotes"),
        ("95% x 4 & more", "&", "$0.02 each"),
    ],
)
def test_a_mistake_is_shown_at_its_place(
    text: str, marked: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NoSketch) as caught:
        read(text)
    assert text[caught.value.start : caught.value.end] == marked
    assert main(["sketch", text]) == 2
    told = capsys.readouterr().err
    assert words in told
    line, marks = told.splitlines()[1:3]
    assert marks.index("^") - 2 == caught.value.start
    assert line == f"  {text}"


@given(st.text(alphabet="0.95%x ×,$retyfailswh then/dmko'\"", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    found, mistake = None, None
    try:
        found = read(text)
    except NoSketch as refused:
        mistake = refused
    if found is not None:
        assert 0 <= figures(found).success <= 1
    else:
        assert mistake is not None
        assert 0 <= mistake.start < mistake.end
        assert mistake.help
