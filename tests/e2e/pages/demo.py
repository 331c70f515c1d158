"""A server with a few runs, to look at: `python -m tests.e2e.pages.demo [--tokens]`."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from tests.e2e.pages.serving import OFFER, REFUND, Site, serving
from tests.unit.runtime.stage import Models

COMPLAINTS = (
    ("The vase arrived broken, in many pieces. I want my money back.", "A-1007", 129.5, 0.91),
    ("You sent the blue lamp, I had ordered the green one.", "A-1012", 24.9, 0.88),
    ("It came three weeks late, the birthday was long over!", "A-1019", 15.0, 0.74),
    ("I am not happy somehow", "A-1020", 40.0, 0.42),
    ("One of the six glasses has a crack.", "A-1023", 9.5, 0.97),
    ("The table has one leg too few", "A-1031", 349.0, 0.86),
)


async def judged(request: ModelRequest) -> Any:
    """An offer that fits the complaint; the fourth one is overloaded the first time."""
    await asyncio.sleep(0.35)
    complaint = str(request.arguments["complaint"])
    _, _, amount, sure = next(one for one in COMPLAINTS if one[0] == complaint)
    if amount == 40.0 and request.call == 0:
        return ModelFault("overloaded", "the model is overloaded")
    offer = {**OFFER, "amount": amount, "confidence": sure}
    return ModelAnswer(offer, Usage(412, 96), request.model)


def fill(site: Site) -> None:
    """Start a run of each complaint."""
    visitor = site.visitor()
    for complaint, order, _, _ in COMPLAINTS:
        visitor.fill("/start/refund", {"f.0": complaint, "f.1": order})
    visitor.fill("/start/desk", {"f.0": COMPLAINTS[0][0], "f.1": "other"})


if __name__ == "__main__":
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(REFUND, Path(folder), Models(offer=judged), tokens="--tokens" in sys.argv) as site,
    ):
        if site.tokens is None:
            fill(site)
        else:
            print(site.token("caller", "approver", "operator"), flush=True)
        print(site.url, flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            time.sleep(3600)
