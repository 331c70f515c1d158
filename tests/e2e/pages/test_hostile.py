"""Hostile texts in every place of every page: they are shown as they are, and never markup."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from html import escape, unescape
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from tests.unit.runtime.stage import Models

from .markup import sound
from .serving import Page, Site, serving

HOSTILE = Path(__file__).with_name("hostile.pipe")
TEXTS = (
    "<script>alert(1)</script>",
    "</textarea></title></style></script><script>alert(2)</script>",
    '"><img src=x onerror=alert(3)>',
    "' onmouseover='alert(4)' x='",
    '<svg/onload=alert(5)><a href="javascript:alert(6)">x</a>',
    "<style>*{display:none}</style><meta http-equiv=refresh content=0>",
    "{{ 7919 * 7907 }}{% include 'x' %}",
    "&lt;b&gt; &amp; &#60;i&#62;",
    "]]>--><!-- <![CDATA[",
    "\u202e\u2066\x1b[31m\x00\x7f\ufeff",
    "\n\n  lines\nand\ttabs",
)
BOMB = "".join(TEXTS)
"""All of them at once."""


def hostile_reply(ask: str) -> dict[str, Any]:
    """What a tool in somebody else's hands answers."""
    if "fail" in ask:
        raise RuntimeError(BOMB)
    return {"body": BOMB, "more": {BOMB: [BOMB, {BOMB: None}], "<i>": 1.5, "": True}}


def hostile_model(request: ModelRequest) -> Any:
    """What a steered model answers, and how it fails."""
    if "refuse" in request.user:
        return ModelFault("rejected", BOMB)
    return ModelAnswer({"body": BOMB, "more": [[BOMB]] * 3}, Usage(10, 5), BOMB, note=BOMB)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    models = Models(reply=hostile_model)
    tools = {"look": hostile_reply}
    folder = tmp_path_factory.mktemp("tokens")
    with serving(HOSTILE, folder, models, tokens=True, tools=tools) as site:
        yield site


def shows(page: Page, *texts: str) -> None:
    """Whether a page is sound, and shows these texts."""
    sound(page)
    assert "62615533" not in page.text
    for text in texts:
        assert escape(text) in page.text.replace("&#34;", "&quot;").replace("&#39;", "&#x27;"), text


def settled(visitor: Any, run: str, word: str) -> Page:
    for _ in range(200):
        page = visitor.get(run)
        if word in page.text:
            return page
        time.sleep(0.03)
    raise AssertionError(page.text)


FORM = {
    "f.0": BOMB,
    "f.1": '{"<script>": "<b>"}',
    "f.2.#": "1",
    "f.2.0.k": TEXTS[2],
    "f.2.0.v": BOMB,
    "f.3.#": "2",
    "f.3.0": BOMB,
    "f.3.1": TEXTS[0],
}


def test_what_a_run_works_on(site: Site) -> None:
    name, tenant = f"Eve {TEXTS[0]}", f"t {TEXTS[2]}"
    visitor = site.visitor(site.token("caller", "approver", "operator", name=name, tenant=tenant))
    started = visitor.fill("/start/answer", {**FORM, "thread": TEXTS[1]})
    assert started.status == 303, started.text
    run = started.headers["location"]
    page = settled(visitor, run, "/cases/")
    shows(page, TEXTS[0], TEXTS[2], TEXTS[4], name, tenant, "<script>alert('approve')</script>")
    shows(visitor.get("/"), name, tenant)
    thread = urlencode({"thread": TEXTS[1]})
    shows(visitor.get(f"/?{thread}"), TEXTS[1])
    case = re.findall(r'"(/cases/[0-9a-f]+)"', page.text)[0]
    shows(visitor.get("/cases"), "<script>alert('approve')</script>", tenant)
    shows(visitor.get(case), *TEXTS[:6], "<script>alert('approve')</script>")
    again = visitor.get(f"/start/answer?from={run.rpartition('/')[2]}")
    shows(again, BOMB, "</label><script>alert('input')</script>")
    done = visitor.fill(case, {"verdict": "yes", "reason": BOMB})
    assert done.status == 303
    page = settled(visitor, run, "badge good answered")
    shows(page, *TEXTS[:6], name)
    shows(visitor.get(case), name, TEXTS[0])
    shows(visitor.get("/cases?state=closed"), name)
    shows(visitor.get("/"), "<script>alert(1)</script>")


def test_what_people_answer(site: Site) -> None:
    visitor = site.visitor(site.token("caller", "approver", name=TEXTS[3], tenant="p"))
    run = visitor.fill("/start/person", {"f.0": BOMB}).headers["location"]
    page = settled(visitor, run, "/cases/")
    case = re.findall(r'"(/cases/[0-9a-f]+)"', page.text)[0]
    shows(visitor.get(case), *TEXTS[:6], "<script>alert('asked')</script>")
    shows(visitor.get("/cases"), TEXTS[0])
    wrong = visitor.fill(case, {"verdict": "answer", "f.0": BOMB, "f.1": "{", "reason": BOMB})
    assert wrong.status == 422
    shows(wrong, *TEXTS[:6])
    given = {"verdict": "answer", "f.0": BOMB, "f.1": '{"<b>": "<script>"}', "reason": BOMB}
    assert visitor.fill(case, given).status == 303
    shows(settled(visitor, run, "badge good answered"), *TEXTS[:6], TEXTS[3])
    shows(visitor.get(case), *TEXTS[:6], TEXTS[3])


@pytest.mark.parametrize(
    ("pipeline", "ask", "status"),
    [
        ("answer", "fail", "escalated"),
        ("broken", "fail", "failed"),
        ("answer", "refuse", "escalated"),
    ],
)
def test_what_fails(site: Site, pipeline: str, ask: str, status: str) -> None:
    visitor = site.visitor(site.token("caller", "approver", tenant=f"{pipeline} {ask}"))
    form = {"f.0": f"{ask} {BOMB}", "f.1": "1", "f.2.#": "0", "f.3.#": "0"}
    run = visitor.fill(f"/start/{pipeline}", form).headers["location"]
    page = settled(visitor, run, f"{status}</span>")
    shows(page, TEXTS[0], TEXTS[5])
    shows(visitor.get("/"), "alert('fail')" if status == "failed" else "alert('")
    for case in re.findall(r'"(/cases/[0-9a-f]+)"', visitor.get("/cases").text):
        shows(visitor.get(case), TEXTS[0])


def test_a_reject_and_a_veto(site: Site) -> None:
    visitor = site.visitor(site.token("caller", "approver", tenant="r"))
    run = visitor.fill("/start/answer", FORM).headers["location"]
    case = re.findall(r'"(/cases/[0-9a-f]+)"', settled(visitor, run, "/cases/").text)[0]
    visitor.fill(case, {"verdict": "no", "reason": BOMB})
    shows(settled(visitor, run, "badge quiet rejected"), "<svg/onload=alert('reject')>", TEXTS[0])
    shows(visitor.get("/?status=rejected"), "<svg/onload=alert('reject')>")


def test_what_a_program_says_of_itself(site: Site) -> None:
    visitor = site.visitor(site.token("operator", "caller"))
    for path in ("/pipelines", "/pipelines/answer", "/start", "/start/answer", "/start/person"):
        shows(visitor.get(path), "<script>alert('doc')</script>")
    report = visitor.get("/pipelines/answer")
    for said in ("alert('text')", "alert('else')", "alert('reject')", "alert('doc')"):
        assert said in unescape(report.text)


@pytest.mark.parametrize("text", TEXTS)
def test_what_stands_in_addresses(site: Site, text: str) -> None:
    visitor = site.visitor(site.token("operator", "caller", "approver"))
    said = quote(text, safe="")
    paths = [f"/?{name}={said}" for name in ("status", "pipeline", "since", "reason", "thread")]
    paths += [f"/{page}/{said}" for page in ("runs", "cases", "start", "pipelines", "static")]
    paths += [f"/?cursor={said}", f"/cases?role={said}", f"/start/answer?from={said}", f"/{said}"]
    paths += [f"/?done={said}", f"/login?next={said}", f"/?done=decided&x={said}"]
    for path in paths:
        page = visitor.get(path)
        if page.status != 303:
            sound(page)
            assert page.status in (200, 400, 404), (path, page.status)
    form = {"what": "tool", "name": "look", "to": "kill", "reason": text}
    assert visitor.fill("/switches", form).status == 303
    sound(visitor.get("/switches"))
    visitor.fill("/switches", {**form, "to": "restore"})
    for name in ("what", "name", "to"):
        sound(visitor.fill("/switches", {**form, name: text}))
    sound(visitor.fill("/start/answer", {**FORM, "priority": text, "delay": text}))


def test_a_page_has_an_end(site: Site) -> None:
    """However much a run was given and gave, a page is for people."""
    visitor = site.visitor(site.token("caller", tenant="large"))
    deep: Any = "x"
    for _ in range(40):
        deep = [deep]
    wide = {str(n): [n] * 5 for n in range(2000)}
    for more in (deep, wide, ["y" * 100_000] * 5, ["z" * 19_000] * 400, {"k" * 300_000: 1}):
        text = str(more).replace("'", '"')
        form = {"f.0": "fail", "f.1": text, "f.2.#": "0", "f.3.#": "0"}
        started = visitor.fill("/start/answer", form)
        assert started.status == 303, started.text[:3000]
        page = settled(visitor, started.headers["location"], "escalated</span>")
        sound(page)
        assert len(page.text) < 400_000
    assert len(visitor.get("/").text) < 100_000
    form = {"f.0": "fail" + "\n" * 15_000, "f.1": "1", "f.2.#": "0", "f.3.#": "0"}
    run = visitor.fill("/start/answer", form).headers["location"]
    assert settled(visitor, run, "escalated</span>").text.count("\n") < 8_000
