"""Plain steps: finding the steps of a block that have a shape, and what they have alike.

A sweep, the dearest run and the longest one, and the rows of a report all go by it, so a pipeline's
steps are looked at once. No number is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pipelang.analysis.frontier.states import Key
from pipelang.analysis.kernels.providers import outage_key
from pipelang.analysis.model.model import EFFECT, END, PipelineModel, value_key
from pipelang.analysis.sweep.shapes import Outline, Plain
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p


def plain_step(model: PipelineModel, step: p.Step, taint: frozenset[str]) -> Plain | None:
    """A step under the conditions `taint`, if it has a shape; no number is asked for."""
    key = (id(step), taint) if taint else id(step)
    known: Any = model.shapes.get(key, False)
    if known is False:
        known = model.shapes[key] = _plain_step(model, step, taint)
    found: Plain | None = known
    return found


def plain_steps(
    model: PipelineModel, items: Iterable[p.Item], taint: frozenset[str]
) -> Iterator[Plain | None]:
    """The items of a block, in order: a step that has a shape, else None."""
    latent, here, roots_of = model.latent, model.pipeline.name, model.roots
    # A let stands for the steps behind it, an element for its list.
    steps = {} if model.lets or model.bound else model.steps
    # Most steps of a long pipeline call one tool. What such a step has alike with others is found
    # by the identity of what they share, without a call for each.
    lone: dict[tuple[Any, ...], Outline] = {}
    for item in items:
        if not isinstance(item, p.Step):
            yield None
            continue
        chain, reads, name = item.chain, item.reads, item.name
        link = chain.links[0]
        action = link.action
        if (
            not isinstance(action, p.Call)
            or len(chain.links) > 1
            or chain.end is not None
            or link.reads is not reads
            or link.vote is not None
            or link.cache is not None
            or taint
            or name in latent
        ):
            yield plain_step(model, item, taint)
            continue
        count = len(reads)
        if count == 1 and (root := next(iter(reads))) in steps:
            names: tuple[Key, ...] = (value_key(name), EFFECT, END, value_key(root))
        else:
            roots = sorted(roots_of(reads))
            count = len(roots)
            names = (value_key(name), EFFECT, END, *map(value_key, roots))
        key = (count, action.tool, id(link.accuracy), id(link.retry), link.timeout)
        outline = lone.get(key)
        if outline is None:
            alike = _of_call(action, link, count > 0)
            outline = lone[key] = _outline(model, count, 0, (), (count > 0,), alike)
        yield outline, names, (here, name), None


def remember_plain(model: PipelineModel, block: p.Block, plain: Sequence[Plain | None]) -> None:
    """Remember the plain steps of a block that stands under no conditions, by their index."""
    model.shapes["plain", id(block)] = plain


def known_plain(model: PipelineModel, block: p.Block) -> Sequence[Plain | None] | None:
    """The plain steps of a block by their index, where it was looked at under no conditions."""
    known: Sequence[Plain | None] | None = model.shapes.get(("plain", id(block)))
    return known


def outlines_of(model: PipelineModel) -> list[Outline | None]:
    """The outlines of all steps by themselves, whatever they stand under; None of one without."""
    block = model.pipeline.block
    plain, nowhere = known_plain(model, block), frozenset[str]()
    if plain is not None:
        steps = [
            one for one, item in zip(plain, block.items, strict=True) if isinstance(item, p.Step)
        ]
        if len(steps) == len(model.steps):  # none stands in a branch
            return [None if one is None else one[0] for one in steps]
    singly = [plain_step(model, step, nowhere) for step in model.steps.values()]
    return [None if one is None else one[0] for one in singly]


def _plain_step(model: PipelineModel, step: p.Step, taint: frozenset[str]) -> Plain | None:
    chain, reads, name = step.chain, step.reads, step.name
    links, end = chain.links, chain.end
    if (end is not None and isinstance(end, p.Return)) or name in model.latent:
        return None
    roots = model.roots(reads)
    around = sorted(taint - roots) if taint else ()
    outages: tuple[Key, ...] = ()
    given: list[bool] = []
    # Steps that call tools alone have an outline in common with all that are alike in this.
    alike: tuple[Any, ...] = ()
    calls = True
    for link in links:
        if link.vote is not None or link.cache is not None:
            return None
        action, behind = link.action, roots
        if link.reads is not reads and link.reads != reads:
            behind = model.roots(link.reads)
            if behind and behind != roots:
                return None
        given.append(bool(behind))
        if isinstance(action, p.Call):
            alike += _of_call(action, link, bool(behind))
            continue
        calls = False
        if not isinstance(action, p.Value):
            if not isinstance(action, p.AskTier) or not isinstance(action.who, expr.Const):
                return None
            outage = outage_key(model.program.tiers[str(action.who.value)].provider)
            outages = outages if outage in outages else (*outages, outage)
    names = (value_key(name), EFFECT, END, *map(value_key, sorted(roots)))
    if around or outages:
        names = (*names, *map(value_key, around), *outages)
    outline = _outline(
        model, len(roots), len(around), outages, tuple(given), alike if calls else None
    )
    return outline, names, (model.pipeline.name, name), end


def _of_call(action: p.Call, link: p.Link, given: bool) -> tuple[Any, ...]:
    """All that steps have alike whose links call a tool in the same way."""
    # A site is one parameter: where it is named, its number need not be compared.
    accuracy, retry = link.accuracy, link.retry
    kind = accuracy.__class__
    return (action.tool, accuracy.site, kind, retry.count, retry.backoff, link.timeout, given)


def _outline(
    model: PipelineModel,
    roots: int,
    around: int,
    outages: tuple[Key, ...],
    given: tuple[bool, ...],
    alike: tuple[Any, ...] | None,
) -> Outline:
    """The outline of a step; the one of all whose links call tools alone and are `alike`."""
    if alike is None:
        return Outline(roots, around, outages, given, False)
    key = (roots, around, alike)
    known: Outline | None = model.shapes.get(key)
    if known is None:
        known = model.shapes[key] = Outline(roots, around, outages, given, True)
    return known
