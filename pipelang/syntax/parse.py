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
from pipelang.syntax.lower import Lowering, builder
from pipelang.syntax.recovery import explain, last_declaration, next_declaration
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
    lowering.skipped = [found.span.start for found in token_list.diagnostics if found.span]
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
        declarations.extend(_declarations_before(source, tokens, at, stopped, lowering))
        at = next_declaration(source, tokens, max(stopped, at + 1))
        if at >= len(tokens):
            break
    module = Module(source.name, _language(tokens), tuple(declarations), whole)
    found = tuple(lowering.diagnostics)
    return Parsed(module, token_list, found, [] if at or stopped is not None else derivation)


def _language(tokens: list[Token]) -> int | None:
    """The number of the `language` line, also where the rest of the file cannot be read."""
    if len(tokens) > 1 and tokens[0].type == "LANGUAGE" and tokens[1].type == "INT":
        return int(tokens[1].text)
    return None


def _declarations_before(
    source: Source, tokens: list[Token], start: int, stopped: int, lowering: Lowering
) -> list[Any]:
    """The whole declarations between `start` and the error, read again by themselves.

    The error stands behind a whole one, or in the last that begins before it.
    """
    for end in (stopped, last_declaration(source, tokens, start, stopped)):
        if end > start:
            quiet = Lowering(source.name, lowering.docs)
            piece, failed = _run(source, tokens[:end], start, quiet, [])
            if piece is not None and failed is None:
                return list(piece[1])
    return []


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
                expected = _expected(grammar, state_stack)
                shifts = (entry for entry in reversed(derivation) if entry < 0)
                named = next(shifts, SHIFT) == SHIFT_AS_NAME
                found, stopped = explain(
                    source, tokens, first, index, expected, lowering.skipped, named
                )
                if found is not None:
                    lowering.diagnostics.append(found)
                return None, stopped
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


def _expected(grammar: Tables, stack: list[int]) -> set[str]:
    return {
        symbol
        for symbol in grammar.states[stack[-1]]
        if (symbol.isupper() or symbol == "$END") and _shifts(grammar, stack, symbol)
    }
