"""Weights of which only the shares are numbers: states that took the same share what follows."""

from __future__ import annotations

import pytest

from pipelang.analysis.frontier.lattice import Amount, Lognormal
from pipelang.analysis.frontier.meter import Measure
from pipelang.analysis.frontier.mixtures import Made, Mixture, MixtureMeter

SLOW = Amount(Lognormal(2.0, 0.5), Lognormal(2.0, 0.5))


@pytest.fixture
def meter() -> MixtureMeter:
    return MixtureMeter()


def attempts(meter: MixtureMeter, works: float) -> Mixture:
    """An answer after up to three attempts."""
    taken = meter.taken(0.01, SLOW)
    total = reach = Mixture(meter, {meter.nothing: 1.0})
    for number in range(3):
        answers = reach * (works * taken)
        total = total + answers if number else answers
        reach = reach * ((1 - works) * taken) * meter.wait(1.0)
    return total


def test_the_mass_is_that_of_numbers(meter: MixtureMeter) -> None:
    found = attempts(meter, 0.9)
    assert found.mass == pytest.approx(0.999)
    assert (1 - found).mass == pytest.approx(0.001)
    assert (found - 0.5 * found).mass == pytest.approx(0.4995)
    assert (found * found / 2 + 0.25).mass == pytest.approx(0.999**2 / 2 + 0.25)
    assert (0.0 * found).mass == 0


def test_what_differs_in_likelihood_alone_is_one_distribution(meter: MixtureMeter) -> None:
    """An answer that is right and one that is wrong took the same: so does all that follows."""
    answered = attempts(meter, 0.9)
    right, wrong = 0.93 * answered, 0.07 * answered
    after = meter.taken(0.02, SLOW)
    assert list((right * after).shares) == list((after * wrong).shares)
    other = attempts(meter, 0.5)
    assert list((right * after).shares) != list((other * after).shares)


def test_nothing_adds_nothing(meter: MixtureMeter) -> None:
    taken = meter.taken(0.01, SLOW)
    nothing = 0.0 * taken
    made = len(meter.known)
    assert (nothing * taken).mass == 0
    assert (nothing + nothing).mass == 0
    assert (taken * nothing + taken).shares == taken.shares
    assert len(meter.known) == made


def test_a_maximum_is_of_functions(meter: MixtureMeter) -> None:
    taken = meter.taken(0.01, SLOW)
    both = meter.back(meter.aside(taken) * meter.aside(0.5 * taken))
    ((one, share),) = both.shares.items()
    assert share == 0.5
    assert one.made is Made.TOGETHER
    assert meter.aside(0.25) == meter.back(0.25) == 0.25


def test_it_is_known_which_measures_took_some(meter: MixtureMeter) -> None:
    assert meter.wait(0.0) == 1.0
    meter.taken(0.01, Amount(0.0, 0.0))
    assert meter.took == {Measure.COST}
    assert not meter.vague
    meter.taken(0.01, Amount(0.0, 3.0))
    assert meter.took == {Measure.COST, Measure.LATENCY_MOST, Measure.TURNAROUND_MOST}
    assert meter.vague
