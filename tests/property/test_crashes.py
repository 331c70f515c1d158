"""Runs that are cut off everywhere and gone on with: what durable runs mean, without a database.

`python -m tests.property.crashes --cuts 10000` makes as many cuts as one likes; here there are
`PIPELANG_CUTS`, 2,000 by default.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.inbox import routing
from pipelang.runtime.worlds.recorded.encoding import Restoring, decode, encode
from pipelang.runtime.worlds.recorded.ledger import Ledger
from pipelang.runtime.worlds.recorded.record import Kind
from pipelang.runtime.worlds.recorded.refusals import NotRecordable
from pipelang.runtime.worlds.recorded.world import NotRecorded, RecordingWorld

from ..unit.runtime.stage import load
from .crashes.cutting import every, generated, leg, program_of, said, whole
from .crashes.outside import Outside, Rows, rows_of
from .crashes.pipelines import ENDS, STEPS, TIGHT, TOOLS, text_of

CUTS = int(os.environ.get("PIPELANG_CUTS", "2000"))


def test_generated_pipelines_are_cut_at_every_boundary() -> None:
    cuts, seed, found = 0, 0, []
    while cuts < CUTS:
        made, wrong = generated(seed)
        cuts += made
        found += [f"pipeline {seed}, {one}" for one in wrong]
        seed += 1
    assert found == []


@pytest.mark.parametrize("kind", STEPS)
def test_each_construct_is_cut_at_every_boundary(kind: str) -> None:
    program = program_of(text_of([kind], end=ENDS[1]))
    for luck in (1, 4):
        cuts, found = every(program, luck, roomy=True, step=2)
        assert found == []
        assert cuts > 2


@pytest.mark.parametrize("budget", TIGHT)
def test_no_budget_is_passed_by_going_on(budget: str) -> None:
    program = program_of(text_of(["region", "vote", "each", "run"], budget))
    for luck in (2, 3):
        assert every(program, luck, roomy=False, step=3)[1] == []


def test_a_record_that_is_complete_is_gone_through_without_anything_outside() -> None:
    for kind in STEPS:
        program = program_of(text_of([kind], end=ENDS[2]))
        first = whole(program, 5)
        outside = Outside(5)
        outside.texts.update(first.outside.texts)
        outside.media.update(first.outside.media)
        again = leg(program, outside, None, replay=True)
        assert again is not None
        assert said(again) == said(first.result)
        assert (again.cost, again.tokens) == (first.result.cost, first.result.tokens)
        assert [e.number for e in again.trace] == [e.number for e in first.result.trace]
        assert outside.calls == 0, kind
        assert outside.asked == set(), kind
        assert outside.count == 0, f"{kind}: rows are written again"


class SlowRows(Rows):
    """A record whose rows take time, as those of a database do."""

    async def write(self, place: str, kind: Kind, value: Any) -> None:
        await asyncio.sleep(0.015)
        await super().write(place, kind, value)
        await asyncio.sleep(0.015)


class SlowStore(Outside):
    def record(self) -> Rows:
        return SlowRows(self)


def test_the_time_of_events_never_goes_back_where_another_process_goes_on() -> None:
    program = program_of(text_of(["ask", "each", "put"], end=ENDS[1]))

    def times(outside: SlowStore) -> list[float]:
        return [outside.told[number].at for number in sorted(outside.told)]

    first = SlowStore(1)
    assert leg(program, first, None) is not None
    assert times(first) == sorted(times(first))
    for at in range(1, first.count + 1):
        then = SlowStore(1)
        assert leg(program, then, at) is None
        assert leg(program, then, None) is not None
        assert times(then) == sorted(times(then)), f"cut at {at}"


def kept(outside: Outside) -> dict[str, Any]:
    """What a record keeps but for when it was, and what was told with it."""
    of_the_time = {"at", "events", "strands", "heard", "waits", "told", "asked"}
    return {
        place: (kind, {name: part for name, part in value.items() if name not in of_the_time})
        for place, (kind, value) in rows_of(outside.texts).items()
        if kind != "input"
    }


@pytest.mark.parametrize("kind", sorted(STEPS.keys() - {"route by what is left"}))
def test_in_which_order_things_come_back_decides_nothing_that_is_kept(kind: str) -> None:
    program = program_of(text_of([kind, "region", "vote", "each"], end=ENDS[2]))
    first = whole(program, 6)
    for pace in range(1, 5):
        other = whole(program, 6, pace)
        assert said(other.result) == said(first.result)
        assert kept(other.outside) == kept(first.outside)


def test_going_through_a_record_that_is_not_complete_does_nothing() -> None:
    program = program_of(text_of(["ask", "put"]))
    texts = whole(program, 5).outside.texts
    for many in range(len(texts)):
        outside = Outside(5)
        outside.texts.update(list(texts.items())[:many])
        with pytest.raises(NotRecorded):
            leg(program, outside, None, replay=True)
        assert outside.calls == outside.count == 0


# ------------------------------------------------------------- the judge notices what is wrong


def forgets_outcomes(patch: pytest.MonkeyPatch) -> None:
    row = Ledger.row

    def forgetful(self: Ledger, place: str) -> Any:
        return None if "@" in place and not place.endswith("!") else row(self, place)

    patch.setattr(Ledger, "row", forgetful)


def writes_no_intents(patch: pytest.MonkeyPatch) -> None:
    async def nothing(self: Any, run: Any) -> None:
        return None

    patch.setattr(RecordingWorld, "intend", nothing)


def charges_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Ledger, "charge", lambda self, budget: None)


def tells_everything_again(patch: pytest.MonkeyPatch) -> None:
    init = Ledger.__init__

    def loud(self: Ledger, *given: Any) -> None:
        init(self, *given)
        self._muted.clear()

    patch.setattr(Ledger, "__init__", loud)


def numbers_anew(patch: pytest.MonkeyPatch) -> None:
    init = Ledger.__init__

    def anew(self: Ledger, *given: Any) -> None:
        init(self, *given)
        self._numbered = 0

    patch.setattr(Ledger, "__init__", anew)


def takes_no_inputs(patch: pytest.MonkeyPatch) -> None:
    async def fresh(self: Any, run: Any, work: Awaitable[Any], type: Any = None) -> Any:
        return await work

    patch.setattr(RecordingWorld, "_input", fresh)


def asks_anew(patch: pytest.MonkeyPatch) -> None:
    names = iter(range(10**9))
    patch.setattr(routing, "case_id", lambda *given: f"{next(names):012x}")


def writes_memories_twice(patch: pytest.MonkeyPatch) -> None:
    from pipelang.runtime.shared.memory_store import InMemory

    patch.setattr(InMemory, "_is_new", lambda self, key: True)


def loses_what_was_used(patch: pytest.MonkeyPatch) -> None:
    resume = Ledger.resume

    def poor(self: Ledger, run: Any, row: dict[str, Any]) -> float:
        return resume(self, run, {name: part for name, part in row.items() if name != "used"})

    patch.setattr(Ledger, "resume", poor)


@pytest.mark.parametrize(
    ("breaks", "kind"),
    [
        (forgets_outcomes, "pay"),
        (forgets_outcomes, "agent"),
        (writes_no_intents, "pay"),
        (charges_nothing, "region"),
        (tells_everything_again, "asked then paid"),
        (numbers_anew, "put"),
        (asks_anew, "approve"),
        (writes_memories_twice, "remember"),
        (loses_what_was_used, "put"),
    ],
)
def test_the_judge_notices_a_world_that(
    breaks: Callable[[pytest.MonkeyPatch], None], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = program_of(text_of([kind, "pay"], end=ENDS[1]))
    breaks(monkeypatch)
    for luck in range(1, 7):
        try:
            found = every(program, luck, roomy=True)[1]
        except AssertionError as error:
            found = [str(error)]
        if found:
            return
    pytest.fail("nothing was noticed")


def both_arms(program: LoadedProgram) -> bool:
    """Whether a run that is cut off may act in both arms of a branch by a `fn` that answers every
    process otherwise.
    """
    at = 1
    while True:
        outside = Outside(3)
        outside.runtime.tools["twice"] = lambda x, outside=outside: f"{x}{outside.legs % 2}"
        if leg(program, outside, at) is not None:
            return False
        leg(program, outside, None)
        if {"r/w/0", "r/v/0"} <= outside.begun.keys():
            return True
        at += 1


def test_what_decided_once_is_not_decided_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    arms = """
pipeline main(x: text) -> text {
  when twice(x) == "a1" { step w = call put("w") else "n" }
    else { step v = call put("v") else "n" }
  step last = call put("z") else "n"
  return last
}
"""
    program = program_of(TOOLS + arms)
    assert not both_arms(program)
    takes_no_inputs(monkeypatch)
    assert both_arms(program)


# ------------------------------------------------------------------------ what a record holds


def test_a_run_that_works_on_secrets_is_not_recorded(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        type Login { user: text  word: secret text }
        pipeline inner(login: Login) -> text { return login.user }
        pipeline main(login: Login) -> text {
          step a = run inner(login) else "n"
          return a
        }
        """,
    )
    outside = Outside(1)
    handle = loaded.pipeline("main", runtime=outside.runtime)
    with pytest.raises(NotRecordable, match=r"`inner\.login`, `main\.login` may hold"):
        handle.start({"login": {"user": "u", "word": "w"}}, record=outside.record())


def test_no_secret_behind_a_reference_is_in_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAB_SECRET", "sk-very-secret-key")
    other = 'provider other { kind fake key "env:LAB_SECRET" available 100% }\n'
    program = program_of(
        TOOLS + other + "pipeline main(x: text) -> text { step a = call put(x) return a }"
    )
    outside = Outside(1)

    async def put(x: str, idempotency_key: str) -> str:
        return "the key is sk-very-secret-key"

    outside.runtime.tools["put"] = put
    assert leg(program, outside, None) is not None
    events = [
        json.dumps(event)
        for _, value in rows_of(outside.texts).values()
        for event in value.get("events", ())
    ]
    assert any("[key]" in event for event in events)
    assert not any("sk-very" in event for event in events)


def test_values_come_back_as_they_were(tmp_path: Path) -> None:
    """To the last digit of a decimal, and as instances of the same classes."""
    loaded = load(
        tmp_path,
        """
        type Inner { of "outer of": money }
        type All {
          a: text  b: int  c: number  d: bool  e: money  f: probability  g: duration  h: time
          i: json  j: [Inner] max 3  k: Inner?
        }
        pipeline main(x: All) -> All { return x }
        """,
    )
    type = loaded.program.pipelines["main"].returns
    given = {
        "a": "ü",
        "b": 2**60,
        "c": 0.1,
        "d": True,
        "e": Decimal(1) / 3,
        "f": Decimal("0.7"),
        "g": Decimal("1E+3"),
        "h": "2026-11-21T09:30:00.123456+02:00",
        "i": {"decimal": "1", "list": [None, 1.5]},
        "j": [{"outer of": Decimal("0.1234567890123456789012345678")}],
        "k": None,
    }
    value = loaded.types.check(type, given)
    there = json.dumps(encode(type, value), allow_nan=False)
    back = decode(Restoring(loaded.types, lambda told: None), type, json.loads(there))
    assert back == value
    assert repr(back) == repr(value)
    assert back.model_fields_set == value.model_fields_set
