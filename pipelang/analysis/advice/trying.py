"""Trial of a change: the changed program, and its exact figures.

A change is an edit of the text, and its program is built from the changed text as any other. So the
figures printed beside a change are those of a check of the changed file. So they are where an edit
changes shares alone, for which nothing is built: a share is a number at a site, which is its place.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pipelang.analysis.advice.changes import Change
from pipelang.analysis.budgets.cuts import Cut, possible_cuts
from pipelang.analysis.budgets.reaching import CutBy, cut_by, is_cut
from pipelang.analysis.metrics.metrics import swept_figures
from pipelang.analysis.model.evidence import EvidenceTable
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.sweep.compiled import Compiled
from pipelang.analysis.sweep.sweep import sweep
from pipelang.diagnostics import Edit, Source, Sources
from pipelang.records import dataclass, field
from pipelang.semantics import program as p
from pipelang.semantics.build import Built, build
from pipelang.semantics.kernels.run import pipelines_run
from pipelang.semantics.loader import Loader
from pipelang.syntax import ast
from pipelang.syntax.parse import Parsed, parse_after, parse_kept

if TYPE_CHECKING:
    from pipelang.analysis.metrics.analyse import Analysis

MOST_KEPT = 64
"""Builds that are remembered: a change of a sub-pipeline is tried for all that run it."""


@dataclass(frozen=True, slots=True)
class Redrafted:
    """A loader with some files as they would become."""

    loader: Loader
    texts: Mapping[str, str]

    def read(self, path: str) -> str | None:
        text = self.texts.get(path)
        return self.loader.read(path) if text is None else text

    def beside(self, base: str, path: str) -> str:
        return self.loader.beside(base, path)

    def library(self, name: tuple[str, ...]) -> str | None:
        return self.loader.library(name)

    def libraries(self) -> tuple[str, ...]:
        return self.loader.libraries()


@dataclass(frozen=True, slots=True)
class Bench:
    """A bench for changes: a program with the texts that it was built from, and what it was
    assumed of what nobody declared. What is assumed besides is the same for all pipelines of a
    file, so it is built once and `known` from then on; so are the `models` of its pipelines, those
    of the program that was `changed` last, and what analyses `compiled`.
    """

    path: str
    program: p.Program
    sources: Sources
    loader: Loader
    assumed: Mapping[str, Decimal] = field(default_factory=dict)
    known: dict[Any, Built] = field(default_factory=dict)
    swept: dict[str, dict[str, float] | None] = field(default_factory=dict)
    models: dict[str, PipelineModel] = field(default_factory=dict)
    changed: dict[str, PipelineModel] = field(default_factory=dict)
    compiled: dict[str, Compiled] = field(default_factory=dict)
    within: dict[str, bool] = field(default_factory=dict)

    def figures(self, pipeline: str) -> dict[str, float] | None:
        """The figures of a pipeline as it is written, worked out once; None where budgets may cut
        its runs, for they are bounds then.
        """
        if pipeline not in self.swept:
            written = self.program.pipelines[pipeline]
            found = figures(self.program, written)
            if found is not None and cuts_of(self.program, written):
                found = None
            self.swept[pipeline] = found
        return self.swept[pipeline]

    def analysed(self, analysis: Analysis) -> dict[str, float] | None:
        """The same of a pipeline whose analysis found that budgets cut none of its runs: nobody
        looks once more, nor sweeps where the analysis did so over the numbers that are written.
        """
        pipeline = analysis.pipeline
        if pipeline.name not in self.swept:
            same = pipeline is self.program.pipelines[pipeline.name]
            swept = analysis.swept if same else None
            found = figures(self.program, pipeline) if swept is None else dict(swept)
            self.swept[pipeline.name] = found
            if same and analysis.compiled is not None:
                self.compiled[pipeline.name] = analysis.compiled
            if same:
                self.within[pipeline.name] = analysis.within
        return self.swept[pipeline.name]

    def within_budgets(self, pipeline: str) -> bool:
        """Whether the worst run of a pipeline passes no limit, whatever the shares in it are: those
        that are 0 or 1 apart, they say how often something happens and not what may.
        """
        if pipeline not in self.within:
            budgeted = is_budgeted(self.program, self.program.pipelines[pipeline])
            model = self.model(self.program, pipeline)
            self.within[pipeline] = not (budgeted and possible_cuts(model))
        return self.within[pipeline]

    def after(self, change: Change, made: p.Program, pipeline: str) -> dict[str, float] | None:
        """The figures of a pipeline after a change that was `made`. A program in which only shares
        change is not made: a formula is asked again, or it is swept as it is written, with others
        in their place.
        """
        model = self.model(made, pipeline)
        if made is not self.program:
            return _swept(model.of(at_half(made)))
        model = model.of(at_half(made, change.shares, change.shares))
        return self._by_formula(pipeline, model) or _swept(model)

    def _by_formula(self, pipeline: str, model: PipelineModel) -> dict[str, float] | None:
        """The figures by a formula that is there; None where it does not fit, or where one of them
        is no number because of what is impossible and goes through it all the same.
        """
        compiled = self.compiled.get(pipeline)
        totals = None if compiled is None else compiled.known_totals(model.parameters)
        found = None if totals is None else swept_figures(model, totals)
        now = self.swept.get(pipeline)
        return found if found and now and found.keys() >= now.keys() else None

    def model(self, program: p.Program, pipeline: str) -> PipelineModel:
        """The model of a pipeline, as it is written or of a changed program."""
        models = self.models if program is self.program else self.changed
        found = models.get(pipeline)
        if found is None or found.program is not program:
            found = make_model(program, program.pipelines[pipeline], at_half(program))
            models[pipeline] = found
        return found

    def rebuilt(self, edits: Iterable[Edit], assumed: Mapping[str, float] | None = None) -> Built:
        """Build the program from the texts with edits that do not overlap, and with shares for what
        nobody declared.
        """
        edits, changed = tuple(edits), dict[str, list[Edit]]()
        for edit in edits:
            changed.setdefault(edit.span.file, []).append(edit)
        shares = {**self.assumed, **{k: Decimal(repr(v)) for k, v in (assumed or {}).items()}}
        key: Any = tuple(sorted(shares.items()))
        if changed:
            key = (tuple(edits), key) if len(self.known) < MOST_KEPT else None
        if key is not None and key in self.known:
            return self.known[key]
        built = self._built(changed, shares, tests=False)
        made = built.program
        if made is not None and made.pipelines.keys() != self.program.pipelines.keys():
            built = self._built(changed, shares)  # one of them is run by tests alone
        if key is not None:
            self.known[key] = built
        return built

    def _built(
        self,
        changed: Mapping[str, Sequence[Edit]],
        shares: Mapping[str, Decimal],
        tests: bool = True,
    ) -> Built:
        """Build the program with edits by file; with or without the `tests` at the end of a file
        that is edited: they say nothing about figures, and may be more than all else.
        """
        # Every text is the one that the program was built from, whatever is on the disk by now.
        texts = {name: source.text for name, source in self.sources.items()}
        trees: dict[str, Parsed] = {}
        for name, edits in changed.items():
            source = self.sources[name]
            end = len(source.text) if tests else end_without_tests(source, edits)
            texts[name] = edited(source.text[:end], edits)
            tree = reparsed(source, texts[name], edits)
            if tree is not None:
                trees[name] = tree
        return build(self.path, Redrafted(self.loader, texts), assumed=shares, trees=trees)


def edited(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits made; where two are at one place, the later one comes second."""
    ordered = sorted(enumerate(edits), key=lambda one: (one[1].span.start, one[0]), reverse=True)
    for _, edit in ordered:
        text = text[: edit.span.start] + edit.replacement + text[edit.span.end :]
    return text


def end_without_tests(source: Source, edits: Iterable[Edit]) -> int:
    """The length of a text without the tests at its end; all of it where there is an edit."""
    end = 0
    for one in parse_kept(source).module.declarations:
        if not isinstance(one, ast.TestDecl):
            end = one.span.end
    whole = len(source.text)
    return whole if not end or any(edit.span.end > end for edit in edits) else end


def reparsed(source: Source, text: str, edits: Iterable[Edit]) -> Parsed | None:
    """The tree of a text with edits made, of which what stands before the first declaration that is
    edited is taken from the tree of the text without them. None where it is better read as a whole.
    """
    before = parse_kept(source)
    first = min(edit.span.start for edit in edits)
    starts = [one.span.start for one in before.module.declarations]
    kept = bisect_left(starts, first) - 1  # the last one before the edit may be what changes
    return parse_after(Source(source.name, text), before, kept) if kept > 0 else None


def cuts_of(
    program: p.Program,
    pipeline: p.Pipeline,
    model: PipelineModel | None = None,
    to_raise: bool = False,
) -> tuple[Cut, ...]:
    """The limits by which budgets may cut runs of a pipeline, as a check says so; none where a
    limit could be reached but hardly any run takes so long. `to_raise` is of `is_cut`.
    """
    if not is_budgeted(program, pipeline):
        return ()
    if model is None:
        model = make_model(program, pipeline, at_half(program))
    passed = tuple(possible_cuts(model))
    return passed if passed and is_cut(model, passed, to_raise) else ()


@dataclass(frozen=True, slots=True)
class LookAtBudgets:
    """The limits that the worst run passes, and why runs are cut at them; None if none is."""

    passed: tuple[Cut, ...] = ()
    by: CutBy | None = None


def looked_at(program: p.Program, pipeline: p.Pipeline) -> LookAtBudgets:
    """Whether budgets may cut runs of a pipeline, and why."""
    if not is_budgeted(program, pipeline):
        return LookAtBudgets()
    model = make_model(program, pipeline, at_half(program))
    passed = tuple(possible_cuts(model))
    return LookAtBudgets(passed, cut_by(model, passed) if passed else None)


def at_half(
    program: p.Program,
    measured: Mapping[str, float] | None = None,
    declared: Mapping[str, float] | None = None,
) -> Parameters:
    """The parameters of a program at its point estimates, what nobody declared being 0.5.
    `measured` and `declared` stand in for shares of that kind, by their sites.
    """
    evidence = EvidenceTable(program.evidence)
    return Parameters(evidence, lambda site: 0.5, measured or {}, supplanted=declared or {})


def is_budgeted(program: p.Program, pipeline: p.Pipeline) -> bool:
    """Whether a pipeline, or one that it runs, has a budget."""
    every = (pipeline, *pipelines_run(program, pipeline))
    return any(one.budget is not None for one in every)


def figures(
    program: p.Program, pipeline: p.Pipeline, measured: Mapping[str, float] | None = None
) -> dict[str, float] | None:
    """The point estimates of what one sweep gives, without the cuts of budgets; None where
    something undeclared decides.

    `measured` replaces measured shares by their site.
    """
    return _swept(make_model(program, pipeline, at_half(program, measured)))


def _swept(model: PipelineModel) -> dict[str, float] | None:
    return swept_figures(model, sweep(model))
