"""A program out of its table is the program that went in, down to what is one object in it."""

from __future__ import annotations

import marshal
import sys
import typing
from pathlib import Path
from typing import Any

import pytest

from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.records import replace
from pipelang.semantics import chance, evidence_rows, types
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.stored import table as program_table
from pipelang.semantics.stored.table import NoTable, from_table, to_table

from ....memory import MemoryLoader
from ....property.programs.generate import program as generated
from ....suite.chunks import MAIN, SUITE, all_chunks

REPO = Path(__file__).resolve().parents[4]
FILES = sorted((REPO / "examples").rglob("*.pipe")) + sorted((REPO / "stdlib").glob("*.pipe"))
BESIDE = {name: (SUITE / name).read_text("utf-8") for name in ("desk.pipe", "world.pipe")}


def there_and_back(program: p.Program) -> p.Program:
    return from_table(marshal.loads(marshal.dumps(to_table(program))))


def assert_same(first: Any, second: Any) -> None:
    """Equal in every field, those that do not count for `==` included, and alike in what is shared:
    each object of the one is one object of the other.
    """
    twins: dict[int, Any] = {}
    held = []  # so that no id comes twice
    left = [(first, second, "program")]
    while left:
        one, other, where = left.pop()
        assert type(one) is type(other), where
        if isinstance(one, (str, int, float, type(None))):
            assert repr(one) == repr(other), where
            continue
        if id(one) in twins:
            # An empty tuple or frozenset is one object everywhere.
            assert twins[id(one)] is other or not one, where
            continue
        twins[id(one)] = other
        held.append(one)
        if isinstance(one, dict):
            assert list(one) == list(other), where
            left += [(one[key], other[key], f"{where}[{key!r}]") for key in one]
        elif isinstance(one, (tuple, list)):
            assert len(one) == len(other), where
            pairs = enumerate(zip(one, other, strict=True))
            left += [(a, b, f"{where}[{at}]") for at, (a, b) in pairs]
        elif hasattr(one, "__match_args__"):
            names = one.__match_args__
            left += [(getattr(one, n), getattr(other, n), f"{where}.{n}") for n in names]
        else:
            assert repr(one) == repr(other) or one == other, where
    assert len({id(twin) for twin in twins.values()}) >= len(twins) - 2


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_programs_of_the_examples(file: Path) -> None:
    built = build(str(file), DiskLoader())
    assert built.program is not None
    assert_same(built.program, there_and_back(built.program))


def test_programs_of_the_suite() -> None:
    tried = 0
    for chunk in all_chunks():
        built = build(MAIN, MemoryLoader({**BESIDE, **chunk.files}))
        if built.program is not None:
            tried += 1
            assert_same(built.program, there_and_back(built.program))
    assert tried > 100


@pytest.mark.parametrize("seed", range(8))
def test_programs_with_most_of_the_language(seed: int) -> None:
    made = generated(seed)
    built = build("program.pipe", MemoryLoader({**made.files, "program.pipe": made.text}))
    assert built.program is not None
    assert_same(built.program, there_and_back(built.program))


def named(annotation: Any) -> typing.Iterator[type]:
    """The classes that an annotation names."""
    if isinstance(annotation, type) and not typing.get_args(annotation):
        yield annotation
    for part in typing.get_args(annotation):
        yield from named(part)


def test_every_class_of_a_program_has_its_place() -> None:
    """A node that is new in the language must not end the keeping of programs unseen."""
    rows = vars(evidence_rows)
    names = {**vars(types), **rows, **vars(chance), **vars(expr), **vars(p)}
    names["Span"] = program_table.Span
    left: list[type] = [p.Program]
    seen: set[type] = set()
    while left:
        one = left.pop()
        if one in seen or not hasattr(one, "__match_args__"):
            continue
        seen.add(one)
        hints = typing.get_type_hints(one, vars(sys.modules[one.__module__]) | names)
        left += [found for name in one.__match_args__ for found in named(hints[name])]
    known = set(program_table.RECORDS.values()) | {program_table.Span}
    assert len(seen) > 80
    assert seen <= known


def test_what_is_shared_stays_shared() -> None:
    program = build(str(FILES[0]), DiskLoader()).program
    assert program is not None
    leaf: expr.Expr = expr.Const(1, types.INT)
    for _ in range(50):
        leaf = expr.Arithmetic("+", leaf, leaf, types.INT)
    deep = replace(program, settings={"s": leaf})
    assert len(to_table(deep)[1]) < 5_000  # 2**50 if each use were written out
    assert_same(deep, there_and_back(deep))


@pytest.mark.parametrize("strange", [print, object(), {1, 2}, b"bytes", type("Program", (), {})()])
def test_nothing_but_a_program_has_a_table(strange: Any) -> None:
    program = build(str(FILES[0]), DiskLoader()).program
    assert program is not None
    with pytest.raises(NoTable):
        to_table(replace(program, settings={"s": strange}))


def test_nesting_without_end_has_no_table() -> None:
    program = build(str(FILES[0]), DiskLoader()).program
    assert program is not None
    deep: Any = ()
    for _ in range(100_000):
        deep = (deep,)
    with pytest.raises(NoTable, match="too deep"):
        to_table(replace(program, settings={"s": deep}))


@pytest.mark.parametrize(
    "table",
    [
        ((), ()),
        ((1,), ()),
        (("a",), (("eval", 0),)),
        (("os.system", "ls"), (("print", 1),)),
        (("a",), (("tuple", 7),)),
        (("a",), (("Decimal", 0),)),
        (("a",), (("Span", 0),)),
        (("a",), (("Program", 0),)),
        (("a",), (("dict", 0),)),
        ((), (("tuple",),)),
    ],
)
def test_a_table_of_something_else_is_refused(table: Any) -> None:
    with pytest.raises((ValueError, TypeError, LookupError, ArithmeticError)):
        from_table(table)
