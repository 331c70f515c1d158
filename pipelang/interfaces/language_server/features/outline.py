"""The outline of a file: symbols, places to fold, ranges to select. Works on half-written files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from lsprotocol import types as lsp

from pipelang.diagnostics import Span
from pipelang.interfaces.language_server.features.nodes import walk
from pipelang.interfaces.language_server.positions import TextLines
from pipelang.syntax import ast
from pipelang.syntax.parse import Parsed
from pipelang.syntax.tokens import TokenList

KINDS: dict[type[Any], lsp.SymbolKind] = {
    ast.EnumDecl: lsp.SymbolKind.Enum,
    ast.TypeDecl: lsp.SymbolKind.Struct,
    ast.ProviderDecl: lsp.SymbolKind.Module,
    ast.TierDecl: lsp.SymbolKind.Object,
    ast.RoleDecl: lsp.SymbolKind.Interface,
    ast.ToolDecl: lsp.SymbolKind.Method,
    ast.FnDecl: lsp.SymbolKind.Function,
    ast.PatternsDecl: lsp.SymbolKind.Array,
    ast.PromptDecl: lsp.SymbolKind.String,
    ast.SettingDecl: lsp.SymbolKind.Constant,
    ast.MemoryDecl: lsp.SymbolKind.Variable,
    ast.PipelineDecl: lsp.SymbolKind.Class,
    ast.ProveDecl: lsp.SymbolKind.Property,
    ast.TestDecl: lsp.SymbolKind.Event,
    ast.Step: lsp.SymbolKind.Field,
    ast.Let: lsp.SymbolKind.Variable,
    ast.Gate: lsp.SymbolKind.Boolean,
    ast.Approve: lsp.SymbolKind.Boolean,
    ast.Hold: lsp.SymbolKind.Boolean,
    ast.When: lsp.SymbolKind.Namespace,
}


def items_inside(items: Iterable[ast.Item]) -> Iterator[ast.Item]:
    """Items with those of their branches, in writing order."""
    for item in items:
        yield item
        match item:
            case ast.When():
                yield from items_inside((*item.then, *(item.otherwise or ())))
            case ast.MatchItem():
                for arm in item.arms:
                    if isinstance(arm, ast.MatchItemArm):
                        yield from items_inside(arm.items)
            case _:
                pass


def told_apart(items: Iterable[ast.Item]) -> Iterator[tuple[str, ast.Item]]:
    """Items by the names that the analysis has for them: `reply (2)` for the second `reply`, which
    stands in another branch (`semantics.unique`).
    """
    used: Counter[str] = Counter()
    for item in items_inside(items):
        match item:
            case ast.Step() | ast.Let() | ast.Gate():
                name = item.name.text
                used[name] += 1
                yield name if used[name] == 1 else f"{name} ({used[name]})", item
            case ast.Approve() | ast.Hold():
                yield item.name.text, item
            case _:
                pass


def symbols(module: ast.Module, lines: TextLines) -> list[lsp.DocumentSymbol]:
    """The declarations of a file, with their members, fields, steps and gates."""
    found = []
    for declaration in module.declarations:
        made = _declaration(declaration, lines)
        if made is not None:
            found.append(made)
    return found


def _declaration(declaration: ast.Declaration, lines: TextLines) -> lsp.DocumentSymbol | None:
    match declaration:
        case ast.Use() | ast.Broken():
            return None
        case ast.ProveDecl():
            text = lines.text[declaration.claim.span.start : declaration.claim.span.end]
            name = f"prove {declaration.pipeline.text}: {' '.join(text.split())}"
            return _symbol(name, declaration, declaration.pipeline.span, lines)
        case ast.TestDecl():
            return _symbol(f'test "{declaration.title}"', declaration, declaration.span, lines)
        case ast.EnumDecl():
            kind = lsp.SymbolKind.EnumMember
            parts = [_part(one.name, one.span, kind, lines) for one in declaration.members]
        case ast.TypeDecl():
            kind = lsp.SymbolKind.Field
            parts = [_part(one.name, one.span, kind, lines) for one in declaration.fields]
        case ast.PipelineDecl():
            parts = _items(declaration.items, lines)
        case _:
            parts = []
    return _symbol(declaration.name.text, declaration, declaration.name.span, lines, parts)


def _items(items: Iterable[ast.Item], lines: TextLines) -> list[lsp.DocumentSymbol]:
    found: list[lsp.DocumentSymbol] = []
    for item in items:
        match item:
            case ast.Step() | ast.Let() | ast.Gate() | ast.Approve() | ast.Hold():
                found.append(_symbol(item.name.text, item, item.name.span, lines))
            case ast.When():
                inner = _items((*item.then, *(item.otherwise or ())), lines)
                if item.name is not None:
                    found.append(_symbol(item.name.text, item, item.name.span, lines, inner))
                else:
                    found += inner
            case ast.MatchItem():
                for arm in item.arms:
                    if isinstance(arm, ast.MatchItemArm):
                        found += _items(arm.items, lines)
            case _:
                pass
    return found


def _symbol(
    name: str,
    node: Any,
    place: Span,
    lines: TextLines,
    children: list[lsp.DocumentSymbol] | None = None,
) -> lsp.DocumentSymbol:
    whole = Span(node.span.file, min(node.span.start, place.start), max(node.span.end, place.end))
    return lsp.DocumentSymbol(
        name=name or "?",
        detail=type(node).__name__.removesuffix("Decl").lower(),
        kind=KINDS[type(node)],
        range=lines.range_of(whole),
        selection_range=lines.range_of(place),
        children=children or None,
    )


def _part(
    name: ast.Name, whole: Span, kind: lsp.SymbolKind, lines: TextLines
) -> lsp.DocumentSymbol:
    start, end = min(whole.start, name.span.start), max(whole.end, name.span.end)
    return lsp.DocumentSymbol(
        name=name.text or "?",
        kind=kind,
        range=lines.range(start, end),
        selection_range=lines.range_of(name.span),
    )


def names_declared(module: ast.Module) -> Iterator[tuple[ast.Name, lsp.SymbolKind, str]]:
    """Names for a search of the workspace: declarations, and the steps and gates of pipelines, each
    with what it stands in.
    """
    for declaration in module.declarations:
        if isinstance(declaration, (ast.Use, ast.ProveDecl, ast.TestDecl, ast.Broken)):
            continue
        yield declaration.name, KINDS[type(declaration)], ""
        if isinstance(declaration, ast.PipelineDecl):
            for item in items_inside(declaration.items):
                if isinstance(item, (ast.Step, ast.Gate, ast.Approve, ast.Hold)):
                    yield item.name, KINDS[type(item)], declaration.name.text


def folds(tokens: TokenList, lines: TextLines) -> list[lsp.FoldingRange]:
    """Braces over several lines, templates, runs of comments, and the imports at the top."""
    found: list[lsp.FoldingRange] = []
    open_at: list[int] = []
    for token in tokens.tokens:
        if token.text == "{":
            open_at.append(token.start)
        elif token.text == "}" and open_at:
            first = lines.position(open_at.pop()).line
            last = lines.position(token.start).line - 1
            if last > first:
                found.append(lsp.FoldingRange(first, last))
        elif token.type == "TEMPLATE":
            first, last = lines.position(token.start).line, lines.position(token.end).line
            if last > first:
                found.append(lsp.FoldingRange(first, last))
    found += _comments(tokens, lines)
    uses = [lines.position(one.start).line for one in tokens.tokens if _begins_use(one, lines)]
    if len(uses) > 1:
        kind = lsp.FoldingRangeKind.Imports
        found.append(lsp.FoldingRange(uses[0], uses[-1], kind=kind))
    return sorted(found, key=lambda one: (one.start_line, -one.end_line))


def _begins_use(token: Any, lines: TextLines) -> bool:
    return token.text == "use" and lines.position(token.start).character == 0


def _comments(tokens: TokenList, lines: TextLines) -> Iterator[lsp.FoldingRange]:
    rows = [lines.position(one.start).line for one in tokens.comments if one.own_line]
    start = 0
    for at in range(1, len(rows) + 1):
        if at == len(rows) or rows[at] != rows[at - 1] + 1:
            if at - start > 1:
                kind = lsp.FoldingRangeKind.Comment
                yield lsp.FoldingRange(rows[start], rows[at - 1], kind=kind)
            start = at


def selections(parsed: Parsed, at: int, lines: TextLines) -> lsp.SelectionRange:
    """Nested ranges around a place, the smallest first."""
    spans = [(0, len(lines.text))]
    for declaration in parsed.module.declarations:
        if declaration.span.start <= at <= declaration.span.end:
            spans += [(node.span.start, node.span.end) for node in walk(declaration)]
    spans += [(one.start, one.end) for one in parsed.tokens.tokens]
    around = sorted(
        {one for one in spans if one[0] <= at <= one[1]}, key=lambda one: (one[1] - one[0], one)
    )
    chain: lsp.SelectionRange | None = None
    last: tuple[int, int] | None = None
    for start, end in reversed(around):
        if last is not None and not (last[0] <= start and end <= last[1]):
            continue
        chain = lsp.SelectionRange(lines.range(start, end), chain)
        last = (start, end)
    return chain or lsp.SelectionRange(lines.range(at, at))
