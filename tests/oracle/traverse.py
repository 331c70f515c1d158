"""What an item or an expression contains: the few questions that every part of the oracle asks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from . import model as m
from .expressions import Expr


def outcome_exprs(outcome: m.Outcome | None) -> tuple[Expr, ...]:
    match outcome:
        case m.Return(value=value):
            return (value,)
        case m.Escalate(attached=attached) if attached is not None:
            return (attached,)
        case None | m.Escalate() | m.Reject() | m.Fail():
            return ()
        case _:
            assert_never(outcome)


def argument_exprs(link: m.Link) -> tuple[Expr, ...]:
    """What taints the answer of a link: its arguments, not its tier route."""
    match link.action:
        case m.Ask(args=args) | m.Agent(args=args) | m.Call(args=args) | m.RunPipeline(args=args):
            return args
        case m.Recall(key=key):
            return (key,)
        case m.Pure(expr=expr):
            return (expr,)
        case m.Each(over=over):
            return (over,)
        case m.Pick(path=path):
            return (path,)
        case _:
            assert_never(link.action)


def route_of(link: m.Link) -> m.Route | None:
    if isinstance(link.action, m.Ask | m.Agent) and isinstance(link.action.by, m.Route):
        return link.action.by
    return None


def condition_of(link: m.Link) -> Expr | None:
    """What decides who is asked, where it is an `if`."""
    if isinstance(link.action, m.Ask | m.Agent) and isinstance(link.action.by, m.IfRoute):
        return link.action.by.condition
    return None


def inner_links(link: m.Link) -> tuple[m.Link, ...]:
    """The links directly inside a link."""
    match link.action:
        case m.Each(links=links):
            return links
        case m.Pick(arms=arms):
            return tuple(inner for _, inner in arms)
        case _:
            return ()


def all_links(links: tuple[m.Link, ...]) -> Iterator[m.Link]:
    for link in links:
        yield link
        yield from all_links(inner_links(link))


def link_exprs(link: m.Link) -> Iterator[Expr]:
    """Every expression of a link itself, whatever it is for."""
    yield from argument_exprs(link)
    route, condition = route_of(link), condition_of(link)
    if route is not None:
        yield route.path
    if condition is not None:
        yield condition
    if link.cache is not None:
        yield from link.cache.keys
    if isinstance(link.action, m.Ask) and isinstance(link.action.by, m.Cascade):
        yield link.action.by.until
    if isinstance(link.action, m.Each):
        yield from outcome_exprs(link.action.otherwise)


def step_exprs(step: m.Step) -> Iterator[Expr]:
    """Every expression anywhere in a step: all links, routes and its outcome.

    The element of an `each` and the `it` of a cascade are among the names in them.
    """
    for link in all_links(step.links):
        yield from link_exprs(link)
    yield from outcome_exprs(step.otherwise)


def bound_names(step: m.Step) -> frozenset[str]:
    """Names that only exist inside the step."""
    actions = [link.action for link in all_links(step.links)]
    return frozenset(a.element for a in actions if isinstance(a, m.Each)) | {"it"}


def tested_exprs(item: m.Item) -> tuple[Expr, ...]:
    """The conditions that an item itself tests."""
    match item:
        case m.Gate(test=test) | m.When(test=test):
            return (test.condition,)
        case m.Hold(when=when) | m.Approve(when=when):
            return () if when is None else (when,)
        case _:
            return ()


def blocks(item: m.Item) -> tuple[tuple[m.Item, ...], ...]:
    match item:
        case m.When(then=then, otherwise=otherwise):
            return (then, otherwise)
        case m.Match(arms=arms):
            return tuple(items for _, items in arms)
        case _:
            return ()


def all_items(items: tuple[m.Item, ...]) -> Iterator[m.Item]:
    """Items and the items inside them, in writing order."""
    for item in items:
        yield item
        for block in blocks(item):
            yield from all_items(block)


def steps_of(items: tuple[m.Item, ...]) -> Iterator[m.Step]:
    return (item for item in all_items(items) if isinstance(item, m.Step))


def lets_of(items: tuple[m.Item, ...]) -> Iterator[m.Let]:
    return (item for item in all_items(items) if isinstance(item, m.Let))
