"""Effects of pipelines, read off the syntax: tools, people, and pipelines that they reach.

Read off the syntax tree, because pipelines may be written in any order: what one does is asked for
before it was elaborated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from pipelang.diagnostics import Span
from pipelang.records import dataclass
from pipelang.semantics.elaborate.broken_parts import whole
from pipelang.semantics.elaborate.context import Context
from pipelang.syntax import ast


@dataclass(frozen=True, slots=True)
class Act:
    """Something besides answering that a run does: `what`, and the place of it."""

    what: str
    span: Span


def tool_acts(context: Context, key: str) -> bool:
    """Whether a tool, by its key, changes the world."""
    declaration = context.symbols.by_key[key].declaration
    if isinstance(declaration, ast.ToolDecl):
        for option in declaration.options:
            if isinstance(option, ast.Effect) and option.kind in ("write", "irreversible"):
                return True
    return False


def tool_pure(context: Context, key: str) -> bool:
    """Whether a tool, by its key, is declared to be pure: by the first `effect` that it has."""
    declaration = context.symbols.by_key[key].declaration
    if not isinstance(declaration, ast.ToolDecl):
        return False
    for option in declaration.options:
        if type(option) is ast.Effect:
            return option.kind == "pure"
    return False


def reached(context: Context, key: str) -> frozenset[str]:
    """The tools and pipelines that a pipeline names, also through others, by their keys; and the
    pipeline itself. Of a tool, only itself.
    """
    known = context.reached.get(key)
    if known is None:
        found, todo = {key}, [key]
        while todo:
            symbol = context.symbols.by_key[todo.pop()]
            if not isinstance(symbol.declaration, ast.PipelineDecl):
                continue
            for part in doings(symbol.declaration.items):
                for name, _ in named(context, symbol.file, part):
                    if name not in found:
                        found.add(name)
                        todo.append(name)
        known = context.reached[key] = frozenset(found)
    return known


def acts(context: Context, key: str) -> bool:
    """Whether a tool, or a pipeline with all that it runs, has an effect or asks a person."""
    known = context.acting.get(key)
    if known is None and isinstance(context.symbols.by_key[key].declaration, ast.ToolDecl):
        known = context.acting[key] = tool_acts(context, key)
    if known is None:
        known = context.acting[key] = any(
            tool_acts(context, name) or next(_asks_people(context, name), None) is not None
            for name in reached(context, key)
        )
    return known


def first_act(context: Context, key: str) -> Act | None:
    """The first thing in writing order that a tool, or a pipeline with all that it runs, does
    besides answering; None if it does nothing.
    """
    found: list[Act] = []
    for name in reached(context, key) if acts(context, key) else ():
        symbol = context.symbols.by_key[name]
        if tool_acts(context, name):
            span = symbol.declaration.name.span
            found.append(Act(f"calls `{name}`, which changes the world", span))
        found += _asks_people(context, name)
    return min(found, key=lambda act: (act.span.file, act.span.start), default=None)


def _asks_people(context: Context, key: str) -> Iterator[Act]:
    """The places at which a pipeline itself asks a person or remembers something."""
    symbol = context.symbols.by_key[key]
    if not isinstance(symbol.declaration, ast.PipelineDecl):
        return
    for part in doings(symbol.declaration.items):
        match part:
            case ast.Approve() | ast.Hold():
                yield Act(f"waits for people (`{part.name.text}`)", part.span)
            case ast.Remember():
                yield Act(f"remembers something (`{part.memory.text}`)", part.span)
            case ast.Ask(who=ast.NameRef() as who):
                asked = context.symbols.find(symbol.file, who.name)
                if asked is not None and asked.kind == "role":
                    yield Act(f"asks people (`{who.name}`)", part.span)
            case _:
                pass


def named(
    context: Context, file: str, part: ast.Action | ast.Item
) -> Iterator[tuple[str, ast.Name]]:
    """The tools and pipelines that an action names, by their keys."""
    match part:
        case ast.CallTool():
            names: tuple[ast.Name, ...] = (part.tool,)
        case ast.RunPipeline():
            names = (part.pipeline,)
        case ast.Agent():
            names = part.tools
        case _:
            names = ()
    for name in names:
        symbol = context.symbols.find(file, name.text)
        if symbol is not None:
            yield symbol.key, name


def doings(items: tuple[ast.Item, ...]) -> list[ast.Action | ast.Item]:
    """Every item and every action of a pipeline, those inside branches and others included."""
    found: list[ast.Action | ast.Item] = []
    _gather(items, found)
    return found


def _gather(items: tuple[ast.Item, ...], found: list[ast.Action | ast.Item]) -> None:
    for item in items:
        found.append(item)
        match item:
            case ast.Step():
                _gather_actions(item.chain, found)
            case ast.Breaker():
                _gather_actions(item.otherwise, found)
            case ast.When():
                _gather((*item.then, *(item.otherwise or ())), found)
            case ast.MatchItem():
                for arm in item.arms:
                    if isinstance(arm, ast.Broken):
                        found.append(arm)  # an item like any other that could not be read
                    else:
                        _gather(arm.items, found)
            case _:
                pass


def _gather_actions(chain: ast.Chain, found: list[ast.Action | ast.Item]) -> None:
    """Every action of a chain, those inside others included."""
    for link in chain.links:
        _gather_action(link.action, found)


def _gather_action(action: ast.Action, found: list[ast.Action | ast.Item]) -> None:
    found.append(action)
    match action:
        case ast.MatchAction():
            for arm in whole(action.arms):
                _gather_action(arm.link.action, found)
        case ast.Each():
            _gather_actions(action.body, found)
        case (
            ast.Ask() | ast.Agent() | ast.CallTool() | ast.RunPipeline() | ast.Recall() | ast.Pure()
        ):
            pass
        case _:
            assert_never(action)
