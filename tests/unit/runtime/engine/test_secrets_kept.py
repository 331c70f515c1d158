"""Secrets planted wherever somebody else's text comes in are found in nothing that goes out."""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from pipelang.interfaces.report.runs.outcome import outcome_json, outcome_text
from pipelang.interfaces.report.runs.trace import trace_lines
from pipelang.interfaces.report.runs.tree import tree_lines, tree_of
from pipelang.interfaces.runs.trace_files import read
from pipelang.interfaces.text.colours import painter
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.outcomes import Answered, Escalated, Failed
from pipelang.runtime.engine.secrets import notations, redact, redacted
from pipelang.runtime.engine.values import to_json
from pipelang.runtime.engine.world import ToolCall
from pipelang.runtime.host.handle import Runtime
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, Usage
from pipelang.runtime.sinks.audit import AuditLog
from pipelang.runtime.sinks.otel import OpenTelemetry
from pipelang.runtime.sinks.traces import TraceFiles

from ..stage import Humans, Models, load

KEY = 'sk-"quoted"\\back-ñ/+end-0123456789'
FILED = "filed-key-zyxwvutsrqponmlk"
PASSWORD = 'it\'s "my" pass\\word+ñ/4711-and-more'
PIN = 83620417

PROGRAM = """
provider vault { kind fake key "env:TEST_VAULT_KEY" available 100% }
provider other { kind fake key "file:KEYFILE" available 100% }
tier kept { provider vault model "k" price $1 in, $5 out latency 1s median transient 0%
  context 10k tokens }
tier filed { provider other model "f" price $1 in, $5 out latency 1s median transient 0%
  context 10k tokens }
fn odd(x: text) -> text python "pure:odd"
type Account { name: text  password: secret text  pin: secret int }
tool look(x: text) -> text { effect read latency 1ms median succeeds 99% }
tool log_in(account: Account, password: secret text) -> text max 3 tokens {
  effect write latency 1ms median succeeds 99% }
pipeline inner(password: secret text) -> text {
  step deep = call log_in({name: "n", password: password, pin: 1}, password)
  return deep
}
pipeline main(x: text, account: Account) -> text {
  step a: text = ask say(x) by kept else "none"
  step b = call look(x) else "none"
  step c = call log_in(account, account.password) else "none"
  step d: text = ask say(x) by boss else "none"
  step e = run inner(account.password) else "none"
  step f: text = ask say(x) by filed else "none"
  step g = each one in [x, x] { call log_in(account, account.password) } else []
  approve ok by boss else escalate to boss
  return a
}
pipeline ends(x: text, account: Account) -> text {
  step a = call log_in(account, account.password)
  return a
}
pipeline pure_(x: text, account: Account) -> text {
  let y = odd(x)
  return y
}
"""

WAYS: dict[str, Callable[[str], str]] = {
    "plain": lambda s: s,
    "json": json.dumps,
    "json as it is": lambda s: json.dumps(s, ensure_ascii=False),
    "json in json": lambda s: json.dumps({"body": json.dumps({"key": s})}),
    "repr": repr,
    "repr of bytes": lambda s: repr(s.encode()),
    "url": lambda s: "https://x/?k=" + urllib.parse.quote(s, safe=""),
    "form": urllib.parse.quote_plus,
    "hex": lambda s: s.encode().hex(),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "basic": lambda s: base64.b64encode(f"me:{s}".encode()).decode(),
    "basic, one on": lambda s: base64.b64encode(f"you:{s}:x".encode()).decode(),
    "base64 of urls": lambda s: base64.urlsafe_b64encode(s.encode()).decode(),
    "cut": lambda s: "x" * (400 - len("ValueError: ") - 3 - len(s) // 2) + s + "y" * 50,
}


def secrets() -> list[str]:
    return [KEY, FILED, PASSWORD, str(PIN)]


def left(text: str) -> list[str]:
    """The secrets that stand in a text in some notation, or in part."""
    found = [written for written in notations(secrets()) if written in text]
    # Half of a secret, as a message that was cut has it.
    return found + [s[:12] for s in secrets() if s[:12] in text]


class Everything:
    """All that goes out of runs."""

    def __init__(self, folder: Path, references: tuple[str, ...]) -> None:
        self.folder = folder
        self.exporter, self.reader = InMemorySpanExporter(), InMemoryMetricReader()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        meters = MeterProvider([self.reader])
        self.sinks = (
            TraceFiles(folder / "traces", content=True, references=references),
            AuditLog(folder / "audit.jsonl", references),
            OpenTelemetry(provider, meters, references=references),
        )
        self.said: list[str] = []

    def add(self, result: Any, updates: list[Any]) -> None:
        paint = painter(False)
        self.said += [repr(result), str(updates), json.dumps(outcome_json(result), default=str)]
        self.said += [json.dumps(outcome_json(result), ensure_ascii=False, default=str)]
        self.said += [outcome_text(result, paint), *trace_lines(result.trace, paint, True, 10_000)]
        self.said += [json.dumps([to_json(e.content), e.data]) for e in result.trace]

    def text(self) -> str:
        for path in sorted((self.folder / "traces").iterdir()):
            self.said.append(path.read_text(encoding="utf-8"))
            tree = tree_of(read(path).events)
            self.said += tree_lines(tree, painter(False), True, 10_000)
            self.said.append(json.dumps(tree.as_json()))
        self.said.append((self.folder / "audit.jsonl").read_text(encoding="utf-8"))
        self.said += [span.to_json() for span in self.exporter.get_finished_spans()]
        data = self.reader.get_metrics_data()
        self.said.append("" if data is None else data.to_json())
        return "\n".join(self.said)


@pytest.mark.parametrize("way", WAYS)
def test_planted_secrets_come_out_nowhere(
    way: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEST_VAULT_KEY", KEY)
    keyfile = tmp_path / "key.txt"
    keyfile.write_text(FILED + "\n", encoding="utf-8")
    written = [WAYS[way](secret) for secret in secrets()]
    # Each in a message of its own, so that cutting cuts every one.
    turn = iter(range(10**6))

    def words() -> str:
        return written[next(turn) % len(written)]

    code = f"ALL = {written!r}\nN = [0]\ndef odd(x):\n    N[0] += 1\n"
    (tmp_path / "pure.py").write_text(
        code + "    raise ValueError(ALL[N[0] % len(ALL)])\n", encoding="utf-8"
    )
    loaded = load(tmp_path, PROGRAM.replace("KEYFILE", str(keyfile)))

    def look(x: str) -> str:
        raise ValueError(words())

    def log_in(account: Any, password: str) -> Any:
        if next(turn) % 2:
            return words() * 3  # too long for its type
        error = ValueError(words())
        error.add_note(words())
        raise error from RuntimeError(words())

    class Broken(Exception):
        def __str__(self) -> str:
            return words()

    faults: list[Callable[[], Any]] = [
        lambda: ModelFault("rejected", words()),
        lambda: ModelFault("misfit", words(), Usage(1, 1)),
        lambda: RuntimeError(words()),
        lambda: Broken(),
        lambda: ModelAnswer(7, Usage(1, 1), words(), words()),
        lambda: ModelAnswer("fine", Usage(1, 1), "m", words()),
    ]

    async def main() -> str:
        # The sinks are told of the keys; of what is labelled only the run knows.
        ready = loaded.pipeline("main", tools={"look": look, "log_in": log_in})
        out = Everything(tmp_path / "out", ready.references)
        for fault in faults:
            people = Humans(boss=lambda: ValueError(words()), ok=lambda: ValueError(words()))
            models = Models(a=lambda _, f=fault: f(), f=lambda _, f=fault: f())
            providers = dict.fromkeys(("vault", "other", "lab"), models)
            runtime = Runtime(providers=providers, people=people, sinks=out.sinks)
            for name, kind in (("main", Escalated), ("ends", Failed), ("pure_", Failed)):
                ready = loaded.pipeline(
                    name, tools={"look": look, "log_in": log_in}, runtime=runtime
                )
                account = {"name": "n", "password": PASSWORD, "pin": PIN}
                updates = [u async for u in ready.stream(x="hi", account=account)]
                result = updates[-1].result
                assert isinstance(result, kind), result
                out.add(result, updates)
        return out.text()

    text = asyncio.run(main())
    assert left(text) == []
    assert "[key]" in text


@pytest.mark.parametrize("label", ["secret text", "secret text?"])
def test_a_secret_in_an_exception_of_a_tool_is_told_to_no_model(tmp_path: Path, label: str) -> None:
    """An agent is told why a tool failed; what is labelled never leaves the process."""
    loaded = load(
        tmp_path,
        f"""
        tool log_in(x: text) -> text {{ effect read latency 1ms median succeeds 99% }}
        pipeline main(x: text, password: {label}) -> text {{
          step a: text = agent say(x) by small with log_in {{ steps 3 output 90 tokens max }}
            else "none"
          return a
        }}
        """,
    )
    asked: list[Any] = []

    def work(request: Any) -> Any:
        asked.append(request.turns)
        if len(asked) == 1:
            call = ToolCall("1", "log_in", {"x": "y"})
            return ModelAnswer(None, Usage(1, 1), "m", calls=(call,))
        return "done"

    def log_in(x: str) -> str:
        raise ValueError(f"refused {PASSWORD!r}")

    runtime = Runtime(providers={"lab": Models(a=work)})
    ready = loaded.pipeline("main", tools={"log_in": log_in}, runtime=runtime)
    result = asyncio.run(ready.run(x="hi", password=PASSWORD))
    assert isinstance(result, Answered), result
    assert "refused" in str(asked)
    assert left(str(asked)) == []


@given(st.text(min_size=8), st.sampled_from(sorted(set(WAYS) - {"cut"})), st.text(), st.text())
@example("pass'word\"x", "repr", "", "")
def test_a_secret_is_taken_out_in_every_notation(
    secret: str, way: str, before: str, after: str
) -> None:
    try:
        written = WAYS[way](secret)
    except UnicodeEncodeError:
        return
    said = redacted(before + written + after, notations([secret]))
    assert "[key]" in said
    assert secret in before + after or secret not in said


def test_what_is_too_short_to_be_a_secret_is_left_alone() -> None:
    assert redact("a b c", (), ["b"]) == "a b c"
    assert redact("nothing", ("env:NOT_SET_ANYWHERE",)) == "nothing"


@given(
    st.text(min_size=12, max_size=40).filter(lambda secret: "." not in secret), st.integers(4, 40)
)
def test_the_beginning_of_a_secret_at_a_cut_is_taken_out(secret: str, size: int) -> None:
    size = min(size, len(secret) - 1)
    for end in ("", "…", "..."):
        said = redacted(f"it said {secret[:size]}{end}", notations([secret]))
        assert said in (f"it said [key]{end}", "it said [key]")


def test_a_run_that_nobody_listens_to_keeps_them_too(tmp_path: Path) -> None:
    loaded = load(
        tmp_path,
        """
        tool log_in(password: secret text) -> text { effect read latency 1ms median succeeds 99% }
        pipeline main(password: secret text) -> text {
          step a = call log_in(password)
          gate good: a == "" else fail "no_entry"
          return a
        }
        """,
    )

    def log_in(password: str) -> str:
        return f"token of {password}"

    ready = loaded.pipeline("main", tools={"log_in": log_in})
    run = ready.start({"password": PASSWORD})
    run.quiet = True
    result = asyncio.run(run_pipeline(run))
    assert isinstance(result, Failed), result
    assert result.partial["values"] == {"a": "token of [key]"}
    assert left(repr(result)) == []


def test_a_secret_argument_that_no_value_of_the_run_has_is_taken_out(tmp_path: Path) -> None:
    """A call lets go of its arguments once the tool has them, but not of these."""
    loaded = load(
        tmp_path,
        f"""
        type Way {{ to: text  key: secret text }}
        tool log_in(x: text, way: Way) -> text {{ effect read latency 1ms median succeeds 99% }}
        pipeline main(x: text) -> text {{
          step a = call log_in(x, {{ to: x, key: {json.dumps(PASSWORD, ensure_ascii=False)} }})
          return a
        }}
        """,
    )

    def log_in(x: str, way: Any) -> str:
        raise ValueError(f"{x} was refused with {way.key}")

    ready = loaded.pipeline("main", tools={"log_in": log_in})
    result = asyncio.run(ready.run(x="the door"))
    assert isinstance(result, Failed), result
    (failed,) = [event for event in result.trace if event.kind == "failed"]
    assert "the door was refused with" in failed.content
    assert left(failed.content) == []
