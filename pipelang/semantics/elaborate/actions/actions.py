"""Elaboration of actions: the typed action of a link, and the type of its answer."""

from __future__ import annotations

from typing import assert_never

from pipelang.semantics import program as p
from pipelang.semantics.elaborate.actions.answer_types import Made, broken_action, called
from pipelang.semantics.elaborate.actions.links import make_link
from pipelang.semantics.elaborate.actions.model_calls import agent, ask
from pipelang.semantics.elaborate.actions.outcomes import ActionSite
from pipelang.semantics.elaborate.actions.subpipelines import each, recall, run
from pipelang.semantics.elaborate.broken_parts import whole
from pipelang.semantics.elaborate.context import Context, Scope
from pipelang.semantics.elaborate.expressions.expressions import elaborate
from pipelang.semantics.elaborate.expressions.match_patterns import elaborate_patterns
from pipelang.semantics.types import ERROR, ErrorType, Type
from pipelang.syntax import ast


def elaborate_action(
    context: Context,
    scope: Scope,
    place: ActionSite,
    link: ast.Link,
    expected: Type | None,
    position: int,
) -> Made:
    """The action of a link at a position of its chain, and the type of its answer."""
    action = link.action
    match action:
        case ast.Ask():
            return ask(context, scope, place, link, action, expected, position)
        case ast.CallTool():
            return _call(context, scope, action, expected)
        case ast.Pure():
            value = elaborate(context, scope, action.value, expected)
            return p.Value(value), value.type
        case ast.MatchAction():
            return _choose(context, scope, place, action, expected, position)
        case ast.Agent():
            return agent(context, scope, place, link, action, expected, position)
        case ast.RunPipeline():
            return run(context, scope, action, expected)
        case ast.Recall():
            return recall(context, scope, action, expected)
        case ast.Each():
            return each(context, scope, place, link, action, expected)
        case _:
            assert_never(action)


def _call(context: Context, scope: Scope, action: ast.CallTool, expected: Type | None) -> Made:
    found = called(context, scope, action.tool, "tool", action.arguments, action.span, expected)
    if found is None:
        return broken_action(context, scope, action.arguments)
    key, arguments, returns = found
    return p.Call(key, arguments), returns


def _choose(
    context: Context,
    scope: Scope,
    place: ActionSite,
    action: ast.MatchAction,
    expected: Type | None,
    position: int,
) -> Made:
    subject = elaborate(context, scope, action.subject)
    patterns = elaborate_patterns(context, subject, action.arms, action.subject.span)
    arms = []
    type = expected
    for arm in whole(action.arms):
        made, found = make_link(context, scope, place, arm.link, type, position)
        if type is None and not isinstance(found, ErrorType):
            type = found
        arms.append(made)
    if patterns is None:
        reads = frozenset[str]().union(*(arm.reads for arm in arms))
        return p.Broken(reads), type or ERROR
    return p.Choose(subject, tuple(zip(patterns, arms, strict=True))), type or ERROR
