"""Titles of tests: two tests of one title cannot be distinguished in a report."""

from __future__ import annotations

from pipelang.diagnostics import Label, Span, codes
from pipelang.semantics.elaborate.context import Context
from pipelang.syntax import ast


def no_title_twice(context: Context, module: ast.Module) -> None:
    """Report tests whose title is taken."""
    seen: dict[str, Span] = {}
    for declaration in module.declarations:
        if isinstance(declaration, ast.TestDecl):
            title, span = declaration.title, declaration.span
            if title in seen:
                label = Label(seen[title], "the first stands here")
                context.tell(codes.DUPLICATE, span, name=title, labels=(label,))
            seen.setdefault(title, span)
