"""Claims over branches one after another: each adds its work, and none doubles it."""

from __future__ import annotations

from pipelang.analysis.claims.deciding import Assignment, VariableFacts
from pipelang.analysis.claims.formulas import And, Formula, Holds, Or, literal
from pipelang.analysis.claims.verdicts import decided
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from tests.memory import MemoryLoader
from tests.work import grows_no_faster_than

BRANCHED = """
tool act(q: text max 9 tokens) {
  python "m:act"
  effect write
  timeout 2s
}
pipeline main(q: text max 9 tokens, k: int) -> bool {
BRANCHES
  return true
}
prove main: act at most once
"""


def test_branches_that_rule_each_other_out() -> None:
    """At 20 such branches a claim about how often was not decided in 29 s."""

    def checked(size: int) -> None:
        branches = "\n".join(
            f"  when w{index}: k == {index} {{ step s{index} = call act(q) }}"
            for index in range(size)
        )
        text = BRANCHED.replace("BRANCHES", branches)
        program = build("m.pipe", MemoryLoader({"m.pipe": text})).program
        assert program is not None
        (claim,) = program.claims
        assert isinstance(claim.claimed, p.AtMost)
        proof = decided(program, claim, claim.claimed, frozenset())
        assert proof.verdict == "proved"

    grows_no_faster_than(3, checked, 8, 2)


def shared(depth: int) -> Formula:
    """A formula of which each level mentions the one below twice."""
    found: Formula = literal(Holds("b0"))
    for index in range(1, depth):
        own = Holds(f"b{index}")
        found = Or((And((found, literal(own))), And((found, literal(own, positive=False)))))
    return found


def test_parts_that_formulas_share_are_looked_at_once() -> None:
    def asked(depth: int) -> None:
        case = Assignment(VariableFacts(), {"b0": True}, {}, {}, ())
        assert case.makes(shared(depth))
        twice = And((shared(depth), shared(depth)))
        assert Holds("b0") in [one.atom for one in case.support(twice)]

    grows_no_faster_than(1.1, asked, 100, 2)
