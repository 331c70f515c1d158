"""Kill switches: what they stop, when, and what is left of the run."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipelang import Answered, Failed, Runtime
from pipelang.runtime.shared.kill_switches import LOOK_EVERY, FolderSwitches, Switches, switch

from ....warm import command_text, start
from ..stage import YES, Humans, Models, events, left_over, load
from ..virtual_time import VirtualTime

PROGRAM = """
tool put(x: text) { effect write latency 1ms median succeeds 99% }
pipeline inner(x: text) -> text {
  step sent = call put(x)
  return x
}
pipeline main(x: text) -> text {
  step one = call look(x)
  step two = run inner(one)
  return two
}
pipeline other(x: text) -> text { step one = call look(x) return one }
tool look(x: text) -> text { effect read latency 1ms median succeeds 99% }
"""


class Tools:
    """`look` calls back, so that a test can throw a switch in the middle of a run."""

    def __init__(self, then: Callable[[], Any] = lambda: None) -> None:
        self.then = then
        self.put_: list[str] = []

    @property
    def functions(self) -> dict[str, Any]:
        return {"look": self.look, "put": lambda x: self.put_.append(x)}

    def look(self, x: str) -> str:
        self.then()
        return x


def made(folder: Path, kind: str) -> Switches:
    return Switches() if kind == "memory" else FolderSwitches(folder / "kills")


KINDS = pytest.mark.parametrize("kind", ["memory", "folder"])


@KINDS
@pytest.mark.parametrize(
    "what", [{}, {"pipeline": "main"}, {"pipeline": "inner"}, {"tool": "put"}], ids=str
)
def test_a_run_stops_before_its_next_effect(tmp_path: Path, kind: str, what: Any) -> None:
    loaded, switches = load(tmp_path, PROGRAM), made(tmp_path, kind)
    tools = Tools(lambda: switches.kill(**what, reason="it errs"))
    ours = Runtime(switches=switches, tools=tools.functions)
    result = loaded.pipeline("main", runtime=ours).run_sync(x="a")
    assert isinstance(result, Failed)
    assert result.code == "killed"
    assert "switched off: it errs" in (result.text or "")
    assert result.partial["values"] == {"one": "a"}
    assert tools.put_ == []
    tools.then = lambda: None
    again = loaded.pipeline("main", runtime=ours).run_sync(x="a")
    assert isinstance(again, Failed)
    assert switches.revive(**what)
    assert isinstance(loaded.pipeline("main", runtime=ours).run_sync(x="a"), Answered)


@KINDS
def test_what_is_not_switched_off_goes_on(tmp_path: Path, kind: str) -> None:
    loaded, switches = load(tmp_path, PROGRAM), made(tmp_path, kind)
    for what in ({"pipeline": "inner"}, {"tool": "put"}, {"pipeline": "main"}):
        switches.kill(**what)
    ours = Runtime(switches=switches, tools=Tools().functions)
    assert isinstance(loaded.pipeline("other", runtime=ours).run_sync(x="a"), Answered)
    assert isinstance(loaded.pipeline("main", runtime=ours).run_sync(x="a"), Failed)


def test_a_killed_pipeline_does_not_begin(tmp_path: Path) -> None:
    loaded = load(tmp_path, "pipeline main(x: int) -> int { return x }")
    ours = Runtime()
    ours.switches.kill(pipeline="main")
    result = loaded.pipeline("main", runtime=ours).run_sync(x=1)
    assert isinstance(result, Failed)
    assert result.code == "killed"


@KINDS
def test_who_waits_for_the_turn_of_a_tool_is_woken_with_it(tmp_path: Path, kind: str) -> None:
    text = """
    tool slow(x: text) -> text { effect read rate 1/h latency 1ms median succeeds 99% }
    pipeline main(x: text) -> text { step a = call slow(x) step b = call slow(a) return b }"""
    loaded, switches = load(tmp_path, text), made(tmp_path, kind)
    ours = Runtime(switches=switches, tools={"slow": lambda x: x})

    async def main() -> Any:
        running = asyncio.ensure_future(loaded.pipeline("main", runtime=ours).run(x="a"))
        await asyncio.sleep(0.2)
        switches.kill(tool="other")
        await asyncio.sleep(0.3)
        assert not running.done()
        switches.kill(tool="slow", reason="it errs")
        return await asyncio.wait_for(running, 60)

    result = asyncio.run(main())
    assert isinstance(result, Failed)
    assert (result.code, result.text) == ("killed", "tool `slow` is switched off: it errs")
    assert result.partial["values"] == {"a": "a"}


WAITS = {
    "approval": """approve ok by boss else fail "no" return x""",
    "hold": """hold ok for 10h by boss else fail "no" return x""",
    "ask": """step a: Answer = ask say("x") by boss return x""",
    "retry": """step a = call bad(x) { retry 2 backoff 1h..2h } return x""",
    "rate": """step a = each y in ["a", "b", "c"] { call slow(y) } return x""",
    "side by side": """step a: Answer = ask say("x") by boss step b: Answer = ask say(x) by boss
        return x""",
}


@KINDS
@pytest.mark.parametrize("waits", WAITS)
def test_who_waits_is_woken(tmp_path: Path, kind: str, waits: str) -> None:
    text = f"""
    tool bad(x: text) -> text {{ effect read latency 1ms median succeeds 99% }}
    tool slow(x: text) -> text {{ effect read rate 1/h latency 1ms median succeeds 99% }}
    pipeline main(x: text) -> text {{ {WAITS[waits]} }}"""
    loaded, switches = load(tmp_path, text), made(tmp_path, kind)

    def bad(x: str) -> str:
        raise OSError("down")

    people = Humans()
    ours = Runtime(switches=switches, people=people, tools={"bad": bad, "slow": lambda x: x})

    async def main() -> Any:
        runs = [loaded.pipeline("main", runtime=ours).run(x="a") for _ in range(20)]
        running = [asyncio.ensure_future(run) for run in runs]
        await asyncio.sleep(0.3)
        assert not any(task.done() for task in running)
        killed = threading.Thread(target=lambda: switches.kill(pipeline="main"))
        killed.start()
        results = await asyncio.wait_for(asyncio.gather(*running), 60)
        killed.join()
        assert left_over() == []
        return results

    for result in asyncio.run(main()):
        assert isinstance(result, Failed)
        assert result.code == "killed"


def test_who_waits_for_people_uses_what_they_said(tmp_path: Path) -> None:
    """Watching for a kill changes nothing of an answer that comes."""
    text = 'pipeline main(x: int) -> int { approve ok by boss else fail "no" return x }'
    loaded = load(tmp_path, text)

    async def yes() -> Any:
        await asyncio.sleep(0.05)
        return YES

    for said, kind in ((yes, Answered), (ValueError("x"), Failed)):
        ours = Runtime(people=Humans(ok=said), switches=made(tmp_path, "folder"))
        assert isinstance(loaded.pipeline("main", runtime=ours).run_sync(x=1), kind)


def test_a_model_that_is_asked_may_finish(tmp_path: Path) -> None:
    text = """pipeline main(x: text) -> Answer {
      step a: Answer = ask say(x) by small { output 100 tokens max }
      step b: Answer = ask say(a.value) by small { output 100 tokens max }
      return b
    }"""
    loaded, ours = load(tmp_path, text), Runtime()

    def answer(request: Any) -> Any:
        ours.switches.kill()
        return {"value": "v", "confidence": 1}

    models = Models(a=answer)
    ours.providers = {"lab": models}
    result = loaded.pipeline("main", runtime=ours).run_sync(x="a")
    assert isinstance(result, Failed)
    assert result.code == "killed"
    assert result.partial["values"]["a"] == {"value": "v", "confidence": 1}
    assert models.asked("b") == []
    assert len(events(result, "answer")) == 1


def test_a_folder_is_looked_at_by_all_and_not_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, virtual_time: VirtualTime
) -> None:
    writes, reads = FolderSwitches(tmp_path), FolderSwitches(tmp_path)
    assert reads.why(["main"]) is None
    looks: list[Any] = []
    listdir = os.listdir
    monkeypatch.setattr(os, "listdir", lambda path: looks.append(path) or listdir(path))
    for _ in range(1000):
        assert reads.why(["other"], "tool") is None
    assert looks == []
    writes.kill(tool="tool", reason="it errs")
    virtual_time.now += LOOK_EVERY
    assert reads.why(["other"], "tool") == "tool `tool` is switched off: it errs"
    assert reads.why(["other"]) is None
    assert writes.revive(tool="tool")
    assert not writes.revive(tool="tool")
    assert reads.off() == {}


@pytest.mark.parametrize("content", ["", "{", "[1]", '{"reason": 5}', "\ufeff", "null"])
def test_a_switch_that_cannot_be_read_is_off_all_the_same(tmp_path: Path, content: str) -> None:
    (tmp_path / "pipeline-main.json").write_text(content, encoding="utf-8")
    assert FolderSwitches(tmp_path).why(["main"]) is not None
    assert FolderSwitches(tmp_path).why(["other"]) is None


def test_names_that_are_no_file_names(tmp_path: Path) -> None:
    switches = FolderSwitches(tmp_path / "kills")
    switches.kill(pipeline="../up/main")
    assert [path.parent for path in tmp_path.rglob("*.json")] == [tmp_path / "kills"]
    assert FolderSwitches(tmp_path / "kills").off() == {switch(pipeline="../up/main"): ""}


def test_a_folder_that_is_none_counts_as_off(tmp_path: Path) -> None:
    (tmp_path / "kills").write_text("not a folder")
    assert FolderSwitches(tmp_path / "kills").why(["main"]) is not None


# --------------------------------------------------------------------------------- the command


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return command_text(*arguments, cwd=folder)


def test_a_run_of_another_process_is_stopped(tmp_path: Path) -> None:
    load(
        tmp_path,
        """
        tool wait(x: int) -> int { python "tools:wait" effect read latency 1ms median succeeds 99% }
        pipeline main(x: int) -> int { step a = call wait(x) step b = call wait(a) return b }
        """,
    )
    (tmp_path / "tools.py").write_text(
        "import pathlib, time\n"
        "def wait(x):\n"
        "    pathlib.Path('began').touch()\n"
        "    while not pathlib.Path('go').exists():\n"
        "        time.sleep(0.02)\n"
        "    time.sleep(0.3)\n"
        "    return x + 1\n"
    )
    line = ["run", "main.pipe", "main", "--input", '{"x": 1}', "--format", "json"]
    running = start(*line, cwd=tmp_path)
    while not (tmp_path / "began").exists():
        assert running.poll() is None
        time.sleep(0.05)
    done = command(tmp_path, "kill", "--pipeline", "main", "--reason", "it errs")
    assert (done.returncode, done.stdout) == (0, "pipeline `main` is switched off\n")
    (tmp_path / "go").touch()
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 1
    result = json.loads(said)
    assert result["code"] == "killed"
    assert result["partial"]["values"] == {"a": 2}
    assert command(tmp_path, *line).returncode == 1
    assert "pipeline `main` is switched off: it errs" in command(tmp_path, "kill").stdout
    assert command(tmp_path, "kill", "--pipeline", "main", "--undo").returncode == 0
    assert command(tmp_path, *line).returncode == 0
    assert command(tmp_path, "kill").stdout == "nothing is switched off\n"


@pytest.mark.parametrize(
    "line",
    [["--tool", "a", "--all"], ["--undo"], ["--reason", "x"], ["--tool", ""]]
    + [["--tool", name] for name in ("../x", "a b", "\udcff", "é")]
    + [["--pipeline", "x" * 500 + "-"]],
    ids=ascii,
)
def test_a_line_that_names_nothing_or_too_much_is_refused(tmp_path: Path, line: list[str]) -> None:
    done = command(tmp_path, "kill", *line)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
