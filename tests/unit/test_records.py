"""Records against the library's dataclasses: the same classes, made by both."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
import re
import typing
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest

from pipelang import records
from pipelang.records import NamedTuple, dataclass

from .imports import at, sources

BOTH = (dataclasses, records)
replace = getattr(copy, "replace", dataclasses.replace)  # Python 3.13 has it


def made(library: Any, frozen: bool, kw_only: bool, eq: bool) -> dict[str, Any]:
    """Classes with everything that records have, made by a library."""
    decorate: Callable[[type], Any] = library.dataclass(
        frozen=frozen, slots=True, kw_only=kw_only, eq=eq
    )
    field = library.field

    class Point:
        x: int
        y: int = 0
        tags: list[str] = field(default_factory=list)
        note: str = field(default="", compare=False, repr=False)

        def moved(self, by: int) -> Any:
            return library.replace(self, x=self.x + by)

    class Counted:
        size: int
        seen: int = field(default=7, init=False)
        rest: list[int] = field(default_factory=list, init=False)
        unset: int = field(init=False, repr=False, compare=False)

        def __post_init__(self) -> None:
            if self.size < 0:
                raise ValueError("a size is 0 or more")

    class Empty:
        pass

    point = decorate(Point)

    class Named(point):  # type: ignore[misc, valid-type]
        name: str = ""
        y: int = 5

    return {
        "Point": point,
        "Counted": decorate(Counted),
        "Empty": decorate(Empty),
        "Named": decorate(Named),
    }


CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("Point", (1,), {}),
    ("Point", (1, 2, ["a"], "n"), {}),
    ("Point", (), {"x": 1, "note": "m"}),
    ("Point", (), {"x": 1}),
    ("Point", (), {"x": 1, "y": 3}),
    ("Point", (), {"y": 1}),
    ("Point", (1,), {"x": 1}),
    ("Point", (1, 2, [], "", 5), {}),
    ("Point", (1,), {"z": 1}),
    ("Counted", (), {"size": 3}),
    ("Counted", (4,), {}),
    ("Counted", (), {"size": -1}),
    ("Counted", (), {"size": 1, "seen": 2}),
    ("Empty", (), {}),
    ("Named", (), {"x": 1, "name": "n"}),
    ("Named", (1, 2), {}),
    ("Named", (), {"x": 1}),
]


def said(work: Callable[[], Any]) -> Any:
    """The result of work, or the class of its error."""
    try:
        return work()
    except Exception as error:
        return type(error)


def seen(classes: dict[str, Any], call: tuple[str, tuple[Any, ...], dict[str, Any]]) -> Any:
    """All that can be seen of an instance."""
    name, positional, named = call
    one = said(lambda: classes[name](*positional, **named))
    if isinstance(one, type):
        return one
    fields = [field.name for field in dataclasses.fields(one)]
    return {
        "repr": repr(one).rpartition(".")[2],
        "values": [getattr(one, field, None) for field in fields],
        "hash": said(lambda: hash(one) == hash(classes[name](*positional, **named))),
        "set": said(lambda: setattr(one, "x", 1)) if name == "Point" else None,
        "strange": said(lambda: setattr(one, "strange", 1)) is not None,
        "as a dictionary": said(lambda: dataclasses.asdict(one)),
        "replaced": said(lambda: repr(dataclasses.replace(one)).rpartition(".")[2]),
        "by copy": said(lambda: repr(replace(one)).rpartition(".")[2]),
        "copied": said(lambda: copy.copy(one) == one),
        "moved": said(lambda: one.moved(2).x),
    }


@pytest.mark.parametrize("call", CALLS, ids=str)
@pytest.mark.parametrize(("frozen", "kw_only", "eq"), list(product((False, True), repeat=3)))
def test_instances_are_those_of_the_library(
    call: tuple[str, tuple[Any, ...], dict[str, Any]], frozen: bool, kw_only: bool, eq: bool
) -> None:
    """The first of a class, and those after its `__init__` is compiled."""
    theirs, ours = (made(library, frozen, kw_only, eq) for library in BOTH)
    expected = seen(theirs, call)
    for _ in range(records.FEW + 2):
        assert seen(ours, call) == expected


@pytest.mark.parametrize(("frozen", "kw_only", "eq"), list(product((False, True), repeat=3)))
def test_classes_are_those_of_the_library(frozen: bool, kw_only: bool, eq: bool) -> None:
    theirs, ours = (made(library, frozen, kw_only, eq) for library in BOTH)
    for name, one in theirs.items():
        other = ours[name]
        assert str(inspect.signature(other)) == str(inspect.signature(one))
        assert other.__match_args__ == one.__match_args__
        assert (other.__hash__ is None) == (one.__hash__ is None)
        assert other.__qualname__ == one.__qualname__


def test_what_others_make_of_a_record_goes_on_working() -> None:
    """A class of somebody else that inherits a record: with the library's decorator, or by hand."""
    base = made(records, True, False, True)["Point"]

    @dataclasses.dataclass(frozen=True)
    class Further(base):  # type: ignore[misc, valid-type]
        z: int = 9

    class ByHand(base):  # type: ignore[misc, valid-type]
        def __init__(self, text: str) -> None:
            super().__init__(int(text))

    assert dataclasses.asdict(Further(1)) == {"x": 1, "y": 0, "tags": [], "note": "", "z": 9}
    assert list(inspect.signature(ByHand).parameters) == ["text"]
    assert ByHand("3").x == 3


@records.dataclass(frozen=True, slots=True)
class Sent:
    """A record that a pickle finds by its name."""

    x: int
    y: tuple[int, ...] = ()


class Empty:
    """A class that is no record."""


def test_a_record_is_sent_to_another_process() -> None:
    one = Sent(1, (2, 3))
    assert hash(one) == hash(pickle.loads(pickle.dumps(one)))
    assert pickle.loads(pickle.dumps(one)) == one


@pytest.mark.parametrize(
    "make",
    [
        lambda base: records.dataclass(slots=True)(type("Thawed", (base,), {})),
        lambda base: records.dataclass(frozen=True, slots=True)(type("Two", (Sent, Empty), {})),
        lambda base: records.dataclass(frozen=True, slots=True)(type("Odd", (Exception,), {})),
        lambda base: records.dataclass(frozen=True, slots=False),
    ],
)
def test_what_records_are_not(make: Callable[[Any], Any]) -> None:
    with pytest.raises(TypeError, match=r"pipelang\.records"):
        make(made(records, True, False, True)["Point"])


def test_the_library_makes_no_class_when_a_command_starts() -> None:
    """`pipelang.testing` is for the tests of others; all else is made when it is first needed."""
    makers = [
        at(path, number)
        for path in sources()
        if "testing" not in path.parts and path.name != "records.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.match(r"\s*from dataclasses import .*\b(dataclass|replace)\b", line)
    ]
    assert not makers, "\n".join(makers)


class Place(NamedTuple):
    """A tuple with names."""

    file: str
    start: int = 0
    more: tuple[str, ...] = ()

    @property
    def length(self) -> int:
        return self.start + len(self.more)

    def to(self, other: Place) -> Place:
        return self._replace(start=other.start)


class LibraryPlace(typing.NamedTuple):
    """A tuple with names."""

    file: str
    start: int = 0
    more: tuple[str, ...] = ()


def test_a_named_tuple_is_the_librarys_but_for_its_types():
    ours: Any = Place
    for name in ("_fields", "_field_defaults", "__match_args__", "__doc__", "__bases__"):
        assert getattr(ours, name) == getattr(LibraryPlace, name), name
    assert list(ours.__annotations__) == list(LibraryPlace.__annotations__)
    assert typing.get_type_hints(ours) == typing.get_type_hints(LibraryPlace)
    assert (ours.__name__, ours.__qualname__, ours.__module__) == ("Place", "Place", __name__)
    one = Place("a", more=("x",))
    assert one == ("a", 0, ("x",))
    assert one.length == 1
    assert one.to(Place("b", 7)) == Place("a", 7, ("x",))
    assert repr(one) == "Place(file='a', start=0, more=('x',))"
    assert pickle.loads(pickle.dumps(one)) == one
    assert copy.copy(one) == one
    with pytest.raises(TypeError):
        Place()
    with pytest.raises(AttributeError):
        one.file = "b"
    with pytest.raises(AttributeError):
        one.other = "b"
    match one:
        case Place(file, start=0):
            assert file == "a"


@dataclass(frozen=True, slots=True)
class Checked:
    """A record that looks at its fields."""

    one: int
    two: int = 2

    def __post_init__(self) -> None:
        if self.one > self.two:
            raise ValueError("more")


def test_fields_in_turn_are_looked_at_as_well():
    """Before and after its `__init__` is compiled, whichever way the fields are given."""
    for _ in range(records.FEW + 2):
        for make in (
            lambda: Checked(3, 2),
            lambda: Checked(3),
            lambda: Checked(one=3),
            lambda: Checked(3, two=2),
        ):
            with pytest.raises(ValueError, match="more"):
                make()
        assert (Checked(1, 5).one, Checked(1, 5).two) == (1, 5)
        with pytest.raises(TypeError):
            Checked(1, 2, 3)
