"""The kernel of `hard`: one hidden draw a root run says whether its case is hard, for all it does.

The share is the root's. That of a sub-pipeline is used where it is the root itself, and elements of
a list and turns of an agent are of the case that they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.semantics import program as p
from pipelang.semantics.chance import ByCase, Chance, Undeclared
from pipelang.semantics.kernels.run import sub_pipelines
from pipelang.semantics.walk import all_items, inner_links

HARD = "hard"
"""The word of traffic for the share of the inputs that are hard, and the name of the unknown."""


def share_of_hard(program: p.Program, pipeline: p.Pipeline) -> Chance | None:
    """The share of hard cases in a root's runs; None where no rate depends on it."""
    if not depends_on_hardness(program, pipeline):
        return None
    hard = pipeline.traffic.hard
    return Undeclared(HARD) if hard is None else hard.share


def depends_on_hardness(program: p.Program, pipeline: p.Pipeline) -> bool:
    """Whether a rate of a pipeline, or of one that it runs, has another value if the case is
    hard.
    """
    seen: set[str] = set()
    todo = [pipeline]
    while todo:
        one = todo.pop()
        if any(isinstance(chance, ByCase) for chance in _chances(program, one)):
            return True
        for name in sub_pipelines(one.block):
            if name not in seen:
                seen.add(name)
                todo.append(program.pipelines[name])
    return False


def _chances(program: p.Program, pipeline: p.Pipeline) -> Iterator[Chance]:
    """Every share in a pipeline that may have another value if the case is hard."""
    traffic = pipeline.traffic
    for path in traffic.paths:
        yield from (chance for _, chance in path.shares)
    lines: tuple[p.ConditionShare | p.NamedShare, ...] = (*traffic.conditions, *traffic.names)
    for line in lines:
        yield from (line.right, line.wrong)
    for item in all_items(pipeline.block):
        match item:
            case p.Gate(evidence=p.ByRates() as rates):
                yield from (rates.catches, rates.false_alarms)
            case p.Person():
                yield program.roles[item.role].accuracy
            case p.Step():
                for link in inner_links(item.chain):
                    yield from (link.accuracy, link.recovers, *link.accuracy_by_tier.values())
                    if isinstance(link.action, p.Cascade):
                        yield from (link.action.rates.catches, link.action.rates.false_alarms)
            case _:
                pass
