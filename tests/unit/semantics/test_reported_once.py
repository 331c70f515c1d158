"""A mistake of syntax is reported once: nothing is said of what it took along."""

from __future__ import annotations

import pytest

from pipelang.semantics.build import build
from tests.memory import MemoryLoader

WHOLE = """
enum Level { low high }
type Question { body: text max 90 tokens  level: Level }
type Answer { body: text max 90 tokens }
provider lab { kind simulated  available 100% }
tier model { provider lab  price $1 in, $5 out  latency 1s median, 2s p95  transient 1% }
role desk { people 3  handles 4m  responds 5m median, 1h p95  accuracy 98% }
prompt write(question: Question) \"\"\"Answer {{ question.body }}\"\"\"
pipeline reply(question: Question) -> Answer {
  step answer: Answer = ask write(question) by model {
    accuracy 90%  timeout 9s  output 9 tokens max
  }
    else escalate to desk
  match question.level {
    low { return answer }
    high {
      approve seen by desk showing answer else reject
      return answer
    }
  }
}
pipeline twice(question: Question) -> Answer {
  step first: Answer = run reply(question)
  return first
}
"""


PARALLEL = """
  parallel {
    step first: Answer = run reply(question)
    let second = first.body
  }
  let third = second
"""
TRIED = """
  try {
    step first: Answer = run reply(question)
    gate long: first.body == "" else reject
  } catch error {
    escalate to desk
  }
"""
LOOPED = """
  for n in 1..3 {
    when question.level == low {
      step first: Answer = run reply(question)
    }
  }
"""


def codes(text: str) -> list[str]:
    found = build("m.pipe", MemoryLoader({"m.pipe": text})).diagnostics
    return [one.rule.code for one in found if one.is_error]


def test_the_whole_file_has_no_error() -> None:
    assert codes(WHOLE) == []


@pytest.mark.parametrize(
    ("was", "written"),
    [
        ("type Answer {", "type {"),
        ("type Answer {", "typ Answer {"),
        ("type Answer {", "type type Answer {"),
        ("type Answer {", "Answer {"),
        ("enum Level {", "enum {"),
        ("provider lab {", "provider provider lab {"),
        ("provider lab {", "provider {"),
        ("tier model {", "=> model {"),
        ("tier model {", "tier {"),
        ("role desk {", "role : {"),
        ("prompt write(", "prompt ("),
        ("prompt write(", "else write("),
        ("pipeline reply(", "pipeline ("),
        ("pipeline reply(", "reply("),
        ("step answer: Answer", "step step answer: Answer"),
        ("step answer: Answer", "=> answer: Answer"),
        ("  return first", "  -> first"),
        ("  return first", "  first"),
        ("    low { return answer }", "    low => { return answer }"),
        ("  match question.level {\n", "  match question.level { {\n"),
        ("step first: Answer = run", "step first: Answer = run ="),
        # A name that a mend puts in for one that was left out is nobody's.
        (" by model {", " {"),
        (" by model {\n    accuracy 90%  timeout 9s  output 9 tokens max\n  }\n", "\n"),
        ("  step first: Answer = run", "  step = run"),
        ("  step answer: Answer = ask", "  step: Answer = ask"),
        # What is lost with a construct of another language was there.
        ("  step first: Answer = run reply(question)\n", PARALLEL),
        ("  step first: Answer = run reply(question)\n", TRIED),
        ("  step first: Answer = run reply(question)\n", LOOPED),
    ],
)
def test_what_it_took_along_is_not_reported(was: str, written: str) -> None:
    assert was in WHOLE
    found = codes(WHOLE.replace(was, written, 1))
    assert found
    assert {code[:2] for code in found} == {"P1"}


def test_an_item_lost_with_a_block_hides_no_other_name() -> None:
    """Names in a lost block are names after it, and those alone."""
    lost = WHOLE.replace("  step first: Answer = run reply(question)\n", PARALLEL)
    assert "P201" in codes(lost.replace("let third = second", "let third = secnod"))
    assert "P201" in codes(lost.replace("return first", "return fist"))


def test_what_is_beside_it_is_reported() -> None:
    """Only the words that stand where it could not be read may be names, and only its pipeline may
    have ended there.
    """
    broken = WHOLE.replace("step answer: Answer", "step step answer: Answer", 1)
    assert "P201" in codes(broken.replace("to desk", "to dsek", 1))
    endless = broken.replace("  return first\n", "", 1)
    assert "P401" in codes(endless)
