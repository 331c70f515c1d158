"""Baselines: what runs in a pipeline is asked at one tier, all else of a file stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelang.analysis.metrics.baseline_cost import asks_models, at_tier
from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.kernels.run import sub_pipelines
from pipelang.semantics.walk import contents

REPO = Path(__file__).parents[4]
FILES = ["support/support", "supervisor/supervisor", "moderation/moderation", "devops/devops"]


def program_of(name: str) -> p.Program:
    program = build(str(REPO / f"examples/{name}.pipe"), DiskLoader()).program
    assert program is not None
    return program


def reached(program: p.Program, name: str) -> set[str]:
    """By the definition: itself, and what is reached from whatever it runs."""
    inner = set(sub_pipelines(program.pipelines[name].block))
    return {name}.union(*(reached(program, one) for one in inner))


def models_of(pipeline: p.Pipeline) -> list[object]:
    links = [link.action for _, link in contents(pipeline.block).links]
    return [one for one in links if isinstance(one, (p.AskTier, p.Agent, p.Cascade))]


@pytest.mark.parametrize("file", FILES)
def test_what_runs_in_it_is_at_the_tier_and_no_more(file):
    program = program_of(file)
    tier = next(iter(program.tiers))
    changed = 0
    for name, pipeline in program.pipelines.items():
        made, inside = at_tier(program, pipeline, tier), reached(program, name)
        for other, before in program.pipelines.items():
            after = made.pipelines[other]
            if other not in inside:
                assert after is before
                continue
            for action in models_of(after):
                assert not isinstance(action, p.Cascade)
                assert action.who.value == tier
                changed += 1
        models = any(models_of(program.pipelines[one]) for one in inside)
        assert asks_models(program, pipeline) == models
    assert changed
