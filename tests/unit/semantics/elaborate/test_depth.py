"""Depth of what is written out: refused where it is too deep, and analysed up to there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from pipelang.diagnostics import Severity
from pipelang.interfaces.check.check import check_file
from pipelang.semantics.elaborate.names.expanded_size import MOST_LEVELS
from pipelang.semantics.elaborate.reach.cycles import DEEPEST_RUNS
from tests.memory import MemoryLoader

LOOK = "tool look(q: text) -> text { effect read latency 10ms median succeeds 99% }\n"


def in_a_row(levels: int) -> str:
    """So many pipelines, each of which runs the next where much stands around it."""
    last = f"p{levels - 1}"
    above = (
        f"""
pipeline p{at}(q: text max 10 tokens, n: int) -> text max 10 tokens {{
  traffic {{ n > 3: 20% }}
  let several = [q]
  when big: n > 3 {{
    when bigger: n > 2 {{
      step got = each one in several ordered {{ run p{at + 1}(one, n) else call look(one) }}
        else fail "none"
      gate fine: len(got) > 0 else redo got up to 1 else reject "no"
    }}
  }}
  return q
}}
"""
        for at in range(levels - 1)
    )
    look = LOOK.replace("text)", "text max 10 tokens)").replace("-> text", "-> text max 10 tokens")
    leaf = f"pipeline {last}(q: text max 10 tokens, n: int) -> text max 10 tokens {{\n"
    return "".join((look, *above, leaf, "  step a = call look(q)\n  return a\n}\n"))


def lets(levels: int) -> str:
    """A value that is so deep once the values that it is made of are written out."""
    made = "".join(f"  let a{at + 1} = a{at} + 1\n" for at in range(levels - 1))
    head = "pipeline p0(q: text, n: int) -> int {\n  let a0 = n\n"
    end = f'  gate g: a{levels - 1} > 3 else reject "few"\n  return n\n}}\n'
    return "".join((LOOK, head, made, "  step a = call look(q)\n", end))


@pytest.mark.parametrize(("shape", "most"), [(in_a_row, DEEPEST_RUNS), (lets, MOST_LEVELS)])
def test_what_is_too_deep_is_told_where_it_gets_too_deep(
    shape: Callable[[int], str], most: int
) -> None:
    found = check_file("m.pipe", MemoryLoader({"m.pipe": shape(most)}))
    assert found.program is not None, found.diagnostics
    found = check_file("m.pipe", MemoryLoader({"m.pipe": shape(5 * most)}))
    assert found.program is None
    assert {one.rule.code for one in found.diagnostics} == {"P109"}


@pytest.mark.parametrize(("levels", "codes"), [(30, set()), (60, {"P109"})])
def test_what_may_be_written_is_not_too_deep(levels: int, codes: set[str]) -> None:
    gate = f'  gate g: {"(" * levels}n{" + 1)" * levels} > 3 else reject "few"'
    head = "pipeline p0(q: text, n: int) -> int {\n  step a = call look(q)"
    text = f"{LOOK}{head}\n{gate}\n  return n\n}}\n"
    found = check_file("m.pipe", MemoryLoader({"m.pipe": text}))
    errors = [one for one in found.diagnostics if one.rule.severity == Severity.ERROR]
    assert {one.rule.code for one in errors} == codes
