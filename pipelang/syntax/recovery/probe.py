"""Look-ahead on a copy of the automaton's stack: which tokens it accepts, and how many of them.

A trial runs on the states of a parse without touching them: it remembers how much of the real stack
it has eaten and what it has put on top of that. So a question costs what it asks, however deep the
parse stands.
"""

from __future__ import annotations

from collections.abc import Iterable

from pipelang.syntax.tables import Tables
from pipelang.syntax.tokens import Token


class AutomatonProbe:
    """An automaton that starts where another one stands, with the lowest `depth` of its states."""

    __slots__ = ("_depth", "_grammar", "_stack", "_top")

    def __init__(self, grammar: Tables, stack: list[int], depth: int | None = None) -> None:
        self._grammar = grammar
        self._stack = stack
        self._depth = len(stack) if depth is None else depth
        self._top: list[int] = []

    def copy(self) -> AutomatonProbe:
        other = AutomatonProbe(self._grammar, self._stack, self._depth)
        other._top = self._top.copy()
        return other

    def goto(self, symbol: str) -> bool:
        """Take a whole nonterminal as read; whether one can stand here."""
        state = self._top[-1] if self._top else self._stack[self._depth - 1]
        target = self._grammar.states[state].get(symbol)
        if target is None or target < 0:
            return False
        self._top.append(target)
        return True

    def take(self, kind: str) -> bool:
        """Shift a terminal after the reductions that it causes; whether that worked."""
        states, rules = self._grammar.states, self._grammar.rules
        stack, top = self._stack, self._top
        while True:
            state = top[-1] if top else stack[self._depth - 1]
            action = states[state].get(kind)
            if action is None:
                return False
            if action >= 0:
                top.append(action)
                return True
            rule = rules[-1 - action]
            if rule.origin == "start":
                return True
            from_top = min(rule.length, len(top))
            if from_top:
                del top[-from_top:]
            self._depth -= rule.length - from_top
            below = top[-1] if top else stack[self._depth - 1]
            top.append(states[below][rule.origin])

    def take_token(self, token: Token) -> bool:
        """Shift a token: as its keyword if that fits, else as a name if it may be one."""
        kind, grammar = token.type, self._grammar
        soft = kind in grammar.keyword_of and token.text not in grammar.reserved
        if soft and not self.copy().take(kind):
            kind = "NAME"
        return self.take(kind)

    def progress(self, tokens: Iterable[Token]) -> int:
        """The number of these tokens that are shifted, one after the other."""
        count = 0
        for token in tokens:
            if not self.take_token(token):
                break
            count += 1
        return count


def expected(grammar: Tables, stack: list[int]) -> set[str]:
    """The terminals that would really be shifted."""
    return {
        symbol
        for symbol in grammar.states[stack[-1]]
        if (symbol.isupper() or symbol == "$END") and AutomatonProbe(grammar, stack).take(symbol)
    }
