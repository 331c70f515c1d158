"""Names in prompts' templates: parameters, loop variables and fields, wherever they stand.

Jinja2's tree knows lines alone, so its tokens are read one after the other; their texts, put
together, are the template, which gives every name its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from pipelang.diagnostics import Span
from pipelang.interfaces.language_server.features.named_parts import Use
from pipelang.records import dataclass
from pipelang.semantics.build import Survey
from pipelang.semantics.symbols import Symbols
from pipelang.semantics.types import EnumType, ListType, RecordType, Type, present
from pipelang.syntax import ast


@dataclass(frozen=True, slots=True)
class TemplateName:
    """A name in a template: its place, its declaration (None: a loop's own), and its type."""

    span: Span
    declared: Span | None
    type: Type | None


def template_uses(survey: Survey) -> Iterator[Use]:
    """The names of parameters and fields in all templates of a program."""
    for name in template_names(survey):
        if name.declared is not None:
            yield name.span, name.declared


def template_names(survey: Survey) -> Iterator[TemplateName]:
    """Every name in the templates of a program."""
    symbols, draft = survey.symbols, survey.draft
    if symbols is None or draft is None:
        return
    for key, symbol in symbols.by_key.items():
        declaration = symbol.declaration
        if not isinstance(declaration, ast.PromptDecl) or key not in draft.prompts:
            continue
        types = {one.name: one.type for one in draft.prompts[key].parameters}
        places = {one.name.text: one.name.span for one in declaration.params}
        for template in (declaration.system, declaration.user):
            if template is None:
                continue
            place = _place(survey, symbol.file, template)
            if place is not None:
                yield from _names_in(place, survey, symbols, types, places)


def _place(survey: Survey, file: str, template: ast.Template) -> Span | None:
    """The place of a template's text."""
    if template.file is None:
        span = template.span
        return Span(span.file, span.start + 3, span.end - 3) if span.end - span.start >= 6 else None
    from pipelang.interfaces.check.disk_loader import DiskLoader

    path = DiskLoader().beside(file, str(template.file.value))
    source = survey.built.sources.get(path)
    return None if source is None else Span(path, 0, len(source.text))


def _names_in(
    place: Span,
    survey: Survey,
    symbols: Symbols,
    types: Mapping[str, Type],
    places: Mapping[str, Span],
) -> Iterator[TemplateName]:
    source = survey.built.sources.get(place.file)
    if source is None:
        return
    text = source.text[place.start : place.end]
    loops: list[dict[str, Type | None]] = []
    pending: list[tuple[str, int, str]] = []  # the tokens of the tag that is open
    for at, kind, word in _tokens(text):
        if kind in ("variable_begin", "block_begin"):
            pending = []
        elif kind in ("variable_end", "block_end"):
            yield from _tag(pending, place, symbols, types, places, loops)
        elif kind not in ("whitespace", "data"):
            pending.append((kind, at, word))


@lru_cache(256)
def _tokens(text: str) -> tuple[tuple[int, str, str], ...]:
    """Place, kind and text of every token; none from where the template is broken. Most templates
    of a file are the same after the next key.
    """
    return tuple(_lexed(text))


def _lexed(text: str) -> Iterator[tuple[int, str, str]]:
    import jinja2

    if "\r" in text:  # the lexer knows one kind of line end
        text = text.replace("\r\n", "\n") if text.count("\r\n") == 0 else text.replace("\r", " ")
    at = 0
    try:
        for _, kind, word in jinja2.Environment(keep_trailing_newline=True).lex(text):
            found = text.find(word, at)
            at = at if found < 0 else found
            yield at, kind, word
            at += len(word)
    except jinja2.TemplateSyntaxError:
        return


def _tag(
    words: list[tuple[str, int, str]],
    place: Span,
    symbols: Symbols,
    types: Mapping[str, Type],
    places: Mapping[str, Span],
    loops: list[dict[str, Type | None]],
) -> Iterator[TemplateName]:
    """The names of a tag; a `for` opens a scope, `endfor` closes it."""
    head = words[0][2] if words else ""
    begin = 0
    if head == "endfor" and loops:
        loops.pop()
        return
    if head in ("for", "set"):
        until = "in" if head == "for" else "="
        stop = next((i for i, one in enumerate(words) if one[2] == until), len(words))
        own = [one for one in words[1:stop] if one[0] == "name"]
        begin = stop + 1
        chain = list(_chains(words, begin, place, symbols, types, places, loops))
        yield from chain
        element = present(chain[-1].type) if chain and chain[-1].type is not None else None
        inner = element.element if head == "for" and isinstance(element, ListType) else None
        scope = {one[2]: inner for one in own}
        if head == "for":
            loops.append(scope)
        elif loops:
            loops[-1].update(scope)
        else:
            loops.insert(0, scope)
        for _, at, word in own:
            span = Span(place.file, place.start + at, place.start + at + len(word))
            yield TemplateName(span, None, inner)
        return
    yield from _chains(words, begin, place, symbols, types, places, loops)


_WORDS = frozenset(
    "if elif else endif for in endfor not and or is set endset true false none True False None "
    "loop recursive".split()
)


def _chains(
    words: list[tuple[str, int, str]],
    begin: int,
    place: Span,
    symbols: Symbols,
    types: Mapping[str, Type],
    places: Mapping[str, Span],
    loops: list[dict[str, Type | None]],
) -> Iterator[TemplateName]:
    """`a.b.c`: each name with what it belongs to; filters and tests are no names."""
    type: Type | None = None
    before = ""
    for index in range(begin, len(words)):
        kind, at, word = words[index]
        span = Span(place.file, place.start + at, place.start + at + len(word))
        if kind == "name" and before not in ("|", "is") and (before == "." or word not in _WORDS):
            declared: Span | None = None
            if before == ".":
                owner = None if type is None else present(type)
                if isinstance(owner, RecordType):
                    field = owner.field(word)
                    declared = part_place(symbols, owner, word)
                    type = None if field is None else field.type
                else:
                    type = None
            else:
                scope = next((one for one in reversed(loops) if word in one), None)
                type = types.get(word) if scope is None else scope[word]
                declared = places.get(word) if scope is None else None
            yield TemplateName(span, declared, type)
        elif word not in (".", "not"):
            type = None
        if word != "not" or before != "is":
            before = word


def part_place(symbols: Symbols, owner: RecordType | EnumType, name: str) -> Span | None:
    """The place where a field of a record or a member of an enum was declared."""
    symbol = symbols.by_key.get(owner.name)
    match None if symbol is None else symbol.declaration:
        case ast.TypeDecl(fields=fields):
            return next((one.name.span for one in fields if one.name.text == name), None)
        case ast.EnumDecl(members=members):
            return next((one.name.span for one in members if one.name.text == name), None)
        case _:
            return None
