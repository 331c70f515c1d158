"""Values: pydantic models made from a program's types, and checks of what comes in.

A record is a frozen pydantic model, a share or an amount of money an exact `Decimal`, a duration
seconds in `Decimal`, an enum member a text. Nothing is coerced and nothing is cut: what does not
fit is an error with the path to it.
"""

from __future__ import annotations

import copy
import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal, assert_never

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictBool,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    create_model,
)
from pydantic import AfterValidator as After

from pipelang.runtime.patterns import Patterns
from pipelang.semantics.jsonschema import json_schema
from pipelang.semantics.quantities import count_tokens
from pipelang.semantics.types import (
    AnswererType,
    EnumType,
    ErrorType,
    Kind,
    ListType,
    MapType,
    NoneType,
    NothingType,
    OptionalType,
    RecordType,
    Scalar,
    Type,
)


class Misfit(ValueError):
    """A value that does not fit its type. The message names the path and what is wrong with it."""


class Record(BaseModel):
    """What all records of all programs are."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


def _decimal(value: Any) -> Any:
    """Numbers as JSON gives them, exactly as they were written."""
    if isinstance(value, bool):
        raise ValueError("expected a number")
    if isinstance(value, Decimal):
        return value
    if isinstance(value, (int, float)):
        try:
            return Decimal(repr(value))
        except InvalidOperation as error:
            raise ValueError("expected a number") from error
    raise ValueError("expected a number")


def _seconds(value: Any) -> Any:
    if isinstance(value, datetime.timedelta):
        return Decimal(str(value.total_seconds()))
    return _decimal(value)


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise ValueError("expected a number")
    return float(value)


_AS_FLOAT = PlainSerializer(float, return_type=float, when_used="json")


class Types:
    """The pydantic side of a program's types. Made once for a program, then only read."""

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = patterns
        self._models: dict[str, type[BaseModel]] = {}
        self._adapters: dict[int, tuple[Type, TypeAdapter[Any]]] = {}

    def model(self, type: RecordType) -> type[BaseModel]:
        """The model class of a record type."""
        made = self._models.get(type.name)
        if made is None:
            fields: dict[str, Any] = {}
            for field in type.fields:
                annotation = self.annotation(field.type)
                if field.has_default:
                    default = self.check(field.type, copy.deepcopy(field.default))
                    fields[field.name] = (annotation, default)
                elif isinstance(field.type, OptionalType):
                    fields[field.name] = (annotation, None)
                else:
                    fields[field.name] = (annotation, ...)
            made = create_model(type.name, __base__=Record, **fields)
            self._models[type.name] = made
        return made

    def answer_model(self, type: Type) -> type[BaseModel] | None:
        """What a model is asked to fill in: the record itself, a wrapper for anything else, None
        for plain text.
        """
        if isinstance(type, RecordType):
            return self.model(type)
        if isinstance(type, Scalar) and type.kind is Kind.TEXT:
            return None
        key = f"answer {type!r}"
        if key not in self._models:
            self._models[key] = create_model(
                "Answer", __base__=Record, answer=(self.annotation(type), ...)
            )
        return self._models[key]

    def check(self, type: Type, value: Any) -> Any:
        """The value as this type. Raises `Misfit`."""
        known = self._adapters.get(id(type))
        if known is None:
            known = (type, TypeAdapter(self.annotation(type)))
            self._adapters[id(type)] = known
        try:
            return known[1].validate_python(value)
        except ValidationError as error:
            raise Misfit(describe(error)) from None

    def annotation(self, type: Type) -> Any:
        """The annotation by which pydantic checks values of a type."""
        match type:
            case Scalar():
                return self._scalar(type)
            case EnumType():
                return Literal[type.members]
            case RecordType():
                return self.model(type)
            case ListType():
                inner: Any = list[self.annotation(type.element)]  # type: ignore[misc]
                return inner if type.max_length is None else Annotated[
                    inner, Field(max_length=type.max_length)
                ]
            case MapType():
                inner = dict[str, self.annotation(type.value)]  # type: ignore[misc]
                return inner if type.max_length is None else Annotated[
                    inner, Field(max_length=type.max_length)
                ]
            case OptionalType():
                return self.annotation(type.inner) | None
            case NoneType() | NothingType():
                return None
            case ErrorType() | AnswererType():
                return Any
            case _:
                assert_never(type)

    def _scalar(self, type: Scalar) -> Any:
        schema = WithJsonSchema(json_schema(type))
        match type.kind:
            case Kind.TEXT:
                checks = [After(check) for check in self._text_checks(type)]
                return Annotated[(StrictStr, *checks)] if checks else StrictStr
            case Kind.INT | Kind.TOKENS:
                bounds = _bounds(type)
                return Annotated[StrictInt, Field(**bounds)] if bounds else StrictInt
            case Kind.NUMBER:
                bounds = {k: float(v) for k, v in _bounds(type).items()}
                field = Field(allow_inf_nan=False, **bounds)  # type: ignore[arg-type]
                return Annotated[float, BeforeValidator(_number), field]
            case Kind.BOOL:
                return StrictBool
            case Kind.PROBABILITY:
                low = type.low if type.low is not None else Decimal(0)
                high = type.high if type.high is not None else Decimal(1)
                field = Field(ge=low, le=high)
                return Annotated[Decimal, BeforeValidator(_decimal), field, _AS_FLOAT, schema]
            case Kind.MONEY:
                field = Field(**_bounds(type))
                return Annotated[Decimal, BeforeValidator(_decimal), field, _AS_FLOAT, schema]
            case Kind.DURATION:
                field = Field(**_bounds(type))
                return Annotated[Decimal, BeforeValidator(_seconds), field, _AS_FLOAT, schema]
            case Kind.TIME:
                return datetime.datetime
            case Kind.JSON | Kind.RATE:
                return Any
            case _:
                assert_never(type.kind)

    def _text_checks(self, type: Scalar) -> list[Callable[[str], str]]:
        checks: list[Callable[[str], str]] = []
        limit, patterns = type.max_tokens, type.patterns
        if limit is not None:
            most = limit

            def short(text: str) -> str:
                size = count_tokens(text)
                if size > most:
                    raise ValueError(f"text of {size} tokens, at most {most} are allowed")
                return text

            checks.append(short)
        if patterns is not None:
            name = patterns

            def fits(text: str) -> str:
                if not self._patterns.matches(name, text):
                    raise ValueError(f"text that does not match {name}")
                return text

            checks.append(fits)
        return checks


def _bounds(type: Scalar) -> dict[str, Any]:
    bounds = {}
    if type.low is not None:
        bounds["ge"] = type.low
    if type.high is not None:
        bounds["le"] = type.high
    return bounds


def describe(error: ValidationError) -> str:
    """A validation error in a line: path and problem, values left out."""
    parts = []
    for problem in error.errors(include_url=False, include_input=False, include_context=False)[:5]:
        path = ".".join(str(part) for part in problem["loc"]) or "value"
        message = problem["msg"].removeprefix("Value error, ")
        parts.append(f"`{path}`: {message[:1].lower()}{message[1:]}")
    return "; ".join(parts)


def to_json(value: Any) -> Any:
    """A value as plain JSON: records as dicts, decimals as numbers, times as text."""
    if isinstance(value, BaseModel):
        return {name: to_json(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() and abs(value) < 2**53 else float(
            value
        )
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    return value
