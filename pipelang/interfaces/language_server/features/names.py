"""Tables of names, each with where it was declared; going and renaming rest on them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pipelang.diagnostics import Span
from pipelang.interfaces.language_server.features.named_parts import part_uses
from pipelang.interfaces.language_server.features.nodes import children
from pipelang.interfaces.language_server.features.template_names import template_uses
from pipelang.records import dataclass
from pipelang.semantics.build import Survey
from pipelang.syntax import ast


@dataclass(frozen=True, slots=True)
class NameTable:
    """`uses` go from the place of a name to where it was declared, declarations to themselves."""

    uses: dict[Span, Span]
    texts: dict[str, str]

    def at(self, file: str, offset: int) -> tuple[Span, Span] | None:
        """The name at a place, or right before it, and where it was declared."""
        found = None
        for span, declared in self.uses.items():
            if span.file == file and span.start <= offset <= span.end:
                if offset < span.end:
                    return span, declared
                found = span, declared
        return found

    def of(self, declared: Span) -> list[Span]:
        """Every place of a name, that of its declaration first."""
        return [declared, *(span for span, place in self.uses.items() if place == declared != span)]

    def text(self, span: Span) -> str:
        """The text at a place."""
        return self.texts.get(span.file, "")[span.start : span.end]


def names_of(survey: Survey) -> NameTable:
    """The names of a program. A use whose word is not the declaration's is none (`result` in a test
    is no name that somebody gave).
    """
    texts = {name: source.text for name, source in survey.built.sources.items()}
    made = NameTable({}, texts)
    for span in _declared(survey):
        made.uses[span] = span
    for span, declared in (*survey.uses.items(), *part_uses(survey), *template_uses(survey)):
        word = made.text(span)
        if word and word == made.text(declared):
            made.uses[span] = declared
    return made


def _declared(survey: Survey) -> Iterator[Span]:
    """The places of all declared names: of declarations, their parts, and values of pipelines."""
    for path, loaded in survey.loaded.modules.items():
        module = loaded.module
        if path == survey.loaded.root:  # another one with every key
            yield from _declared_in(module)
            continue
        known = _OF_IMPORTS.get(id(module))
        if known is None or known[0] is not module:
            if len(_OF_IMPORTS) >= MOST_IMPORTS:
                _OF_IMPORTS.clear()
            known = _OF_IMPORTS[id(module)] = module, tuple(_declared_in(module))
        yield from known[1]


MOST_IMPORTS = 32
_OF_IMPORTS: dict[int, tuple[ast.Module, tuple[Span, ...]]] = {}
"""The names that imported files declare, by their trees: most are the same after the next key."""


def _declared_in(module: ast.Module) -> Iterator[Span]:
    for declaration in module.declarations:
        if not isinstance(declaration, (ast.Use, ast.ProveDecl, ast.TestDecl, ast.Broken)):
            yield declaration.name.span
        yield from _inside(declaration)


def _inside(node: Any) -> Iterator[Span]:
    """The names that a construct declares within itself."""
    ahead = [node]
    while ahead:
        one = ahead.pop()
        match one:
            case ast.Step() | ast.Let() | ast.Gate() | ast.Approve() | ast.Hold():
                yield one.name.span
            case ast.When(name=ast.Name() as name):
                yield name.span
            case ast.Param() | ast.FieldDecl() | ast.EnumMember() | ast.ListFor():
                yield one.name.span
            case ast.Each():
                yield one.variable.span
            case _:
                pass
        ahead += children(one)
