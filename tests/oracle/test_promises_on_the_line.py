"""A promise of just what comes out is kept: floats lie below or above what they stand for.

Steps with decimal accuracies and a tool with a decimal price promise exactly the figures that they
have, worked out in fractions: `>=` and `<=` hold, `>` and `<` do not, and what is off in the ninth
digit is missed.
"""

from __future__ import annotations

import random
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from .subject import analyse

TEXT = """
provider p {{ available 100% }}
tier t {{ provider p transient 0% price $0 in, $0 out latency 1s median, 1s p95 }}
prompt q(x: text max 10 tokens) \"\"\"hi {{{{ x }}}}\"\"\"
tool u(x: text max 10 tokens) -> text max 10 tokens {{
  effect read python "a:b" succeeds 60% cost ${price} latency 1s median, 1s p95 timeout 5s
}}
pipeline main(x: text max 10 tokens) -> text {{
  slo {{ {slo} }}
  traffic 1/day {{ x: 5 tokens mean }}
{steps}
  step c: text max 10 tokens = call u(x) {{ retry {retry} }} else x {{ accuracy 100% }}
  return {last}
}}
"""
STEP = (
    "  step a{number}: text max 10 tokens = ask q({given}) by t "
    "{{ accuracy {share} timeout 5s output 5 tokens mean, 10 tokens max }}\n"
)
FAILS = Fraction(4, 10)
OFF = Fraction(1, 10**9)


def decimal(number: Fraction) -> str:
    return f"{Decimal(number.numerator) / Decimal(number.denominator):f}"


@pytest.mark.parametrize("seed", range(8))
def test_a_promise_of_just_that(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    shares = [Fraction(rng.randrange(50, 100), 100) for _ in range(rng.choice([1, 2, 2, 3]))]
    right, steps, given = Fraction(1), "", "x"
    for number, share in enumerate(shares):
        steps += STEP.format(number=number, given=given, share=f"{decimal(share * 100)}%")
        right, given = right * share, f"a{number}"
    price, retry = Fraction(rng.randrange(1, 100), 1000), rng.choice([0, 1, 2])
    figures = {
        "success": f"{decimal(right * 100)}%",
        "silent_error": f"{decimal((1 - right) * 100)}%",
        "cost.mean": f"${decimal(price * sum(FAILS**one for one in range(retry + 1)))}",
        # 60% of the runs make one attempt, 84% at most two, and all of them three.
        "cost.p95": f"${decimal(price * (retry + 1))}",
        "cost.p50": f"${decimal(price)}",
    }
    path = tmp_path / "main.pipe"

    def holds(metric: str, op: str, bound: str) -> bool:
        slo = f"{metric} {op} {bound}"
        text = TEXT.format(price=decimal(price), slo=slo, steps=steps, retry=retry, last=given)
        path.write_text(text, encoding="utf-8")
        held: bool = analyse(path)["main"]["slo"][0]["holds"]
        return held

    for metric, bound in figures.items():
        for op in (">=", "<=", ">", "<"):
            assert holds(metric, op, bound) is (op in (">=", "<=")), (metric, op, bound)
    assert not holds("success", ">=", f"{decimal((right + OFF) * 100)}%")
    assert not holds("success", "<=", f"{decimal((right - OFF) * 100)}%")
