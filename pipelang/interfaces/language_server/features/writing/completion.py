"""Completion that knows its place: tiers and roles after `by`, fields after `.`, members where an
enum is meant, options with their units, and else what the grammar lets stand there.
"""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types as lsp

from pipelang.diagnostics import Source
from pipelang.interfaces.language_server.documents import Documents
from pipelang.interfaces.language_server.features.hover import full
from pipelang.interfaces.language_server.features.writing.declared_names import DeclaredNames
from pipelang.interfaces.language_server.features.writing.fields import FieldsAndMembers
from pipelang.interfaces.language_server.features.writing.keywords import keywords, metrics
from pipelang.interfaces.language_server.features.writing.place import (
    CompletionPlace,
    place_at,
    tokens_of,
)
from pipelang.interfaces.language_server.features.writing.signatures import call_around
from pipelang.interfaces.language_server.features.writing.surroundings import (
    block_around,
    is_cache_key,
    is_metric_place,
    is_route,
    is_sampled,
    is_type_place,
    listing,
    only_people_answer,
    statement,
)
from pipelang.interfaces.language_server.features.writing.texts import completions_in_text
from pipelang.interfaces.language_server.features.writing.values_in_scope import ValuesInScope
from pipelang.interfaces.language_server.positions import TextLines
from pipelang.interfaces.language_server.session import Root
from pipelang.semantics.build import Survey
from pipelang.syntax.lexicon import DECLARING

K = lsp.CompletionItemKind
_BEHIND: dict[str, tuple[str, ...]] = {
    "by": ("tier", "role"),
    "call": ("tool",),
    "ask": ("prompt",),
    "agent": ("prompt",),
    "run": ("pipeline",),
    "recall": ("memory",),
    "remember": ("memory",),
    "prove": ("pipeline",),
    "given": ("pipeline",),
    "matches": ("patterns",),
    "provider": ("provider",),
    "must_differ_from": ("role",),
    "called": ("tool",),
    "never": ("tool",),
    "reaches": ("tool", "prompt"),
    "alert": ("role",),
    "with": ("tool", "pipeline"),
    "calls": ("tool",),
    "decision": ("enum",),
}
"""A word, and the kinds of declarations that are named behind it."""


def complete(
    root: Root, documents: Documents, lines: TextLines, offset: int
) -> list[lsp.CompletionItem]:
    """Words that may be written at a place of a file."""
    source = Source(root.path, lines.text)
    place = place_at(source, tokens_of(root, source), offset)
    if place.in_text is not None:
        return list(completions_in_text(root, place, lines, offset))
    if not place.keywords and not place.takes_name and not place.before:
        return []
    maker = _Completions(root, place, offset)
    found = list(maker.items())
    chosen: dict[str, lsp.CompletionItem] = {}
    for item in found:
        chosen.setdefault(item.label, item)
    for rank, item in enumerate(chosen.values()):
        item.sort_text = f"{rank:05}"
    return list(chosen.values())


class _Completions:
    """The completions of one place."""

    def __init__(self, root: Root, place: CompletionPlace, offset: int) -> None:
        self.root, self.place = root, place
        survey: Survey | None = root.survey if root.survey and root.survey.symbols else None
        self.survey = root.sound if survey is None else survey
        whole = block_around(self.place) in ("traffic", "slo", "watch")
        self.values = ValuesInScope(root.path, place, self.survey, whole)
        self.declared = DeclaredNames(root, place, offset, self.survey)
        self.typed = FieldsAndMembers(place, self.values, self.declared)

    def items(self) -> Iterator[lsp.CompletionItem]:
        """Names that are meant first, then keywords."""
        place, before = self.place, self.place.word()
        if before == ".":
            yield from self.typed.fields()
            return
        if before == "use":
            yield from self.declared.libraries()
            return
        if self.declared.used_library() is not None:
            yield from self.declared.offered()
            return
        names = list(self._names()) if place.takes_name else []
        yield from names
        if before == "by" and names and not is_cache_key(place):
            yield from keywords(place, place.keywords & {"cascade", "match", "if"})
            return
        yield from keywords(place, place.keywords)

    def _names(self) -> Iterator[lsp.CompletionItem]:
        before = self.place.word()
        around = block_around(self.place)
        kinds = None if is_cache_key(self.place) else _BEHIND.get(before)
        if before == "with" and statement(self.place) == "escalate":
            kinds = None
        if before == "by" and only_people_answer(self.place):
            kinds = ("role",)
        if is_sampled(self.place):
            yield from self.declared.parts_of_pipeline(steps=True)
            return
        if before == "to":
            kinds = ("role",) if self.place.word(2) == "escalate" else None
        if before == "," and listing(self.place) is not None:
            kinds = listing(self.place)
        if before == "(" and self.place.word(2) == "cascade":
            kinds = ("tier",)
        if before in ("accuracy", "price"):
            yield from self.declared.symbols("tier")
        new = before in ("approve", "hold", "step", "gate", "let", *DECLARING - {"prove", "use"})
        if new and (kinds is None or (before == "provider" and around != "tier")):
            return  # a new name
        if kinds is not None:
            yield from self.declared.symbols(*kinds)
            return
        if before in ("redo", "mock", "escalated", "rejected", "cached", "of", "after"):
            yield from self.declared.parts_of_pipeline()
            if before in ("mock", "escalated", "rejected", "after"):
                yield from self.declared.symbols("tool", "pipeline")
            return
        if before == ":" and len(self.place.before) == 3 and self.place.before[0].text == "prove":
            yield from self.declared.symbols("tool")
            return
        if is_type_place(self.place):
            yield from self.declared.types()
            return
        if is_metric_place(self.place, around):
            yield from metrics()
            return
        if around == "traffic":
            yield from self.declared.parts_of_pipeline()
        if before == "=>" and is_route(self.place):
            yield from self.declared.symbols("tier", "role")
        yield from self.typed.expected()
        yield from self._argument_names()
        yield from self._values()
        yield from self.declared.symbols("setting")
        yield from self.declared.functions()

    def _values(self) -> Iterator[lsp.CompletionItem]:
        """Parameters, and steps and lets above the place, of the declaration around it."""
        for name, type in self.values.all().items():
            detail = None if type is None else full(type)
            yield lsp.CompletionItem(label=name, kind=K.Variable, detail=detail)

    def _argument_names(self) -> Iterator[lsp.CompletionItem]:
        if self.place.word() not in ("(", ","):
            return
        around = call_around(self.place.before)
        made = self.survey
        if around is None or made is None or made.symbols is None:
            return
        symbol = made.symbols.scopes.get(self.root.path, {}).get(around.name)
        parameters = getattr(symbol.declaration, "params", ()) if symbol is not None else ()
        for one in parameters:
            if one.name.text not in around.named:
                label = f"{one.name.text}: "
                yield lsp.CompletionItem(label=label, kind=K.Property, detail="argument")
