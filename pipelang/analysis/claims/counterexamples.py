"""Counterexamples: the values of a run that should break a claim, to be tried in the interpreter.

A path is found by logic alone. Where its conditions say less than a run knows (a product of two
unknown numbers, two texts that a pattern tells apart), no run may take it; so a refutation is
believed when a run has reproduced it. What runs it is handed in: the analysis knows no interpreter.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable, Iterator, Mapping
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import Any

from pipelang.analysis.claims.deciding import Assignment
from pipelang.analysis.claims.paths import PathEvent
from pipelang.records import dataclass, replace
from pipelang.semantics import program as p
from pipelang.semantics.kernels.media import STAND_IN
from pipelang.semantics.types import (
    BOOL,
    NUMBER,
    TEXT,
    TIME,
    EnumType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
    is_medium,
    present,
)

ORIGIN = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
DIGITS = 60
PLAIN = "a"
"""A text of which nothing is known."""

MOST_VARIED = 60
"""The most variations of a counterexample that are tried."""
KEPT = 0.3
"""The share of its values that a variation keeps."""
NUMBERS = [Fraction(number) for number in (*range(8), 10, 11, 12, 100, -1, 10**17, 2**53 + 1)]
NUMBERS += [
    Fraction(number) for number in ("1/10", "3/10", "1/2", "1/100", "33.33", "1/3", "100/3")
]
"""Numbers that are tried: on some of them arithmetic rounds."""
TEXTS = ["", "a", "A", "0", "12", "a1", "abc", "A-1", "a@b.cd", "2026-01-01", "https://a.bc", "a b"]
"""Texts that are tried: patterns tell them apart."""

UNCHECKED = "no run was found in which its counterexample happens"


@dataclass(frozen=True, slots=True)
class Counterexample:
    """Values under which a path of a pipeline breaks a claim, by the names of their variables;
    `types` are those of the variables.
    """

    claim: p.Claim
    events: tuple[PathEvent, ...]
    case: Assignment
    types: Mapping[str, Type]

    def inputs(self, pipeline: p.Pipeline) -> dict[str, Any]:
        """Return JSON-like inputs of the pipeline by their outer names, with exact decimals."""
        return {q.key: self.value(q.name, q.type) for q in pipeline.parameters}

    def subjects(self) -> frozenset[str]:
        """The values of which something is known, or of a part of them."""
        return frozenset(one for name in self._names() for one in _beginnings(name))

    def apart(self, pipeline: p.Pipeline) -> Counterexample:
        """Return the counterexample with a value of its own for each text and number of the inputs
        of which nothing is known: where they are equal, so is what a pure tool or a memory answers.
        """
        numbers, texts = dict(self.case.numbers), dict(self.case.texts)
        known = self.subjects()
        leaves = [leaf for q in pipeline.parameters for leaf in _scalars(q.name, q.type)]
        for place, (name, type) in enumerate(leaves):
            if name in known or not _is_varied(type):
                continue
            if type == TEXT:
                texts[name] = f"{PLAIN}{place}"
            else:
                number = self._number(name, type) + place
                if type.high is None or number <= type.high:
                    numbers[name] = number
        return replace(self, case=replace(self.case, numbers=numbers, texts=texts))

    def varied(self) -> Iterator[Counterexample]:
        """Return counterexamples with other numbers and texts, where a question that the analysis
        does not look into hangs on them: the same ones each time.
        """
        names = self._vague()
        source = random.Random(0)
        for _ in range(MOST_VARIED if names else 0):
            numbers, texts = dict(self.case.numbers), dict(self.case.texts)
            for name in names:
                if source.random() < KEPT:
                    continue
                if present(self.types[name]) == TEXT:
                    texts[name] = source.choice(TEXTS)
                else:
                    numbers[name] = source.choice(self._numbers(name))
            yield replace(self, case=replace(self.case, numbers=numbers, texts=texts))

    def _numbers(self, name: str) -> list[Fraction]:
        """Return numbers that a variable may have."""
        known = self.case.facts.ranges.get(name)
        if known is None:
            return NUMBERS
        low, high = known.low, known.high
        found = [one for one in NUMBERS if not known.whole or one.denominator == 1]
        found = [one for one in found if low is None or one >= low]
        return [one for one in found if high is None or one <= high] or [self.case.number(name)]

    def _vague(self) -> list[str]:
        """Return the numbers and texts on which what is not looked into hangs."""
        facts, names = self.case.facts, set(self._names())
        asked = {name for name in names if name.startswith(("?", "~"))}
        about = set(facts.around(frozenset(asked))) | (names if asked else set())
        return sorted(
            name
            for name in about
            if not name.startswith(("?", "~", "len(")) and _is_varied(self.types.get(name))
        )

    def _names(self) -> Iterator[str]:
        yield from self.case.texts
        yield from self.case.numbers
        yield from self.case.truths

    def value(self, name: str, type: Type) -> Any:
        """Return the value of a variable as JSON has it, a plain one where nothing is known."""
        match type:
            case OptionalType():
                there = self.case.truths.get(f"{name}?", False)
                return self.value(name, type.inner) if there else None
            case RecordType():
                return {one.key: self.value(f"{name}.{one.name}", one.type) for one in type.fields}
            case ListType():
                places = range(self._length(name))
                return [self.value(f"{name}[{at}]", type.element) for at in places]
            case MapType():
                return {f"k{at}": self.value(name, type.value) for at in range(self._length(name))}
            case EnumType():
                return self.case.texts.get(name) or type.members[0]
            case Scalar():
                return self._scalar(name, type)
            case _:
                return None

    def _length(self, name: str) -> int:
        return int(self.case.number(f"len({name})"))

    def _scalar(self, name: str, type: Scalar) -> Any:
        if type == BOOL:
            return self.case.truths.get(name, False)
        if type.kind is ScalarKind.TEXT:
            return self._text(name)
        if type.kind is ScalarKind.JSON:
            return self._json(name)
        if is_medium(type):
            return dict(STAND_IN[type.kind.value])
        number = self._number(name, type)
        if type == TIME:
            return ORIGIN + datetime.timedelta(seconds=float(number))
        if type.kind in (ScalarKind.INT, ScalarKind.TOKENS):
            return int(number)
        with localcontext(Context(prec=DIGITS)):
            exact = Decimal(number.numerator) / Decimal(number.denominator)
        return float(exact) if type == NUMBER else exact

    def _number(self, name: str, type: Scalar) -> Fraction:
        """Return a number, one in the range of its type where nothing is known."""
        known = self.case.numbers.get(name)
        if known is not None:
            return known
        if type.low is not None and type.low > 0:
            return Fraction(type.low)
        return Fraction(0) if type.high is None or type.high >= 0 else Fraction(type.high)

    def _text(self, name: str) -> str:
        known = self.case.texts.get(name)
        length = f"len({name})"
        if length not in self.case.numbers:
            return PLAIN if known is None else known
        size = int(self.case.numbers[length])
        if known is not None and len(known) == size:
            return known
        return chr(ord(PLAIN) + len(known or "")) * size

    def _equal_to(self, name: str) -> Iterator[Any]:
        """Return values that a json should equal and with which it cannot be compared by a tag."""
        for question, so in self.case.truths.items():
            first, equals, second = question.removeprefix("?").partition(" == ")
            if so and equals and question.startswith("?") and name in (first, second):
                other = second if first == name else first
                if other in self.case.numbers:
                    number = self.case.numbers[other]
                    yield int(number) if number.denominator == 1 else float(number)
                elif other in self.case.texts and self.types.get(other) == TEXT:
                    yield self.case.texts[other]

    def _json(self, name: str) -> Any:
        tag = self.case.texts.get(name)
        kind, _, rest = (tag or "").partition(" ")
        if kind == "bool":
            return rest == "True"
        if kind == "text":
            return rest
        if kind == "number":
            number = Fraction(rest)
            return int(number) if number.denominator == 1 else float(number)
        same = next((other for other in self._equal_to(name)), None)
        if same is not None:
            return same
        inside = sorted({part for other in self._names() if (part := _part_of(other, name))})
        if not inside and not self.case.truths.get(f"{name}?", True):
            return None
        fields = {part: self._json(f"{name}.{part}") for part in inside}
        absent = [part for part in inside if self.case.truths.get(f"{name}.{part}?") is False]
        return {part: value for part, value in fields.items() if part not in absent}


Replay = Callable[[Counterexample], Counterexample | None]
"""Runs a counterexample; returns it, or a variation of it, if a run has broken the claim."""


def _scalars(name: str, type: Type) -> Iterator[tuple[str, Scalar]]:
    """The plain values in an input by their names."""
    if isinstance(type, RecordType):
        for one in type.fields:
            yield from _scalars(f"{name}.{one.name}", one.type)
    elif isinstance(type, Scalar):
        yield name, type


def _is_varied(type: Type | None) -> bool:
    """Whether other values of a type are tried: numbers and texts."""
    inner = None if type is None else present(type)
    return isinstance(inner, Scalar) and inner.kind not in (
        ScalarKind.BOOL,
        ScalarKind.JSON,
        ScalarKind.TIME,
        ScalarKind.IMAGE,
        ScalarKind.DOCUMENT,
    )


def _beginnings(variable: str) -> Iterator[str]:
    """The values of which a variable speaks: `len(a.b[0])` of `a`, `a.b` and `a.b[0]`."""
    inner = variable.removeprefix("len(")
    yield inner
    for at, mark in enumerate(inner):
        if mark in ".?[)":
            yield inner[:at]


def _part_of(variable: str, name: str) -> str | None:
    """Return the field of a json of which a variable speaks."""
    if not variable.startswith(f"{name}."):
        return None
    part = variable[len(name) + 1 :]
    for mark in ".?[":
        part = part.split(mark)[0]
    return part
