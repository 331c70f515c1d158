"""Times that never vary, side by side: the longest of them is exact, not as far off as a lattice's
points are apart.
"""

from __future__ import annotations

from itertools import accumulate, product
from math import prod
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelang.analysis.frontier.lattice import Lattice, common_unit
from pipelang.analysis.latency.quantiles import SHARES

from ....oracle.subject import analyse

FAILS = 0.1
WORLD = """
provider p {{ available 100% }}
tier one {{ provider p transient 10% price $0 in, $10 out latency {one}ms median, {one}ms p95 }}
tier two {{ provider p transient 10% price $0 in, $10 out latency {two}ms median, {two}ms p95 }}
prompt q(x: text max 100 tokens) \"\"\"hi {{{{ x }}}}\"\"\"
pipeline f(x: text max 100 tokens) -> text {{
{steps}
  return s0
}}
"""
STEP = """  step s{number}: text = ask q(x) by {first} {{
    accuracy 90% retry 0 timeout 9s output 100 tokens max
  }} else ask q(x) by {then} {{
    accuracy 90% retry 0 timeout 9s output 100 tokens max
  }} else "none" {{ accuracy 50% }}
"""

Times = list[tuple[float, float]]


def together(steps: list[Times]) -> Times:
    """The times of the longest of some steps, with their probabilities."""
    return sorted(
        (max(time for time, _ in run), prod(share for _, share in run)) for run in product(*steps)
    )


@given(
    st.integers(1, 16), st.integers(1, 16), st.lists(st.booleans(), min_size=2, max_size=4),
    st.sampled_from([50, 250, 400]),
)  # fmt: skip
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_longest_of_certain_times_is_exact(
    tmp_path: Path, one: int, two: int, firsts: list[bool], unit: int
) -> None:
    steps = "".join(
        STEP.format(number=number, first="one" if first else "two", then="two" if first else "one")
        for number, first in enumerate(firsts)
    )
    path = tmp_path / "a.pipe"
    text = WORLD.format(one=one * unit, two=two * unit, steps=steps)
    path.write_text(text, encoding="utf-8")
    found = analyse(path)["f"]["latency"]
    seconds = {True: one * unit / 1000, False: two * unit / 1000}
    times = together(
        [
            [(seconds[first], 1 - FAILS), (seconds[first] + seconds[not first], FAILS)]
            for first in firsts
        ]
    )
    mean = sum(time * share for time, share in times)
    assert found["mean"]["value"] == pytest.approx(mean, rel=1e-6)
    for name, share in SHARES.items():
        below = accumulate(part for _, part in times)
        time = next(time for (time, _), so_far in zip(times, below, strict=True) if so_far >= share)
        assert found[name]["value"] == pytest.approx(time, rel=1e-6)


def test_a_unit_is_what_all_are_multiples_of() -> None:
    assert common_unit([2.0, 0.75, 3.5]) == 0.25
    assert common_unit([0.1 + 0.2, 0.3, 60.0]) == 0.3
    assert common_unit([]) == 0.0
    assert common_unit([1 / 3, 1.0]) == 0.0
    assert common_unit([1e300]) == 0.0


@pytest.mark.parametrize("unit", [0.0, 0.02, 0.05, 1.0, 37.0])
def test_a_lattice_that_has_units_at_points_reaches_as_far(unit: float) -> None:
    lattice = Lattice(0.01, 128)
    on = lattice.on(unit)
    assert lattice.end <= on.end <= lattice.end * 1.25 * (1 + 1e-9)
    if unit >= 0.05:
        assert unit / on.step == pytest.approx(round(unit / on.step))
    else:
        assert on is lattice
