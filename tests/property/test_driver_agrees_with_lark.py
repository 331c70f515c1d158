"""Our driver and lark's own, on the same tables: the same tree from the same tokens.

Two things are ours and can be wrong: how reductions become children (lark's tree shaping, worked
out once in `build_tables`), and which words are names. For the second, lark is asked: a word is its
keyword where lark's parser accepts that keyword, else a name.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from lark import Lark, Token, Tree, UnexpectedInput
from lark.lexer import Lexer

from pipelang.resources import resource
from pipelang.syntax.build_tables import GRAMMAR
from pipelang.syntax.parse import SHIFT_AS_NAME, Parsed
from pipelang.syntax.reductions import children as children_of
from pipelang.syntax.tables import tables

from .corpus import FILES, mutated, programs, read, spread
from .derivations import soft_words, write

COUNT = 150


class Typed(Lexer):
    """Hands on tokens that are made already: a list of types and texts."""

    def __init__(self, conf: Any) -> None:
        pass

    def lex(self, lexer_state: Any, parser_state: Any = None) -> Iterator[Token]:
        for kind, text in lexer_state:
            yield Token(kind, text)


@cache
def theirs() -> Lark:
    text = (resource("grammar") / GRAMMAR).read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer=Typed, maybe_placeholders=True)


def shape(tree: Any) -> Any:
    if isinstance(tree, Tree):
        return (str(tree.data), *(shape(child) for child in tree.children))
    return None if tree is None else str(tree)


def ours(parsed: Parsed) -> Any:
    """Our derivation, played back into the shape of lark's tree."""
    rules = tables().rules
    stack: list[Any] = []
    upcoming = iter(parsed.tokens.tokens)
    for entry in parsed.derivation:
        if entry < 0:
            stack.append(next(upcoming).text)
            continue
        rule = rules[entry]
        taken = stack[len(stack) - rule.length :]
        del stack[len(stack) - rule.length :]
        children = children_of(rule.children, taken)
        if rule.builder.startswith("__"):
            stack.append(children)
        elif rule.passthrough and len(children) == 1:
            stack.append(children[0])
        else:
            stack.append((rule.builder, *children))
    (root,) = stack
    return root


def resolved(parsed: Parsed) -> list[tuple[str, str]]:
    """The tokens as our driver took them."""
    shifts = (entry for entry in parsed.derivation if entry < 0)
    return [
        ("NAME" if shift == SHIFT_AS_NAME else token.type, token.text)
        for token, shift in zip(parsed.tokens.tokens, shifts, strict=True)
    ]


def agrees(text: str) -> None:
    parsed = read(text)
    assert not parsed.diagnostics
    assert shape(theirs().parse(resolved(parsed))) == ours(parsed)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_on_files(path: Any) -> None:
    agrees(path.read_text(encoding="utf-8"))


def test_on_derived_programs() -> None:
    for seed, program in enumerate(programs(COUNT)[0]):
        agrees(write(program, random.Random(seed)))


def judged(parsed: Parsed) -> list[tuple[str, str]] | int:
    """The tokens as lark would take them, or the index of the first that it refuses."""
    grammar = tables()
    state = theirs().parse_interactive([])
    taken: list[tuple[str, str]] = []
    for index, token in enumerate([*parsed.tokens.tokens, None]):
        kind = "$END" if token is None else token.type
        text = "" if token is None else token.text
        if kind in grammar.keyword_of and text not in grammar.reserved:
            accepted = state.accepts()
            kind = kind if kind in accepted else "NAME"
        try:
            state.feed_token(Token(kind, text))
        except UnexpectedInput:
            return index
        taken.append((kind, text))
    return taken[:-1]


def test_on_words_that_may_be_names() -> None:
    """Accepted alike, with the same words as names; refused alike, at the same token."""
    accepted = refused = 0
    for seed, program in enumerate(programs(COUNT)[0]):
        pick = random.Random(seed)
        tokens = [text for _, text in program.tokens]
        if len(tokens) > 300:  # asking lark takes long
            continue
        names = [at for at, (kind, _) in enumerate(program.tokens) if kind == "NAME"]
        for at in pick.sample(names, min(2, len(names))):
            tokens[at] = pick.choice(soft_words())
        if pick.random() < 0.4:
            tokens = mutated(tokens, pick)
        parsed = read(spread(tokens, pick))
        if parsed.tokens.diagnostics:
            continue
        verdict = judged(parsed)
        if isinstance(verdict, int):
            refused += 1
            first = min(d.span.start for d in parsed.diagnostics if d.span is not None)
            at_end = verdict == len(parsed.tokens.tokens)
            assert parsed.diagnostics
            if not at_end:
                start = parsed.tokens.tokens[verdict].start
                # An action where none can stand is shown from its own first word on, and what is
                # never closed where it was opened; an option without braces from its name, which
                # might be the name of an arm's member; a word that was read as the amount of the
                # option before it, or as a metric, from there.
                earlier = parsed.diagnostics[0].rule.code in ("P104", "P106")
                help = str(parsed.diagnostics[0].help or "")
                earlier |= help.startswith(("options stand in braces", "what is promised stands"))
                earlier |= "has an amount, such as" in help
                assert first == start or (earlier and first < start)
        else:
            accepted += 1
            assert parsed.derivation
            assert resolved(parsed) == verdict
    assert accepted > 20
    assert refused > 20
