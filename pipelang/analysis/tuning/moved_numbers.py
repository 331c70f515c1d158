"""Numbers of a program that an assignment moves: thresholds on confidences, and links retried.

A changed text has its places elsewhere, so both are known by their order, which no edit changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pipelang.analysis.model.evidence import Cut, EvidenceTable
from pipelang.analysis.model.model import confidence_cut, file_cuts, make_model
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.tuning.dimensions import Dimension
from pipelang.diagnostics import Span
from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import pipelines_run
from pipelang.semantics.walk import all_items, inner_links


@dataclass(frozen=True, slots=True)
class MovableThreshold:
    """A threshold on a confidence, in the order in which the program's tests have them: on which
    file, whether it must be exceeded, its value as it is written, the dimension that moves it.
    """

    file: str
    strict: bool
    value: Decimal
    by: int | None


def by_file(thresholds: Sequence[MovableThreshold]) -> dict[str, list[int]]:
    """The numbers of the thresholds on each file."""
    found: dict[str, list[int]] = {}
    for at, one in enumerate(thresholds):
        found.setdefault(one.file, []).append(at)
    return found


def thresholds_of(
    program: p.Program, pipeline: p.Pipeline
) -> Iterator[tuple[str, Cut, expr.Const]]:
    """The thresholds of a pipeline and of those that it runs, in the order of its tests."""
    if not program.evidence:
        return
    for one in (pipeline, *pipelines_run(program, pipeline)):
        parameters = Parameters(EvidenceTable(program.evidence), lambda site: 0.5)
        model = make_model(program, one, parameters)
        for _, file, cut, compare in file_cuts(model, list(all_items(model.pipeline.block))):
            assert confidence_cut(compare) is not None
            side = next(x for x in (compare.left, compare.right) if isinstance(x, expr.Const))
            yield file, cut, side


def links_of(program: p.Program, pipeline: p.Pipeline) -> list[p.Link]:
    """The links of a pipeline and of those that it runs, in writing order."""
    return [
        link
        for one in (pipeline, *pipelines_run(program, pipeline))
        for item in all_items(one.block)
        if isinstance(item, p.Step)
        for link in inner_links(item.chain)
    ]


def only_a_cut(program: p.Program, one: Dimension, compared: set[Span]) -> bool:
    """Whether what is set is nothing but a threshold: of a setting, all that reads it compares it
    so.
    """
    setting = one.setting
    if setting is None:
        return True
    found = list(_reads(program.pipelines, setting, {}))
    for group in (program.prompts, program.tools, program.roles, program.memories):
        found += _reads(group, setting, {})
    return bool(found) and all(one.span in compared for one in found)


def _reads(node: Any, setting: str, seen: dict[int, Any]) -> Iterator[expr.Const]:
    """The places in part of a program that read a setting."""
    if isinstance(node, (str, int, bool, Decimal, Span)) or node is None or id(node) in seen:
        return
    seen[id(node)] = node
    if isinstance(node, expr.Const):
        if node.setting == setting:
            yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _reads(value, setting, seen)
    elif isinstance(node, (tuple, list, frozenset)):
        for value in node:
            yield from _reads(value, setting, seen)
    else:
        for name in getattr(type(node), "__match_args__", ()):
            yield from _reads(getattr(node, name), setting, seen)
