"""The oracle against answers worked out by hand: the design's table, and small cases of our own."""

from __future__ import annotations

from fractions import Fraction

import pytest

from . import expressions as e
from . import model as m
from .building import PEOPLE, World, ask, call, rate, returned, rows, step, tool
from .enumerate_runs import Reliability, TooManyRunsError, enumerate_runs

OK = e.Path("s", "ok")
FLAG = e.Path("q", "flag")


def outcomes(result: Reliability) -> dict[str, float]:
    return {name: float(p) for name, p in result.outcomes.items() if p}


# --- the table of analysis.md ---------------------------------------------------------------


@pytest.mark.parametrize(("length", "exact"), [(4, ".81450625"), (5, ".7737809375")])
def test_chain_of_steps(length: int, exact: str) -> None:
    chain = [step("s0", ask(a=".95"))]
    chain += [step(f"s{i}", ask(f"s{i - 1}", a=".95")) for i in range(1, length)]
    result = enumerate_runs(World().program(*chain, returned(f"s{length - 1}")))
    assert result.outcomes["success"] == rate(exact)
    assert result.outcomes["silent_error"] == 1 - rate(exact)


@pytest.mark.parametrize(("tier", "answered"), [("slow", ".987525"), ("other", ".99645975")])
def test_fallback_shares_outages(tier: str, answered: str) -> None:
    world = World(available=".99", transient=".05", other_available=".99", other_transient=".05")
    result = enumerate_runs(world.program(step("s", ask(), ask(by=tier)), returned("s")))
    assert result.outcomes["success"] == rate(answered)
    assert result.outcomes["failure"] == 1 - rate(answered)


def test_three_way_thresholds_on_one_confidence() -> None:
    file = m.EvidenceFile(
        "kind.jsonl",
        rows({"0.97": 108, "0.8": 54, "0.5": 18}, {"0.95": 1, "0.7": 5, "0.69": 14}),
    )
    program = World(files=(file,)).program(
        step("s", ask(a=m.FromFile("kind.jsonl"))),
        m.When("act", m.Test(e.Confidence("s", ">=", rate(".95"))), (PEOPLE,)),
        m.When("second", m.Test(e.Confidence("s", ">=", rate(".7"))), (PEOPLE,)),
        PEOPLE,
    )
    result = enumerate_runs(program)
    expected = {"act": rate(".545"), "second": rate(".295"), "main": rate(".16")}
    assert result.escalations == expected


def test_bool_gated_false_then_tested() -> None:
    program = World(shares=(m.PathShare(FLAG, rate(".3")),)).program(
        m.Gate("no", m.Test(e.Not(FLAG)), PEOPLE),
        step("s", ask()),
        m.When("late", m.Test(FLAG), (m.Reject(),)),
        returned("s"),
    )
    result = enumerate_runs(program)
    assert outcomes(result) == {"success": 0.7, "escalation": 0.3}


def test_expression_as_fallback() -> None:
    constant = e.Constant('{flag: true, ok: true, kind: simple, confidence: 50%, body: "-"}')
    pure = m.Link(m.Pure(constant), accuracy=rate(".6"))
    program = World(available=".95").program(step("s", ask(a=".9"), pure), returned("s"))
    assert enumerate_runs(program).outcomes["success"] == rate(".885")


def test_recovers() -> None:
    program = World().program(
        step("s", ask(a=".9")), step("t", ask("s", a=".9", recovers=".2")), returned("t")
    )
    assert enumerate_runs(program).outcomes["success"] == rate(".83")


def test_redo() -> None:
    program = World(transient=".1").program(
        step("s", ask(a=".9", correlation="0")),
        m.Gate("g", m.Test(OK, m.Rates(rate(".8"), rate(".05"))), PEOPLE, m.Redo("s", 1)),
        returned("s"),
    )
    result = enumerate_runs(program)
    assert result.outcomes == {
        "success": rate(".85606875"),
        "silent_error": rate(".020025"),
        "escalation": rate(".01265625"),
        "rejection": 0,
        "failure": rate(".11125"),
    }
    assert result.escalations == {"g": rate(".01265625")}


def test_diamond() -> None:
    program = World().program(
        step("s", ask(a=".9")),
        step("l", ask("s", a=".95")),
        step("r", ask("s", a=".95")),
        returned("l", "r"),
    )
    assert enumerate_runs(program).outcomes["success"] == rate(".81225")


def test_attempts_are_billed_in_full() -> None:
    world = World(tools=(tool("find", succeeds=".9", cost="0.10"),))
    program = world.program(step("s", call("find", "q", retry=1)), returned("s"))
    for literal in (True, False):
        result = enumerate_runs(program, literal=literal)
        assert result.cost_mean == rate(".11")
        assert result.outcomes["failure"] == rate(".01")


# --- cases of our own -----------------------------------------------------------------------


def test_correlation_copies_the_former_verdict() -> None:
    program = World().program(
        step("s", ask(a=".8", correlation=".5")),
        m.Gate("g", m.Test(OK, m.Rates(rate("1"), rate("0"))), PEOPLE, m.Redo("s", 1)),
        returned("s"),
    )
    # Wrong at first (.2), then copied (.5) or drawn anew (.5 × .8 right).
    assert outcomes(enumerate_runs(program)) == {"success": 0.88, "escalation": 0.12}


def test_redo_carries_dependents_and_gates_between_along() -> None:
    gate = m.Gate("between", m.Test(OK, m.Rates(rate("0"), rate(".5"))), m.Reject())
    program = World().program(
        step("s", ask(correlation="0")),
        step("aside", ask(a=".9")),
        step("d", ask("s", a=".5", correlation="0")),
        gate,
        m.Gate(
            "g", m.Test(e.Path("d", "ok"), m.Rates(rate("1"), rate("0"))), PEOPLE, m.Redo("s", 1)
        ),
        returned("d", "aside"),
    )
    result = enumerate_runs(program)
    # Each pass of `between` lets half through; the second is only taken when d was wrong (.5).
    assert result.outcomes["rejection"] == rate(".5") + rate(".125")
    assert result.outcomes["escalation"] == rate(".0625")
    # `aside` is made once: were it made again, this would not change, but its cost would.
    assert result.outcomes["success"] == (rate(".25") + rate(".0625")) * rate(".9")


def test_counter_of_a_gate_between_never_resets() -> None:
    def gate(name: str, times: int) -> m.Gate:
        condition = OK if name == "inner" else e.Path("s", "flag")
        rates = m.Rates(rate(".5"), rate(".5"))
        return m.Gate(name, m.Test(condition, rates), PEOPLE, m.Redo("s", times))

    program = World().program(
        step("s", ask(correlation="0")), gate("inner", 1), gate("outer", 1), returned("s")
    )
    # Every judgement is a fair coin; i and o are what is left of the two counters.
    half = Fraction(1, 2)

    def win(i: int, o: int) -> Fraction:
        again = win(i - 1, o) if i else Fraction(0)
        return half * (half + half * (win(i, o - 1) if o else 0)) + half * again

    assert enumerate_runs(program).outcomes["success"] == win(1, 1)


def test_region_finishes_and_the_first_ending_in_writing_order_counts() -> None:
    world = World(
        tools=(
            tool("a", succeeds=".5", cost="1"),
            tool("b", succeeds=".5", cost="1"),
            tool("c", cost="1"),
        )
    )
    program = world.program(
        step("first", call("a", "q"), otherwise=m.Reject()),
        step("after", call("c", "first")),
        step("second", call("b", "q"), otherwise=PEOPLE),
        step("free", call("c", "q")),
        returned("after", "second", "free"),
    )
    result = enumerate_runs(program)
    assert outcomes(result) == {"success": 0.25, "rejection": 0.5, "escalation": 0.25}
    assert result.reached == {"first": 1, "after": rate(".5"), "second": 1, "free": 1}
    assert result.cost_mean == rate("3.5")


def test_an_outcome_waits_for_what_it_mentions() -> None:
    world = World(tools=(tool("a", succeeds=".5"), tool("b", succeeds="0")))
    program = world.program(
        step("s", call("a", "q"), otherwise=m.Reject()),
        step("t", call("b", "q"), otherwise=m.Escalate("staff", e.Path("s"))),
        returned("t"),
    )
    result = enumerate_runs(program)
    assert result.reached["t"] == rate(".5")
    assert outcomes(result) == {"rejection": 0.5, "escalation": 0.5}


def test_a_barrier_stops_what_is_below() -> None:
    world = World(tools=(tool("a", succeeds=".5"), tool("w", "write", cost="1")))
    program = world.program(
        step("s", call("a", "q")), step("sent", call("w", "q")), returned("sent")
    )
    result = enumerate_runs(program)
    assert result.reached["sent"] == rate(".5")
    assert result.cost_mean == rate(".5")


def test_effects_with_wrong_values() -> None:
    world = World(tools=(tool("w", "irreversible", succeeds=".9"),))
    program = world.program(
        step("s", ask(a=".8")),
        step("sent", call("w", "s"), otherwise=PEOPLE),
        step("t", ask(a=".5")),
        returned("t"),
    )
    result = enumerate_runs(program)
    assert result.wrong_effect == rate(".2") * rate(".9")
    assert result.outcomes["success"] == rate(".8") * rate(".9") * rate(".5")
    assert result.outcomes["escalation"] == rate(".1")


def test_the_condition_around_an_item_is_read_by_it() -> None:
    world = World(shares=(m.PathShare(e.Path("s", "flag"), rate(".5")),), tools=(tool("f"),))
    program = world.program(
        step("s", ask(a=".9")),
        m.When(None, m.Test(e.Path("s", "flag")), (step("t", call("f", "q")), returned("t"))),
        step("u", call("f", "q")),
        returned("u"),
    )
    assert enumerate_runs(program).outcomes["success"] == rate(".5") * rate(".9") + rate(".5")


def test_a_route_does_not_taint_and_picks_the_accuracy() -> None:
    route = m.Route(e.Path("s", "kind"), ((("simple",), "fast"), (("else",), "other")))
    share = m.PathShare(
        e.Path("s", "kind"),
        (("simple", rate(".6")), ("medium", rate(".3")), ("complex", rate(".1"))),
    )
    accuracy = m.ByTier((("fast", rate(".8")), ("other", rate(".9"))))
    program = World(other_transient=".5", shares=(share,)).program(
        step("s", ask(a="0")), step("t", ask(a=accuracy, by=route)), returned("t")
    )
    result = enumerate_runs(program)
    assert result.outcomes["success"] == rate(".6") * rate(".8") + rate(".2") * rate(".9")
    assert result.outcomes["failure"] == rate(".2")


@pytest.mark.parametrize("shown", [None, "q", "s"])
def test_holds_and_approvals(shown: str | None) -> None:
    showing = None if shown is None else e.Path(shown)
    staff = m.Role("staff", 900, 7200, rate(".9"))
    program = World(staff=staff).program(
        step("s", ask(a=".8")),
        m.Hold("veto", 900, "staff", m.Reject(), showing=showing),  # F is 1/2 at the median
        m.Approve("yes", "staff", PEOPLE, showing=showing),
        returned("s"),
    )
    result = enumerate_runs(program)
    half = Fraction(1, 2)
    good = (1 - half * rate(".1")) * rate(".9")
    bad = good if shown == "q" else (1 - half * rate(".9")) * rate(".1")
    assert result.outcomes["success"] == rate(".8") * good
    assert result.outcomes["silent_error"] == rate(".2") * bad


def test_a_confidence_looks_like_its_own_bit() -> None:
    file = m.EvidenceFile("s.jsonl", rows({"0.9": 3, "0.6": 1}, {"0.9": 1, "0.6": 3}))
    program = World(files=(file,)).program(
        step("s", ask(a="0.5")),
        step("t", ask("s", a=m.FromFile("s.jsonl"))),
        m.Gate("g", m.Test(e.Confidence("t", ">=", rate(".9"))), m.Reject()),
        returned("t"),
    )
    result = enumerate_runs(program)
    # Rows say .5; right with probability .25, and then 3 of 4 pass; of the rest 1 of 4.
    assert result.outcomes["success"] == rate(".25") * rate(".75")
    assert result.outcomes["silent_error"] == rate(".75") * rate(".25")


def test_the_same_expression_is_one_draw_and_names_are_the_nearest_when() -> None:
    rates = m.Rates(rate(".9"), rate(".2"))
    program = World().program(
        step("s", ask()),
        m.Gate("g", m.Test(OK, rates), m.Reject()),
        m.Gate("h", m.Test(OK, rates), m.Fail("never")),
        m.When("label", m.Test(e.Path("s", "kind"), m.Share(rate(".5"), rate(".1"))), (
            m.When(None, m.Test(e.Constant("true")), (PEOPLE,)),
        )),
        returned("s"),
    )  # fmt: skip
    result = enumerate_runs(program)
    assert outcomes(result) == {"success": 0.4, "escalation": 0.4, "rejection": 0.2}
    assert result.escalations == {"label": rate(".4")}


def test_an_inner_redo_reaches_below_its_gate() -> None:
    """Of the open places: what reads a step that was made again is made again too, even where
    the redo that led there was not this step's own."""
    world = World(tools=(tool("find", cost="1"),))
    coin = m.Rates(rate(".5"), rate(".5"))
    program = world.program(
        step("t", ask(correlation="0")),
        step("s", ask(correlation="0")),
        m.Gate("inner", m.Test(e.And(OK, e.Path("t", "ok")), coin), PEOPLE, m.Redo("t", 1)),
        step("below", call("find", "t", correlation="0")),
        m.Gate("outer", m.Test(OK, coin), m.Reject(), m.Redo("s", 1)),
        returned("below"),
    )
    # `find` is called where `inner` first passes (3/4: at once 1/2, after its redo 1/4), and
    # again where `inner`, judged again after a redo of `s`, sends `t` back: `inner`
    # passes at once (1/2), `outer` fails (1/2), `inner` fails (1/2), then passes (1/2).
    assert enumerate_runs(program).cost_mean == rate(".75") + rate(".0625")


def test_limit() -> None:
    with pytest.raises(TooManyRunsError):
        enumerate_runs(World(transient=".5").program(step("s", ask()), returned("s")), limit=1)
