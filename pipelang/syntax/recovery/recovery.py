"""Recovery after a syntax error: the message, and where parsing continues.

Parsing never gives up. Of every error three questions are asked, in this order:

1. Is a bracket never closed? A declaration starts at the start of a line; where one stands inside
   an open block, the block is what has to be fixed. It is closed there.
2. Is it a small mistake? (`hints/`, `repair.py`) Then the edit that fixes it is made on the
   tokens, and the tree is the one that was meant.
3. Else the smallest piece is given up with which parsing can go on (`resync.py`); a `Broken` node
   stands in its place.

What an earlier error explains is not reported again: text that is no token, or a place where
parsing did not move since the last error.
"""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from pipelang.diagnostics import Diagnostic, Edit, Source, Span, codes, report
from pipelang.records import dataclass, field
from pipelang.syntax.bad_tokens import HEADER
from pipelang.syntax.lexicon import DECLARING
from pipelang.syntax.lower.broken import broken
from pipelang.syntax.recovery.brackets import CLOSING, balance, culprit
from pipelang.syntax.recovery.expected_words import describe_expected, describe_found
from pipelang.syntax.recovery.hints import ErrorSite, Hint, TokenEdit, slip
from pipelang.syntax.recovery.hints.options import BEGINNING
from pipelang.syntax.recovery.hints.words import ACTIONS
from pipelang.syntax.recovery.line_starts import LineStarts
from pipelang.syntax.recovery.probe import AutomatonProbe, expected
from pipelang.syntax.recovery.repair import best_edit, in_words, is_good
from pipelang.syntax.recovery.resync import END, KINDS, Resumed, ResumePoint, Search, places
from pipelang.syntax.recovery.text_edits import in_text
from pipelang.syntax.tables import Tables
from pipelang.syntax.tokens import Token, TokenList, tokenize

CAREFUL = 100
"""So many errors are explained and mended; after them, parsing goes on at the next item."""
PATIENT = 2_000
"""After so many, it goes on at the next declaration."""
PERSISTENT = 8
"""Attempts at one token."""
_WHAT = {"{": "block", "(": "list", "[": "list"}


@dataclass(slots=True)
class Stack:
    """The parser's stack: states, one more than values; a start and a depth of each value."""

    states: list[int]
    values: list[Any]
    starts: list[int]
    depths: list[int]

    def cut(self, keep: int) -> None:
        """Take back all values but the first ones."""
        del self.states[keep + 1 :], self.values[keep:], self.starts[keep:], self.depths[keep:]


@dataclass(slots=True)
class Recovery:
    """The errors of one file. `tokens` are those of the file, later with repairs applied."""

    source: Source
    grammar: Tables
    stack: Stack
    tokens: list[Token]
    guessed: list[int]
    found: list[Diagnostic] = field(default_factory=list)
    count: int = 0
    withdrawn: int | None = None
    _told: int = -1
    _last: tuple[str, int] = ("", -1)
    _tried: tuple[int, int] = (-1, 0)
    _lines: LineStarts = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = list(self.tokens)
        self._lines = LineStarts(self.source)

    def resume(self, index: int, named: bool) -> int:
        """Make a stack fit to go on after token `index` did not fit; the index to go on with."""
        self.count += 1
        if self._is_stuck(index):
            return self._give_up(min(index + 1, len(self.tokens)), coarse=True)
        if self.count > CAREFUL:
            return self._give_up(index, coarse=self.count > PATIENT)
        restart = self._swallowed(index)
        if restart is not None:
            self._told = -1
            return restart
        closed = self._unclosed(index, named)
        if closed is not None:
            return closed
        index = self._swallowed_word(index, named)
        spot = self._spot(index, named)
        mend = slip(spot)
        edit = None if mend is None else mend.edit
        states = self.stack.states
        if edit is None or not is_good(spot, states, edit) or not self._can_drop(index, edit):
            edit = best_edit(spot, states) if mend is None or mend.edit is not None else None
            if mend is None and edit is not None:
                mend = Hint(in_words(spot, edit))
        safe = mend is not None and mend.safe and edit is mend.edit
        self._tell(spot, mend, edit if safe else None)
        self._told = max(self._told, spot.token.start)
        return self._give_up(index) if edit is None else self._edit(index, edit)

    def _can_drop(self, index: int, edit: TokenEdit) -> bool:
        """Whether the values that an edit takes back are no more than its tokens."""
        return all(
            len(self.stack.starts) >= n and self.stack.starts[-n] == self.tokens[index - n].start
            for n in range(1, edit.drop + 1)
        )

    def _swallowed_word(self, index: int, named: bool) -> int:
        """A word at the start of a line that was taken for a name, though it begins what is next:
        then it is the token that does not fit.
        """
        before = self.tokens[index - 1] if index else END
        if (
            named
            and before.text in BEGINNING
            and self._lines.is_first(before)
            and self._can_drop(index, TokenEdit(1))
            and self._token(index).text not in (":", ".", ",")
        ):
            self.stack.cut(len(self.stack.values) - 1)
            return index - 1
        return index

    def _is_stuck(self, index: int) -> bool:
        """Whether one token did not fit again and again: a mistake of ours must not hang."""
        start, times = self._tried
        here = self._start(index)
        self._tried = (here, times + 1 if here == start else 1)
        return self._tried[1] > PERSISTENT

    def too_deep(self, index: int, span: Span, limit: int) -> int:
        """Give up a declaration that is nested deeper than later passes may walk."""
        self.count += 1
        self.found.append(report(codes.TOO_DEEP, span, limit=limit))
        return self._give_up(index, coarse=True)

    # ------------------------------------------------------------------------- what to say

    def _spot(self, index: int, named: bool) -> ErrorSite:
        found, _ = places(self.grammar, self.stack.states, self.stack.values)
        token = self._token(index)
        missing, extra = balance(self.tokens, self._lines, index)
        return ErrorSite(
            tokens=self.tokens,
            index=index,
            token=token,
            expected=frozenset(expected(self.grammar, self.stack.states)),
            grammar=self.grammar,
            around=tuple(dict.fromkeys(KINDS[place.symbol] for place in found)),
            lines=self._lines,
            missing=missing,
            extra=extra,
            on_new_line=token.type == "$END" or self._lines.is_first(token),
            taken_as_name=named,
        )

    def _tell(self, spot: ErrorSite, mend: Hint | None, safe: TokenEdit | None) -> None:
        """Report an error; `safe` is the edit that may be made in the file too."""
        token, before = spot.token, spot.before()
        if token.start <= self._told or self._is_guess(spot):
            return
        action = spot.taken_as_name and before.text in ACTIONS and token.text.isidentifier()
        if action and mend is not None and mend.help is None:
            span = Span(self.source.name, before.start, before.end)
            self.found.append(report(codes.ACTION_IN_EXPRESSION, span, action=before.text))
            return
        back = 0 if mend is None else mend.back
        pointed = spot.before(back) if back else token
        span = Span(self.source.name, pointed.start, pointed.end)
        if pointed.type == "$END":
            end = before.end if spot.index else 0
            span = Span(self.source.name, end, end)
        help = None if mend is None else mend.help
        edits = in_text(self.source, self.tokens, spot.index, safe) if safe else ()
        if edits and mend is not None and mend.moved is not None:
            at, letters = mend.moved
            edits = (Edit(Span(self.source.name, at, at), letters), *edits)
        line = (help or "", self.source.position(span.start).line)
        if help and line == self._last:
            return
        self._last = line
        wanted = describe_expected(set(spot.expected), self.grammar)
        found = describe_found(pointed, self.grammar)
        self.found.append(
            report(
                codes.SYNTAX,
                span,
                expected=(mend.expected if mend else None) or wanted,
                found=(mend.found if mend else None) or found,
                help=help,
                edits=edits,
            )
        )

    def _is_guess(self, spot: ErrorSite) -> bool:
        """Whether text that is no token stands here or just before: then it explains the error."""
        start = spot.before(2).end if spot.index > 1 else 0
        at = bisect_left(self.guessed, start)
        return at < len(self.guessed) and self.guessed[at] <= spot.token.start

    # -------------------------------------------------------------------------- unclosed

    def _swallowed(self, index: int) -> int | None:
        """A template that is never closed ends where the next one should begin. What stands
        between was no part of it, so it is read again.
        """
        for at in range(max(0, index - 2), index):
            token = self.tokens[at]
            if token.type != "TEMPLATE" or token.start in self.guessed:
                continue
            head = HEADER.search(self.source.text, token.start, token.end)
            if head is None:
                continue
            span = Span(self.source.name, token.start, token.start + 3)
            told = report(codes.UNCLOSED, span, what="template", closing='`"""`')
            again = tokenize(self.source, head.start())
            self._retake(at, head.start(), token, again)
            self.found = [*self.found, told, *again.diagnostics]
            return at + 1
        return None

    def _retake(self, at: int, start: int, token: Token, again: TokenList) -> None:
        """Cut a template short and put newly read tokens behind it."""
        self.withdrawn = start if self.withdrawn is None else min(start, self.withdrawn)
        self.found = [one for one in self.found if one.span is None or one.span.start < start]
        text = self.source.text[token.start : start] + '"""'
        self.tokens[at:] = [Token("TEMPLATE", text, token.start, start), *again.tokens]
        kept = [guess for guess in self.guessed if guess < start]
        self.guessed = [*kept, *again.guessed]

    def _unclosed(self, index: int, named: bool) -> int | None:
        """Close the brackets that are open where a declaration starts or the file ends."""
        for at in (index, index - 1, index - 2):
            if not self._ends(at, index):
                continue
            found, opened = places(self.grammar, self.stack.states, self.stack.values)
            token = self._token(at)
            if opened:
                self._tell_unclosed(at, opened)
            elif at == index:
                return None
            elif token.start > self._told:
                span = Span(self.source.name, token.start, token.end)
                found_word = f"`{token.text}`"
                self.found.append(report(codes.SYNTAX, span, expected=UNFINISHED, found=found_word))
            self._told = max(self._told, token.start)
            closing = "".join(CLOSING[sign] for sign in reversed(opened))
            trial = AutomatonProbe(self.grammar, self.stack.states)
            kinds = [*(self.grammar.letters[sign] for sign in closing), token.type]
            if at == index and len(closing) <= 100 and all(trial.take(kind) for kind in kinds):
                return self._close(at, closing)
            search = self._search()
            return self._commit(index, search.at_declaration(found, opened, at))
        return None

    def _ends(self, at: int, index: int) -> bool:
        """Whether a token starts a declaration (not the one being read) or is the file's end."""
        if at < 0 or at > len(self.tokens):
            return False
        if at == len(self.tokens):
            return at == index
        token = self.tokens[at]
        if not self._lines.declares(token):
            return False
        if at == index:
            return True
        if token.start == self._declaration_start():
            return False
        following = self.tokens[at + 1].text
        header = HEADER.match(self.source.text, token.start) is not None
        return following[:1] in '"{' or (following.isidentifier() and header)

    def _declaration_start(self) -> int:
        for value, start in zip(self.stack.values, self.stack.starts, strict=True):
            if isinstance(value, Token) and value.text in DECLARING:
                return start
        return -1

    def _tell_unclosed(self, at: int, opened: str) -> None:
        if self._token(at).start <= self._told and at < len(self.tokens):
            return
        opening = culprit(self.source, self.tokens, self._lines, at) or next(
            value
            for value in reversed(self.stack.values)
            if isinstance(value, Token) and value.text == opened[-1]
        )
        inserted = self.source.text[opening.start : opening.end] != opening.text
        if inserted or self._explained(opening):
            return
        what, closing = _WHAT[opening.text], CLOSING[opening.text]
        span = Span(self.source.name, opening.start, opening.end)
        self.found.append(report(codes.UNCLOSED, span, what=what, closing=f"`{closing}`"))

    def _explained(self, opening: Token) -> bool:
        """Whether an unclosed text or template behind a bracket has swallowed what closes it."""
        return any(
            one.rule is codes.UNCLOSED and one.span is not None and one.span.start >= opening.start
            for one in self.found[-3:]
        )

    # ---------------------------------------------------------------------------- going on

    def _edit(self, index: int, edit: TokenEdit) -> int:
        first = index - edit.drop
        self.stack.cut(len(self.stack.values) - edit.drop)
        replaced = self.tokens[first : index + edit.skip]
        start = replaced[0].start if replaced else self._end(first)
        end = replaced[-1].end if replaced else start
        made = [Token(kind, text, start, end) for kind, text in edit.insert]
        self.tokens[first : index + edit.skip] = made
        return first

    def _close(self, at: int, closing: str) -> int:
        end = self._end(at)
        letters = self.grammar.letters
        self.tokens[at:at] = [Token(letters[sign], sign, end, end) for sign in closing]
        return at

    def _give_up(self, index: int, coarse: bool = False) -> int:
        search = self._search()
        if coarse:
            while index < len(self.tokens) and not self._lines.declares(self.tokens[index]):
                index += 1
            keep = 1 if self.stack.values and not isinstance(self.stack.values[0], Token) else 0
            if "declaration" not in self.grammar.states[self.stack.states[keep]]:
                keep = 0
            place = ResumePoint(keep, "declaration", 0)
            return self._commit(index, Resumed(place, True, index, ""))
        found, opened = places(self.grammar, self.stack.states, self.stack.values)
        return self._commit(index, search.find(found, opened, index))

    def _search(self) -> Search:
        return Search(self.grammar, self.stack.states, self.stack.starts, self.tokens, self._lines)

    def _commit(self, index: int, resumed: Resumed) -> int:
        place, at = resumed.place, resumed.at
        start = (
            self.stack.starts[place.keep]
            if place.keep < len(self.stack.starts)
            else self._start(index)
        )
        self.stack.cut(place.keep)
        if resumed.broken:
            end = max(start, self._end(at))
            first = bisect_left(self.tokens, start, key=lambda token: token.start)
            piece = self.tokens[first:at]
            span = Span(self.source.name, start, end)
            self.stack.values.append(broken(place.symbol, KINDS[place.symbol], piece, span))
            self.stack.starts.append(start)
            self.stack.depths.append(1)
            self.stack.states.append(self.grammar.states[self.stack.states[-1]][place.symbol])
        if at < len(self.tokens):
            self._told = max(self._told, self._start(at) - (not resumed.fits))
        return self._close(at, resumed.closing) if resumed.closing else at

    # ------------------------------------------------------------------------------ tokens

    def _token(self, index: int) -> Token:
        if index < len(self.tokens):
            return self.tokens[index]
        size = len(self.source.text)
        return END._replace(start=size, end=size)

    def _start(self, index: int) -> int:
        return self._token(index).start

    def _end(self, index: int) -> int:
        """End of the token before `index`."""
        return self.tokens[index - 1].end if index else 0


UNFINISHED = "the rest of the declaration above"
