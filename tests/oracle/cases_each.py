"""Known answers about `each`."""

from __future__ import annotations

from . import expressions as e
from . import model as m
from .building import (
    PEOPLE,
    World,
    ask,
    call,
    child,
    each,
    given,
    listed,
    not_empty,
    rate,
    returned,
    run,
    step,
    tool,
)
from .cases import Case, case, numbers

BOTH = e.ListOf((e.Path("q"), e.Path("q")))
THREE = e.ListOf((e.Path("q"), e.Path("q"), e.Path("q")))
FIND = (tool("find", succeeds=".5", cost="1"),)
PARTS = (m.Input("q", "Question"), m.Input("parts", "[Question] max 3"))


@case
def all_elements_must_be_right() -> Case:
    program = World(inputs=PARTS, shares=(given("parts", m.Mean(rate("2.5")), "length"),)).program(
        listed("s", each(e.Path("parts"), ask("item", a=".9")), 3), not_empty("s")
    )
    return Case(program, numbers(success=".7695", silent_error=".2305"))


@case
def one_list_has_one_length() -> Case:
    share = (given("parts", m.Mean(rate(".5")), "length"),)
    program = World(inputs=PARTS, shares=share).program(
        listed("s", each(e.Path("parts"), ask("item", a=".5")), 3),
        m.Step(
            "t",
            "[Answer] max 3",
            (m.Link(m.Each("item_2", e.Path("parts"), (ask(a=".5"),))),),
        ),
        m.Return(
            e.RecordOf(
                (
                    (
                        "parts",
                        e.ListOf(
                            tuple(
                                e.Choice(
                                    e.NotEmpty(e.Path(name)),
                                    e.Constant('"some"'),
                                    e.Constant('"none"'),
                                )
                                for name in ("s", "t")
                            )
                        ),
                    ),
                )
            )
        ),
    )
    return Case(program, numbers(success=".625", silent_error=".375"))


def found(need: str, ordered: bool = False, otherwise: m.Outcome | None = None) -> m.Program:
    link = each(THREE, call("find", "item"), otherwise=otherwise, ordered=ordered, need=need)
    return World(tools=FIND).program(listed("s", link, 3), not_empty("s"))


@case
def need_all() -> Case:
    return Case(found("all"), numbers(success=".125", failure=".875"), cost=rate("3"))


@case
def need_any() -> Case:
    return Case(found("any"), numbers(success=".875", failure=".125"), cost=rate("3"))


@case
def need_a_share_rounds_up() -> Case:
    return Case(found(".34"), numbers(success=".5", failure=".5"))


@case
def ordered_stops_at_the_first_unanswered() -> Case:
    return Case(found("any", ordered=True), numbers(success=".5", failure=".5"), cost=rate("1.75"))


@case
def ordered_and_a_share() -> Case:
    return Case(found(".5", ordered=True), numbers(success=".25", failure=".75"))


@case
def an_element_ends_the_run_after_the_others() -> Case:
    program = found("any", otherwise=PEOPLE)
    outcomes = numbers(success=".125", escalation=".875")
    return Case(program, outcomes, {"s": rate(".875")}, cost=rate("3"))


@case
def an_element_ends_an_ordered_each_at_once() -> Case:
    program = found("any", ordered=True, otherwise=PEOPLE)
    outcomes = numbers(success=".125", escalation=".875")
    return Case(program, outcomes, {"s": rate(".875")}, cost=rate("1.75"))


@case
def an_element_is_right_if_the_list_is() -> Case:
    pair = e.ListOf((e.Path("a"), e.Path("b")))
    body = m.Link(m.Ask((e.Path("item"),), ("Answer",), "fast"), accuracy=rate("1"))
    program = World().program(
        step("a", ask(a=".8")),
        step("b", ask(a=".5")),
        listed("s", each(pair, body), 2),
        not_empty("s"),
    )
    return Case(program, numbers(success=".4", silent_error=".6"))


@case
def elements_share_outages() -> Case:
    program = World(available=".9", transient=".1").program(
        listed("s", each(BOTH, ask("item")), 2), not_empty("s")
    )
    return Case(program, numbers(success=".729", failure=".271"))


@case
def an_empty_list_answers() -> Case:
    program = World(tools=FIND).program(
        m.Let("none_at_all", "[Question] max 2", e.ListOf(())),
        listed("s", each(e.Path("none_at_all"), call("find", "item"), need="any"), 2),
        not_empty("s"),
    )
    return Case(program, numbers(success="1"), cost=rate("0"))


@case
def a_fact_about_an_element_is_drawn_for_each() -> Case:
    gate = m.Gate("g", m.Test(e.Path("x", "flag")), m.Reject())
    inner = child(
        "child", gate, step("a", ask("x")), m.Return(e.Path("a")), shares=(given("x", ".5"),)
    )
    share = (given("parts", m.Mean(rate("2")), "length"),)
    program = World(inputs=PARTS, shares=share, children=(inner,)).program(
        listed("s", each(e.Path("parts"), run("child", "item")), 3), not_empty("s")
    )
    return Case(program, numbers(success=".25", rejection=".75"))


@case
def traffic_of_an_element() -> Case:
    by = m.IfRoute(e.Path("item", "flag"), "fast", "other")
    share = (given("parts", m.Mean(rate("2")), "length"), given("item", ".5"))
    program = World(other_transient="1", inputs=PARTS, shares=share).program(
        listed("s", each(e.Path("parts"), ask("item", by=by), need="any"), 3), not_empty("s")
    )
    return Case(program, numbers(success=".75", failure=".25"))


@case
def effects_of_elements_count() -> Case:
    world = World(tools=(*FIND, tool("w", "write", accuracy=".9")))
    program = world.program(
        listed("s", each(BOTH, call("w", "item")), 2),
        step("t", call("find", "q"), otherwise=PEOPLE),
        returned("t"),
    )
    outcomes = numbers(success=".405", silent_error=".095", escalation=".5")
    return Case(program, outcomes, {"t": rate(".5")}, wrong_effect=rate(".19"))


@case
def a_list_argument_has_the_callers_length() -> Case:
    inner = m.Pipeline(
        "child",
        (m.Input("items", "[Question] max 3"),),
        "Answer",
        (given("items", m.Mean(rate("3")), "length"),),
        (
            listed("s", each(e.Path("items"), ask("item", a=".5")), 3),
            m.Return(
                e.RecordOf(
                    (
                        ("flag", e.Constant("false")),
                        ("ok", e.Constant("false")),
                        ("kind", e.Constant("simple")),
                        ("confidence", e.Constant("50%")),
                        (
                            "body",
                            e.Choice(e.NotEmpty(e.Path("s")), e.Constant('"a"'), e.Constant('"b"')),
                        ),
                    )
                )
            ),
        ),
    )
    program = World(children=(inner,)).program(
        step("z", run("child", e.ListOf((e.Path("q"),)))), returned("z")
    )
    return Case(program, numbers(success=".5", silent_error=".5"))
