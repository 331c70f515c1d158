"""THE table of colouring rules: regular expressions with what they colour, made from the grammar.

TextMate and Pygments both take regular expressions in an order, the first that fits wins, and both
know regions. What a rule is made of (words, signs, numbers, which neighbours let a word be a
keyword) comes from the parser's tables, so a change of the grammar changes the colours. The
expressions stay within what Python and Oniguruma read alike, and within one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import Enum
from functools import cache

from pipelang.interfaces.highlighting.neighbours import neighbours
from pipelang.records import dataclass
from pipelang.semantics.symbols import BUILTIN_FUNCTIONS
from pipelang.semantics.types import SCALAR_NAMES
from pipelang.syntax.lexicon import DECLARING, ITEMS
from pipelang.syntax.tables import tables


class Colour(Enum):
    """The class of a piece of text; the value is its scope in a TextMate grammar."""

    COMMENT = "comment.line.number-sign"
    DOC = "comment.line.documentation"
    DECLARATION = "keyword.declaration"
    ITEM = "keyword.control"
    WORD = "keyword.other"
    OPERATOR_WORD = "keyword.operator.word"
    CONSTANT = "constant.language"
    LABEL = "storage.modifier"
    TYPE = "entity.name.type"
    SCALAR = "support.type"
    DECLARED = "entity.name.function"
    FUNCTION = "support.function"
    CALL = "entity.name.function.call"
    NAME = "variable.other"
    MEMBER = "variable.other.enummember"
    NUMBER = "constant.numeric"
    TEXT = "string.quoted.double"
    ESCAPE = "constant.character.escape"
    TEMPLATE = "string.quoted.triple"
    INSERT = "meta.embedded.expression"
    INSERT_MARK = "punctuation.section.embedded"
    OPERATOR = "keyword.operator"
    PUNCTUATION = "punctuation"


@dataclass(frozen=True, slots=True)
class ColourRule:
    """A piece of text on one line. With several colours, one for each group of the pattern."""

    pattern: str
    colours: tuple[Colour, ...]


@dataclass(frozen=True, slots=True)
class ColourRegion:
    """Text from one pattern to another: both have the colours of their groups, what is between them
    is coloured by `inside` (`nested`: by the whole table first), and by `rest` where nothing fits.
    """

    name: str
    begin: str
    end: str
    begin_colours: tuple[Colour, ...]
    end_colour: Colour
    inside: tuple[ColourRule | ColourRegion, ...]
    rest: Colour | None = None


_WORD = r"[A-Za-z_][A-Za-z0-9_]*"
_LABELS = frozenset({"untrusted", "private", "secret", "public"})
_CONSTANTS = frozenset({"true", "false", "none"})
_OPERATORS = frozenset({"and", "or", "not", "in", "matches"})
_PUNCTUATION = frozenset("{ } ( ) [ ] , : .".split())
_COMMENTS = (
    ColourRule(r"^[ \t]*##[^\n]*", (Colour.DOC,)),
    ColourRule(r"#[^\n]*", (Colour.COMMENT,)),
)


@cache
def rules() -> tuple[ColourRule | ColourRegion, ...]:
    """All rules, the first that fits wins."""
    return (
        *_COMMENTS,
        _template(),
        ColourRegion(
            "text",
            '"',
            r'"|$',
            (Colour.TEXT,),
            Colour.TEXT,
            (ColourRule(r"\\.", (Colour.ESCAPE,)),),
            Colour.TEXT,
        ),
        *_numbers(),
        *_lists_of_names(),
        *_keywords_with_a_name(),
        *_keywords(),
        *_names(),
        *_signs(),
    )


def _template() -> ColourRegion:
    """A prompt between triple quotes, with what Jinja puts in."""
    closed = r'|(?=""")'  # what is never closed ends with the template
    marks = (
        ("insert", r"\{\{[-+]?", r"[-+]?\}\}" + closed),
        ("statement", r"\{%[-+]?", r"[-+]?%\}" + closed),
    )
    inside = (
        ColourRule(r"\b(?:if|elif|else|endif|for|in|endfor|not|and|or|is|set)\b", (Colour.WORD,)),
        ColourRule(r"\b\d+(?:\.\d+)?\b", (Colour.NUMBER,)),
        ColourRule(r"'[^'\n]*'", (Colour.TEXT,)),
        ColourRule(_WORD, (Colour.NAME,)),
        ColourRule(r"[|.()\[\],=<>!+*/%~-]", (Colour.OPERATOR,)),
    )
    inserts = tuple(
        ColourRegion(name, begin, end, (Colour.INSERT_MARK,), Colour.INSERT_MARK, inside)
        for name, begin, end in marks
    )
    comment = ColourRegion(
        "remark", r"\{#", r"#\}" + closed, (Colour.COMMENT,), Colour.COMMENT, (), Colour.COMMENT
    )
    return ColourRegion(
        "template",
        '"""',
        '"""',
        (Colour.TEMPLATE,),
        Colour.TEMPLATE,
        (*inserts, comment),
        Colour.TEMPLATE,
    )


def _numbers() -> Iterable[ColourRule]:
    """The terminals that begin with a digit or a `$`, in the order in which the lexer tries them;
    only up to the end of a line.
    """
    for pattern in _terminals().values():
        if pattern.startswith((r"\d", r"\$\d")):
            yield ColourRule(pattern.replace(r"\s", r"[ \t]"), (Colour.NUMBER,))


def _terminals() -> dict[str, str]:
    """The patterns of terminals by their names, out of the lexer's one expression."""
    grammar = tables()
    every = [name for name in re.compile(grammar.lexer).groupindex if name not in grammar.signs]
    marks = [(grammar.lexer.pattern.index(f"(?P<{name}>"), name) for name in every]
    found = {}
    for start, name in sorted(marks):
        body = grammar.lexer.pattern[start + len(f"(?P<{name}>") :]
        found[name] = body[: _closing(body)]
    return found


def _closing(text: str) -> int:
    """The place of the bracket that closes a group."""
    depth, at, in_class = 0, 0, False
    while True:
        letter = text[at]
        if letter == "\\":
            at += 1
        elif in_class:
            in_class = letter != "]"
        elif letter == "[":
            in_class = True
        elif letter == "(":
            depth += 1
        elif letter == ")":
            if not depth:
                return at
            depth -= 1
        at += 1


def _lists_of_names() -> Iterable[ColourRegion]:
    """Members of an enum, and what a `use` names: words that stand for themselves alone."""
    text = ColourRule(r'"(?:\\.|[^"\\\n])*"', (Colour.TEXT,))
    blank = r"[ \t]*"
    yield ColourRegion(
        "members",
        rf"\b(enum)([ \t]+)({_WORD})({blank})(\{{)",
        r"\}",
        (
            Colour.DECLARATION,
            Colour.PUNCTUATION,
            Colour.TYPE,
            Colour.PUNCTUATION,
            Colour.PUNCTUATION,
        ),
        Colour.PUNCTUATION,
        (*_COMMENTS, text, ColourRule(_WORD, (Colour.MEMBER,))),
    )
    name, sign = ColourRule(_WORD, (Colour.NAME,)), ColourRule(r"[.,{]", (Colour.PUNCTUATION,))
    path = rf'(?:"(?:\\.|[^"\\\n])*"|{_WORD}(?:\.{_WORD})*)'
    used = (Colour.DECLARATION, Colour.PUNCTUATION)
    inside = (*_COMMENTS, text, name, sign)
    head = r"\b(use)([ \t]+)"
    yield ColourRegion(
        "imported", rf"{head}(?={path}{blank}\{{)", r"\}", used, Colour.PUNCTUATION, inside
    )
    end = r"(?![A-Za-z0-9_.])"
    yield ColourRegion(
        "library", rf"{head}(?={_WORD})", end, used, Colour.PUNCTUATION, (name, sign)
    )


def _by_length(word: str) -> tuple[int, str]:
    """The order in which words are tried: a longer one before its beginning."""
    return -len(word), word


def _any_of(words: Iterable[str]) -> str:
    return "|".join(sorted(words, key=_by_length))


def colour_of(word: str) -> Colour:
    """The colour of a keyword."""
    if word in DECLARING:
        return Colour.DECLARATION
    if word in ITEMS or word in ("else", "if", "then", "each", "redo"):
        return Colour.ITEM
    if word in _LABELS:
        return Colour.LABEL
    if word in _CONSTANTS:
        return Colour.CONSTANT
    return Colour.OPERATOR_WORD if word in _OPERATORS else Colour.WORD


def _keywords_with_a_name() -> Iterable[ColourRule]:
    """A keyword and the word behind it: one that stands only behind such keywords, or a name that
    may be spelt like a keyword.
    """
    grammar = tables()
    words: dict[tuple[str, str, tuple[Colour, ...]], list[str]] = {}
    for word, kind in sorted(grammar.keywords.items()):
        beside = neighbours()[kind]
        follows = {grammar.keyword_of[one] for one in beside.behind if one in grammar.keyword_of}
        bound = [one for one in follows if _is_bound(grammar.keywords[one])]
        for its, some in _by_colour(bound).items():
            colours = (colour_of(word), Colour.PUNCTUATION, its)
            words.setdefault((_before(kind), rf"({_any_of(some)})\b", colours), []).append(word)
        if "NAME" not in beside.behind:
            continue
        taken = follows | grammar.reserved
        colour = _declared(word)
        if colour is not None:
            name = rf"(?!(?:{_any_of(taken)})\b)({_WORD})"
        else:  # no declared name: not a call, nor a type
            taken |= BUILTIN_FUNCTIONS
            name = rf"(?!(?:{_any_of(taken)})\b)(?=[a-z_])({_WORD})(?![ \t]*\()"
            colour = Colour.NAME
        colours = (colour_of(word), Colour.PUNCTUATION, colour)
        words.setdefault((_before(kind), name, colours), []).append(word)
    for (before, behind, shown), same in words.items():
        yield ColourRule(rf"{before}\b({_any_of(same)})([ \t]+){behind}", shown)


def _is_bound(kind: str) -> bool:
    """Whether a keyword only ever stands behind some other ones."""
    allowed = neighbours()[kind].before
    return bool(allowed) and all(one in tables().keyword_of for one in allowed)


def _by_colour(words: Iterable[str]) -> dict[Colour, list[str]]:
    found: dict[Colour, list[str]] = {}
    for word in sorted(words):
        found.setdefault(colour_of(word), []).append(word)
    return found


def _declared(word: str) -> Colour | None:
    if word in ("enum", "type"):
        return Colour.TYPE
    return Colour.DECLARED if word in DECLARING | {"step", "gate", "approve", "hold"} else None


def _keywords() -> Iterable[ColourRule]:
    """Keywords whose neighbours let them be some; those with the same neighbours together."""
    words: dict[tuple[str, str, Colour], list[str]] = {}
    for word, kind in sorted(tables().keywords.items()):
        key = (_before(kind), _behind(kind), colour_of(word))
        words.setdefault(key, []).append(word)
    for (before, behind, colour), some in words.items():
        yield ColourRule(rf"{before}\b(?:{_any_of(some)})\b{behind}", (colour,))


def _before(kind: str) -> str:
    """A look behind at what may stand before a terminal."""
    grammar, allowed = tables(), neighbours()[kind].before
    words = {grammar.keyword_of[one] for one in allowed if one in grammar.keyword_of}
    if _is_bound(kind):
        behind = [rf"(?<=\b{word} )" for word in sorted(words, key=_by_length)]
        return f"(?:{'|'.join(behind)})"
    taken = {grammar.signs[one] for one in allowed if one in grammar.signs}
    barred = {
        sign
        for sign in grammar.signs.values()
        if sign not in taken and not any(one.endswith(sign) for one in taken)
    }
    shortest = {sign for sign in barred if not any(sign.endswith(one) for one in barred - {sign})}
    singles = "".join(re.escape(sign) for sign in sorted(shortest) if len(sign) == 1)
    # `$x` and `%x` are nothing, and a word goes on in both directions.
    found = [f"(?<![{singles}])(?<![{singles}] )"] if singles else []
    for sign in sorted(shortest):
        if len(sign) > 1:
            found.append(f"(?<!{re.escape(sign)})(?<!{re.escape(sign)} )")
    return "".join(found)


_LITERALS = {
    "STRING": '"(?!"")',
    "TEMPLATE": '"""',
    "MONEY": r"\$",
    **dict.fromkeys("INT NUMBER PERCENT DURATION RATE TOKENS PAGES".split(), r"\d"),
}


def _behind(kind: str) -> str:
    """A look ahead at what may stand behind a terminal; the end of a line tells nothing."""
    grammar, allowed = tables(), neighbours()[kind].behind
    words = {grammar.keyword_of[one] for one in allowed if one in grammar.keyword_of}
    signs = {grammar.signs[one] for one in allowed if one in grammar.signs}
    every = grammar.signs.values()
    found = {_LITERALS[one] for one in allowed if one in _LITERALS}
    for sign in signs:
        longer = {one[len(sign) :] for one in every if one.startswith(sign) and one not in signs}
        barred = re.escape("".join(sorted(longer)))
        # A metric is written `accuracy(step)`, an option `accuracy (share)`.
        blank = r"(?<=[ \t])" if sign == "(" and len(allowed) > 1 else ""
        found.add(blank + re.escape(sign) + (f"(?![{barred}])" if barred else ""))
    if "NAME" in allowed:
        found.add(r"[A-Za-z_]")
    elif words:
        found.add(rf"(?:{_any_of(words)})\b")
    return rf"(?=[ \t]*(?:$|#|{'|'.join(sorted(found))}))"


def _names() -> Iterable[ColourRule]:
    scalars = _any_of(SCALAR_NAMES)
    yield ColourRule(rf"(?<=[:>\[] )(?:{scalars})\b", (Colour.SCALAR,))
    for word in sorted(_LABELS | {"decision"}):
        yield ColourRule(rf"(?<=\b{word} )(?:{scalars})\b", (Colour.SCALAR,))
    yield ColourRule(rf"(?<=\[)(?:{scalars})\b(?=\])", (Colour.SCALAR,))
    yield ColourRule(r"\b[A-Z][A-Za-z0-9]*[a-z][A-Za-z0-9]*\b", (Colour.TYPE,))
    yield ColourRule(rf"\b(?:{_any_of(BUILTIN_FUNCTIONS)})\b(?=\()", (Colour.FUNCTION,))
    yield ColourRule(rf"{_WORD}(?=\()", (Colour.CALL,))
    yield ColourRule(_WORD, (Colour.NAME,))


def _signs() -> Iterable[ColourRule]:
    signs = sorted(tables().signs.values(), key=_by_length)
    for colour, wanted in (
        (Colour.OPERATOR, [sign for sign in signs if sign not in _PUNCTUATION]),
        (Colour.PUNCTUATION, [sign for sign in signs if sign in _PUNCTUATION]),
    ):
        yield ColourRule("|".join(map(re.escape, wanted)), (colour,))
