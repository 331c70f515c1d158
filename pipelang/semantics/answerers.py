"""Answerers: the steps of a pipeline behind a value that a model gives."""

from __future__ import annotations

from collections.abc import Iterable

from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.walk import all_items, inner_links, outcomes


def answered_by_models(
    program: p.Program, pipeline: p.Pipeline, names: Iterable[str]
) -> tuple[str, ...]:
    """The steps behind some values that a model answers, also through values made of them, in
    writing order. A step that runs a pipeline is one if a model has a word in what that returns.
    """
    return _answered(program, pipeline, names, {})


def _answered(
    program: p.Program, pipeline: p.Pipeline, names: Iterable[str], known: dict[str, bool]
) -> tuple[str, ...]:
    made: dict[str, list[p.Step | p.Let]] = {}
    for item in all_items(pipeline.block):
        if isinstance(item, (p.Step, p.Let)):
            made.setdefault(item.name, []).append(item)
    found: set[str] = set()
    left, seen = list(names), set[str]()
    while left:
        name = left.pop()
        if name in seen:
            continue
        seen.add(name)
        for item in made.get(name, ()):
            if isinstance(item, p.Let):
                left += item.reads
                continue
            for link in inner_links(item.chain):
                match link.action:
                    case p.AskTier() | p.Agent() | p.Cascade():
                        found.add(name)
                    case p.RunPipeline():
                        if _returns_of_models(program, link.action.pipeline, known):
                            found.add(name)
                    case p.Value():
                        left += expr.mentions(link.action.value)
                    case _:
                        pass
    return tuple(name for name in made if name in found)


def _returns_of_models(program: p.Program, name: str, known: dict[str, bool]) -> bool:
    """Whether a model has a word in what a pipeline returns."""
    if name in known:
        return known[name]
    pipeline = program.pipelines[name]
    returned = [
        outcome.value for outcome in outcomes(pipeline.block) if isinstance(outcome, p.Return)
    ]
    names = frozenset[str]().union(*map(expr.mentions, returned))
    known[name] = bool(_answered(program, pipeline, names, known))
    return known[name]
