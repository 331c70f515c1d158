"""Lists of numbers against arrays of numpy: both find the same of what is on a lattice."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelang.analysis.frontier import arrays, lists
from pipelang.analysis.frontier.lattice import Lattice, Lognormal

SIZES = st.sampled_from([16, 128, 512])
NOISE = 1e-11
AT_THE_END = 1e-7
"""Rounding at the last point of a lattice, which the damping magnifies."""

amounts = st.one_of(
    st.floats(0, 1e4),
    st.builds(
        Lognormal,
        st.floats(1e-3, 1e4),
        st.one_of(st.just(0.0), st.floats(0.01, 2.5)),
        st.one_of(st.just(math.inf), st.floats(1e-3, 1e4)),
    ),
)


def written_out(values: Any, size: int, of_masses: bool) -> Any:
    if not isinstance(values, float):
        return np.array(values)
    return np.array(lists.whole(values, size)) if of_masses else np.full(size, values)


@given(amounts, SIZES, st.floats(1e-3, 1e5))
@settings(max_examples=200, deadline=None)
def test_an_amount(amount: Any, size: int, end: float) -> None:
    lattice = Lattice(end / size, size)
    masses = lists.masses_of(lattice, amount)
    found = written_out(masses, size, True)
    theirs = written_out(arrays.masses_of(lattice, amount), size, True)
    assert found == pytest.approx(theirs, abs=NOISE)
    transform = (
        lattice.lognormal(amount) if isinstance(amount, Lognormal) else lattice.point(amount)
    )
    ours = written_out(lists.transformed(masses, size), size // 2 + 1, False)
    assert np.abs(ours - transform).max() < NOISE
    assert found.sum() <= 1 + 1e-6
    back = written_out(lists.inverted(lists.transformed(masses, size), size), size, True)
    assert np.abs(back - found).max() < AT_THE_END


@given(st.floats(1e-3, 1e4), SIZES, st.floats(1e-3, 1e5))
@settings(max_examples=100, deadline=None)
def test_a_wait(longest: float, size: int, end: float) -> None:
    lattice = Lattice(end / size, size)
    masses = lists.uniform(lattice, longest)
    ours = written_out(lists.transformed(masses, size), size // 2 + 1, False)
    assert np.abs(ours - lattice.uniform(longest)).max() < NOISE


def values_of(pick: Any, size: int) -> tuple[Any, Any]:
    """The same values as a list and as an array, now and then as a number."""
    if pick.random() < 0.3:
        number = pick.choice([0.0, 1.0, 0.25])
        return number, number
    row = [pick.uniform(0, 1) for _ in range(size)]
    return row, np.array(row)


@given(st.randoms(use_true_random=False), st.integers(1, 7), st.booleans())
@settings(max_examples=100, deadline=None)
def test_products_and_sums(pick: Any, count: int, everywhere: bool) -> None:
    size = 16
    pairs = [values_of(pick, size) for _ in range(count)]
    shares = [pick.uniform(-1, 1) for _ in pairs]
    sums = [
        kernel.mixed(
            [(share, pair[at]) for share, pair in zip(shares, pairs, strict=True)], everywhere
        )
        for at, kernel in enumerate((lists, arrays))
    ]
    one, other = (written_out(found, size, not everywhere) for found in sums)
    assert one == pytest.approx(other, abs=NOISE)
    products = [
        kernel.multiplied(pairs[0][at], pairs[-1][at]) for at, kernel in enumerate((lists, arrays))
    ]
    one, other = (written_out(found, size, False) for found in products)
    assert one == pytest.approx(other, abs=NOISE)


@given(st.randoms(use_true_random=False))
def test_functions_and_masses(pick: Any) -> None:
    size = 32
    row, array = values_of(pick, size)
    function = lists.cumulated(row)
    assert written_out(function, size, False) == pytest.approx(
        written_out(arrays.cumulated(array), size, False)
    )
    back = written_out(lists.differences(function), size, True)
    assert back == pytest.approx(written_out(row, size, True), abs=NOISE)
    assert back == pytest.approx(
        written_out(arrays.differences(arrays.cumulated(array)), size, True), abs=NOISE
    )
