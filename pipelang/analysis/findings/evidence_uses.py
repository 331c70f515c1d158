"""The uses of evidence files: what each is evidence for, and behind which gates that stands."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pipelang.analysis.model.model import file_cuts, make_model
from pipelang.analysis.model.parameters import point_parameters
from pipelang.diagnostics import Span
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.chance import MeasuredShare
from pipelang.semantics.evidence_origin import prompt_hash
from pipelang.semantics.kernels.run import sub_pipelines
from pipelang.semantics.types import Type
from pipelang.semantics.walk import all_items, all_steps, inner_blocks, inner_links, tiers_of

Passed = tuple[tuple[str, str], ...]
"""Gates, approvals and holds that a case has passed, in order: their pipelines and names."""


@dataclass(frozen=True, slots=True)
class EvidenceUse:
    """A file as evidence: of the answers of `step`, to these `prompts` by these `tiers` (none of
    people and tools), at the place `name`, behind these `gates`; its shares may be off by `shift`.
    """

    file: str
    span: Span
    pipeline: str
    name: str
    step: str
    prompts: tuple[tuple[str, Type], ...]
    tiers: tuple[str, ...]
    gates: Passed
    shift: Decimal = Decimal(0)

    def stands_behind(self, gate: str) -> bool:
        """Whether every case passed a gate, by its name or by pipeline and name, before."""
        return any(gate in (name, f"{pipeline}.{name}") for pipeline, name in self.gates)

    def hashes(self, program: p.Program) -> dict[str, str]:
        """The prompts by the hash of what is asked."""
        return {prompt_hash(program, *asked): asked[0] for asked in self.prompts}

    def models(self, program: p.Program) -> list[str] | None:
        """The models behind the tiers; None where a tier does not say which it is."""
        named = [program.tiers[tier].model for tier in self.tiers]
        known = list(dict.fromkeys(model for model in named if model is not None))
        return None if None in named else known


def evidence_uses(program: p.Program, pipeline: p.Pipeline) -> Iterator[EvidenceUse]:
    """Every use of an evidence file in a pipeline: by steps, then by gates of their own."""
    behind = gates_before(program, pipeline)
    steps: dict[str, p.Step] = {}
    for item in all_items(pipeline.block):
        if isinstance(item, p.Step):
            steps[item.name] = item
            yield from _of_step(pipeline, item, behind[item.name])
    own = {
        item.name: item
        for item in all_items(pipeline.block)
        if isinstance(item, p.Gate) and isinstance(item.evidence, p.ByFile)
    }
    if not own:
        return
    model = make_model(program, pipeline, point_parameters(program))
    for gate in own.values():
        assert isinstance(gate.evidence, p.ByFile)
        for name, file, _, _ in file_cuts(model, [gate]):
            if name in steps and file == gate.evidence.file:
                links = list(inner_links(steps[name].chain))
                prompts = tuple(asked for link in links if (asked := asked_by(link.action)))
                tiers = tuple(tier for link in links for tier in tiers_of(link.action))
                names = (pipeline.name, gate.name, name)
                before, shift = behind[gate.name], gate.evidence.shift
                yield EvidenceUse(file, gate.span, *names, prompts, tiers, before, shift)
                break


def _of_step(pipeline: p.Pipeline, step: p.Step, gates: Passed) -> Iterator[EvidenceUse]:
    for link in inner_links(step.chain):
        asked = asked_by(link.action)
        prompts = (asked,) if asked else ()
        shares = dict(link.accuracy_by_tier)
        rest = tuple(tier for tier in tiers_of(link.action) if tier not in shares)
        measured = [((tier,), share) for tier, share in shares.items()]
        for tiers, share in [*measured, (rest, link.accuracy)]:
            if isinstance(share, MeasuredShare):
                names = (pipeline.name, step.name, step.name)
                where = (share.file, link.span)
                yield EvidenceUse(*where, *names, prompts, tiers, gates, share.shift)


def asked_today(pipeline: p.Pipeline, step: str) -> Iterator[tuple[tuple[str, Type], set[str]]]:
    """The prompts that a step asks, with evidence or without, each with the tiers that answer."""
    for item in all_items(pipeline.block):
        if isinstance(item, p.Step) and item.name == step:
            for link in inner_links(item.chain):
                asked = asked_by(link.action)
                if asked is not None:
                    yield asked, set(tiers_of(link.action))


def asked_by(action: p.Action) -> tuple[str, Type] | None:
    """The prompt that an action asks, and the type of the answer."""
    if isinstance(action, (p.AskTier, p.AskRole, p.Cascade, p.Agent)):
        return action.prompt, action.answers
    return None


def gates_before(program: p.Program, pipeline: p.Pipeline) -> dict[str, Passed]:
    """For each item the gates, approvals and holds that every case passed before it comes there:
    those of the callers of its pipeline first.
    """
    found: dict[str, Passed] = {}
    callers = _by_callers(program, pipeline.name, frozenset())
    _before(pipeline, pipeline.block, callers, found)
    return found


def _before(pipeline: p.Pipeline, block: p.Block, passed: Passed, found: dict[str, Passed]) -> None:
    for item in block.items:
        name = getattr(item, "name", None)
        if name is not None:
            found[name] = passed
        for inner in inner_blocks(item):
            _before(pipeline, inner, passed, found)
        if isinstance(item, (p.Gate, p.Person)):
            passed = (*passed, (pipeline.name, item.name))


def _by_callers(program: p.Program, name: str, seen: frozenset[str]) -> Passed:
    """The gates that stand before some `run` of a pipeline."""
    found: dict[tuple[str, str], None] = {}
    for caller in program.pipelines.values():
        if caller.name in seen or name not in set(sub_pipelines(caller.block)):
            continue
        before: dict[str, Passed] = {}
        _before(caller, caller.block, (), before)
        found |= dict.fromkeys(_by_callers(program, caller.name, seen | {name}))
        for step in all_steps(caller):
            if _runs(step, name):
                found |= dict.fromkeys(before.get(step.name, ()))
    return tuple(found)


def _runs(step: p.Step, name: str) -> bool:
    return any(
        isinstance(link.action, p.RunPipeline) and link.action.pipeline == name
        for link in inner_links(step.chain)
    )
