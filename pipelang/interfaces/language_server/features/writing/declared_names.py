"""Completions that come from declarations: of a file, of its pipelines' parts, of libraries."""

from __future__ import annotations

from collections.abc import Iterator

from lsprotocol import types as lsp

from pipelang.interfaces.language_server.features.hover import full
from pipelang.interfaces.language_server.features.named_parts import parts_of
from pipelang.interfaces.language_server.features.writing.place import CompletionPlace
from pipelang.interfaces.language_server.open_files import OpenFiles
from pipelang.interfaces.language_server.session import Root
from pipelang.semantics.build import Survey
from pipelang.semantics.symbols import BUILTIN_FUNCTIONS
from pipelang.semantics.types import SCALAR_NAMES
from pipelang.syntax import ast

K = lsp.CompletionItemKind

_SYMBOL_KINDS = {
    "enum": K.Enum,
    "type": K.Struct,
    "provider": K.Module,
    "tier": K.Value,
    "role": K.Interface,
    "tool": K.Method,
    "fn": K.Function,
    "patterns": K.Constant,
    "prompt": K.Text,
    "setting": K.Constant,
    "memory": K.Variable,
    "pipeline": K.Class,
}


class DeclaredNames:
    """Names that are declared where a place sees them; `survey` is the last that knows names."""

    def __init__(
        self, root: Root, place: CompletionPlace, offset: int, survey: Survey | None
    ) -> None:
        self.root, self.place, self.offset, self.survey = root, place, offset, survey

    def symbols(self, *kinds: str) -> Iterator[lsp.CompletionItem]:
        made = self.survey
        if made is None or made.symbols is None:
            return
        scope = made.symbols.scopes.get(self.root.path, {})
        for name, symbol in scope.items():
            if symbol.kind in kinds:
                yield lsp.CompletionItem(
                    label=name,
                    kind=_SYMBOL_KINDS[symbol.kind],
                    detail=_detail(made, symbol.kind, symbol.key),
                    documentation=symbol.declaration.doc or None,
                )

    def types(self) -> Iterator[lsp.CompletionItem]:
        for name in SCALAR_NAMES:
            yield lsp.CompletionItem(label=name, kind=K.Keyword, detail="type")
        yield from self.symbols("enum", "type")

    def functions(self) -> Iterator[lsp.CompletionItem]:
        yield from self.symbols("fn")
        for name in sorted(BUILTIN_FUNCTIONS):
            yield lsp.CompletionItem(label=name, kind=K.Function, detail="built in")

    def parts_of_pipeline(
        self, name: str | None = None, steps: bool = False
    ) -> Iterator[lsp.CompletionItem]:
        """The steps and gates (or steps alone) of a pipeline, or of the one that is spoken of."""
        made = self.root.survey
        loaded = None if made is None else made.loaded.modules.get(self.root.path)
        for declaration in () if loaded is None else loaded.module.declarations:
            if not isinstance(declaration, ast.PipelineDecl):
                continue
            mine = declaration.name.text
            if mine == name or (name is None and self._concerns(declaration)):
                for part in parts_of(declaration, steps):
                    yield lsp.CompletionItem(label=part, kind=K.Field, detail=mine)

    def _concerns(self, declaration: ast.PipelineDecl) -> bool:
        first = self.place.before[0].text if self.place.before else ""
        if first != "pipeline":
            return True
        return declaration.span.start == self.place.before[0].start

    def libraries(self, after: str = "") -> Iterator[lsp.CompletionItem]:
        for name in OpenFiles({}).libraries():
            if name.startswith(after):
                label = name.removeprefix(after)
                yield lsp.CompletionItem(label=label, kind=K.Module, detail="library")

    def used_library(self) -> ast.Use | None:
        made = self.root.survey
        loaded = None if made is None else made.loaded.modules.get(self.root.path)
        for declaration in () if loaded is None else loaded.module.declarations:
            inside = declaration.span.start < self.offset < declaration.span.end
            if isinstance(declaration, ast.Use) and declaration.names is not None and inside:
                return declaration
        return None

    def offered(self) -> Iterator[lsp.CompletionItem]:
        """Names that the file or library of a `use` declares."""
        written, made = self.used_library(), self.root.survey
        if written is None or made is None:
            return
        for item in made.loaded.modules[self.root.path].imports:
            module = made.loaded.modules.get(item.module or "")
            if item.use == written and module is not None:
                for one in module.module.declarations:
                    name = getattr(one, "name", None)
                    if isinstance(name, ast.Name) and not isinstance(one, ast.Broken):
                        yield lsp.CompletionItem(label=name.text, kind=K.Reference)


def _detail(made: Survey, kind: str, key: str) -> str:
    draft = made.draft
    if draft is not None and kind == "tier" and key in draft.tiers:
        tier = draft.tiers[key]
        prices = ", ".join(
            f"${tier.prices[one]} {one}" for one in ("in", "out") if one in tier.prices
        )
        return f"tier {tier.model or ''} {prices}".replace("  ", " ").strip()
    if draft is not None and kind == "setting" and key in draft.settings:
        return f"setting {full(draft.settings[key].type)}"
    return kind
