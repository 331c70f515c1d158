"""An agent whose tier hangs on what is left of the budget is asked by turn, over the real world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipelang import Answered, Failed
from pipelang.runtime.engine.world import ToolCall
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage

from ..stage import Models, events, load, play

LOOK = 'tool look(q: text max 20 tokens) -> text max 20 tokens { python "x:y" effect read }\n'
TOOLS = {"look": lambda q: "seen"}
BY = "(if budget.remaining < $0.0175 then small else big)"
OPTIONS = "steps 9 output 100 tokens max"


def program(
    folder: Path, by: str = BY, options: str = OPTIONS, budget: str = "$0.02"
) -> LoadedProgram:
    main = f"""
pipeline main(x: text) -> text {{
  budget {budget}
  step s: text = agent say(x) by {by} with look {{ {options} }} else "none"
  return s
}}
"""
    return load(folder, LOOK + main)


def looks(request: ModelRequest) -> ModelAnswer:
    """A turn that costs $0.00102 at `big` and $0.00051 at `small`."""
    call = ToolCall(f"c{len(request.turns)}", "look", {"q": "it"})
    return ModelAnswer(None, Usage(10, 100), request.model, calls=(call,))


def turns(count: int) -> Any:
    """So many turns that look, and one that answers."""

    def script(request: ModelRequest) -> ModelAnswer:
        done = len(request.turns) == count
        return ModelAnswer("seen", Usage(10, 10), request.model) if done else looks(request)

    return script


def test_the_tier_is_chosen_before_every_turn(tmp_path: Path) -> None:
    models = Models(s=turns(5))
    result = play(program(tmp_path), models, tools=TOOLS, x="q")
    assert isinstance(result, Answered)
    assert [one.tier for one in models.requests] == ["big"] * 3 + ["small"] * 3
    told = [event.data["tier"] for event in result.trace if event.kind in ("turn", "answer")]
    assert told == ["big"] * 3 + ["small"] * 3


def test_the_retries_of_a_turn_ask_its_tier(tmp_path: Path) -> None:
    """The third turn is begun with $0.01796, so it is the dear one's, however often it fails."""
    made = 0

    def shaky(request: ModelRequest) -> Any:
        nonlocal made
        made += 1
        if len(request.turns) == 2 and made < 5:
            return ModelFault("server", "?")
        return turns(3)(request)

    models = Models(s=shaky)
    result = play(program(tmp_path, options=f"{OPTIONS} retry 3"), models, tools=TOOLS, x="q")
    assert isinstance(result, Answered)
    assert [one.tier for one in models.requests] == ["big"] * 5 + ["small"]


def test_any_other_route_is_asked_once(tmp_path: Path) -> None:
    asked: list[str] = []

    def pick(x: str) -> bool:
        asked.append(x)
        return len(asked) % 2 == 1

    main = """
fn odd(x: text) -> bool python "x:odd"
pipeline main(x: text) -> text {
  step s: text = agent say(x) by (if odd(x) then small else big) with look {
    steps 9 output 100 tokens max
  } else "none"
  return s
}
"""
    models = Models(s=turns(3))
    result = play(load(tmp_path, LOOK + main), models, tools={**TOOLS, "odd": pick}, x="q")
    assert isinstance(result, Answered)
    assert {one.tier for one in models.requests} == {"small"}
    assert len(asked) == 1


def test_steps_that_are_left_choose_as_well(tmp_path: Path) -> None:
    """A turn and the call of its tool are a step each."""
    by = "(if budget.remaining.steps <= 8 then small else big)"
    models = Models(s=turns(4))
    result = play(program(tmp_path, by, budget="12 steps"), models, tools=TOOLS, x="q")
    assert isinstance(result, Answered)
    assert [one.tier for one in models.requests] == ["big"] * 2 + ["small"] * 3


def test_each_loop_of_a_vote_chooses_for_itself(tmp_path: Path) -> None:
    """The loops of a lead follow one another: what the first has spent counts for the second."""
    models = Models(s=turns(2))
    loaded = program(tmp_path, options=f"{OPTIONS} vote lead 2 of 3")
    result = play(loaded, models, tools=TOOLS, x="q")
    assert isinstance(result, Answered)
    assert [one.tier for one in models.requests] == ["big"] * 4 + ["small"] * 2


def test_the_money_lasts_longer_than_by_the_dear_one(tmp_path: Path) -> None:
    """Nine turns of the dear one cost $0.00918."""
    by = "(if budget.remaining < $0.005 then small else big)"
    models = Models(s=looks)
    result = play(program(tmp_path, by, budget="$0.007"), models, tools=TOOLS, x="q")
    assert isinstance(result, Answered)
    assert result.value == "none"
    assert [one.tier for one in models.requests] == ["big"] * 2 + ["small"] * 7
    (failed,) = events(result, "failed", "s")
    assert failed.data["why"] == "max_steps"
    models = Models(s=looks)
    result = play(program(tmp_path, "big", budget="$0.007"), models, tools=TOOLS, x="q")
    assert isinstance(result, Failed)
    assert result.code == "budget_exceeded"
