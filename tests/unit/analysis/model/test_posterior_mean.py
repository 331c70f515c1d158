"""Posterior means: the design's known answers, and the rule against moments in fractions."""

from __future__ import annotations

import json
from fractions import Fraction
from math import prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelang.analysis.model.quadrature import Beta, gauss_jacobi
from pipelang.interfaces.check.check import check_file, report_json

from ....memory import MemoryLoader

NINE_OF_TEN = "".join(
    json.dumps({"confidence": 0.9 if right else 0.4, "correct": right}) + "\n"
    for right in [True] * 9 + [False]
)
HEAD = """
provider here { kind simulated available 100% }
tier small { provider here model "x" price $1 in, $5 out transient 0% context 100k tokens }
prompt say(q: text max 20 tokens) \"\"\"{{ q }}\"\"\"
"""


def success(second: str) -> dict[str, float]:
    text = (
        HEAD
        + f"""
pipeline p(q: text max 20 tokens) -> text max 20 tokens {{
  step a: text max 20 tokens = ask say(q) by small {{ accuracy from "one.jsonl" timeout 1s }}
  step b: text max 20 tokens = ask say(a) by small {{ accuracy from "{second}" timeout 1s }}
  return b
}}
"""
    )
    files = {"e.pipe": text, "one.jsonl": NINE_OF_TEN, "two.jsonl": NINE_OF_TEN}
    report = report_json([check_file("e.pipe", MemoryLoader(files))])
    return report["pipelines"]["p"]["outcomes"]["success"]


@pytest.mark.parametrize(
    ("second", "mean"), [("one.jsonl", 0.7556818182), ("two.jsonl", 0.7458677686)]
)
def test_one_file_behind_two_steps_is_one_parameter(second: str, mean: float) -> None:
    found = success(second)
    assert found["value"] == pytest.approx(0.81, abs=1e-12)
    assert found["mean"] == pytest.approx(mean, abs=5e-11)
    assert found["low"] < mean < found["high"]


@given(good=st.integers(0, 400), bad=st.integers(0, 400), degree=st.integers(0, 12), data=st.data())
def test_the_rule_has_the_moments_of_a_beta(
    good: int, bad: int, degree: int, data: st.DataObject
) -> None:
    power = data.draw(st.integers(0, degree))
    a, b = Fraction(2 * good + 1, 2), Fraction(2 * bad + 1, 2)
    exact = prod(((a + k) / (a + b + k) for k in range(power)), start=Fraction(1))
    nodes, weights = gauss_jacobi(Beta(float(a), float(b), degree))
    assert len(nodes) == (degree + 2) // 2
    assert float(weights @ nodes**power) == pytest.approx(float(exact), rel=1e-9, abs=1e-12)
