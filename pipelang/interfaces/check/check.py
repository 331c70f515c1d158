"""Check files: build each, analyse its pipelines, gather the findings.

`check`, the editor and CI all call this. Reports in any format render a `Checked` and work out
nothing themselves; `with_review` and `with_advice` add to it what takes more than one file, or
longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.diagnostics import Diagnostic, Sources, Span
from pipelang.diagnostics.render import as_json
from pipelang.interfaces.check.disk_loader import DiskLoader, quotable
from pipelang.interfaces.check.profiles.nearest import Configs
from pipelang.records import dataclass, field, replace
from pipelang.semantics import program as p
from pipelang.semantics.build import Built, build
from pipelang.semantics.chance import EvidenceFile
from pipelang.semantics.loader import Loader

if TYPE_CHECKING:
    from pipelang.analysis.advice.advise import Advice
    from pipelang.analysis.advice.what_if import WhatIf
    from pipelang.analysis.claims.counterexamples import Counterexample, Replay
    from pipelang.analysis.claims.verdicts import Proof
    from pipelang.analysis.metrics.analyse import Analysis
    from pipelang.analysis.metrics.objectives import ObjectiveVerdict
    from pipelang.analysis.metrics.review_queues import Load
    from pipelang.interfaces.check.profiles.config import Config


@dataclass(frozen=True, slots=True)
class PipelineAdvice:
    """Advice on one pipeline, the best change first.

    `goal` is the promise that the changes aim at, None where none is missed or undecided. `what_if`
    is there where figures are undeclared: the results that some assumed figures would give.
    """

    changes: tuple[Advice, ...] = ()
    goal: ObjectiveVerdict | None = None
    what_if: WhatIf | None = None

    def as_json(self, sources: Sources) -> dict[str, Any]:
        """The keys of the JSON report: `advice`, or `what_if`, `needs` and `widening`."""
        if self.what_if is None:
            return {"advice": [change.as_json(sources) for change in self.changes]}
        return {
            "what_if": [row.as_json() for row in self.what_if.rows],
            "needs": [need.as_json() for need in self.what_if.needs],
            "widening": [
                {"unknown": one.site, "low": one.low, "high": one.high}
                for one in self.what_if.widening
            ],
        }


@dataclass(frozen=True, slots=True)
class Checked:
    """One checked file: all that a report renders.

    `program` is None if the file has errors that keep it from being one. `assumed` are the figures
    that were taken for undeclared ones. `advice` is by name of the pipeline, and empty unless
    `with_advice` added it.
    """

    path: str
    program: p.Program | None
    analyses: tuple[Analysis, ...]
    diagnostics: tuple[Diagnostic, ...]
    sources: Sources
    proofs: tuple[Proof, ...] = ()
    assumed: Mapping[str, Decimal] = field(default_factory=dict)
    advice: Mapping[str, PipelineAdvice] = field(default_factory=dict)


def check_file(
    path: str,
    loader: Loader | None = None,
    configs: Configs | None = None,
    alone: bool = True,
    each: Callable[[p.Program, Analysis], None] | None = None,
) -> Checked:
    """Check one file with everything it imports, as its configuration wants it.

    `configs` belong to the loader and to the command line's own words; without them, it is what
    the nearest pyproject.toml says. A configuration that is wrong is all that is then told.
    `alone`: its pipelines are all that send cases to people. `each` is called with every analysis
    when it is there: a file may have a thousand.
    """
    loader = loader or DiskLoader()
    configs = configs or Configs(loader)
    configured = configs.of(path)
    if configured.found:
        source = configured.source
        sources = {} if source is None else {source.name: source}
        return Checked(path, None, (), configured.found, sources)
    assumed = dict(configs.asked.assumed)
    built = build(path, loader, assumed=assumed, tiers=dict(configs.asked.tiers))
    found = list(built.diagnostics)
    analyses: list[Analysis] = []
    proofs: tuple[Proof, ...] = ()
    imports = configs.asked.import_tools
    if built.program is not None:
        from pipelang.analysis.findings.metric_findings import findings
        from pipelang.analysis.findings.verify import prove
        from pipelang.analysis.metrics.analyse import analyse
        from pipelang.analysis.model.work_limit import time_limit

        for pipeline in built.program.pipelines.values():
            with time_limit(configs.asked.time_limit):
                analysis = analyse(built.program, pipeline)
            analyses.append(analysis)
            if each is not None:
                each(built.program, analysis)
            found.extend(findings(built.program, analysis))
        proofs, more = prove(built.program, analyses, _replay_in(built.program))
        found.extend(more)
        found.extend(_of_makers(built.program))
        if any(tier.as_of or tier.model for tier in built.program.tiers.values()):
            from pipelang.interfaces.check.prices import price_findings

            found.extend(price_findings(built.program))
        if any(file.origins for file in built.program.evidence.values()):
            from pipelang.interfaces.check.prices import evidence_to_come

            found.extend(evidence_to_come(built.program))
        if imports:
            from pipelang.interfaces.check.binding_check import check_bindings

            found.extend(check_bindings(built.program))
    found = _weighed(found, loader.beside("", path), built, configured.config, imports)
    found = sorted(dict.fromkeys(found), key=_place)
    sources = quotable(built.sources, path)
    checked = Checked(path, built.program, tuple(analyses), tuple(found), sources, proofs, assumed)
    return with_review([checked])[0] if alone else checked


def _of_makers(program: p.Program) -> Iterator[Diagnostic]:
    """The findings on what makers of models offer, for which nothing is worked out. What knows the
    makers is imported once there is a program: a file with an error has none.
    """
    from pipelang.interfaces.check import media_findings, provider_kinds, tier_notes

    yield from provider_kinds.unknown_kinds(program)
    yield from provider_kinds.bad_addresses(program)
    yield from provider_kinds.not_offered(program)
    yield from media_findings.media_findings(program)
    yield from provider_kinds.schemas_in_words(program)
    yield from tier_notes.other_confidences(program)


def findings_before_analysis(
    built: Built, path: str, loader: Loader, configs: Configs
) -> list[Diagnostic]:
    """The findings of `check_file` that need no analysis, for who cannot wait for it. Comments that
    ignore nothing are not told of: what they ignore may be found by the analysis.
    """
    configured = configs.of(path)
    if configured.found:
        return list(configured.found)
    found = list(built.diagnostics)
    if built.program is not None:
        found.extend(_of_makers(built.program))
    config = configured.config
    speaks = any("pipelang:" in source.text for source in built.sources.values())
    if not config.tells_all or speaks:
        from pipelang.interfaces.check.profiles.judging import told

        root = loader.beside("", path)
        found = told(found, root, built.sources, config, is_program=False, imports=False)
    return sorted(dict.fromkeys(found), key=_place)


def _replay_in(program: p.Program) -> Replay:
    """Return what runs a counterexample; the interpreter is imported when there is one."""

    def replay(found: Counterexample) -> Counterexample | None:
        from pipelang.interfaces.check.replay import Replayer

        return Replayer(program)(found)

    return replay


def with_review(checked: Sequence[Checked]) -> list[Checked]:
    """The files with what is to be said about the review queues of all their pipelines."""
    if not any(one.analyses for one in checked):
        return list(checked)
    from pipelang.analysis.metrics.review_queues import review_findings

    left = list(review_findings(review_loads(checked)))
    result = []
    for one in checked:
        mine = [found for found in left if found.span and found.span.file in one.sources]
        left = [found for found in left if found not in mine]
        found = sorted([*one.diagnostics, *mine], key=_place)
        result.append(replace(one, diagnostics=tuple(found)) if mine else one)
    return result


def review_loads(checked: Sequence[Checked]) -> list[Load]:
    """The review queues of all pipelines of some files."""
    from pipelang.analysis.metrics.review_queues import loads

    return loads(
        (one.program, analysis)
        for one in checked
        if one.program is not None
        for analysis in one.analyses
    )


def _weighed(
    found: list[Diagnostic], root: str, built: Built, config: Config, imports: bool
) -> list[Diagnostic]:
    """The findings that a configuration keeps; its rules are imported only where there are some."""
    production = config.profile == "production" and built.program is not None
    speaks = any("pipelang:" in source.text for source in built.sources.values())
    if not production and config.tells_all and not speaks:
        return found
    from pipelang.interfaces.check.profiles.judging import in_production, told

    if production and built.program is not None:
        found = in_production(found, built.program, config)
    is_program = built.program is not None
    return told(found, root, built.sources, config, is_program=is_program, imports=imports)


def _place(diagnostic: Diagnostic) -> tuple[str, int, str]:
    span = diagnostic.span or Span("", 0, 0)
    return span.file, span.start, diagnostic.rule.code


def report_json(checked: Sequence[Checked], extra: Sequence[Diagnostic] = ()) -> dict[str, Any]:
    """The documented JSON report over several files; `extra` are findings that belong to no file.

    Advice is in it where `with_advice` added it to the files.
    """
    from pipelang.interfaces.check.analysis_json import analysis_json
    from pipelang.interfaces.check.taken_for_granted import taken_for_granted
    from pipelang.interfaces.check.tier_notes import about_tiers

    pipelines: dict[str, Any] = {}
    for one in checked:
        for analysis in one.analyses:
            name = analysis.pipeline.name
            key = name if name not in pipelines else f"{one.path}:{name}"
            mine = tuple(proof for proof in one.proofs if proof.claim.pipeline == name)
            pipelines[key] = analysis_json(analysis, mine, one.sources)
            if one.program is not None:
                granted = taken_for_granted(one.program, analysis)
                pipelines[key] |= {"taken_for_granted": granted}
                pipelines[key] |= about_tiers(one.program, analysis.pipeline)
            if name in one.advice:
                pipelines[key] |= one.advice[name].as_json(one.sources)
    diagnostics = [as_json(diagnostic, {}) for diagnostic in extra]
    for one in checked:
        diagnostics += [as_json(diagnostic, one.sources) for diagnostic in one.diagnostics]
    review: dict[str, Any] = {}
    for load in review_loads(checked) if pipelines else ():
        name = load.role.name
        key = name if name not in review else f"{load.role.span.file}:{name}"
        review[key] = {
            "utilisation": load.utilisation.as_json(),
            "wait_p95": load.wait_p95.as_json(),
        }
    return {
        "version": 1,
        "diagnostics": diagnostics,
        "pipelines": pipelines,
        "review": review,
        "evidence": evidence_json(checked),
    }


def evidence_json(checked: Sequence[Checked]) -> dict[str, Any]:
    """The calibration of each evidence file, by its path."""
    files = {
        name: file
        for one in checked
        if one.program is not None
        for name, file in one.program.evidence.items()
    }
    if not files:
        return {}
    from pipelang.analysis.model.calibration import calibration
    from pipelang.analysis.model.evidence import EvidenceTable

    return {
        name: calibration(answers).as_json() | origins_json(answers.file)
        for name, answers in EvidenceTable(files).items()
    }


def origins_json(file: EvidenceFile) -> dict[str, Any]:
    """The origins that rows say; nothing where they say none."""
    if not file.origins:
        return {}
    keys = ("prompt", "model", "as_of", "sampled", "line", "count")
    return {"origins": [{key: getattr(one, key) for key in keys} for one in file.origins]}
