"""Scopes: names are added without changing older scopes, and without copying them."""

from __future__ import annotations

from itertools import count
from random import Random

import pytest

from benchmarks.growing import SHAPES
from pipelang.diagnostics import Span
from pipelang.semantics.build import build
from pipelang.semantics.elaborate.context import MOST_LAYERS, Local, Names, Scope
from pipelang.semantics.types import INT
from tests.memory import MemoryLoader
from tests.work import grows_no_faster_than


def local(number: int) -> Local:
    return Local(INT, Span("m.pipe", number, number))


def added(model: dict[str, Local], name: str, value: Local) -> dict[str, Local]:
    return {**model, name: value}


@pytest.mark.parametrize("seed", range(20))
def test_names_are_as_dicts_that_are_copied(seed: int) -> None:
    """From any older mapping one may go on, also by a name that it has."""
    pick = Random(seed)
    first = {f"p{number}": local(number) for number in range(pick.randrange(4))}
    made: list[tuple[Names, dict[str, Local]]] = [(Names(first), first)]
    for number in range(200):
        names, model = made[-1] if pick.random() < 0.7 else pick.choice(made)
        if pick.random() < 0.2:
            names = names.inside()
        new = pick.choice([*model, f"n{number}", f"n{number}"])
        made.append((names.adding(new, local(number)), added(model, new, local(number))))
    everything = {name for _, model in made for name in model} | {"nobody"}
    for names, model in made:
        assert list(names) == list(model)
        assert len(names) == len(model)
        for name in everything:
            assert (name in names) == (name in model)
            assert names.get(name) == model.get(name)
            assert names.get(name, 7) == model.get(name, 7)
        assert {**names} == model
        with pytest.raises(KeyError):
            names["nobody"]


def test_adding_to_one_mapping_again_and_again_piles_nothing_up() -> None:
    names, model = Names({}), dict[str, Local]()
    for number in range(3 * MOST_LAYERS):
        names.adding(f"lost{number}", local(number))
        names, model = (
            names.adding(f"n{number}", local(number)),
            added(model, f"n{number}", local(number)),
        )
        assert names._layers <= MOST_LAYERS
    assert {**names} == model


def test_what_is_gone_and_later_is_known_group_by_group() -> None:
    scope = Scope("m.pipe", gone=(frozenset("ab"), (frozenset("c"), None)))
    assert [name for name in "abcd" if scope.is_gone(name)] == ["a", "b", "c"]
    assert not scope.is_later("a")
    assert Scope("m.pipe", later=(frozenset(), (frozenset("x"), None))).is_later("x")


_times = count()


def elaborated(text: str) -> None:
    """Build a text that was never built before: a tree that is known is not parsed again."""
    built = build("m.pipe", MemoryLoader({"m.pipe": f"{text}# {next(_times)}\n"}))
    assert built.program is not None, built.diagnostics


def lists(size: int) -> str:
    lets = [f"  let n{number} = sum([x for x in xs if x > {number}])" for number in range(size)]
    return "\n".join(
        ["pipeline main(xs: [int] max 5) -> int {", *lets, f"  return n{size - 1}", "}", ""]
    )


@pytest.mark.parametrize("shape", ["branched", "chain", "gates"])
def test_elaboration_grows_with_the_file(shape: str) -> None:
    grows_no_faster_than(1, lambda size: elaborated(SHAPES[shape](size)), 60, 6)


def test_comprehensions_copy_no_scope() -> None:
    grows_no_faster_than(1, lambda size: elaborated(lists(size)), 60, 6)
