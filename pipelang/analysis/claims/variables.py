"""Symbolic variables: their types, ranges and presence, and the facts that relate them.

A question that the analysis cannot look into (a `fn` in Python, a pattern) becomes an opaque
variable, named by the structure of the question with all its arguments: the same question about the
same values has one answer. `name_of` gives that name; a long one is replaced by its hash, never by
the text of the file, which may stand for other values elsewhere.

An *axiom* is a formula that holds in every run, such as "a text is empty exactly if its length is
0". It is added to a decision as soon as one of its variables occurs there.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from pipelang.analysis.claims.deciding import VariableFacts
from pipelang.analysis.claims.formulas import (
    FALSE,
    TRUE,
    Equals,
    Formula,
    Holds,
    all_of,
    any_of,
    linear,
    literal,
    names_of,
    opposite,
)
from pipelang.analysis.claims.inequalities import NumericRange
from pipelang.analysis.claims.values import (
    Cases,
    Free,
    Known,
    Listed,
    Sum,
    Symbol,
    SymbolicRecord,
    Truth,
    name_of,
    one,
    variables,
)
from pipelang.semantics.types import (
    BOOL,
    INT,
    JSON,
    EnumType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
    optional,
    present,
)

NUMERIC = (
    ScalarKind.INT,
    ScalarKind.NUMBER,
    ScalarKind.PROBABILITY,
    ScalarKind.MONEY,
    ScalarKind.DURATION,
    ScalarKind.TIME,
    ScalarKind.TOKENS,
)
"""Kinds whose values are ordered; a time counts as the seconds since some origin."""

COMPUTED = "this is not worked out before a run"
BYTES_A_TOKEN = 3
"""The most bytes, and so characters, that a token of `count_tokens` stands for."""


Elements = list[tuple[Formula, Cases]]
"""The elements that a list may have, in their order, each with the formula under which it has it.
"""
MOST_LISTED = 4
"""The longest list of unknown length whose elements are gone through one by one."""


def at_least(value: Sum, least: int) -> Formula:
    terms = {name: -factor for name, factor in value.terms}
    return linear(terms, "<=", value.constant - least)


def is_number(type: Type) -> bool:
    inner = present(type)
    return isinstance(inner, Scalar) and inner.kind in NUMERIC


def is_json(type: Type) -> bool:
    return present(type) == JSON


class Variables:
    """Factory of the variables that symbols stand for; collects the facts about each.

    `rounded` has, by variable, the exact sum of which it is the rounded value, and how it is
    rounded; `kept` are the bounds beside which it has an axiom; `places` how many decimals behind
    the point a value that is not rounded has at most. All are made by `ordering`.
    """

    def __init__(self) -> None:
        self.facts = VariableFacts()
        self.types: dict[str, Type] = {}
        self.rounded: dict[str, tuple[Sum, str]] = {}
        self.kept: set[tuple[str, Sum]] = set()
        self.places: dict[str, int] = {}
        self._readings = 0
        self._lengths: set[str] = set()
        self._texts: dict[str, list[Equals]] = {}
        self._matches: dict[str, list[tuple[Formula, Callable[[str], bool]]]] = {}
        self._there: set[str] = set()

    def free(self, name: str, type: Type) -> Free:
        """Make a value of a type, with nothing assumed; the same name is the same value."""
        self.types.setdefault(name, type)
        inner = present(type)
        if isinstance(inner, EnumType):
            self.facts.members.setdefault(name, inner.members)
        elif isinstance(inner, Scalar) and inner.kind in NUMERIC:
            low = None if inner.low is None else Fraction(inner.low)
            high = None if inner.high is None else Fraction(inner.high)
            if inner.kind is ScalarKind.PROBABILITY:
                low, high = low or Fraction(0), Fraction(1) if high is None else high
            whole = inner.kind in (ScalarKind.INT, ScalarKind.TOKENS)
            self.facts.ranges.setdefault(name, NumericRange(low, high, whole))
        return Free(name, type)

    def opaque(self, name: str, type: Type, why: str, about: frozenset[str]) -> Free:
        """Make a value of which only one thing is known: the same question always has the same
        answer.
        """
        name = f"?{name}"
        self.facts.opaque.setdefault(name, (why, self.facts.around(about)))
        return self.free(name, type)

    def reading(self, name: str, type: Type, why: str) -> Free:
        """Make the value of one reading of something that changes during a run: each reading is a
        variable of its own.
        """
        self._readings += 1
        return self.opaque(f"{name}#{self._readings}", type, why, frozenset())

    def part(self, whole: str, name: str, type: Type) -> Free:
        """Make a part of a value; a part of an opaque value is opaque."""
        if whole in self.facts.opaque:
            why, about = self.facts.opaque[whole]
            self.facts.opaque.setdefault(name, (why, about | {whole}))
        return self.free(name, type)

    def asked(self, words: str, *symbols: Symbol, why: str = COMPUTED) -> Formula:
        """Return the opaque boolean variable that stands for a question."""
        about = variables((TRUE, symbol) for symbol in symbols)
        self.opaque(words, BOOL, why, about)
        return literal(Holds(f"?{words}"))

    def axiom(self, formula: Formula, *names: str) -> None:
        """Add a formula that holds in every run, to be used where one of the names occurs; where
        none is given, any of its own.
        """
        for name in names or names_of(formula):
            self.facts.axioms.setdefault(name, []).append(formula)

    # ----------------------------------------------------------------------------- presence, truth

    def is_true(self, symbol: Symbol) -> Formula:
        return all_of((self.is_there(symbol), self.truth_of(symbol)))

    def truth_of(self, symbol: Symbol) -> Formula:
        """Return the formula under which a bool that is there is true."""
        match symbol:
            case Truth():
                return symbol.formula
            case Known():
                return TRUE if symbol.value else FALSE
            case Free():
                return literal(Holds(symbol.name))
            case _:
                return FALSE

    def is_there(self, symbol: Symbol) -> Formula:
        """Return the formula under which a value is not absent. A `json` may be null whatever its
        type says.
        """
        match symbol:
            case Known():
                return FALSE if symbol.value is None else TRUE
            case Free() if symbol.name in self._there:
                return TRUE
            case Free() if isinstance(symbol.type, OptionalType) or is_json(symbol.type):
                name = f"{symbol.name}?"
                if symbol.name in self.facts.opaque:
                    self.facts.opaque.setdefault(name, self.facts.opaque[symbol.name])
                return literal(Holds(name))
            case _:
                return TRUE

    def there(self, symbol: Free) -> Free:
        """Note that a variable is never absent."""
        self._there.add(symbol.name)
        return symbol

    # -------------------------------------------------------------------------------------- parts

    def items(self, symbol: Symbol) -> list[Cases] | None:
        """Return the elements of a list that is written down; None for any other."""
        match symbol:
            case Listed():
                return list(symbol.items)
            case Known(value=list() as items):
                element = symbol.type.element if isinstance(symbol.type, ListType) else JSON
                return [one(Known(item, element)) for item in items]
            case _:
                return None

    def field(self, symbol: Symbol, name: str, type: Type) -> Cases:
        """Return a field of a record or a json, absent where what it is a field of is absent.
        `type` is that of the expression that reads it.
        """
        match symbol:
            case SymbolicRecord():
                for field, cases in symbol.fields:
                    if field == name:
                        return cases
                return one(Known(None, type))
            case Known(value=dict() as fields):
                inner = present(symbol.type)
                found = inner.field(name) if isinstance(inner, RecordType) else None
                if found is None:
                    return one(Known(fields.get(name), type))
                return one(Known(fields.get(found.key, found.default), found.type))
            case Free():
                inner = present(symbol.type)
                found = inner.field(name) if isinstance(inner, RecordType) else None
                kind = optional(JSON) if found is None else found.type
                part = self.part(symbol.name, f"{symbol.name}.{name}", kind)
                there = self.is_there(symbol)
                if there is TRUE:
                    return one(part)
                absent = Known(None, type)
                return ((there, part), (opposite(there), absent))
            case _:
                return one(Known(None, type))

    def element(self, symbol: Free, at: int, type: Type) -> Symbol:
        """Return the element of a list at a place, which is there only if the list is so long."""
        if at < 0:
            return Known(None, type)
        inner = present(symbol.type)
        element = inner.element if isinstance(inner, ListType) else type
        found = self.part(symbol.name, f"{symbol.name}[{at}]", optional(element))
        length = self.sum(self.length(symbol))
        assert length is not None
        long = linear({n: -f for n, f in length.terms}, "<=", length.constant - (at + 1))
        there = self.is_there(found)
        if f"{found.name}?" not in self.facts.axioms:
            self.axiom(any_of((opposite(there), long)), f"{found.name}?")
            if not isinstance(element, OptionalType) and not is_json(element):
                self.axiom(any_of((there, opposite(long))), f"{found.name}?")
        return found

    def listed(self, symbol: Symbol) -> Elements | None:
        """Return the elements of a list that is written down, or of a short one; None for others.
        An element that its guard says to be there has the type of an element, without `?`.
        """
        items = self.items(symbol)
        if items is not None:
            return [(TRUE, item) for item in items]
        inner = present(symbol.type) if isinstance(symbol, Free) else None
        if not isinstance(symbol, Free) or not isinstance(inner, ListType):
            return None
        if inner.max_length is None or inner.max_length > MOST_LISTED:
            return None
        length = self.sum(self.length(symbol))
        assert length is not None
        return [
            (at_least(length, at + 1), one(self.element_there(symbol, at)))
            for at in range(inner.max_length)
        ]

    def element_there(self, symbol: Free, at: int) -> Free:
        """Return the element of a list that has one at this place."""
        inner = present(symbol.type)
        assert isinstance(inner, ListType)
        found = self.element(symbol, at, inner.element)
        assert isinstance(found, Free)
        return Free(found.name, inner.element)

    def length(self, symbol: Symbol) -> Symbol:
        """Return the length of a list, a map or a text."""
        match symbol:
            case Listed():
                return Known(len(symbol.items), INT)
            case SymbolicRecord():
                return Known(len(symbol.fields), INT)
            case Known(value=list() | str() | dict() as value):
                return Known(len(value), INT)
            case Free():
                inner, most = present(symbol.type), None
                if isinstance(inner, (ListType, MapType)):
                    most = inner.max_length
                elif isinstance(inner, Scalar) and inner.max_tokens is not None:
                    most = inner.max_tokens * BYTES_A_TOKEN
                high = None if most is None else Decimal(most)
                type = Scalar(ScalarKind.INT, low=Decimal(0), high=high)
                found = self.part(symbol.name, f"len({symbol.name})", type)
                if symbol.name not in self._lengths:
                    self._lengths.add(symbol.name)
                    for atom in self._texts.get(symbol.name, ()):
                        self._same_length(symbol.name, atom)
                return found
            case _:
                about = variables(one(symbol))
                type = Scalar(ScalarKind.INT, low=Decimal(0))
                return self.opaque(f"len({name_of(one(symbol))})", type, COMPUTED, about)

    def text_is(self, atom: Equals) -> Formula:
        """Return the literal that a text equals a constant or another text; its length follows."""
        names = (atom.variable,) if atom.constant else (atom.variable, atom.other)
        for name in names:
            known = self._texts.setdefault(name, [])
            if atom not in known:
                known.append(atom)
                if name in self._lengths:
                    self._same_length(name, atom)
                for question, answer in self._matches.get(name, ()):
                    self._answered(question, answer, atom)
        return literal(atom)

    def matches(self, name: str, question: Formula, answer: Callable[[str], bool]) -> None:
        """Relate a question about a text to the constants that it is compared with, for which the
        answer is known.
        """
        self._matches.setdefault(name, []).append((question, answer))
        for atom in self._texts.get(name, ()):
            self._answered(question, answer, atom)

    def _answered(self, question: Formula, answer: Callable[[str], bool], atom: Equals) -> None:
        if atom.constant:
            so = question if answer(atom.other) else opposite(question)
            self.axiom(any_of((literal(atom, positive=False), so)), *names_of(question))

    def _same_length(self, name: str, atom: Equals) -> None:
        """Relate the length of a text to what the text is compared with."""
        own, differs = f"len({name})", literal(atom, positive=False)
        if atom.constant:
            size = Fraction(len(atom.other))
            self.axiom(any_of((differs, linear({own: Fraction(1)}, "==", size))), own)
            if not atom.other:
                filled = linear({own: Fraction(-1)}, "<=", Fraction(-1))
                self.axiom(any_of((literal(atom), filled)), own)
        else:
            other = atom.other if name == atom.variable else atom.variable
            # Only the names matter here: both are texts without a shorter limit than their own.
            self.length(Free(other, self.types[other]))
            terms = {own: Fraction(1), f"len({other})": Fraction(-1)}
            self.axiom(any_of((differs, linear(terms, "==", Fraction(0)))), own)

    # ------------------------------------------------------------------------------------- numbers

    def sum(self, symbol: Symbol) -> Sum | None:
        """Return a number as a sum of variables; None for what is no number."""
        match symbol:
            case Sum():
                return symbol
            case Known(value=bool() | None):
                return None
            case Known(value=int() | Decimal() | float() as value):
                if present(symbol.type) == Scalar(ScalarKind.NUMBER):
                    value = float(value)  # as the interpreter reads it
                return Sum((), Fraction(str(value)))
            case Free() if is_number(symbol.type):
                return Sum(((symbol.name, Fraction(1)),), Fraction(0))
            case _:
                return None

    def range_of(self, value: Sum) -> tuple[Fraction | None, Fraction | None]:
        """Return bounds of a sum by the ranges of its variables; None where there is none."""
        low: Fraction | None = value.constant
        high: Fraction | None = value.constant
        for name, factor in value.terms:
            known = self.facts.ranges.get(name)
            ends = (None, None) if known is None else (known.low, known.high)
            first, last = ends if factor > 0 else (ends[1], ends[0])
            low = None if low is None or first is None else low + factor * first
            high = None if high is None or last is None else high + factor * last
        return low, high
