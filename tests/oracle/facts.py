"""What traffic says of values, and of the arguments that stand behind a sub-pipeline's parameters.

A fact is one draw per version of the value. Where the value is a parameter, the fact is about the
argument: it is found in the caller's words, up to the pipeline in which the value was made. The
share is that of the outermost pipeline which has one for these words; a literal decides by itself.
Of an argument that is neither a name nor a literal no caller has words, so the child speaks.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from fractions import Fraction

from . import expressions as e
from . import model as m
from .lookup import Lookup
from .meeting import Rests, Versions
from .root import Root, Share
from .values import OpenReadingError, Value


@dataclass(frozen=True, slots=True)
class Decided:
    """A literal, as it is written, or the number of a literal list's elements."""

    text: str


@dataclass(frozen=True, slots=True)
class Computed:
    """An argument that is computed, by its words and by the versions of what it mentions."""

    expr: e.Expr
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Fact:
    value: Value | Computed
    field: str
    share: Share | None


class Facts:
    def __init__(
        self,
        root: Root,
        lookup: Lookup,
        scope: dict[str, Value],
        caller: Facts | None = None,
        arguments: dict[str, e.Expr] | None = None,
    ) -> None:
        self._root = root
        self._lookup = lookup
        self._scope = scope
        self._caller = caller
        self._arguments = arguments or {}

    def drawn(self, versions: Versions, rests: Rests) -> Hashable:
        """What has been drawn about versions that are still looked at."""
        found = []
        for (of, field), (drawn, _) in self._root.facts.items():
            expr = None
            if isinstance(of, Computed):
                expr, values = rests.expr(of.expr), of.values
            else:
                assert isinstance(of, Value)
                values = (of,)
            if versions.lives(values):
                found.append((expr, versions.numbers(values), field, drawn))
        return frozenset(found)

    def path(self, path: e.Path) -> str:
        """The member that an enum path has in this run; `true` or `false` of a bool path.

        The shares are the same whether the value is right or wrong.
        """
        return self._drawn(self._fact(path), str(path))

    def length(self, over: e.Expr) -> int:
        found = self._part(over, "length")
        if found is None:
            raise ValueError(f"the length of {over} is unknown: not in the subset")
        return int(self._drawn(found, str(over)))

    def _drawn(self, fact: Decided | Fact, words: str) -> str:
        if isinstance(fact, Decided):
            return fact.text
        key = (fact.value, fact.field)
        if key in self._root.facts:
            drawn, share = self._root.facts[key]
            if share != fact.share:
                raise OpenReadingError(f"two pipelines disagree about {words}")
            return drawn
        if fact.share is None:
            raise ValueError(f"nobody says anything of {words}: not in the subset")
        self._root.facts[key] = drawn, _ = self._draw(fact.share), fact.share
        return drawn

    def _draw(self, share: Share) -> str:
        draws = self._root.draws
        match share:
            case m.Mean(length=length):
                low = length.numerator // length.denominator
                above = length - low
                return str(draws.choose([(1 - above, low), (above, low + 1)]))
            case Fraction():
                return "true" if draws.flip(share) else "false"
            case _:
                return draws.choose([(p, member) for member, p in share])

    def _fact(self, path: e.Path) -> Decided | Fact:
        lets = self._lookup.lets
        if path.value in lets:
            found = self._part(lets[path.value], path.field)
            if found is None:
                raise ValueError(f"a path into an expression: {path}")
            return found
        own = self._lookup.shares.get(path)
        if path.value not in self._arguments or self._caller is None:
            return Fact(self._scope[path.value], path.field or "", own)
        argument = self._arguments[path.value]
        outer = self._caller._part(argument, path.field)
        if outer is None:
            outer = Fact(self._caller._computed(argument), path.field or "", None)
        if isinstance(outer, Decided) or outer.share is not None:
            return outer
        return Fact(outer.value, outer.field, own)

    def _computed(self, expr: e.Expr) -> Computed:
        names = self._lookup.mentions(expr)
        return Computed(expr, tuple(self._scope[name] for name in names))

    def _part(self, expr: e.Expr, field: str | None) -> Decided | Fact | None:
        """A field of an expression, or the expression itself; None where there are no words."""
        match expr:
            case e.Path(field=None, value=value):
                return self._fact(e.Path(value, field))
            case e.Path() if field is None:
                return self._fact(expr)
            case e.Constant(text=text) if field is None:
                return Decided(text)
            case e.RecordOf(fields=fields) if field is not None and field in dict(fields):
                return self._part(dict(fields)[field], None)
            case e.ListOf(elements=elements) if field == "length":
                return Decided(str(len(elements)))
            case _:
                return None
