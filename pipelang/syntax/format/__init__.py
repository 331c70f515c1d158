"""`pipelang fmt`: one layout for every program.

Tokens and comments are kept as they are, and in their order; only the spaces and line breaks
between them are made anew. So a formatted file parses to the same tree, by construction. The way
there: tokens with their comments (`leaf`), the concrete tree that the parser read (`tree`), a
layout for each rule (`layout`, `chains`, `pieces`) in a small language of words, breaks and groups
(`document`), and text (`render`).
"""

from __future__ import annotations

from pipelang.diagnostics import Diagnostic, Source, has_errors
from pipelang.syntax.format.layout import finish, whole
from pipelang.syntax.format.leaf import leaves
from pipelang.syntax.format.render import render
from pipelang.syntax.format.tree import grow
from pipelang.syntax.parse import parse_kept

__all__ = ["format_source"]


def format_source(source: Source) -> tuple[str, tuple[Diagnostic, ...]]:
    """The file in its one layout, and what the parser found.

    A file with errors comes back unchanged. The text has LF line ends and no byte order mark.
    """
    parsed = parse_kept(source)
    if has_errors(parsed.diagnostics):
        return source.text, parsed.diagnostics
    found = leaves(source.text, parsed.tokens)
    root = grow(parsed.derivation, found, finish)
    return render(whole(root, found[-1])), parsed.diagnostics
