"""Settings that are turned while runs go on: the next run has them, and nothing else changes."""

from __future__ import annotations

import asyncio
import datetime
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Rejected, Runtime, SettingError
from pipelang.interfaces.cli.main import main
from pipelang.interfaces.runs.settings import read_settings

from ..stage import YES, Humans, events, load

PROGRAM = """
setting sure: probability in 0%..100% = 70%
setting tries: int in 0..5 = 1
setting wait: duration in 0s..1m = 10ms
setting price: money in $0..$5 = $1
setting weight: number in -1..1 = 0.5
tool bad(x: int) -> int { effect read latency 1ms median succeeds 99% }
pipeline main(x: probability) -> number {
  step a = call bad(1) { retry (tries) backoff wait..wait timeout (wait + 1s) } else 0
  approve ok by boss when price > $4 else fail "no"
  gate high: x >= sure else reject
  return weight
}
"""


def play(runtime: Runtime, loaded: Any, x: float = 0.8, **options: Any) -> Any:
    ready = loaded.pipeline("main", runtime=runtime, tools={"bad": "no".index})
    return ready.with_options(**options).run_sync(x=x)


def runtime(settings: Any = None) -> Runtime:
    return Runtime(people=Humans(ok=YES), settings=settings or {})


def test_the_next_run_has_what_was_set(tmp_path: Path) -> None:
    loaded, now = load(tmp_path, PROGRAM), {}
    ours = runtime(lambda: now)
    assert isinstance(play(ours, loaded), Answered)
    now["sure"] = 0.9
    result = play(ours, loaded)
    assert isinstance(result, Rejected)
    assert events(result, "run")[0].data["settings"]["sure"] == 0.9
    now.clear()
    now["tries"] = 3
    result = play(ours, loaded)
    assert isinstance(result, Answered)
    assert len(events(result, "failed")) == 4
    assert events(result, "run")[0].data["settings"] == {
        "sure": 0.7, "tries": 3, "wait": 0.01, "price": 1, "weight": 0.5
    }  # fmt: skip


def test_a_run_keeps_what_it_began_with(tmp_path: Path) -> None:
    loaded, now = load(tmp_path, PROGRAM), {"price": 5}
    said = asyncio.Event()

    async def later() -> Any:
        await said.wait()
        return YES

    async def run() -> Any:
        ours = Runtime(people=Humans(ok=later), settings=lambda: now)
        ready = loaded.pipeline("main", runtime=ours, tools={"bad": int})
        running = asyncio.ensure_future(ready.run(x=0.8))
        await asyncio.sleep(0.05)
        now["sure"] = 1
        said.set()
        return await running, await ready.run(x=0.8)

    first, second = asyncio.run(run())
    assert isinstance(first, Answered)
    assert isinstance(second, Rejected)


def test_a_handle_goes_before_its_runtime_and_both_before_the_file(tmp_path: Path) -> None:
    loaded = load(tmp_path, PROGRAM, settings={"weight": -1, "sure": 0.1})
    assert play(runtime(), loaded).value == -1
    ours = runtime({"weight": 0})
    assert play(ours, loaded, x=0.1).value == 0
    assert play(ours, loaded, x=0.1, settings={"weight": 1}).value == 1


def test_a_file_that_changes_meanwhile_changes_nothing(tmp_path: Path) -> None:
    loaded = load(tmp_path, PROGRAM)
    load(tmp_path, PROGRAM.replace("return weight", "return -weight"))
    result = play(runtime({"weight": 0.25}), loaded)
    assert result.value == 0.25


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"sure": 1.5}, "must be in 0%..100%, found 150%"),
        ({"sure": "high"}, "expected `probability"),
        ({"tries": 2.5}, "expected `int"),
        ({"tries": True}, "expected `int"),
        ({"price": float("nan")}, "expected `money"),
        ({"sur": 0.5}, "unknown setting `sur` (did you mean `sure`?)"),
        ({"sure": None}, "expected `probability"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_told_before_anything_runs(
    tmp_path: Path, settings: Any, says: str
) -> None:
    called: list[Any] = []
    ready = load(tmp_path, PROGRAM).pipeline(
        "main", runtime=runtime(settings), tools={"bad": called.append}
    )
    with pytest.raises(SettingError) as error:
        ready.run_sync(x=0.5)
    assert says in str(error.value)
    assert called == []


def test_many_values_do_not_pile_up(tmp_path: Path) -> None:
    loaded = load(tmp_path, PROGRAM)
    now: dict[str, Any] = {}
    ready = loaded.pipeline("main", runtime=runtime(lambda: now), tools={"bad": int})
    for number in range(40):
        now["weight"] = number / 40
        result = ready.run_sync(x=0.8)
        assert isinstance(result, Answered)
        assert result.value == number / 40
    assert len(loaded._variants) <= 16
    assert len(ready._variants) <= 16


def test_values_are_written_as_in_a_file(tmp_path: Path) -> None:
    program = load(tmp_path, PROGRAM).program
    given = ["sure=85%", "tries = 2", "wait=1m", "price=$0.25", "weight=-1"]
    read = read_settings(program, given)
    assert {name: float(value) for name, value in read.items()} == {
        "sure": 0.85, "tries": 2, "wait": 60, "price": 0.25, "weight": -1
    }  # fmt: skip
    assert datetime.timedelta(seconds=float(read["wait"])) == datetime.timedelta(minutes=1)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("sure", "expected NAME=VALUE"),
        ("sur=5%", "unknown setting `sur` (did you mean `sure`?)"),
        ("sure=0.5", "such as 70%, and found `0.5`"),
        ("sure=", "found ``"),
        ("tries=2 setting other: int in 0..1 = 1", "takes `int"),
        ("price=-", "takes `money"),
        ("wait=soon", "such as 30s"),
        ('weight="a"', "takes `number"),
    ],
)
def test_a_value_that_is_none_is_told(tmp_path: Path, given: str, says: str) -> None:
    with pytest.raises(SettingError) as error:
        read_settings(load(tmp_path, PROGRAM).program, [given])
    assert says in str(error.value)


def test_the_command_line_sets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = """
    setting sure: probability in 0%..100% = 70%
    pipeline main(x: probability) -> probability { gate high: x >= sure else reject return x }
    """
    load(tmp_path, text)
    line = ["run", str(tmp_path / "main.pipe"), "--input", '{"x": 0.5}']
    line += ["--state", str(tmp_path / "state"), "--format", "json"]
    assert main(line) == 0
    assert '"rejected"' in capsys.readouterr().out
    assert main([*line, "--set", "sure=40%"]) == 0
    assert '"answered"' in capsys.readouterr().out
    assert main([*line, "--set", "sure=140%"]) == 2
    assert "must be in 0%..100%, found 140%" in capsys.readouterr().err
