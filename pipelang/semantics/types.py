"""Types: scalars with units, closed enums, nominal records, lists, maps, optionals.

Types compare by what they are, not by what is promised about a value: labels (`untrusted`,
`private`, `secret`) and constraints (`max`, `in`, `matches`) travel with a type and are left out
of `==`. Constraints are checked where values come in, at run time.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar, assert_never

from pipelang.records import dataclass, field, replace


class ScalarKind(Enum):
    """The scalar types. `TOKENS` and `RATE` exist only as literals of options and budgets."""

    __hash__ = object.__hash__  # a member is itself only; that of Enum is a function of Python

    TEXT = "text"
    INT = "int"
    NUMBER = "number"
    BOOL = "bool"
    PROBABILITY = "probability"
    MONEY = "money"
    DURATION = "duration"
    TIME = "time"
    JSON = "json"
    IMAGE = "image"
    DOCUMENT = "document"
    TOKENS = "tokens"
    RATE = "rate"


SCALAR_NAMES = {
    kind.value: kind for kind in ScalarKind if kind not in (ScalarKind.TOKENS, ScalarKind.RATE)
}

NO_LABELS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar. `max_tokens` bounds a text, `max_pages` a document, `low` and `high` (inclusive) a
    quantity.
    """

    kind: ScalarKind
    max_tokens: int | None = field(default=None, compare=False)
    low: Decimal | None = field(default=None, compare=False)
    high: Decimal | None = field(default=None, compare=False)
    patterns: str | None = field(default=None, compare=False)
    labels: frozenset[str] = field(default=NO_LABELS, compare=False)
    max_pages: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class EnumType:
    """`members` are its values, as JSON has them; `names` how the file writes them, in the same
    order (empty where no member has an outer name); `docs` are the doc comments of members by their
    values.
    """

    name: str
    members: tuple[str, ...]
    labels: frozenset[str] = field(default=NO_LABELS, compare=False)
    names: tuple[str, ...] = field(default=(), compare=False)
    docs: tuple[tuple[str, str], ...] = field(default=(), compare=False)

    @property
    def written(self) -> tuple[str, ...]:
        """The names of all members, as the file writes them."""
        return self.names or self.members

    def value_of(self, name: str) -> str | None:
        """The value of the member of this name, None if there is none."""
        written = self.written  # a table would be made anew for each of a match's arms
        return self.members[written.index(name)] if name in written else None

    def name_of(self, value: str) -> str:
        """The name that the file writes for a value."""
        if not self.names or value not in self.members:
            return value
        return self.names[self.members.index(value)]


@dataclass(frozen=True, slots=True)
class RecordField:
    """`default` is a JSON-like constant, meaningful only if `has_default`. `outer` is the name that
    JSON has for it, None if it is the same.
    """

    name: str
    type: Type
    has_default: bool = False
    default: Any = None
    doc: str | None = None
    outer: str | None = None

    @property
    def key(self) -> str:
        """The name in JSON."""
        return self.name if self.outer is None else self.outer


@dataclass(frozen=True, slots=True)
class RecordType:
    """Nominal: two records are the same type if their names are."""

    name: str
    fields: tuple[RecordField, ...] = field(compare=False)
    labels: frozenset[str] = field(default=NO_LABELS, compare=False)
    doc: str | None = field(default=None, compare=False)

    def field(self, name: str) -> RecordField | None:
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        return None


@dataclass(frozen=True, slots=True)
class ListType:
    element: Type
    max_length: int | None = field(default=None, compare=False)
    labels: frozenset[str] = field(default=NO_LABELS, compare=False)


@dataclass(frozen=True, slots=True)
class MapType:
    """A map from texts."""

    value: Type
    max_length: int | None = field(default=None, compare=False)
    labels: frozenset[str] = field(default=NO_LABELS, compare=False)


@dataclass(frozen=True, slots=True)
class OptionalType:
    inner: Type
    labels: frozenset[str] = field(default=NO_LABELS, compare=False)


@dataclass(frozen=True, slots=True)
class NoneType:
    """The type of `none` before an optional is expected."""

    labels: frozenset[str] = field(default=NO_LABELS, compare=False)


@dataclass(frozen=True, slots=True)
class NothingType:
    """The answer type of a tool without `->`."""

    labels: frozenset[str] = field(default=NO_LABELS, compare=False)


@dataclass(frozen=True, slots=True)
class AnswererType:
    """The type of an expression after `by`: a tier or a role."""

    labels: frozenset[str] = field(default=NO_LABELS, compare=False)


@dataclass(frozen=True, slots=True)
class ErrorType:
    """The type of what was reported already; it fits everywhere, so a mistake is reported once."""

    labels: frozenset[str] = field(default=NO_LABELS, compare=False)


Type = (
    Scalar
    | EnumType
    | RecordType
    | ListType
    | MapType
    | OptionalType
    | NoneType
    | NothingType
    | AnswererType
    | ErrorType
)

TEXT = Scalar(ScalarKind.TEXT)
INT = Scalar(ScalarKind.INT)
NUMBER = Scalar(ScalarKind.NUMBER)
BOOL = Scalar(ScalarKind.BOOL)
PROBABILITY = Scalar(ScalarKind.PROBABILITY)
MONEY = Scalar(ScalarKind.MONEY)
DURATION = Scalar(ScalarKind.DURATION)
TIME = Scalar(ScalarKind.TIME)
JSON = Scalar(ScalarKind.JSON)
IMAGE = Scalar(ScalarKind.IMAGE)
DOCUMENT = Scalar(ScalarKind.DOCUMENT)
TOKENS = Scalar(ScalarKind.TOKENS)
RATE = Scalar(ScalarKind.RATE)
ERROR = ErrorType()
NOTHING = NothingType()
ANSWERER = AnswererType()


DECISION = "Decision_"
"""Begins the names of the records that decisions are: no file has such a name for its own."""


def decision_of(type: EnumType | Scalar) -> RecordType:
    """The type of a decision among the values of an enum or `bool`: the value and a confidence."""
    name = type.name.replace(".", "_") if isinstance(type, EnumType) else type.kind.value
    return RecordType(
        f"{DECISION}{name}",
        (RecordField("value", type), RecordField("confidence", PROBABILITY)),
    )


def choices_of(type: Type) -> tuple[str | bool, ...]:
    """The values among which a decision is one; none for any other type."""
    if not isinstance(type, RecordType) or not type.name.startswith(DECISION):
        return ()
    inner = type.fields[0].type
    return inner.members if isinstance(inner, EnumType) else (True, False)


def is_medium(type: Type) -> bool:
    """Whether a type's values are pictures or documents."""
    return isinstance(type, Scalar) and type.kind in (ScalarKind.IMAGE, ScalarKind.DOCUMENT)


def media_in(type: Type) -> tuple[Scalar, ...]:
    """The types of the pictures and documents that a value of a type may hold."""
    match type:
        case Scalar():
            return (type,) if is_medium(type) else ()
        case RecordType():
            return tuple(one for field in type.fields for one in media_in(field.type))
        case ListType():
            return media_in(type.element)
        case MapType():
            return media_in(type.value)
        case OptionalType():
            return media_in(type.inner)
        case _:
            return ()


def show(type: Type) -> str:
    """The type as people write it, without labels and constraints."""
    match type:
        case Scalar():
            return type.kind.value
        case RecordType() if type.name.startswith(DECISION):
            return f"decision {type.name.removeprefix(DECISION)}"
        case EnumType() | RecordType():
            return type.name
        case ListType():
            return f"[{show(type.element)}]"
        case MapType():
            return f"{{text: {show(type.value)}}}"
        case OptionalType():
            return f"{show(type.inner)}?"
        case NoneType():
            return "none"
        case NothingType():
            return "nothing"
        case AnswererType():
            return "a tier or a role"
        case ErrorType():
            return "?"
        case _:
            assert_never(type)


def quoted(type: Type) -> str:
    """The type for a message: in backticks where people can write it."""
    return show(type) if isinstance(type, (NothingType, AnswererType)) else f"`{show(type)}`"


def optional(type: Type) -> Type:
    """A type whose value may be absent; what may be absent already stays as it is."""
    return type if isinstance(type, (OptionalType, NoneType, ErrorType)) else OptionalType(type)


def present(type: Type) -> Type:
    """The type without its `?`."""
    return type.inner if isinstance(type, OptionalType) else type


def fits(found: Type, expected: Type) -> bool:
    """Whether a value of one type can stand where another is expected.

    `int` widens to `number`, `T` to `T?`; nothing else converts.
    """
    if found is expected or isinstance(found, ErrorType) or isinstance(expected, ErrorType):
        return True
    if found == expected:
        return True
    match expected:
        case OptionalType():
            return isinstance(found, NoneType) or fits(present(found), expected.inner)
        case Scalar(kind=ScalarKind.NUMBER):
            return found == INT
        case Scalar(kind=ScalarKind.JSON):
            return not isinstance(found, (AnswererType, NothingType))
        case ListType():
            return isinstance(found, ListType) and fits(found.element, expected.element)
        case MapType():
            return isinstance(found, MapType) and fits(found.value, expected.value)
        case _:
            return False


def with_length(written: Type, found: Sequence[Type]) -> Type:
    """The type of a value as it is written down, of a list with the length that all that may be
    there have: `[T]` says nothing about it, it does not take it away.
    """
    if not isinstance(written, ListType) or written.max_length is not None:
        return written
    most = 0
    for type in found:
        if not isinstance(type, ListType) or type.max_length is None:
            return written
        most = max(most, type.max_length)
    return replace(written, max_length=most) if found else written


def join(first: Type, second: Type) -> Type | None:
    """The type both fit in, or None. It promises only what both promise: a `max` is the larger
    one, a range the wider one, and none where one of them has none.
    """
    if isinstance(first, ErrorType) or isinstance(second, ErrorType):
        return ERROR
    if isinstance(first, (OptionalType, NoneType)) or isinstance(second, (OptionalType, NoneType)):
        if isinstance(first, NoneType) or isinstance(second, NoneType):
            return optional(second if isinstance(first, NoneType) else first)
        inner = join(present(first), present(second))
        return None if inner is None else optional(inner)
    labels = first.labels | second.labels
    match first, second:
        case ListType(), ListType():
            element = join(first.element, second.element)
            most = _larger(first.max_length, second.max_length)
            return None if element is None else ListType(element, most, labels)
        case MapType(), MapType():
            value = join(first.value, second.value)
            most = _larger(first.max_length, second.max_length)
            return None if value is None else MapType(value, most, labels)
        case Scalar(), Scalar() if fits(first, second) or fits(second, first):
            kind = second.kind if fits(first, second) else first.kind
            return Scalar(
                kind,
                max_tokens=_larger(first.max_tokens, second.max_tokens),
                low=None if first.low is None or second.low is None else min(first.low, second.low),
                high=_larger(first.high, second.high),
                patterns=first.patterns if first.patterns == second.patterns else None,
                labels=labels,
                max_pages=_larger(first.max_pages, second.max_pages),
            )
        case _ if fits(second, first):
            return replace(first, labels=labels)
        case _ if fits(first, second):
            return replace(second, labels=labels)
        case _:
            return None


Bound = TypeVar("Bound", int, Decimal)


def _larger(first: Bound | None, second: Bound | None) -> Bound | None:
    return None if first is None or second is None else max(first, second)


def unbounded(type: Scalar) -> Scalar:
    """The kind alone, for values that were computed: nothing is promised about them."""
    return Scalar(type.kind, labels=type.labels)


def keeps_range(found: Type, expected: Type) -> bool:
    """Whether the range of a quantity's type lies inside the one that is expected of it."""
    found, expected = present(found), present(expected)
    if not isinstance(found, Scalar) or not isinstance(expected, Scalar):
        return True
    low = expected.low is None or (found.low is not None and found.low >= expected.low)
    return low and (
        expected.high is None or (found.high is not None and found.high <= expected.high)
    )
