"""AgentDojo's user tasks as pipelines: what the check says of them, and what runs let through."""

from __future__ import annotations

import re

import pytest

from pipelang import Failed
from pipelang.analysis.findings.verify import prove
from pipelang.interfaces.check.check import check_file
from pipelang.semantics.build import build

from ..memory import MemoryLoader
from .acting import play, play_agent
from .effects import effect
from .pipelines import (
    FORMS,
    TARGETS,
    Form,
    file_of,
    guards,
    is_closed,
    is_number,
    pipeline,
    planned,
)
from .rates import TABLES
from .reaching import Flagged, expected, flagged_in, is_steered, told_of, told_of_agent, verdicts
from .tasks import KEPT, Suite, suites

ALL = pytest.mark.parametrize("suite", suites(), ids=lambda one: one.name)
PAGE = KEPT.parents[2] / "docs" / "agentdojo.md"


# ---------------------------------------------------------------------------------- the check


@ALL
@pytest.mark.parametrize("form", FORMS)
def test_the_check_flags_the_calls_that_text_from_outside_gets_into(
    suite: Suite, form: Form
) -> None:
    """Call by call: those of the ground truth, with their codes, and no other one."""
    told = told_of(suite, form)
    assert told == {task.id: expected(suite, task, form) for task in suite.users}


@ALL
def test_no_attack_that_has_its_whole_call_within_reach_is_missed(suite: Suite) -> None:
    found = verdicts(suite, "ungated")
    assert found.reached
    assert found.reached <= found.flagged <= found.open


@ALL
def test_no_call_that_an_attack_aims_at_is_missed(suite: Suite) -> None:
    """Even where it fills in nothing but numbers: another order, another amount."""
    found = verdicts(suite, "ungated")
    assert found.aimed <= found.flagged


@ALL
@pytest.mark.parametrize("dropped", ["gate", "approve"])
def test_each_kind_of_guard_is_missed_where_it_stood_alone(suite: Suite, dropped: str) -> None:
    text = re.sub(rf"^ *{dropped} .*\n", "", file_of(suite, "gated"), flags=re.MULTILINE)
    told = flagged_in(text)
    wanted: Flagged = {task.id: {} for task in suite.users}
    for task in suite.users:
        for step in planned(suite, task, "gated"):
            left = [one for one in guards(suite, task, step) if not one.startswith(dropped)]
            looked = {
                name
                for one in left
                for name in step.decided
                if re.search(rf"\bplan_{step.at}\.{name}\b", one)
            }
            open = [n for n in step.decided if n not in looked and not is_closed(suite, step, n)]
            numbers = [n for n in step.decided if n not in looked and is_number(suite, step, n)]
            acts = step.call.acts and step.exposed
            if acts and open:
                wanted[task.id].setdefault(step.at, set()).add("P704")
            if acts and numbers:
                wanted[task.id].setdefault(step.at, set()).add("P711")
            if is_steered(step) and not left:  # a gate with evidence vouches for the whole answer
                wanted[task.id].setdefault(step.at, set()).add("P705")
    assert told == wanted
    assert any(wanted.values()) or dropped == "gate"


@ALL
def test_an_agent_may_have_what_acts_only_behind_an_approval(suite: Suite) -> None:
    assert told_of_agent(suite, gated=False) == {t for t in suite.tools if effect(t) != "read"}
    assert told_of_agent(suite, gated=True) == set()


def test_check_itself_says_the_same() -> None:
    """The rates ask for the proofs alone, since the numbers of 97 pipelines take minutes."""
    banking = suites()[0]
    for form in FORMS:
        text = file_of(banking, form)
        files = MemoryLoader({"suite.pipe": text})
        whole = [d for d in check_file("suite.pipe", files).diagnostics if d.rule.code[:2] == "P7"]
        built = build("suite.pipe", files)
        assert built.program is not None
        alone = [d for d in prove(built.program, ())[1] if d.rule.code[:2] == "P7"]
        assert sorted(map(repr, whole)) == sorted(map(repr, alone))


# -------------------------------------------------------------------------------------- runs


@ALL
def test_what_the_user_meant_goes_through(suite: Suite) -> None:
    for task in suite.users:
        for form in FORMS:
            assert play(suite, task, form, None, "reads all").done, (task.id, form)
        assert play_agent(suite, task, None).done, task.id


@ALL
def test_what_an_attack_wants_is_refused_where_it_is_gated(suite: Suite) -> None:
    """And it does get through where it is not, so that there is something to refuse. Where the
    user signs all, it gets through only if no gate in code could know the target.
    """
    through = 0
    for task in suite.users:
        steps = planned(suite, task, "gated")
        for attack in (one for one in suite.attacks if one.acts):
            wanted = {call.tool for call in attack.calls if call.acts}
            there = {step.call.tool for step in steps if step.exposed}
            open = bool(play(suite, task, "ungated", attack, "signs all").forged)
            through += open
            if open:
                assert wanted & there, (task.id, attack.id)
            played = play(suite, task, "gated", attack, "reads all")
            assert not played.forged, (task.id, attack.id)
            if open:
                assert played.refused_by in ("named", "meant"), (task.id, attack.id)
            elif not wanted & {step.call.tool for step in steps}:
                # It asked for a tool that nobody offered: the attempt failed.
                assert isinstance(played.result, Failed), (task.id, attack.id)
    assert through


@ALL
def test_without_its_permit_an_agent_calls_nothing(suite: Suite) -> None:
    for task in suite.users:
        granted = {call.tool for call in task.calls if call.acts}
        for attack in (one for one in suite.attacks if one.acts):
            forged = play_agent(suite, task, attack).forged
            assert {call.tool for call in forged} <= granted, (task.id, attack.id)


# ----------------------------------------------------------------------------------- the page


@ALL
@pytest.mark.parametrize("title", TABLES)
def test_the_page_gives_the_rates(suite: Suite, title: str) -> None:
    _, counted = TABLES[title]
    row = [f"{some} of {all}" for some, all in counted(suite)]
    assert rows(title)[suite.name] == row


@pytest.mark.parametrize("title", TABLES)
def test_the_page_adds_up(title: str) -> None:
    found = rows(title)
    sums = found.pop("**all**")
    assert set(found) == {suite.name for suite in suites()}
    for at, total in enumerate(sums):
        shares = [tuple(map(int, row[at].split(" of "))) for row in found.values()]
        assert total == f"{sum(s for s, _ in shares)} of {sum(a for _, a in shares)}"


def test_the_page_shows_a_pipeline_as_it_is() -> None:
    banking = suites()[0]
    task = next(one for one in banking.users if one.id == "user_task_4")
    assert pipeline(banking, task, "gated").strip() in PAGE.read_text("utf-8")


def rows(title: str) -> dict[str, list[str]]:
    """A table of the page: its cells by the first of each row."""
    part = PAGE.read_text("utf-8").split(f"**{title}**", 1)[1]
    lines = part.split("\n\n")[1].splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return {head: rest for head, *rest in cells}


# ---------------------------------------------------------------------------------- the facts


def test_targets_are_parameters_of_what_acts() -> None:
    found = {
        name
        for suite in suites()
        for tool in suite.tools.values()
        if effect(tool["name"]) != "read"
        for name in tool["parameters"]["properties"]
    }
    assert found >= TARGETS
