"""Tokens of answers and of their parts, by what their steps declare of the whole."""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.semantics import program as p
from pipelang.semantics.sizes import Size
from pipelang.semantics.types import (
    TEXT,
    EnumType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
)
from pipelang.semantics.walk import agent_of


def longest_answers(step: p.Step) -> list[Size]:
    """Return the length of a step's value by the step's own `output` limits."""
    limits = [
        link.output_max
        for link in step.chain.links
        if isinstance(link.action, (p.AskTier, p.Cascade, p.Agent))
    ]
    if not limits or any(limit is None for limit in limits):
        return []
    return [Size(0.0, max(limit for limit in limits if limit is not None), False)]


def said_of(step: p.Step, path: Sequence[str]) -> Size | None:
    """The mean length of a step's answer, or of a field in it, where it declares that of the whole.

    A field takes no more than the whole less the least that the rest is written with, which makes
    it a bound. A text that is the whole answer has the declared mean. Of several links that may
    answer it is the longest. None where one of them declares nothing.
    """
    sizes = [_said_by(link, path) for link in step.chain.links]
    known = [size for size in sizes if size is not None]
    if len(path) > 1 or not known or len(known) < len(sizes):
        return None
    longest = max(size.mean for size in known)
    return Size(longest, None, all(one.declared and one.mean == longest for one in known))


def _said_by(link: p.Link, path: Sequence[str]) -> Size | None:
    action = agent_of(link.action) or link.action
    if link.output_mean is None or not isinstance(action, (p.AskTier, p.Cascade, p.Agent)):
        return None
    mean, answers = float(link.output_mean), action.answers
    if not path:
        return Size(mean, None, declared=answers == TEXT)
    own = answers.field(path[0]) if isinstance(answers, RecordType) else None
    if own is None or not isinstance(answers, RecordType):
        return None
    rest = _least_written(answers) - _least_written(own.type)
    if _is_quoted(own.type):
        rest += len('""')
    return Size(max(0.0, mean - rest / 4), None, declared=False)


def _least_written(type: Type) -> int:
    """The fewest characters with which a value is written as JSON, a probability with a digit."""
    match type:
        case Scalar(kind=ScalarKind.PROBABILITY):
            return len("0.5")
        case Scalar(kind=ScalarKind.BOOL):
            return len("true")
        case EnumType():
            return len('""') + min((len(member) for member in type.members), default=0)
        case RecordType():
            inside = [len(one.key) + len('"":') + _least_written(one.type) for one in type.fields]
            return len("{}") + sum(inside) + max(0, len(inside) - 1)
        case ListType() | MapType():
            return len("[]")
        case OptionalType():
            return 0
        case _:
            return len('""') if _is_quoted(type) else 1


def _is_quoted(type: Type) -> bool:
    text = isinstance(type, Scalar) and type.kind is ScalarKind.TEXT
    return text or isinstance(type, EnumType)
