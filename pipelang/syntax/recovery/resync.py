"""Resynchronisation: where a broken item, option, field or expression ends.

On the parser's stack stand the places where a piece could begin: an expression, an option, an item,
a declaration. From the error on, the first token is looked for with which one of them, innermost
first, could go on if its piece were whole: a sibling's first word, what follows an expression, or
the bracket that closes around it. What was read of the piece and what is skipped becomes one
`Broken` node (see `lower/broken.py`).

Brackets are counted on the way, so a sibling of an outer block is not taken for one of the inner.
Where a line starts with a word that can only be an item, though, a parenthesis left open does not
count.
"""

from __future__ import annotations

from pipelang.records import NamedTuple
from pipelang.syntax.recovery.hints.options import BEGINNING
from pipelang.syntax.recovery.line_starts import LineStarts
from pipelang.syntax.recovery.probe import AutomatonProbe
from pipelang.syntax.tables import Tables
from pipelang.syntax.tokens import Token

KINDS = {
    "arg": "expression",
    "param": "parameter",
    "record_field": "expression",
    "expr": "expression",
    "quantity": "expression",
    "rate": "expression",
    "plain_rate": "expression",
    "type": "type",
    "field": "field",
    "option": "option",
    "evidence_option": "option",
    "tool_option": "option",
    "tier_option": "option",
    "role_option": "option",
    "provider_option": "option",
    "memory_option": "option",
    "slo_line": "slo line",
    "watch_line": "watch line",
    "traffic_line": "traffic line",
    "opens": "breaker line",
    "arm": "arm",
    "item_arm": "arm",
    "test_line": "test line",
    "item": "item",
    "declaration": "declaration",
}
"""Nonterminals that can be given up, finest first, and what a node says that was one of them."""

_LINES = frozenset({"slo_line", "watch_line", "traffic_line"})  # they start like expressions
_PLAIN = frozenset(
    symbol for symbol, kind in KINDS.items() if kind in ("item", "option", "test line", "field")
)  # whose first word, first on a line, says what they are
_CLOSES = {"}": "{", ")": "(", "]": "["}
_NEAREST = 24
"""So many places are considered, and the outermost ones besides."""
_SEEN = 3
"""So many tokens must fit where the parse goes on."""


class ResumePoint(NamedTuple):
    """A place where a piece could begin: values kept on the stack, nonterminal, open brackets."""

    keep: int
    symbol: str
    level: int


class Resumed(NamedTuple):
    """The place where parsing goes on: whether a broken piece is put there (else: nothing),
    the index of the next token, and the brackets to close before it. `fits`: that token can stand
    there, so an error at it would be of our making.
    """

    place: ResumePoint
    broken: bool
    at: int
    closing: str
    fits: bool = True


def places(
    grammar: Tables, states: list[int], values: list[object]
) -> tuple[list[ResumePoint], str]:
    """The places on the stack, innermost first, and all brackets that are open."""
    opened: list[tuple[int, str]] = []
    closed: list[tuple[int, int]] = []  # brackets that are behind us, whatever stands in them
    for at, value in enumerate(values):
        if isinstance(value, Token):
            if value.text in ("{", "(", "[") and value.type != "STRING":
                opened.append((at, value.text))
            elif value.text in _CLOSES and opened:
                opening, _ = opened.pop()
                while closed and closed[-1][0] > opening:
                    closed.pop()
                closed.append((opening, at))
    found: list[ResumePoint] = []
    level = len(opened)
    for keep in range(len(values), -1, -1):
        while level and opened[level - 1][0] >= keep:
            level -= 1
        if len(found) > _NEAREST and 8 < keep < len(values) - _NEAREST:
            continue
        while closed and closed[-1][0] >= keep:
            closed.pop()
        if closed and closed[-1][1] >= keep:
            continue
        row = grammar.states[states[keep]]
        for symbol in KINDS:
            if row.get(symbol, -1) >= 0:
                found.append(ResumePoint(keep, symbol, level))
                break
    return found, "".join(sign for _, sign in opened)


class Search:
    """The search for the token with which the parse can go on."""

    def __init__(
        self,
        grammar: Tables,
        states: list[int],
        starts: list[int],
        tokens: list[Token],
        line_starts: LineStarts,
    ) -> None:
        self.grammar = grammar
        self.states = states
        self.starts = starts
        self.tokens = tokens
        self.line_starts = line_starts

    def find(self, found: list[ResumePoint], opened: str, index: int) -> Resumed:
        """The nearest token, and the innermost place that can go on with it."""
        tokens, count = self.tokens, len(self.tokens)
        stack, alive = list(opened), found
        at = index
        while at < count and not self.line_starts.declares(tokens[at]):
            token = tokens[at]
            resumed = self._resume(alive, stack, at, len(opened))
            if resumed is None and at > index:
                resumed = self._begins_anew(alive, len(stack), at)
            if resumed is not None:
                return resumed
            text = token.text
            if text in ("{", "(", "["):
                stack.append(text)
            elif text in _CLOSES and _CLOSES[text] in stack:
                while stack.pop() != _CLOSES[text]:
                    pass
                if len(stack) < len(opened):
                    alive = [place for place in alive if place.level <= len(stack)]
                    opened = opened[: len(stack)]
            at += 1
        return self.at_declaration(alive, opened, at)

    def _resume(
        self, alive: list[ResumePoint], stack: list[str], at: int, own: int
    ) -> Resumed | None:
        level = len(stack)
        loose = level
        if self.line_starts.is_first(self.tokens[at]):
            while loose and stack[loose - 1] != "{":
                loose -= 1
        for place in alive:
            loosely = loose <= place.level < level and place.symbol == "item"
            if (place.level == level or loosely) and self._fits(place, at):
                return Resumed(place, True, at, "")
        return None

    def _begins_anew(self, alive: list[ResumePoint], level: int, at: int) -> Resumed | None:
        """The place of an item that was a block, if a line begins behind it with a word that is no
        item's: it is told of by itself. A word behind anything else may belong to what broke.
        """
        token = self.tokens[at]
        if token.type != "NAME" or self.tokens[at - 1].text != "}":
            return None
        if not self.line_starts.is_first(token):
            return None
        for place in alive:
            if place.symbol == "item" and place.level == level:
                return Resumed(place, True, at, "", fits=False)
        return None

    def _fits(self, place: ResumePoint, at: int) -> bool:
        token = self.tokens[at]
        trial = AutomatonProbe(self.grammar, self.states, place.keep + 1)
        if not trial.goto(place.symbol):
            return False
        closes = token.text in _CLOSES or token.text == ","
        if not closes:
            if place.symbol in _LINES and not self.line_starts.is_first(token):
                return False
            before = self.tokens[at - 1].text if at else ""
            if place.symbol == "item" and before in ("else", "=>"):
                return False
            if place.symbol == "item" and token.text in ("when", "match"):
                return self._opens_block(trial, at)
        seen = _SEEN
        if closes or (place.symbol in _PLAIN and self.line_starts.is_first(token)):
            seen = 1 if closes or token.text in BEGINNING or place.symbol == "field" else _SEEN
        upcoming = self.tokens[at : at + seen]
        return trial.progress(upcoming) == len(upcoming)

    def _opens_block(self, trial: AutomatonProbe, at: int) -> bool:
        """`when` and `match` also stand inside other items: there, no block follows."""
        if not self.line_starts.is_first(self.tokens[at]):
            return False
        for token in self.tokens[at : at + 40]:
            if not trial.take_token(token):
                return False
            if token.text == "{":
                return True
        return False

    def at_declaration(self, alive: list[ResumePoint], opened: str, at: int) -> Resumed:
        """The innermost place that can be closed before a declaration or the end of the file."""
        token = self.tokens[at] if at < len(self.tokens) else END
        for place in alive:
            if place.level > 100:
                continue
            closing = "".join(_CLOSING[sign] for sign in reversed(opened[: place.level]))
            for broken in (False, True):
                lost = place.keep < len(self.starts) and self.starts[place.keep] < token.start
                if lost and not broken:
                    continue  # something would be gone without a trace
                trial = AutomatonProbe(self.grammar, self.states, place.keep + 1)
                if broken and not trial.goto(place.symbol):
                    continue
                kinds = [*(self.grammar.letters[sign] for sign in closing), token.type]
                if all(trial.take(kind) for kind in kinds):
                    return Resumed(place, broken, at, closing)
        return Resumed(alive[-1], True, at, "")


_CLOSING = {"{": "}", "(": ")", "[": "]"}
END = Token("$END", "", 0, 0)
