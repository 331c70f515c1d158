"""What a syntax error is said to be, and where parsing goes on after it.

A declaration starts at the start of a line; that is where a parser that has lost its way finds it
again. It also tells a missing bracket: where a new declaration stands inside an open block, the
block is what has to be mended, not the declaration.
"""

from __future__ import annotations

from bisect import bisect_left

from pipelang.diagnostics import Diagnostic, Source, Span, codes, report
from pipelang.syntax.expectation import ACTIONS, describe_expected, describe_found, mend
from pipelang.syntax.tables import tables
from pipelang.syntax.tokens import Token

_DECLARING = frozenset(
    "use enum type provider tier role tool fn patterns prompt setting memory pipeline prove "
    "test".split()
)
UNFINISHED = "the rest of the declaration above"
_NAMES = {"{": ("block", "`}`"), "(": ("list", "`)`"), "[": ("list", "`]`")}


def starts_declaration(source: Source, token: Token) -> bool:
    """Whether a token is a declaration's first word and its line's first."""
    at_line_start = token.start == 0 or source.text[token.start - 1] in "\n\ufeff"
    return at_line_start and token.text in _DECLARING


def next_declaration(source: Source, tokens: list[Token], index: int) -> int:
    """The first token from `index` on that starts a declaration; past the end if none does."""
    while index < len(tokens) and not starts_declaration(source, tokens[index]):
        index += 1
    return index


def last_declaration(source: Source, tokens: list[Token], start: int, before: int) -> int:
    """The last token before `before` that starts a declaration, or `start`."""
    index = min(before, len(tokens)) - 1
    while index > start and not starts_declaration(source, tokens[index]):
        index -= 1
    return max(index, start)


def explain(
    source: Source,
    tokens: list[Token],
    start: int,
    index: int,
    expected: set[str],
    skipped: list[int],
    named: bool,
) -> tuple[Diagnostic | None, int]:
    """What to say of token `index`, which did not fit, and the index where the trouble ends.

    `start` is where this attempt began; `expected` are the terminals that would have fitted;
    `skipped` are the places of text that is no token, which is reported already; `named` says that
    the token before it is a keyword that was taken as a name.
    """
    for end in (index, index - 1):
        if end == len(tokens) or (end > start and starts_declaration(source, tokens[end])):
            opening = _open_bracket(tokens[start:end])
            if opening is not None:
                what, closing = _NAMES[opening.text]
                span = Span(source.name, opening.start, opening.end)
                return report(codes.UNCLOSED, span, what=what, closing=closing), end
    previous = tokens[index - 1] if index else None
    size = len(source.text)
    token = tokens[index] if index < len(tokens) else Token("$END", "", size, size)
    behind = previous.end if previous is not None else 0
    if _follows(skipped, tokens[index - 2].end if index > 1 else 0, token.start):
        return None, index
    if previous is not None and named and token.text.isidentifier():
        span = Span(source.name, previous.start, previous.end)
        if previous.text in ACTIONS:
            return report(codes.ACTION_IN_EXPRESSION, span, action=previous.text), index
        if index - 1 > start and starts_declaration(source, previous):
            found = f"`{previous.text}`"
            return report(codes.SYNTAX, span, expected=UNFINISHED, found=found), index - 1
    grammar = tables()
    span = Span(source.name, token.start, token.end)
    if token.type == "$END":
        span = Span(source.name, behind, behind)
    return (
        report(
            codes.SYNTAX,
            span,
            expected=describe_expected(expected, grammar),
            found=describe_found(token, grammar),
            help=mend(token, previous, expected, grammar),
        ),
        index,
    )


def _follows(skipped: list[int], start: int, end: int) -> bool:
    """Whether text that is no token lies between: then the error is most likely due to it."""
    at = bisect_left(skipped, start)
    return at < len(skipped) and skipped[at] <= end


def _open_bracket(tokens: list[Token]) -> Token | None:
    """The innermost bracket that is never closed."""
    opened: list[Token] = []
    for token in tokens:
        if token.text in ("{", "(", "["):
            opened.append(token)
        elif token.text in ("}", ")", "]") and opened:
            opened.pop()
    return opened[-1] if opened else None
