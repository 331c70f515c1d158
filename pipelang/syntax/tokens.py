"""Text to tokens: one regular expression, comments kept aside, doc comments remembered by place."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from pipelang.diagnostics import Diagnostic, Source, Span, codes, report
from pipelang.records import NamedTuple, dataclass
from pipelang.syntax.lexicon import DECLARING, LONGEST_NUMBER
from pipelang.syntax.pieces import LONG, NUMERALS, is_long_amount, pieces, without_comments
from pipelang.syntax.tables import tables

if TYPE_CHECKING:
    from pipelang.syntax.strange import Strange


class Token(NamedTuple):
    """`type` is a terminal of the grammar; a word keeps its keyword's type if it is one."""

    type: str
    text: str
    start: int
    end: int


_token = partial(tuple.__new__, Token)
"""A token of a tuple, in half the time that `Token(...)` takes."""


class Comment(NamedTuple):
    """A comment with its `#`; `own_line` if nothing stands before it on its line."""

    text: str
    start: int
    own_line: bool


@dataclass(frozen=True, slots=True)
class TokenList:
    """All tokens of a file, its comments, and the doc comment that stands before a token.

    `docs` goes from the offset of a token to the `##` lines right above it, joined by newlines.
    Text that is no token is reported; what it was most likely meant to be stands in its place, and
    `guessed` are the offsets of such places.
    """

    tokens: list[Token]
    comments: list[Comment]
    docs: dict[int, str]
    diagnostics: tuple[Diagnostic, ...]
    guessed: tuple[int, ...] = ()


_HALF = re.compile("[\ud800-\udfff]")
MOST_STRANGE = 10_000
"""After so many places that are no tokens, this is no .pipe file, and the rest is not read."""


def tokenize(source: Source, start: int = 0) -> TokenList:
    """Split a file into tokens, from an offset on. What cannot be a token is reported."""
    if len(source.text) - start > LONG:
        made = _at_once(source, start)
        if made is not None:
            return made
    return _one_by_one(source, start)


def _at_once(source: Source, start: int) -> TokenList | None:
    """The tokens of a long text, if none of them has to be looked at in its place."""
    text = source.text
    found = pieces(text, start or (1 if text.startswith("\ufeff") else 0))
    if found is None:
        return None
    comments: list[Comment] = []
    docs: dict[int, str] = {}
    if "COMMENT" in found.kinds:
        doc: list[str] = []
        last = -1
        for index, kind in enumerate(found.kinds):
            if kind != "COMMENT":
                continue
            if doc and last != index - 1:
                docs[found.starts[last + 1]] = "\n".join(doc)
                doc.clear()
            last = index
            comments.append(_comment(text, found.texts[index], found.starts[index], doc))
        if doc and last + 1 < len(found.kinds):
            docs[found.starts[last + 1]] = "\n".join(doc)
        found = without_comments(found)
    halves = () if text.isascii() else tuple(_half_characters(source, start, []))
    tokens = list(map(_token, zip(*found, strict=True)))
    return TokenList(tokens, comments, docs, halves)


def _comment(text: str, word: str, at: int, doc: list[str]) -> Comment:
    """A comment, told to the doc comment that it goes on with or ends."""
    line_start = text.rfind("\n", 0, at) + 1
    own_line = not text[line_start:at].strip("\ufeff \t\r\f")
    if own_line and word.startswith("##"):
        doc.append(word[2:].strip().replace("\r", " "))  # as `fmt` writes it
    else:
        doc.clear()
    return Comment(word, at, own_line)


def _one_by_one(source: Source, start: int) -> TokenList:
    grammar = tables()
    text, by_letters, ignored = source.text, grammar.by_letters, grammar.ignored
    match = grammar.lexer.match
    tokens: list[Token] = []
    comments: list[Comment] = []
    docs: dict[int, str] = {}
    doc: list[str] = []
    found: list[Diagnostic] = []
    guessed: list[int] = []
    at, size = start or (1 if text.startswith("\ufeff") else 0), len(text)

    def take(where: int, guess: Strange) -> int:
        """Report text that is no token, and put what it may have meant in its place."""
        found.append(guess.found)
        guessed.append(where)
        if guess.type is not None:
            tokens.append(_joined(tokens, Token(guess.type, guess.text, where, guess.end)))
        return guess.end if len(found) < MOST_STRANGE else size

    while at < size:
        hit = match(text, at)
        if hit is None:
            at = take(at, _strange(source, at, ""))
            continue
        kind = hit.lastgroup or ""
        end = hit.end(kind)
        if kind == "NAME":
            kind = by_letters.get(text[at:end], kind)
        elif kind == "SIGN":
            kind = by_letters[text[at:end]]
            if kind == "SLASH" and text.startswith(("/", "*"), end):
                at = take(at, _strange(source, at, "comment"))
                continue
        elif kind in ignored:
            if kind == "COMMENT":
                word = text[at:end].rstrip()
                if "\r" in word:
                    found.append(_hiding(source, at + word.index("\r"), "comment"))
                comments.append(_comment(text, word, at, doc))
            at = hit.end()
            continue
        elif kind == "STRING" and end == at + 2 and text.startswith('"', end):
            at = take(at, _strange(source, at, "template"))
            continue
        elif kind == "STRING" and "\r" in text[at:end]:
            found.append(_hiding(source, text.index("\r", at), "text"))
        elif kind == "TEMPLATE" and text[end - 4] == "\\" and end - at > 6:
            guess = _escaped_quotes(source, at, end)
            if guess is not None:
                at = take(at, guess)
                continue
        elif end - at > LONGEST_NUMBER and (kind in NUMERALS or is_long_amount(kind, text, at)):
            at = take(at, _too_long(source, at, end, kind))
            continue
        if doc:
            docs[at] = "\n".join(doc)
            doc.clear()
        tokens.append(_token((kind, text[at:end], at, end)))
        at = hit.end()
    if not text.isascii():
        found += _half_characters(source, start, found)
    return TokenList(tokens, comments, docs, tuple(found), tuple(guessed))


def _half_characters(source: Source, start: int, found: list[Diagnostic]) -> list[Diagnostic]:
    """Half of a surrogate pair, wherever it stands: no file can hold it. The first is enough."""
    told = {one.span.start for one in found if one.span is not None}
    half = _HALF.search(source.text, start)
    if half is None or half.start() in told:
        return []
    span = Span(source.name, *half.span())
    return [report(codes.BAD_CHARACTER, span, found=f"the character U+{ord(half.group()):04X}")]


def _hiding(source: Source, at: int, what: str) -> Diagnostic:
    """A carriage return inside of a comment or a text: most show what follows on a line of its own,
    as if it were none. A file of a kind that ends its lines so would be one comment from the first.
    """
    ends = "a line ends with LF or CR LF: what follows would look like a line, and be"
    return report(
        codes.BAD_CHARACTER,
        Span(source.name, at, at + 1),
        found=f"a carriage return inside of a {what}",
        help=f"{ends} comment" if what == "comment" else f"{ends} text; it is written `\\r`",
    )


def _strange(source: Source, at: int, what: str) -> Strange:
    """The guess at text that is no token.

    Imported when it is needed, so that a file without errors does not pay for it.
    """
    from pipelang.syntax.bad_tokens import not_a_comment, strange, unclosed_template

    if what == "template":
        return unclosed_template(source, at)
    if what == "comment":
        return not_a_comment(source, at)
    return strange(source, at, tables().letters)


def _escaped_quotes(source: Source, at: int, end: int) -> Strange | None:
    from pipelang.syntax.bad_tokens import escaped_quotes

    return escaped_quotes(source, at, end)


def _too_long(source: Source, at: int, end: int, kind: str) -> Strange:
    from pipelang.syntax.bad_numbers import too_long

    return too_long(source, at, end, kind)


def starts_declaration(source: Source, token: Token) -> bool:
    """Whether a token is a declaration's first word and its line's first."""
    at_line_start = token.start == 0 or source.text[token.start - 1] in "\n\ufeff"
    return at_line_start and token.text in DECLARING


def _joined(tokens: list[Token], token: Token) -> Token:
    """`70 %` and `5 $` are meant as one token, and so is a name with a letter not of ASCII."""
    if not tokens:
        return token
    last = tokens[-1]
    if token.text == "%" and last.type in ("INT", "NUMBER"):
        tokens.pop()
        return Token("PERCENT", last.text + "%", last.start, token.end)
    if token.text == "$" and last.type in ("INT", "NUMBER"):
        tokens.pop()
        return Token("MONEY", "$" + last.text, last.start, token.end)
    if token.type == "NAME" and last.end == token.start and last.text.isidentifier():
        tokens.pop()
        return Token("NAME", last.text + token.text, last.start, token.end)
    return token
