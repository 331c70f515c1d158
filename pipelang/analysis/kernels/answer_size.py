"""Tokens of answers and of their parts, by what their steps declare of the whole, and of values
that are written down in a call: a text between quotes, or one of several.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.media import MediaRule
from pipelang.semantics.quantities import BYTES_A_TOKEN, text_bytes, text_tokens
from pipelang.semantics.sizes import NONE, Size, value_size
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
    present,
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


_Path = tuple[str, ...]

ABSENT = Size(len("none") / 4, 2, least=0.0)
"""A value that is not there, should a template show it."""


_WRITTEN = (expr.Const, expr.MakeList, expr.MakeRecord)


def written_size(node: expr.Expr, path: Sequence[str], media: MediaRule) -> Size | None:
    """Return the size of what stands at a path below an expression, where it is written down, or
    where one of what it may be is; None where its type says as much.
    """
    ways = _ways(node, tuple(path))
    if not ways:
        return NONE  # of the elements of `[]`
    if ways == [(node, tuple(path))] and not isinstance(node, _WRITTEN):
        return None
    sizes = [_size(way, rest, media) for way, rest in ways]
    bounds = [size.bound for size in sizes if size.bound is not None]
    bound = max(bounds) if len(bounds) == len(sizes) else None
    longest = max(size.mean for size in sizes)
    known = all(size.declared and size.mean == longest for size in sizes)
    return Size(longest, bound, known, min(size.floor for size in sizes))


def written_length(node: expr.Expr, path: Sequence[str]) -> int | None:
    """Return the most elements of the list at a path below an expression, where it is written down
    or where one of what it may be is; None where nothing bounds it.
    """
    lengths = list[int]()
    for way, rest in _ways(node, tuple(path)):
        type = type_below(way.type, rest)
        if isinstance(way, expr.MakeList) and not rest:
            lengths.append(len(way.items))
        elif isinstance(type, (ListType, MapType)) and type.max_length is not None:
            lengths.append(type.max_length)
        elif not (isinstance(way, expr.Const) and way.value is None):
            return None
    return max(lengths, default=0)


def written_truth(node: expr.Expr, path: Sequence[str]) -> bool | None:
    """Whether a template takes what stands at a path below an expression as true, where all that
    it may be is written down and of one kind.
    """
    found = set[bool | None]()
    for way, rest in _ways(node, tuple(path)):
        if isinstance(way, expr.Const) and (way.value is None or not rest):
            found.add(bool(way.value))
        elif isinstance(way, expr.MakeList) and not rest:
            found.add(bool(way.items))
        else:
            found.add(None)
    return found.pop() if len(found) == 1 else None


def _ways(node: expr.Expr, path: _Path) -> list[tuple[expr.Expr, _Path]]:
    """Ways of what may stand at a path: those of a choice, the part of a record, a list's elements.
    Ways that meet again are gone once.
    """
    found: list[tuple[expr.Expr, _Path]] = []
    ahead, seen = [(node, path)], set[tuple[int, _Path]]()
    while ahead:
        one, rest = ahead.pop()
        if (id(one), rest) in seen:
            continue
        seen.add((id(one), rest))
        match one:
            case expr.Choice():
                ahead += [(one.then, rest), (one.otherwise, rest)]
            case expr.Select():
                ahead += [(value, rest) for _, value in one.arms]
            case expr.MakeRecord() if rest and rest[0] in dict(one.fields):
                ahead.append((dict(one.fields)[rest[0]], rest[1:]))
            case expr.MakeList() if rest and rest[0] == "*":
                ahead += [(item, rest[1:]) for item in one.items]
            case expr.Concatenation() if rest and rest[0] == "*":
                ahead += [(one.left, rest), (one.right, rest)]
            case _:
                found.append((one, rest))
    return found


def _size(node: expr.Expr, path: _Path, media: MediaRule) -> Size:
    if isinstance(node, expr.Const) and node.value is None:
        return ABSENT
    type = type_below(node.type, path)
    if type is None:
        return Size(inf, None, False)
    if isinstance(node, (expr.MakeList, expr.MakeRecord)) and not path:
        most = _json_bytes(node, {})
        if most is not None:
            return Size(most / 4, -(-most // BYTES_A_TOKEN), False)
    one = present(type)
    if isinstance(node, expr.Const) and isinstance(one, Scalar) and one.kind is ScalarKind.TEXT:
        text = str(node.value)
        return Size(text_bytes(text) / 4, text_tokens(text))
    return value_size(type, media)


def _json_bytes(node: expr.Expr, known: dict[int, int | None]) -> int | None:
    """The most bytes of a value inside JSON; None where nothing bounds them."""
    if id(node) not in known:
        known[id(node)] = _bytes_of(node, known)
    return known[id(node)]


def _bytes_of(node: expr.Expr, known: dict[int, int | None]) -> int | None:
    around, parts = 0, list[int | None]()
    match node:
        case expr.Choice():
            ways = [_json_bytes(way, known) for way in (node.then, node.otherwise)]
            return None if None in ways else max(way for way in ways if way is not None)
        case expr.Select():
            ways = [_json_bytes(way, known) for _, way in node.arms]
            return None if None in ways else max(way for way in ways if way is not None)
        case expr.MakeList():
            around = len("[]") + len(", ") * len(node.items)
            parts = [_json_bytes(item, known) for item in node.items]
        case expr.MakeRecord():
            record = node.type if isinstance(node.type, RecordType) else None
            for name, value in node.fields:
                field = None if record is None else record.field(name)
                around += text_bytes(name if field is None else field.key) + len('"": , ')
                parts.append(_json_bytes(value, known))
            around += len("{}")
        case expr.Const() if node.value is None:
            return len("null")
        case expr.Const() if isinstance(node.value, str):
            return text_bytes(node.value) + len('""')
        case _:
            bound = value_size(node.type).bound
            return None if bound is None else bound * BYTES_A_TOKEN + len('""')
    return None if None in parts else around + sum(part for part in parts if part is not None)


def type_below(type: Type | None, path: Sequence[str]) -> Type | None:
    """The type at a path into a type; `*` is an element."""
    for name in path:
        if isinstance(type, OptionalType):
            type = type.inner
        if name == "*" and isinstance(type, ListType):
            type = type.element
        elif name == "*" and isinstance(type, MapType):
            type = type.value
        elif isinstance(type, RecordType):
            field = type.field(name)
            type = None if field is None else field.type
        else:
            return None
    return type
