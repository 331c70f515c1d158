"""Inputs of a run that may be others when it is gone through again, and passes of its breakers."""

from __future__ import annotations

import time
from typing import Any

from pipelang.runtime.engine.run import Run
from pipelang.runtime.shared.circuit_breakers import Admission
from pipelang.runtime.shared.quotas import Quotas
from pipelang.runtime.worlds.real.circuit_breaking import GuardedRun, breaker_key, breaker_name
from pipelang.runtime.worlds.real.quota_stakes import QuotaStake, granted
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p


class InputExpressions:
    """Tells which expressions of a program are inputs: those that read what a budget has left, or
    call a `fn` in Python, which need not say the same twice.
    """

    def __init__(self, program: p.Program) -> None:
        self._functions = program.functions
        self._known: dict[int, tuple[expr.Expr, bool]] = {}

    def __contains__(self, node: expr.Expr) -> bool:
        known = self._known.get(id(node))
        if known is None:
            known = self._known[id(node)] = (node, any(map(self._is_input, expr.walk(node))))
        return known[1]

    def _is_input(self, part: expr.Expr) -> bool:
        if isinstance(part, expr.Apply):
            body = self._functions[part.function].body
            return body is None or body in self
        return isinstance(part, expr.BudgetLeft)


def pass_json(run: Run, since_start: float) -> dict[str, Any] | None:
    """The pass that a breaker gave a run; None if it was not admitted."""
    guarded: GuardedRun | None = run.frame
    if guarded is None:
        return None
    return {
        "turn": guarded.given.turn,
        "probe": guarded.given.probe,
        "cost": guarded.cost,
        "tokens": guarded.tokens,
        "elapsed": guarded.elapsed,
        "since": since_start,
    }


def pass_from(run: Run, data: dict[str, Any] | None, since_start: float) -> GuardedRun | None:
    """The pass that a former process of the run was given."""
    if data is None:
        return None
    return GuardedRun(
        Admission(breaker_key(run), data["turn"], data["probe"], breaker_name(run)),
        data["cost"],
        data["tokens"],
        data["elapsed"],
        time.monotonic() - max(since_start - data["since"], 0.0),
    )


def quota_json(run: Run) -> float:
    """The time when a run started by which its quota counts it."""
    stake = run.budget.stake
    assert isinstance(stake, QuotaStake)
    return stake.started


def quota_from(run: Run, started: float, quotas: Quotas) -> None:
    """The stake that a former process of the run was granted. It is taken up before anything is
    called: what is held of it may be as little as was spent.
    """
    granted(run, quotas, started, rests=True)


def verdicts_json(run: Run) -> list[dict[str, bool] | None] | None:
    """The verdicts of gates that breakers count, of a run and those around it; None for none."""
    found: list[dict[str, bool] | None] = []
    at: Run | None = run
    while at is not None:
        found.append(None if at.frame is None else dict(at.frame.gates))
        at = at.parent
    return found if any(found) else None


def restore_verdicts(run: Run, data: list[dict[str, bool] | None] | None) -> None:
    at: Run | None = run
    for gates in data or ():
        assert at is not None
        if gates and at.frame is not None:
            at.frame.gates.update(gates)
        at = at.parent
