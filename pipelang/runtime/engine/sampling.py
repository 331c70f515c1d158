"""Samples: answers of a share of the runs that go before people for a verdict.

A run is drawn once, for all of its steps and sub-pipelines, by a number that follows from its id:
the same in every process, also after a crash. A run whose number is below 1% is also one of those
below 5%, so that shares of different sizes can be made alike later.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.redaction import hide_json
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import shown
from pipelang.runtime.engine.world import Sampled
from pipelang.runtime.files.strict_json import is_number
from pipelang.semantics import program as p
from pipelang.semantics.evidence_origin import prompt_hash
from pipelang.semantics.types import ListType
from pipelang.semantics.walk import inner_links


def drawn(run_id: str) -> float:
    """The number of a run, uniform in [0, 1): it is sampled by shares above it."""
    digest = sha256(f"sample:{run_id}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:7]) / 2**56


def samples_here(run: Run, step: str) -> list[p.Sample]:
    """The samples that name a step of a run: those of its pipeline, and of the ones around it that
    name it by both names. Of a role the largest share counts.
    """
    found: dict[str, p.Sample] = {}
    named, around = step, run
    while True:
        for one in around.pipeline.samples:
            if named in one.steps and (one.role not in found or one.share > found[one.role].share):
                found[one.role] = one
        if around.parent is None:
            return list(found.values())
        named, around = f"{run.pipeline.name}.{step}", around.parent


async def put_before_people(
    run: Run, step: p.Step, chain: p.Chain, link: p.Link, answer: Any
) -> None:
    """Put an answer of a step before all who are to judge it in this run: of an `each` every
    element for itself, also where another link of the step gives the list at once.
    """
    samples = samples_here(run, step.name) if run.world.has_values else []
    if not samples:
        return
    draw = drawn(run.id)
    drawn_for = [one for one in samples if draw < one.share]
    if not drawn_for:
        return
    path, place = run.path, run.at(step.name)
    if chain is not step.chain:
        await _put(run, step, link, drawn_for, path.rstrip("/"), path, place, answer)
    elif not any(isinstance(one.action, p.Each) for one in inner_links(chain)):
        await _put(run, step, link, drawn_for, path + step.name, path, place, answer)
    elif not isinstance(link.action, p.Each):
        for index, one in enumerate(answer):
            name = f"{path}{step.name}[{index}]"
            await _put(run, step, link, drawn_for, name, f"{name}/", f"{place}[{index}]", one)


async def _put(
    run: Run,
    step: p.Step,
    link: p.Link,
    samples: Iterable[p.Sample],
    name: str,
    path: str,
    place: str,
    answer: Any,
) -> None:
    type = step.type
    if path != run.path or name == path.rstrip("/"):
        assert isinstance(type, ListType)
        type = type.element
    said = hide_json(run, shown(type, answer))
    given = hide_json(run, _given(run, link.action))
    for sample in samples:
        role = run.program.roles[sample.role]
        about = {
            **_about(run, step, link, said, path),
            "share": float(sample.share),
            "draw": drawn(run.id),
            "weight": float(role.weight),
            "rushed": None if role.rushed is None else float(role.rushed),
        }
        await run.world.judge(
            run, Sampled(step, name, type, sample.role, place, given, said, about)
        )


def _given(run: Run, action: p.Action) -> Any:
    """The question of an answer, as JSON: the arguments of the ask or the call."""
    if not isinstance(action, (p.AskTier, p.AskRole, p.Cascade, p.Agent, p.Call)):
        return None
    given = {}
    for name, node in action.arguments:
        with contextlib.suppress(NoValue):
            given[name] = shown(node.type, run.evaluate(node))
    return given


def _is_probability(value: Any) -> bool:
    """Whether an answer's `confidence` is one: a field of that name may be a mark of 1..10."""
    return is_number(value) and 0 <= value <= 1


def _about(run: Run, step: p.Step, link: p.Link, said: Any, path: str) -> dict[str, Any]:
    """The subject of a verdict. Only a single answer of a model says something of that model: the
    one that a cascade took or a vote chose is better than most.
    """
    action, tier = link.action, run.notes.tiers.get(run.at(step.name))
    model = asked = None
    if isinstance(action, p.AskTier) and link.vote is None and tier is not None:
        model = run.program.tiers[tier].model
        asked = prompt_hash(run.program, action.prompt, action.answers)
    sure = said.get("confidence") if isinstance(said, dict) else None
    source = run.notes.sources.get(run.at(step.name))
    return {
        "program": run.program.hash,
        "pipeline": run.pipeline.name,
        "step": step.name,
        "path": path,
        "visit": run.visit(step.name),
        "by": "model" if isinstance(action, (p.AskTier, p.Cascade, p.Agent)) else "other",
        "tier": None if asked is None else tier,
        "model": model,
        "prompt": asked,
        "confidence": sure if _is_probability(sure) else None,
        **({} if asked is None or source is None else {"confidence_from": source}),
    }
