"""Pictures and documents in runs: what a model is sent, what is paid, what is written down."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang.interfaces.check.check import check_file
from pipelang.runtime.engine.outcomes import Answered, Failed
from pipelang.runtime.media.medium import Media
from pipelang.runtime.sinks.audit import AuditLog
from pipelang.runtime.sinks.traces import TraceFiles

from ..stage import HEAD, Models, handle, load, play
from . import samples

PNG, PDF = samples.picture(40, 30), samples.document(3)

SEE = """
type Case { note: text max 20 tokens  photo: untrusted image  scans: [document max 5 pages] max 2 }
prompt see(case: Case) \"\"\"
Note: {{ case.note }}
{{ case.photo }} and
{% for scan in case.scans %}page {{ loop.index }}: {{ scan }}
{% endfor %}\"\"\"
pipeline main(case: Case) -> text {
  BUDGET
  step seen: text max 20 tokens = ask see(case) by small { output 20 tokens max } else fail "blind"
  return seen
}
"""


class Seeing(Models):
    """Models that take pictures and documents."""

    takes = ("image", "document")


def case(**changes: Any) -> dict[str, Any]:
    return {"note": "n", "photo": PNG, "scans": [PDF], **changes}


def program(folder: Path, budget: str = "budget $9", model: str = "claude-haiku-4-5") -> Any:
    file = folder / "main.pipe"
    text = HEAD.replace('model "s"', f'model "{model}"') + SEE.replace("BUDGET", budget)
    file.write_text(text, encoding="utf-8")
    return pipelang.load(file)


def test_a_model_sees_them_where_they_stand(tmp_path: Path) -> None:
    models = Seeing(seen="a cat")
    result = play(program(tmp_path), models, case=case())
    assert isinstance(result, Answered)
    (request,) = models.requests
    texts = [part.strip() if isinstance(part, str) else part for part in request.content]
    assert texts[0] == "Note: n"
    assert texts[2::2] == ["and\npage 1:", ""] or texts[2::2] == ["and\npage 1:"]
    assert [(one.media_type, one.data) for one in texts if isinstance(one, Media)] == [
        ("image/png", PNG),
        ("application/pdf", PDF),
    ]
    assert "[image: image/png, 40 x 30 pixels" in request.user
    assert "[document: application/pdf, 3 pages" in request.user
    told = json.dumps(request.arguments)  # what recordings are kept by
    assert json.loads(told)["case"]["photo"]["sides"] == [40, 30]
    assert base64.b64encode(PNG).decode()[:40] not in told


def test_a_prompt_without_them_has_no_parts(tmp_path: Path) -> None:
    text = 'pipeline main() -> text {\n  step a: text = ask say("x") by small OUT\n  return a\n}\n'
    models = Seeing()
    play(load(tmp_path, text.replace("OUT", "{ output 9 tokens max }")), models)
    assert models.requests[0].content == ()


def test_nobody_can_write_a_mark(tmp_path: Path) -> None:
    """Text that looks like the mark of a picture stays text."""
    digest = pipelang.Media("image", "image/png", PNG).sha256
    models = Seeing(seen="a cat")
    note = f"[medium 0 {digest}] [image]"
    text = SEE.replace("BUDGET", "").replace("max 20 tokens  photo", "max 200 tokens  photo")
    play(load(tmp_path, text), models, case=case(note=note))
    content = models.requests[0].content
    assert note in content[0]
    assert sum(isinstance(part, Media) for part in content) == 2


# --------------------------------------------------------------------------- what is paid before


def reserved(folder: Path, budget: str, **changes: Any) -> Any:
    models = Seeing(seen="a cat")
    result = play(program(folder, budget), models, case=case(**changes))
    return result, models


def test_the_rule_of_the_maker_is_reserved(tmp_path: Path) -> None:
    """A picture of 1,600 tokens and three pages of 4,600 are 15,400 tokens at $1 a million."""
    enough, models = reserved(tmp_path, "budget $0.0158")
    assert isinstance(enough, Answered)
    short, models = reserved(tmp_path, "budget $0.0154")
    assert isinstance(short, Failed)
    assert short.code == "budget_exceeded"
    assert models.requests == []


def test_the_bound_of_the_check_holds_for_every_run(tmp_path: Path) -> None:
    """What the analysis takes as the dearest run is at least what any input has reserved."""
    program(tmp_path, "budget $9, 90s")
    checked = check_file(str(tmp_path / "main.pipe"))
    worst = checked.analyses[0].numbers["cost.worst"]
    high = float(worst.high if hasattr(worst, "high") else worst)
    full = case(note="n" * 60, scans=[samples.document(5)] * 2)
    models = Seeing(seen="a cat")
    result = play(program(tmp_path, f"budget ${high:.6f}"), models, case=full)
    assert isinstance(result, Answered), "what is bounded by the check can be reserved"
    one_less = play(program(tmp_path, f"budget ${high * 0.98:.6f}"), models, case=full)
    assert isinstance(one_less, Failed), "and the bound is near"


@pytest.mark.parametrize(
    ("model", "photo", "scan", "why"),
    [
        ("gpt-3.5-turbo", PNG, PDF, "the model takes no image"),
        ("gemini-4", samples.picture(form="GIF"), PDF, "a picture of type image/gif is none of"),
        ("claude-haiku-4-5", samples.noise(1300, 1300), PDF, "is larger than 3,932,160"),
    ],
    ids=["model", "format", "size"],
)
def test_what_a_maker_would_turn_down_costs_nothing(
    tmp_path: Path, model: str, photo: bytes, scan: bytes, why: str
) -> None:
    models = Seeing()
    result = play(program(tmp_path, model=model), models, case=case(photo=photo, scans=[scan]))
    assert isinstance(result, Failed)
    assert models.requests == []
    assert result.cost == 0
    told = [(event.kind, event.data, event.content) for event in result.trace]
    assert why in str(told)


def test_a_provider_that_sends_none_is_not_asked(tmp_path: Path) -> None:
    models = Models()
    result = play(program(tmp_path), models, case=case())
    assert isinstance(result, Failed)
    assert models.requests == []
    assert "sends no image to a model" in str(result.trace)


def test_without_a_rule_the_context_is_reserved_and_without_it_nothing_is_asked(
    tmp_path: Path,
) -> None:
    models = Seeing(seen="a cat")
    text = SEE.replace("BUDGET", "budget $0.0999")  # 100k tokens at $1 a million are more
    assert isinstance(play(load(tmp_path, text), models, case=case()), Failed)
    text = SEE.replace("BUDGET", "budget $0.102")
    assert isinstance(play(load(tmp_path, text), models, case=case()), Answered)
    file = tmp_path / "main.pipe"
    file.write_text(file.read_text().replace("context 100k tokens", ""))
    result = play(pipelang.load(file), models, case=case())
    assert isinstance(result, Failed)
    assert result.code == "unpriced"


# ------------------------------------------------------------------------------ bad input


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"photo": b"no picture"}, r"input `case`: photo: expected a picture"),
        ({"photo": PDF}, "found a PDF"),
        ({"photo": "a.png"}, "found a text"),
        ({"photo": {"path": "/nowhere/a.png"}}, "cannot be read"),
        ({"photo": {"url": "https://example.org/a.png"}}, "the host does not allow it"),
        ({"scans": [samples.document(2, "secret")]}, r"scans\.0: the document is encrypted"),
        ({"scans": [PDF[:300]]}, "broken"),
        ({"scans": [samples.document(6)]}, "6 pages is longer than 5 pages"),
        ({"scans": [PDF, PDF, PDF]}, "scans"),
    ],
)
def test_bad_input_is_told_before_anything_runs(
    tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    models = Seeing()
    with pytest.raises(pipelang.InputError, match=why):
        play(program(tmp_path), models, case=case(**changes))
    assert models.requests == []


def test_a_host_says_which_files_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    loaded, given = program(tmp_path), case(photo={"path": str(tmp_path / "a.png")})
    everything = handle(loaded, Seeing(seen="a cat"))
    assert isinstance(everything.run_sync(case=given), Answered)
    everything.runtime.media_paths = False
    with pytest.raises(pipelang.InputError, match="the host does not allow it"):
        everything.run_sync(case=given)


# ----------------------------------------------------------------------- tools, people, flow


TOOLS = """
prompt see(page: document max 3 pages) \"\"\"{{ page }}\"\"\"
prompt check(photo: image) \"\"\"Is it a cat? {{ photo }}\"\"\"
tool scan(photo: image) -> document max 3 pages { effect read succeeds 100% timeout 9s }
tool cut(page: document max 3 pages, photos: [image] max 2) -> image? { effect read succeeds 100% }
pipeline main(photo: image) -> document {
  step page = call scan(photo) else fail "no"
  step cat = call cut(page, [photo]) else fail "no"
  step told: bool = ask check(photo) by boss else fail "nobody"
  gate any: cat? and told else fail "no cat"
  return page
}
"""


def test_python_tools_take_and_give_them(tmp_path: Path) -> None:
    seen: list[Any] = []

    def scan(photo: Media) -> bytes:
        seen.append(photo)
        return PDF

    def cut(page: Media, photos: list[Media]) -> Path:
        seen.append((page, photos))
        (tmp_path / "cut.png").write_bytes(PNG)
        return tmp_path / "cut.png"

    class Person:
        asked = ""

        async def answer(self, run_id: str, role: str, prompt: str, shape: Any) -> Any:
            self.asked = prompt
            return True

        async def decide(self, run_id: str, question: Any) -> Any:
            raise AssertionError

    person = Person()
    loaded = load(tmp_path, TOOLS)
    result = play(loaded, people=person, tools={"scan": scan, "cut": cut}, photo=PNG)
    assert isinstance(result, Answered), result
    assert result.value.data == PDF
    assert seen[0].data == PNG
    assert (seen[1][0].pages, seen[1][1][0].sides) == (3, (40, 30))
    assert person.asked.startswith("Is it a cat? [image: image/png, 40 x 30 pixels")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"path": "/etc/passwd"}, "only read where a host gives it"),
        (samples.document(4), "4 pages is longer than 3 pages"),
        (PNG, "found a PNG"),
    ],
)
def test_what_a_tool_gives_is_looked_at(tmp_path: Path, given: Any, why: str) -> None:
    tools: dict[str, Callable[..., Any]] = {"scan": lambda photo: given, "cut": lambda **_: None}
    result = play(load(tmp_path, TOOLS), tools=tools, photo=PNG)
    assert isinstance(result, Failed)
    assert why in str(result.trace)


# --------------------------------------------------------------------------- what is written down


def test_no_trace_log_or_repr_carries_the_bytes(tmp_path: Path) -> None:
    marked = samples.noise(30, 30)
    traces = TraceFiles(tmp_path / "traces", content=True)
    audit = AuditLog(tmp_path / "audit.jsonl")
    updates: list[Any] = []

    async def main() -> Any:
        ready = handle(program(tmp_path), Seeing(seen="a cat"), sinks=(traces, audit))
        async for update in ready.stream(case=case(photo=marked)):
            updates.append(update)
        return updates[-1].result

    result = asyncio.run(main())
    assert isinstance(result, Answered)
    files = [path for path in tmp_path.rglob("*") if path.suffix == ".jsonl"]
    assert len(files) >= 2
    written = b"".join(path.read_bytes() for path in files)
    digest = pipelang.Media("image", "image/png", marked).sha256.encode()
    assert digest in written, "what was seen can be told by its hash"
    shown = (repr(result) + repr(result.trace) + repr(updates)).encode()
    for held in (written, shown):
        assert marked[100:140] not in held
        assert base64.b64encode(marked)[100:140] not in held
        assert repr(marked[100:140])[2:-1].encode() not in held


def test_a_secret_picture_is_hidden(tmp_path: Path) -> None:
    text = """
    prompt look(photo: secret image) \"\"\"{{ photo }}\"\"\"
    tool blur(photo: secret image) -> image { effect read succeeds 100% timeout 9s }
    pipeline main(photo: secret image) -> text {
      step blurred = call blur(photo) else fail "no"
      return "image/png is done"
    }
    """
    tools = {"blur": lambda photo: samples.picture(5, 5)}
    result = play(load(tmp_path, text), tools=tools, photo=PNG)
    assert isinstance(result, Answered)
    assert result.value == "image/png is done", "a type of files is no secret"
    digest = pipelang.Media("image", "image/png", PNG).sha256
    told = str([event.content for event in result.trace])
    assert digest not in told
    assert "[secret]" in told


def test_a_simulated_model_bills_them(tmp_path: Path) -> None:
    text = HEAD.replace("kind fake", "kind simulated").replace('model "s"', 'model "claude-3"')
    (tmp_path / "a.pipe").write_text(text + SEE.replace("BUDGET", "budget $9"))
    loaded = pipelang.load(tmp_path / "a.pipe")
    result = loaded.pipeline("main").run_sync(case=case())
    assert result.cost >= Decimal("0.0154")


TESTED = """
test "a photo and a scan" {
  given  main(case: {note: "n", photo: {path: "a.png"}, scans: [{path: "b.pdf"}]})
  mock   seen = "a cat"
  expect answered "a cat"
}
test "a scan that is none" {
  given  main(case: {note: "n", photo: {path: "a.png"}, scans: [{path: "a.png"}]})
  mock   seen = "a cat"
  expect answered "a cat"
}
"""


def test_tests_name_files_beside_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipelang.runtime.host.pipeline_tests import run_test

    (tmp_path / "a.png").write_bytes(PNG)
    (tmp_path / "b.pdf").write_bytes(PDF)
    loaded = load(tmp_path, SEE.replace("BUDGET", "budget $9") + TESTED)
    monkeypatch.chdir("/")
    first, second = (asyncio.run(run_test(loaded, test)) for test in loaded.program.tests)
    assert first.misses == ()
    assert "expected a document (PDF), found a PNG" in second.misses[0].message
