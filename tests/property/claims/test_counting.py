"""Faults of claims that count, put back: the judge by all runs must find each of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipelang.analysis.claims import branches, links, moments, rounds
from pipelang.analysis.claims.properties import Property

from .generate import SECOND, program
from .observe import broken_claims
from .test_claims import MOST_RUNS, verdicts

Plant = Callable[[pytest.MonkeyPatch], None]


def retries_are_one_call(patch: pytest.MonkeyPatch) -> None:
    """A retry was the same call again."""
    patch.setattr(links, "attempts", lambda link: 1)


def redos_are_one_call(patch: pytest.MonkeyPatch) -> None:
    """A second round was a first round with other values."""
    patch.setattr(rounds, "redone", lambda *given: {})


def a_list_is_one_element(patch: pytest.MonkeyPatch) -> None:
    """Elements were walked until nothing new could happen, which is after the first."""
    before = rounds.elements

    def elements(each: Any, items: Any, some: Any, more_than: Any, turn: Any) -> Any:
        first = None if items is None else items[:1]
        return before(each, first, some, lambda count: rounds.FALSE, turn)

    patch.setattr(rounds, "elements", elements)


def a_no_is_a_yes(patch: pytest.MonkeyPatch) -> None:
    """Who was asked had passed, whatever they said."""
    before = branches.person

    def person(walk: Any, frame: Any, block: Any, asked: Any, state: Any) -> Any:
        for key in list(state):
            now = walk.watched.passed(frame.pipeline.name, asked.name, key)
            state = {**state, now: state[key]} if now not in state else state
            if now != key:
                state = {one: path for one, path in state.items() if one != key}
        return before(walk, frame, block, asked, state)

    patch.setattr(branches, "person", person)


def conditions_are_of_nothing(patch: pytest.MonkeyPatch) -> None:
    """The condition of `only after` was taken as never so."""
    before = moments.Condition.formula

    def formula(self: Any, symbols: Any, values: Any, passed: Any) -> Any:
        return rounds.FALSE if self.when is not None else before(self, symbols, values, passed)

    patch.setattr(moments.Condition, "formula", formula)


def a_count_stops_at_one(patch: pytest.MonkeyPatch) -> None:
    """The monitor of `at most` remembered whether, not how often."""
    before = Property.called

    def called(self: Any, tool: str, state: int) -> int:
        return min(1, before(self, tool, state))

    patch.setattr(Property, "called", called)


PLANTS: dict[Plant, int] = {
    retries_are_one_call: 9,
    redos_are_one_call: 3,
    a_list_is_one_element: 0,
    a_no_is_a_yes: 3,
    conditions_are_of_nothing: 1,
    a_count_stops_at_one: 0,
}
"""A seed from `SECOND` on by which each is found."""


def proved_and_broken(seed: int) -> list[str]:
    text = program(SECOND + seed)
    said = verdicts(text)
    broken, _ = broken_claims(text, MOST_RUNS)
    return sorted(claim for claim in broken if said[claim] == "proved")


@pytest.mark.parametrize("plant", PLANTS)
def test_a_fault_put_back_is_found(plant: Plant, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch)
    assert proved_and_broken(PLANTS[plant])
