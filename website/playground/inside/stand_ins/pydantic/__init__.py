"""Stands in for pydantic on the playground's page, where its compiled half is missing.

It has what `pipelang.runtime.engine.values` and its neighbours ask for, and checks as they do:
strict scalars, lists, maps, optional values, records with defaults and outer names. Anything else
raises NotImplementedError. `tests/docs/test_playground.py` compares it with pydantic itself.
"""

from __future__ import annotations

import datetime
import types
import typing
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, Union

Handler = Callable[[Any], Any]


class ValidationError(ValueError):
    """A value that does not fit, with its problems."""

    def __init__(self, problems: list[dict[str, Any]]) -> None:
        super().__init__("; ".join(problem["msg"] for problem in problems))
        self._problems = problems

    def errors(self, **_: bool) -> list[dict[str, Any]]:
        """The problems: `loc`, `msg`, `type`."""
        return self._problems


class _Marks:
    def __init__(self, function: Callable[..., Any] | None = None, **options: Any) -> None:
        self.func = function
        self.options = options


class AfterValidator(_Marks):
    """A function that a value is passed to once it fits."""


class BeforeValidator(_Marks):
    """A function that a value is passed to before it is looked at."""


class PlainSerializer(_Marks):
    """How a value is written; nothing is written here."""


class WithJsonSchema(_Marks):
    """A schema to show; none is shown here."""

    def __init__(self, schema: Any, **options: Any) -> None:
        super().__init__(None, schema=schema, **options)


class FieldInfo:
    """What is said of a field beside its type."""

    def __init__(self, annotation: Any = None, default: Any = ..., **options: Any) -> None:
        self.annotation = annotation
        self.default = default
        self.alias: str | None = options.get("alias")
        self.options = options


def Field(default: Any = ..., **options: Any) -> FieldInfo:
    """What is said of a field."""
    return FieldInfo(None, default, **options)


def ConfigDict(**options: Any) -> dict[str, Any]:
    """The configuration of a model."""
    return options


def model_validator(*, mode: str) -> Callable[[Any], Any]:
    """Mark a function as a validator of whole records."""

    def marked(function: Any) -> Any:
        return _Validator(mode, function)

    return marked


class _Validator:
    def __init__(self, mode: str, function: Any) -> None:
        self.mode = mode
        self.function = function.__func__ if isinstance(function, classmethod) else function
        self.of_class = isinstance(function, classmethod)

    def call(self, cls: type, value: Any, *rest: Any) -> Any:
        return self.function(cls, value, *rest) if self.of_class else self.function(value, *rest)


GetJsonSchemaHandler = SerializationInfo = Any
StrictStr, StrictInt, StrictBool = (Annotated[one, "strict"] for one in (str, int, bool))


class BaseModel:
    """The base of records."""

    model_config: typing.ClassVar[dict[str, Any]] = {}
    __pydantic_fields__: typing.ClassVar[dict[str, FieldInfo]] = {}
    _validators: typing.ClassVar[tuple[_Validator, ...]] = ()

    def __init_subclass__(cls, **_: Any) -> None:
        own = vars(cls)
        cls.model_config = {**super(cls, cls).model_config, **own.get("model_config", {})}
        found = [value for value in own.values() if isinstance(value, _Validator)]
        cls._validators = (*super(cls, cls)._validators, *found)
        if not own.get("_made"):
            fields = {
                name: _field(annotation, own.get(name, ...))
                for name, annotation in typing.get_type_hints(cls, include_extras=True).items()
                if name in own.get("__annotations__", {})
                and typing.get_origin(annotation) is not typing.ClassVar
            }
            cls.__pydantic_fields__ = {**super(cls, cls).__pydantic_fields__, **fields}

    def __init__(self, **given: Any) -> None:
        made = type(self).model_validate(given)
        vars(self).update(vars(made))

    @classmethod
    def model_validate(cls, value: Any) -> Any:
        """A record from a mapping or an instance. Raises ValidationError."""
        return _checked(cls, value)

    def model_dump(self, **_: Any) -> dict[str, Any]:
        """The fields, with records as dicts."""
        return {name: _dumped(getattr(self, name)) for name in type(self).__pydantic_fields__}

    def __setattr__(self, name: str, value: Any) -> None:
        if self.model_config.get("frozen"):
            raise ValidationError([_problem((name,), "Instance is frozen", "frozen_instance")])
        super().__setattr__(name, value)

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((type(self), *vars(self).values()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in vars(self).items())})"


def create_model(
    name: str, *, __base__: Any = BaseModel, __validators__: Any = None, **fields: Any
) -> Any:
    """A class of records with these fields, each a pair of annotation and default (`...`: none)."""
    own = {field: _field(*pair) for field, pair in fields.items()}
    made = {**__base__.__pydantic_fields__, **own}
    return type(
        name, (__base__,), {"_made": True, "__pydantic_fields__": made, **(__validators__ or {})}
    )


class TypeAdapter:
    """The check of a type."""

    def __init__(self, annotation: Any) -> None:
        self._annotation = annotation

    def __class_getitem__(cls, _: Any) -> Any:
        return cls

    def validate_python(self, value: Any) -> Any:
        """The value as this type. Raises ValidationError."""
        problems: list[dict[str, Any]] = []
        made = _tried(_check_of(self._annotation), value, (), problems)
        if problems:
            raise ValidationError(problems)
        return made


# ------------------------------------------------------------------------------------- checking


class _Bad(Exception):
    def __init__(self, problems: list[dict[str, Any]]) -> None:
        super().__init__()
        self.problems = problems


def _problem(place: tuple[Any, ...], message: str, kind: str) -> dict[str, Any]:
    return {"loc": place, "msg": message, "type": kind}


def _bad(message: str, kind: str) -> _Bad:
    return _Bad([_problem((), message, kind)])


def _tried(
    check: Handler, value: Any, place: tuple[Any, ...], problems: list[dict[str, Any]]
) -> Any:
    try:
        return check(value)
    except _Bad as bad:
        problems += [{**one, "loc": (*place, *one["loc"])} for one in bad.problems]
    except ValidationError as bad:
        problems += [{**one, "loc": (*place, *one["loc"])} for one in bad.errors()]
    except ValueError as bad:
        problems.append(_problem(place, f"Value error, {bad}", "value_error"))
    return None


def _field(annotation: Any, default: Any = ...) -> FieldInfo:
    marks = [m for m in getattr(annotation, "__metadata__", ()) if isinstance(m, FieldInfo)]
    alias = next((mark.alias for mark in marks if mark.alias), None)
    return FieldInfo(annotation, default, alias=alias)


def _dumped(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump()
    if isinstance(value, list):
        return [_dumped(one) for one in value]
    return {k: _dumped(v) for k, v in value.items()} if isinstance(value, dict) else value


_KNOWN: dict[int, tuple[Any, Handler]] = {}


def _check_of(annotation: Any) -> Handler:
    known = _KNOWN.get(id(annotation))
    if known is None:
        known = _KNOWN[id(annotation)] = (annotation, _make_check(annotation))
    return known[1]


def _make_check(annotation: Any) -> Handler:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation is Any:
        return lambda value: value
    if annotation is None or annotation is type(None):
        return _exactly_none
    if hasattr(annotation, "__metadata__"):
        plain = annotation.__origin__
        is_list = typing.get_origin(plain) is list
        return _marked(_check_of(plain), annotation.__metadata__, is_list)
    if origin is Literal:
        return _one_of(arguments)
    if origin is list:
        return _list_of(_check_of(arguments[0]))
    if origin is dict:
        return _dict_of(*map(_check_of, arguments))
    if origin in (Union, types.UnionType):
        (inner,) = (one for one in arguments if one is not type(None))
        check = _check_of(inner)
        return lambda value: None if value is None else check(value)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return lambda value: _checked(annotation, value)
    if annotation in _SCALARS:
        return _scalar(*_SCALARS[annotation])
    raise NotImplementedError(f"the playground's stand-in for pydantic does not know {annotation}")


def _marked(check: Handler, marks: tuple[Any, ...], is_list: bool) -> Handler:
    for mark in marks:
        check = _with(check, mark, is_list)
    return check


def _with(check: Handler, mark: Any, is_list: bool) -> Handler:
    if isinstance(mark, AfterValidator):
        return lambda value: mark.func(check(value))
    if isinstance(mark, BeforeValidator):
        return lambda value: check(mark.func(value))
    most = mark.options.get("max_length") if isinstance(mark, FieldInfo) else None
    return check if most is None else lambda value: _short(check, value, most, is_list)


def _short(check: Handler, value: Any, most: int, is_list: bool) -> Any:
    """A list is counted before its elements are looked at, a map after."""
    items = "item" if most == 1 else "items"
    if is_list and isinstance(value, (list, tuple)) and len(value) > most:
        message = f"List should have at most {most} {items} after validation, not {len(value)}"
        raise _bad(message, "too_long")
    made = check(value)
    if not is_list and len(made) > most:
        message = f"Dictionary should have at most {most} {items} after validation, not more"
        raise _bad(message, "too_long")
    return made


_SCALARS: dict[Any, tuple[type, str, str]] = {
    str: (str, "Input should be a valid string", "string_type"),
    int: (int, "Input should be a valid integer", "int_type"),
    bool: (bool, "Input should be a valid boolean", "bool_type"),
    float: (float, "Input should be a valid number", "float_type"),
    Decimal: (Decimal, "Decimal input should be an integer, float, string or Decimal", "decimal"),
    datetime.datetime: (datetime.datetime, "Input should be a valid datetime", "datetime_type"),
}


def _scalar(kind: type, message: str, name: str) -> Handler:
    def check(value: Any) -> Any:
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            raise _bad(message, name)
        if kind is float and value - value != 0:
            raise _bad("Input should be a finite number", "finite_number")
        return value

    return check


def _exactly_none(value: Any) -> None:
    if value is not None:
        raise _bad("Input should be None", "none_required")


def _one_of(members: tuple[Any, ...]) -> Handler:
    *first, last = (repr(member) for member in members)
    words = f"{', '.join(first)} or {last}" if first else last

    def check(value: Any) -> Any:
        if isinstance(value, str) and not _is_unicode(value):
            raise _bad(NO_UNICODE, "string_unicode")
        if not any(value.__class__ is one.__class__ and value == one for one in members):
            raise _bad(f"Input should be {words}", "literal_error")
        return value

    return check


NO_UNICODE = "Input should be a valid string, unable to parse raw data as a unicode string"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _list_of(check: Handler) -> Handler:
    def checked(value: Any) -> list[Any]:
        if not isinstance(value, (list, tuple)):
            raise _bad("Input should be a valid list", "list_type")
        problems: list[dict[str, Any]] = []
        made = [_tried(check, one, (place,), problems) for place, one in enumerate(value)]
        if problems:
            raise _Bad(problems)
        return made

    return checked


def _dict_of(key: Handler, item: Handler) -> Handler:
    def checked(value: Any) -> dict[Any, Any]:
        if not isinstance(value, Mapping):
            raise _bad("Input should be a valid dictionary", "dict_type")
        problems: list[dict[str, Any]] = []
        made = {
            _tried(key, name, (name, "[key]"), problems): _tried(item, one, (name,), problems)
            for name, one in value.items()
        }
        if problems:
            raise _Bad(problems)
        return made

    return checked


def _checked(cls: type[BaseModel], value: Any) -> Any:
    """A record, by its validators from the outermost, which was declared last, to its fields."""
    check: Handler = lambda given: _record(cls, given)  # noqa: E731
    for validator in cls._validators:
        check = _validated(cls, validator, check)
    problems: list[dict[str, Any]] = []
    made = _tried(check, value, (), problems)
    if problems:
        raise ValidationError(problems)
    return made


def _validated(cls: type[BaseModel], validator: _Validator, inner: Handler) -> Handler:
    if validator.mode == "before":
        return lambda value: inner(validator.call(cls, value))
    if validator.mode == "wrap":
        return lambda value: validator.call(cls, value, inner)
    raise NotImplementedError(f"a validator of the mode {validator.mode}")


def _record(cls: type[BaseModel], value: Any) -> Any:
    if isinstance(value, cls):
        value = vars(value)
    if not isinstance(value, Mapping):
        message = f"Input should be a valid dictionary or instance of {cls.__name__}"
        raise _bad(message, "model_type")
    left = dict(value)
    problems: list[dict[str, Any]] = []
    made: dict[str, Any] = {}
    by_name = cls.model_config.get("populate_by_name", False)
    for name, field in cls.__pydantic_fields__.items():
        key = field.alias or name
        if key not in left and by_name and name in left:
            key = name
        if key in left:
            made[name] = _tried(_check_of(field.annotation), left.pop(key), (key,), problems)
        elif field.default is ...:
            problems.append(_problem((key,), "Field required", "missing"))
        else:
            made[name] = _copied(field.default)
    if cls.model_config.get("extra") == "forbid":
        problems += [_unknown_key(key) for key in left]
    if problems:
        raise _Bad(problems)
    record = object.__new__(cls)
    vars(record).update(made)
    return record


def _unknown_key(key: Any) -> dict[str, Any]:
    if not isinstance(key, str):
        return _problem((str(key),), "Keys should be strings", "invalid_key")
    return _problem((key,), "Extra inputs are not permitted", "extra_forbidden")


def _copied(value: Any) -> Any:
    if isinstance(value, list):
        return [_copied(one) for one in value]
    return {k: _copied(v) for k, v in value.items()} if isinstance(value, dict) else value
