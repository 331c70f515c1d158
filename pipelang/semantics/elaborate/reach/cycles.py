"""Recursion, which is forbidden: cycles of functions and of pipelines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from pipelang.diagnostics import Span, codes
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.reach.effects import doings, named
from pipelang.syntax import ast


def recursive_functions(context: Context, functions: Mapping[str, p.Function]) -> None:
    """Report every cycle of `fn`s that call one another."""
    calls: dict[str, list[str]] = {}
    for key, function in functions.items():
        body = () if function.body is None else expr.walk(function.body)
        calls[key] = list(
            dict.fromkeys(part.function for part in body if isinstance(part, expr.Apply))
        )
    _tell(context, calls, lambda key: functions[key].span)


def recursive_pipelines(context: Context) -> None:
    """Report every cycle of pipelines that run one another."""
    calls: dict[str, list[str]] = {}
    spans: dict[str, Span] = {}
    for key, symbol in context.symbols.by_key.items():
        declaration = symbol.declaration
        if isinstance(declaration, ast.PipelineDecl):
            spans[key] = declaration.name.span
            inside = doings(declaration.items)
            found = (called for part in inside for called, _ in named(context, symbol.file, part))
            calls[key] = list(dict.fromkeys(found))
    _tell(context, calls, lambda key: spans[key])


def _tell(
    context: Context, calls: Mapping[str, Iterable[str]], place: Callable[[str], Span]
) -> None:
    """Go through the calls depth first, each name once; a name on the way to itself is a circle."""
    done: set[str] = set()
    for start in calls:
        trail: list[str] = []
        todo: list[tuple[str, bool]] = [(start, False)]
        while todo:
            key, left = todo.pop()
            if left:
                trail.pop()
                done.add(key)
            elif key in trail:
                cycle = " -> ".join([*trail[trail.index(key) :], key])
                context.tell(codes.RECURSION, place(key), name=key, cycle=cycle)
            elif key not in done and key in calls:
                trail.append(key)
                todo.append((key, True))
                todo.extend((called, False) for called in reversed(list(calls[key])))
