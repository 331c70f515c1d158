"""The first line of a file may say which language it is written in: `language 1`."""

from __future__ import annotations

from pipelang.diagnostics import Diagnostic, Span, codes, report
from pipelang.syntax.tokens import Token
from pipelang.version import __version__

LANGUAGE = 1
"""The language that this pipelang knows."""


def language_of(tokens: list[Token]) -> int | None:
    """The number of the `language` line, also where the rest of the file cannot be read."""
    if len(tokens) > 1 and tokens[0].type == "LANGUAGE" and tokens[1].type == "INT":
        return int(tokens[1].text)
    return None


def other_language(file: str, tokens: list[Token]) -> Diagnostic | None:
    """The only finding about a file of another language version: other errors in it may be none
    there.
    """
    number = language_of(tokens)
    if number is None or number == LANGUAGE:
        return None
    span = Span(file, tokens[0].start, tokens[1].end)
    help = None if number > LANGUAGE else f"write `language {LANGUAGE}`"
    return report(codes.NEWER_LANGUAGE, span, found=number, version=__version__, help=help)
