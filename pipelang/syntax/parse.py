"""Tokens to a syntax tree: the LALR automaton that lark worked out, run by a driver of our own.

Why not lark's: construction is never paid for, nodes are built while reducing instead of from a
tree of generic nodes, and words can be soft. A keyword is a NAME wherever only a NAME can stand.
LALR's merged states know that only roughly (their lookaheads mix contexts), so before taking a
keyword as a keyword the driver walks the reductions it would cause and asks whether it is really
shifted at the end of them.

A file with several mistakes gives several messages: after an error, parsing goes on at the next
line that starts with a declaration.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from pipelang.diagnostics import Diagnostic, Source, Span, codes, report
from pipelang.syntax.ast import Module
from pipelang.syntax.expectation import describe_expected, describe_found, mend
from pipelang.syntax.lower import Lowering, builder
from pipelang.syntax.tables import Tables, tables
from pipelang.syntax.tokens import Token, TokenList, tokenize

MAX_DEPTH = 200
"""How many constructs may stand in each other, so that later passes may walk a tree recursively."""

SHIFT = -1
SHIFT_AS_NAME = -2


@dataclass(frozen=True, slots=True)
class Parsed:
    """A parsed file: the tree (what could be read of it), its tokens and comments, and findings.

    `derivation` is how the automaton read the tokens: `SHIFT` for one taken as it is,
    `SHIFT_AS_NAME` for a word taken as a name, and the number of each rule that was reduced by.
    It is empty if the file has syntax errors.
    """

    module: Module
    tokens: TokenList
    diagnostics: tuple[Diagnostic, ...]
    derivation: list[int] = field(default_factory=list, repr=False, compare=False)


def parse(source: Source) -> Parsed:
    """Parse a file. Never raises; a broken declaration is left out of the tree and reported."""
    token_list = tokenize(source)
    lowering = Lowering(source.name, token_list.docs)
    lowering.diagnostics.extend(token_list.diagnostics)
    declarations: list[Any] = []
    at = 0
    tokens = token_list.tokens
    whole = Span(source.name, 0, len(source.text))
    while True:
        derivation: list[int] = []
        piece, stopped = _run(source, tokens, at, lowering, derivation)
        if piece is not None:
            declarations.extend(piece[1])
        if stopped is None:
            break
        resume = _resume(source, tokens, stopped, at)
        if stopped > at:
            head = _declarations_before(source, tokens, at, stopped, lowering)
            declarations.extend(head)
        if resume >= len(tokens):
            break
        at = resume
    module = Module(source.name, _language(tokens), tuple(declarations), whole)
    found = tuple(lowering.diagnostics)
    return Parsed(module, token_list, found, [] if at or stopped is not None else derivation)


def _language(tokens: list[Token]) -> int | None:
    """The number of the `language` line, also where the rest of the file cannot be read."""
    if len(tokens) > 1 and tokens[0].type == "LANGUAGE" and tokens[1].type == "INT":
        return int(tokens[1].text)
    return None


_DECLARING = frozenset(
    "use enum type provider tier role tool fn patterns prompt setting memory pipeline prove "
    "test".split()
)


def _starts_declaration(source: Source, token: Token) -> bool:
    at_line_start = token.start == 0 or source.text[token.start - 1] == "\n"
    return at_line_start and token.text in _DECLARING


def _resume(source: Source, tokens: list[Token], stopped: int, start: int) -> int:
    """The next token after the error that starts a declaration at the start of a line."""
    index = max(stopped, start + 1)
    while index < len(tokens) and not _starts_declaration(source, tokens[index]):
        index += 1
    return index


def _declarations_before(
    source: Source, tokens: list[Token], start: int, stopped: int, lowering: Lowering
) -> list[Any]:
    """The whole declarations between `start` and the broken one, read again by themselves."""
    last = min(stopped, len(tokens) - 1)
    while last > start and not _starts_declaration(source, tokens[last]):
        last -= 1
    if last <= start:
        return []
    quiet = Lowering(source.name, lowering.docs)
    piece, failed = _run(source, tokens[:last], start, quiet, [])
    return [] if piece is None or failed is not None else list(piece[1])


def _run(
    source: Source, tokens: list[Token], first: int, lowering: Lowering, derivation: list[int]
) -> tuple[tuple[int | None, tuple[Any, ...]] | None, int | None]:
    """Parse from a token on. Returns what was built, and the index of the token that didn't fit."""
    grammar = tables()
    states, rules, end_state = grammar.states, grammar.rules, grammar.end
    reserved, keyword_of = grammar.reserved, grammar.keyword_of
    builders, nests = _builders(), _nests()
    file = source.name
    state_stack = [grammar.start]
    values: list[Any] = []
    starts: list[int] = []
    depths: list[int] = []
    last_end = 0
    size = len(source.text)
    index, count = first, len(tokens)
    while True:
        token = tokens[index] if index < count else Token("$END", "", size, size)
        kind = token.type
        row = states[state_stack[-1]]
        if kind in keyword_of and token.text not in reserved and "NAME" in row:
            action = row.get(kind)
            if action is None or (action < 0 and not _shifts(grammar, state_stack, kind)):
                kind = "NAME"
        while True:
            action = states[state_stack[-1]].get(kind)
            if action is None:
                lowering.diagnostics.append(
                    _unexpected(source, grammar, state_stack, token, tokens, index)
                )
                return None, index
            if action >= 0:
                state_stack.append(action)
                values.append(token)
                starts.append(token.start)
                depths.append(0)
                derivation.append(SHIFT if kind == token.type else SHIFT_AS_NAME)
                last_end = token.end
                break
            number = -1 - action
            rule = rules[number]
            length = rule.length
            if length:
                taken = values[-length:]
                start, depth = starts[-length], max(depths[-length:])
                del values[-length:], starts[-length:], depths[-length:], state_stack[-length:]
            else:
                taken, start, depth = [], token.start, 0
            derivation.append(number)
            children = _children(rule.children, taken)
            if rule.passthrough and len(children) == 1:
                value = children[0]
            else:
                span = Span(file, start, max(start, last_end))
                depth += nests[number]
                if depth > MAX_DEPTH:
                    lowering.diagnostics.append(report(codes.TOO_DEEP, span, limit=MAX_DEPTH))
                    return None, max(first, index - 1)
                value = builders[number](lowering, span, *children)
            state_stack.append(states[state_stack[-1]][rule.origin])
            values.append(value)
            starts.append(start)
            depths.append(depth)
            if kind == "$END" and state_stack[-1] == end_state:
                return value, None
        index += 1


@cache
def _builders() -> list[Callable[..., Any]]:
    return [builder(rule) for rule in tables().rules]


@cache
def _nests() -> list[bool]:
    """Whether a rule makes a construct around others; the helpers of `*` and `+` only gather."""
    return [not rule.builder.startswith("__") for rule in tables().rules]


def _children(shape: tuple[int, ...], taken: list[Any]) -> list[Any]:
    children: list[Any] = []
    for entry in shape:
        if entry < 0:
            children.append(None)
        elif entry & 1:
            children.extend(taken[entry >> 1])
        else:
            children.append(taken[entry >> 1])
    return children


def _shifts(grammar: Tables, stack: list[int], kind: str) -> bool:
    """Whether the automaton, after its reductions, would really shift a token of this type."""
    states, rules = grammar.states, grammar.rules
    top: list[int] = []  # states pushed above `depth` entries of the real stack
    depth = len(stack)
    while True:
        state = top[-1] if top else stack[depth - 1]
        action = states[state].get(kind)
        if action is None:
            return False
        if action >= 0:
            return True
        rule = rules[-1 - action]
        drop = rule.length
        from_top = min(drop, len(top))
        if from_top:
            del top[-from_top:]
        depth -= drop - from_top
        below = top[-1] if top else stack[depth - 1]
        top.append(states[below][rule.origin])


def _unexpected(
    source: Source,
    grammar: Tables,
    stack: list[int],
    token: Token,
    tokens: list[Token],
    index: int,
) -> Diagnostic:
    expected = {
        symbol
        for symbol in grammar.states[stack[-1]]
        if (symbol.isupper() or symbol == "$END") and _shifts(grammar, stack, symbol)
    }
    previous = tokens[index - 1] if index else None
    if token.type == "$END":
        opening = _open_bracket(tokens)
        if opening is not None:
            span = Span(source.name, opening.start, opening.end)
            what, closing = {"{": ("block", "`}`"), "(": ("list", "`)`"), "[": ("list", "`]`")}[
                opening.text
            ]
            return report(codes.UNCLOSED, span, what=what, closing=closing)
    start = token.start if token.type != "$END" or previous is None else previous.end
    span = Span(source.name, start, max(token.end, start))
    return report(
        codes.SYNTAX,
        span,
        expected=describe_expected(expected, grammar),
        found=describe_found(token, grammar),
        help=mend(token, previous, expected, grammar),
    )


def _open_bracket(tokens: list[Token]) -> Token | None:
    """The innermost bracket that is never closed."""
    opened: list[Token] = []
    for token in tokens:
        if token.text in ("{", "(", "["):
            opened.append(token)
        elif token.text in ("}", ")", "]") and opened:
            opened.pop()
    return opened[-1] if opened else None
