"""What comes from outside by files and names: torn lines, foreign files, invisible signs, keys that
stand twice; and that what runs leave is for their owner only.
"""

from __future__ import annotations

import asyncio
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from pipelang import Answered, AuditLog, Failed, Inbox, Runtime
from pipelang.interfaces.cli.main import main
from pipelang.interfaces.runs.inputs import BadInput, read_inputs
from pipelang.runtime.engine.world import ToolCall
from pipelang.runtime.files import strict_json
from pipelang.runtime.files.private_files import append_line
from pipelang.runtime.inbox.cases import Case, Refused, Verdict, decided, identity
from pipelang.runtime.providers.fitting import DoesNotFit, fit
from pipelang.runtime.providers.protocol import ModelAnswer, Usage
from pipelang.runtime.shared.memory_store import Sqlite
from pipelang.runtime.sinks.traces import TraceFiles

from .stage import Models, handle, load
from .virtual_time import VirtualTime

needs_modes = pytest.mark.skipif(os.name == "nt", reason="Windows has no modes of files")


def case(name: str = "ok") -> Case:
    now = datetime.now(UTC)
    return Case(
        id="", run_id="r", pipeline="p", kind="escalation", name=name, role="desk", opened_at=now
    )


# --- the inbox --------------------------------------------------------------------------------


def test_a_strange_file_hides_no_case_and_hangs_nobody(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path)
    kept = asyncio.run(inbox.file(case()))
    folder = tmp_path / "open"
    (folder / "aaaaaaaaaaaa.json").write_text("{")
    (folder / "bbbbbbbbbbbb.json").write_text("")
    (folder / "cccccccccccc.json").write_text('{"theirs": 1}')
    (folder / "dddddddddddd.json").write_bytes((folder / f"{kept.id}.json").read_bytes())
    (folder / "eeeeeeeeeeee.json").mkdir()
    (folder / "ffffffffffff.json").symlink_to(folder / f"{kept.id}.json")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "000000000000.json")
    assert [one.id for one in inbox.cases()] == [kept.id]
    names = {Path(path).stem[0] for path in inbox.unreadable}
    assert names >= set("abcdef")
    assert inbox.case(kept.id).id == kept.id


# --- names ------------------------------------------------------------------------------------

INVISIBLE = st.text(
    st.sampled_from("\u200b\u200d\ufeff\u00ad\u2060\u034f\u3164\ufe0f\U000e0041\u202e\x07"),
    max_size=3,
)


@given(st.lists(INVISIBLE, min_size=4, max_size=4))
def test_names_that_look_the_same_are_the_same_person(signs: list[str]) -> None:
    first = "".join(sign + letter for sign, letter in zip(signs, "Adá ", strict=True))
    assert identity(first) == identity("ADÁ")
    assert identity("".join(signs)) == ""
    asked = replace(case(), id="2", kind="approve", differs_from=("maker",))
    before = replace(
        asked, id="1", role="maker", state="decided", verdict=Verdict(yes=True, by="adá")
    )
    with pytest.raises(Refused):
        decided(asked, Verdict(yes=True, by=first), (before,), datetime.now(UTC))
    with pytest.raises(Refused, match="must be named"):
        decided(asked, Verdict(yes=True, by="".join(signs)), (), datetime.now(UTC))


def test_names_that_differ_are_two_people() -> None:
    assert len({identity(name) for name in ("ada", "adá", "ad a", "a.da", "адa")}) == 5


# --- JSON -------------------------------------------------------------------------------------


class Pair(BaseModel):
    a: int


def test_a_key_that_stands_twice_is_an_error() -> None:
    text = '{"a": 1, "b": [{"c": 1, "c": 2}]}'
    with pytest.raises(strict_json.DuplicateKey, match="`c`"):
        strict_json.loads(text)
    with pytest.raises(BadInput, match="the key `c` stands twice"):
        read_inputs(text)
    with pytest.raises(DoesNotFit, match="the key `a` stands twice"):
        fit(Pair, '{"a": 1, "a": 2}')
    for other in ('"ACME"', "null", "[1]"):
        with pytest.raises(DoesNotFit, match=r"^expected a JSON object$"):  # and no Python class
            fit(Pair, other)
    assert fit(Pair, '{"a": 1}') == {"a": 1}


# --- lines of files ---------------------------------------------------------------------------


@given(torn=st.binary(max_size=9), lines=st.lists(st.binary(min_size=1, max_size=9), max_size=3))
def test_a_torn_line_stays_alone(torn: bytes, lines: list[bytes]) -> None:
    import tempfile

    lines = [line.replace(b"\n", b"-") for line in lines]
    torn = torn.replace(b"\n", b"-")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trace"
        file.write_bytes(torn)
        for line in lines:
            append_line(file, line + b"\n")
        kept = [torn] if torn else []
        assert file.read_bytes().split(b"\n")[: len(kept) + len(lines)] == kept + lines


@needs_modes
def test_what_runs_leave_is_for_their_owner_only(tmp_path: Path) -> None:
    file = tmp_path / "main.pipe"
    file.write_text(
        "memory m(k: text max 9 tokens) -> text max 9 tokens { keeps 1d }\n"
        "pipeline main(x: text max 9 tokens) -> text { remember m(x) = x return x }\n"
    )
    state = tmp_path / "deep" / "state"
    old = os.umask(0)
    try:
        code = main(["run", str(file), "--input", '{"x": "a"}', "--state", str(state)])
        Sqlite(state / "memories.db")
        inbox = Inbox(state / "inbox")
        kept = asyncio.run(inbox.file(case()))
        asyncio.run(inbox.decide(kept.id, yes=True, by="ada", reason="seen"))
    finally:
        os.umask(old)
    assert code == 0
    found = [state, *state.rglob("*")]
    assert len(found) > 3
    for path in found:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert not mode & 0o077, f"{path}: {mode:o}"


@needs_modes
@pytest.mark.parametrize("kind", ["link", "file"])
def test_a_state_folder_that_is_none_ends_the_command_before_anything_runs(
    kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    if kind == "link":
        (tmp_path / "elsewhere").mkdir()
        state.symlink_to(tmp_path / "elsewhere")
    else:
        state.write_text("")
    file = tmp_path / "main.pipe"
    file.write_text("pipeline main(x: text) -> text { return x }")
    assert main(["run", str(file), "--input", '{"x": "a"}', "--state", str(state)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "cannot keep traces" in err
    assert kind == "file" or not any((tmp_path / "elsewhere").iterdir())


EFFECT = """
tool look(x: text) -> text { effect read }
tool pay(x: text) -> text { effect irreversible succeeds 99% }
pipeline main(x: text) -> text { step a = call look(x) step b = call pay(a) return b }
"""


@pytest.mark.parametrize("sink", [AuditLog, TraceFiles])
def test_nothing_acts_unrecorded(sink: Any, tmp_path: Path) -> None:
    """A log that was asked for and cannot be written ends the run before its first effect."""
    place = tmp_path / "log"
    place.mkdir()
    recorder = sink(place / "audit.jsonl" if sink is AuditLog else place / "traces")
    paid: list[str] = []
    tools = {"look": lambda x: x, "pay": lambda x: paid.append(x) or x}
    ready = load(tmp_path, EFFECT).pipeline("main", tools=tools, runtime=Runtime(sinks=(recorder,)))
    assert isinstance(asyncio.run(ready.run(x="a")), Answered)
    for path in place.rglob("*"):
        if path.is_file():
            path.unlink()
    blocked = place / ("audit.jsonl" if sink is AuditLog else "traces")
    if blocked.is_dir():
        blocked.rmdir()
        blocked.write_text("")
    else:
        blocked.mkdir()
    result = asyncio.run(ready.run(x="b"))
    assert isinstance(result, Failed)
    assert result.code == "unrecorded"
    assert paid == ["a"]


# --- an agent's tools -------------------------------------------------------------------------


def test_backoff_of_a_tool_in_an_agent_is_waited(tmp_path: Path, virtual_time: VirtualTime) -> None:
    text = """
    tool look(q: text) -> text { effect read retry 2 backoff 100s..200s }
    pipeline main(x: text) -> text {
      step s: text = agent say(x) by small with look { steps 2 }
      return s
    }
    """

    def look(q: str) -> str:
        raise ValueError("busy")

    calls = (ToolCall("1", "look", {"q": "a"}),)
    models = Models(s=[ModelAnswer(None, Usage(1, 1), "s", calls=calls), "done"])
    result = asyncio.run(handle(load(tmp_path, text), models, tools={"look": look}).run(x="a"))
    assert isinstance(result, Answered)
    tried = [event.at for event in result.trace if event.kind == "failed"]
    assert len(tried) == 3
    assert tried[2] - tried[0] > 1
