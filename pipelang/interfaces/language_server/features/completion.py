"""Completion that knows its place: tiers and roles after `by`, fields after `.`, members where an
enum is meant, options with their units, and else what the grammar lets stand there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lsprotocol import types as lsp

from pipelang.interfaces.language_server.documents import Documents
from pipelang.interfaces.language_server.features.completion_place import (
    CompletionPlace,
    place_at,
    tokens_of,
)
from pipelang.interfaces.language_server.features.expected_type import expected_at
from pipelang.interfaces.language_server.features.hover import full
from pipelang.interfaces.language_server.features.surroundings import (
    block_around,
    fitting_options,
    is_metric_place,
    is_route,
    is_sampled,
    is_type_place,
    listing,
    only_people_answer,
    statement,
    takes_option,
)
from pipelang.interfaces.language_server.features.text_completion import completions_in_text
from pipelang.interfaces.language_server.features.values_in_scope import ValuesInScope
from pipelang.interfaces.language_server.features.words import (
    KEYWORD_WORDS,
    METRIC_WORDS,
    OPTION_WORDS,
    plain,
)
from pipelang.interfaces.language_server.open_files import OpenFiles
from pipelang.interfaces.language_server.positions import TextLines
from pipelang.interfaces.language_server.session import Root
from pipelang.semantics.build import Survey
from pipelang.semantics.symbols import BUILTIN_FUNCTIONS
from pipelang.semantics.types import SCALAR_NAMES, EnumType, ListType, RecordType, Type, present
from pipelang.syntax import ast
from pipelang.syntax.lexicon import DECLARING, ITEMS

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
}
"""A word, and the kinds of declarations that are named behind it."""

_SYMBOL_KINDS = {
    "enum": K.Enum,
    "type": K.Struct,
    "provider": K.Module,
    "tier": K.Value,
    "role": K.Interface,
    "tool": K.Method,
    "fn": K.Function,
    "patterns": K.Constant,
    "prompt": K.Text,
    "setting": K.Constant,
    "memory": K.Variable,
    "pipeline": K.Class,
}


def complete(
    root: Root, documents: Documents, lines: TextLines, offset: int
) -> list[lsp.CompletionItem]:
    """Words that may be written at a place of a file."""
    from pipelang.diagnostics import Source

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
        self.root, self.place, self.offset = root, place, offset
        self.survey: Survey | None = root.survey if root.survey and root.survey.symbols else None
        if self.survey is None:
            self.survey = root.sound
        whole = block_around(self.place) in ("traffic", "slo", "watch")
        self.values = ValuesInScope(root.path, place, self.survey, whole)

    def items(self) -> Iterator[lsp.CompletionItem]:
        """Names that are meant first, then keywords."""
        place, before = self.place, self.place.word()
        if before == ".":
            yield from self._fields()
            return
        if before == "use":
            yield from self._libraries()
            return
        if self._used_library() is not None:
            yield from self._offered()
            return
        names = list(self._names()) if place.takes_name else []
        yield from names
        if before == "by" and names:
            yield from self._keywords(place.keywords & {"cascade", "match", "if"})
            return
        yield from self._keywords(place.keywords)

    # ------------------------------------------------------------------------------ names

    def _names(self) -> Iterator[lsp.CompletionItem]:
        before = self.place.word()
        around = block_around(self.place)
        kinds = _BEHIND.get(before)
        if before == "with" and statement(self.place) == "escalate":
            kinds = None
        if before == "by" and only_people_answer(self.place):
            kinds = ("role",)
        if is_sampled(self.place):
            yield from self._parts_of_pipeline(steps=True)
            return
        if before == "to":
            kinds = ("role",) if self.place.word(2) == "escalate" else None
        if before == "," and listing(self.place) is not None:
            kinds = listing(self.place)
        if before == "(" and self.place.word(2) == "cascade":
            kinds = ("tier",)
        if before in ("accuracy", "price"):
            yield from self._symbols("tier")
        new = before in ("approve", "hold", "step", "gate", "let", *DECLARING - {"prove", "use"})
        if new and (kinds is None or (before == "provider" and around != "tier")):
            return  # a new name
        if kinds is not None:
            yield from self._symbols(*kinds)
            return
        if before in ("redo", "mock", "escalated", "rejected", "cached", "of", "after"):
            yield from self._parts_of_pipeline()
            if before in ("mock", "escalated", "rejected", "after"):
                yield from self._symbols("tool", "pipeline")
            return
        if before == ":" and len(self.place.before) == 3 and self.place.before[0].text == "prove":
            yield from self._symbols("tool")
            return
        if is_type_place(self.place):
            yield from self._types()
            return
        if is_metric_place(self.place, around):
            yield from _metrics()
            return
        if around == "traffic":
            yield from self._parts_of_pipeline()
        if before == "=>" and is_route(self.place):
            yield from self._symbols("tier", "role")
        yield from self._expected()
        yield from self._argument_names()
        yield from self._values()
        yield from self._symbols("setting")
        yield from self._functions()

    def _symbols(self, *kinds: str) -> Iterator[lsp.CompletionItem]:
        made = self.survey
        if made is None or made.symbols is None:
            return
        scope = made.symbols.scopes.get(self.root.path, {})
        for name, symbol in scope.items():
            if symbol.kind in kinds:
                yield lsp.CompletionItem(
                    label=name,
                    kind=_SYMBOL_KINDS[symbol.kind],
                    detail=_detail(made, symbol.kind, symbol.key),
                    documentation=symbol.declaration.doc or None,
                )

    def _types(self) -> Iterator[lsp.CompletionItem]:
        for name in SCALAR_NAMES:
            yield lsp.CompletionItem(label=name, kind=K.Keyword, detail="type")
        yield from self._symbols("enum", "type")

    def _functions(self) -> Iterator[lsp.CompletionItem]:
        yield from self._symbols("fn")
        for name in sorted(BUILTIN_FUNCTIONS):
            yield lsp.CompletionItem(label=name, kind=K.Function, detail="built in")

    def _values(self) -> Iterator[lsp.CompletionItem]:
        """Parameters, and steps and lets above the place, of the declaration around it."""
        for name, type in self.values.all().items():
            detail = None if type is None else full(type)
            yield lsp.CompletionItem(label=name, kind=K.Variable, detail=detail)

    def _parts_of_pipeline(
        self, name: str | None = None, steps: bool = False
    ) -> Iterator[lsp.CompletionItem]:
        """The steps and gates (or steps alone) of a pipeline, or of the one that is spoken of."""
        from pipelang.interfaces.language_server.features.named_parts import parts_of

        made = self.root.survey
        loaded = None if made is None else made.loaded.modules.get(self.root.path)
        for declaration in () if loaded is None else loaded.module.declarations:
            if not isinstance(declaration, ast.PipelineDecl):
                continue
            mine = declaration.name.text
            if mine == name or (name is None and self._concerns(declaration)):
                for part in parts_of(declaration, steps):
                    yield lsp.CompletionItem(label=part, kind=K.Field, detail=mine)

    def _concerns(self, declaration: ast.PipelineDecl) -> bool:
        first = self.place.before[0].text if self.place.before else ""
        if first != "pipeline":
            return True
        return declaration.span.start == self.place.before[0].start

    # ------------------------------------------------------------------------------ fields

    def _fields(self) -> Iterator[lsp.CompletionItem]:
        chain: list[str] = []
        at = len(self.place.before) - 1
        while at >= 1 and self.place.before[at].text == ".":
            chain.insert(0, self.place.before[at - 1].text)
            at -= 2
        if chain[:1] == ["budget"]:
            parts = ["remaining"] if len(chain) == 1 else ["time", "tokens", "steps"]
            yield from (lsp.CompletionItem(label=one, kind=K.Field) for one in parts)
            return
        if block_around(self.place) in ("slo", "watch"):
            head = ".".join(chain) + "."
            for name in METRIC_WORDS:
                if name.startswith(head):
                    rest = name.removeprefix(head)
                    yield lsp.CompletionItem(label=rest, kind=K.Property, detail=METRIC_WORDS[name])
            if chain == ["escalation"]:
                yield from self._parts_of_pipeline()
            return
        if chain[:1] == ["std"] or self.place.before[0].text == "use":
            yield from self._libraries(after=".".join(chain) + ".")
            return
        first = self.place.before[0].text
        if first in ("test", "prove") and self.values.pipeline_named(chain[0]) is not None:
            yield from self._parts_of_pipeline(chain[0])
        type = self.values.type_of(chain)
        if isinstance(type, RecordType):
            for field in type.fields:
                yield lsp.CompletionItem(
                    label=field.name, kind=K.Field, detail=full(field.type), documentation=field.doc
                )
        elif isinstance(type, ListType) and block_around(self.place) == "traffic":
            yield lsp.CompletionItem(label="length", kind=K.Field, detail="mean length")

    def _expected(self) -> Iterator[lsp.CompletionItem]:
        """Fields of the record that is being written, members of the enum that is meant."""
        expected = expected_at(self.values, self.place.before)
        if expected is not None and expected.names_field and isinstance(expected.type, RecordType):
            for field in expected.type.fields:
                if field.name not in expected.given:
                    detail = full(field.type)
                    yield lsp.CompletionItem(label=field.name, kind=K.Field, detail=detail)
            return
        found = self._compared() or self._matched() or (None if expected is None else expected.type)
        enum = None if found is None else present(found)
        if isinstance(enum, EnumType):
            for name in self._written(enum):
                yield lsp.CompletionItem(label=name, kind=K.EnumMember, detail=enum.name)

    def _written(self, enum: EnumType) -> Iterable[str]:
        made = self.survey
        symbol = made.symbols.by_key.get(enum.name) if made and made.symbols else None
        if symbol is not None and isinstance(symbol.declaration, ast.EnumDecl):
            return [member.name.text for member in symbol.declaration.members]
        return enum.written

    def _compared(self) -> Type | None:
        """The type of what stands on the left of a comparison that ends here."""
        tokens = self.place.before
        at = len(tokens) - 1
        while (at >= 0 and tokens[at].text in ("[", ",", "(")) or (
            at >= 0
            and at < len(tokens) - 1
            and tokens[at].type == "NAME"
            and tokens[at + 1].text == ","
        ):
            at -= 1
        if at < 1 or tokens[at].text not in ("==", "!=", "in"):
            return None
        return self.values.type_of(self.values.chain_before(at))

    def _matched(self) -> Type | None:
        """The type of the subject of the `match`, or of the traffic line, that is open here."""
        tokens = self.place.before
        depth = 0
        for index in range(len(tokens) - 1, -1, -1):
            word = tokens[index].text
            depth += (word == "}") - (word == "{")
            if depth < 0 and word == "{":
                chain = self.values.chain_before(index) if index else []
                first = index - 2 * len(chain)
                if first >= 0 and tokens[first].text == "match":
                    return self.values.type_of(chain)
                return self._shared(index) if block_around(self.place) == "traffic" else None
        return None

    def _shared(self, begin: int) -> Type | None:
        """In traffic: the type of the path before the last colon."""
        tokens = self.place.before
        for index in range(len(tokens) - 1, begin, -1):
            if tokens[index].text == ":":
                return self.values.type_of(self.values.chain_before(index))
        return None

    def _argument_names(self) -> Iterator[lsp.CompletionItem]:
        from pipelang.interfaces.language_server.features.signatures import call_around

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

    # ------------------------------------------------------------------------------ places

    # ------------------------------------------------------------------------------ files

    def _libraries(self, after: str = "") -> Iterator[lsp.CompletionItem]:
        for name in OpenFiles({}).libraries():
            if name.startswith(after):
                label = name.removeprefix(after)
                yield lsp.CompletionItem(label=label, kind=K.Module, detail="library")

    def _used_library(self) -> ast.Use | None:
        made = self.root.survey
        loaded = None if made is None else made.loaded.modules.get(self.root.path)
        for declaration in () if loaded is None else loaded.module.declarations:
            inside = declaration.span.start < self.offset < declaration.span.end
            if isinstance(declaration, ast.Use) and declaration.names is not None and inside:
                return declaration
        return None

    def _offered(self) -> Iterator[lsp.CompletionItem]:
        """Names that the file or library of a `use` declares."""
        written, made = self._used_library(), self.root.survey
        if written is None or made is None:
            return
        for item in made.loaded.modules[self.root.path].imports:
            module = made.loaded.modules.get(item.module or "")
            if item.use == written and module is not None:
                for one in module.module.declarations:
                    name = getattr(one, "name", None)
                    if isinstance(name, ast.Name) and not isinstance(one, ast.Broken):
                        yield lsp.CompletionItem(label=name.text, kind=K.Reference)

    # ------------------------------------------------------------------------------ keywords

    def _keywords(self, words: Iterable[str]) -> Iterator[lsp.CompletionItem]:
        around = block_around(self.place)
        fitting = fitting_options(self.place) if around == "options" else None
        if fitting is not None:
            words = [word for word in words if word in fitting or word not in OPTION_WORDS]
        ranked = sorted(words, key=lambda word: (word not in OPTION_WORDS, word))
        for word in ranked:
            is_option = word in OPTION_WORDS and around not in (
                "slo",
                "watch",
                "traffic",
                "breaker",
            )
            if is_option and word not in ITEMS and takes_option(self.place, word):
                snippet, said = OPTION_WORDS[word]
                yield lsp.CompletionItem(
                    label=word,
                    kind=K.Property,
                    detail=plain(snippet),
                    documentation=said,
                    insert_text=snippet,
                    insert_text_format=lsp.InsertTextFormat.Snippet,
                )
            else:
                said = KEYWORD_WORDS.get(word, "")
                yield lsp.CompletionItem(label=word, kind=K.Keyword, documentation=said or None)


def _metrics() -> Iterator[lsp.CompletionItem]:
    for name, said in METRIC_WORDS.items():
        yield lsp.CompletionItem(label=name, kind=K.Property, detail="metric", documentation=said)


def _detail(made: Survey, kind: str, key: str) -> str:
    draft = made.draft
    if draft is not None and kind == "tier" and key in draft.tiers:
        tier = draft.tiers[key]
        prices = ", ".join(
            f"${tier.prices[one]} {one}" for one in ("in", "out") if one in tier.prices
        )
        return f"tier {tier.model or ''} {prices}".replace("  ", " ").strip()
    if draft is not None and kind == "setting" and key in draft.settings:
        return f"setting {full(draft.settings[key].type)}"
    return kind
