"""Text that is no token: an error message, and the token that was most likely meant.

The parser goes on with the guess, so a quote of the wrong kind is one mistake and not three. Where
there is nothing to guess, a token that fits nowhere keeps the place.
"""

from __future__ import annotations

import re

from pipelang.diagnostics import Diagnostic, Edit, Source, Span, codes, report
from pipelang.records import replace
from pipelang.syntax.bad_numbers import bad_number
from pipelang.syntax.lexicon import DECLARING
from pipelang.syntax.recovery.spacing import replacing
from pipelang.syntax.strange import NO_TOKEN, Strange

_SPACES = "\u00a0\u1680\u2000-\u200f\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
_BLANK = re.compile(f"[{_SPACES}]+")
HEADER = re.compile(rf'^(?:{"|".join(sorted(DECLARING))})[ \t]+[\w"][^\n]*[({{:.]', re.MULTILINE)
"""A line that is very likely the head of a declaration."""


_CONTROL = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f]+")
_BEFORE = re.compile(r"(\d+(?:\.\d+)?)[ \t]+\Z", re.ASCII)
_WORD = re.compile(r"[^\W\d]\w*")
_OTHER = re.compile(r"[^\x00-\x7f\w]+|@+|~+|\^+")
_QUOTES = {"\u201c": "\u201d", "\u201d": "\u201d", "\u201e": "\u201c\u201d", "\u2018": "\u2019",
           "\u2019": "\u2019", "'": "'", "`": "`", "\u00ab": "\u00bb"}  # fmt: skip
QUOTES_IN_A_TEMPLATE = (
    'the next three quotes end a template: write `""{{ \'"\' }}` for them as text, or put the'
    ' template in a file: `prompt NAME(...) from "FILE"`'
)
UNION = (
    "a value has one type: name the cases in an `enum`, or give a record a field for each, as in"
    " `{ words: text?  count: int? }`"
)
ENUM = (
    "alternatives are members of an `enum`, as in `enum Size { small large }`, whose name is then"
    " the type"
)
_ABSENT = ("none", "None", "null", "nil", "undefined")
_TYPES = (
    "text|int|number|bool|probability|money|duration|time|json|str|string|float|integer|boolean"
)
_SEVERAL = re.compile(
    rf"\|[ \t]*({_TYPES}|{'|'.join(_ABSENT)}|[A-Z]\w*)\b\??"
    rf"(?:[ \t]*\|[ \t]*\w+\b\??)*"
)
_TYPE_BEFORE = re.compile(
    rf"(?::|->)[ \t]*(?:(?:secret|untrusted|private)[ \t]+)*(?:{_TYPES}|[A-Z]\w*|\[[^\]\n]*\])\??"
    r"(?:[ \t]+max[ \t]+\d+(?:[ \t]+tokens)?)?[ \t]*\Z"
)
"""A type as it stands before a `|` that should make it a union."""

_ALTERNATIVES_BEFORE = re.compile(
    r'^[ \t]*(type|enum)[ \t]+(\w+)[ \t]*[={][ \t]*([\w\s"|-]*)\Z', re.MULTILINE
)
_TEXTS_BEFORE = re.compile(r'(?::|->)[ \t]*"[^"\n]*"[ \t]*\Z')
_ALTERNATIVES = re.compile(r'(?:\|[ \t]*(?:\w+|"[^"\n]*")\s*)+(?<!\s)|\|')
_ONE = re.compile(r'\w+|"[^"\n]*"')
_MOST_SHOWN = 4
"""Members of an enum that a help line shows."""

_MEANT = {
    "&": "and", "|": "or", "!": "not", "\u2192": "->", "\u21d2": "=>", "\u2264": "<=",
    "\u2265": ">=", "\u2260": "!=", "\u2212": "-", "\u2013": "-", "\u2014": "-", "\u00d7": "*",
    "\u2026": "..",
}  # fmt: skip
_HELP = {
    ";": "nothing is needed between items: leave it out",
    "@": "pipelang has no decorators: options stand in braces after the action they govern",
    "\\": "no sign is needed to go on with the next line",
    "\u20ac": "amounts are in US dollars, as in $5",
    "\u00a3": "amounts are in US dollars, as in $5",
    "^": "a power is a product written out, as in `x * x`",
    "~": "write `not`",
    "%": "a share is a number with its sign, as in 70%",
}


def strange(source: Source, at: int, signs: dict[str, str]) -> Strange:
    """The guess at text where no token starts. `signs` are terminals by their text."""
    char = source.text[at]
    if char == '"':
        return _text_without_end(source, at)
    if char.isdigit() or char == "$":
        return bad_number(source, at)
    if char in _QUOTES:
        return _other_quotes(source, at)
    return _character(source, at, signs)


def _text_without_end(source: Source, at: int) -> Strange:
    """A text runs to the end of its line, but for the brackets that close there."""
    line_end = _line_end(source.text, at)
    line = source.text[at + 1 : line_end]
    inner = line.rstrip(" \t\r\f)]},;")
    if inner == line.rstrip():
        inner = line
    found = unclosed(source, at, line_end, "text", '"')
    return Strange(at + 1 + len(inner), found, "STRING", _quoted(inner))


def unclosed_template(source: Source, at: int) -> Strange:
    """A template runs to the end of the file, or to what is very likely the next declaration."""
    next_head = HEADER.search(source.text, at)
    end = len(source.text) if next_head is None else next_head.start()
    text = '"""' + source.text[at + 3 : end] + '"""'
    return Strange(end, unclosed(source, at, at + 3, "template", '"""'), "TEMPLATE", text)


def escaped_quotes(source: Source, at: int, end: int) -> Strange | None:
    """A template that would end at three quotes with a backslash before them, which were meant as
    text: it goes on to the next three. None if there are none before what is very likely the next
    declaration: then a template just ends with a backslash.
    """
    text, stop = source.text, end
    while text[stop - 4] == "\\":
        closing = text.find('"""', stop)
        if closing < 0 or HEADER.search(text, stop, closing):
            return None
        stop = closing + 3
    span = Span(source.name, end - 4, end)
    found = report(codes.BAD_ESCAPE, span, escape='\\"""', help=QUOTES_IN_A_TEMPLATE)
    return Strange(stop, found, "TEMPLATE", text[at:stop])


def unclosed(source: Source, start: int, end: int, what: str, closing: str) -> Diagnostic:
    """The finding that something has no end."""
    return report(codes.UNCLOSED, Span(source.name, start, end), what=what, closing=f"`{closing}`")


def not_a_comment(source: Source, at: int) -> Strange:
    """`// ...` to the end of the line, `/* ... */` to its end."""
    text = source.text
    end = _line_end(text, at)
    if text.startswith("/*", at):
        closing = text.find("*/", at + 2)
        end = len(text) if closing < 0 else closing + 2
    span = Span(source.name, at, at + 2)
    help = "a comment starts with `#` and ends with its line"
    found = f"`{text[at : at + 2]}`"
    edits = (Edit(span, "#"),) if text.startswith("//", at) else ()
    told = report(codes.BAD_CHARACTER, span, found=found, help=help, edits=edits)
    return Strange(end, told, None)


def _other_quotes(source: Source, at: int) -> Strange:
    text = source.text
    line_end = _line_end(text, at)
    ends = (text.find(closing, at + 1, line_end) for closing in _QUOTES[text[at]])
    closing = min((end for end in ends if end >= 0), default=-1)
    end = at + 1 if closing < 0 else closing + 1
    help = 'texts stand in straight double quotes: "text"'
    if closing < 0:
        return Strange(end, _bad_character(source, at, end, help), NO_TOKEN, text[at:end])
    inner = text[at + 1 : closing]
    straight = None if '"' in inner or "\\" in inner else f'"{inner}"'
    found = _bad_character(source, at, end, help, straight)
    return Strange(end, found, "STRING", _quoted(inner))


def _character(source: Source, at: int, signs: dict[str, str]) -> Strange:
    text, char = source.text, source.text[at]
    blank = _BLANK.match(text, at)
    control = _CONTROL.match(text, at)
    if blank is not None or control is not None:
        help = None
        end = at + 1 if control is None else control.end()
        if blank is not None:
            end = blank.end()
            help = "it looks like a space but is none: write a plain space, or leave it out"
        plain = None if blank is None else " "
        return Strange(end, _bad_character(source, at, end, help, plain), None)
    several = _SEVERAL.match(text, at) if char == "|" else None
    if several is not None and _TYPE_BEFORE.search(text, max(0, at - 200), at):
        # Not a word of an expression: the rest of the union is passed over with it.
        absent = several.group(1) in _ABSENT
        help = "what may be absent is written with a `?` behind its type: `T?`" if absent else UNION
        return Strange(several.end(), _bad_character(source, at, at + 1, help), None)
    between = _alternatives(source, at) if char == "|" else None
    if between is not None:
        return between
    end = at + 1
    while char in "&|" and text.startswith(char, end):
        end += 1
    if char in _MEANT:
        meant = _MEANT[char]
        kind = signs.get(meant, meant.upper())
        return Strange(end, _bad_character(source, at, end, f"write `{meant}`", meant), kind, meant)
    word = _WORD.match(text, at)
    if word is not None:
        help = "names are made of the letters a to z, digits and `_`"
        found = _bad_character(source, at, word.end(), help)
        return Strange(word.end(), found, "NAME", word.group(0))
    if char == "%":
        number = _BEFORE.search(text, max(0, at - 30), at)
        if number is not None:
            help = f"write `{number.group(1)}%` without a space"
            edit = Edit(Span(source.name, number.end(1), at), "")
            found = _bad_character(source, at, end, help)
            return Strange(end, replace(found, edits=(edit,)), NO_TOKEN, "%")
    run = _OTHER.match(text, at)
    end = at + 1 if run is None else run.end()
    kept = None if char in ";\\\u20ac\u00a3" else NO_TOKEN
    nothing = "" if set(text[at:end]) == {";"} else None
    help = _HELP.get(char)
    if help is None and ord(char) > 0x7F:
        help = (
            "it may stand in texts, templates and comments; names are of `a` to `z`, digits and `_`"
        )
    found = _bad_character(source, at, end, help, nothing)
    return Strange(end, found, kept, text[at:end])


def _alternatives(source: Source, at: int) -> Strange | None:
    """The `|` between what should be members of an enum."""
    text, start = source.text, max(0, at - 200)
    rest = _ALTERNATIVES.match(text, at)
    assert rest is not None  # it matches the sign alone
    if _TEXTS_BEFORE.search(text, start, at):
        return Strange(rest.end(), _bad_character(source, at, at + 1, ENUM), None)
    begun = _ALTERNATIVES_BEFORE.search(text, start, at)
    if begun is None:
        return None
    word, name, first = begun.groups()
    if word == "enum":  # its members are there: only the sign is too much
        help = "members stand side by side, with nothing between them"
        return Strange(at + 1, _bad_character(source, at, at + 1, help, ""), None)
    members = [_member(one) for one in _ONE.findall(first + rest.group())]
    shown = " ".join([*members[:_MOST_SHOWN], *["..."][: len(members) > _MOST_SHOWN]])
    help = f"alternatives are an `enum`: `enum {name} {{ {shown} }}`"
    return Strange(rest.end(), _bad_character(source, at, at + 1, help), None)


def _member(written: str) -> str:
    """An alternative as a member of an enum: one that is no name gets one."""
    word = written.strip('"')
    if word.isidentifier():
        return word
    name = re.sub(r"\W+", "_", word).strip("_").lower()
    return f"{name if name.isidentifier() else 'name'} {written}"


def _bad_character(
    source: Source, at: int, end: int, help: str | None, meant: str | None = None
) -> Diagnostic:
    """`meant` is what certainly should stand there."""
    edits = () if meant is None else (replacing(source, at, end, meant),)
    letters = source.text[at : min(end, at + 20)]
    shown = f"`{letters}`" if letters.isprintable() else f"the character U+{ord(letters[0]):04X}"
    span = Span(source.name, at, end)
    return report(codes.BAD_CHARACTER, span, found=shown, help=help, edits=edits)


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _quoted(inner: str) -> str:
    """Letters as a text that certainly has no bad escapes."""
    return '"' + inner.replace("\\", "").replace('"', "") + '"'
