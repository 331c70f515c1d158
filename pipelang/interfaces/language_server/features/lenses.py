"""Numbers in the text: a lens over each pipeline, a hint at each step and gate."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types as lsp

from pipelang.interfaces.language_server.features.outline import told_apart
from pipelang.interfaces.language_server.positions import TextLines
from pipelang.interfaces.language_server.session import CURRENT, Root
from pipelang.syntax import ast

REPORT = "pipelang.report"
"""The command behind a lens: shows the report on a pipeline."""


def pipelines_in(root: Root) -> Iterator[tuple[str, ast.PipelineDecl]]:
    """The pipelines that a file itself declares, with their names in the program."""
    made = root.survey
    if made is None or root.path not in made.loaded.modules:
        return
    keys = {}
    if made.symbols is not None:
        keys = {symbol.declaration.name.span: key for key, symbol in made.symbols.by_key.items()}
    for declaration in made.loaded.modules[root.path].module.declarations:
        if isinstance(declaration, ast.PipelineDecl):
            name = declaration.name
            yield keys.get(name.span, name.text), declaration


def lenses(root: Root, uri: str, lines: TextLines) -> list[lsp.CodeLens]:
    """A lens over each pipeline of a file."""
    found = []
    for key, declaration in pipelines_in(root):
        title = _title(root, key)
        if title is not None:
            place = lines.range_of(declaration.name.span)
            command = lsp.Command(title, REPORT, arguments=[uri, key])
            found.append(lsp.CodeLens(place, command))
    return found


def _title(root: Root, key: str) -> str | None:
    if key in root.some:
        return root.some[key]
    numbers = (root.numbers or {}).get("pipelines", {}).get(key)
    if numbers is None:
        match root.state:
            case "current":
                return None
            case "broken":
                return "no numbers: the file has errors"
            case "failed":
                return "no numbers: the analysis broke off"
            case _:
                left = f" {root.left:,} pipelines are left" if root.some else ""
                return f"working out the numbers …{left}"
    said = str(numbers["lens"])
    match root.state:
        case "current":
            return said
        case "broken":
            return f"before the errors: {said}"
        case "failed":
            return f"before your last change (the analysis broke off): {said}"
        case _:
            return f"before your last change: {said}"


def hints(root: Root, lines: TextLines, wanted: lsp.Range | None = None) -> list[lsp.InlayHint]:
    """Hints behind the names of steps and gates. Those of an older text are in brackets."""
    numbers = (root.numbers or {}).get("pipelines", {})
    start = 0 if wanted is None else lines.offset(wanted.start)
    end = len(lines.text) if wanted is None else lines.offset(wanted.end)
    old = root.state != CURRENT
    found = []
    for key, declaration in pipelines_in(root):
        known = numbers.get(key, {}).get("items", {})
        for name, item in told_apart(declaration.items):
            if not isinstance(item, (ast.Step, ast.Gate, ast.Approve, ast.Hold)):
                continue
            told = known.get(name)
            if told is None or not start <= item.name.span.end <= end:
                continue
            note = "\n\nBefore your last change." if old else ""
            found.append(
                lsp.InlayHint(
                    position=lines.position(item.name.span.end),
                    label=f"({told['hint']})" if old else told["hint"],
                    tooltip=told["tooltip"] + note,
                    padding_left=True,
                    padding_right=True,
                )
            )
    return found
