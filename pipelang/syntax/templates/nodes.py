"""The tree of a template. `line` counts from 1 in the template's text."""

from __future__ import annotations

from typing import TypeAlias

from pipelang.records import dataclass


@dataclass(frozen=True, slots=True)
class TemplateVariable:
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class TemplateConst:
    """A literal: a text, a number, true, false, or none."""

    value: str | int | float | bool | None
    line: int


@dataclass(frozen=True, slots=True)
class TemplateAttribute:
    """`target.name`."""

    target: TemplateExpr
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class TemplateItem:
    """`target[key]`, and `target.0`."""

    target: TemplateExpr
    key: TemplateExpr
    line: int


@dataclass(frozen=True, slots=True)
class TemplateFilter:
    """`target|name(arguments)`. `named` are the named arguments, and without a name the starred."""

    target: TemplateExpr
    name: str
    arguments: tuple[TemplateExpr, ...]
    named: tuple[tuple[str | None, TemplateExpr], ...]
    line: int


@dataclass(frozen=True, slots=True)
class TemplateTest:
    """`target is name(arguments)`, arguments of all kinds."""

    target: TemplateExpr
    name: str
    arguments: tuple[TemplateExpr, ...]
    line: int


@dataclass(frozen=True, slots=True)
class TemplateCall:
    """A call, of whatever: no template may call anything."""

    line: int


@dataclass(frozen=True, slots=True)
class TemplateChoice:
    """`then if test else otherwise`."""

    test: TemplateExpr
    then: TemplateExpr
    otherwise: TemplateExpr | None
    line: int


@dataclass(frozen=True, slots=True)
class TemplateOperation:
    """An operator over its operands, in order. `word` is its sign (`+`, `-` also of one operand),
    `and`, `or`, `not`, `compare` for a row of comparisons, or what brackets make: `tuple`, `list`,
    `dict` (keys and values in turn), `slice` (its bounds that are there).
    """

    word: str
    parts: tuple[TemplateExpr, ...]
    line: int


TemplateExpr: TypeAlias = (
    TemplateVariable
    | TemplateConst
    | TemplateAttribute
    | TemplateItem
    | TemplateFilter
    | TemplateTest
    | TemplateCall
    | TemplateChoice
    | TemplateOperation
)


@dataclass(frozen=True, slots=True)
class TemplateData:
    """Text that stands in the prompt as it is."""

    text: str


@dataclass(frozen=True, slots=True)
class TemplateOutput:
    """`{{ value }}`."""

    value: TemplateExpr


@dataclass(frozen=True, slots=True)
class TemplateIf:
    """`arms` are the tests of `if` and each `elif`, with what stands behind them."""

    arms: tuple[tuple[TemplateExpr, TemplateBody], ...]
    otherwise: TemplateBody
    line: int


@dataclass(frozen=True, slots=True)
class TemplateFor:
    """`names` are those of the element or of its parts, None for a part that is taken apart again.

    `unpacks` says that the element is taken apart.
    """

    names: tuple[str | None, ...]
    unpacks: bool
    over: TemplateExpr
    test: TemplateExpr | None
    body: TemplateBody
    otherwise: TemplateBody
    line: int


@dataclass(frozen=True, slots=True)
class TemplateSet:
    """`{% set name = value %}`."""

    name: str
    value: TemplateExpr
    line: int


@dataclass(frozen=True, slots=True)
class TemplateOther:
    """A statement of Jinja2 that no prompt may have, by its word."""

    word: str
    line: int


TemplateNode: TypeAlias = (
    TemplateData | TemplateOutput | TemplateIf | TemplateFor | TemplateSet | TemplateOther
)
TemplateBody: TypeAlias = tuple[TemplateNode, ...]
