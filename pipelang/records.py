"""`dataclass`, `field` and `replace` of the standard library, made when they are first needed.

The library's decorator writes and compiles the methods of a class when its module is imported, half
a millisecond a class. pipelang has 400 of them, and a command makes a few instances of each: its
imports took longer than its work. Here methods are shared functions, and `__init__` is compiled
once a class is made often. What is compiled stores through the slots, twice as fast as the
library's for frozen classes, which a parser of 20,000 lines notices.

Type checkers see the library's names, and the library's functions know these classes. A class
inherits from no other, or from one with the same options. Not there, because nobody needs it:
`InitVar`, `ClassVar`, `order`, `kw_only` of a single field, and classes without slots.
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

    __slots__ = ("compare", "default", "factory", "init", "repr")

    def __init__(
        self,
        default: Any,
        factory: Any = _MISSING,
        compare: bool = True,
        repr: bool = True,
        init: bool = True,
    ) -> None:
        self.default = default
        self.factory = factory
        self.compare = compare
        self.repr = repr
        self.init = init


def _field(
    *,
    default: Any = _MISSING,
    default_factory: Any = _MISSING,
    compare: bool = True,
    repr: bool = True,
    init: bool = True,
) -> Any:
    return _Field(default, default_factory, compare, repr, init)


class _Options:
    """The options of a record, which the library asks by these names."""

    __slots__ = ("eq", "frozen", "kw_only")

    def __init__(self, frozen: bool, eq: bool, kw_only: bool) -> None:
        self.frozen = frozen
        self.eq = eq
        self.kw_only = kw_only

    def like(self, other: Any) -> bool:
        """Whether those of another class, if it has any, are the same."""
        return isinstance(other, _Options) and all(
            getattr(self, name) is getattr(other, name) for name in self.__slots__
        )


def _dataclass(
    *,
    slots: bool,
    frozen: bool = False,
    eq: bool = True,
    kw_only: bool = False,
    weakref_slot: bool = False,
) -> Callable[[type[Any]], type[Any]]:
    if not slots:
        raise TypeError("a dataclass of pipelang.records has slots")
    options = _Options(frozen, eq, kw_only)
    return lambda plain: _made(plain, options, weakref_slot)


def _made(plain: type[Any], options: _Options, weakref_slot: bool) -> type[Any]:
    """The class again, with slots and methods."""
    inherited = _inherited(plain, options)
    body = dict(plain.__dict__)
    del body["__dict__"], body["__weakref__"]
    fields = dict(inherited)
    for name in body.get("__annotations__", ()):
        given = body.pop(name, _MISSING)
        fields[name] = given if isinstance(given, _Field) else _Field(given)
        if fields[name].default.__class__.__hash__ is None:
            raise ValueError(f"{plain.__name__}.{name}: a mutable default; use default_factory")
    names = tuple(fields)
    slots = [name for name in names if name not in inherited]
    body |= {"__dataclass_fields__": _FIELDS, "__dataclass_params__": options}
    body |= {"__qualname__": plain.__qualname__, "__signature__": _SIGNATURE}
    passed = tuple([name for name in names if fields[name].init])
    body |= {"_record_fields": fields, "_record_passed": passed}
    body |= {"_record_values": staticmethod(_values(passed))}
    body["__match_args__"] = () if options.kw_only else passed
    body.setdefault("__repr__", _repr)
    if options.eq:
        compared = _getter([name for name in names if fields[name].compare])
        body.setdefault("__eq__", _equals(compared))
        body["__hash__"] = _hash(compared) if options.frozen else None
        if options.frozen and not inherited:
            slots.append("_hashed")
    if weakref_slot:
        slots.append("__weakref__")
    if options.frozen:
        body |= {"__setattr__": _refuse, "__delattr__": _refuse}
        body |= {"__getstate__": _state, "__setstate__": _restore}
    body["__slots__"] = slots
    made = type(plain.__name__, plain.__bases__, body)
    made.__init__ = _first_init(made)  # type: ignore[misc]
    return made


def _inherited(plain: type[Any], options: _Options) -> dict[str, _Field]:
    """The fields of the record that a class inherits, if it inherits one."""
    bases: tuple[Any, ...] = plain.__bases__
    if bases == (object,):
        return {}
    if len(bases) > 1 or not options.like(getattr(bases[0], "__dataclass_params__", None)):
        raise TypeError(f"{plain.__name__}: a dataclass of pipelang.records inherits one like it")
    fields: dict[str, _Field] = bases[0]._record_fields
    return fields


def _values(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that gives the values of these fields, as a tuple however many there are."""
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


def _first_init(made: Any) -> Callable[..., None]:
    """An `__init__` that reads the fields, and after a few calls puts a compiled one in its place.

    What does not fit the fields is left to the compiled one as well, which refuses it as always.
    """
    fields: dict[str, _Field] = made._record_fields
    passed = set(made._record_passed)
    ends = hasattr(made, "__post_init__")
    setters: dict[str, Any] = {}
    left = FEW

    def __init__(self: Any, *positional: Any, **named: Any) -> None:
        nonlocal left, setters
        left -= 1
        setters = setters or {name: getattr(made, name).__set__ for name in fields}
        given = dict(zip(made.__match_args__, positional, strict=False)) | named
        if left > 0 and len(given) == len(positional) + len(named) and given.keys() <= passed:
            for name, field in fields.items():
                if name in given:
                    value = given[name]
                elif field.factory is not _MISSING:
                    value = field.factory()
                elif field.default is not _MISSING:
                    value = field.default
                elif field.init:
                    break
                else:
                    continue
                setters[name](self, value)
            else:
                if ends:
                    self.__post_init__()
                return
        made.__init__ = _compiled_init(made)
        made.__init__(self, *positional, **named)

    return __init__


def _compiled_init(made: Any) -> Callable[..., None]:
    options: _Options = made.__dataclass_params__
    known: dict[str, Any] = {"_MISSING": _MISSING}
    heads = ["self", "*"] if options.kw_only and made._record_passed else ["self"]
    lines = []
    for name, field in made._record_fields.items():
        head, value = name, name
        if field.factory is not _MISSING:
            known[f"_new_{name}"] = field.factory
            head = f"{name}=_MISSING"
            value = f"_new_{name}() if {name} is _MISSING else {name}"
        elif field.default is not _MISSING:
            known[f"_default_{name}"] = field.default
            head = f"{name}=_default_{name}"
        if field.init:
            heads.append(head)
        elif head == name:
            continue
        elif field.factory is not _MISSING:
            value = f"_new_{name}()"
        else:
            value = f"_default_{name}"
        if options.frozen:
            known[f"_set_{name}"] = getattr(made, name).__set__
            lines.append(f" _set_{name}(self, {value})")
        else:
            lines.append(f" self.{name} = {value}")
    if hasattr(made, "__post_init__"):
        lines.append(" self.__post_init__()")
    code = f"def __init__({', '.join(heads)}):\n" + ("\n".join(lines) or " pass")
    exec(code, known)
    init: Callable[..., None] = known["__init__"]
    init.__qualname__ = f"{made.__qualname__}.__init__"
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


def _by_library(owner: Any) -> Any:
    """A class of the library's with the fields of a record."""
    import dataclasses
    import inspect

    types: dict[str, Any] = {}
    for above in reversed(owner.__mro__):
        types |= inspect.get_annotations(above)
    given: list[Any] = []
    for name, one in owner._record_fields.items():
        options: dict[str, Any] = {"compare": one.compare, "repr": one.repr, "init": one.init}
        if one.factory is not _MISSING:
            options["default_factory"] = one.factory
        elif one.default is not _MISSING:
            options["default"] = one.default
        given.append((name, types[name], dataclasses.field(**options)))
    only_by_name = owner.__dataclass_params__.kw_only
    return dataclasses.make_dataclass(owner.__name__, given, kw_only=only_by_name)


class _LibraryFields:
    """`__dataclass_fields__` for who asks the library's functions: `asdict`, `is_dataclass`, the
    decorator for a class that inherits a record.
    """

    def __get__(self, instance: Any, owner: Any) -> Any:
        owner.__dataclass_fields__ = _by_library(owner).__dataclass_fields__
        return owner.__dataclass_fields__


class _Signature:
    """`__signature__` for who shows how a class is called, such as `help`."""

    def __get__(self, instance: Any, owner: Any) -> Any:
        if "_record_fields" not in owner.__dict__:
            return None  # it inherits a record, and may be called otherwise
        import inspect

        return inspect.signature(_by_library(owner))


_FIELDS, _SIGNATURE = _LibraryFields(), _Signature()


def _replace(one: Any, /, **changes: Any) -> Any:
    values = dict(zip(one._record_passed, one._record_values(one), strict=True))
    return one.__class__(**(values | changes))


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
else:
    dataclass, field, replace = _dataclass, _field, _replace
