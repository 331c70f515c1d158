"""Chains over many providers: each outage is a state, and sums over states are deep."""

from __future__ import annotations

import pytest

from pipelang.analysis.metrics.analyse import analyse
from pipelang.semantics.build import build
from tests.memory import MemoryLoader


@pytest.mark.parametrize("size", [9, 10, 12])
def test_a_step_that_falls_back_through_many_providers(size: int) -> None:
    """At 10 the text of a move was too deep for Python to compile, at 12 its derivative."""
    tiers = "".join(
        f"provider p{number} {{ kind simulated available 99% }}\n"
        f'tier t{number} {{ provider p{number} model "m" price $1 in, $5 out }}\n'
        for number in range(size)
    )

    def chain(order: range) -> str:
        asked = (
            f"ask say(q) by t{number} {{ accuracy 90% output 9 tokens max }}" for number in order
        )
        return " else ".join(asked) + " else escalate to team"

    text = (
        f'{tiers}role team {{ }}\nprompt say(q: text max 9 tokens) """Say {{{{ q }}}}."""\n'
        "pipeline main(q: text max 9 tokens) -> text max 9 tokens {\n"
        f"  step a: text max 9 tokens = {chain(range(size))}\n"
        f"  step b: text max 9 tokens = {chain(range(size - 1, -1, -1))}\n"
        "  return b\n}\n"
    )
    built = build("m.pipe", MemoryLoader({"m.pipe": text}))
    assert built.program is not None, built.diagnostics
    numbers = analyse(built.program, built.program.pipelines["main"]).numbers
    total = 0.0
    for name in ("success", "silent_error", "escalation", "failure"):
        low = numbers[name].low
        assert low is not None
        total += low
    assert total <= 1 + 1e-9
