"""What a pipeline does to the world or asks of people, and which pipelines it runs.

Read off the syntax tree, because pipelines may be written in any order: what one does is asked for
before it was elaborated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.whole import whole
from pipelang.syntax import ast


def tool_acts(context: Context, key: str) -> bool:
    """Whether a tool, by its key, changes the world."""
    declaration = context.symbols.by_key[key].declaration
    return isinstance(declaration, ast.ToolDecl) and any(
        isinstance(option, ast.Effect) and option.kind in ("write", "irreversible")
        for option in declaration.options
    )


def pipeline_acts(context: Context, key: str, seen: frozenset[str] = frozenset()) -> bool:
    """Whether a pipeline, or one that it runs, has an effect or asks a person."""
    symbol = context.symbols.by_key[key]
    declaration = symbol.declaration
    if key in seen or not isinstance(declaration, ast.PipelineDecl):
        return False
    seen |= {key}
    return any(
        isinstance(part, (ast.Approve, ast.Hold, ast.Remember))
        or _action_acts(context, symbol.file, part, seen)
        for part in doings(declaration.items)
    )


def _action_acts(
    context: Context, file: str, part: ast.Action | ast.Item, seen: frozenset[str]
) -> bool:
    match part:
        case ast.Ask(who=ast.NameRef() as who):
            symbol = context.symbols.find(file, who.name)
            return symbol is not None and symbol.kind == "role"
        case ast.CallTool() | ast.RunPipeline() | ast.Agent():
            return any(
                tool_acts(context, key) or pipeline_acts(context, key, seen)
                for key, _ in named(context, file, part)
            )
        case _:
            return False


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


def doings(items: tuple[ast.Item, ...]) -> Iterator[ast.Action | ast.Item]:
    """Every item and every action of a pipeline, those inside branches and others included."""
    for item in items:
        yield item
        match item:
            case ast.Step():
                yield from chain_actions(item.chain)
            case ast.Breaker():
                yield from chain_actions(item.otherwise)
            case ast.When():
                yield from doings((*item.then, *(item.otherwise or ())))
            case ast.MatchItem():
                for arm in whole(item.arms):
                    yield from doings(arm.items)
            case _:
                pass


def chain_actions(chain: ast.Chain) -> Iterator[ast.Action]:
    """Every action of a chain, those inside others included."""
    for link in chain.links:
        yield from _inside(link.action)


def _inside(action: ast.Action) -> Iterator[ast.Action]:
    yield action
    match action:
        case ast.MatchAction():
            for arm in whole(action.arms):
                yield from _inside(arm.link.action)
        case ast.Each():
            yield from chain_actions(action.body)
        case (
            ast.Ask() | ast.Agent() | ast.CallTool() | ast.RunPipeline() | ast.Recall() | ast.Pure()
        ):
            pass
        case _:
            assert_never(action)
