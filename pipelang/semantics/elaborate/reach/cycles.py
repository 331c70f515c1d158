"""Recursion, which is forbidden: cycles of functions and of pipelines; and how deep pipelines may
run each other.
"""

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


DEEPEST_RUNS = 16
"""So many pipelines may run each other in a row: what the analysis and the interpreter have at hand
for one inside the other is bounded, and nobody writes more by hand.
"""


def recursive_pipelines(context: Context) -> None:
    """Report every cycle of pipelines that run one another, and where too many do in a row."""
    calls: dict[str, list[str]] = {}
    spans: dict[str, Span] = {}
    for key, symbol in context.symbols.by_key.items():
        declaration = symbol.declaration
        if isinstance(declaration, ast.PipelineDecl):
            spans[key] = declaration.name.span
            inside = doings(declaration.items)
            found = (called for part in inside for called, _ in named(context, symbol.file, part))
            calls[key] = list(dict.fromkeys(found))
    levels: dict[str, int] = {}
    for key in _tell(context, calls, lambda key: spans[key]):
        levels[key] = 1 + max((levels.get(called, 0) for called in calls[key]), default=0)
        if levels[key] > DEEPEST_RUNS:
            levels[key] = 1  # told once, not again for everything above it
            context.tell(codes.TOO_DEEP, spans[key], limit=DEEPEST_RUNS)


def _tell(
    context: Context, calls: Mapping[str, Iterable[str]], place: Callable[[str], Span]
) -> Iterable[str]:
    """Go through the calls depth first, each name once; a name on the way to itself is a circle.
    The names, each behind those that it calls.
    """
    done: dict[str, None] = {}
    for start in calls:
        trail: list[str] = []
        todo: list[tuple[str, bool]] = [(start, False)]
        while todo:
            key, left = todo.pop()
            if left:
                trail.pop()
                done[key] = None
            elif key in trail:
                cycle = " -> ".join([*trail[trail.index(key) :], key])
                context.tell(codes.RECURSION, place(key), name=key, cycle=cycle)
            elif key not in done and key in calls:
                trail.append(key)
                todo.append((key, True))
                todo.extend((called, False) for called in reversed(list(calls[key])))
    return done
