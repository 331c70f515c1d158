"""Samples: answers of a share of the runs that go before people for a verdict.

A run is drawn once, for all of its steps and sub-pipelines, by a number that follows from its id:
the same in every process, also after a crash. A run whose number is below 1% is also one of those
below 5%, so that shares of different sizes can be made alike later.
"""

from __future__ import annotations

import contextlib
from hashlib import sha256
from typing import Any

from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.redaction import hide_json
from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.values import shown
from pipelang.runtime.engine.world import Sampled
from pipelang.semantics import program as p
from pipelang.semantics.evidence_origin import prompt_hash


def drawn(run_id: str) -> float:
    """The number of a run, uniform in [0, 1): it is sampled by shares above it."""
    digest = sha256(f"sample:{run_id}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:7]) / 2**56


async def put_before_people(run: Run, step: p.Step, link: p.Link, answer: Any) -> None:
    """Put an answer of a step before all who are to judge it in this run."""
    samples = [one for one in run.pipeline.samples if step.name in one.steps]
    if not samples:
        return
    draw = drawn(run.id)
    for sample in samples:
        if draw >= sample.share:
            continue
        said = hide_json(run, shown(step.type, answer))
        given = hide_json(run, _given(run, link.action))
        place = run.at(step.name)
        role = run.program.roles[sample.role]
        about = {
            **_about(run, step, link, said),
            "share": float(sample.share),
            "draw": draw,
            "weight": float(role.weight),
            "rushed": None if role.rushed is None else float(role.rushed),
        }
        await run.world.judge(run, Sampled(step, sample.role, place, given, said, about))


def _given(run: Run, action: p.Action) -> Any:
    """The question of an answer, as JSON: the arguments of the ask or the call."""
    if not isinstance(action, (p.AskTier, p.AskRole, p.Cascade, p.Agent, p.Call)):
        return None
    given = {}
    for name, node in action.arguments:
        with contextlib.suppress(NoValue):
            given[name] = shown(node.type, run.evaluate(node))
    return given


def _about(run: Run, step: p.Step, link: p.Link, said: Any) -> dict[str, Any]:
    """The subject of a verdict. Only a single answer of a model says something of that model: the
    one that a cascade took or a vote chose is better than most.
    """
    action, tier = link.action, run.notes.tiers.get(step.name)
    model = asked = None
    if isinstance(action, p.AskTier) and link.vote is None and tier is not None:
        model = run.program.tiers[tier].model
        asked = prompt_hash(run.program, action.prompt, action.answers)
    sure = said.get("confidence") if isinstance(said, dict) else None
    return {
        "program": run.program.hash,
        "pipeline": run.pipeline.name,
        "step": step.name,
        "path": run.path,
        "visit": run.visit(step.name),
        "by": "model" if isinstance(action, (p.AskTier, p.Cascade, p.Agent)) else "other",
        "tier": None if asked is None else tier,
        "model": model,
        "prompt": asked,
        "confidence": sure if isinstance(sure, (int, float)) else None,
    }
