"""Worst cases of cost and time where branches end the run, against the ways counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelang.interfaces.check.check import check_file

PIPE = """
tool small(x: text max 10 tokens) -> text max 10 tokens {
  effect read cost $1 succeeds 99% timeout 1s
}
tool large(x: text max 10 tokens) -> text max 10 tokens {
  effect read cost $LARGE succeeds 99% timeout SECONDS
}
pipeline f(x: text max 10 tokens) -> text {
  traffic { outer: 50% inner: 50% }
  when outer: x != "a" {
    when inner: x != "b" {
      step early: text = call large(x) { accuracy 100% } else fail "none"
      reject "early"
    }
    step second: text = call small(x) { accuracy 100% } else fail "none"
  }
  step third: text = call small(x) { accuracy 100% } else fail "none"
  step fourth: text = call small(x) { accuracy 100% } else fail "none"
  return fourth
}
"""


@pytest.mark.parametrize(("amount", "worst"), [(2, 3.0), (5, 5.0)])
def test_what_follows_a_branch_is_not_added_to_ways_that_ended_in_it(
    amount: int, worst: float, tmp_path: Path
) -> None:
    path = tmp_path / "a.pipe"
    text = PIPE.replace("LARGE", str(amount)).replace("SECONDS", f"{amount}s")
    path.write_text(text, encoding="utf-8")
    checked = check_file(str(path))
    assert checked.program is not None, [found.message for found in checked.diagnostics]
    found = checked.analyses[0].numbers
    assert found["cost.worst"].value == worst
    # `third` and `fourth` run side by side.
    assert found["latency.worst"].value == max(2.0, float(amount))
