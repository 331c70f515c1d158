"""Embedding: handles, streams, cancellation, many runs at once, and secrets that stay secret."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import time
import traceback
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Escalated, Failed, InputError, Update
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.values import to_json
from pipelang.runtime.host.handle import Runtime
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, Usage
from pipelang.runtime.worlds.real.world import RealWorld

from ..stage import NO, YES, Humans, Models, events, handle, left_over, load, play

PROGRAM = """
tool look(x: text) -> text { effect read cost $0.01 latency 1ms median succeeds 99% }
tool send(x: text) -> text { effect write cost $0.02 latency 1ms median succeeds 99% }
pipeline main(x: text) -> text {
  budget $1
  step a: Answer = ask say(x) by small { retry 1 output 100 tokens max }
  step b = call look(x)
  gate good: a.confidence >= 85% else redo a up to 1 else escalate to boss
  approve ok by boss else escalate to boss
  step c = call send(a.value)
  return c
}
pipeline free(x: text) -> text {
  step a: text = ask say(x) by small
  step b: text = ask say(x) by small
  step c: text = ask join(a, b) by small
  return c
}
"""


def tools() -> dict[str, Any]:
    return {"look": lambda x: x, "send": lambda x: x}


def sure(confidence: float) -> ModelAnswer:
    return ModelAnswer({"value": "v", "confidence": confidence}, Usage(3, 20), "m")


async def updates(ready: Any, **inputs: Any) -> list[Update]:
    return [update async for update in ready.stream(**inputs)]


def test_a_stream_tells_what_is_going_on(tmp_path: Path) -> None:
    models = Models(a=[ModelFault("server", "?"), sure(0.1), sure(0.9)])
    ready = handle(load(tmp_path, PROGRAM), models, Humans(ok=YES), tools())
    told = asyncio.run(updates(ready, x="hi"))
    progress = [update.progress for update in told]
    assert progress == sorted(progress)
    assert progress[0] >= 0
    assert all(part < 100 for part in progress[:-1])
    costs = [update.cost for update in told]
    assert costs == sorted(costs)
    last = told[-1]
    assert isinstance(last.result, Answered)
    assert (last.phase, last.progress, last.can_cancel) == ("answered", 100, False)
    assert all(update.result is None for update in told[:-1])
    # Cancelling would not undo what a tool is doing to the world.
    assert [update.step for update in told[:-1] if not update.can_cancel] == ["c"]
    # The failed attempt costs what was held for it: 3 + 84 tokens with the schema, 100 of output.
    failed = Decimal("0.000587")
    assert last.result.cost == failed + 2 * Decimal("0.000103") + Decimal("0.03")
    assert last.cost == costs[-2] == pytest.approx(float(last.result.cost))
    waiting = [update for update in told if update.needs_approval]
    assert [(u.step, u.needs_approval) for u in waiting] == [("ok", "boss: ok")]
    phases = [update.phase for update in told]
    assert phases[0] == "starting"
    assert {"working", "retrying", "answered", "checking", "redoing", "called"} <= set(phases)
    assert {update.step for update in told} >= {"a", "b", "c", "good", "ok"}


def test_a_stream_says_when_a_person_is_asked_for_an_answer(tmp_path: Path) -> None:
    text = "pipeline main(x: text) -> text { step a: text = ask say(x) by boss return a }"
    told = asyncio.run(updates(handle(load(tmp_path, text), people=Humans(boss="yes")), x="hi"))
    assert [u.needs_approval for u in told if u.needs_approval] == ["boss: a"]


def test_a_stream_that_fails_has_a_last_update_too(tmp_path: Path) -> None:
    models = Models(a=ModelFault("refusal", "no"))
    told = asyncio.run(updates(handle(load(tmp_path, PROGRAM), models, tools=tools()), x="hi"))
    assert (told[-1].phase, told[-1].progress) == ("failed", 100)
    assert isinstance(told[-1].result, Failed)


def test_a_stream_with_a_bad_input_raises_before_anything_runs(tmp_path: Path) -> None:
    models = Models()
    with pytest.raises(InputError):
        asyncio.run(updates(handle(load(tmp_path, PROGRAM), models, tools=tools()), x=5))
    assert models.requests == []


class Hanging:
    """A script that never answers and knows how many are waiting."""

    def __init__(self) -> None:
        self.waiting = 0
        self.gone = 0

    async def __call__(self, request: Any) -> Any:
        self.waiting += 1
        try:
            await asyncio.Event().wait()
        finally:
            self.waiting -= 1
            self.gone += 1


@pytest.mark.usefixtures("virtual_time")
def test_leaving_a_stream_early_leaves_nothing_running(tmp_path: Path) -> None:
    hang = Hanging()
    ready = handle(load(tmp_path, PROGRAM), Models(a=hang, b=hang), pipeline="free", tools=tools())

    async def main() -> None:
        async for update in ready.stream(x="hi"):
            if hang.waiting == 2 or update.step == "b":
                await asyncio.sleep(0.01)
                break
        gc.collect()
        await asyncio.sleep(0.01)
        assert (hang.waiting, hang.gone) == (0, 2)
        assert left_over() == []

    asyncio.run(main())


@pytest.mark.usefixtures("virtual_time")
def test_closing_a_stream_leaves_nothing_running(tmp_path: Path) -> None:
    hang = Hanging()
    ready = handle(load(tmp_path, PROGRAM), Models(a=hang, b=hang), pipeline="free", tools=tools())

    async def main() -> None:
        stream = ready.stream(x="hi")
        while hang.waiting < 2:
            await anext(stream)
            await asyncio.sleep(0)
        await stream.aclose()
        assert (hang.waiting, hang.gone) == (0, 2)
        assert left_over() == []

    asyncio.run(main())


@pytest.mark.usefixtures("virtual_time")
@pytest.mark.parametrize("waits", ["model", "tool", "person", "retry", "budget"])
def test_cancelling_a_run_leaves_nothing_running(tmp_path: Path, waits: str) -> None:
    hang = Hanging()
    loaded = load(
        tmp_path,
        """
        tool look(x: text) -> text { effect read latency 1ms median succeeds 99% }
        pipeline model(x: text) -> text {
          step a: text = ask say(x) by small
          step b: text = ask say(x) by small
          return b
        }
        pipeline tool_(x: text) -> text {
          step a = call look(x)
          step b: text = ask say(x) by small
          return b
        }
        pipeline person(x: text) -> text { hold h for 1h by boss else reject return x }
        pipeline retry_(x: text) -> text {
          step a: text = ask say(x) by small { retry 1 }
          return a
        }
        pipeline budget_(x: text) -> text {
          budget $0.001
          step a: text = ask say(x) by small { output 100 tokens max }
          step b: text = ask say(x) by small { output 190 tokens max }
          return a
        }
        """,
    )

    async def look(x: str) -> str:
        return str(await hang(x))

    models = Models(a=hang, b=hang)
    if waits == "retry":
        models = Models(a=ModelFault("rate_limited", "later", retry_after=600))
    name = waits if waits in ("model", "person") else f"{waits}_"
    ready = handle(loaded, models, tools={"look": look}, pipeline=name)

    async def main() -> None:
        task = asyncio.create_task(ready.run(x="hi"))
        await asyncio.sleep(0.02)
        assert not task.done()
        began = time.monotonic()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert time.monotonic() - began < 1
        assert hang.waiting == 0
        assert left_over() == []

    asyncio.run(main())


@pytest.mark.usefixtures("virtual_time")
def test_a_cancelled_run_gives_back_what_it_held(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        pipeline main(x: text) -> text {
          budget $1
          step a: text = ask say(x) by small { output 100 tokens max }
          step b: text = ask say(x) by small { output 100 tokens max }
          return a
        }
        """,
    )
    run = handle(loaded, Models(a=Hanging(), b=Hanging())).start({"x": "hi"})

    async def main() -> None:
        task = asyncio.create_task(run_pipeline(run))
        await asyncio.sleep(0.01)
        assert run.budget.held_tokens == 206
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert (run.budget.held_money, run.budget.held_tokens) == (0, 0)
    assert run.budget.tokens == 206, "nobody knows what a call that was cut off has used"


def test_run_sync_inside_a_loop_says_to_await(tmp_path: Path) -> None:
    ready = handle(load(tmp_path, PROGRAM), pipeline="free", tools=tools())

    async def main() -> None:
        with pytest.raises(RuntimeError, match=r"await handle\.run"):
            ready.run_sync(x="hi")

    asyncio.run(main())
    assert isinstance(ready.run_sync(x="hi"), Answered)
    with pytest.raises(InputError) as error:
        ready.run_sync(x=5)
    assert "no running event loop" not in "".join(traceback.format_exception(error.value))


def test_a_thousand_runs_at_once_share_one_program(tmp_path: Path) -> None:
    async def later(request):
        await asyncio.sleep(0.001 * (len(request.user) % 7))
        return f"{request.step}:{request.user}"

    loaded = load(tmp_path, PROGRAM)
    ready = handle(loaded, Models(a=later, b=later, c=later), pipeline="free", tools=tools())

    async def main() -> list[Any]:
        return await asyncio.gather(*(ready.run(x=f"run {n}") for n in range(1000)))

    results = asyncio.run(main())
    for number, result in enumerate(results):
        assert isinstance(result, Answered)
        said = f"Say run {number}."
        assert result.value == f"c:a:{said}+b:{said}"
        assert [e.name for e in events(result, "answer")][-1] == "c"
    assert len({result.run_id for result in results}) == 1000


def test_one_handle_serves_many_loops(tmp_path: Path) -> None:
    ready = handle(load(tmp_path, PROGRAM), pipeline="free", tools=tools())

    async def main() -> Any:
        return await asyncio.gather(*(asyncio.to_thread(ready.run_sync, x="hi") for _ in range(8)))

    assert all(isinstance(result, Answered) for result in asyncio.run(main()))


def test_what_cannot_be_had_is_told_when_the_handle_is_made(tmp_path: Path) -> None:
    loaded = load(tmp_path, PROGRAM)
    with pytest.raises(KeyError, match="did you mean `main`"):
        loaded.pipeline("mian")


def test_seeded_chance_repeats_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []

    async def sleep(self: Any, run: Any, seconds: float) -> None:
        waits.append(seconds)

    monkeypatch.setattr(RealWorld, "sleep", sleep)
    text = """
    pipeline main(x: text) -> text {
      step a: text = ask say(x) by small { retry 3 backoff 1s..9s } else x
      return a
    }
    """
    loaded = load(tmp_path, text)
    for _ in range(2):
        models = {"lab": Models(a=ModelFault("server", "?"))}
        runtime = Runtime(providers=models, chance=random.Random(7))
        asyncio.run(loaded.pipeline("main", runtime=runtime).run(x="hi"))
    assert waits[:3] == waits[3:]


# ------------------------------------------------------------------------------------ secrets

KEY = "sk-do-not-tell-anybody-0123456789"


def everything(result: Any) -> str:
    """All that a run says to anybody, in one text."""
    said = [result.trace, getattr(result, "handoff", None), getattr(result, "partial", None)]
    return json.dumps([to_json(str(part)) for part in (*said, result)], default=str)


SECRETIVE = """
provider vault { kind fake key "env:TEST_VAULT_KEY" available 100% }
tier kept { provider vault model "k" price $1 in, $5 out latency 1s median transient 0%
  context 10k tokens }
fn odd(x: text) -> text python "pure:odd"
tool look(x: text) -> text { effect read latency 1ms median succeeds 99% }
pipeline main(x: text) -> text {
  step a: text = ask say(x) by kept else "none"
  step b = call look(x) else "none"
  step c: text = ask say(x) by boss else "none"
  approve ok by boss else escalate to boss
  return a
}
pipeline pure_(x: text) -> text {
  let y = odd(x)
  return y
}
"""


def test_a_key_is_never_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_VAULT_KEY", KEY)
    (tmp_path / "pure.py").write_text(f"def odd(x):\n    raise ValueError('{KEY}')\n")
    loaded = load(tmp_path, SECRETIVE)
    assert KEY not in repr(loaded.program)

    def look(x: str) -> str:
        raise OSError(f"GET https://x/?key={KEY} failed")

    fault = ModelFault("rejected", f"the key {KEY} is not valid")
    for error in (fault, RuntimeError(f"bearer {KEY}")):
        people = Humans(boss=OSError(KEY), ok=OSError(KEY))
        models = Models(a=error)
        runtime = Runtime(providers={"vault": models, "lab": models}, people=people)
        ready = loaded.pipeline("main", tools={"look": look}, runtime=runtime)
        result = asyncio.run(ready.run(x="hi"))
        assert isinstance(result, Escalated)
        assert KEY not in everything(result)
        assert "[key]" in everything(result)
        result = asyncio.run(loaded.pipeline("pure_", runtime=runtime).run(x="hi"))
        assert isinstance(result, Failed)
        assert KEY not in everything(result)


def test_what_is_labelled_secret_stays_here(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        type Account { id: text  token: secret text  old: [secret text] max 3 }
        tool find(x: text) -> Account { effect read latency 1ms median succeeds 99% }
        tool use(token: secret text) -> secret text { effect write latency 1ms median succeeds 99% }
        pipeline main(x: text, given: Account, pin: secret text?) -> text {
          step account = call find(x)
          step used = call use(account.token)
          step copied = account.token
          approve ok by boss else escalate to boss with account
          return x
        }
        """,
    )
    account = {"id": "1", "token": KEY, "old": [KEY]}
    used: list[str] = []

    def use(token: str) -> str:
        used.append(token)
        return token

    people = Humans(ok=NO)
    given = {"tools": {"find": lambda x: account, "use": use}, "people": people}
    result = play(loaded, **given, x="hi", given=account, pin=KEY)
    assert isinstance(result, Escalated)
    assert used == [KEY]
    hidden = {"id": "1", "token": "[secret]", "old": ["[secret]"]}
    assert result.handoff["with"] == hidden
    assert result.handoff["input"] == {"x": "hi", "given": hidden, "pin": "[secret]"}
    assert result.handoff["values"] == {
        "account": hidden,
        "used": "[secret]",
        "copied": "[secret]",
    }
    assert KEY not in everything(result)
    assert KEY not in str(people.questions[0].shown)
    assert KEY not in json.dumps([to_json(event.content) for event in result.trace])


def test_what_was_said_is_only_in_the_content_of_events(tmp_path: Path) -> None:
    """Sinks leave the content out, so nothing of it may stand in the data."""
    word = "somebody's own words"
    loaded = load(
        tmp_path,
        """
        enum Size { little much }
        tool look(x: text) -> text { effect read latency 1ms median succeeds 99% }
        pipeline main(x: text, size: Size) -> text {
          step a: text = ask say(x) by small
          step b = call look(a)
          step c: text = match x { "fixed" => ask say(x) by small  else => x }
          match x { "fixed" { } else { } }
          match size { little { } much { } }
          approve ok by boss showing x else escalate to boss
          return b
        }
        """,
    )
    models = Models(a=word)
    given = {"tools": {"look": lambda x: x}, "people": Humans(ok=YES)}
    result = play(loaded, models, **given, x=word, size="much")
    assert isinstance(result, Answered)
    for event in result.trace:
        assert word not in json.dumps(event.data), event
        json.dumps(event.content, allow_nan=False)
    assert [e.data["value"] for e in events(result, "match")] == ["something else", "much"]
    fixed = play(loaded, models, **given, x="fixed", size="much")
    assert [e.data["value"] for e in events(fixed, "match")] == ["fixed", "much"]
