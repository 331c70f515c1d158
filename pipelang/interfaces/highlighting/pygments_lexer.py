"""A lexer for Pygments, made from the table of rules; `pipelang` and `pipe` are its names there."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from pygments import token
from pygments.lexer import RegexLexer, bygroups, default

from pipelang.interfaces.highlighting.rules import Colour, ColourRegion, ColourRule, rules

TOKENS: dict[Colour, Any] = {
    Colour.COMMENT: token.Comment.Single,
    Colour.DOC: token.Comment.Special,
    Colour.DECLARATION: token.Keyword.Declaration,
    Colour.ITEM: token.Keyword,
    Colour.WORD: token.Keyword.Reserved,
    Colour.OPERATOR_WORD: token.Operator.Word,
    Colour.CONSTANT: token.Keyword.Constant,
    Colour.LABEL: token.Keyword.Namespace,
    Colour.TYPE: token.Name.Class,
    Colour.SCALAR: token.Keyword.Type,
    Colour.DECLARED: token.Name.Function,
    Colour.FUNCTION: token.Name.Builtin,
    Colour.CALL: token.Name.Function.Magic,
    Colour.NAME: token.Name,
    Colour.MEMBER: token.Name.Constant,
    Colour.NUMBER: token.Number,
    Colour.TEXT: token.String.Double,
    Colour.ESCAPE: token.String.Escape,
    Colour.TEMPLATE: token.String.Doc,
    Colour.INSERT: token.String.Interpol,
    Colour.INSERT_MARK: token.String.Interpol,
    Colour.OPERATOR: token.Operator,
    Colour.PUNCTUATION: token.Punctuation,
}


def _states() -> dict[str, list[Any]]:
    """The rules as Pygments wants them: a list a region, which is entered and left."""
    states: dict[str, list[Any]] = {}

    def entries(some: tuple[ColourRule | ColourRegion, ...]) -> list[Any]:
        return [_entry(one) if isinstance(one, ColourRule) else entering(one) for one in some]

    def entering(region: ColourRegion) -> Any:
        if region.name not in states:
            # An end without letters (`$`, a look ahead) must leave the state all the same.
            end = (region.end, TOKENS[region.end_colour], "#pop")
            rest = TOKENS[region.rest] if region.rest else token.Whitespace
            states[region.name] = [end, *entries(region.inside), (r"[ \t\r\n]+|.", rest)]
        return (region.begin, _action(region.begin_colours), region.name)

    states["root"] = [*entries(rules()), (r"\s+", token.Whitespace), default("stray")]
    states["stray"] = [(r".", token.Error, "#pop"), (r"\n", token.Whitespace, "#pop")]
    return states


def _entry(rule: ColourRule) -> Any:
    return (rule.pattern, _action(rule.colours))


def _action(colours: tuple[Colour, ...]) -> Any:
    if len(colours) == 1:
        return TOKENS[colours[0]]
    return bygroups(*(TOKENS[colour] for colour in colours))


class PipelangLexer(RegexLexer):  # type: ignore[misc]  # Pygments has no types
    """Colours `.pipe` text in whatever uses Pygments: documentation, terminals, papers."""

    name = "pipelang"
    aliases: ClassVar[list[str]] = ["pipelang", "pipe"]
    filenames: ClassVar[list[str]] = ["*.pipe"]
    mimetypes: ClassVar[list[str]] = ["text/x-pipelang"]
    url = "https://pypi.org/project/pipelang-dsl/"
    flags = re.MULTILINE | re.ASCII
    tokens = _states()
