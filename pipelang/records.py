"""`dataclass`, `field`, `replace` and `NamedTuple` of the library, made when they are first needed.

The library's decorator writes and compiles the methods of a class when its module is imported, half
a millisecond a class. pipelang has 500 of them, and a command makes a few instances of some: its
imports took longer than its work. Here methods are shared functions, what they have to know of a
class is worked out when one is first called, and `__init__` is compiled once a class is made often.
What is compiled stores through the slots, twice as fast as the library's for frozen classes, which
a parser of 20,000 lines notices.

Type checkers see the library's names, and the library's functions know these classes. A class
inherits from no other, or from one with the same options. Not there, because nobody needs it:
`InitVar`, `ClassVar`, `order`, `kw_only` of a single field, and classes without slots.
"""

from __future__ import annotations

from collections import namedtuple
from operator import attrgetter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MISSING: Any = object()
_FunctionType: Any = type(lambda: None)


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


_PLAIN = _Field(_MISSING)
"""A field of which nothing is said."""


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
    """The options of records, named as the library asks for them, and what all such classes have:
    some of it unless they say otherwise.
    """

    __slots__ = ("always", "eq", "frozen", "kw_only", "otherwise")

    def __init__(self, frozen: bool, eq: bool, kw_only: bool) -> None:
        self.frozen = frozen
        self.eq = eq
        self.kw_only = kw_only
        self.otherwise: dict[str, Any] = {"__repr__": _repr}
        self.always: dict[str, Any] = {
            "__init__": _init,
            "__replace__": _replace,
            "__dataclass_fields__": _LibraryFields(),
            "__dataclass_params__": self,
            "__signature__": _Signature(),
            "_record": _FirstAsked(),
        }
        if eq:
            self.otherwise["__eq__"] = _equals
            self.always["__hash__"] = _hash if frozen else None
        if frozen:
            self.always |= {"__setattr__": _refuse, "__delattr__": _refuse}
            self.always |= {"__getstate__": _state, "__setstate__": _restore}


_options: dict[tuple[bool, bool, bool], _Options] = {}


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
    options = _options.get((frozen, eq, kw_only))
    if options is None:
        options = _options[frozen, eq, kw_only] = _Options(frozen, eq, kw_only)
    return lambda plain: _made(plain, options, weakref_slot)


def _made(plain: type[Any], options: _Options, weakref_slot: bool) -> type[Any]:
    """The class again, with slots and methods."""
    base = _inherited(plain, options)
    body: dict[str, Any] = {**options.otherwise, **plain.__dict__, **options.always}
    del body["__dict__"], body["__weakref__"]
    own = body["__annotations__"] = plain.__annotations__
    given = {name: body.pop(name) for name in own if name in body}
    if any(default.__class__.__hash__ is None for default in given.values()):
        raise ValueError(f"{plain.__name__}: a default that can change; use default_factory")
    slots = [name for name in own if name not in base._record_names]
    matched = [name for name in slots if name not in given or _is_passed(given[name])]
    body["__qualname__"] = plain.__qualname__
    body["__match_args__"] = () if options.kw_only else (*base.__match_args__, *matched)
    body["_record_names"] = (*base._record_names, *slots)
    body["_record_given"] = given
    if options.frozen and options.eq and base is _Nothing:
        slots.append("_hashed")
    if weakref_slot:
        slots.append("__weakref__")
    body["__slots__"] = slots
    return type(plain.__name__, plain.__bases__, body)


class _Nothing:
    """The fields of a class that inherits none."""

    __match_args__: tuple[str, ...] = ()
    _record_names: tuple[str, ...] = ()


def _inherited(plain: type[Any], options: _Options) -> Any:
    """The record that a class inherits, if it inherits one."""
    base, *others = plain.__bases__
    if base is object:
        return _Nothing
    if others or getattr(base, "__dataclass_params__", None) is not options:
        raise TypeError(f"{plain.__name__}: a dataclass of pipelang.records inherits one like it")
    return base


def _is_passed(default: Any) -> bool:
    return default.__class__ is not _Field or default.init


class _Known:
    """All that the methods of a record have to know of its class.

    `passed` are the fields that `__init__` takes, `values` gives theirs, `compared` those that
    decide whether two are the same; `left` counts the instances until `__init__` is compiled;
    `in_turn` sets the fields of an instance that is given all of them by their places.
    """

    __slots__ = (
        "compared",
        "fields",
        "in_turn",
        "left",
        "made",
        "passed",
        "setters",
        "then",
        "values",
    )

    def __init__(self, made: Any) -> None:
        fields: dict[str, _Field] = {}
        for one in reversed(made.__mro__):
            if "_record_given" in one.__dict__:
                given = one._record_given
                for name in one.__annotations__:
                    field = given.get(name, _PLAIN)
                    fields[name] = field if field.__class__ is _Field else _Field(field)
        self.made = made
        self.fields = {name: fields[name] for name in made._record_names}
        self.passed = [name for name, field in fields.items() if field.init]
        self.values = _getter(self.passed)
        compared = [name for name, field in fields.items() if field.compare]
        self.compared = attrgetter(*compared) if compared else _getter(compared)
        self.setters = {name: getattr(made, name).__set__ for name in fields}
        self.left = FEW
        self.then = hasattr(made, "__post_init__")
        places = made.__match_args__  # none of a class that is only given names
        self.in_turn = [*self.setters.values()] if places == made._record_names else []


class _FirstAsked:
    """Works out what is known of a record's class when it is first asked for."""

    def __get__(self, instance: Any, owner: Any) -> _Known:
        made = next(one for one in owner.__mro__ if "_record_given" in one.__dict__)
        known = made._record = _Known(made)
        return known


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that gives the values of some fields, as a tuple however many there are."""
    if len(names) == 1:
        only = attrgetter(names[0])
        return lambda one: (only(one),)
    return attrgetter(*names) if names else lambda one: ()


def _equals(self: Any, other: Any) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    if self is other:
        return True
    compared = self._record.compared
    return compared(self) == compared(other)


def _hash(self: Any) -> int:
    """The hash, worked out once for every instance. Where parts are shared, as `let`s share
    expressions, going through all of them each time would double with every level.
    """
    try:
        known: int = self._hashed
    except AttributeError:
        known = hash(self._record.compared(self))
        object.__setattr__(self, "_hashed", known)
    return known


FEW = 20
"""Instances until an `__init__` is compiled, which takes as long as making some 40."""


def _init(self: Any, *positional: Any, **named: Any) -> None:
    """Set the fields; after a few calls a compiled `__init__` takes this one's place in the class.

    What does not fit the fields is left to the compiled one as well, which refuses it as always.
    """
    known: _Known = self._record
    known.left -= 1
    if known.left > 0 and not named and len(positional) == len(known.in_turn) > 0:
        for setter, value in zip(known.in_turn, positional, strict=True):
            setter(self, value)
        if known.then:
            self.__post_init__()
        return
    given = dict(zip(known.made.__match_args__, positional, strict=False)) | named
    if known.left > 0 and len(given) == len(positional) + len(named):
        passed = 0
        for name, field in known.fields.items():
            if name in given and field.init:
                value = given[name]
                passed += 1
            elif field.factory is not _MISSING:
                value = field.factory()
            elif field.default is not _MISSING:
                value = field.default
            elif field.init:
                break
            else:
                continue
            known.setters[name](self, value)
        else:
            if passed == len(given):
                if known.then:
                    self.__post_init__()
                return
    known.made.__init__ = _compiled_init(known)
    known.made.__init__(self, *positional, **named)


_shapes: dict[tuple[Any, ...], Any] = {}
"""The code of `__init__` by what it has to do, for classes differ in little but their names."""


def _compiled_init(known: _Known) -> Callable[..., None]:
    """An `__init__` for one class: the code of its shape with the names of its fields."""
    made: Any = known.made
    options: _Options = made.__dataclass_params__
    then = hasattr(made, "__post_init__")
    # The default of what is passed belongs to the function and not to its code.
    kinds = [
        (
            field.init,
            field.factory is not _MISSING,
            field.default is not _MISSING and not field.init,
        )
        for field in known.fields.values()
    ]
    shape = (options.frozen, options.kw_only, then, *kinds)
    code = _shapes.get(shape)
    if code is None:
        code = _shapes[shape] = _init_of_shape(options, then, kinds)
    inside: dict[str, Any] = {"_MISSING": _MISSING}
    names, defaults = {}, {}
    for index, (name, field) in enumerate(known.fields.items()):
        names[f"_{index}"] = name
        if field.factory is not _MISSING:
            inside[f"_new_{index}"] = field.factory
            defaults[name] = _MISSING
        elif field.default is not _MISSING:
            defaults[name] = inside[f"_default_{index}"] = field.default
        if options.frozen:
            inside[f"_set_{index}"] = known.setters[name]
    code = code.replace(
        co_varnames=tuple(names.get(name, name) for name in code.co_varnames),
        co_names=tuple(names.get(name, name) for name in code.co_names),
    )
    given = {name: defaults[name] for name in known.passed if name in defaults}
    init: Any = _FunctionType(code, inside, "__init__", tuple(given.values()))
    if options.kw_only:
        init.__defaults__, init.__kwdefaults__ = None, given
    init.__qualname__ = f"{made.__qualname__}.__init__"
    init.__module__ = made.__module__
    found: Callable[..., None] = init
    return found


def _init_of_shape(options: _Options, then: bool, kinds: list[tuple[bool, bool, bool]]) -> Any:
    """The code of an `__init__` whose fields are called `_0`, `_1` and so on."""
    heads = ["self", "*"] if options.kw_only and any(init for init, *_ in kinds) else ["self"]
    lines = []
    for index, (init, has_factory, has_default) in enumerate(kinds):
        head = value = f"_{index}"
        if has_factory:
            value = f"_new_{index}() if {head} is _MISSING else {head}"
        if init:
            heads.append(head)
        elif has_factory:
            value = f"_new_{index}()"
        elif has_default:
            value = f"_default_{index}"
        else:
            continue
        if options.frozen:
            lines.append(f" _set_{index}(self, {value})")
        else:
            lines.append(f" self._{index} = {value}")
    if then:
        lines.append(" self.__post_init__()")
    inside: dict[str, Any] = {}
    exec(f"def __init__({', '.join(heads)}):\n" + ("\n".join(lines) or " pass"), inside)
    return inside["__init__"].__code__


def _repr(self: Any) -> str:
    shown = (
        f"{name}={getattr(self, name)!r}"
        for name, field in self._record.fields.items()
        if field.repr
    )
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse(self: Any, name: str, *value: Any) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot {'assign to' if value else 'delete'} field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self._record_names]


def _restore(self: Any, state: list[Any]) -> None:
    for name, value in zip(self._record_names, state, strict=True):
        object.__setattr__(self, name, value)


def _by_library(owner: Any) -> Any:
    """A class of the library's with the fields of a record."""
    import dataclasses
    import inspect

    types: dict[str, Any] = {}
    for above in reversed(owner.__mro__):
        types |= inspect.get_annotations(above)
    given: list[Any] = []
    for name, one in owner._record.fields.items():
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
        if "_record_given" not in owner.__dict__:
            return None  # it inherits a record, and may be called otherwise
        import inspect

        return inspect.signature(_by_library(owner))


def _replace(one: Any, /, **changes: Any) -> Any:
    known: _Known = one._record
    values = dict(zip(known.passed, known.values(one), strict=True))
    return one.__class__(**(values | changes))


class _TupleMaker(type):
    """Makes the classes that name `NamedTuple` as their base."""

    def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> Any:
        own = body.get("__annotations__")
        if not bases or own is None:
            return super().__new__(cls, name, bases, body)
        given = [body.pop(field) for field in own if field in body]
        make: Any = namedtuple  # a type checker wants to see the fields
        made = make(name, own, defaults=given, module=body["__module__"])
        for key, value in body.items():
            if key != "__slots__":
                setattr(made, key, value)
        return made


class _NamedTuple(metaclass=_TupleMaker):
    """`NamedTuple` of the library, which compiles each annotation to see that it is a type; with
    `from __future__ import annotations` it is a text, and a type checker has seen it.
    """


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
    from typing import NamedTuple as NamedTuple
else:
    dataclass, field, replace, NamedTuple = _dataclass, _field, _replace, _NamedTuple
