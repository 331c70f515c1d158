"""Tokens to a syntax tree: the LALR automaton that lark computed, run by a driver of our own.

Why not lark's: construction is never paid for, nodes are built while reducing instead of from a
tree of generic nodes, and words can be soft. A keyword is a NAME wherever only a NAME can stand.
LALR's merged states know that only roughly (their lookaheads mix contexts), so before taking a
keyword as a keyword the driver walks the reductions it would cause and asks whether it is really
shifted at the end of them.

Parsing never gives up: at an error, `recovery` says what is wrong and makes the stack fit to go on,
with a small edit of the tokens or with a `Broken` node in the place of the smallest piece.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from pipelang.diagnostics import Diagnostic, Source, Span
from pipelang.records import dataclass, field
from pipelang.syntax.ast import Module
from pipelang.syntax.language import language_of, other_language
from pipelang.syntax.lower import Lowering
from pipelang.syntax.reductions import reductions, renamed
from pipelang.syntax.shapes import MANY, ItemShapes, entries
from pipelang.syntax.tables import Tables, tables
from pipelang.syntax.tokens import Token, TokenList, tokenize

if TYPE_CHECKING:
    from pipelang.syntax.recovery.recovery import Recovery

MAX_DEPTH = 100
"""Limit of constructs inside one another, so that later passes may walk a tree recursively."""

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
    """Parse a file. Never raises; what is broken is reported, and a node in the tree."""
    token_list = tokenize(source)
    lowering = Lowering(source.name, token_list.docs)
    tokens = token_list.tokens
    derivation: list[int] = []
    (_, declarations), recovery = _run(source, token_list, lowering, derivation)
    whole = Span(source.name, 0, len(source.text))
    module = Module(source.name, language_of(tokens), tuple(declarations), whole)
    found = (*token_list.diagnostics, *lowering.diagnostics)
    other = other_language(source.name, tokens)
    if other is not None:
        found = (other,)
    elif found or recovery is not None:
        from pipelang.syntax.recovery.syntax_errors import findings

        found = findings(source, token_list.diagnostics, tuple(lowering.diagnostics), recovery)
    return Parsed(module, token_list, found, derivation if recovery is None else [])


MOST_KEPT = 100_000
"""Characters of a file whose tree is kept."""


def parse_kept(source: Source) -> Parsed:
    """The same of a text that may have been parsed before: the trees of the last few are kept.
    Advice and tuning build a program again and again with an edit or two, every program has the
    same libraries, and an editor asks for a text's outline, colours and layout.
    """
    return _parse_once(source) if len(source.text) <= MOST_KEPT else parse(source)


@lru_cache(maxsize=32)
def _parse_once(source: Source) -> Parsed:
    return parse(source)


def parse_after(source: Source, before: Parsed, kept: int) -> Parsed | None:
    """Parse a text of which the first `kept` declarations, and the first token behind them, stand
    where they do in one that was parsed without findings: only what follows is read. None where
    something about that would have to be reported. No `derivation` comes with it.
    """
    if before.diagnostics:
        return None
    first = before.module.declarations[:kept]
    start = first[-1].span.end if first else 0
    rest = tokenize(source, start)
    lowering = Lowering(source.name, rest.docs)
    (_, later), recovery = _run(source, rest, lowering, [])
    if recovery is not None or rest.diagnostics or lowering.diagnostics:
        return None
    known, whole = before.tokens, Span(source.name, 0, len(source.text))
    tokens = TokenList(
        [*(token for token in known.tokens if token.end <= start), *rest.tokens],
        [*(comment for comment in known.comments if comment.start < start), *rest.comments],
        {**{at: doc for at, doc in known.docs.items() if at < start}, **rest.docs},
        (),
    )
    module = Module(source.name, before.module.language, (*first, *later), whole)
    return Parsed(module, tokens, ())


_span = partial(tuple.__new__, Span)
"""A span of a tuple, in half the time that `Span(...)` takes."""


def _run(
    source: Source, token_list: TokenList, lowering: Lowering, derivation: list[int]
) -> tuple[tuple[int | None, tuple[Any, ...]], Recovery | None]:
    """Parse a file's tokens: its language and declarations, and what happened at errors."""
    grammar = tables()
    states, soft, end_state = grammar.states, grammar.soft, grammar.end
    plans = reductions()
    file = source.name
    state_stack = [grammar.start]
    values: list[Any] = []
    starts: list[int] = []
    depths: list[int] = []
    tokens = token_list.tokens
    recovery: Recovery | None = None
    last_end = 0
    too_deep: Span | None = None
    size = len(source.text)
    index, count = 0, len(tokens)
    shapes = ItemShapes(tokens, derivation) if count > MANY else None
    entered = entries() if shapes is not None else frozenset()
    while True:
        token = tokens[index] if index < count else Token("$END", "", size, size)
        kind, _, token_start, token_end = token
        state = state_stack[-1]
        row = states[state]
        if kind in soft and "NAME" in row:
            action = row.get(kind)
            if action is None or (action < 0 and not _shifts(grammar, state_stack, kind)):
                kind = "NAME"
        while True:
            action = states[state].get(kind)
            if action is None:
                shifts = (entry for entry in reversed(derivation) if entry < 0)
                named = next(shifts, SHIFT) == SHIFT_AS_NAME
                if recovery is None:
                    recovery = _recovery(source, token_list, state_stack, values, starts, depths)
                    entered = frozenset()
                index = recovery.resume(index, named) - 1
                tokens = recovery.tokens
                count = len(tokens)
                break
            if action >= 0:
                if state in entered and shapes is not None:
                    after, depth = shapes.skip(lowering, index, state_stack, values[-1])
                    if after > index:
                        depths[-1] = max(depths[-1], depth)
                        last_end = tokens[after - 1].end
                        index = after - 1
                        break
                state_stack.append(action)
                values.append(token)
                starts.append(token_start)
                depths.append(0)
                derivation.append(SHIFT if kind == token[0] else SHIFT_AS_NAME)
                last_end = token_end
                break
            number = -1 - action
            length, origin, renames, only, pick, build, nests, others = plans[number]
            if renames:
                state, numbers = renamed(state_stack[-2], state, kind)
                state_stack[-1] = state
                derivation += numbers
                continue
            derivation.append(number)
            if length == 1:
                start, depth = starts[-1], depths[-1]
            elif length:
                start, depth = starts[-length], max(depths[-length:])
            else:
                start, depth = token_start, 0
            if only is not None:
                value = values[only]
            else:
                span = _span((file, start, last_end if last_end > start else start))
                depth += nests
                if depth > MAX_DEPTH:
                    value, depth, too_deep = None, 0, span
                else:
                    value = build(lowering, span, *pick(values))
            if length:
                # What is made takes the place of the first that it is made of.
                if length > 1:
                    del values[others], starts[others], depths[others], state_stack[others]
                values[-1] = value
                depths[-1] = depth
                state_stack[-1] = state = states[state_stack[-2]][origin]
            else:
                state = states[state][origin]
                state_stack.append(state)
                values.append(value)
                starts.append(start)
                depths.append(depth)
            if too_deep is not None:
                if recovery is None:
                    recovery = _recovery(source, token_list, state_stack, values, starts, depths)
                    entered = frozenset()
                index = recovery.too_deep(index, too_deep, MAX_DEPTH) - 1
                tokens = recovery.tokens
                count = len(tokens)
                too_deep = None
                break
            if kind == "$END" and state == end_state:
                return value, recovery
        index += 1


def _recovery(
    source: Source,
    token_list: TokenList,
    states: list[int],
    values: list[Any],
    starts: list[int],
    depths: list[int],
) -> Recovery:
    """Imported at the first error: a file without any pays nothing."""
    from pipelang.syntax.recovery.recovery import Recovery, Stack

    stack = Stack(states, values, starts, depths)
    return Recovery(source, tables(), stack, token_list.tokens, list(token_list.guessed))


def _shifts(grammar: Tables, stack: list[int], kind: str) -> bool:
    """Whether the automaton, after its reductions, would really shift a token of this type."""
    states, plans = grammar.states, reductions()
    top: list[int] = []  # states pushed above `depth` entries of the real stack
    depth = len(stack)
    while True:
        state = top[-1] if top else stack[depth - 1]
        action = states[state].get(kind)
        if action is None:
            return False
        if action >= 0:
            return True
        drop, origin, renames, *_ = plans[-1 - action]
        from_top = min(drop, len(top))
        if from_top:
            del top[-from_top:]
        depth -= drop - from_top
        below = top[-1] if top else stack[depth - 1]
        top.append(renamed(below, state, kind)[0] if renames else states[below][origin])
