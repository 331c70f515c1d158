"""Idempotency keys: which of the things that a run does a call is, whoever asks and however often.

A key says where a call stands: `RUN/PATH/STEP/NUMBER`. The path are the steps that run the
sub-pipelines around it, the number is the element of an `each`, else the visit of the step: 0, and
one more with every redo. Where a step does several things, a suffix says which (`Attempt.part`).
All attempts of a call have one key, and so has the same call of a run that is done again under its
id; two different calls never share one. Nothing in it comes from chance or from the order in which
calls side by side happen to be made.
"""

from __future__ import annotations

from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.world import Attempt

KEY = "idempotency_key"
"""The parameter by which a Python function gets the key of its call."""


def key_of(run: Run, attempt: Attempt) -> str:
    """The key of a call."""
    step = attempt.step.name
    visit = run.visit(step)
    if not run.index:
        return f"{run.id}/{run.place}{step}/{visit}{attempt.part}"
    of_the_list = run.place.removesuffix(f"[{run.index}]/")
    redone = f".{visit}" if visit else ""
    return f"{run.id}/{of_the_list}/{run.index}{redone}{attempt.part}"
