"""Text to tokens: one regular expression, comments kept aside, doc comments remembered by place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from pipelang.diagnostics import Diagnostic, Source, Span, codes, report
from pipelang.syntax.tables import tables


class Token(NamedTuple):
    """`type` is a terminal of the grammar; a word keeps its keyword's type if it is one."""

    type: str
    text: str
    start: int
    end: int


class Comment(NamedTuple):
    """A comment with its `#`; `own_line` if nothing stands before it on its line."""

    text: str
    start: int
    own_line: bool


@dataclass(frozen=True, slots=True)
class TokenList:
    """All tokens of a file, its comments, and the doc comment that stands before a token.

    `docs` goes from the offset of a token to the `##` lines right above it, joined by newlines.
    """

    tokens: list[Token]
    comments: list[Comment]
    docs: dict[int, str]
    diagnostics: tuple[Diagnostic, ...]


LONGEST_NUMBER = 25
"""Characters of a numeral with its unit, so that it fits a Decimal without being rounded."""

_NUMERALS = frozenset({"INT", "NUMBER", "PERCENT", "MONEY", "DURATION", "RATE"})


def tokenize(source: Source) -> TokenList:
    """Split a file into tokens. What cannot be a token is reported and skipped."""
    grammar = tables()
    text, keywords, ignored = source.text, grammar.keywords, grammar.ignored
    match = grammar.lexer.match
    tokens: list[Token] = []
    comments: list[Comment] = []
    docs: dict[int, str] = {}
    doc: list[str] = []
    found: list[Diagnostic] = []
    at, size = (1 if text.startswith("\ufeff") else 0), len(text)
    while at < size:
        hit = match(text, at)
        if hit is None:
            end, diagnostic = _bad(source, at)
            found.append(diagnostic)
            at = end
            continue
        kind = hit.lastgroup or ""
        end = hit.end()
        if kind in ignored:
            if kind == "COMMENT":
                line_start = text.rfind("\n", 0, at) + 1
                own_line = not text[line_start:at].strip("\ufeff \t\r\f")
                word = text[at:end].rstrip()
                comments.append(Comment(word, at, own_line))
                if own_line and word.startswith("##"):
                    doc.append(word[2:].strip())
                else:
                    doc.clear()
            at = end
            continue
        if kind == "NAME":
            kind = keywords.get(text[at:end], kind)
        elif kind == "STRING" and end == at + 2 and text.startswith('"', end):
            found.append(_unclosed(source, at, at + 3, "template", '"""'))
            at = size
            continue
        elif end - at > LONGEST_NUMBER and (kind in _NUMERALS or _is_long_amount(kind, text, at)):
            span = Span(source.name, at, end)
            found.append(report(codes.BAD_NUMBER, span, found=text[at:end]))
            at = end
            continue
        if doc:
            docs[at] = "\n".join(doc)
            doc.clear()
        tokens.append(Token(kind, text[at:end], at, end))
        at = end
    return TokenList(tokens, comments, docs, tuple(found))


def _is_long_amount(kind: str, text: str, at: int) -> bool:
    return kind == "TOKENS" and not text[at : at + LONGEST_NUMBER].strip("0123456789.")


def _unclosed(source: Source, start: int, end: int, what: str, closing: str) -> Diagnostic:
    span = Span(source.name, start, end)
    return report(codes.UNCLOSED, span, what=what, closing=f"`{closing}`")


def _bad(source: Source, at: int) -> tuple[int, Diagnostic]:
    """What is wrong at a place where no token starts, and where to go on."""
    text = source.text
    char = text[at]
    line_end = text.find("\n", at)
    line_end = len(text) if line_end < 0 else line_end
    if char == '"':
        return line_end, _unclosed(source, at, line_end, "text", '"')
    if char.isdigit() or char == "$":
        end = at + 1
        while end < len(text) and (text[end].isalnum() or text[end] in "_.%"):
            end += 1
        found = text[at:end]
        return end, report(codes.BAD_NUMBER, Span(source.name, at, end), found=found)
    end = at + 1
    if char in _QUOTES:
        closing = text.find(_QUOTES[char], end, line_end)
        end = end if closing < 0 else closing + 1
    while char in "&|" and text.startswith(char, end):
        end += 1
    found = text[at:end]
    shown = f"`{found}`" if found.isprintable() else f"the character U+{ord(char):04X}"
    span = Span(source.name, at, end)
    return end, report(codes.BAD_CHARACTER, span, found=shown, help=_HELP.get(char))


_QUOTES = {"\u201c": "\u201d", "\u2018": "\u2019", "'": "'"}
_HELP = {
    **dict.fromkeys("\u201c\u201d\u2018\u2019'", 'texts stand in straight double quotes: "text"'),
    ";": "nothing is needed between items",
    "&": "write `and`",
    "|": "write `or`",
    "!": "write `not`",
}
