"""The tokens of a template, as Jinja2 cuts them with its usual delimiters."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator

from pipelang.records import NamedTuple

DATA = "template data / text"
PRINT, PRINT_END = "begin of print statement", "end of print statement"
BLOCK, BLOCK_END = "begin of statement block", "end of statement block"
END = "end of template"


class TemplateToken(NamedTuple):
    """`kind` is a word of Jinja2's messages: an operator itself, `name`, `string`, `integer`,
    `float`, or one of the above.
    """

    kind: str
    value: str | int | float
    line: int

    def said(self) -> str:
        """The token, as a message names it."""
        return str(self.value) if self.kind == "name" else self.kind


class TemplateMistake(Exception):
    """A template that cannot be read: why, on which line, and the tags that would go on there."""

    def __init__(self, why: str, line: int, tags: tuple[str, ...] = ()) -> None:
        super().__init__(why)
        self.why = why
        self.line = line
        self.tags = tags


_OPENING = re.compile(r"\{%(?P<raw>[-+]?)\s*raw\s*(?:-%\}\s*|%\})|\{(?P<kind>[{%#])(?P<sign>[-+]?)")
_COMMENT_END = re.compile(r"-#\}\s*|#\}")
_RAW_END = re.compile(r"\{%([-+]?)\s*endraw\s*(?:\+%\}|-%\}\s*|%\})")
_CLOSING = {PRINT_END: re.compile(r"-\}\}\s*|\}\}"), BLOCK_END: re.compile(r"\+%\}|-%\}\s*|%\}")}
_INSIDE = re.compile(
    r"""
    (?P<space>\s+)
    | (?P<float>(?<!\.)(?:\d+_)*\d+
        (?:(?:\.(?:\d+_)*\d+)?[eE][+-]?(?:\d+_)*\d+ | \.(?:\d+_)*\d+))
    | (?P<integer>0[bB](?:_?[01])+ | 0[oO](?:_?[0-7])+ | 0[xX](?:_?[\da-fA-F])+
        | [1-9](?:_?\d)* | 0(?:_?0)*)
    | (?P<name>\w+)
    | (?P<string>'[^'\\]*(?:\\.[^'\\]*)*' | "[^"\\]*(?:\\.[^"\\]*)*")
    | (?P<operator>//|\*\*|==|!=|>=|<=|[-+/*%~\[\](){}><=.:|,;])
    """,
    re.VERBOSE | re.DOTALL,
)
_CLOSED_BY = {"(": ")", "[": "]", "{": "}"}


def template_tokens(text: str) -> Iterator[TemplateToken]:
    """The tokens of a template, one after the other; `TemplateMistake` where there is none."""
    text = re.sub("\r\n|\r", "\n", text).removesuffix("\n")
    at, line, size = 0, 1, len(text)
    while at < size:
        opening = _OPENING.search(text, at)
        if opening is None:
            yield TemplateToken(DATA, text[at:], line)
            return
        kind, sign = opening["kind"], opening["sign"] if opening["raw"] is None else opening["raw"]
        data = text[at : opening.start()]
        if sign == "-":
            data = data.rstrip()
        if data:
            yield TemplateToken(DATA, data, line)
        line += text.count("\n", at, opening.start())
        begun, at = line, opening.end()
        line += text.count("\n", opening.start(), at)
        if kind is None:
            ending = _RAW_END.search(text, at)
            if ending is not None:
                data = text[at : ending.start()]
                data = data.rstrip() if ending[1] == "-" else data
                if data:
                    yield TemplateToken(DATA, data, line)
        elif kind == "#":
            ending = _COMMENT_END.search(text, at)
        else:
            yield TemplateToken(PRINT if kind == "{" else BLOCK, "", begun)
            closing = PRINT_END if kind == "{" else BLOCK_END
            at, line = yield from _inside(text, at, line, closing)
            continue
        if ending is None:
            # Jinja2 takes one that opens where the template ends for nothing, without a word.
            what = "comment tag" if kind else "raw directive"
            raise TemplateMistake(f"missing end of {what}", line)
        line += text.count("\n", at, ending.end())
        at = ending.end()


def _inside(
    text: str, at: int, line: int, closing: str
) -> Generator[TemplateToken, None, tuple[int, int]]:
    """The tokens of a tag up to its end; returns the place and the line behind it."""
    ends = _CLOSING[closing]
    open_brackets: list[str] = []
    while at < len(text):
        end = None if open_brackets else ends.match(text, at)
        if end is not None:
            yield TemplateToken(closing, "", line)
            return end.end(), line + end.group().count("\n")
        hit = _INSIDE.match(text, at)
        kind = "name" if hit is None else hit.lastgroup or ""
        stop = at if hit is None else hit.end()
        if kind == "name":
            stop = _word_end(text, stop)
        if stop == at:
            raise TemplateMistake(f"unexpected char {text[at]!r} at {at}", line)
        word = text[at:stop]
        if kind == "operator":
            if word in _CLOSED_BY:
                open_brackets.append(_CLOSED_BY[word])
            elif word in ")]}":
                wanted = open_brackets.pop() if open_brackets else None
                if wanted != word:
                    which = "" if wanted is None else f", expected {wanted!r}"
                    raise TemplateMistake(f"unexpected {word!r}{which}", line)
            yield TemplateToken(word, word, line)
        elif kind != "space":
            yield TemplateToken(kind, _value(kind, word, line), line)
        line += word.count("\n")
        at = stop
    return at, line


def _word_end(text: str, at: int) -> int:
    """The end of a word: marks that Python allows in names are no letters of a `\\w`."""
    while at < len(text) and ("_" + text[at]).isidentifier():
        at += 1
    return at


def _value(kind: str, word: str, line: int) -> str | int | float:
    match kind:
        case "integer":
            return int(word.replace("_", ""), 0)
        case "float":
            return float(word.replace("_", ""))
        case "string":
            try:
                return word[1:-1].encode("ascii", "backslashreplace").decode("unicode-escape")
            except UnicodeDecodeError as error:
                raise TemplateMistake(str(error).split(":")[-1].strip(), line) from error
        case _:
            if not word.isidentifier():
                raise TemplateMistake("invalid character in identifier", line)
            return word
