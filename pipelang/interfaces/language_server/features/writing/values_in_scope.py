"""Values that may be read at a place of a half-written file, and their types as far as known.

The tokens before the place say which names there are; the last survey knows the types of most.
"""

from __future__ import annotations

from pipelang.interfaces.language_server.features.writing.place import CompletionPlace
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.build import Survey
from pipelang.semantics.program import Parameter
from pipelang.semantics.types import (
    SCALAR_NAMES,
    TEXT,
    EnumType,
    ListType,
    RecordField,
    RecordType,
    Scalar,
    Type,
    optional,
    present,
)
from pipelang.semantics.walk import all_items, inner_links

Owner = p.Tool | p.Function | p.Prompt | p.Pipeline


@dataclass(frozen=True, slots=True)
class ValuesInScope:
    """The values at a place of a file; `survey` is the last one that knows names. `everywhere`:
    what is said here is about a pipeline as a whole, so that values further down count too.
    """

    path: str
    place: CompletionPlace
    survey: Survey | None
    everywhere: bool = False

    @property
    def draft(self) -> p.Program | None:
        """The program of the survey."""
        return None if self.survey is None else self.survey.draft

    def key_of(self, name: str) -> str | None:
        """The key of a declaration that the file sees."""
        made = self.survey
        if made is None or made.symbols is None:
            return None
        symbol = made.symbols.scopes.get(self.path, {}).get(name)
        return None if symbol is None else symbol.key

    def owner(self, name: str) -> Owner | None:
        """A declaration that has parameters, by its name."""
        key, draft = self.key_of(name), self.draft
        if key is None or draft is None:
            return None
        groups: tuple[dict[str, Owner], ...] = (
            {**draft.tools},
            {**draft.functions},
            {**draft.prompts},
            {**draft.pipelines},
        )
        return next((group[key] for group in groups if key in group), None)

    def pipeline_named(self, name: str) -> p.Pipeline | None:
        """A pipeline by its name."""
        found = self.owner(name)
        return found if isinstance(found, p.Pipeline) else None

    def pipeline(self) -> p.Pipeline | None:
        """The pipeline around the place, or the one that a test or claim is about."""
        tokens = self.place.before
        if len(tokens) < 2:
            return None
        match tokens[0].text:
            case "pipeline" | "prove":
                return self.pipeline_named(tokens[1].text)
            case "test":
                given = next((i for i, one in enumerate(tokens) if one.text == "given"), None)
                if given is not None and given + 1 < len(tokens):
                    return self.pipeline_named(tokens[given + 1].text)
            case _:
                pass
        return None

    def all(self) -> dict[str, Type | None]:
        """The values that may be read at the place, with their types where they are known."""
        tokens = self.place.before
        first = tokens[0].text if tokens else ""
        found: dict[str, Type | None] = {}
        types: dict[str, Type | None] = {}
        owner = self.pipeline()
        if owner is not None:
            found.update((one.name, one.type) for one in owner.parameters)
            types = _made_in(owner)
        elif first in ("fn", "prompt") and len(tokens) > 1:
            other = self.owner(tokens[1].text)
            found.update((one.name, one.type) for one in _parameters(other))
        for index, token in enumerate(tokens[:-1]):
            name = tokens[index + 1].text
            if token.text in ("step", "let", "each", "for") and name.isidentifier():
                found[name] = types.get(name)
        if first in ("test", "prove") or self.everywhere:
            found.update(types)
        found.update(self._elements({**types, **found}))
        if first == "test" and owner is not None:
            found["result"] = owner.returns
            found["handoff"] = _handoff(owner, types)
        if any(token.text == "cascade" for token in tokens[-60:]):
            found["it"] = self._answer_type()
        return found

    def _elements(self, known: dict[str, Type | None]) -> dict[str, Type | None]:
        """The elements of lists that are gone through around the place, `for x in a.b`."""
        found: dict[str, Type | None] = {}
        words = [token.text for token in (*self.place.before, *self.place.behind)]
        for at, word in enumerate(words[:-3]):
            if word == "for" and words[at + 2] == "in":
                chain, end = [words[at + 3]], at + 4
                while end + 1 < len(words) and words[end] == ".":
                    chain.append(words[end + 1])
                    end += 2
                list_type = _along(known.get(chain[0]), chain[1:])
                element = list_type.element if isinstance(list_type, ListType) else None
                found[words[at + 1]] = element
        return found

    def type_of(self, chain: list[str], in_traffic: bool = False) -> Type | None:
        """The type of `a.b.c`; in `traffic` a list's `each` is every element of it."""
        return _along(self.all().get(chain[0]), chain[1:], in_traffic) if chain else None

    def chain_before(self, at: int) -> list[str]:
        """The names of `a.b.c` that ends before a token."""
        tokens = self.place.before
        chain = [tokens[at - 1].text]
        at -= 2
        while at >= 1 and tokens[at].text == ".":
            chain.insert(0, tokens[at - 1].text)
            at -= 2
        return chain

    def named_type(self, name: str) -> Type | None:
        """A type by its name."""
        if name in SCALAR_NAMES:
            return Scalar(SCALAR_NAMES[name])
        key, draft = self.key_of(name), self.draft
        if key is None or draft is None:
            return None
        if key in draft.records:
            return draft.records[key]
        members = draft.enums.get(key)
        return None if members is None else EnumType(key, members)

    def _answer_type(self) -> Type | None:
        """The type of the step whose cascade is being written."""
        tokens = self.place.before
        for index in range(len(tokens) - 2, 0, -1):
            if tokens[index].text == "step":
                owner = self.pipeline()
                known = {} if owner is None else _made_in(owner)
                return known.get(tokens[index + 1].text)
        return None


def _along(type: Type | None, fields: list[str], in_traffic: bool = False) -> Type | None:
    """The type that a path of fields leads to."""
    for name in fields:
        inner = None if type is None else present(type)
        if in_traffic and name == "each" and isinstance(inner, ListType):
            type = inner.element
            continue
        field = inner.field(name) if isinstance(inner, RecordType) else None
        type = None if field is None else field.type
    return None if type is None else present(type)


def _parameters(owner: Owner | None) -> tuple[Parameter, ...]:
    return () if owner is None else owner.parameters


def _made_in(pipeline: p.Pipeline) -> dict[str, Type | None]:
    """The values that a pipeline makes, those of its loops included."""
    found: dict[str, Type | None] = {}
    for item in all_items(pipeline.block):
        if isinstance(item, (p.Step, p.Let)):
            found[item.name] = item.type
        if isinstance(item, p.Step):
            for link in inner_links(item.chain):
                if isinstance(link.action, p.Each):
                    found.setdefault(link.action.variable, link.action.element)
    return found


def _handoff(pipeline: p.Pipeline, types: dict[str, Type | None]) -> RecordType:
    """All that a run hands over: its inputs, its text, and each value by its name."""
    inputs = tuple(RecordField(one.name, one.type) for one in pipeline.parameters)
    known = {"input": RecordType("input", inputs), "text": optional(TEXT)}
    every = {**known, **{name: type for name, type in types.items() if type is not None}}
    return RecordType("handoff", tuple(RecordField(name, type) for name, type in every.items()))
