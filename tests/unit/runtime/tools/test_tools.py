"""Tools: how they are found, called, timed, and kept from harming a run."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
import time
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang import Answered, Failed, ToolMissing
from pipelang.runtime.engine.interpreter import run_pipeline

from ..stage import HEAD, Models, events, handle, load, play


def calling(
    folder: Path,
    signature: str,
    binding: str = "",
    options: str = "",
    name: str = "main.pipe",
) -> Any:
    """A program whose step `a` calls `use` with the pipeline's input."""
    parameter, _, returns = signature.partition(" -> ")
    answers = f"-> {returns}" if returns else ""
    return load(
        folder,
        f"""
        tool use(x: {parameter}) {answers} {{
          {binding} effect read latency 1ms median succeeds 99% {options}
        }}
        pipeline main(x: {parameter}) {answers or "-> bool"} {{
          step a = call use(x)
          return {"a" if returns else "true"}
        }}
        """,
        name,
    )


def test_a_sync_function_runs_in_a_thread_an_async_one_in_the_loop(tmp_path: Path) -> None:
    loaded = calling(tmp_path, "text -> text")
    main = threading.get_ident()
    seen: list[int] = []

    def sync(x: str) -> str:
        seen.append(threading.get_ident())
        return x

    async def on_loop(x: str) -> str:
        seen.append(threading.get_ident())
        return x

    class Callable:
        async def __call__(self, x: str) -> str:
            return x + "!"

    assert getattr(play(loaded, tools={"use": sync}, x="a"), "value", None) == "a"
    assert getattr(play(loaded, tools={"use": on_loop}, x="a"), "value", None) == "a"
    assert getattr(play(loaded, tools={"use": Callable()}, x="a"), "value", None) == "a!"
    assert seen[0] != main
    assert seen[1] == main


def raising(error: BaseException) -> Any:
    def use(x: str) -> str:
        raise error

    return use


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("bad"), "ValueError: bad"),
        (TimeoutError("theirs"), "TimeoutError: theirs"),
        (StopIteration(), "StopIteration"),
        (SystemExit(3), "SystemExit: 3"),
        (asyncio.CancelledError(), "CancelledError"),
        (Mute(), "Mute"),
        (MemoryError(), "MemoryError"),
        (ValueError("x" * 10**6), "ValueError: xxx"),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
def test_whatever_a_tool_raises_fails_its_attempt(
    tmp_path: Path, error: BaseException, message: str, is_async: bool
) -> None:
    use = raising(error)

    async def later(x: str) -> str:
        return use(x)

    loaded = calling(tmp_path, "text -> text", options="retry 1")
    result = play(loaded, tools={"use": later if is_async else use}, x="a")
    assert isinstance(result, Failed)
    failed = events(result, "failed")
    assert [e.data["why"] for e in failed] == ["raised", "raised"]
    assert message in failed[0].content
    assert len(failed[0].content) <= 400
    assert failed[0].data["error"] == message.partition(":")[0] or is_async


@pytest.mark.parametrize(
    ("returns", "value"),
    [
        ("text", 5),
        ("text", None),
        ("int", "5"),
        ("int", 5.0),
        ("int", True),
        ("bool", 1),
        ("probability", "0.5"),
        ("probability", 50),
        ("money", "$5"),
        ("[text] max 2", ["a", "b", "c"]),
        ("[text] max 2", {"a"}),
        ("{text: int}", {1: 1}),
        ("{text: int}", {b"a": 1}),
        ("Answer", {"value": "x"}),
        ("json", object()),
        ("json", {"a": float("inf")}),
        ("json", {1: 2}),
        ("time", 5),
        ("time", "2026-01-01T00:00:00"),
    ],
)
def test_a_result_of_another_type_fails_its_attempt(
    tmp_path: Path, returns: str, value: Any
) -> None:
    loaded = calling(tmp_path, f"text -> {returns}")
    result = play(loaded, tools={"use": lambda x: value}, x="a")
    assert isinstance(result, Failed)
    (failed,) = events(result, "failed")
    assert failed.data["why"] == "misfit"


def test_a_tool_without_result_may_return_anything(tmp_path: Path) -> None:
    loaded = calling(tmp_path, "text")
    for value in (None, 5, object()):
        assert isinstance(play(loaded, tools={"use": lambda x, v=value: v}, x="a"), Answered)


def test_a_tool_that_changes_its_arguments_changes_nothing_of_the_run(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        type Box { items: [text] max 5  more: json }
        tool use(box: Box, free: json) -> int { effect read latency 1ms median succeeds 99% }
        pipeline main(box: Box, free: json) -> Box {
          step one = call use(box, free)
          step two = call use(box, free)
          return box
        }
        """,
    )
    seen: list[int] = []

    def use(box: Any, free: Any) -> int:
        box.items.append("more")
        box.more["more"] = 1
        free.append(1)
        seen.append(len(box.items) + len(box.more) + len(free))
        return 1

    given = {"items": ["a"], "more": {}}
    free: list[int] = []
    result = play(loaded, tools={"use": use}, box=given, free=free)
    assert isinstance(result, Answered)
    assert seen == [4, 4]
    assert (given, free) == ({"items": ["a"], "more": {}}, [])
    assert result.value.items == ["a"]
    assert result.value.more == {}


def test_a_result_that_the_tool_changes_later_stays_what_it_was(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        tool use(x: text) -> json { effect read latency 1ms median succeeds 99% }
        tool spoil(x: text) -> text { effect read latency 1ms median succeeds 99% }
        pipeline main(x: text) -> json {
          step a = call use(x)
          gate g: x != "" else reject
          step b = call spoil(x)
          gate h: b != "" else reject
          return a
        }
        """,
    )
    kept = {"list": [1]}

    def spoil(x: str) -> str:
        kept["list"].append(2)
        return x

    result = play(loaded, tools={"use": lambda x: kept, "spoil": spoil}, x="a")
    assert isinstance(result, Answered)
    assert result.value == {"list": [1]}


def test_a_tool_that_blocks_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Neither the run, nor the end of the loop, nor other calls, however many hang."""
    loaded = calling(tmp_path, "text -> text", options="timeout 2s")
    blocked = threading.Event()
    ready = handle(loaded, tools={"use": lambda x: blocked.wait(60) or x})

    async def main() -> list[Any]:
        hanging = [ready.run(x="a") for _ in range(100)]
        quick = handle(loaded, tools={"use": lambda x: x})
        return await asyncio.gather(*hanging, quick.run(x="b"))

    began = time.monotonic()
    *failed, answered = asyncio.run(main())
    assert time.monotonic() - began < 55, "the tools hang for a minute"
    assert isinstance(answered, Answered)
    assert all(isinstance(result, Failed) for result in failed)
    assert {events(result, "failed")[0].data["why"] for result in failed} == {"timeout"}
    blocked.set()


def test_a_program_ends_although_a_tool_blocks(tmp_path: Path) -> None:
    (tmp_path / "main.pipe").write_text(
        HEAD
        + """
        tool use(x: text) -> text {
          python "slow:use" effect read latency 1ms median succeeds 99% timeout 100ms
        }
        pipeline main(x: text) -> text { step a = call use(x) else "late" return a }
        """
    )
    (tmp_path / "slow.py").write_text("import time\ndef use(x):\n    time.sleep(600)\n")
    script = f"""
        import pipelang
        loaded = pipelang.load({str(tmp_path / "main.pipe")!r})
        print(loaded.pipeline("main").run_sync(x="a").value)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(Path(pipelang.__file__).parents[1])},
    )
    assert done.stdout.strip() == "late", done.stderr


def test_a_result_of_100_mb(tmp_path: Path) -> None:
    large = "ä" * (50 * 2**20)
    limited = calling(tmp_path, "text -> text max 4k tokens", name="limited.pipe")
    result = play(limited, tools={"use": lambda x: large}, x="a")
    assert isinstance(result, Failed)
    assert len(str(result.trace)) < 5000
    free = calling(tmp_path, "text -> text", name="free.pipe")
    result = play(free, tools={"use": lambda x: large}, x="a")
    assert isinstance(result, Failed)
    (failed,) = events(result, "failed")
    assert failed.data["why"] == "misfit"
    assert "larger than 10 MB" in failed.data["message"]
    fits = "ä" * 2**20
    assert getattr(play(free, tools={"use": lambda x: fits}, x="a"), "value", None) is fits


def test_arguments_are_checked_against_the_parameters(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        type Box { body: text max 2 tokens }
        tool use(body: text max 2 tokens) -> text { effect read latency 1ms median succeeds 99% }
        tool pack(box: Box) -> text { effect read latency 1ms median succeeds 99% }
        pipeline main(x: text) -> text { step a = call use(x) { retry 5 } else "long" return a }
        pipeline boxed(x: text) -> text { step a = call pack({body: x}) else "long" return a }
        """,
    )
    tools = {"use": lambda body: body, "pack": lambda box: box.body}
    for name, path in (("main", "`body`: text of"), ("boxed", "`box`: `body`: text of")):
        result = play(loaded, tools=tools, pipeline=name, x="far too long")
        assert isinstance(result, Answered)
        assert result.value == "long"
        (failed,) = events(result, "failed")
        assert failed.data["why"] == "argument"
        assert path in failed.data["message"]
        assert getattr(play(loaded, tools=tools, pipeline=name, x="short"), "value", 0) == "short"


def test_what_a_tool_gets(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        enum Size { little much }
        type Box { size: Size  n: number  share: probability }
        tool use(box: Box, m: money, d: duration, limit: int = 5, note: text?) -> bool {
          effect read latency 1ms median succeeds 99%
        }
        pipeline main(box: Box) -> bool { step a = call use(box, $0.10, 2m) return a }
        """,
    )
    got: dict[str, Any] = {}

    def use(**given: Any) -> bool:
        got.update(given)
        return True

    box = {"size": "much", "n": 1, "share": 0.85}
    assert isinstance(play(loaded, tools={"use": use}, box=box), Answered)
    assert (got["box"].size, got["box"].n, got["box"].share) == ("much", 1.0, Decimal("0.85"))
    assert isinstance(got["box"].n, float)
    assert (got["m"], got["limit"], got["note"]) == (Decimal("0.10"), 5, None)
    assert got["d"] == timedelta(minutes=2)


# ------------------------------------------------------------------------------------ finding


def missing(folder: Path, binding: str) -> ToolMissing:
    loaded = calling(folder, "text -> text", f'python "{binding}"')
    with pytest.raises(ToolMissing) as error:
        handle(loaded)
    return error.value


@pytest.mark.parametrize(
    ("binding", "message", "help"),
    [
        ("nowhere:use", "there is no module `nowhere`", "looked for"),
        ("tools:serch", "`tools` has no function `serch`", 'did you mean "tools:search"?'),
        ("tools:NUMBER", "cannot be called", ""),
        ("broken:use", "importing `broken` failed: ZeroDivisionError", ""),
        ("leaves:use", "importing `leaves` failed: SystemExit", ""),
    ],
)
def test_a_tool_that_cannot_be_found_names_its_binding(
    tmp_path: Path, binding: str, message: str, help: str
) -> None:
    (tmp_path / "tools.py").write_text("NUMBER = 5\ndef search(x): return x\n")
    (tmp_path / "broken.py").write_text("1 / 0\n")
    (tmp_path / "leaves.py").write_text("raise SystemExit(1)\n")
    error = missing(tmp_path, binding)
    assert message in str(error)
    assert help in (error.help or "")
    text = (tmp_path / "main.pipe").read_text()
    assert error.span is not None
    assert text[error.span.start : error.span.end] == f'python "{binding}"'


def test_an_unbound_tool_must_be_handed_in(tmp_path: Path) -> None:
    loaded = calling(tmp_path, "text -> text")
    with pytest.raises(ToolMissing, match="bound to nothing"):
        handle(loaded)
    assert isinstance(play(loaded, tools={"use": lambda x: x}, x="a"), Answered)


def test_a_tool_handed_in_wins_over_its_binding(tmp_path: Path) -> None:
    loaded = calling(tmp_path, "text -> text", 'python "nowhere:use"')
    result = play(loaded, tools={"use": lambda x: x * 2}, x="a")
    assert getattr(result, "value", None) == "aa"


def test_a_tool_that_is_handed_in_under_a_wrong_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="did you mean `use`"):
        handle(calling(tmp_path, "text -> text"), tools={"uses": str})


def test_two_folders_may_have_a_module_of_one_name(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "tools.py").write_text(f"def use(x):\n    return x + '{name}'\n")
    results = [
        play(calling(tmp_path / name, "text -> text", 'python "tools:use"'), x="")
        for name in ("one", "two", "one")
    ]
    assert [getattr(result, "value", None) for result in results] == ["one", "two", "one"]


def test_a_package_beside_the_file_may_import_its_own_parts(tmp_path: Path) -> None:
    package = tmp_path / "desk"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "parts.py").write_text("def twice(x):\n    return x * 2\n")
    (package / "tools.py").write_text(
        "from .parts import twice\n\nclass Kb:\n    @staticmethod\n"
        "    def use(x):\n        return twice(x)\n"
    )
    loaded = calling(tmp_path, "text -> text", 'python "desk.tools:Kb.use"')
    assert getattr(play(loaded, x="a"), "value", None) == "aa"


def test_a_module_may_import_what_stands_beside_it(tmp_path: Path) -> None:
    (tmp_path / "beside_the_tools.py").write_text("WORD = 'beside'\n")
    (tmp_path / "tools.py").write_text(
        "from beside_the_tools import WORD\n\ndef use(x):\n    return WORD\n"
    )
    loaded = calling(tmp_path, "text -> text", 'python "tools:use"')
    assert getattr(play(loaded, x="a"), "value", None) == "beside"
    assert str(tmp_path) not in sys.path


def test_a_tool_on_the_python_path(tmp_path: Path) -> None:
    handle(calling(tmp_path, "text -> text", 'python "textwrap:dedent"'))
    assert "`textwrap` has no function `nothing`" in str(missing(tmp_path, "textwrap:nothing"))


def test_a_python_fn_that_raises_is_no_value(tmp_path: Path) -> None:
    (tmp_path / "pure.py").write_text(
        "def odd(x):\n    if x == 'raise': raise ValueError('bad')\n"
        "    return 5 if x == 'misfit' else x\n"
    )
    loaded = load(
        tmp_path,
        """
        fn odd(x: text) -> text python "pure:odd"
        pipeline main(x: text) -> text { step a = odd(x) else "none" return a }
        pipeline let_(x: text) -> text {
          step s: text = ask say(x) by small
          let a = odd(x)
          return a
        }
        pipeline gate_(x: text) -> text { gate g: odd(x) == x else reject return x }
        pipeline out(x: text) -> text { return odd(x) }
        """,
    )
    assert getattr(play(loaded, x="fine"), "value", None) == "fine"
    for given in ("raise", "misfit"):
        assert getattr(play(loaded, x=given), "value", None) == "none"
        for name in ("let_", "gate_", "out"):
            result = play(loaded, Models(), pipeline=name, x=given)
            assert isinstance(result, Failed)
            assert result.code == "chain_exhausted"
            assert "`odd` gave no value" in (result.text or "")
    let = play(loaded, Models(), pipeline="let_", x="raise")
    assert isinstance(let, Failed)
    assert let.reason == "a"
    assert let.partial["values"] == {"s": "s"}, "what does not depend on it still finishes"


# ----------------------------------------------------------------------------------- permits


def test_a_permit_that_was_not_granted_is_not_used(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        tool use(x: text) -> text {
          effect write permit "things.write" latency 1ms median succeeds 99% retry 3
        }
        pipeline main(x: text) -> text {
          permits "things.write"
          step a = call use(x) else fail "not_allowed"
          return a
        }
        """,
    )
    used: list[str] = []

    def use(x: str) -> str:
        used.append(x)
        return x

    def run(permits: Any) -> Any:
        ready = handle(loaded, tools={"use": use})
        return asyncio.run(run_pipeline(ready.start({"x": "a"}, permits=permits)))

    result = run(["other"])
    assert isinstance(result, Failed)
    assert result.code == "not_allowed"
    assert [e.data["why"] for e in events(result, "failed")] == ["permit"]
    assert isinstance(run([]), Failed)
    assert used == []
    assert isinstance(run(["things.write"]), Answered)
    assert isinstance(run(None), Answered)
