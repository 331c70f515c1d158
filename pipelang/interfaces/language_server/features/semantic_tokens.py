"""Semantic tokens: each word as the parser took it, and what its name means."""

from __future__ import annotations

from lsprotocol import types as lsp

from pipelang.diagnostics import Span
from pipelang.interfaces.language_server.features.names import NameTable
from pipelang.interfaces.language_server.positions import TextLines
from pipelang.semantics.build import Survey
from pipelang.semantics.types import SCALAR_NAMES
from pipelang.syntax import ast
from pipelang.syntax.parse import SHIFT, SHIFT_AS_NAME, Parsed
from pipelang.syntax.tables import tables

TYPES = (
    "keyword class type enum enumMember function method property parameter variable string number "
    "comment operator namespace event macro"
).split()
MODIFIERS = ["declaration", "documentation", "readonly", "defaultLibrary"]
LEGEND = lsp.SemanticTokensLegend(TYPES, MODIFIERS)

_NUMBER_OF = {kind: number for number, kind in enumerate(TYPES)}

_OF_DECLARATION = {
    "enum": "enum",
    "type": "class",
    "provider": "namespace",
    "tier": "macro",
    "role": "macro",
    "tool": "method",
    "fn": "function",
    "patterns": "variable",
    "prompt": "function",
    "setting": "variable",
    "memory": "variable",
    "pipeline": "function",
}
_NUMBERS = frozenset({"INT", "NUMBER", "PERCENT", "MONEY", "DURATION", "TOKENS", "PAGES", "RATE"})


def semantic_tokens(
    survey: Survey | None, parsed: Parsed, names: NameTable | None, lines: TextLines, file: str
) -> list[int]:
    """All tokens of a file, in the protocol's relative numbers."""
    kinds = _kinds(survey)
    found: list[tuple[int, int, str, int]] = []
    shifts = [one for one in parsed.derivation if one in (SHIFT, SHIFT_AS_NAME)]
    tokens = parsed.tokens.tokens
    grammar = tables()
    exact = len(shifts) == len(tokens)
    for index, token in enumerate(tokens):
        word = token.type in grammar.keyword_of
        as_name = exact and shifts[index] == SHIFT_AS_NAME
        if (
            word
            and not as_name
            and (exact or names is None or not _is_use(names, file, token.start, token.end))
        ):
            found.append((token.start, token.end, "keyword", 0))
        elif word or token.type == "NAME":
            kind, modifiers = _of_name(names, kinds, file, token.start, token.end, token.text)
            found.append((token.start, token.end, kind, modifiers))
        elif token.type in ("STRING", "TEMPLATE"):
            found.append((token.start, token.end, "string", 0))
        elif token.type in _NUMBERS:
            found.append((token.start, token.end, "number", 0))
    for comment in parsed.tokens.comments:
        documents = 2 if comment.text.startswith("##") and comment.own_line else 0
        found.append((comment.start, comment.start + len(comment.text), "comment", documents))
    return _relative(sorted(found), lines)


def _is_use(names: NameTable, file: str, start: int, end: int) -> bool:
    return Span(file, start, end) in names.uses


def _kinds(survey: Survey | None) -> dict[Span, str]:
    """The kinds of what is declared, by place."""
    found: dict[Span, str] = {}
    if survey is None or survey.symbols is None:
        return found
    for symbol in survey.symbols.by_key.values():
        found[symbol.declaration.name.span] = _OF_DECLARATION[symbol.kind]
        match symbol.declaration:
            case ast.EnumDecl(members=members):
                found.update((one.name.span, "enumMember") for one in members)
            case ast.TypeDecl(fields=fields):
                found.update((one.name.span, "property") for one in fields)
            case ast.PromptDecl() | ast.ToolDecl() | ast.FnDecl() | ast.PipelineDecl() as one:
                found.update((param.name.span, "parameter") for param in one.params)
            case _:
                pass
    return found


def _of_name(
    names: NameTable | None, kinds: dict[Span, str], file: str, start: int, end: int, text: str
) -> tuple[str, int]:
    span = Span(file, start, end)
    declared = None if names is None else names.uses.get(span)
    if declared is None:
        return ("type", 8) if text in SCALAR_NAMES else ("variable", 0)
    return kinds.get(declared, "variable"), 1 if declared == span else 0


def _relative(found: list[tuple[int, int, str, int]], lines: TextLines) -> list[int]:
    data: list[int] = []
    line = column = number = 0
    begin, past = lines.bounds(0)
    for start, end, kind, modifiers in found:
        if start > past:
            number = lines.number(start)
            begin, past = lines.bounds(number)
        # A token may not go over a line's end: one for each line.
        while True:
            first, last = max(start, begin), min(end, past)
            if first < last:
                at, length = lines.column(number, first), lines.units(first, last)
                data += [number - line, at - column if number == line else at]
                data += [length, _NUMBER_OF[kind], modifiers]
                line, column = number, at
            if end <= past or number + 1 >= lines.count:
                break
            number += 1
            begin, past = lines.bounds(number)
    return data
