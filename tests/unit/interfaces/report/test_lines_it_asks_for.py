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
tier shaky { provider lab model "o" price $1 in, $5 out transient 9% latency 1s median }
tier dear { provider lab model "n" price $3 in, $9 out transient 0% latency 1s median }
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


OPTIONS = {
    "a cascade": "step s: Said = ask guess(case) by cascade(model, dear) until it.fine { OPTIONS }",
    "a cascade behind an else": "step s: Said = ask guess(case) by shaky { accuracy 90% } else"
        " ask guess(case) by cascade(model, dear) until it.fine { OPTIONS }",
    "an agent's cascade": "step s: Said = agent guess(case) by cascade(model, dear) until it.fine"
        " with look { steps 3 OPTIONS }",
    "an element's cascade": "step t: [Said] max 3 = each one in case.tags {"
        " ask guess(case) by cascade(model, dear) until it.fine { OPTIONS } }",
    "an answer that is kept": "step s: Said = ask guess(case) by model"
        " { cache 1h by case OPTIONS }",
    "votes": "step s: Said = ask guess(case) by model { vote 3 OPTIONS }",
}  # fmt: skip


@pytest.mark.parametrize("body", OPTIONS.values(), ids=list(OPTIONS))
def test_each_option_is_asked_for_once_where_it_stands(body: str) -> None:
    """`catches` and `false_alarms` of a cascade were asked for at a gate and in `traffic`."""
    first, bad = asked(body.replace("OPTIONS", ""), [])
    assert not bad
    lines = [one.line for one in first if one.where.startswith("step ")]
    assert lines
    assert len(lines) == len({line.split(" ")[0] for line in lines})
    known = [one for one in first if one.where == "traffic"]
    assert not [one for one in first if "@" in one.where + one.line]
    assert all(one.line.startswith("case.") for one in known)
    then, bad = asked(body.replace("OPTIONS", " ".join(lines)), [])
    assert not bad
    assert not [one for one in then if one.where.startswith("step ")], lines
