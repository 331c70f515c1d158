"""Types as annotations: as a host may hand them in, and as the runtime gives them out."""

from __future__ import annotations

from typing import assert_never

from pipelang.interfaces.export.pyi.names import StubNames
from pipelang.semantics.types import (
    AnswererType,
    EnumType,
    ErrorType,
    ListType,
    MapType,
    NoneType,
    NothingType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
)


def given(names: StubNames, type: Type) -> str:
    """The annotation of an input: JSON's values, exact decimals, records of other results."""
    match type:
        case Scalar():
            return _given_scalar(names, type.kind)
        case EnumType():
            return names.enums[type.name][0]
        case RecordType():
            both = [side[type.name][0] for side in (names.given, names.made) if type.name in side]
            return " | ".join(both)
        case ListType():
            element = given(names, type.element)
            return f"{names.builtin('list')}[{element}] | {names.builtin('tuple')}[{element}, ...]"
        case MapType():
            return f"_Mapping[{names.builtin('str')}, {given(names, type.value)}]"
        case OptionalType():
            return f"{given(names, type.inner)} | None"
        case NoneType() | NothingType():
            return "None"
        case AnswererType() | ErrorType():
            raise AssertionError(type)
        case _:
            assert_never(type)


def _given_scalar(names: StubNames, kind: ScalarKind) -> str:
    match kind:
        case ScalarKind.TEXT:
            return names.builtin("str")
        case ScalarKind.INT | ScalarKind.TOKENS:
            return names.builtin("int")
        case ScalarKind.NUMBER | ScalarKind.PROBABILITY | ScalarKind.MONEY:
            return "_Number"
        case ScalarKind.BOOL:
            return names.builtin("bool")
        case ScalarKind.DURATION:
            return "_Seconds"
        case ScalarKind.TIME:
            return "_Time"
        case ScalarKind.IMAGE | ScalarKind.DOCUMENT:
            return "_Media"
        case ScalarKind.JSON | ScalarKind.RATE:
            return "_typing.Any"
        case _:
            assert_never(kind)


def made(names: StubNames, type: Type) -> str:
    """The annotation of an output of the runtime."""
    match type:
        case Scalar():
            return _made_scalar(names, type.kind)
        case EnumType():
            return names.enums[type.name][0]
        case RecordType():
            return names.made[type.name][0]
        case ListType():
            return f"{names.builtin('list')}[{made(names, type.element)}]"
        case MapType():
            return f"{names.builtin('dict')}[{names.builtin('str')}, {made(names, type.value)}]"
        case OptionalType():
            return f"{made(names, type.inner)} | None"
        case NoneType() | NothingType():
            return "None"
        case AnswererType() | ErrorType():
            raise AssertionError(type)
        case _:
            assert_never(type)


def _made_scalar(names: StubNames, kind: ScalarKind) -> str:
    match kind:
        case ScalarKind.TEXT:
            return names.builtin("str")
        case ScalarKind.INT | ScalarKind.TOKENS:
            return names.builtin("int")
        case ScalarKind.NUMBER:
            return names.builtin("float")
        case ScalarKind.BOOL:
            return names.builtin("bool")
        case ScalarKind.PROBABILITY | ScalarKind.MONEY | ScalarKind.DURATION:
            return "_Decimal"
        case ScalarKind.TIME:
            return "_datetime.datetime"
        case ScalarKind.IMAGE | ScalarKind.DOCUMENT:
            return "_pipelang.Media"
        case ScalarKind.JSON | ScalarKind.RATE:
            return "_typing.Any"
        case _:
            assert_never(kind)
