"""The pictures of docs/pages.md: `python -m tests.e2e.pages.pictures`, where there is Chromium."""

from __future__ import annotations

import asyncio
import io
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from PIL import Image

from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from tests.browser import chromium
from tests.unit.runtime.stage import Models

from .demo import COMPLAINTS
from .demo import judged as judged_complaint
from .serving import OFFER, REFUND, Site, serving

IMAGES = Path(__file__).resolve().parents[3] / "docs" / "images"
EARLIER = 400
"""Runs before those that are shown."""

CHANCE = random.Random(7)


async def judged(request: ModelRequest) -> Any:
    """An offer as a model might make it; now and then there is none."""
    if not str(request.arguments["complaint"]).startswith("Earlier"):
        return await judged_complaint(request)
    await asyncio.sleep(CHANCE.lognormvariate(-1.2, 0.5))
    if CHANCE.random() < 0.02:
        return ModelFault("overloaded", "the model is overloaded")
    amount = CHANCE.choice([12, 20, 35, 45]) if CHANCE.random() < 0.78 else 80.5
    sure = CHANCE.uniform(0.62, 0.99) if CHANCE.random() < 0.9 else CHANCE.uniform(0.3, 0.59)
    offer = {**OFFER, "amount": amount, "confidence": round(sure, 2)}
    return ModelAnswer(offer, Usage(CHANCE.randint(150, 260), 85), request.model)


def started(site: Site, complaint: str, order: str) -> None:
    body = json.dumps({"inputs": {"complaint": complaint, "order_id": order}}).encode()
    kind = {"Content-Type": "application/json"}
    urlopen(Request(f"{site.url}/v1/pipelines/refund/runs", body, kind)).read()


def filled(site: Site) -> None:
    """Many runs that are over, and a few that are not."""
    for n in range(EARLIER):
        started(site, f"Earlier {n}", f"A-{n}")
    for _ in range(100):
        waiting = [one for one in site.inbox.cases() if one.kind == "approve"]
        for case in waiting:
            asyncio.run(site.inbox.decide(case.id, yes=True, by="Grace"))
        runs = json.load(urlopen(f"{site.url}/v1/runs?status=running"))["items"]
        if not runs and not waiting:
            break
        time.sleep(0.2)
    for case in site.inbox.cases():
        asyncio.run(site.inbox.decide(case.id, yes=True, by="Grace", reason="called them"))
    for complaint, order, _, _ in COMPLAINTS:
        started(site, complaint, order)
    site.visitor().fill("/start/desk", {"f.0": COMPLAINTS[0][0], "f.1": "other"})
    time.sleep(1.5)


def kept(name: str, shot: bytes) -> None:
    """Write a picture, in at most 256 colours."""
    picture = (
        Image.open(io.BytesIO(shot))
        .convert("RGB")
        .quantize(256, kmeans=2, dither=Image.Dither.NONE)
    )
    picture.save(IMAGES / name, optimize=True)
    print(name, (IMAGES / name).stat().st_size)


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        serving(REFUND, Path(folder), Models(offer=judged)) as site,
    ):
        filled(site)
        drawn(site)


def drawn(site: Site) -> None:
    """Take the pictures."""
    with chromium() as browser:
        for name, path, size, scheme in (
            ("page-runs.png", "/", (1280, 800), "light"),
            ("page-run.png", "", (1280, 1100), "dark"),
            ("page-case.png", "/cases", (390, 1000), "light"),
            ("page-observed.png", "/pipelines/refund", (1280, 1000), "light"),
        ):
            context = browser.new_context(
                viewport={"width": size[0], "height": size[1]}, color_scheme=scheme
            )
            page = context.new_page()
            page.goto(site.url + (path or "/?status=escalated"))
            if not path:
                page.locator("#run-list a").first.click()
                page.get_by_text("Where it stands").wait_for()
                page.evaluate("scrollTo(0, document.getElementById('run-graph').offsetTop - 130)")
            if name == "page-case.png":
                page.get_by_text("Does that look right?").first.click()
                page.get_by_text("Your decision").wait_for()
            if name == "page-observed.png":
                for _ in range(50):
                    if not page.get_by_text("being worked out").count():
                        break
                    time.sleep(0.2)
                    page.reload()
            page.wait_for_timeout(300)
            kept(name, page.screenshot())
            context.close()


if __name__ == "__main__":
    main()
