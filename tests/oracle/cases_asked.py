"""Known answers about agents, memories, caches, votes, cascades, people and chosen actions."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from . import expressions as e
from . import model as m
from .building import PEOPLE, World, ask, given, rate, returned, step, tool
from .cases import Case, case, numbers

NOTES = m.Memory("notes", "[text max 20 tokens] max 5")
LOOK = tool("look", succeeds=".5")


def agent(turns: int, a: str, retry: int = 0) -> m.Link:
    action = m.Agent((e.Path("q"),), ("Question",), "fast", ("look",), 6, turns)
    return m.Link(action, accuracy=rate(a), retry=retry)


@case
def turns_of_an_agent() -> Case:
    world = World(available=".95", transient=".1", tools=(LOOK,), price="1000")
    program = world.program(step("s", agent(3, ".9", retry=1)), returned("s"))
    answered = rate(".95") * rate(".99") ** 3
    turns = 1 + rate(".99") + rate(".99") ** 2
    return Case(
        program,
        numbers(
            success=answered * rate(".9"),
            silent_error=answered * rate(".1"),
            failure=1 - answered,
        ),
        cost=rate(".95") * turns * rate("1.1") * rate(".02"),
    )


@case
def a_memory_is_as_right_as_its_key() -> Case:
    program = World(memories=(NOTES,)).program(
        step("s", ask(a=".8")),
        m.Step(
            "old", "[text max 20 tokens] max 5", (m.Link(m.Recall("notes", e.Path("s", "body"))),)
        ),
        step(
            "t", m.Link(m.Ask((e.Path("old"),), ("[text max 20 tokens] max 5",), "fast"), rate("1"))
        ),
        returned("t"),
    )
    return Case(program, numbers(success=".8", silent_error=".2"))


@case
def remembering_is_a_write() -> Case:
    program = World(memories=(NOTES,), shares=(given("s", ".5"),)).program(
        step("s", ask(a=".8")),
        step("t", ask(a=".9")),
        m.When(
            None,
            m.Test(e.Path("s", "flag")),
            (m.Remember("notes", e.Path("q", "body"), e.Path("t", "body")),),
        ),
        m.When(
            None,
            m.Test(e.Constant("true")),
            (m.Remember("notes", e.Path("q", "body"), e.Constant('"x"')),),
        ),
        m.Gate("g", m.Test(e.Path("q", "flag"), m.Share(rate(".5"), rate(".5"))), PEOPLE),
        returned("q"),
    )
    # Wrong where the branch is taken (.5) and one of the two that it reads is wrong (.28).
    return Case(
        program,
        numbers(success=".43", silent_error=".07", escalation=".5"),
        {"g": rate(".5")},
        wrong_effect=rate(".14"),
    )


@case
def a_hit_beats_an_outage_and_costs_nothing() -> Case:
    world = World(available=".9", price="1000")
    program = world.program(step("s", ask(a=".9", hits=".5")), returned("s"))
    outcomes = numbers(success=".855", silent_error=".095", failure=".05")
    return Case(program, outcomes, cost=rate(".009"))


@case
def a_hit_stands_for_the_whole_vote() -> Case:
    voted = ask(a=".9", vote=m.Vote(3), correlation="0", hits="1")
    program = World(transient=".1").program(step("s", voted), returned("s"))
    right = Fraction(905418, 905418 + 22842)
    return Case(program, numbers(success=right, silent_error=1 - right))


@case
def a_hit_stands_for_the_whole_agent() -> Case:
    link = replace(agent(3, ".9"), cache=m.Cache((e.Path("q", "body"),), rate(".5")))
    program = World(transient=".5", tools=(LOOK,)).program(step("s", link), returned("s"))
    answered = rate(".5") + rate(".5") * rate(".125")
    return Case(
        program,
        numbers(
            success=answered * rate(".9"), silent_error=answered * rate(".1"), failure=1 - answered
        ),
    )


@case
def a_redo_never_reads_the_cache() -> Case:
    judged = m.Test(e.Path("s", "ok"), m.Rates(rate("1"), rate("0")))
    program = World(price="1000").program(
        step("s", ask(a=".5", hits="1", correlation="0")),
        m.Gate("g", judged, PEOPLE, m.Redo("s", 1)),
        returned("s"),
    )
    outcomes = numbers(success=".75", escalation=".25")
    return Case(program, outcomes, {"g": rate(".25")}, cost=rate(".01"))


@case
def a_fallback_looks_into_its_own_cache() -> Case:
    world = World(available="0", other_available="0")
    links = (ask(), ask(by="other", hits=".4"))
    program = world.program(step("s", *links), returned("s"))
    return Case(program, numbers(success=".4", failure=".6"))


@case
def votes() -> Case:
    voted = ask(a=".9", vote=m.Vote(3), correlation=".3")
    program = World(price="1000").program(step("s", voted), returned("s"))
    return Case(program, numbers(success=".93528", silent_error=".06472"), cost=rate(".06"))


@case
def votes_of_calls_that_fail() -> Case:
    voted = ask(a=".9", vote=m.Vote(3), correlation="0")
    program = World(transient=".1").program(step("s", voted), returned("s"))
    outcomes = numbers(success=".905418", silent_error=".022842", failure=".07174")
    return Case(program, outcomes)


@case
def a_redone_vote_copies_what_won() -> Case:
    """The first call of the redo repeats the step's answer, not the last call of the vote."""
    judged = m.Test(e.Path("s", "ok"), m.Rates(rate("1"), rate("0")))
    program = World().program(
        step("s", ask(a=".8", vote=m.Vote(3), correlation=".3")),
        m.Gate("g", judged, PEOPLE, m.Redo("s", 1)),
        returned("s"),
    )
    # Right at first: .8 × .86 + .8 × .14 × .56 + .2 × .56 × .86.
    # After a wrong answer the first call is right with .56.
    won = rate(".84704") + rate(".15296") * rate(".737408")
    return Case(program, numbers(success=won, escalation=1 - won), {"g": 1 - won})


@case
def a_cache_of_what_may_never_answer() -> Case:
    cascade = m.Cascade(("fast", "other"), e.Path("it", "ok"), m.Rates(rate("1"), rate("0")))
    link = ask("s", by=cascade, correlation="0", hits="0")
    program = World().program(step("s", ask(a=".8")), step("t", link), returned("t"))
    return Case(program, numbers(success=".8", failure=".2"))


@case
def leading_votes() -> Case:
    voted = ask(a=".9", vote=m.Vote(3, 2), correlation="0")
    program = World(price="1000").program(step("s", voted), returned("s"))
    outcomes = numbers(success=".81", silent_error=".01", failure=".18")
    return Case(program, outcomes, cost=rate(".0436"))


@case
def cascades() -> Case:
    cascade = m.Cascade(("fast", "other"), e.Path("it", "ok"), m.Rates(rate(".75"), rate(".1")))
    accuracy = m.ByTier((("fast", rate(".8")), ("other", rate(".95"))))
    program = World().program(
        step("s", ask(a=accuracy, by=cascade, correlation="0")), returned("s")
    )
    outcomes = numbers(success=".91665", silent_error=".052875", failure=".030475")
    return Case(program, outcomes)


@case
def people_are_asked() -> Case:
    person = replace(ask(by="staff"), accuracy=None, timeout=900, recovers=rate(".5"))
    program = World(available=".9").program(
        step("t", ask(a=".8", by="other")),
        step("s", replace(person, action=m.Ask((e.Path("t"),), ("Answer",), "staff")), ask("t")),
        returned("s"),
    )
    # In time with 1/2; then right with .98 or, where `t` is wrong, with .5. Else the model: .9.
    right = rate(".5") * (rate(".8") * rate(".98") + rate(".2") * rate(".5"))
    right += rate(".45") * rate(".8")
    return Case(program, numbers(success=right, silent_error=rate(".95") - right, failure=".05"))


def sent_back(correlation: str, within: int | None, times: int = 1) -> m.Program:
    showing, again = e.Path("s", "body"), m.Redo("s", times)
    return World().program(
        step("s", ask(a=".8", correlation=correlation)),
        m.Approve("yes", "staff", PEOPLE, within=within, showing=showing, redo=again),
        returned("s"),
    )


@case
def a_person_sends_back() -> Case:
    """Of the right 2 of 100 are sent back, of the wrong 98, and judged anew: .212 of all."""
    again = 1 + rate(".212") + rate(".212") ** 2
    right, wrong = rate(".8") * rate(".98"), rate(".2") * rate(".02")
    left = rate(".212") ** 3
    return Case(
        sent_back("0", None, times=2),
        numbers(success=right * again, silent_error=wrong * again, escalation=left),
        {"yes": left},
    )


@case
def who_is_late_sends_nothing_back() -> Case:
    """Half of the people answer within 15 minutes."""
    back = rate(".5") * rate(".212")
    right, wrong = rate(".5") * rate(".8") * rate(".98"), rate(".5") * rate(".2") * rate(".02")
    left = rate(".5") + back * (rate(".5") + back)
    return Case(
        sent_back("0", 900),
        numbers(success=right * (1 + back), silent_error=wrong * (1 + back), escalation=left),
        {"yes": left},
    )


@case
def a_person_judges_the_same_anew() -> Case:
    """The answer repeats the one before, the verdict on it does not."""
    right = rate(".8") * (1 - rate(".02") ** 2)
    wrong = rate(".2") * (1 - rate(".98") ** 2)
    return Case(
        sent_back("1", None),
        numbers(success=right, silent_error=wrong, escalation=1 - right - wrong),
    )


@case
def a_role_is_asked_again() -> Case:
    """A gate catches every wrong answer of a person, who is then asked once more."""
    judged = m.Test(e.Path("s", "ok"), m.Rates(rate("1"), rate("0")))
    person = replace(ask(by="staff", correlation="0"), accuracy=rate(".9"), recovers=rate("0"))
    program = World().program(
        step("s", person), m.Gate("g", judged, PEOPLE, m.Redo("s", 1)), returned("s")
    )
    return Case(program, numbers(success=".99", escalation=".01"), {"g": rate(".01")})


@case
def what_a_match_chooses_reads_its_condition() -> Case:
    share = m.PathShare(
        e.Path("s", "kind"),
        (("simple", rate(".6")), ("medium", rate(".3")), ("complex", rate(".1"))),
    )
    arms = ((("simple",), ask(a=".9")), (("else",), ask(a=".5", by="other")))
    program = World(shares=(share,), other_transient=".5").program(
        step("s", ask(a=".8")),
        step("t", m.Link(m.Pick(e.Path("s", "kind"), arms))),
        returned("t"),
    )
    right = rate(".8") * (rate(".6") * rate(".9") + rate(".4") * rate(".5") * rate(".5"))
    answered = rate(".6") + rate(".4") * rate(".5")
    return Case(
        program,
        numbers(success=right, silent_error=answered - right, failure=1 - answered),
    )


@case
def a_route_by_if_taints_nothing() -> Case:
    by = m.IfRoute(e.Path("s", "flag"), "fast", "other")
    accuracy = m.ByTier((("fast", rate(".9")), ("other", rate(".5"))))
    program = World(shares=(given("s", ".6"),)).program(
        step("s", ask(a=".8")), step("t", ask(a=accuracy, by=by)), returned("t")
    )
    return Case(program, numbers(success=".74", silent_error=".26"))


@case
def a_cached_cascade_is_as_right_as_one_while_all_is_up() -> Case:
    """Across providers: a hit hangs on no outage, so nor does how good it is (`fast`: half)."""
    world = World(available=".5", other_available=".5")
    by = m.Cascade(("fast", "other"), e.Path("it", "ok"), m.Rates(rate("0"), rate("0")))
    accuracy = m.ByTier((("fast", rate(".5")), ("other", rate("1"))))
    program = world.program(
        step("a", ask(a=accuracy, by=by, correlation="0", hits=".5")), returned("a")
    )
    return Case(program, numbers(success=".5", silent_error=".375", failure=".125"))
