"""Values: pydantic models made from a program's types, and checks of what comes in.

A record is a frozen pydantic model, a share or an amount of money an exact `Decimal`, a duration
seconds in `Decimal`, an enum member a text. Nothing is coerced and nothing is cut: what does not
fit is an error with the path to it.
"""

from __future__ import annotations

import copy
import datetime
import math
import threading
import warnings
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Literal, Self, assert_never

from pydantic import AfterValidator as After
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    PlainSerializer,
    SerializationInfo,
    StrictBool,
    StrictInt,
    StrictStr,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    create_model,
    model_validator,
)
from pydantic.functional_validators import ModelWrapValidatorHandler
from pydantic.json_schema import JsonSchemaValue

from pipelang.runtime.engine.misfits import Misfit as Misfit
from pipelang.runtime.engine.misfits import (
    describe,
    out_of_range,
    text_too_long,
    text_without_match,
    without_nulls,
)
from pipelang.runtime.media.annotation import medium_annotation
from pipelang.runtime.media.medium import Media
from pipelang.semantics.jsonschema import bounds, json_schema, quantity_in_words
from pipelang.semantics.patterns import Patterns
from pipelang.semantics.quantities import text_tokens
from pipelang.semantics.types import (
    BOOL,
    AnswererType,
    EnumType,
    ErrorType,
    ListType,
    MapType,
    NoneType,
    NothingType,
    OptionalType,
    RecordField,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
)


class Record(BaseModel):
    """The base of the models of all record types. An instance that is handed in is validated again:
    its lists can be changed, and it may have been made without checks.
    """

    __wire_schema__: ClassVar[dict[str, Any] | None] = None
    """The JSON Schema that a model is shown; pydantic would leave out units, limits and docs."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        arbitrary_types_allowed=True,
        revalidate_instances="always",
        populate_by_name=True,
    )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: Any, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        if cls.__wire_schema__ is None:
            return handler(core_schema)
        return copy.deepcopy(cls.__wire_schema__)


class OuterRecord(Record):
    """The base of models with outer names: JSON has these, never the names of the program."""

    model_config = ConfigDict(populate_by_name=False)

    @model_validator(mode="wrap")
    @classmethod
    def _by_outer_names(cls, value: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Validate; an instance again, which pydantic would take by its attributes' names."""
        if isinstance(value, cls):
            fields = cls.__pydantic_fields__
            value = {field.alias or name: getattr(value, name) for name, field in fields.items()}
        return validate(value)


DEEPEST = 100
"""Levels to which a `json` value may be nested."""

HIDDEN = "[secret]"
"""Replaces a value that is labelled `secret` in traces and handoffs."""


def attribute(name: str) -> str:
    """The Python name of a record's field: its own, unless that would break pydantic."""
    return f"field_{name}" if name.startswith(("_", "model_")) else name


def field_of(value: Any, name: str) -> Any:
    """A field of a record, or a part of a JSON value; None if it has none of this name."""
    if isinstance(value, BaseModel):
        return getattr(value, attribute(name))
    return value.get(name) if isinstance(value, Mapping) else None


def _unicode(text: str) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("text that is not valid Unicode") from None
    return text


def _decimal(value: Any) -> Any:
    """Numbers as JSON gives them, exactly as they were written."""
    if not math.isfinite(_number(value)):
        raise ValueError("expected a finite number")
    return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)


def _seconds(value: Any) -> Any:
    if isinstance(value, datetime.timedelta):
        return Decimal(value // _MICROSECOND) / 1_000_000
    return _decimal(value)


_MICROSECOND = datetime.timedelta(microseconds=1)


def _duration_in_json(value: Any, info: SerializationInfo) -> Any:
    """A duration of a record: seconds in JSON, as it is in Python."""
    return float(_seconds(value)) if info.mode_is_json() else value


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise ValueError("expected a number")
    try:
        return float(value)
    except OverflowError:
        raise ValueError("number that is too large") from None


def _whole(value: int) -> int:
    _number(value)  # where a number is expected an int may stand, so each must fit into one
    return value


def _time(value: Any) -> Any:
    if isinstance(value, str):
        try:
            value = datetime.datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, datetime.datetime) or value.utcoffset() is None:
        raise ValueError("expected a time with its offset, such as 2026-11-21T09:30:00Z")
    return value


def _list(value: Any) -> Any:
    if not isinstance(value, (list, tuple)):
        raise ValueError("expected a list")
    return value


def _json(value: Any, left: int = DEEPEST) -> Any:
    """A copy of a JSON value, so that nobody outside can change it. Typed values become JSON."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _unicode(value)
    if isinstance(value, int):
        return _whole(value)
    if isinstance(value, (float, Decimal)):
        if not math.isfinite(value):
            raise ValueError("number that is not finite")
        return to_json(value)
    if left == 0:
        raise ValueError(f"nested deeper than {DEEPEST}")
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("a key that is no text")
        return {_unicode(key): _json(item, left - 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_json(item, left - 1) for item in value]
    if isinstance(value, (BaseModel, datetime.datetime, Media)):
        return to_json(value)
    raise ValueError(f"expected JSON, found a `{type(value).__name__}`")


def _float_in_json(value: Any) -> float:
    return float(value)  # not the class itself: its signature is a text that pydantic would parse


_AS_SECONDS = PlainSerializer(_duration_in_json)
_AS_FLOAT = PlainSerializer(_float_in_json, return_type=float, when_used="json")


class Types:
    """The pydantic side of a program's types. Made once for a program, then only read."""

    def __init__(self, patterns: Patterns) -> None:
        self._patterns = patterns
        self.patterns = patterns.sources
        self._models: dict[str, type[BaseModel]] = {}
        self._making = threading.RLock()  # two classes for one record would not fit each other
        self._checks: dict[int, tuple[Type, Callable[[Any], Any]]] = {}

    def model(self, type: RecordType) -> type[BaseModel]:
        """The model class of a record type."""
        with self._making:
            made = self._models.get(type.name)
            if made is None:
                made = self._models[type.name] = self._create(type)
        return made

    def _create(self, type: RecordType) -> type[BaseModel]:
        fields: dict[str, Any] = {}
        for field in type.fields:
            annotation = self.annotation(field.type)
            name = attribute(field.name)
            if name != field.key:
                annotation = Annotated[annotation, Field(alias=field.key)]
            if field.has_default:
                fields[name] = (annotation, self.check(field.type, copy.deepcopy(field.default)))
            elif isinstance(field.type, OptionalType):
                fields[name] = (annotation, None)
            else:
                fields[name] = (annotation, ...)
        with warnings.catch_warnings():
            # A field may be called `copy` or `schema`; we never use what it hides.
            warnings.filterwarnings("ignore", "Field name .* shadows", UserWarning)
            outer = any(field.outer is not None for field in type.fields)
            base = OuterRecord if outer else Record
            model = create_model(type.name, __base__=base, **fields)
        model.__wire_schema__ = json_schema(type, self.patterns)
        return model

    def answer_model(self, type: Type) -> type[BaseModel] | None:
        """The class that a model is asked to fill in: the record's, a wrapper for any other type,
        None for plain text.
        """
        if isinstance(type, Scalar) and type.kind is ScalarKind.TEXT:
            return None
        key = f"answer {type!r}"
        with self._making:
            made = self._models.get(key)
            if made is None:
                made = self._models[key] = self._answer_model(type)
        return made

    def _answer_model(self, type: Type) -> type[BaseModel]:
        if isinstance(type, RecordType):
            record, base = type, self.model(type)
        else:
            record = RecordType("Answer", (RecordField("answer", type),))
            base = self._create(record)

        def with_defaults(value: Any) -> Any:
            return without_nulls(record, value)

        validators: Any = {"with_defaults": model_validator(mode="before")(with_defaults)}
        return create_model(record.name, __base__=base, __validators__=validators)

    def check(self, type: Type, value: Any) -> Any:
        """The value as this type. Raises `Misfit`."""
        return self.checker(type)(value)

    def checker(self, type: Type) -> Callable[[Any], Any]:
        """The check of a type: a function from a value to that value as this type. It raises
        `Misfit`.
        """
        known = self._checks.get(id(type))
        if known is None:
            known = self._checks[id(type)] = (
                type,
                _check(type, TypeAdapter(self.annotation(type))),
            )
        return known[1]

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
                most = Field(max_length=type.max_length)
                element = self.annotation(type.element)
                return Annotated[list[element], most, BeforeValidator(_list)]  # type: ignore[valid-type]
            case MapType():
                most = Field(max_length=type.max_length)
                key, value = Annotated[StrictStr, After(_unicode)], self.annotation(type.value)
                return Annotated[dict[key, value], most]  # type: ignore[valid-type]
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
            case ScalarKind.TEXT:
                checks = [After(check) for check in (_unicode, *self._text_checks(type))]
                return Annotated[(StrictStr, *checks)]
            case ScalarKind.INT | ScalarKind.TOKENS:
                return Annotated[StrictInt, After(_whole), *_bounds(type), schema]
            case ScalarKind.NUMBER:
                read, finite = BeforeValidator(_number), Field(allow_inf_nan=False)
                return Annotated[float, read, finite, *_bounds(type), schema]
            case ScalarKind.BOOL:
                return StrictBool
            case ScalarKind.PROBABILITY | ScalarKind.MONEY:
                read = BeforeValidator(_decimal)
                return Annotated[Decimal, read, *_bounds(type), _AS_FLOAT, schema]
            case ScalarKind.DURATION:
                read = BeforeValidator(_seconds)
                return Annotated[Decimal, read, *_bounds(type), _AS_SECONDS, schema]
            case ScalarKind.TIME:
                return Annotated[datetime.datetime, BeforeValidator(_time)]
            case ScalarKind.IMAGE | ScalarKind.DOCUMENT:
                return medium_annotation(type)
            case ScalarKind.JSON | ScalarKind.RATE:
                return Annotated[Any, BeforeValidator(_json)]
            case _:
                assert_never(type.kind)

    def _text_checks(self, type: Scalar) -> list[Callable[[str], str]]:
        checks: list[Callable[[str], str]] = []
        limit, patterns = type.max_tokens, type.patterns
        if limit is not None:
            most = limit

            def short(text: str) -> str:
                size = text_tokens(text)
                if size > most:
                    raise ValueError(text_too_long(size, most))
                return text

            checks.append(short)
        if patterns is not None:
            name = patterns

            def fits(text: str) -> str:
                if not self._patterns.matches(name, text):
                    raise ValueError(text_without_match(name, self.patterns[name]))
                return text

            checks.append(fits)
        return checks


def _plain(type: Type) -> type | None:
    """The Python class whose values fit a type without validation, None if there is none."""
    if not isinstance(type, Scalar) or type.low is not None or type.high is not None:
        return None
    match type.kind:
        case ScalarKind.INT | ScalarKind.TOKENS:
            return int
        case ScalarKind.BOOL:
            return bool
        case ScalarKind.TEXT if type.max_tokens is None and type.patterns is None:
            return str
        case _:
            return None


def _check(type: Type, adapter: TypeAdapter[Any]) -> Callable[[Any], Any]:
    plain, validate = _plain(type), adapter.validate_python

    def check(value: Any) -> Any:
        # Plain values need no validation: ASCII, or an int that a float holds.
        kind = value.__class__
        if kind is plain and (
            -(2**53) < value < 2**53 if plain is int else plain is bool or value.isascii()
        ):
            return value
        try:
            return validate(value)
        except ValidationError as error:
            raise Misfit(describe(error)) from None
        except Exception as error:  # an object of foreign code that raises when it is read
            raise Misfit(f"it cannot be read: {error.__class__.__name__}") from error

    return check


def _bounds(type: Scalar) -> tuple[Any, ...]:
    """The check of a quantity's range. Comparing is exact."""
    low, high = bounds(type)
    if low is None and high is None:
        return ()

    def in_range(value: Any) -> Any:
        exact = _decimal(value)
        if (low is not None and exact < low) or (high is not None and exact > high):
            raise ValueError(out_of_range(quantity_in_words(type)))
        return value

    return (After(in_range),)


_AS_IT_IS = frozenset({str, int, float, bool, type(None)})


def to_json(value: Any) -> Any:
    """A value as plain JSON: records as dicts, decimals as numbers, times as text."""
    if value.__class__ in _AS_IT_IS:  # asked first: pydantic's `isinstance` is slow
        return value
    if isinstance(value, BaseModel):
        fields = type(value).__pydantic_fields__
        return {
            field.alias or name: to_json(getattr(value, name)) for name, field in fields.items()
        }
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value() and abs(value) < 2**53
        return int(value) if whole else float(value)
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, datetime.timedelta):
        return to_json(_seconds(value))
    return value.as_json() if isinstance(value, Media) else value


def shown(type: Type, value: Any) -> Any:
    """A value as JSON for traces, handoffs and people; values labelled `secret` are hidden."""
    if value is None:
        return None
    if "secret" in type.labels:
        return HIDDEN
    if value.__class__ in _AS_IT_IS:
        return value
    match type:
        case RecordType() if isinstance(value, BaseModel):
            return {
                field.key: shown(field.type, getattr(value, attribute(field.name)))
                for field in type.fields
            }
        case ListType() if isinstance(value, list):
            return [shown(type.element, item) for item in value]
        case MapType() if isinstance(value, dict):
            return {key: shown(type.value, item) for key, item in value.items()}
        case OptionalType():
            return shown(type.inner, value)
        case _:
            return to_json(value)


def traced_subject(type: Type, value: Any, patterns: Iterable[tuple[Any, ...] | None]) -> Any:
    """The value that chose an arm, for a trace without content: as JSON if the program itself names
    it, else a placeholder.
    """
    named = any(taken is not None and value in taken for taken in patterns)
    closed = isinstance(type, EnumType) or type == BOOL
    return to_json(value) if named or closed else "something else"
