"""`dataclass`, `field` and `replace` of the standard library, made when they are first needed.

The library's decorator writes and compiles the methods of a class when its module is imported, half
a millisecond a class. pipelang has 300 of them, and a check of a small file makes a few instances
of each: its imports took longer than its work. Here methods are shared functions, and `__init__` is
compiled once a class is made often. What is compiled stores through the slots, twice as fast as the
library's for frozen classes, which a parser of 20,000 lines notices.

Type checkers see the library's names. Not there, because nobody needs it: inheritance among these
classes, `InitVar`, `ClassVar`, `__post_init__`, `order`, and classes without slots.
"""

from __future__ import annotations

from operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MISSING: Any = object()


class _Field:
    """One field of a record: its default and its place."""

    __slots__ = ("compare", "default", "factory", "repr")

    def __init__(self, default: Any, factory: Any, compare: bool, repr: bool) -> None:
        self.default = default
        self.factory = factory
        self.compare = compare
        self.repr = repr


def _field(
    *,
    default: Any = _MISSING,
    default_factory: Any = _MISSING,
    compare: bool = True,
    repr: bool = True,
) -> Any:
    return _Field(default, default_factory, compare, repr)


def _dataclass(
    *, slots: bool, frozen: bool = False, eq: bool = True, weakref_slot: bool = False
) -> Callable[[type[Any]], type[Any]]:
    if not slots:
        raise TypeError("a dataclass of pipelang.records has slots")

    def decorate(plain: type[Any]) -> type[Any]:
        if plain.__bases__ != (object,):
            raise TypeError(f"{plain.__name__}: a dataclass of pipelang.records inherits nothing")
        return _made(plain, frozen, eq, weakref_slot)

    return decorate


def _made(plain: type[Any], frozen: bool, eq: bool, weakref_slot: bool) -> type[Any]:
    """The class again, with slots and methods."""
    body = dict(plain.__dict__)
    del body["__dict__"], body["__weakref__"]
    fields: dict[str, _Field] = {}
    for name in plain.__annotations__:
        given = body.pop(name, _MISSING)
        fields[name] = given if isinstance(given, _Field) else _Field(given, _MISSING, True, True)
        if fields[name].default.__class__.__hash__ is None:
            raise ValueError(f"{plain.__name__}.{name}: a mutable default; use default_factory")
    names = tuple(fields)
    body |= {"__slots__": names, "__match_args__": names, "__dataclass_fields__": _FIELDS}
    body |= {"__qualname__": plain.__qualname__, "_record_fields": fields}
    body["_record_values"] = staticmethod(_values(names))
    body.setdefault("__repr__", _repr)
    if eq:
        compared = _getter([name for name in names if fields[name].compare])
        body.setdefault("__eq__", _equals(compared))
        body["__hash__"] = _hash(compared) if frozen else None
        if frozen:
            body["__slots__"] = (*names, "_hashed")
    if weakref_slot:
        body["__slots__"] = (*body["__slots__"], "__weakref__")
    if frozen:
        body |= {"__setattr__": _refuse, "__delattr__": _refuse}
        body |= {"__getstate__": _state, "__setstate__": _restore}
    made = type(plain.__name__, (), body)
    made.__init__ = _first_init(made, frozen)  # type: ignore[misc]
    return made


def _values(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that gives the values of all fields, as a tuple however many there are."""
    if len(names) == 1:
        only = attrgetter(names[0])
        return lambda one: (only(one),)
    return _getter(list(names))


def _getter(names: list[str]) -> Callable[[Any], Any]:
    return attrgetter(*names) if names else lambda one: ()


def _equals(compared: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    def __eq__(self: Any, other: Any) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or compared(self) == compared(other)

    return __eq__


def _hash(compared: Callable[[Any], Any]) -> Callable[[Any], int]:
    """A `__hash__` that is worked out once for every instance. Where parts are shared, as `let`s
    share expressions, going through all of them each time would double with every level.
    """

    def __hash__(self: Any) -> int:
        try:
            known: int = self._hashed
        except AttributeError:
            known = hash(compared(self))
            object.__setattr__(self, "_hashed", known)
        return known

    return __hash__


FEW = 20
"""Instances until an `__init__` is compiled, which takes as long as making some 40."""


def _first_init(made: Any, frozen: bool) -> Callable[..., None]:
    """An `__init__` that reads the fields, and after a few calls puts a compiled one in its place.

    What does not fit the fields is left to the compiled one as well, which refuses it as always.
    """
    fields = made._record_fields
    setters = {name: getattr(made, name).__set__ for name in fields}
    left = FEW

    def __init__(self: Any, *positional: Any, **named: Any) -> None:
        nonlocal left
        left -= 1
        given = dict(zip(fields, positional, strict=False)) | named
        if (
            left > 0
            and len(given) == len(positional) + len(named)
            and given.keys() <= setters.keys()
        ):
            for name, field in fields.items():
                if name in given:
                    value = given[name]
                elif field.factory is not _MISSING:
                    value = field.factory()
                elif field.default is not _MISSING:
                    value = field.default
                else:
                    break
                setters[name](self, value)
            else:
                return
        made.__init__ = _compiled_init(made, frozen)
        made.__init__(self, *positional, **named)

    return __init__


def _compiled_init(made: Any, frozen: bool) -> Callable[..., None]:
    known: dict[str, Any] = {"_MISSING": _MISSING}
    heads, lines = ["self"], []
    for name, field in made._record_fields.items():
        value = name
        if field.factory is not _MISSING:
            known[f"_new_{name}"] = field.factory
            heads.append(f"{name}=_MISSING")
            value = f"_new_{name}() if {name} is _MISSING else {name}"
        elif field.default is not _MISSING:
            known[f"_default_{name}"] = field.default
            heads.append(f"{name}=_default_{name}")
        else:
            heads.append(name)
        if frozen:
            known[f"_set_{name}"] = getattr(made, name).__set__
            lines.append(f" _set_{name}(self, {value})")
        else:
            lines.append(f" self.{name} = {value}")
    code = f"def __init__({', '.join(heads)}):\n" + ("\n".join(lines) or " pass")
    exec(code, known)
    init: Callable[..., None] = known["__init__"]
    init.__qualname__ = f"{made.__qualname__}.__init__"
    init.__module__ = made.__module__
    return init


def _repr(self: Any) -> str:
    shown = (
        f"{name}={getattr(self, name)!r}"
        for name, field in self._record_fields.items()
        if field.repr
    )
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse(self: Any, name: str, *value: Any) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot {'assign to' if value else 'delete'} field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self._record_fields]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(self._record_fields, state, strict=True):
        object.__setattr__(self, name, value)


class _LibraryFields:
    """`__dataclass_fields__` for who asks the library's functions: `asdict`, `is_dataclass`."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        import dataclasses

        given: list[Any] = []
        for name, one in owner._record_fields.items():
            options: dict[str, Any] = {"compare": one.compare, "repr": one.repr}
            if one.factory is not _MISSING:
                options["default_factory"] = one.factory
            elif one.default is not _MISSING:
                options["default"] = one.default
            given.append((name, owner.__annotations__[name], dataclasses.field(**options)))
        same: Any = dataclasses.make_dataclass(owner.__name__, given)
        return same.__dataclass_fields__


_FIELDS = _LibraryFields()


def _replace(one: Any, /, **changes: Any) -> Any:
    values = dict(zip(one._record_fields, one._record_values(one), strict=True))
    return one.__class__(**(values | changes))


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
else:
    dataclass, field, replace = _dataclass, _field, _replace
