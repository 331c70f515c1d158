"""Completions by type: fields after a dot, those of a record that is being written, and members
where an enum is meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from lsprotocol import types as lsp

from pipelang.interfaces.language_server.features.hover import full
from pipelang.interfaces.language_server.features.words import METRIC_WORDS
from pipelang.interfaces.language_server.features.writing.declared_names import DeclaredNames
from pipelang.interfaces.language_server.features.writing.expected_type import expected_at
from pipelang.interfaces.language_server.features.writing.place import CompletionPlace
from pipelang.interfaces.language_server.features.writing.surroundings import block_around
from pipelang.interfaces.language_server.features.writing.values_in_scope import ValuesInScope
from pipelang.semantics.types import EnumType, ListType, RecordType, Type, present
from pipelang.syntax import ast

K = lsp.CompletionItemKind


class FieldsAndMembers:
    """Names that the types of values let stand at a place."""

    def __init__(
        self, place: CompletionPlace, values: ValuesInScope, declared: DeclaredNames
    ) -> None:
        self.place, self.values, self.declared = place, values, declared

    def fields(self) -> Iterator[lsp.CompletionItem]:
        """Names that may stand behind the dot that ends here."""
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
                yield from self.declared.parts_of_pipeline()
            return
        if chain[:1] == ["std"] or self.place.before[0].text == "use":
            yield from self.declared.libraries(after=".".join(chain) + ".")
            return
        first = self.place.before[0].text
        if first in ("test", "prove") and self.values.pipeline_named(chain[0]) is not None:
            yield from self.declared.parts_of_pipeline(chain[0])
        in_traffic = block_around(self.place) == "traffic"
        type = self.values.type_of(chain, in_traffic)
        if isinstance(type, RecordType):
            for field in type.fields:
                yield lsp.CompletionItem(
                    label=field.name, kind=K.Field, detail=full(field.type), documentation=field.doc
                )
        elif isinstance(type, ListType) and in_traffic:
            yield lsp.CompletionItem(label="length", kind=K.Field, detail="mean length")
            yield lsp.CompletionItem(label="each", kind=K.Field, detail="every element")

    def expected(self) -> Iterator[lsp.CompletionItem]:
        """Fields of the record that is being written, members of the enum that is meant."""
        expected = expected_at(self.values, self.place.before)
        if expected is not None and expected.names_field and isinstance(expected.type, RecordType):
            for field in expected.type.fields:
                if field.name not in expected.given:
                    yield lsp.CompletionItem(
                        label=field.name,
                        kind=K.Field,
                        detail=full(field.type),
                        documentation=field.doc,
                    )
            return
        found = self._compared() or self._matched() or (None if expected is None else expected.type)
        enum = None if found is None else present(found)
        if isinstance(enum, EnumType):
            docs = dict(enum.docs)
            for name in self._written(enum):
                value = enum.value_of(name)
                yield lsp.CompletionItem(
                    label=name,
                    kind=K.EnumMember,
                    detail=enum.name,
                    documentation=None if value is None else docs.get(value),
                )

    def _written(self, enum: EnumType) -> Iterable[str]:
        made = self.values.survey
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
