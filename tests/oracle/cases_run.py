"""Known answers about `run`."""

from __future__ import annotations

from . import expressions as e
from . import model as m
from .building import PEOPLE, World, ask, call, child, given, rate, returned, run, step, tool
from .cases import Case, case, numbers

BACK = m.Return(e.Path("a"))
FLAG = m.Test(e.Path("x", "flag"))
HALF = m.Test(e.Path("x", "flag"), m.Share(rate(".5"), rate(".5")))


def asks(a: str = "1", name: str = "child") -> m.Pipeline:
    return child(name, step("a", ask("x", a=a)), BACK)


def asks_if_flagged(*shares: m.PathShare, otherwise: m.Outcome = PEOPLE) -> m.Pipeline:
    gate = m.Gate("g", FLAG, otherwise)
    return child("child", gate, step("a", ask("x")), BACK, shares=shares)


@case
def rightness_goes_in_and_out() -> Case:
    inner = child("child", step("a", ask("y", a=".9")), BACK, of="Answer")
    program = World(children=(inner,)).program(
        step("s", ask(a=".8")), step("z", run("child", "s")), returned("z")
    )
    return Case(program, numbers(success=".72", silent_error=".28"))


@case
def outages_are_shared() -> Case:
    world = World(available=".95", transient=".1", children=(asks(),))
    program = world.program(step("s", ask()), step("z", run("child")), returned("s", "z"))
    return Case(program, numbers(success=".7695", failure=".2305"))


@case
def a_run_that_failed_falls_back() -> Case:
    world = World(available=".95", transient=".1", other_transient=".2", children=(asks(),))
    program = world.program(step("z", run("child"), ask(by="other")), returned("z"))
    return Case(program, numbers(success=".971", failure=".029"))


@case
def every_attempt_of_a_run_plays_anew() -> Case:
    world = World(available=".95", transient=".1", children=(asks(),))
    program = world.program(step("z", run("child", retry=1)), returned("z"))
    return Case(program, numbers(success=".9405", failure=".0595"))


@case
def decisions_propagate() -> Case:
    named = m.Test(e.Path("x", "flag"), m.Share(rate(".7"), rate(".7")))
    inner = child("child", m.Gate("g", named, PEOPLE), step("a", ask("x")), BACK)
    program = World(children=(inner,)).program(
        step("z", run("child", retry=2), ask(), otherwise=m.Reject()), returned("z")
    )
    outcomes = numbers(success=".7", escalation=".3")
    return Case(program, outcomes, escalations={"child.g": rate(".3")})


@case
def a_fact_about_an_argument_is_one_draw() -> Case:
    world = World(children=(asks_if_flagged(given("x", ".3")),))
    program = world.program(step("z", run("child")), step("w", run("child")), returned("z", "w"))
    return Case(program, numbers(success=".3", escalation=".7"))


@case
def facts_about_two_versions_are_two_draws() -> Case:
    inner = child(
        "child",
        m.Gate("g", m.Test(e.Path("y", "flag")), m.Reject()),
        step("a", ask("y")),
        BACK,
        shares=(given("y", ".3"),),
        of="Answer",
    )
    program = World(children=(inner,)).program(
        step("s", ask()),
        step("t", ask()),
        step("z", run("child", "s")),
        step("w", run("child", "t")),
        returned("z", "w"),
    )
    return Case(program, numbers(success=".09", rejection=".91"))


@case
def the_callers_share_is_taken() -> Case:
    world = World(children=(asks_if_flagged(given("x", ".3")),), shares=(given("q", ".6"),))
    program = world.program(
        m.When(None, m.Test(e.Not(e.Path("q", "flag"))), (m.Reject(),)),
        step("z", run("child")),
        returned("z"),
    )
    return Case(program, numbers(success=".6", rejection=".4"))


@case
def a_literal_argument_decides() -> Case:
    world = World(children=(asks_if_flagged(given("x", ".3")),))
    texts = (("flag", "true"), ("kind", "simple"), ("body", '"b"'))
    literal = e.RecordOf(tuple((name, e.Constant(text)) for name, text in texts))
    program = world.program(step("z", run("child", literal)), returned("z"))
    return Case(program, numbers(success="1"))


@case
def a_retried_run_meets_the_same_fact() -> Case:
    world = World(children=(asks_if_flagged(given("x", ".3"), otherwise=m.Fail("no")),))
    program = world.program(step("z", run("child", retry=3)), returned("z"))
    return Case(program, numbers(success=".3", failure=".7"))


@case
def judging_is_drawn_anew() -> Case:
    inner = child("child", m.Gate("g", HALF, m.Fail("no")), step("a", ask("x")), BACK)
    program = World(children=(inner,)).program(
        step("z", run("child", retry=1)), step("w", run("child")), returned("z", "w")
    )
    return Case(program, numbers(success=".375", failure=".625"))


@case
def effects_count_whatever_becomes_of_the_run() -> Case:
    tools = (tool("w", "write", cost="1"), tool("shaky", succeeds=".5"))
    inner = child(
        "child",
        step("sent", call("w", "y")),
        step("a", call("shaky", "y")),
        BACK,
        of="Answer",
    )
    program = World(tools=tools, children=(inner,)).program(
        step("s", ask(a=".8")),
        step("z", run("child", "s", retry=1), otherwise=PEOPLE),
        returned("z"),
    )
    return Case(
        program,
        numbers(success=".6", silent_error=".15", escalation=".25"),
        escalations={"z": rate(".25")},
        wrong_effect=rate(".2"),
        cost=rate("1.5"),
    )


@case
def a_run_that_acts_is_a_barrier() -> Case:
    tools = (tool("w", "write", cost="1"), tool("shaky", succeeds=".5"), tool("see", cost="2"))
    acts = child("acts", step("a", call("w", "x")), BACK)
    reads = child("reads", step("a", call("see", "x")), BACK)
    program = World(tools=tools, children=(acts, reads)).program(
        step("s", call("shaky", "q")),
        step("r", run("reads")),  # beside `s`, whatever becomes of it
        step("z", run("acts")),  # only after `s`
        returned("s", "r", "z"),
    )
    return Case(program, numbers(success=".5", failure=".5"), cost=rate("2.5"))


@case
def what_is_around_a_run_is_read_by_its_parameters() -> Case:
    share = m.PathShare(e.Path("s", "flag"), rate(".5"))
    program = World(shares=(share,), children=(asks(),)).program(
        step("s", ask(a=".8")),
        m.When(
            None,
            m.Test(e.Path("s", "flag")),
            (step("z", run("child")), returned("z")),
        ),
        returned("q"),
    )
    return Case(program, numbers(success=".9", silent_error=".1"))


def two_deep(*main: m.PathShare) -> m.Program:
    inner = asks_if_flagged(given("x", ".3"))
    middle = child("middle", step("a", run("child", "x")), BACK, shares=(given("x", ".5"),))
    world = World(children=(inner, middle), shares=main)
    items: tuple[m.Item, ...] = (step("z", run("middle")), returned("z"))
    if main:
        items = (m.Gate("first", m.Test(e.Path("q", "flag")), m.Reject()), *items)
    return world.program(*items)


@case
def two_deep_the_outer_share_is_taken() -> Case:
    return Case(two_deep(), numbers(success=".5", escalation=".5"))


@case
def two_deep_the_outermost_share_is_taken() -> Case:
    return Case(two_deep(given("q", ".9")), numbers(success=".9", rejection=".1"))


@case
def a_redone_run_draws_anew() -> Case:
    judged = m.Test(e.Path("z", "ok"), m.Rates(rate("1"), rate("0")))
    program = World(children=(asks(a=".5"),)).program(
        step("z", run("child")),
        m.Gate("g", judged, PEOPLE, m.Redo("z", 1)),
        returned("z"),
    )
    return Case(program, numbers(success=".75", escalation=".25"), {"g": rate(".25")})


@case
def a_decision_two_deep_has_the_name_of_its_own_pipeline() -> Case:
    """`PIPELINE.GATE` names the gate's pipeline, not the way to it."""
    low = child("low", m.Gate("g", HALF, PEOPLE), step("a", ask("x")), BACK)
    mid = child("mid", step("a", run("low", "x")), BACK)
    program = World(children=(low, mid)).program(step("z", run("mid")), returned("z"))
    outcomes = numbers(success=".5", escalation=".5")
    return Case(program, outcomes, escalations={"low.g": rate(".5")})


@case
def a_bare_outcome_in_a_child_has_the_name_of_the_child() -> Case:
    """The nearest named `when`, else the pipeline."""
    plain = m.When(None, FLAG, (PEOPLE,))
    of_answer = m.Test(e.Path("y", "ok"))
    inner = child("child", plain, step("a", ask("x")), BACK, shares=(given("x", ".3"),))
    other = child(
        "judged",
        m.When("w", of_answer, (PEOPLE,)),
        step("a", ask("y")),
        BACK,
        shares=(given("y", ".5", "ok"),),
        of="Answer",
    )
    program = World(children=(inner, other)).program(
        step("z", run("child")), step("v", run("judged", "z")), returned("v")
    )
    outcomes = numbers(success=".35", escalation=".65")
    return Case(program, outcomes, escalations={"child.child": rate(".3"), "judged.w": rate(".35")})


@case
def what_is_around_a_run_is_read_by_all_that_is_done_inside() -> Case:
    """Although the child reads nothing of it: neither its write nor what it returns."""
    fixed = {"flag": "true", "ok": "true", "kind": "simple", "confidence": "50%"}
    fixed["body"] = '"b"'
    literal = e.RecordOf(tuple((name, e.Constant(text)) for name, text in fixed.items()))
    inner = child("child", step("sent", call("send", "x")), m.Return(literal))
    send = tool("send", effect="write")
    world = World(children=(inner,), tools=(send,), shares=(given("s", ".5"),))
    branch = m.When(None, m.Test(e.Path("s", "flag")), (step("z", run("child")), returned("z")))
    program = world.program(step("s", ask(a=".9")), branch, step("w", ask()), returned("w"))
    outcomes = numbers(success=".95", silent_error=".05")
    return Case(program, outcomes, wrong_effect=rate(".05"))


@case
def a_computed_argument_has_the_share_of_the_child_and_is_one_draw() -> Case:
    """The caller has no words for a path into it, and the same words are the same draw."""
    inputs = (m.Input("q", "Question"), m.Input("item", "Question"))
    world = World(children=(asks_if_flagged(given("x", ".3")),), inputs=inputs)
    either = e.Choice(e.Path("s", "ok"), e.Path("q"), e.Path("item"))
    program = world.program(
        step("s", ask()),
        step("z", run("child", either)),
        step("w", run("child", either)),
        returned("z", "w"),
    )
    return Case(program, numbers(success=".3", escalation=".7"))
