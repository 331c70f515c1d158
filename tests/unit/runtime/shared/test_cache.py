"""Cached answers: on disk, by several processes, and one call for all who ask at once."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered
from pipelang.interfaces.runs.provider_choice import set_up
from pipelang.interfaces.runs.state_folder import StateFolder
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.outcomes import Escalated, Failed, Result
from pipelang.runtime.engine.world import NOTHING
from pipelang.runtime.host.handle import Handle, Runtime
from pipelang.runtime.providers import kinds
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.runtime.shared.cache import Key
from pipelang.runtime.shared.disk_cache import DiskCache
from pipelang.semantics import program as p

from ..stage import Models, left_over, load

PROGRAM = """
pipeline main(x: text, y: text) -> text {
  budget 1h
  step s: text = ask say(y) by small { OPTIONS output 9 tokens max cache 1h by x }
  gate fine: s != "bad" else escalate to boss
  return s
}
"""
HERE: Key = (None, "program", "main.s@1", '["k"]')


class Slow:
    """Models whose calls wait until they are told what to answer."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[Any]] = []

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        told = asyncio.get_running_loop().create_future()
        self.asked.append(told)
        return ModelAnswer(await told, Usage(10, 5), request.model)


def ready(tmp_path: Path, models: Any, options: str = "", **more: Any) -> Handle:
    provider = Models(s=models.answer) if isinstance(models, Slow) else models
    runtime = Runtime(providers={"lab": provider}, **more)
    return load(tmp_path, PROGRAM.replace("OPTIONS", options)).pipeline("main", runtime=runtime)


def begin(ready: Handle, x: str = "k", tenant: str | None = None) -> asyncio.Task[Result]:
    return asyncio.ensure_future(run_pipeline(ready.start({"x": x, "y": "q"}, tenant=tenant)))


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_those_who_ask_at_once_share_one_call(tmp_path: Path) -> None:
    models = Slow()

    async def main() -> list[Result]:
        handle = ready(tmp_path, models)
        runs = [begin(handle) for _ in range(5)]
        other, tenant = begin(handle, x="j"), begin(handle, tenant="t")
        await settle()
        assert len(models.asked) == 3, "one for each key"
        for asked, said in zip(models.asked, ("good", "other", "theirs"), strict=True):
            asked.set_result(said)
        results = [await run for run in runs]
        assert (await other).value == "other"
        assert (await tenant).value == "theirs"
        assert (await begin(handle)).value == "good"
        assert left_over() == []
        return results

    results = asyncio.run(main())
    assert [result.value for result in results if isinstance(result, Answered)] == ["good"] * 5
    assert sum(result.tokens for result in results) == 15, "the others paid nothing"
    assert len(models.asked) == 3


@pytest.mark.parametrize("how", ["fails", "is cancelled"])
def test_one_of_those_who_wait_takes_over(tmp_path: Path, how: str) -> None:
    models = Slow()

    async def main() -> None:
        handle = ready(tmp_path, models)
        first, *others = [begin(handle) for _ in range(4)]
        await settle()
        if how == "fails":
            models.asked[0].set_exception(ModelFault("overloaded", "try later"))
        else:
            first.cancel()
        await settle()
        assert len(models.asked) == 2, "one, not all of them"
        models.asked[1].set_result("good")
        assert {(await run).value for run in others} == {"good"}
        assert (await asyncio.gather(first, return_exceptions=True))[0] is not None
        assert left_over() == []

    asyncio.run(main())


def test_a_shared_answer_is_kept_only_by_a_run_that_was_answered(tmp_path: Path) -> None:
    models = Slow()

    async def main() -> None:
        handle = ready(tmp_path, models)
        runs = [begin(handle) for _ in range(2)]
        await settle()
        models.asked[0].set_result("bad")
        assert all(isinstance(one, Escalated) for one in await asyncio.gather(*runs))
        again = begin(handle)
        await settle()
        assert len(models.asked) == 2, "nothing was kept"
        models.asked[1].set_result("good")
        await again

    asyncio.run(main())


@pytest.mark.usefixtures("virtual_time")
def test_a_wait_is_an_attempt_as_long_as_its_timeout(tmp_path: Path) -> None:
    models = Slow()

    async def main() -> Result:
        handle = ready(tmp_path, models, "timeout 50ms")
        # Somebody else asks, and never gets an answer.
        other = handle.start({"x": "k", "y": "q"})
        step = handle.pipeline.block.items[0]
        assert isinstance(step, p.Step)
        await other.world.look_up(other, step, step.chain.links[0], ())
        return await asyncio.wait_for(begin(handle), 60)

    result = asyncio.run(main())
    assert isinstance(result, Failed)
    assert models.asked == [], "the wait was the attempt"
    assert [e.data["why"] for e in result.trace if e.kind == "failed"] == ["timeout"]


# ------------------------------------------------------------------------------------ on disk


def test_the_disk_outlives_the_process(tmp_path: Path) -> None:
    script = (
        "import sys; from pipelang.runtime.shared.disk_cache import DiskCache\n"
        "cache = DiskCache(sys.argv[1])\n"
        "for n in range(200): cache.store((None, 'p', 's', str(n % 5)), {'n': n % 5}, 60.0)\n"
    )
    others = [subprocess.Popen([sys.executable, "-c", script, tmp_path / "c"]) for _ in range(3)]
    cache = DiskCache(tmp_path / "c")
    seen = []
    while any(other.poll() is None for other in others):
        for n in range(5):
            found = cache.find((None, "p", "s", str(n)))
            seen.append(found is NOTHING or found == {"n": n})
    assert [other.returncode for other in others] == [0, 0, 0]
    assert all(seen), "never half an answer"
    assert [cache.find((None, "p", "s", str(n))) for n in range(5)] == [{"n": n} for n in range(5)]
    assert not list((tmp_path / "c").glob("*/*.new"))


def test_the_disk_tells_tenants_programs_and_keys_apart(tmp_path: Path) -> None:
    cache = DiskCache(tmp_path)
    cache.store(HERE, "mine", 60.0)
    tenant, program, place, key = HERE
    for other in (
        ("t", program, place, key),
        ("", program, place, key),
        ("None", program, place, key),
        (tenant, "changed", place, key),
        (tenant, program, "main.t@1", key),
        (tenant, program, place, '["j"]'),
    ):
        assert cache.find(other) is NOTHING
    assert cache.find(HERE) == "mine"
    cache.store(HERE, None, 60.0)
    assert cache.find(HERE) is None, "None is an answer"


def test_what_is_old_or_broken_is_no_answer(tmp_path: Path) -> None:
    now = [1000.0]
    cache = DiskCache(tmp_path, clock=lambda: now[0])
    cache.store(HERE, "mine", 60.0)
    (file,) = tmp_path.glob("*/*.json")
    now[0] += 61
    assert cache.find(HERE) is NOTHING
    now[0] -= 61
    whole = file.read_text()
    for broken in ("", whole[:-5], "[]", "null", '{"key": 1}', whole.replace('\\"k\\"', "x")):
        file.write_text(broken)
        assert cache.find(HERE) is NOTHING, broken
    file.write_text(json.dumps(json.loads(whole) | {"until": "soon"}))
    assert cache.find(HERE) is NOTHING
    cache.store(HERE, "new", 60.0)
    assert cache.find(HERE) == "new"


def test_a_sweep_leaves_the_newest_that_still_hold(tmp_path: Path) -> None:
    now = [1000.0]
    cache = DiskCache(tmp_path, clock=lambda: now[0], most=2)
    for n, seconds in enumerate((10.0, 90.0, 90.0, 90.0)):
        before = {*tmp_path.glob("*/*.json")}
        cache.store((None, "p", "s", str(n)), n, seconds)
        (newest,) = {*tmp_path.glob("*/*.json")} - before
        os.utime(newest, (n, n))
    now[0] += 30
    cache.sweep()
    found = [cache.find((None, "p", "s", str(n))) for n in range(4)]
    assert found == [NOTHING, NOTHING, 2, 3]


def test_a_folder_that_takes_nothing_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = DiskCache(tmp_path / "file")
    cache.store(HERE, "mine", 60.0)
    assert cache.find(HERE) is NOTHING


def test_runs_use_the_disk(tmp_path: Path) -> None:
    models = Models(s=["good", "other"])
    for _ in range(2):
        handle = ready(tmp_path, models, cache=DiskCache(tmp_path / "cache"))
        assert handle.run_sync(x="k", y="q").value == "good"
    assert len(models.requests) == 1
    if os.name == "posix":
        (file,) = (tmp_path / "cache").glob("*/*.json")
        assert file.stat().st_mode & 0o077 == 0, "answers are for their owner alone"


def test_only_real_runs_leave_something_in_the_state_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kinds, "installed_kinds", lambda: ("fake",))
    loaded = load(tmp_path, PROGRAM.replace("OPTIONS", ""))
    path, state = str(tmp_path / "main.pipe"), StateFolder(tmp_path / "state")
    drawn = set_up(path, loaded, "simulated", 1, state).runtime
    assert not isinstance(drawn.cache, DiskCache)
    real = set_up(path, loaded, "none", 1, state).runtime
    assert isinstance(real.cache, DiskCache)
    assert not state.root.exists()
