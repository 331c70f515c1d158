"""Prompts: typed templates, written in the file or read from one beside it."""

from __future__ import annotations

from collections.abc import Mapping

from pipelang.diagnostics import Source, codes
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.expressions.signatures import signature
from pipelang.semantics.elaborate.templates.positions import TemplateSource, from_file, inline
from pipelang.semantics.elaborate.templates.templates import Paths, read_template
from pipelang.semantics.loader import Unreadable
from pipelang.semantics.types import TEXT, OptionalType, Type
from pipelang.syntax import ast

FEEDBACK = "feedback"


def prompt(context: Context, file: str, key: str, decl: ast.PromptDecl) -> p.Prompt:
    """A prompt with the shape of its template. Reports parameters that it does not show."""
    parameters, _ = signature(context, key)
    variables: dict[str, Type] = {
        FEEDBACK: OptionalType(TEXT),
        **{parameter.name: parameter.type for parameter in parameters},
    }
    system: str | None = None
    shape: p.TemplateShape = ()
    shows: Paths = ()
    counts: Paths = ()
    if decl.system is not None:
        system, shape, shows, counts = _template(
            context, file, key, decl.system, variables, is_system=True
        )
    user, user_shape, *more = _template(context, file, key, decl.user, variables)
    shows, counts = (
        tuple(dict.fromkeys((*found, *too)))
        for found, too in zip((shows, counts), more, strict=True)
    )
    used = {path[0] for path in (*shows, *counts)}
    for param in decl.params:
        name = param.name.text
        if name == FEEDBACK:
            help = "`feedback` is there in every template: what was wrong with the last answer"
            context.tell(codes.SHADOWING, param.name.span, name=name, help=help)
        elif name == "self":
            help = "`self` is Jinja2's own word in a template; choose another name"
            context.tell(codes.SHADOWING, param.name.span, name=name, help=help)
        elif name not in used:
            help = f"put it in the template: {{{{ {name} }}}}"
            context.tell(codes.UNUSED, param.name.span, what="parameter", name=name, help=help)
    return p.Prompt(
        key,
        parameters,
        system,
        user or "",
        (*shape, *user_shape),
        decl.name.span,
        shows,
        system_parts=len(shape),
        counts=counts,
    )


def _template(
    context: Context,
    file: str,
    key: str,
    template: ast.Template,
    variables: Mapping[str, Type],
    *,
    is_system: bool = False,
) -> tuple[str | None, p.TemplateShape, Paths, Paths]:
    """The text of a template, its shape, the paths that it reads and those that it loops over."""
    source: TemplateSource | None
    if template.file is not None:
        source = _read(context, file, template.file)
    else:
        source = inline(template.text or "", template.span, context.sources[file])
    if source is None:
        return None, (), tuple((name,) for name in variables), ()
    return (
        source.text,
        *read_template(context, key, source, variables, is_system=is_system),
    )


def _read(context: Context, file: str, written: ast.Literal) -> TemplateSource | None:
    path = context.loader.beside(file, str(written.value))
    try:
        text = context.loader.read(path)
    except Unreadable as problem:
        context.tell(codes.NOT_TEXT, written.span, file=path, why=problem)
        return None
    if text is None:
        context.tell(codes.MISSING_FILE, written.span, path=path)
        return None
    source = Source(path, text.removeprefix("\ufeff"))
    context.sources.setdefault(path, source)
    return from_file(source)
