"""The place of a completion: which keywords the grammar lets stand there, and which kind of name.

The automaton says it: the tokens before the place, from the beginning of the declaration (or, where
that has a mistake, of the line's item) are read, and what it would take next may be written.
"""

from __future__ import annotations

from pipelang.diagnostics import Source
from pipelang.interfaces.language_server.session import Root
from pipelang.records import dataclass
from pipelang.syntax.lexicon import ITEMS
from pipelang.syntax.recovery.probe import AutomatonProbe
from pipelang.syntax.tables import tables
from pipelang.syntax.tokens import Token, TokenList, starts_declaration, tokenize

_FRAME = "pipeline p() -> text {"
"""In front of an item, so that it can be read alone."""
MOST_BEHIND = 40
_OPTIONS_FRAME = "pipeline p() -> text { step s = call t() {"


@dataclass(frozen=True, slots=True)
class CompletionPlace:
    """`before` are the tokens of the declaration up to the place, without the word that is being
    written (`prefix`, from `start`); `keywords` may stand there, and a name if `takes_name`.
    `behind` are some tokens after it, where the element of a list may get its name.
    """

    start: int
    prefix: str
    before: tuple[Token, ...]
    keywords: frozenset[str]
    takes_name: bool
    in_text: Token | None = None
    behind: tuple[Token, ...] = ()

    def word(self, back: int = 1) -> str:
        """The text of a token before the place."""
        return self.before[-back].text if len(self.before) >= back else ""


def tokens_of(root: Root, source: Source) -> TokenList:
    """The tokens of a root's text: those of its survey, if that is of this text."""
    survey = root.survey
    if survey is not None and survey.built.sources.get(root.path) == source:
        loaded = survey.loaded.modules.get(root.path)
        if loaded is not None:
            return loaded.tokens
    return tokenize(source)


def place_at(source: Source, tokens: TokenList, offset: int, asks: bool = True) -> CompletionPlace:
    """The place at an offset of a file; with `asks` unset nobody asks what may be written there."""
    text = source.text
    start = offset
    while start and (text[start - 1].isalnum() or text[start - 1] == "_"):
        start -= 1
    prefix = text[start:offset]
    own: list[Token] = []
    inside: Token | None = None
    for token in tokens.tokens:
        if token.start < offset < token.end and token.type in ("STRING", "TEMPLATE"):
            inside = token
        if token.end > start:
            if token.start < start and token.type not in ("STRING", "TEMPLATE"):
                own += _begun(text[token.start : start], token.start)
            break
        if starts_declaration(source, token):
            own.clear()
        own.append(token)
    if inside is None:
        inside = _open_text(text, offset)
    for comment in tokens.comments:
        if comment.start < offset <= comment.start + len(comment.text):
            return CompletionPlace(start, prefix, tuple(own), frozenset(), False)
    keywords, takes_name = _expected(source, own) if asks else (frozenset[str](), False)
    behind = [token for token in tokens.tokens if token.start >= offset][:MOST_BEHIND]
    return CompletionPlace(start, prefix, tuple(own), keywords, takes_name, inside, tuple(behind))


def _begun(text: str, offset: int) -> list[Token]:
    """The tokens of what stands before the place, where it became one with what stands behind: a
    field between two dots makes a name of what is a range without it.
    """
    return [
        token._replace(start=token.start + offset, end=token.end + offset)
        for token in tokenize(Source("", text)).tokens
    ]


def _open_text(text: str, offset: int) -> Token | None:
    """A text that has been begun on this line and not been closed yet."""
    line = text.rfind("\n", 0, offset) + 1
    quotes = [at for at in range(line, offset) if text[at] == '"' and text[at - 1 : at] != "\\"]
    if len(quotes) % 2:
        return Token("STRING", text[quotes[-1] : offset], quotes[-1], offset)
    return None


def _expected(source: Source, own: list[Token]) -> tuple[frozenset[str], bool]:
    grammar = tables()
    probe = AutomatonProbe(grammar, [grammar.start])
    if probe.progress(own) < len(own):
        probe = _from_item(source, own) or AutomatonProbe(grammar, [grammar.start])
    keywords = {word for word, kind in grammar.keywords.items() if probe.copy().take(kind)}
    return frozenset(keywords), probe.copy().take("NAME")


def _from_item(source: Source, own: list[Token]) -> AutomatonProbe | None:
    """A reading that begins at an item: that of the line, or of one before it."""
    grammar = tables()
    begins = [
        index
        for index, token in enumerate(own)
        if token.text in ITEMS and _first_on_line(source, token)
    ]
    for begin in reversed(begins[-3:]):
        for frame in (_FRAME, _OPTIONS_FRAME):
            head = tokenize(Source("", frame)).tokens
            probe = AutomatonProbe(grammar, [grammar.start])
            tail = own[begin:]
            if probe.progress((*head, *tail)) == len(head) + len(tail):
                return probe
    return None


def _first_on_line(source: Source, token: Token) -> bool:
    line = source.text.rfind("\n", 0, token.start) + 1
    return not source.text[line : token.start].strip()
