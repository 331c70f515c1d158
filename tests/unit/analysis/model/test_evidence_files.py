"""Evidence files: what a row may be, how thresholds count, ECE, intervals, and one file that
several pipelines of a run ask about.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelang.analysis.model.beta import jeffreys
from pipelang.analysis.model.calibration import at_threshold, calibration
from pipelang.analysis.model.evidence import EvidenceTable, LabelledAnswers
from pipelang.analysis.model.parameters import Parameters
from pipelang.interfaces.check.check import check_file, report_json
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.evidence_file import Flaw, read_evidence
from pipelang.semantics.evidence_rows import EvidenceRow
from pipelang.statistics.beta import beta_quantile, incomplete_beta

from ....memory import MemoryLoader

# ------------------------------------------------------------------------------------ reading

GOOD = '{"confidence": 0.9, "correct": true}'


def test_what_does_not_matter() -> None:
    text = f'\ufeff{GOOD}\r\n\r\n  \n{{"id": 7, "correct": false, "confidence": null}}\r\n'
    found = read_evidence("x", text)
    assert found == EvidenceFile(
        "x", (EvidenceRow(Decimal("0.9"), True, 1), EvidenceRow(None, False, 4))
    )


@pytest.mark.parametrize(
    ("row", "why", "help"),
    [
        ('{"confidence": 0.9 "correct": true}', "no JSON", "one answer a line"),
        ('{"confidence": NaN, "correct": true}', "`NaN` is no number", "leave"),
        ('{"confidence": -Infinity, "correct": true}', "`-Infinity` is no number", "leave"),
        ('{"confidence": 1e400, "correct": true}', "between 0 and 1", "such as"),
        ('{"confidence": 93, "correct": true}', "found 93", "write 0.93"),
        ('{"confidence": -0.1, "correct": true}', "found -0.1", "such as"),
        ('{"confidence": "0.9", "correct": true}', "must be a number", "such as"),
        ('{"confidence": true, "correct": true}', "must be a number", "such as"),
        ('{"correct": 1}', "true or false", "without quotes"),
        ('{"confidence": 0.9}', "needs `correct`", "label every answer"),
        ('{"correct": true, "correct": true}', "`correct` stands twice", "keep one"),
        ('{"correct": true, "more": {"a": 1, "a": 2}}', "`a` stands twice", "keep one"),
        ("[true]", "a row looks like", "one object on each line"),
        ("[" * 100_000, "JSON", "one answer a line"),
    ],
)
def test_a_bad_row_is_told_with_its_line_and_the_mend(row: str, why: str, help: str) -> None:
    flaw = read_evidence("x", f"{GOOD}\n" * 16 + row)
    assert isinstance(flaw, Flaw)
    assert flaw.line == 17
    assert why in flaw.why
    assert help in flaw.help


@pytest.mark.parametrize("text", ["", "\n", "\ufeff", " \r\n"])
def test_a_file_without_rows(text: str) -> None:
    assert isinstance(read_evidence("x", text), Flaw)


@given(st.text(max_size=60) | st.builds(json.dumps, st.dictionaries(st.text(), st.floats())))
def test_no_line_is_too_strange(line: str) -> None:
    assert isinstance(read_evidence("x", line), Flaw | EvidenceFile)


# --------------------------------------------------------------------------------- thresholds

confidences = st.integers(0, 20).map(lambda n: Decimal(n) / 20)
rows = st.lists(st.tuples(confidences, st.booleans()), min_size=1, max_size=60)


def file_of(parts: list[tuple[Decimal, bool]]) -> LabelledAnswers:
    text = "\n".join(f'{{"confidence": {c}, "correct": {str(r).lower()}}}' for c, r in parts)
    found = read_evidence("x", text)
    assert isinstance(found, EvidenceFile)
    return LabelledAnswers(found)


@given(rows, st.lists(st.tuples(confidences, st.booleans()), min_size=1, max_size=4, unique=True))
def test_thresholds_count_in_exact_decimals(
    parts: list[tuple[Decimal, bool]], cuts: list[tuple[Decimal, bool]]
) -> None:
    """Against the rows as twentieths; what `evidence show` counts is what the analysis counts."""
    answers = file_of(parts)
    ranked = sorted(cuts)
    parameters = Parameters(EvidenceTable({"x": answers.file}), lambda site: 0.5)
    for right in (True, False):
        mine = [confidence for confidence, correct in parts if correct is right]
        if not mine:
            continue
        shares = parameters.bin_shares("x", right, ranked)
        for rank, (value, strict) in enumerate(ranked):
            bar = int(value * 20)
            passing = sum(c * 20 > bar if strict else c * 20 >= bar for c in mine)
            assert sum(shares[rank + 1 :]) == pytest.approx(passing / len(mine), abs=1e-12)
            seen = at_threshold(answers, (value, strict))
            held = seen.alarmed if right else seen.caught
            assert (seen.right if right else seen.wrong) == len(mine)
            assert len(mine) - held == passing


def test_a_row_at_the_threshold() -> None:
    answers = file_of(
        [(Decimal("0.7"), True), (Decimal("0.1") * 7, False), (Decimal("0.69"), True)]
    )
    reached, above = (
        at_threshold(answers, (Decimal("0.7"), False)),
        at_threshold(answers, (Decimal("0.70"), True)),
    )
    assert (reached.passed, reached.caught, reached.alarmed) == (2, 0, 1)
    assert (above.passed, above.caught, above.alarmed) == (0, 1, 2)


@given(rows)
def test_calibration_in_fractions(parts: list[tuple[Decimal, bool]]) -> None:
    found = calibration(file_of(parts))
    bins: dict[int, list[tuple[Fraction, bool]]] = {}
    for confidence, right in parts:
        exact = Fraction(confidence)
        bins.setdefault(min(9, math.floor(exact * 10)), []).append((exact, right))
    error = sum(
        abs(sum(right for _, right in inside) - sum(c for c, _ in inside))
        for inside in bins.values()
    ) / len(parts)
    assert found.ece == pytest.approx(float(error), abs=1e-12)
    assert [part.count for part in found.bins] == [len(bins.get(n, [])) for n in range(10)]
    assert (found.rows, found.right) == (len(parts), sum(right for _, right in parts))


def test_ece_by_chance_is_the_mean_ece_of_a_calibrated_model() -> None:
    """Against all 2^6 ways in which six answers can be right."""
    sure = [Decimal("0.85")] * 4 + [Decimal("0.3")] * 2
    mean = Fraction(0)
    for pattern in range(64):
        right = [bool(pattern >> index & 1) for index in range(6)]
        weight = Fraction(1)
        for confidence, correct in zip(sure, right, strict=True):
            weight *= Fraction(confidence) if correct else 1 - Fraction(confidence)
        found = calibration(file_of(list(zip(sure, right, strict=True))))
        mean += weight * Fraction(found.ece or 0.0)
    anything = calibration(file_of([(confidence, True) for confidence in sure]))
    assert anything.by_chance == pytest.approx(float(mean), abs=1e-12)


# ---------------------------------------------------------------------------------- intervals


def exact(x: float, k: int, m: int) -> float:
    """I_x(k + 1/2, m + 1/2), from I_x(1/2, 1/2) = 2/pi asin(sqrt x) by the recurrences
    I_x(a+1, b) = I_x(a, b) - x^a (1-x)^b / (a B(a, b)) and its mirror (DLMF 8.17.20, 8.17.21).
    """
    a, b, value = 0.5, 0.5, 2 / math.pi * math.asin(math.sqrt(x))

    def term(by: float) -> float:
        size = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
        return math.exp(size + a * math.log(x) + b * math.log1p(-x)) / by

    for _ in range(m):
        value += term(b)
        b += 1
    for _ in range(k):
        value -= term(a)
        a += 1
    return value


@given(st.floats(0.001, 0.999), st.integers(0, 40), st.integers(0, 40))
def test_incomplete_beta(x: float, k: int, m: int) -> None:
    assert incomplete_beta(x, k + 0.5, m + 0.5) == pytest.approx(exact(x, k, m), abs=1e-12)


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.floats(0.001, 0.999))
def test_quantiles_invert(k: int, m: int, share: float) -> None:
    a, b = k + 0.5, m + 0.5
    assert incomplete_beta(beta_quantile(share, a, b), a, b) == pytest.approx(share, abs=1e-8)


def test_published_jeffreys_limits() -> None:
    """Table 5 of Brown, Cai and DasGupta (2001), n = 7 to 30, to its three digits."""
    for good, total, low, high in [
        (2, 7, 0.065, 0.648),
        (5, 10, 0.224, 0.776),
        (4, 16, 0.091, 0.491),
    ]:
        found = jeffreys(good, total)
        assert (found.low, found.high) == (
            pytest.approx(low, abs=6e-4),
            pytest.approx(high, abs=6e-4),
        )


# ------------------------------------------------------------- one file in several pipelines

WORLD = """
provider here { kind simulated available 100% }
tier small { provider here model "x" price $1 in, $5 out transient 0% context 100k tokens }
role desk { }
type Answer { body: text max 20 tokens confidence: probability }
prompt say(q: text max 20 tokens) \"\"\"{{ q }}\"\"\"
"""
STEP = "step a: Answer = ask say(q) by small { accuracy 90% timeout 1s }"
CHILD = f"""
pipeline child(q: text max 20 tokens) -> text max 20 tokens {{
  {STEP}
  gate sure: a.confidence >= 90% {{ evidence from "e.jsonl" }} else escalate to desk
  gate very: a.confidence >= 60% {{ evidence from "e.jsonl" }} else escalate to desk
  return a.body
}}
"""
PARENT = f"""
pipeline parent(q: text max 20 tokens) -> text max 20 tokens {{
  {STEP}
  gate fine: a.confidence >= 70% {{ evidence from "e.jsonl" }} else escalate to desk
  step b = run child(q)
  return b
}}
"""
INLINE = f"""
pipeline parent(q: text max 20 tokens) -> text max 20 tokens {{
  {STEP}
  {STEP.replace("step a", "step b")}
  gate fine: a.confidence >= 70% {{ evidence from "e.jsonl" }} else escalate to desk
  gate sure: b.confidence >= 90% {{ evidence from "e.jsonl" }} else escalate to desk
  gate very: b.confidence >= 60% {{ evidence from "e.jsonl" }} else escalate to desk
  return b.body
}}
"""


def test_thresholds_in_a_sub_pipeline_share_the_posterior_with_those_of_its_caller() -> None:
    shares = [(0.5, True, 2), (0.65, True, 3), (0.8, True, 9), (0.95, True, 30)]
    shares += [(0.5, False, 4), (0.65, False, 2), (0.8, False, 1), (0.95, False, 1)]
    evidence = "".join(
        json.dumps({"confidence": c, "correct": r}) + "\n" for c, r, n in shares for _ in range(n)
    )

    def coverage(text: str) -> dict[str, float]:
        loader = MemoryLoader({"e.pipe": WORLD + text, "e.jsonl": evidence})
        return report_json([check_file("e.pipe", loader)])["pipelines"]["parent"]["coverage"]

    apart, inline = coverage(CHILD + PARENT), coverage(INLINE)
    passes_70 = 0.9 * 39 / 44 + 0.1 * 2 / 8
    passes_90 = 0.9 * 30 / 44 + 0.1 * 1 / 8
    assert apart["value"] == pytest.approx(passes_70 * passes_90, abs=1e-12)
    assert apart["mean"] == pytest.approx(inline["mean"], abs=1e-12)
    assert apart["low"] == pytest.approx(inline["low"], abs=0.005)
    assert apart["high"] == pytest.approx(inline["high"], abs=0.005)
