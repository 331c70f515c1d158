"""Notes on what a store changes: a call of unknown fate ends the run, whatever its chain says.

The analysis counts a timeout of a call that acts as a failed attempt, after which the chain goes
on. In a store nobody knows then whether the call took effect, so the run ends there.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.analysis.production.setup import DeploymentSetup
from pipelang.diagnostics import Diagnostic, codes, report
from pipelang.semantics import program as p
from pipelang.semantics.walk import all_steps, inner_links


def ends_as_unknown(
    program: p.Program, pipeline: p.Pipeline, setup: DeploymentSetup
) -> Iterator[Diagnostic]:
    """Tell of every call that acts, is not idempotent, and has something behind it in its chain."""
    if setup.store is None:
        return
    for step in all_steps(pipeline):
        chains = [step.chain]
        chains += [
            link.action.body for link in inner_links(step.chain) if isinstance(link.action, p.Each)
        ]
        for chain in chains:
            for number, link in enumerate(chain.links):
                yield from _unused(program, link, chain, number)


def _unused(program: p.Program, link: p.Link, chain: p.Chain, number: int) -> Iterator[Diagnostic]:
    if isinstance(link.action, p.Choose):
        for _, arm in link.action.arms:
            yield from _unused(program, arm, chain, number)
    if not isinstance(link.action, p.Call):
        return
    tool = program.tools[link.action.tool]
    if not tool.acts or tool.idempotent:
        return
    if number + 1 < len(chain.links):
        what = "and nothing behind it stands in"
    elif chain.end is not None and not isinstance(chain.end, p.Fail):
        what = "and not as the chain ends"
    else:
        return
    yield report(
        codes.EFFECT_UNKNOWN,
        link.span,
        tool=tool.name,
        when="times out or loses its connection",
        what=what,
        help="say `idempotent` if its service remembers the key that it is called with",
    )
