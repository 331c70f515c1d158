"""Tokens that are the first of their line, where recovery looks for a place to resume."""

from __future__ import annotations

from pipelang.diagnostics import Source
from pipelang.syntax.tokens import Token, starts_declaration


class LineStarts:
    """Tokens that are the first of their line, and those of them that start a declaration."""

    def __init__(self, source: Source) -> None:
        self.source = source

    def is_first(self, token: Token) -> bool:
        before = self.source.text[max(0, token.start - 200) : token.start]
        return not before.rpartition("\n")[2].strip(" \t\r\f\ufeff")

    def declares(self, token: Token) -> bool:
        return starts_declaration(self.source, token)
