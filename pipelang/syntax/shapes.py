"""Items and declarations of one shape: parsed by the automaton a few times, then by straight code.

A long file says the same again and again: `step a = call b(c)`, a thousand times with other names.
What the automaton does with an item hangs on the kinds of its tokens, the first kind behind it and
the two states on top of the stack where it begins, and on nothing else: it never looks below the
list that the item is put into. So once an item of some shape has come `OFTEN`, its derivation is
played back over names of variables in place of values. That gives the calls of builders that make
its nodes, in their order and with their spans; as code without a stack they take half the time.

A short file has nothing to gain: its items are looked at only where it has `MANY` tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from pipelang.diagnostics import Span
from pipelang.records import NamedTuple
from pipelang.syntax.lower import Lowering, builder
from pipelang.syntax.lower.context import gather, gather_optional, only
from pipelang.syntax.tables import ReductionRule, tables

MANY = 4_000
"""Tokens of a file in which shapes are looked for."""
OFTEN = 16
"""Items of a shape that the automaton parses: to write and compile its code takes as long."""
LONGEST = 200
"""Tokens of an item that may have a shape; one with more will hardly come again."""
MOST = 400
"""ItemShapes that a process keeps code for."""
HEAD = 6
"""Tokens by which the shapes are found that an item could have."""

Key = tuple[int, int, tuple[str, ...]]
"""The two states on top, and the kinds of an item's tokens and of the token behind it."""


class ItemShape(NamedTuple):
    """`build(lowering, tokens, into)` makes the item of a shape and puts it into a list.

    `size` are its tokens, `depth` how many constructs stand in one another in it, `derivation` is
    how the automaton reads them.
    """

    size: int
    depth: int
    derivation: tuple[int, ...]
    build: Callable[[Lowering, list[Any], list[Any]], None]


_SHAPES: dict[Key, ItemShape] = {}
_SIZES: dict[Key, list[int]] = {}
"""The sizes of shapes by their first tokens."""


@cache
def entries() -> frozenset[int]:
    """The states behind a list of items or declarations where a word goes on or is an error, so
    that a look ahead from within an item never gets below the list.
    """
    grammar = tables()
    lists = {
        row[origin]
        for row in grammar.states
        for origin in row
        if origin.startswith(("__items_star", "__declarations_star"))
    }
    words = [*grammar.keyword_of, "NAME"]
    return frozenset(
        state for state in lists if all(grammar.states[state].get(kind, 0) >= 0 for kind in words)
    )


class ItemShapes:
    """The shapes of one parse: which items have begun, and how often each shape came."""

    __slots__ = ("_begun", "_came", "_derivation", "_kinds", "_tokens")

    def __init__(self, tokens: list[Any], derivation: list[int]) -> None:
        self._tokens = tokens
        self._kinds = tuple([token[0] for token in tokens])
        self._derivation = derivation
        self._begun: list[tuple[int, int, int, int]] = []
        """The height of the stack and the state below the top where an item began, its first token
        and the length of the derivation there."""
        self._came: dict[Key, int] = {}

    def skip(
        self, lowering: Lowering, index: int, states: list[int], into: list[Any]
    ) -> tuple[int, int]:
        """Make all items from a token on whose shape is known: the token behind them, and how deep
        they are. The automaton is about to shift the first token of an item.
        """
        below, state = states[-2], states[-1]
        tokens, derivation = self._tokens, self._derivation
        self._note(index, len(states), below, state)
        first, depth = index, 0
        while shape := self._known(index, below, state):
            shape.build(lowering, tokens[index : index + shape.size + 1], into)
            derivation += shape.derivation
            depth = max(depth, shape.depth)
            index += shape.size
        if index > first:
            self._begun[-1] = (len(states), below, index, len(derivation))
        return index, depth

    def _known(self, index: int, below: int, state: int) -> ItemShape | None:
        """The shape of the item that begins at a token."""
        kinds = self._kinds
        sizes = _SIZES.get((below, state, kinds[index : index + HEAD]), ())
        for size in sizes:
            shape = _SHAPES.get((below, state, kinds[index : index + size + 1]))
            if shape is not None:
                return shape
        return None

    def _note(self, index: int, height: int, below: int, state: int) -> None:
        """Note that an item begins, and that with it the one before it has ended."""
        begun = self._begun
        while begun and begun[-1][0] > height:
            begun.pop()
        if begun and begun[-1][:2] == (height, below):
            _, _, start, since = begun.pop()
            if 0 < index - start <= LONGEST:
                key = below, state, self._kinds[start : index + 1]
                came = self._came[key] = self._came.get(key, 0) + 1
                if came == OFTEN and len(_SHAPES) < MOST and key not in _SHAPES:
                    _learn(key, self._kinds[start : start + HEAD], self._derivation[since:])
        begun.append((height, below, index, len(self._derivation)))


def _learn(key: Key, head: tuple[str, ...], derivation: list[int]) -> None:
    below, state, kinds = key
    shape = _Writer(len(kinds) - 1).shape(derivation)
    if shape is not None:
        _SHAPES[key] = shape
        sizes = _SIZES.setdefault((below, state, head), [])
        if shape.size not in sizes:
            sizes.append(shape.size)


class _Part(NamedTuple):
    """A value on the stack: the variable that has it, the token that it starts with, how deep it
    is. What a `*` or `+` gathers has a variable for each of its elements.
    """

    code: str
    start: int
    depth: int
    elements: tuple[str, ...] = ()


class _Writer:
    """Writes the code of a shape by the derivation of an item that has it."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lines: list[str] = []
        self._given: dict[str, Any] = {"span": partial(tuple.__new__, Span)}
        self._shifted = 0

    def shape(self, derivation: list[int]) -> ItemShape | None:
        """The shape; None if the item is not simply one more of its list."""
        rules, stack = tables().rules, list[_Part]()
        for entry in derivation:
            if entry < 0:
                stack.append(_Part(f"t{self._shifted}", self._shifted, 0))
                self._shifted += 1
                continue
            rule = rules[entry]
            if rule.length > len(stack):
                whole = self._shifted == self._size and len(stack) == 1
                if not whole or rule.length != 2 or not _grows(rule):
                    return None
                self._lines.append(f"into.append({stack[0].code})")
                return ItemShape(self._size, stack[0].depth, tuple(derivation), self._compiled())
            at = len(stack) - rule.length
            stack[at:] = [self._reduced(rule, stack[at:])]
        return None

    def _reduced(self, rule: ReductionRule, taken: list[_Part]) -> _Part:
        """Code for the value that the driver would make by a rule (see `parse._run`)."""
        start = taken[0].start if taken else self._shifted
        depth = max((part.depth for part in taken), default=0)
        if rule.passthrough and len(rule.children) == 1:
            return _Part(taken[rule.children[0] >> 1].code, start, depth)
        children: list[str] = []
        for entry in rule.children:
            if entry < 0:
                children.append("None")
            elif entry & 1:
                children += taken[entry >> 1].elements
            else:
                children.append(taken[entry >> 1].code)
        if rule.builder.startswith("__"):
            return _Part("", start, depth, tuple(children))
        return _Part(self._built(builder(rule), start, children), start, depth + 1)

    def _built(self, build: Callable[..., Any], start: int, children: list[str]) -> str:
        if build is only:
            return children[0]
        if build is gather or (build is gather_optional and not children):
            return f"({''.join(f'{child}, ' for child in children)})"
        if start < self._shifted:
            span = f"span((file, t{start}[2], t{self._shifted - 1}[3]))"
        else:
            span = f"span((file, t{start}[2], t{start}[2]))"
        name, made = f"build{len(self._given)}", f"v{len(self._lines)}"
        self._given[name] = build
        self._lines.append(f"{made} = {name}({', '.join(('lowering', span, *children))})")
        return made

    def _compiled(self) -> Callable[[Lowering, list[Any], list[Any]], None]:
        code = "\n  ".join(self._lines)
        tokens = ", ".join(f"t{number}" for number in range(self._size + 1))
        head = f"def build(lowering, tokens, into):\n  {tokens}, = tokens\n  file = lowering.file"
        exec(f"{head}\n  {code}", self._given)
        build: Callable[[Lowering, list[Any], list[Any]], None] = self._given["build"]
        return build


def _grows(rule: ReductionRule) -> bool:
    """Whether a rule puts one more into the list of a `*` or `+`."""
    return rule.builder.startswith("__") and len(rule.children) == 2 and rule.children[0] == 1
