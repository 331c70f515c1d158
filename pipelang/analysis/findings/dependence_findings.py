"""Findings about evidence files of one pipeline whose wrong answers fall on the same cases."""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.diagnostics import Diagnostic, Span, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.chance import MeasuredShare
from pipelang.semantics.kernels.hard import depends_on_hardness
from pipelang.semantics.walk import all_items, inner_links

LEVEL = 0.01


def dependence_findings(program: p.Program, pipeline: p.Pipeline) -> Iterator[Diagnostic]:
    """A finding where verdicts on shared cases hang together, and nothing says that cases are
    hard.
    """
    places = dict(_files(pipeline))
    files = [program.evidence[name] for name in places]
    files = [file for file in files if file.columns.cases]
    if len(files) < 2 or pipeline.traffic.hard is not None:
        return
    if depends_on_hardness(program, pipeline):
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


def _files(pipeline: p.Pipeline) -> Iterator[tuple[str, Span]]:
    """The evidence files of a pipeline, and where each is first named."""
    seen: set[str] = set()
    for item in all_items(pipeline.block):
        found: list[tuple[str, Span]] = []
        if isinstance(item, p.Step):
            for link in inner_links(item.chain):
                chances = (link.accuracy, *link.accuracy_by_tier.values())
                found += [
                    (one.file, link.span) for one in chances if isinstance(one, MeasuredShare)
                ]
        elif isinstance(item, p.Gate) and isinstance(item.evidence, p.ByFile):
            found.append((item.evidence.file, item.span))
        for name, span in found:
            if name not in seen:
                seen.add(name)
                yield name, span
