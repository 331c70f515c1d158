"""State of the elaboration: the symbols, what was made of them so far, and the findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import chain, islice
from typing import Any

from pipelang.diagnostics import Diagnostic, Edit, Help, Label, Rule, Sources, Span, codes, report
from pipelang.records import dataclass, field, replace
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.expressions import Const, Expr, place_of
from pipelang.semantics.loader import Loader
from pipelang.semantics.symbols import Symbol, Symbols, suggestion, use_line, with_article
from pipelang.semantics.types import ERROR, Type
from pipelang.syntax import ast


@dataclass(slots=True)
class Context:
    """One elaboration. `overrides` are values of settings that replace those in the files.

    `sources` are the texts that messages point into; templates are added when they are read.
    `read` are the places where the values were made that somebody reads, `flawed` the pipelines
    with an item that could not be read, `depths` how many declarations hang on one another,
    `sizes` how many fields a record has with those of its fields. `assumed` are shares for what
    nobody declared, by the word of its option. `stand_ins` are tiers by the names of those whose
    place they take. `turned` are the settings whose value is another one than their file's.
    `acting` says by key what was found to act, `answering` how what a key names answers.
    `uses` go from where a name stands to where it was declared; None where nobody asks for them.
    """

    symbols: Symbols
    loader: Loader
    overrides: Mapping[str, Any] = field(default_factory=dict)
    sources: Sources = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    types: dict[str, Type] = field(default_factory=dict)
    settings: dict[str, Const] = field(default_factory=dict)
    signatures: dict[str, Any] = field(default_factory=dict)
    evidence: dict[str, EvidenceFile] = field(default_factory=dict)
    pending: list[str] = field(default_factory=list)
    read: set[Span] = field(default_factory=set)
    flawed: set[str] = field(default_factory=set)
    reached: dict[str, frozenset[str]] = field(default_factory=dict)
    acting: dict[str, bool] = field(default_factory=dict)
    answering: dict[str, Any] = field(default_factory=dict)
    depths: dict[str, int] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    assumed: Mapping[str, Decimal] = field(default_factory=dict)
    stand_ins: Mapping[str, str] = field(default_factory=dict)
    turned: dict[str, int | Decimal] = field(default_factory=dict)
    uses: dict[Span, Span] | None = None
    _parts: dict[str, dict[str, Span]] = field(default_factory=dict)
    _by_name: dict[str, list[Symbol]] | None = None

    def tell(
        self,
        rule: Rule,
        span: Span | None,
        *,
        help: Help | None = None,
        labels: tuple[Label, ...] = (),
        edits: tuple[Edit, ...] = (),
        **words: object,
    ) -> None:
        self.diagnostics.append(report(rule, span, help=help, labels=labels, edits=edits, **words))

    def misread(self, span: Span) -> bool:
        """Whether an error of syntax was reported within a span."""
        return any(
            found.rule.code.startswith("P1")
            and found.span is not None
            and found.span.file == span.file
            and span.start <= found.span.start <= span.end
            for found in self.diagnostics
        )

    def find(self, file: str, name: ast.Name, *kinds: str) -> Symbol | None:
        """The symbol of a name, if it is one of these kinds; otherwise None, with a finding."""
        symbol = self.symbols.find(file, name.text)
        if symbol is None:
            self.unknown(file, name, kinds)
            return None
        self.symbols.use(file, symbol)
        self.refer(name.span, symbol.declaration.name.span)
        if symbol.kind not in kinds:
            self.wrong_kind(name, symbol, " or ".join(map(with_article, kinds)))
            return None
        return symbol

    def refer(self, span: Span, declared: Span | None) -> None:
        """Note where a name that is used was declared; one that stands nowhere has no letters."""
        if self.uses is not None and declared is not None and span.start < span.end:
            self.uses[span] = declared

    def refer_to_part(self, span: Span, key: str, name: str) -> None:
        """The same of a field of a record or a member of an enum."""
        if self.uses is None:
            return
        known = self._parts.get(key)
        if known is None:  # once a declaration: an enum of 8,000 is read 8,000 times by one match
            known = self._parts[key] = _places_of_parts(self.symbols.by_key.get(key))
        self.refer(span, known.get(name))

    def offer(self, name: str, kinds: tuple[str, ...]) -> str | None:
        """A line that says how to import a name that is not there; None if no library has it."""
        from pipelang.semantics.elaborate.import_hints import offered_by

        return offered_by(self.loader, name, kinds)

    def unknown(self, file: str, name: ast.Name, kinds: tuple[str, ...]) -> None:
        """Report an unknown name, with the nearest known one or the import that offers it."""
        if self.symbols.is_lost(file, name.text):
            return
        candidates = self.symbols.names(file, *kinds)
        help = self.elsewhere(file, name.text, kinds) or suggestion(name.text, candidates)
        help = help or self.offer(name.text, kinds)
        if help is None and 0 < len(candidates) <= 8:
            help = "there are: " + ", ".join(candidates)
        what = " or ".join(kinds)
        self.tell(codes.UNKNOWN_NAME, name.span, what=what, name=name.text, help=help)

    def elsewhere(self, file: str, name: str, kinds: tuple[str, ...]) -> str | None:
        """A line that says in which file a name stands that this one does not import: in one that
        an import of it imports.
        """
        if self._by_name is None:
            self._by_name = {}
            for one in self.symbols.by_key.values():
                self._by_name.setdefault(one.declaration.name.text, []).append(one)
        for symbol in self._by_name.get(name, ()):
            if symbol.file != file and symbol.kind in kinds:
                return self.offer(name, kinds) or use_line(file, symbol)
        return None

    def wrong_kind(
        self, name: ast.Name, symbol: Symbol, expected: str, help: Help | None = None
    ) -> None:
        """Report a name whose declaration is of another kind than is needed."""
        label = Label(symbol.declaration.name.span, "it is declared here")
        self.tell(
            codes.WRONG_KIND,
            name.span,
            name=name.text,
            found=with_article(symbol.kind),
            expected=expected,
            labels=(label,),
            help=help,
        )


def _places_of_parts(symbol: Symbol | None) -> dict[str, Span]:
    """The places of the fields or members of a declaration; none of the record of a decision, which
    nobody declares.
    """
    match symbol.declaration if symbol else None:
        case ast.TypeDecl(fields=parts):
            names = [part.name for part in parts]
        case ast.EnumDecl(members=members):
            names = [part.name for part in members]
        case _:
            names = []
    return {one.text: one.span for one in reversed(names)}


def broken(span: Span) -> Const:
    """The placeholder of an expression that was reported as an error."""
    return Const(None, ERROR, span=span)


@dataclass(frozen=True, slots=True)
class Local:
    """A value in scope; `span` is where it was made, `declared` where its name stands if that is
    elsewhere.
    """

    type: Type
    span: Span
    declared: Span | None = None


class Names(Mapping[str, Local]):
    """Values by name, to which others are added without changing what was there.

    A pipeline adds one name a step, each to the mapping before. So they share one dict, and each
    knows how many of its entries it has. What is added inside a branch, or to an older mapping,
    goes into a layer of its own above the others.
    """

    __slots__ = ("_below", "_count", "_layers", "_shared")

    def __init__(self, names: Mapping[str, Local], below: Names | None = None) -> None:
        self._shared = {name: (at, local) for at, (name, local) in enumerate(names.items())}
        self._count = len(self._shared)
        self._below = below
        self._layers: int = 1 if below is None else below._layers + 1

    def inside(self) -> Names:
        """The same, with a layer for what is added inside a branch."""
        return Names({}, self)

    def adding(self, name: str, local: Local) -> Names:
        """These and one more, which takes the place of another of its name."""
        if len(self._shared) > self._count or name in self._shared:
            if self._layers >= MOST_LAYERS:
                return Names({**self, name: local})
            return Names({name: local}, self)
        self._shared[name] = (self._count, local)
        more = Names.__new__(Names)
        more._shared, more._count = self._shared, self._count + 1
        more._below, more._layers = self._below, self._layers
        return more

    def _find(self, name: object) -> Local | None:
        layer: Names | None = self
        while layer is not None:
            found = layer._shared.get(name)  # type: ignore[call-overload]
            if found is not None and found[0] < layer._count:
                local: Local = found[1]
                return local
            layer = layer._below
        return None

    def __getitem__(self, name: str) -> Local:
        found = self._find(name)
        if found is None:
            raise KeyError(name)
        return found

    def get(self, name: str, default: Any = None) -> Any:
        found = self._find(name)
        return default if found is None else found

    def __contains__(self, name: object) -> bool:
        return self._find(name) is not None

    def __iter__(self) -> Iterator[str]:
        layers = []
        layer: Names | None = self
        while layer is not None:
            layers.append(islice(layer._shared, layer._count))
            layer = layer._below
        return iter(dict.fromkeys(chain.from_iterable(reversed(layers))))

    def __len__(self) -> int:
        return sum(1 for _ in self)


MOST_LAYERS = 200
"""Twice as many as branches and comprehensions may stand in each other."""

Groups = tuple[frozenset[str], "Groups"] | None
"""Names, group by group: a scope adds one to those of the scope before."""


def _among(groups: Groups, name: str) -> bool:
    while groups is not None:
        here, groups = groups
        if name in here:
            return True
    return False


@dataclass(frozen=True, slots=True)
class Scope:
    """The values that an expression may read.

    `elements` are the names that comprehensions give to their elements; they are in `names` too.
    `present` are the paths known to be there; `reached` takes everything as there, because what is
    said is only meant where it is. `gone` are the names made in a closed branch, `later` those made
    further down, for who doesn't find them in `names`. `budget` says whether `budget.remaining` may
    be read, `tested` that a test writes down what runs get from outside.
    """

    file: str
    names: Mapping[str, Local] = field(default_factory=dict)
    present: frozenset[tuple[str, ...]] = frozenset()
    gone: Groups = None
    later: Groups = None
    budget: bool = False
    reached: bool = False
    tested: bool = False
    elements: frozenset[str] = frozenset()

    def is_gone(self, name: str) -> bool:
        """Whether a value of this name was made in a branch that is closed."""
        return _among(self.gone, name)

    def is_later(self, name: str) -> bool:
        """Whether a value of this name is made further down."""
        return _among(self.later, name)

    def inside(self) -> Scope:
        """The scope inside a branch, an `each` or a comprehension."""
        return replace(self, names=self._names().inside())

    def with_element(self, name: str, local: Local) -> Scope:
        """The scope inside a comprehension."""
        inner = self.inside().with_name(name, local)
        return replace(inner, elements=self.elements | {name})

    def with_name(self, name: str, local: Local) -> Scope:
        """The scope behind a value."""
        return self._with(self._names().adding(name, local), self.budget)

    def with_budget(self) -> Scope:
        """The scope of a step, which may ask what is left of the budget."""
        return self._with(self.names, True)

    def _with(self, names: Mapping[str, Local], budget: bool) -> Scope:
        """The scope with other names: two for each step, which `replace` is too slow for."""
        around = self.present, self.gone, self.later, budget, self.reached
        return Scope(self.file, names, *around, self.tested, self.elements)

    def _names(self) -> Names:
        return self.names if isinstance(self.names, Names) else Names(self.names)

    def knowing(self, present: frozenset[tuple[str, ...]]) -> Scope:
        return replace(self, present=self.present | present) if present else self

    def is_present(self, expr: Expr) -> bool:
        path = place_of(expr)
        return path is not None and (self.reached or path in self.present)
