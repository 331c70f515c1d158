"""Idempotency keys: `run/step/index`, the same for every attempt of one call.

`index` counts the calls of a step; in an `each` it is the element's. So a key says which of the
things that a run does is meant, and the other side can tell a second attempt from a second thing.
What a step does besides (a fallback of an element, a sub-pipeline that an agent runs twice) gets a
number after a dot.
"""

from __future__ import annotations

import re

from pipelang.runtime.engine.run import Run
from pipelang.runtime.engine.world import Attempt

KEY = "idempotency_key"
"""The parameter by which a Python function gets the key of its call."""

_ELEMENT = re.compile(r"(?P<around>.*?)(?P<step>\w+)\[(?P<index>\d+)\]/", re.DOTALL)


def key_of(run: Run, attempt: Attempt, *, acts: bool) -> str:
    """The key of a call. Calls that act on the world are counted apart from those that only read,
    so that what a step looks up does not change the names of what it does.
    """
    step = attempt.step.name
    number = run.count(f"{'acts' if acts else 'reads'} {run.place}{step}", attempt.number > 0)
    element = _ELEMENT.fullmatch(run.place) if run.place.endswith("]/") else None
    if element is not None and element["step"] == step:
        index = element["index"] if number == 0 else f"{element['index']}.{number}"
        return f"{run.id}/{element['around']}{step}/{index}"
    return f"{run.id}/{run.place}{step}/{number}"
