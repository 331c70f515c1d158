"""The report asks for lines of `traffic` that it would use: each is accepted, read, and settles
what it was asked for.
"""

from __future__ import annotations

import pytest

from pipelang.interfaces.report.sections.undeclared import Missing, missing
from pipelang.interfaces.report.view import View
from pipelang.interfaces.text.colours import painter

from .test_report_text import check

HEAD = """
enum Level { low middle high }
type Case {
  new: bool  level: Level  worth: money  note: text? max 9 tokens  tags: [text max 9 tokens] max 3
}
type Said { fine: bool  level: Level }
role desk { people 2 handles 1m responds 1m median, 2m p95 accuracy 95% }
provider lab { kind simulated available 100% }
tier model { provider lab model "m" price $1 in, $5 out transient 0% latency 1s median }
tool look(q: text max 9 tokens) -> text max 9 tokens { effect read succeeds 100% timeout 1s }
prompt guess(a: Case) \"\"\"{{ a.new }}\"\"\"
pipeline inner(one: Case) -> bool {
  gate modest: one.worth < $5 else reject
  return true
}
"""
ASKED = "step s: Said = ask guess(case) by model { accuracy 90% }"
BODIES = {
    "a path": "gate g: case.new else reject",
    "an enum": "match case.level { low { reject } else { reject } }",
    "a comparison": "when case.worth > $3 { reject }",
    "a named branch": "when dear: case.worth > $3 { reject }",
    "what may be absent": "when case.note? { reject }",
    "a let": "let book = case  gate g: book.new and book.worth > $3 else reject",
    "two lets": "let a = case.worth  let b = a > $3  gate g: b or case.new else reject",
    "what a model says": "ASKED gate g: s.fine else reject",
    "an alias of that": "ASKED let t = s gate g: t.level == low else reject",
    "elements": "gate g: any(x for x in [case.new, case.worth > $3]) else reject",
    "a list": "step t = each one in case.tags { first(one, 3 tokens) }",
    "a list by another name": "let l = case.tags step t = each one in l { first(one, 3 tokens) }",
    "a tier": "step s: Said = ask guess(case) by if case.new then model else model { accuracy 9% }",
    "turns of an agent": "budget $1, 9m step s: Said = agent guess(case)"
        " by if budget.remaining.time < 8m then model else model with look { steps 2 accuracy 9% }",
    "a person's when": 'approve ok by desk when case.level == high else reject',
    "a pipeline that is run": "step t = run inner(case)",
    "patterns": "gate g: case.new or (case.note? and case.note matches words) else reject",
}  # fmt: skip


def program(body: str, traffic: list[str]) -> str:
    lines = "\n    ".join(traffic)
    body = body.replace("ASKED", ASKED)
    return (
        f'{HEAD}patterns words {{ "a" }}\n'
        f"pipeline p(case: Case) -> int {{\n  traffic 5/day {{\n    {lines}\n  }}\n"
        f"  {body}\n  return 1\n}}\n"
    )


def asked(body: str, traffic: list[str]) -> tuple[list[Missing], list[str]]:
    """What the report asks for about `p`, and what `check` says of the file."""
    checked = check(program(body, traffic))
    told = [f"{one.rule.code} {one.message}" for one in checked.diagnostics]
    bad = [one for one in told if not one.startswith("P204") or "traffic line" in one]
    bad = [one for one in bad if one.startswith(("P1", "P2", "P3", "P503"))]
    assert checked.program is not None, told
    analysis = next(one for one in checked.analyses if one.pipeline.name == "p")
    view = View(checked.program, analysis, checked.sources, 100, painter(False))
    return missing(view), bad


@pytest.mark.parametrize("body", BODIES.values(), ids=list(BODIES))
def test_each_line_is_used(body: str) -> None:
    written: list[str] = []
    first, bad = asked(body, written)
    assert not bad
    lines = [one.line for one in first if one.where == "traffic"]
    assert lines or "tier" in body or "by (" in body or "run" in body, first
    for _ in range(5):  # what one line settles, another may hang on
        found, _ = asked(body, written)
        new = [one.line for one in found if one.where == "traffic"]
        if not new:
            break
        assert not set(new) & set(written), "it asks again for what it was told"
        written += new
        _, bad = asked(body, written)
        assert not bad, (written, bad)
    else:
        raise AssertionError(f"it never has enough: {written}")
