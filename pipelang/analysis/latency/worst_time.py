"""The longest run: every attempt up to its timeout, every retry after its longest wait, every redo.

What runs side by side takes as long as the longest of it. `None` stands for "nothing bounds it".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import inf

from pipelang.analysis.kernels.each import fixed_length
from pipelang.analysis.kernels.subpipelines import child_model
from pipelang.analysis.latency.regions import waits
from pipelang.analysis.latency.worst_cost import ANYTHING
from pipelang.analysis.model.model import PipelineModel
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.kernels.chain import attempts, longest_wait
from pipelang.semantics.kernels.redo import all_reruns


@dataclass(frozen=True, slots=True)
class _Longest:
    """Seconds of the longest way through a block to its end, and of the longest that ends the run
    inside; None where there is no such way.
    """

    through: float | None
    ended: float | None


def longest_run(model: PipelineModel, people: bool) -> float | None:
    """Seconds of the longest run, with waits for `people` or without."""
    longest = _block(model, model.pipeline.block, people)
    seconds = max(longest.through or 0.0, longest.ended or 0.0)
    return None if seconds == inf else seconds


def _block(model: PipelineModel, block: p.Block, people: bool) -> _Longest:
    total, ended = 0.0, None
    for segment in block.segments:
        if isinstance(segment, p.Region):
            total += _region(model, block.items, segment.members, people)
            continue
        item = block.items[segment.index]
        match item:
            case p.Step():
                total += _step(model, item, people)
            case p.Gate():
                if isinstance(item.otherwise, p.Redo):
                    redo = item.otherwise
                    again = set(all_reruns(block.items, segment.index, redo))
                    total += redo.times * _again(model, block, again, people)
            case p.Person():
                if people:
                    total += inf if item.seconds is None else float(item.seconds)
            case p.When() | p.MatchBranch():
                inside = (
                    (item.then, item.otherwise)
                    if isinstance(item, p.When)
                    else [arm for _, arm in item.arms]
                )
                found = [_block(model, branch, people) for branch in inside]
                ends = [total + one.ended for one in found if one.ended is not None]
                ended = max(ends, default=ended) if ended is None else max([ended, *ends])
                goes_on = [one.through for one in found if one.through is not None]
                if not goes_on:
                    return _Longest(None, ended)
                total += max(goes_on)
            case p.End():
                return _Longest(None, total if ended is None else max(total, ended))
            case p.Remember() | p.Let():
                pass
    # A gate or step that ends the run does so no later than everything below it.
    return _Longest(total, ended)


def _region(
    model: PipelineModel, items: Sequence[p.Item], members: Iterable[int], people: bool
) -> float:
    """The longest path through a region."""
    before = waits(items, sorted(members))
    done: dict[int, float] = {}
    for index in sorted(before):
        item = items[index]
        start = max((done[other] for other in before[index]), default=0.0)
        done[index] = start + (_step(model, item, people) if isinstance(item, p.Step) else 0.0)
    return max(done.values(), default=0.0)


def _again(model: PipelineModel, block: p.Block, again: set[int], people: bool) -> float:
    """Everything that a redo runs again, region by region."""
    total = 0.0
    for segment in block.segments:
        if isinstance(segment, p.Region):
            total += _region(model, block.items, again.intersection(segment.members), people)
        elif segment.index in again:
            item = block.items[segment.index]
            total += _step(model, item, people) if isinstance(item, p.Step) else 0.0
    return total


def _step(model: PipelineModel, step: p.Step, people: bool) -> float:
    return _chain(model, step.chain, people)


def _chain(model: PipelineModel, chain: p.Chain, people: bool) -> float:
    return sum(_retried(model, link, people) for link in chain.links)


def _retried(model: PipelineModel, link: p.Link, people: bool) -> float:
    """A link with the attempts that the chain makes of it, and the waits between them."""
    if isinstance(link.action, p.Choose):
        return max(_retried(model, arm, people) for _, arm in link.action.arms)
    return _tried(link, attempts(link), _link(model, link, people))


def _tried(link: p.Link, count: int, seconds: float) -> float:
    """So many attempts of so many seconds each, and the longest waits between them."""
    waiting = sum(longest_wait(link.retry, number) for number in range(1, count))
    return count * seconds + float(waiting)


def _retries(link: p.Link, seconds: float) -> float:
    """A call of a vote, with its own retries; a bare attempt of anything else."""
    return seconds if link.vote is None else _tried(link, link.retry.count + 1, seconds)


def _polled(link: p.Link, seconds: float) -> float:
    """All calls of a vote: a majority's run side by side."""
    return link.vote.calls * seconds if isinstance(link.vote, p.Lead) else seconds


def _loop(model: PipelineModel, link: p.Link, agent: p.Agent, people: bool) -> float:
    """Every turn of an agent with its retries, and the slowest of its tools between two turns."""
    seconds = agent.steps * _tried(link, link.retry.count + 1, _limit(link))
    if agent.steps > 1:
        seconds += (agent.steps - 1) * _tools(model, agent, people)
    return seconds


def _link(model: PipelineModel, link: p.Link, people: bool) -> float:
    """One attempt of a link."""
    action = link.action
    match action:
        case p.AskTier():
            return _polled(link, _retries(link, _limit(link)))
        case p.Agent():
            return _polled(link, _loop(model, link, action, people))
        case p.Cascade():
            if action.agent is not None:
                return len(action.tiers) * _loop(model, link, action.agent, people)
            return len(action.tiers) * _tried(link, link.retry.count + 1, _limit(link))
        case p.AskRole():
            if not people:
                return 0.0
            limit = link.timeout
            return _polled(link, _retries(link, inf if limit is None else float(limit)))
        case p.Call():
            limit = link.timeout or model.program.tools[action.tool].timeout
            return _polled(link, _retries(link, inf if limit is None else float(limit)))
        case p.RunPipeline():
            seconds = longest_run(child_model(model, action), people)
            return inf if seconds is None else seconds
        case p.Each():
            length = fixed_length(model.expand(action.elements))
            count = action.most if length is None else length
            at_once = 1 if action.ordered else min(action.parallel or count, count)
            if not count:
                return 0.0
            return -(-count // at_once) * _chain(model, action.body, people)
        case p.Choose():
            raise AssertionError("a match is resolved before it is attempted")
        case p.Value() | p.Recall() | p.Broken():
            return 0.0


def _limit(link: p.Link) -> float:
    """One attempt at a model; a batch first, where it stands for one."""
    usual = inf if link.timeout is None else float(link.timeout)
    return usual + (0.0 if link.batch is None else float(link.batch))


def _tools(model: PipelineModel, agent: p.Agent, people: bool) -> float:
    """What an agent calls between two turns, side by side: the slowest of it."""
    longest = 0.0
    for name in agent.tools:
        tool = model.program.tools[name]
        limit = inf if tool.timeout is None else float(tool.timeout)
        waiting = sum(longest_wait(tool.retry, n) for n in range(1, tool.retry.count + 1))
        longest = max(longest, (tool.retry.count + 1) * limit + float(waiting))
    for name in agent.pipelines:
        arguments = tuple((q.name, ANYTHING) for q in model.program.pipelines[name].parameters)
        child = child_model(model, p.RunPipeline(name, arguments))
        seconds = longest_run(child, people)
        longest = max(longest, inf if seconds is None else seconds)
    return longest
