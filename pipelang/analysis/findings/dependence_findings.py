"""Findings about evidence files of a pipeline and of those that it runs whose wrong answers fall on
the same cases.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.diagnostics import Diagnostic, Span, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.chance import MeasuredShare
from pipelang.semantics.kernels.hard import depends_on_hardness
from pipelang.semantics.kernels.run import pipelines_run
from pipelang.semantics.walk import all_items, inner_links

LEVEL = 0.01


def dependence_findings(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """A finding where verdicts on shared cases hang together, and nothing says that cases are
    hard.
    """
    if len(program.evidence) < 2:
        return
    places = _files(program, pipeline)
    files = [program.evidence[name] for name in places]
    if len(files) < 2 or pipeline.traffic.hard is not None:
        return
    if depends_on_hardness(program, pipeline) or _told_inside(program, pipeline, places):
        return
    from pipelang.analysis.model.shared_cases import dependence

    found = dependence(files, LEVEL)
    if found is None or found.p >= LEVEL:
        return
    names = [file.name for file in files]
    shown = ", ".join(f"`{name}`" for name in names[:-1]) + f" and `{names[-1]}`"
    yield report(
        codes.WRONG_TOGETHER,
        places[names[1]],
        files=shown,
        cases=f"{found.cases:,}",
        together=f"{found.together:,}",
        expected=f"{found.expected:.1f}",
        p=f"{found.p:.4f}",
    )


def _told_inside(program: p.Program, pipeline: p.Pipeline, places: dict[str, Span]) -> bool:
    """Whether a pipeline that is run has all of these files, and is told of them itself."""
    return any(
        inner.traffic.hard is None and places.keys() == _files(program, inner).keys()
        for inner in pipelines_run(program, pipeline)
    )


def _files(program: p.Program, pipeline: p.Pipeline) -> dict[str, Span]:
    """The evidence files of a pipeline and of those that it runs whose rows say which case they are
    of, and where each comes in first.
    """
    found: dict[str, Span] = {}
    for span, what in _places(pipeline):
        if isinstance(what, str):
            found.setdefault(what, span)
            continue
        run = program.pipelines[what.pipeline]
        for one in (run, *pipelines_run(program, run)):
            for _, inner in _places(one):
                if isinstance(inner, str):
                    found.setdefault(inner, span)
    return {name: span for name, span in found.items() if program.evidence[name].columns.cases}


def _places(pipeline: p.Pipeline) -> Iterator[tuple[Span, str | p.RunPipeline]]:
    """The evidence files of a pipeline itself, and where it runs others, in writing order."""
    for item in all_items(pipeline.block):
        if isinstance(item, p.Step):
            for link in inner_links(item.chain):
                for one in (link.accuracy, *link.accuracy_by_tier.values()):
                    if isinstance(one, MeasuredShare):
                        yield link.span, one.file
                if isinstance(link.action, p.RunPipeline):
                    yield link.span, link.action
        elif isinstance(item, p.Gate) and isinstance(item.evidence, p.ByFile):
            yield item.span, item.evidence.file
