"""Pages for owners: answers that are judged, observed beside predicted; and live streams."""

from __future__ import annotations

import http.client
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.unit.runtime.stage import Models

from .markup import sound
from .serving import OFFER, REFUND, Site, Visitor, serving
from .test_without_scripts import case_of, started, until

SORTING = Path(__file__).with_name("sorting.pipe")


# ------------------------------------------------------------------------- answers that are judged


def test_answers_are_judged(tmp_path: Path) -> None:
    models = Models(sorted={"kind": "bug", "confidence": 0.8})
    with serving(SORTING, tmp_path, models, tokens=True) as site:
        visitor = site.visitor(site.token("caller", "approver", "operator", name="ada"))
        for n in range(3):
            started(visitor, "inbox", **{"f.0": f"It is broken {n}"})
        page = until(lambda: visitor.get("/cases"), 'count">3<')
        sound(page)
        assert "Is this answer right: Sorted" in page.text
        right, wrong, corrected = re.findall(r'class="whole" href="(/cases/[^"]+)"', page.text)
        page = visitor.get(right)
        sound(page)
        for said in ("It is broken", "bug", "How sure are you?", "Right", "Wrong"):
            assert said in page.text
        done = visitor.fill(right, {"verdict": "yes", "sure": "0.9"})
        assert done.headers["location"] == "/cases?done=labelled"
        visitor.fill(wrong, {"verdict": "no", "sure": "7", "reason": "a question"})
        page = visitor.fill(corrected, {"verdict": "answer", "sure": "1"})
        assert page.status == 422
        assert '<details class="act" id="correct" open>' in page.text
        visitor.fill(corrected, {"verdict": "answer", "sure": "1", "f.0": "question", "f.1": "1"})
        cases = {case.id: case for case in site.inbox.cases(closed=True)}
        first, second, third = (
            cases[path.rpartition("/")[2]] for path in (right, wrong, corrected)
        )
        assert first.verdict is not None
        assert first.verdict.yes
        assert first.verdict.sure == 0.9
        assert first.looked  # since then the time is counted that it took
        assert second.verdict is not None
        assert not second.verdict.yes
        assert second.verdict.sure is None
        assert third.verdict is not None
        assert not third.verdict.yes
        assert third.verdict.answer == {"kind": "question", "confidence": 1}
        assert "said it is wrong, and corrected it" in visitor.get(corrected).text


# ------------------------------------------------------------------- predicted beside observed


def test_what_runs_did_stands_beside_what_was_predicted(tmp_path: Path) -> None:
    offers = [OFFER | {"amount": 20}] * 3 + [OFFER | {"confidence": 0.1}]
    with serving(REFUND, tmp_path, Models(offer=offers), tokens=True) as site:
        operator = site.visitor(site.token("operator", "caller"))
        for n in range(4):
            run = started(operator, **{"f.0": str(n)})
            until(lambda run=run: operator.get(run), "The answer" if n < 3 else "Handed over")
        page = until(lambda: operator.get("/pipelines/refund"), "4 runs of")
        sound(page)
        observed = page.text.partition('id="observed"')[2].partition("</article>")[0]
        row = re.search(r'scope="row">\s*escalation\s*</th>(.*?)</tr>', observed, re.DOTALL)
        assert row is not None
        assert re.findall(r"[\d.]+%|[\d.]+–[\d.]+%", row[1])[:3] == ["25.0%", "0.6–80.6%", "10.3%"]
        for said in ("latency.p95", "cost.mean", "95% interval", "answered 75.0%"):
            assert said in observed
        page = operator.get("/health")
        sound(page)
        assert "tasks automated" in page.text
        caller = site.visitor(site.token("caller"))
        assert "Predicted beside observed" not in caller.get("/pipelines/refund").text


# ------------------------------------------------------------------------------------ live streams


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serving(REFUND, tmp_path_factory.mktemp("t"), Models(offer=OFFER)) as site:
        yield site


class Stream:
    """The stream of a page."""

    def __init__(self, visitor: Visitor, path: str) -> None:
        at = urlsplit(visitor.url)
        self.connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=20)
        self.connection.request("GET", path)
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200
        assert self.answer.headers["content-type"].startswith("text/event-stream")
        assert self.line() == "retry: 2000"
        if "seen=" not in path:  # who has seen nothing is told at once
            assert self.event() == "change"

    def line(self) -> str:
        while (text := self.answer.readline()) == b"\n":
            pass
        return text.decode().strip()

    def event(self) -> str:
        """The next event; it says nothing but its name."""
        while (name := self.line()).startswith(":"):
            pass
        if not name:
            return "end"
        assert self.line() == "data: {}"
        return name.removeprefix("event: ")

    def close(self) -> None:
        self.connection.close()


@pytest.mark.parametrize("of", ["runs", "cases", "runs&pipeline=refund", "health", "nothing"])
def test_a_list_is_told_of_changes(site: Site, of: str) -> None:
    visitor = site.visitor()
    stream = Stream(visitor, f"/live?of={of}")
    started(visitor)
    assert stream.event() == "change"
    stream.close()


def test_a_run_is_told_of_until_its_end(site: Site) -> None:
    visitor = site.visitor()
    run = started(visitor)
    case = case_of(visitor, run)
    path = re.findall(r'data-stream="([^"]+)"', visitor.get(run).text)[0].replace("&amp;", "&")
    stream = Stream(visitor, path)
    visitor.fill(case, {"verdict": "yes"})
    events = []
    while (event := stream.event()) != "end":
        events.append(event)
    assert events[0] == "change"
    assert events[-1] == "over"
    assert "data-stream" not in until(lambda: visitor.get(run), "The answer").text


def test_many_who_look_cost_one_look(site: Site) -> None:
    visitor = site.visitor()
    looks = 0
    inner = site.backend.runs

    async def counted(wanted: object) -> object:
        nonlocal looks
        looks += 1
        return await inner(wanted)  # type: ignore[arg-type]

    site.backend.runs = counted  # type: ignore[method-assign, assignment]
    try:
        streams = [Stream(visitor, "/live?of=runs&status=failed") for _ in range(60)]
        began, before = time.monotonic(), looks
        time.sleep(2.5)
        seconds, seen = time.monotonic() - began, looks - before
        for stream in streams:
            stream.close()
    finally:
        site.backend.runs = inner  # type: ignore[method-assign]
    assert 1 <= seen <= 2 * seconds + 3


def test_many_who_wait_in_memory_cost_a_page_little(tmp_path: Path) -> None:
    """The cases are gone through once for a page, not once for each of its runs."""
    with serving(REFUND, tmp_path, Models(offer=OFFER)) as site:
        visitor = site.visitor()
        at = urlsplit(site.url)
        connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=20)
        for n in range(600):
            body = json.dumps({"inputs": {"complaint": str(n), "order_id": "A-1"}})
            kind = {"Content-Type": "application/json"}
            connection.request("POST", "/v1/pipelines/refund/runs", body, kind)
            assert connection.getresponse().read()
        until(lambda: visitor.get("/"), 'count">600<')
        looks = 0
        inner = site.inbox.cases

        def counted(**wanted: object) -> object:
            nonlocal looks
            looks += 1
            return inner(**wanted)  # type: ignore[arg-type]

        site.inbox.cases = counted  # type: ignore[method-assign, assignment]
        page = visitor.get("/?pipeline=refund")
        assert page.text.count("data-key") == 25
        assert looks <= 3


def test_streams_end_with_the_server(tmp_path: Path) -> None:
    with serving(REFUND, tmp_path, Models(offer=OFFER)) as site:
        visitor = site.visitor()
        run = started(visitor)
        case_of(visitor, run)
        id = run.rpartition("/")[2]
        streams = [Stream(visitor, path) for path in ("/live?of=runs", f"/live?of=run&id={id}")]
    for stream in streams:
        while stream.event() == "change":
            pass
        stream.close()


def test_a_stream_says_nothing_of_what_happened(site: Site) -> None:
    visitor = site.visitor()
    stream = Stream(visitor, "/live?of=runs")
    started(visitor, **{"f.0": "secret words"})
    lines = [stream.line(), stream.line()]
    assert lines == ["event: change", "data: {}"]
    assert json.loads(lines[1].removeprefix("data: ")) == {}
    stream.close()
