"""The kernel of `hard`: one hidden draw a root run says whether its case is hard, for all it does.

The share is the root's. That of a sub-pipeline is used where it is the root itself, and elements of
a list and turns of an agent are of the case that they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.semantics import program as p
from pipelang.semantics.chance import ByCase, Chance, Undeclared
from pipelang.semantics.kernels.run import with_inner
from pipelang.semantics.walk import all_items, contents, inner_links, once

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
    return any(
        once(one.block, _has_rates_by_case)
        or any(isinstance(chance, ByCase) for chance in _chances(program, one))
        for one in with_inner(program, pipeline)
    )


def _chances(program: p.Program, pipeline: p.Pipeline) -> Iterator[Chance]:
    """Every share of a pipeline's traffic and of the people that it asks, which may have another
    value if the case is hard.
    """
    traffic = pipeline.traffic
    for path in traffic.paths:
        yield from (chance for _, chance in path.shares)
    lines: tuple[p.ConditionShare | p.NamedShare, ...] = (*traffic.conditions, *traffic.names)
    for line in lines:
        yield from (line.right, line.wrong)
    for item in contents(pipeline.block).beside:
        if isinstance(item, p.Person):
            yield program.roles[item.role].accuracy


def _has_rates_by_case(block: p.Block) -> bool:
    return any(map(_depends, all_items(block)))


def _depends(item: p.Item) -> bool:
    """Whether a gate or a step has a rate that may have another value if the case is hard."""
    if isinstance(item, p.Step):
        return any(map(_link_depends, inner_links(item.chain)))
    rates = item.evidence if isinstance(item, p.Gate) else None
    return isinstance(rates, p.ByRates) and _rates_depend(rates)


def _link_depends(link: p.Link) -> bool:
    if isinstance(link.accuracy, ByCase) or isinstance(link.recovers, ByCase):
        return True
    if isinstance(link.action, p.Cascade) and _rates_depend(link.action.rates):
        return True
    tiers = link.accuracy_by_tier
    return bool(tiers) and any(isinstance(chance, ByCase) for chance in tiers.values())


def _rates_depend(rates: p.ByRates) -> bool:
    return isinstance(rates.catches, ByCase) or isinstance(rates.false_alarms, ByCase)
