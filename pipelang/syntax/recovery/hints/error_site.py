"""The place of a syntax error as the rules for hints see it, and the hint that they give."""

from __future__ import annotations

from pipelang.records import NamedTuple, dataclass
from pipelang.syntax.recovery.line_starts import LineStarts
from pipelang.syntax.tables import Tables
from pipelang.syntax.tokens import Token


class TokenEdit(NamedTuple):
    """A change at the error: read tokens to take back, tokens to leave out, tokens to put in."""

    drop: int = 0
    skip: int = 0
    insert: tuple[tuple[str, str], ...] = ()


UNNAMED = ("NAME", "")
"""The name that the author left out: without letters, so that nobody is told it is unknown."""


@dataclass(frozen=True, slots=True)
class Hint:
    """A help line, and the edit that fixes the error where it is certain.

    `back` moves the finger to an earlier token: 1 is the one before the error. `expected` and
    `found` replace the words of the message. `safe` says that `check --fix` may make the edit in
    the file too: it is what the author meant, and not only what lets the parser go on. `moved` is
    letters that `--fix` puts in at an earlier offset, in place of the tokens that are left out.
    """

    help: str | None
    edit: TokenEdit | None = None
    back: int = 0
    expected: str | None = None
    found: str | None = None
    safe: bool = False
    moved: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class ErrorSite:
    """An error: the token that does not fit, its neighbours, and what would have fitted.

    `around` is the kind of thing that was being read: `item`, `option`, `declaration`, ...
    `missing` are the brackets of which the declaration has too few, `extra` those of which it has
    too many. `taken_as_name` says that the token before is a keyword that was taken as a name.
    """

    tokens: list[Token]
    index: int
    token: Token
    expected: frozenset[str]
    grammar: Tables
    around: tuple[str, ...]
    lines: LineStarts
    missing: frozenset[str]
    extra: frozenset[str]
    on_new_line: bool
    taken_as_name: bool

    @property
    def text(self) -> str:
        return self.token.text

    def before(self, distance: int = 1) -> Token:
        at = self.index - distance
        return self.tokens[at] if at >= 0 else NOTHING

    def after(self, distance: int = 1) -> Token:
        at = self.index + distance
        return self.tokens[at] if at < len(self.tokens) else NOTHING

    def ends_line(self, distance: int) -> bool:
        """Whether nothing stands before that token on its line, or there is none."""
        token = self.after(distance) if distance else self.token
        return token.type == "$END" or self.lines.is_first(token)

    def wants(self, *letters: str) -> bool:
        """Whether one of these words or signs would have fitted."""
        return any(self.terminal(letter) in self.expected for letter in letters)

    def rest_of_line(self, stop: str | None = None) -> int:
        """The number of tokens from the error to the end of its line, or up to a sign."""
        length = 1
        while not self.ends_line(length) and self.after(length).text != stop:
            length += 1
        return length

    def line(self) -> list[Token]:
        """The tokens from the error on that stand side by side, without spaces."""
        found = [self.token]
        while self.after(len(found)).start == found[-1].end and len(found) < 20:
            found.append(self.after(len(found)))
        return found

    def terminal(self, letters: str) -> str:
        return self.grammar.letters.get(letters) or self.grammar.keywords.get(letters, letters)

    def put(self, *letters: str) -> tuple[tuple[str, str], ...]:
        """Words and signs as tokens to insert."""
        return tuple((self.terminal(letter), letter) for letter in letters)

    def instead(self, *letters: str, skip: int = 1, drop: int = 0) -> TokenEdit:
        """The edit that writes these words and signs in place of the token."""
        return TokenEdit(drop, skip, self.put(*letters))

    @property
    def kind(self) -> str:
        """The smallest thing around that is more than an expression or a type."""
        small = ("expression", "type")
        return next((kind for kind in self.around if kind not in small), "declaration")

    @property
    def wants_expression(self) -> bool:
        return {"NAME", "INT", "STRING", "LSQB"} <= self.expected

    @property
    def wants_quantity(self) -> bool:
        return {"NAME", "DURATION", "MONEY", "LPAR"} <= self.expected

    @property
    def wants_item(self) -> bool:
        return "STEP" in self.expected and "GATE" in self.expected

    @property
    def wants_declaration(self) -> bool:
        return "PIPELINE" in self.expected and "TOOL" in self.expected

    @property
    def wants_type(self) -> bool:
        return {"NAME", "SECRET", "UNTRUSTED"} <= self.expected


NOTHING = Token("$END", "", 0, 0)
