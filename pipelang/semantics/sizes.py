"""Bounds on the length of values and answers, in tokens by our own count; run time enforces them.

A text has its `max`; a number, a bool or a time takes at most 36 characters; a record is its JSON.
An answer is limited by the step's `output ... max`, which counts what a model thinks as well, and
without one by its type; `thinking` is room beside it.
"""

from __future__ import annotations

from pipelang.records import dataclass, replace
from pipelang.semantics import program as p
from pipelang.semantics.kernels.media import NOTED_TOKENS, MediaRule, most_tokens
from pipelang.semantics.kernels.prices import DEFAULT_OUTPUT
from pipelang.semantics.quantities import BYTES_A_TOKEN, text_bytes
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
    is_medium,
)

WRAPPER = len('{"answer":""}')
"""Bytes around an answer that is no record."""

SCALAR_TOKENS = 12
"""The most that a number, a bool, a duration or a time takes: 36 characters."""


@dataclass(frozen=True, slots=True)
class Size:
    """Tokens: a mean and a bound; `bound` None where nothing limits it, `declared` if the mean is
    not just the bound. `least` is what the mean is no less than; None where the mean is known, or,
    where it is a bound, for nothing.
    """

    mean: float
    bound: int | None
    declared: bool = True
    least: float | None = None

    @property
    def floor(self) -> float:
        """The least that the mean may be, at any lengths that are allowed."""
        if self.least is None:
            return self.mean if self.declared else 0.0
        return self.least

    def __add__(self, other: Size) -> Size:
        bound = None if self.bound is None or other.bound is None else self.bound + other.bound
        declared = self.declared and other.declared
        return Size(self.mean + other.mean, bound, declared, self.floor + other.floor)

    def times(self, count: int | None, mean: float | None = None) -> Size:
        """So many of it: at most `count` (None: any number), on average `mean`."""
        if count == 0:
            return NONE
        bound = None if self.bound is None or count is None else self.bound * count
        most = mean if mean is not None else float("inf") if count is None else float(count)
        total = self.mean * most if self.mean and most else 0.0
        least = 0.0 if mean is None else self.floor * mean
        return Size(total, bound, self.declared and mean is not None, least)


NONE = Size(0.0, 0)


def value_size(type: Type, media: MediaRule | None = None) -> Size:
    """Tokens of a value of a type, as JSON where it is a record or a list. `media` is the rule by
    which pictures and documents count where a model sees them; elsewhere they are told of.
    """
    match type:
        case Scalar() if is_medium(type):
            most = NOTED_TOKENS if media is None else most_tokens(media, type)
            return Size(float("inf") if most is None else float(most), most, False)
        case Scalar(kind=ScalarKind.TEXT):
            limit = type.max_tokens
            return Size(float("inf") if limit is None else float(limit), limit, False)
        case Scalar(kind=ScalarKind.JSON):
            return Size(float("inf"), None, False)
        case EnumType():
            longest = max((text_bytes(member) for member in type.members), default=0)
            shortest = min((text_bytes(member) for member in type.members), default=0)
            return Size(longest / 4, -(-longest // BYTES_A_TOKEN), least=shortest / 4)
        case RecordType():
            total = NONE
            for field in type.fields:
                overhead = len(field.key) + 6
                total = (
                    total
                    + Size(overhead / 4, -(-overhead // 3), least=(overhead - 3) / 4)
                    + value_size(field.type, media)
                )
            return _no_less(total, _json_bytes(type, media))
        case ListType():
            elements = (value_size(type.element, media) + Size(0.5, 1)).times(type.max_length)
            return _no_less(elements, _json_bytes(type, media))
        case MapType():
            return Size(float("inf"), None, False)
        case OptionalType():
            return replace(value_size(type.inner, media), least=0.0)
        case _:
            return Size(2.0, SCALAR_TOKENS, least=1 / 4)


def _no_less(size: Size, written: int | None) -> Size:
    """A size, part by part, whose bound is no less than so many bytes of JSON take as a whole."""
    if size.bound is None or written is None:
        return size
    return replace(size, bound=max(size.bound, -(-written // BYTES_A_TOKEN)))


def _json_bytes(type: Type, media: MediaRule | None) -> int | None:
    """The most bytes of a value inside JSON with a space after commas and colons."""
    match type:
        case RecordType():
            parts = [_json_bytes(field.type, media) for field in type.fields]
            names = sum(text_bytes(field.key) + len('"": , ') for field in type.fields)
            known = [part for part in parts if part is not None]
            return max(2, names + sum(known)) if len(known) == len(parts) else None
        case ListType():
            most = _json_bytes(type.element, media)
            if type.max_length == 0:
                return len("[]")
            if most is None or type.max_length is None:
                return None
            return len("[]") + type.max_length * (most + len(", ")) - len(", ")
        case OptionalType():
            most = _json_bytes(type.inner, media)
            return None if most is None else max(most, len("null"))
        case EnumType():
            return max((text_bytes(member) for member in type.members), default=0) + len('""')
        case _:
            bound = value_size(type, media).bound
            quotes = len('""') if type == TEXT else 0
            return None if bound is None else bound * BYTES_A_TOKEN + quotes


def output_limit(link: p.Link, answers: Type) -> int | None:
    """The most tokens that an answer may take, with what its model may think beside it; None where
    nothing limits it.

    What is neither a text nor a record comes as `{"answer": ...}`.
    """
    limit = link.output_max
    if limit is None:
        size = value_size(answers)
        if answers != TEXT and not isinstance(answers, RecordType):
            size = size + Size(WRAPPER / 4, -(-WRAPPER // 3))
        limit = size.bound
    return None if limit is None else limit + (link.thinking or 0)


def reserved_output(link: p.Link, limit: int | None) -> int:
    """The tokens of output that one call reserves under a limit, or where nothing limits it."""
    return DEFAULT_OUTPUT + (link.thinking or 0) if limit is None else limit
