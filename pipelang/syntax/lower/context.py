"""State that builders share: the file, its doc comments, and functions for names and lists."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from pipelang.diagnostics import Diagnostic, Span
from pipelang.syntax.ast import Broken, Name
from pipelang.syntax.tokens import Token

_span = partial(tuple.__new__, Span)
"""A span of a tuple, in half the time that `Span(...)` takes."""


class Lowering:
    """The file, its doc comments by the offset they precede, and what was found while building."""

    __slots__ = ("diagnostics", "docs", "file")

    def __init__(self, file: str, docs: dict[int, str]) -> None:
        self.file = file
        self.docs = docs
        self.diagnostics: list[Diagnostic] = []

    def name(self, token: Token) -> Name:
        return Name(token.text, _span((self.file, token.start, token.end)))

    def names(self, tokens: tuple[Token, ...]) -> tuple[Name, ...]:
        return tuple(self.name(token) for token in tokens)

    def doc(self, span: Span) -> str | None:
        """The doc comment right above the node that starts here."""
        return self.docs.get(span.start)


def gather(lowering: Lowering, span: Span, *children: Any) -> tuple[Any, ...]:
    """The builder of rules that are lists."""
    return children


def gather_whole(lowering: Lowering, span: Span, *children: Any) -> tuple[Any, ...]:
    """Lists of parts that only mean something as a whole: what is broken is left out."""
    return tuple(child for child in children if not isinstance(child, Broken))


def gather_optional(lowering: Lowering, span: Span, *children: Any) -> tuple[Any, ...]:
    """Lists that may be empty through an absent optional."""
    return tuple(child for child in children if child is not None)


def only(lowering: Lowering, span: Span, child: Any) -> Any:
    """The builder of rules that only bring a keyword along."""
    return child


def constant(value: Any) -> Callable[..., Any]:
    """A builder that stands for one word."""
    return lambda lowering, span: value
