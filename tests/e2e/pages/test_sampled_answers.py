"""Sampled answers on the page: shown, judged by a button, corrected by the form."""

from __future__ import annotations

import asyncio
from pathlib import Path

from pipelang import Case

from .serving import Models, Site, serving

PIPE = """
provider lab { kind simulated available 100% }
tier small {
  provider lab model "s" price $1 in, $5 out latency 1s median transient 0% context 9k tokens
}
role judges { people 2 handles 2m }
type Kind { topic: text max 20 tokens  urgent: bool }
prompt sort(x: text max 20 tokens) \"\"\"Sort {{ x }}.\"\"\"
pipeline main(x: text max 20 tokens) -> text max 20 tokens {
  sample 100% of kind by judges
  step kind: Kind = ask sort(x) by small {
    accuracy 90% output 10 tokens mean, 50 tokens max timeout 10s
  } else fail "unsorted"
  return kind.topic
}
"""


def sampled(site: Site) -> Case:
    """A run whose answer waits for a verdict."""
    handle = site.pipelines["main"].handle
    asyncio.run(handle.run(x="a mail"))
    return site.inbox.cases()[0]


def test_an_answer_is_judged_and_corrected(tmp_path: Path) -> None:
    file = tmp_path / "main.pipe"
    file.write_text(PIPE, encoding="utf-8")
    models = Models(kind={"topic": "billing", "urgent": False})
    with serving(file, tmp_path, models) as site:
        visitor = site.visitor()
        case = sampled(site)
        page = visitor.get(f"/cases/{case.id}")
        assert page.status == 200
        assert "Is this answer right: " in page.text
        assert "billing" in page.text
        assert site.inbox.case(case.id).looked  # her time counts from here
        sent = visitor.fill(f"/cases/{case.id}", {"verdict": "yes"})
        assert sent.status == 303
        closed = site.inbox.case(case.id).verdict
        assert closed is not None
        assert (closed.yes, closed.by, closed.seconds is not None) == (True, "ada", True)
        case = sampled(site)
        form = {"verdict": "answer", "f.0": "login", "f.1": "true"}
        sent = visitor.fill(f"/cases/{case.id}", form)
        assert sent.status == 303, sent.text
        closed = site.inbox.case(case.id).verdict
        assert closed is not None
        assert (closed.yes, closed.answer) == (False, {"topic": "login", "urgent": True})
        assert "Sampled answer" in visitor.get("/cases?state=closed").text
