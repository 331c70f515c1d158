"""A file to a program: load, collect names, elaborate every declaration, find what is unused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, assert_never

from pipelang.collecting import CollectingLater
from pipelang.diagnostics import Diagnostic, Sources, Span, has_errors
from pipelang.records import dataclass, replace
from pipelang.semantics import program as p
from pipelang.semantics.chance import Declared, Undeclared
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.declarations import tools, world
from pipelang.semantics.elaborate.declarations.pipelines import pipeline
from pipelang.semantics.elaborate.expressions.settings import setting, unknown_overrides
from pipelang.semantics.elaborate.expressions.types import declared_type
from pipelang.semantics.elaborate.names.duplicate_titles import no_title_twice
from pipelang.semantics.elaborate.names.expanded_size import functions_not_too_long
from pipelang.semantics.elaborate.options.options import or_assumed
from pipelang.semantics.elaborate.promises.sampling import steps_elsewhere
from pipelang.semantics.elaborate.promises.unmeasured_lines import unmeasured_lines
from pipelang.semantics.elaborate.promises.unread_traffic import unread_traffic
from pipelang.semantics.elaborate.reach.cycles import recursive_functions, recursive_pipelines
from pipelang.semantics.elaborate.reach.media_places import misplaced_media
from pipelang.semantics.elaborate.reach.unused import unused
from pipelang.semantics.elaborate.templates import prompts
from pipelang.semantics.identity import program_hash
from pipelang.semantics.kernels.hard import HARD, depends_on_hardness
from pipelang.semantics.loader import NotingLoader
from pipelang.semantics.loading import Loaded, Loader, load
from pipelang.semantics.symbols import Symbol, Symbols, collect
from pipelang.semantics.types import DECISION, RecordType, Type
from pipelang.syntax import ast
from pipelang.syntax.parse import Parsed


@dataclass(frozen=True, slots=True)
class Built:
    """`program` is None if an error was found; `diagnostics` are in the order of their places."""

    program: p.Program | None
    diagnostics: tuple[Diagnostic, ...]
    sources: Sources


@dataclass(frozen=True, slots=True)
class Survey:
    """A file with all that was found out on the way to its program, for who shows it to people who
    are still writing it.

    `draft` is the program with holes where the file has errors; None where it could not be read at
    all. `uses` go from where a name stands to where it was declared. `files` are all whose text was
    asked for, also those that are not there or that hold nothing of use: a finding hangs on them.
    """

    built: Built
    loaded: Loaded
    symbols: Symbols | None
    draft: p.Program | None
    uses: Mapping[Span, Span]
    files: frozenset[str] = frozenset()


def build(
    path: str,
    loader: Loader,
    settings: Mapping[str, Any] | None = None,
    assumed: Mapping[str, Decimal] | None = None,
    tiers: Mapping[str, str] | None = None,
    trees: Mapping[str, Parsed] | None = None,
) -> Built:
    """Check a file and everything it imports. `settings` replace the values in the files; `assumed`
    are shares for what nobody declared, by the word of the option (`ASSUMABLE`); `tiers` are those
    that stand in for others, by the others' names; `trees` are of files that were parsed already.
    """
    with CollectingLater():
        given = settings or {}, assumed or {}, tiers or {}
        return _build(path, loader, *given, trees=trees).built


def survey(
    path: str,
    loader: Loader,
    assumed: Mapping[str, Decimal] | None = None,
    tiers: Mapping[str, str] | None = None,
) -> Survey:
    """The same, with what an editor asks for besides."""
    noting = NotingLoader(loader)
    with CollectingLater():
        made = _build(path, noting, {}, assumed or {}, tiers or {}, uses={})
    return replace(made, files=frozenset(noting.asked))


def _build(
    path: str,
    loader: Loader,
    settings: Mapping[str, Any],
    assumed: Mapping[str, Decimal],
    tiers: Mapping[str, str],
    uses: dict[Span, Span] | None = None,
    trees: Mapping[str, Parsed] | None = None,
) -> Survey:
    loaded, found = load(path, loader, trees)
    if loaded.root not in loaded.modules:
        return Survey(Built(None, found, loaded.sources), loaded, None, None, {})
    if tiers:
        from pipelang.semantics.stand_ins import replaced, with_libraries

        loaded = with_libraries(loaded, loader, tiers)
        symbols, more = collect(loaded)
        symbols, unknown = replaced(loaded, symbols, loader, tiers)
        more = (*more, *unknown)
    else:
        symbols, more = collect(loaded)
    context = Context(
        symbols,
        loader,
        settings,
        loaded.sources,
        assumed=assumed,
        stand_ins=tiers,
        uses=uses,
    )
    context.diagnostics.extend((*found, *more))
    made = _elaborate(context, loaded)
    unused(context, loaded)
    unread_traffic(context, made)
    steps_elsewhere(context, made)
    unmeasured_lines(context, made)
    news = _news(context.diagnostics[len(found) :], found, loaded.sources)
    diagnostics = tuple(sorted(dict.fromkeys((*found, *news)), key=place_of))
    program = None if has_errors(diagnostics) else made
    built = Built(program, diagnostics, loaded.sources)
    return Survey(built, loaded, symbols, made, context.uses or {})


def _news(
    later: Sequence[Diagnostic], syntax: Sequence[Diagnostic], sources: Sources
) -> list[Diagnostic]:
    """Findings that are not due to a line that could not be read: a mistake is reported once."""

    def line(found: Diagnostic) -> tuple[str, int] | None:
        source = None if found.span is None else sources.get(found.span.file)
        if found.span is None or source is None:
            return None
        return source.name, source.position(found.span.start).line

    broken = {line(found) for found in syntax if found.rule.code.startswith("P1")}
    broken.discard(None)
    return [found for found in later if not broken or line(found) not in broken]


def place_of(diagnostic: Diagnostic) -> tuple[str, int, str]:
    """The order in which findings are reported: by file, place and code."""
    span = diagnostic.span or Span("", 0, 0)
    return (span.file, span.start, diagnostic.rule.code)


_KINDS = "enum type provider tier role tool fn patterns prompt setting memory pipeline".split()


def _elaborate(context: Context, loaded: Loaded) -> p.Program:
    made: dict[str, dict[str, Any]] = {kind: {} for kind in _KINDS}
    for key, symbol in context.symbols.by_key.items():
        if symbol.kind != "pipeline":
            made[symbol.kind][key] = _declaration(context, key, symbol)
    for key, symbol in context.symbols.by_key.items():
        if symbol.kind == "pipeline":
            made["pipeline"][key] = _declaration(context, key, symbol)
    unknown_overrides(context, loaded.root)
    recursive_functions(context, made["fn"])
    recursive_pipelines(context)
    functions_not_too_long(context, made["fn"])
    misplaced_media(context, made)
    _implicit_provider(made, context)
    claims, tests = _claims_and_tests(context, loaded, made["pipeline"])
    used = {key for _, key in context.symbols.used}
    program = p.Program(
        file=loaded.root,
        hash=program_hash(loaded, made["prompt"], context.stand_ins, context.turned),
        enums={key: type.members for key, type in made["enum"].items()},
        records={
            key: type
            for key, type in {**made["type"], **_decisions(context)}.items()
            if isinstance(type, RecordType)
        },
        providers=made["provider"],
        tiers=made["tier"],
        roles=made["role"],
        tools=made["tool"],
        functions=made["fn"],
        patterns=made["patterns"],
        prompts=made["prompt"],
        memories=made["memory"],
        settings=made["setting"],
        pipelines={
            key: pipeline
            for key, pipeline in made["pipeline"].items()
            if pipeline.span.file == loaded.root or key in used
        },
        claims=claims,
        tests=tests,
        evidence=dict(context.evidence),
    )
    return _with_hard(program, context.assumed.get(HARD))


def _with_hard(program: p.Program, assumed: Decimal | None) -> p.Program:
    """The program with what is assumed of hard cases, in pipelines whose rates know such and that
    do not say how many there are.
    """
    if assumed is None:
        return program
    pipelines = {
        key: replace(
            one,
            traffic=replace(one.traffic, hard=p.HardShare(Declared(assumed, HARD), one.span)),
        )
        if one.traffic.hard is None and depends_on_hardness(program, one)
        else one
        for key, one in program.pipelines.items()
    }
    return replace(program, pipelines=pipelines)


def _decisions(context: Context) -> dict[str, Type]:
    """The records of decisions, which no file declares."""
    return {key: type for key, type in context.types.items() if key.startswith(DECISION)}


def _implicit_provider(made: dict[str, dict[str, Any]], context: Context) -> None:
    """Tiers that name no provider share one of which nothing is known."""
    for tier in made["tier"].values():
        name = tier.provider
        if name not in made["provider"]:
            available = or_assumed(context, "available", Undeclared(f"{name}.available"))
            nowhere = Span("", 0, 0)
            made["provider"][name] = p.Provider(name, name, None, None, available, nowhere)


def _claims_and_tests(
    context: Context, loaded: Loaded, pipelines: Mapping[str, p.Pipeline]
) -> tuple[tuple[p.Claim, ...], tuple[p.Test, ...]]:
    """The claims and tests of the root file; those of what it imports are its own."""
    root, text = loaded.root, loaded.sources[loaded.root].text
    claims, tests = [], []
    for declaration in loaded.modules[root].module.declarations:
        if isinstance(declaration, ast.ProveDecl):
            from pipelang.semantics.elaborate.promises.claims import elaborate_claim

            span = declaration.claim.span
            words = " ".join(text[span.start : span.end].split())
            claim = elaborate_claim(context, root, declaration, words, pipelines)
            if claim is not None:
                claims.append(claim)
        elif isinstance(declaration, ast.TestDecl):
            from pipelang.semantics.elaborate.declarations.tests import elaborate_test

            test = elaborate_test(context, root, declaration, pipelines)
            if test is not None:
                tests.append(test)
    no_title_twice(context, loaded.modules[root].module)
    return tuple(claims), tuple(tests)


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
            return tools.tool(context, file, key, declaration)
        case ast.FnDecl():
            return tools.function(context, file, key, declaration)
        case ast.PatternsDecl():
            return world.patterns(context, declaration)
        case ast.PromptDecl():
            return prompts.prompt(context, file, key, declaration)
        case ast.SettingDecl():
            return setting(context, key, declaration.span)
        case ast.MemoryDecl():
            return world.memory(context, file, key, declaration)
        case ast.PipelineDecl():
            return pipeline(context, file, key, declaration)
        case _:
            assert_never(declaration)
