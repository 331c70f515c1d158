"""A file to a program: load, collect names, elaborate every declaration, look for what is unused."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from pipelang.diagnostics import Diagnostic, Sources, Span, codes, has_errors
from pipelang.semantics import program as p
from pipelang.semantics.chance import Undeclared
from pipelang.semantics.elaborate import world
from pipelang.semantics.elaborate.constants import setting
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.pipelines import pipeline
from pipelang.semantics.elaborate.tests import elaborate_claim, elaborate_test
from pipelang.semantics.elaborate.types import declared_type
from pipelang.semantics.loading import Loaded, Loader, load
from pipelang.semantics.symbols import Symbol, Symbols, collect
from pipelang.semantics.types import RecordType
from pipelang.syntax import ast


@dataclass(frozen=True, slots=True)
class Built:
    """`program` is None if an error was found; `diagnostics` are in the order of their places."""

    program: p.Program | None
    diagnostics: tuple[Diagnostic, ...]
    sources: Sources


def build(path: str, loader: Loader, settings: Mapping[str, Any] | None = None) -> Built:
    """Check a file and everything it imports. `settings` replace the values in the files."""
    loaded, found = load(path, loader)
    if loaded.root not in loaded.modules:
        return Built(None, found, loaded.sources)
    symbols, more = collect(loaded)
    context = Context(symbols, loader, settings or {})
    context.diagnostics.extend((*found, *more))
    made = _elaborate(context, loaded)
    _unused(context, loaded, symbols)
    diagnostics = tuple(sorted(dict.fromkeys(context.diagnostics), key=_place))
    program = None if has_errors(diagnostics) else made
    return Built(program, diagnostics, loaded.sources)


def _place(diagnostic: Diagnostic) -> tuple[str, int, str]:
    span = diagnostic.span or Span("", 0, 0)
    return (span.file, span.start, diagnostic.rule.code)


def _elaborate(context: Context, loaded: Loaded) -> p.Program:
    made: dict[str, dict[str, Any]] = {
        kind: {}
        for kind in (
            "enum type provider tier role tool fn patterns prompt setting memory pipeline"
        ).split()
    }
    for key, symbol in context.symbols.by_key.items():
        if symbol.kind != "pipeline":
            made[symbol.kind][key] = _declaration(context, key, symbol)
    for key, symbol in context.symbols.by_key.items():
        if symbol.kind == "pipeline" and symbol.file == loaded.root:
            made["pipeline"][key] = _declaration(context, key, symbol)
    _recursive_functions(context, made["fn"])
    implicit = {tier.provider for tier in made["tier"].values()} - set(made["provider"])
    for name in implicit:
        unknown = Undeclared(f"{name}.available")
        made["provider"][name] = p.Provider(name, "anthropic", None, None, unknown, Span("", 0, 0))
    root = loaded.modules[loaded.root].module
    text = loaded.sources[loaded.root].text
    claims, tests = [], []
    for declaration in root.declarations:
        if isinstance(declaration, ast.ProveDecl):
            words = " ".join(
                text[declaration.claim.span.start : declaration.claim.span.end].split()
            )
            claim = elaborate_claim(context, loaded.root, declaration, words, made["pipeline"])
            if claim is not None:
                claims.append(claim)
        elif isinstance(declaration, ast.TestDecl):
            test = elaborate_test(context, loaded.root, declaration, made["pipeline"])
            if test is not None:
                tests.append(test)
    return p.Program(
        file=loaded.root,
        hash=program_hash(loaded, made["prompt"]),
        enums={key: type.members for key, type in made["enum"].items()},
        records={key: type for key, type in made["type"].items() if isinstance(type, RecordType)},
        providers=made["provider"],
        tiers=made["tier"],
        roles=made["role"],
        tools=made["tool"],
        functions=made["fn"],
        patterns=made["patterns"],
        prompts=made["prompt"],
        memories=made["memory"],
        settings=made["setting"],
        pipelines=made["pipeline"],
        claims=tuple(claims),
        tests=tuple(tests),
        evidence=dict(context.evidence),
    )


def _declaration(context: Context, key: str, symbol: Symbol) -> Any:
    declaration, file = symbol.declaration, symbol.file
    match declaration:
        case ast.EnumDecl() | ast.TypeDecl():
            return declared_type(context, key)
        case ast.ProviderDecl():
            return world.provider(context, file, key, declaration)
        case ast.TierDecl():
            return world.tier(context, file, key, declaration)
        case ast.RoleDecl():
            return world.role(context, file, key, declaration)
        case ast.ToolDecl():
            return world.tool(context, file, key, declaration)
        case ast.FnDecl():
            return world.function(context, file, key, declaration)
        case ast.PatternsDecl():
            return world.patterns(context, declaration)
        case ast.PromptDecl():
            return world.prompt(context, file, key, declaration)
        case ast.SettingDecl():
            return setting(context, key, declaration.span)
        case ast.MemoryDecl():
            return world.memory(context, file, key, declaration)
        case ast.PipelineDecl():
            return pipeline(context, file, key, declaration)
        case _:
            assert_never(declaration)


def _recursive_functions(context: Context, functions: dict[str, p.Function]) -> None:
    from pipelang.semantics import expressions as ir

    calls = {
        key: [part.function for part in ir.walk(function.body) if isinstance(part, ir.Apply)]
        if function.body is not None
        else []
        for key, function in functions.items()
    }
    told: set[str] = set()

    def visit(key: str, trail: tuple[str, ...]) -> None:
        if key in trail:
            cycle = trail[trail.index(key) :]
            if not told & set(cycle):
                told.update(cycle)
                span = functions[key].span
                context.tell(codes.RECURSION, span, name=key, cycle=" -> ".join([*cycle, key]))
            return
        for called in calls.get(key, ()):
            visit(called, (*trail, key))

    for key in functions:
        visit(key, ())


def _unused(context: Context, loaded: Loaded, symbols: Symbols) -> None:
    """Declarations of the root file that nothing uses; a library offers, so nothing is unused."""
    root = loaded.modules[loaded.root].module
    if not any(isinstance(item, ast.PipelineDecl) for item in root.declarations):
        return
    for symbol in symbols.by_key.values():
        if symbol.file != loaded.root or symbol.kind == "pipeline" or symbol.key in symbols.used:
            continue
        name = symbol.declaration.name
        context.tell(codes.UNUSED, name.span, what=symbol.kind, name=name.text)


def program_hash(loaded: Loaded, prompts: Mapping[str, p.Prompt]) -> str:
    """A hash of what the files mean: the letters of their tokens, not their layout or comments."""
    from pipelang.syntax.tokens import tokenize

    digest = hashlib.sha256()
    for path in sorted(loaded.modules, key=lambda path: (path != loaded.root, path)):
        for token in tokenize(loaded.sources[path]).tokens:
            digest.update(token.text.encode())
            digest.update(b"\0")
        digest.update(b"\1")
    for name in sorted(prompts):
        prompt = prompts[name]
        digest.update(f"{name}\0{prompt.system}\0{prompt.user}\0".encode())
    return digest.hexdigest()
