"""Records that name each other twice: thirty lines stand for a billion fields."""

from __future__ import annotations

from pipelang.interfaces.check.check import check_file
from tests.memory import MemoryLoader
from tests.work import calls

BEGIN = """
use std.tiers { anthropic }
tier small { provider anthropic model "a" price $1 in, $5 out latency 1s median }
"""

END = '''
prompt get(q: T0) """
  Get {{ q }}, {{ q.a.b }}.
"""
pipeline main(q: T0) -> T0 {
  step r: T0 = ask get(q) by small { accuracy 90% } else fail "none"
  let inner = r.a.b
  return r
}
'''


def nested(levels: int) -> str:
    """A record of two records of two records and so on."""
    types = [f"type T{at} {{ a: T{at + 1}  b: T{at + 1} }}" for at in range(levels)]
    return "\n".join([BEGIN, *types, f"type T{levels} {{ x: text max 10 tokens }}", END])


def test_nothing_writes_out_a_record_that_was_found_too_large() -> None:
    """A walk for pictures went through all its fields: 24 levels took half a minute."""
    codes: list[str] = []

    def checked() -> None:
        found = check_file("m.pipe", MemoryLoader({"m.pipe": nested(28)}))
        codes.extend(one.rule.code for one in found.diagnostics)

    assert calls(checked) < 500_000
    assert set(codes) == {"P318"}
