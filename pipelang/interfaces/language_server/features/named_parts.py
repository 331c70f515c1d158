"""Names of parts of a pipeline where no expression reads them: the step of a `redo`, the gate of a
claim or a metric, what a test mocks. A name stands for one part of a pipeline only.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.diagnostics import Span
from pipelang.interfaces.language_server.features.outline import items_inside
from pipelang.semantics.build import Survey
from pipelang.syntax import ast

Use = tuple[Span, Span]
"""The place of a name, and where it was declared."""

Parts = dict[str, Span]


def parts_of(declaration: ast.PipelineDecl, steps: bool = False) -> Parts:
    """The named parts of a pipeline with their places; steps alone, if so."""
    found: Parts = {}
    for item in items_inside(declaration.items):
        if steps and not isinstance(item, ast.Step):
            continue
        match item:
            case ast.Step() | ast.Let() | ast.Gate() | ast.Approve() | ast.Hold():
                found.setdefault(item.name.text, item.name.span)
            case ast.When(name=ast.Name() as name):
                found.setdefault(name.text, name.span)
            case _:
                pass
    return found


def part_uses(survey: Survey) -> Iterator[Use]:
    """All such names of a program."""
    for file, loaded in survey.loaded.modules.items():
        for declaration in loaded.module.declarations:
            match declaration:
                case ast.PipelineDecl():
                    yield from _in_pipeline(declaration)
                    for item in declaration.items:
                        for step in _labelled(item):
                            yield from _dotted(survey, file, step, declaration.name)
                case ast.ProveDecl(claim=ast.OnlyAfter(gate=gate)):
                    yield from _dotted(survey, file, gate, declaration.pipeline)
                case ast.TestDecl():
                    yield from _in_test(survey, file, declaration)
                case ast.Use():
                    yield from _in_use(survey, file, declaration)
                case _:
                    pass


def _labelled(item: ast.Item) -> Iterator[tuple[ast.Name, ...]]:
    """The steps that people judge, by a `sample`; of lines to watch those of other pipelines."""
    match item:
        case ast.Sample():
            yield from item.steps
        case ast.Watch():
            for line in item.lines:
                if isinstance(line, ast.WatchLine) and len(line.metric.of or ()) > 1:
                    yield line.metric.of or ()
        case _:
            pass


def _in_pipeline(declaration: ast.PipelineDecl) -> Iterator[Use]:
    parts = parts_of(declaration)

    def known(*names: ast.Name | ast.NameRef | None) -> Iterator[Use]:
        for name in names:
            text = (
                None if name is None else name.name if isinstance(name, ast.NameRef) else name.text
            )
            if name is not None and text in parts:
                yield name.span, parts[text]

    def of_metric(metric: ast.Metric) -> Iterator[Use]:
        if metric.of is not None and len(metric.of) == 1:
            yield from known(*metric.of)
        if metric.path[0].text == "escalation" and len(metric.path) == 2:
            yield from known(metric.path[1])

    for item in items_inside(declaration.items):
        match item:
            case (
                ast.Gate(otherwise=ast.Redo(step=step)) | ast.Approve(otherwise=ast.Redo(step=step))
            ):
                yield from known(step)
            case ast.Slo():
                for line in item.lines:
                    if isinstance(line, ast.SloLine):
                        yield from of_metric(line.metric)
                        if isinstance(line.when, ast.Cached):
                            yield from known(line.when.step)
            case ast.Watch():
                for watched in item.lines:
                    if isinstance(watched, ast.WatchLine):
                        yield from of_metric(watched.metric)
            case ast.Breaker():
                for opens in item.opens:
                    if isinstance(opens, ast.OpensRejects):
                        yield from known(*opens.gate[-1:])
                    elif isinstance(opens, ast.OpensMetric):
                        yield from of_metric(opens.metric)
            case ast.Traffic():
                for shares in item.lines:
                    if isinstance(shares, ast.TrafficLine):
                        subject = shares.subject
                        yield from known(subject if isinstance(subject, ast.NameRef) else None)
            case _:
                pass


def _pipeline(survey: Survey, file: str, name: str) -> ast.PipelineDecl | None:
    symbol = None if survey.symbols is None else survey.symbols.find(file, name)
    declaration = None if symbol is None else symbol.declaration
    return declaration if isinstance(declaration, ast.PipelineDecl) else None


def _dotted(
    survey: Survey, file: str, names: tuple[ast.Name, ...], own: ast.Name | None
) -> Iterator[Use]:
    """A part of a pipeline, or `PIPELINE.PART`."""
    if not names:
        return
    if len(names) > 1:
        pipeline = _pipeline(survey, file, names[-2].text)
        if pipeline is not None:
            yield names[-2].span, pipeline.name.span
    else:
        pipeline = None if own is None else _pipeline(survey, file, own.text)
    if pipeline is None:
        return
    part = parts_of(pipeline).get(names[-1].text)
    if part is not None:
        yield names[-1].span, part
    elif len(names) == 1 and names[0].text == pipeline.name.text:
        yield names[0].span, pipeline.name.span  # a run that ends for the pipeline's own reason


def _in_test(survey: Survey, file: str, declaration: ast.TestDecl) -> Iterator[Use]:
    given = next((one.pipeline for one in declaration.lines if isinstance(one, ast.Given)), None)
    for line in declaration.lines:
        match line:
            case ast.MockValues() | ast.MockFails() | ast.MockVerdicts():
                yield from _dotted(survey, file, line.target, given)
            case ast.ExpectEscalated(reason=reason) | ast.ExpectRejected(reason=reason):
                yield from _dotted(survey, file, reason or (), given)
            case _:
                pass


def _in_use(survey: Survey, file: str, written: ast.Use) -> Iterator[Use]:
    if survey.symbols is None:
        return
    for name in written.names or ():
        symbol = survey.symbols.find(file, name.text)
        if symbol is not None and symbol.file != file:
            yield name.span, symbol.declaration.name.span
