"""Placeholder nodes for parts that could not be read, so that the tree keeps the rest.

A parameter or field of which the name could be read keeps it, with a broken type: who uses it is
not reported that it is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from pipelang.diagnostics import Span
from pipelang.syntax import ast
from pipelang.syntax.tokens import Token

_MAKING = frozenset("step gate let approve hold".split())
_NAMED = _MAKING | {"when"}


def broken(symbol: str, kind: str, piece: list[Token], span: Span) -> Any:
    """The value of a nonterminal that was given up; `piece` are its tokens."""
    match symbol:
        case "arg":
            return ast.Argument(None, ast.Broken(kind, span=span), span)
        case "type":
            return _type(kind, span)
        case "param":
            return ast.Param(_first_name(piece, span), _type(kind, span), None, span=span)
        case "field" if piece and piece[0].text.isidentifier():
            return ast.FieldDecl(_first_name(piece, span), _type(kind, span), None, span=span)
        case "record_field":
            return ast.FieldInit(_first_name(piece, span), False, ast.Broken(kind, span=span), span)
        case "item":
            inside = tuple(_inside(piece, span))
            return ast.Broken(kind, _declared(symbol, piece, span), inside, span)
        case "declaration":
            return ast.Broken(kind, _declared(symbol, piece, span), span=span)
        case _:
            return ast.Broken(kind, span=span)


def _type(kind: str, span: Span) -> ast.TypeExpr:
    return ast.TypeExpr((), ast.Broken(kind, span=span), False, (), span)


def _first_name(piece: list[Token], span: Span) -> ast.Name:
    if piece and piece[0].text.isidentifier():
        return _name(piece[0], span)
    return ast.Name("", span)


def _declared(symbol: str, piece: list[Token], span: Span) -> ast.Name | None:
    """The name that a broken item or declaration makes, where it can be seen."""
    if len(piece) < 2 or not piece[1].text.isidentifier():
        return None
    if symbol == "item" and piece[0].text not in _NAMED:
        return None
    return _name(piece[1], span)


def _inside(piece: list[Token], span: Span) -> Iterator[ast.Name]:
    """The names that items in a broken one make: `parallel { step a = ... }` takes `a` along."""
    for word, name in pairwise(piece[1:]):
        if word.text in _MAKING and name.text.isidentifier():
            yield _name(name, span)


def _name(token: Token, span: Span) -> ast.Name:
    return ast.Name(token.text, Span(span.file, token.start, token.end))
