"""Elaboration of `when` and `match`. Values made inside are not visible outside."""

from __future__ import annotations

from pipelang.records import replace
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.broken_parts import whole
from pipelang.semantics.elaborate.context import Scope
from pipelang.semantics.elaborate.expressions.expressions import condition, elaborate
from pipelang.semantics.elaborate.expressions.match_patterns import elaborate_patterns
from pipelang.semantics.elaborate.expressions.narrowing import known_if_false, known_if_true
from pipelang.semantics.elaborate.items.items import Around, Made, block
from pipelang.syntax import ast


def when(around: Around, scope: Scope, item: ast.When) -> Made:
    """A `when`; where one of its branches ends the run, its test narrows what follows."""
    name, place = None, around.place
    if item.name is not None:
        name = item.name.text
        around.claim(item.name, "when", value=False)
        place = place.at(name)
    test = condition(around.context, scope, item.condition)
    if_true, if_false = known_if_true(test), known_if_false(test)
    then, then_ends = block(around.inside(place), scope.knowing(if_true), item.then)
    otherwise, otherwise_ends = block(
        around.inside(place), scope.knowing(if_false), item.otherwise or ()
    )
    after = _behind(scope, (*item.then, *(item.otherwise or ())))
    if then_ends and not otherwise_ends:
        after = after.knowing(if_false)
    elif otherwise_ends and not then_ends:
        after = after.knowing(if_true)
    span = item.name.span if item.name is not None else item.condition.span
    return p.When(name, test, then, otherwise, span), after, then_ends and otherwise_ends


def match_branch(around: Around, scope: Scope, item: ast.MatchItem) -> Made:
    """A `match` whose arms are blocks."""
    subject = elaborate(around.context, scope, item.subject)
    arms = whole(item.arms)
    patterns = elaborate_patterns(around.context, subject, item.arms, item.subject.span)
    made = [block(around.inside(around.place), scope, arm.items) for arm in arms]
    after = _behind(scope, tuple(inner for arm in arms for inner in arm.items))
    ends = bool(made) and all(ends for _, ends in made)
    if patterns is None:
        return None, after, ends
    ways = tuple((taken, way) for taken, (way, _) in zip(patterns, made, strict=True))
    return p.MatchBranch(subject, ways, item.subject.span), after, ends


def _behind(scope: Scope, items: tuple[ast.Item, ...]) -> Scope:
    """The scope behind a branch: what was made inside is gone."""
    return replace(scope, gone=(frozenset(_all_names(items)), scope.gone))


def _all_names(items: tuple[ast.Item, ...]) -> list[str]:
    names: list[str] = []
    for item in items:
        match item:
            case ast.Step() | ast.Let():
                names.append(item.name.text)
            case ast.When():
                names += _all_names((*item.then, *(item.otherwise or ())))
            case ast.MatchItem():
                for arm in whole(item.arms):
                    names += _all_names(arm.items)
            case _:
                pass
    return names
