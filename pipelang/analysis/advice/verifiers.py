"""Added verifiers: a gate after a step over a function of its value, with declared rates."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.advice.attempts import declared_before
from pipelang.analysis.advice.changes import Change, ChangeKind
from pipelang.analysis.advice.shares import Weights
from pipelang.analysis.advice.written import Written, WrittenFile
from pipelang.diagnostics import Edit, Span
from pipelang.semantics import program as p
from pipelang.semantics.kernels.redo import last_outcome, redo_of
from pipelang.semantics.walk import all_items
from pipelang.syntax import ast

CATCHES, FALSE_ALARMS = "80%", "5%"
"""The assumed rates of an added check; the advice states them."""


def verifiers(
    program: p.Program,
    pipeline: p.Pipeline,
    page: WrittenFile,
    links: list[Written],
    weights: Weights,
    taken: frozenset[str],
) -> Iterator[Change]:
    """A check after every step that a model answers, whose cases go where others of the pipeline
    go. Where it stands already, none is added. `taken` are names of the file.
    """
    for one in links:
        action = one.made.action
        if not one.head or not isinstance(action, (p.AskTier, p.Agent, p.Cascade)):
            continue
        made = _gate(pipeline, page, one, taken)
        if made is not None:
            words = (
                f"`{one.place}` + a check that stops {CATCHES} of what is wrong and "
                f"{FALSE_ALARMS} of what is right"
            )
            guess = weights.of(one.place) * 0.03
            yield Change(ChangeKind.VERIFIER, one.place, words, made, guess)


def _gate(
    pipeline: p.Pipeline, page: WrittenFile, one: Written, taken: frozenset[str]
) -> tuple[Edit, ...] | None:
    item, name = one.item, one.item.name.text
    gate, function = f"{name}_checked", f"{name}_is_right"
    if (
        item.type is None
        or {gate, function} & taken
        or any(other.step == name for other in _redos(pipeline))
    ):
        return None
    file = page.source.name
    start = declared_before(page, item.span.start)
    if start is None:
        return None
    type = page.words(item.type.span)
    target = f'python "checks:{function}"'
    declared = f"fn {function}(value: untrusted {type}) -> bool {target}\n\n"
    line = page.text[page.text.rfind("\n", 0, item.span.start) + 1 : item.span.start]
    indent = line if not line.strip() else "  "
    end = _ending(pipeline)
    gate_text = (
        f"\n\n{indent}gate {gate}: {function}({name}) "
        f"{{ catches {CATCHES} false_alarms {FALSE_ALARMS} }}\n{indent}  else {end}"
    )
    at = item.span.end
    return Edit(Span(file, start, start), declared), Edit(Span(file, at, at), gate_text)


def _redos(pipeline: p.Pipeline) -> Iterator[p.Redo]:
    for item in all_items(pipeline.block):
        redo = redo_of(item)
        if redo is not None:
            yield redo


def _ending(pipeline: p.Pipeline) -> str:
    """To a person that the pipeline sends cases to already; else the run fails."""
    for item in all_items(pipeline.block):
        outcomes: list[p.Outcome | None] = []
        if isinstance(item, p.Step):
            outcomes = [item.chain.end]
        elif isinstance(item, p.Gate):
            outcomes = [last_outcome(item)]
        for outcome in outcomes:
            if isinstance(outcome, p.Escalate):
                return f'escalate to {outcome.role} "may be wrong"'
    return 'fail "may_be_wrong"'


def names(page: WrittenFile, pipeline: p.Pipeline) -> frozenset[str]:
    """Names that an added declaration or item must not take."""
    declared = {
        one.name.text
        for one in page.module.declarations
        if not isinstance(one, (ast.Use, ast.ProveDecl, ast.TestDecl, ast.Broken))
    }
    items = {getattr(item, "name", None) for item in all_items(pipeline.block)}
    return frozenset(declared | {name for name in items if name})
