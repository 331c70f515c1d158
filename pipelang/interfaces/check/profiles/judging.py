"""Filters findings: the profile's severities first, then selection, then comments.

An error that keeps a file from being a program cannot be ignored: nothing could be said about how
the file behaves, and `check` would be silent about a file that does not run. So are mistakes in the
configuration itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipelang.diagnostics import RULES, Diagnostic, Severity, Sources, codes
from pipelang.interfaces.check.profiles.comments import Ignored, ignores, unused
from pipelang.interfaces.check.profiles.config import Config
from pipelang.records import replace
from pipelang.semantics import program as p

RAISED = (codes.SLO_UNDECIDED, codes.METRIC_UNDECIDED)
"""Warnings that are errors in production: an objective that nobody can decide is not met."""

OF_PRODUCTION = frozenset(
    {codes.NO_WAY_WITHOUT_MODEL.code, codes.EFFECT_UNKNOWN.code}
    | {code for code in RULES if "P800" < code < "P850"}
)
OF_IMPORTS = frozenset({"P314", "P315", "P316", "P317"})
"""Codes that only `--import-tools` finds."""

ALWAYS = (codes.BAD_CONFIG, codes.BAD_IGNORE)


def in_production(
    found: Iterable[Diagnostic], program: p.Program, config: Config
) -> list[Diagnostic]:
    """The findings as production weighs them, with what it demands besides."""
    from pipelang.analysis.production.demands import demands

    demanded: list[Diagnostic] = []
    for pipeline in program.pipelines.values():
        demanded.extend(demands(program, pipeline, config.setup))
    bare = {one.span for one in demanded if one.rule == codes.NO_EVIDENCE}
    weighed = [
        replace(one, rule=replace(one.rule, severity=Severity.ERROR)) if one.rule in RAISED else one
        for one in found
        if not (one.rule == codes.UNCALIBRATED and one.span in bare)  # the same, said again
    ]
    return [*weighed, *demanded]


def told(
    found: list[Diagnostic],
    root: str,
    sources: Sources,
    config: Config,
    *,
    is_program: bool,
    imports: bool,
) -> list[Diagnostic]:
    """The findings that are selected and that no comment ignores; and what such comments miss.

    `root` is the file that is checked: comments in what it imports count, and are themselves judged
    where those files are checked. `imports` says whether the tools were imported.
    """
    speaking = [source for source in sources.values() if "pipelang:" in source.text]
    if config.tells_all and not speaking:
        return found
    comments = {source.name: ignores(source) for source in speaking}
    used: set[Ignored] = set()
    kept = []
    for one in found:
        if one.rule in ALWAYS or (one.is_error and not is_program):
            kept.append(one)
        elif _is_selected(one, config):
            hits = list(_hits(one, sources, comments.get(one.span.file if one.span else "")))
            used.update(hits)
            if not hits:
                kept.append(one)
    if root not in comments:
        return kept
    mine, wrong = comments[root]
    kept += wrong
    if is_program:
        asleep = {code for code in RULES if not config.tells_of(code, root)}
        asleep |= OF_PRODUCTION if config.profile != "production" else set()
        asleep |= OF_IMPORTS if not imports else set()
        idle = unused(mine, used, asleep)
        kept += [
            one
            for one in idle
            if _is_selected(one, config) and not list(_hits(one, sources, comments[root]))
        ]
    return kept


def _is_selected(one: Diagnostic, config: Config) -> bool:
    file = one.span.file if one.span is not None else None
    code = one.rule.code
    return config.tells(code) if file is None else config.tells_of(code, file)


def _hits(
    one: Diagnostic,
    sources: Sources,
    comments: tuple[tuple[Ignored, ...], tuple[Diagnostic, ...]] | None,
) -> Iterator[Ignored]:
    """The comments on the line of a finding that ignore it."""
    if comments is None or one.span is None:
        return
    line = sources[one.span.file].position(one.span.start).line
    yield from (comment for comment in comments[0] if comment.covers(one.rule.code, line))
