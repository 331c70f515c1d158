"""`compile --to pyi`: what a host gets to see, and that mypy --strict believes it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelang.interfaces.check.disk_loader import DiskLoader
from pipelang.interfaces.export.pyi import pyi
from pipelang.runtime.engine.values import attribute
from pipelang.runtime.host.handle import LoadedProgram
from pipelang.semantics.build import build

from .stage import REPO, SUPPORT, WIDE, expect, program

ODD = """\
use std.tiers

enum Program { class none_ }

type Answered {
  class:   text max 9 tokens
  list:    [Program]
  model_x: int
  _y:      bool
  str:     {text: probability}
  property: text? max 9 tokens
}

type Plain {
  from: int = 3
  odd:  Answered
}

prompt answer(plain: Plain) \"\"\"{{ plain.from }}\"\"\"

## Odd names.
## And a second line.
pipeline answered(class: int, self: Plain) -> Answered {
  step made: Answered = ask answer(self) by haiku { accuracy 9 of 10 }
  return made
}

pipeline nothing() -> [text] {
  return []
}
"""

SUPPORT_HOST = """\
from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import TYPE_CHECKING, cast

import pipelang

if TYPE_CHECKING:
    import support

program = cast("support.Program", pipelang.load("support.pipe"))
handle = program.pipeline("handle_ticket")


async def answer(body: str) -> str:
    ticket: support.Ticket = {
        "id": "1", "body": body, "customer": {"id": "c1", "enterprise": False}
    }
    result = await handle.run(ticket=ticket)
    match result:
        case pipelang.Answered(value=reply):
            share: Decimal = reply.confidence
            return f"{reply.body.upper()} {share}"
        case pipelang.Escalated():
            return result.role
        case pipelang.Rejected() | pipelang.Failed():
            return result.reason


async def watch(ticket: support.Ticket) -> None:
    async for update in handle.stream(ticket=ticket):
        print(update.progress)


def learn(ticket: support.Ticket) -> int:
    learnt = program.pipeline("learn_from").run_sync(
        feedback={"ticket": ticket, "reply": "x", "rating": 2, "corrected": "y"}
    )
    if isinstance(learnt, pipelang.Answered):
        return learnt.value.waiting
    return 0


print(asyncio.run(answer("hello")), program.hash, program.pipelines)
"""

WIDE_HOST = """\
from __future__ import annotations

import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, cast

import pipelang

if TYPE_CHECKING:
    import wide

program = cast("wide.Program", pipelang.load("wide.pipe"))
handle = program.pipeline("handle", tools={"look_up": lambda id, most: []})


def both(post: wide.PostInput) -> None:
    result = handle.run_sync(
        post={
            "id": "1", "body": "x", "urgent": True, "tags": ("a",), "seen": {"a": 1},
            "hint": None, "size": "large", "amount": Decimal("1.50"), "share": 0.5,
            "sent": datetime.datetime.now(datetime.timezone.utc), "extra": {"any": [1]},
            "waited": datetime.timedelta(minutes=1),
        },
        note_it=False,
    )
    answered = handle.run_sync(post=post)
    if not isinstance(answered, pipelang.Answered):
        return
    learnt = program.pipeline("learn").run_sync(post=post, reply=answered.value)
    if isinstance(learnt, pipelang.Answered):
        out = learnt.value
        size: wide.Size = out.size
        amount: Decimal = out.amount
        sent: datetime.datetime | None = out.sent
        waited: Decimal = out.waited
        # What came out of one pipeline goes into another.
        handle.run_sync(post=out)
        print(size, amount, sent, waited, result)
"""

ODD_HOST = """\
from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pipelang

if TYPE_CHECKING:
    import odd

program = cast("odd.Program_", pipelang.load("odd.pipe"))
made: odd.AnsweredInput = {
    "class": "c", "list": ["none_"], "model_x": 1, "_y": True, "str": {"a": 0.5}
}
plain: odd.Plain = {"odd": made}
inputs: odd.AnsweredInputs = {"class": 1, "self": plain}
result = program.pipeline("answered").run_sync(**inputs)
if isinstance(result, pipelang.Answered):
    value = result.value
    print(value.list[0], value.field_model_x + 1, value.field__y, value.str["a"], value.property)
nothing = program.pipeline("nothing").run_sync()
if isinstance(nothing, pipelang.Answered):
    print(nothing.value[0].upper())
"""

# What it found of the libraries is kept beside what `make types` found: the next run takes a tenth.
CACHE = REPO / ".mypy_cache" / "hosts"
OPTIONS = "--strict --no-pretty --follow-imports=silent --config-file=".split()

# Each line is wrong in its own way; mypy says where.
WRONG = {
    'handle.run_sync(ticket={"id": "1"})': "Missing keys",
    "handle.run_sync()": "Missing named argument",
    "handle.run_sync(ticket=ticket, other=1)": "Unexpected keyword argument",
    'handle.run_sync(ticket={**ticket, "id": 3})': "Incompatible types",
    'program.pipeline("nobody")': "No overload variant",
    "answered.value.boddy": "has no attribute",
    'answered.value.body = "x"': "read-only",
    "handle.run_sync(ticket=ticket).value": "has no attribute",
}

WRONG_HOST = """\
from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pipelang

if TYPE_CHECKING:
    import support

program = cast("support.Program", pipelang.load("support.pipe"))
handle = program.pipeline("handle_ticket")
ticket = cast("support.Ticket", {})
answered = handle.run_sync(ticket=ticket)
assert isinstance(answered, pipelang.Answered)
"""


def stub(text: str) -> str:
    made = program(text)
    return pyi(made, list(made.pipelines))


def support_stub() -> str:
    made = build(str(SUPPORT), DiskLoader()).program
    assert made is not None
    return pyi(made, list(made.pipelines))


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What mypy --strict says of stubs and hosts; one run for all, it takes a while."""
    folder = tmp_path_factory.mktemp("host")
    stubs = {"support": support_stub(), "wide": stub(WIDE), "odd": stub(ODD)}
    hosts = {
        "support_host": SUPPORT_HOST,
        "wide_host": WIDE_HOST,
        "odd_host": ODD_HOST,
        "wrong_host": WRONG_HOST + "\n".join(WRONG) + "\n",
    }
    for name, text in stubs.items():
        (folder / f"{name}.pyi").write_text(text, encoding="utf-8")
    for name, text in hosts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    files = [*(f"{name}.pyi" for name in stubs), *(f"{name}.py" for name in hosts)]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *OPTIONS, f"--cache-dir={CACHE}", *files],
        cwd=folder,
        env={**os.environ, "MYPYPATH": str(REPO)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def test_stubs_and_hosts_pass_mypy_strict(said: str):
    wrong = [line for line in said.splitlines() if not line.startswith(("wrong_host", "Found"))]
    assert wrong == []


@pytest.mark.parametrize("line", WRONG)
def test_mypy_finds_what_is_wrong(said: str, line: str):
    number = WRONG_HOST.count("\n") + list(WRONG).index(line) + 1
    found = [text for text in said.splitlines() if text.startswith(f"wrong_host.py:{number}:")]
    assert any(WRONG[line] in text for text in found), said


def test_a_stub_is_python(tmp_path: Path):
    for text in (WIDE, ODD):
        compile(stub(text), "stub.pyi", "exec")


@pytest.mark.parametrize(("name", "text"), [("odd", ODD), ("wide", WIDE)])
def test_the_stub_of_a_small_file(name: str, text: str):
    made = program(text)
    hashed = f"Program {made.hash[:12]}"
    expect(f"{name}.pyi.txt", stub(text).replace(hashed, "Program 000000000000"))


def test_attributes_are_called_as_the_runtime_calls_them():
    made = program(ODD)
    model = LoadedProgram(made).types.model(made.records["Answered"])
    text = stub(ODD)
    for field in made.records["Answered"].fields:
        assert attribute(field.name) in model.model_fields
        if field.name != "class":
            assert f"def {attribute(field.name)}(self)" in text


def test_one_pipeline_only():
    made = program(WIDE)
    text = pyi(made, ["learn"])
    assert "class Learn(" in text
    assert "class Handle(" not in text
    assert "overload" not in text
