"""Demands on size, money and time: every input and every run has an upper limit."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.diagnostics import Diagnostic, Span, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.kernels.timeouts import call_limit
from pipelang.semantics.types import (
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
)
from pipelang.semantics.walk import all_items, inner_links


def input_is_bounded(pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """Every text, list and map of the input has a `max`, and nothing of it is `json`."""
    for parameter in pipeline.parameters:
        for path, what in _open_ends(parameter.name, parameter.type):
            name, span = pipeline.name, parameter.span or pipeline.span
            yield report(codes.UNBOUNDED_INPUT, span, path=path, name=name, what=what)


def _open_ends(path: str, type: Type) -> Iterator[tuple[str, str]]:
    """Return the unbounded places of a type, with the reason for each."""
    match type:
        case Scalar(kind=ScalarKind.TEXT, max_tokens=None):
            yield path, "is a text without a `max`"
        case Scalar(kind=ScalarKind.DOCUMENT, max_pages=None):
            yield path, "is a document without a `max`"
        case Scalar(kind=ScalarKind.JSON):
            yield path, "is `json`, which has neither a type nor a size"
        case RecordType():
            for field in type.fields:
                yield from _open_ends(f"{path}.{field.name}", field.type)
        case OptionalType():
            yield from _open_ends(path, type.inner)
        case ListType():
            if type.max_length is None:
                yield path, "is a list without a `max`"
            yield from _open_ends(f"{path}[]", type.element)
        case MapType():
            yield path, "is a map, whose keys have no `max`"
        case _:
            return


def budget_is_set(pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """Require a budget in money and in time."""
    budget = pipeline.budget
    missing = []
    if budget is None or budget.money is None:
        missing.append("money")
    if budget is None or budget.seconds is None:
        missing.append("time")
    if missing:
        span = pipeline.span if budget is None else budget.span
        yield report(codes.NO_BUDGET, span, name=pipeline.name, what=" and ".join(missing))


def time_is_limited(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """A timeout for whatever leaves the process, and `within` for whoever must say yes.

    A sub-pipeline has the time of its budget, a `hold` goes on by itself, a pure tool never fails.
    """
    for item in all_items(pipeline.block):
        match item:
            case p.Step():
                for link in inner_links(item.chain):
                    if _may_take_for_ever(program, link):
                        yield _endless(link.span, item.name, "timeout 30s")
            case p.Person(seconds=None):
                yield _endless(item.span, item.name, "within 4h")
            case _:
                pass


def _may_take_for_ever(program: p.Program, link: p.Link) -> bool:
    match link.action:
        case p.Call():
            tool = program.tools[link.action.tool]
            return call_limit(link, tool) is None and tool.effect != "pure"
        case p.AskTier() | p.AskRole() | p.Cascade() | p.Agent():
            return link.timeout is None and link.batch is None
        case _:
            return False


def _endless(span: Span, what: str, example: str) -> Diagnostic:
    return report(codes.NO_TIMEOUT, span, what=what, help=f"give it one, such as `{example}`")
