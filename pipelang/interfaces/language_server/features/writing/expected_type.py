"""The type that is expected at a place, seen from the tokens before it: of a field's value, of an
argument, of what a step answers, a test mocks or a pipeline returns.
"""

from __future__ import annotations

from collections.abc import Sequence

from pipelang.interfaces.language_server.features.writing.values_in_scope import ValuesInScope
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.types import ListType, MapType, RecordType, Type, present
from pipelang.semantics.walk import all_items
from pipelang.syntax.lexicon import ITEMS
from pipelang.syntax.tokens import Token

_CLOSING = {")": "(", "]": "[", "}": "{"}
_BEFORE_LITERALS = frozenset("= ( , : [ return answered else => with showing == != in then".split())
_STARTS = ITEMS | frozenset("expect mock given".split())


@dataclass(frozen=True, slots=True)
class ExpectedType:
    """A type, and whether it is that of a record of which a field is to be named here; `given` are
    the fields that have a value already.
    """

    type: Type
    names_field: bool = False
    given: frozenset[str] = frozenset()


def expected_at(values: ValuesInScope, tokens: Sequence[Token]) -> ExpectedType | None:
    """The expectation behind some tokens of a declaration."""
    depth, commas = 0, 0
    key: str | None = None
    given: set[str] = set()
    for index in range(len(tokens) - 1, 0, -1):
        word = tokens[index].text
        if word in _CLOSING:
            depth += 1
        elif word in _CLOSING.values():
            if depth:
                depth -= 1
                continue
            return _inside(values, tokens[:index], word, tokens[index:], commas, key, given)
        elif depth:
            continue
        elif word == ",":
            commas += 1
        elif word == ":" and tokens[index - 1].type != "RPAR":
            name = tokens[index - 1].text.strip('"')
            given.add(name)
            if not commas and key is None:
                key = name
        elif word == "if":  # `if a then b else c`: what is expected of it is expected of b and c
            return expected_at(values, tokens[:index])
        elif word in ("then", "else") and _is_of_if(tokens[:index]):
            continue
        elif word in _STARTS or word in ("=", "=>", "return", "answered", "else"):
            return _of_statement(values, tokens[: index + 1], commas, key)
    return None


def _is_of_if(tokens: Sequence[Token]) -> bool:
    """Whether a `then` or `else` belongs to an expression, and not to a chain or branch."""
    for token in reversed(tokens):
        if token.text == "if":
            return True
        if token.text in _STARTS or token.text in ("}", "{", ";"):
            return False
    return False


def _inside(
    values: ValuesInScope,
    before: Sequence[Token],
    opened: str,
    rest: Sequence[Token],
    commas: int,
    key: str | None,
    given: set[str],
) -> ExpectedType | None:
    """The expectation inside a bracket that is open."""
    last = before[-1].text if before else ""
    if opened == "(":
        if not last.isidentifier():
            return expected_at(values, before)
        type = _parameter(values, last, commas, key)
        return None if type is None else ExpectedType(type)
    if opened == "[":
        around = expected_at(values, before)
        inner = None if around is None or around.names_field else present(around.type)
        return ExpectedType(inner.element) if isinstance(inner, ListType) else None
    if last not in _BEFORE_LITERALS:
        return None
    around = expected_at(values, before)
    if around is None or around.names_field:
        return None
    record = present(around.type)
    if isinstance(record, MapType):
        return ExpectedType(record.value) if key is not None else None
    if isinstance(record, ListType) and last == ",":
        record = record.element
    if not isinstance(record, RecordType):
        return None
    if key is None:
        return ExpectedType(record, names_field=True, given=frozenset(given))
    field = record.field(key)
    return None if field is None else ExpectedType(field.type)


def _parameter(values: ValuesInScope, name: str, position: int, key: str | None) -> Type | None:
    """The type of an argument, by its place or its name."""
    owner = values.owner(name)
    if owner is None:
        return None
    if key is not None:
        return next((one.type for one in owner.parameters if one.name == key), None)
    return owner.parameters[position].type if position < len(owner.parameters) else None


def _of_statement(
    values: ValuesInScope, tokens: Sequence[Token], commas: int, key: str | None
) -> ExpectedType | None:
    """The expectation where no bracket of the statement is open; its last token tells most."""
    word = tokens[-1].text
    if key is not None and word != "=":
        return None
    type: Type | None = None
    if word == "=":
        type = _assigned(values, tokens[:-1])
    elif word in ("return", "answered"):
        pipeline = values.pipeline()
        type = None if pipeline is None else pipeline.returns
    elif word in ("else", "=>"):
        step = next((i for i in range(len(tokens) - 1, 0, -1) if tokens[i].text == "step"), None)
        type = None if step is None else values.type_of([tokens[step + 1].text])
    return None if type is None else ExpectedType(type)


def _assigned(values: ValuesInScope, tokens: Sequence[Token]) -> Type | None:
    """The type of what stands left of a `=`."""
    start = next(
        (i for i in range(len(tokens) - 1, -1, -1) if tokens[i].text in ("step", "let", "mock")),
        0,
    )
    word = tokens[start].text
    names = [one.text for one in tokens[start + 1 :] if one.text != "."]
    if word == "mock" and names:
        return _mocked(values, names)
    if word in ("step", "let") and names:
        known = values.type_of(names[:1])
        if known is not None:
            return known
    # The last one: a type's fields before this one have colons, too.
    colon = next((i for i in range(len(tokens) - 1, start, -1) if tokens[i].text == ":"), None)
    if colon is None or colon + 1 >= len(tokens):
        return None
    rest = [one.text for one in tokens[colon + 1 :]]
    if rest[0] == "[" and len(rest) > 1:
        element = values.named_type(rest[1])
        return None if element is None else ListType(element)
    plain = [one for one in rest if one not in ("untrusted", "private", "secret")]
    return values.named_type(plain[0]) if plain else None


def _mocked(values: ValuesInScope, names: list[str]) -> Type | None:
    """The type of what a step or a tool answers in a test."""
    pipeline = values.pipeline() if len(names) == 1 else values.pipeline_named(names[0])
    for item in () if pipeline is None else all_items(pipeline.block):
        if isinstance(item, p.Step) and item.name == names[-1]:
            return item.type
    owner = values.owner(names[-1])
    return owner.returns if isinstance(owner, p.Tool) else None
