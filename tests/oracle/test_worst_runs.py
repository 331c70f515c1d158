"""The real interpreter against a model that is as dear as it may be: no run passes the worst one.

`Adversary` stands for a provider that uses up whatever it may: it bills all input as writes to a
cache, answers as long as the limit lets it, answers in a way that does not fit, says when to come
back, or lets the attempt time out. A greedy one always does the dearest of these, and attains the
worst run where that can be attained; others choose at random and never pass it.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import pipelang
from pipelang.diagnostics import RULES
from pipelang.runtime.engine.world import ToolCall
from pipelang.runtime.host.runtime import Runtime
from pipelang.runtime.providers.pricing import conversation_tokens
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.semantics.jsonschema import json_schema
from pipelang.semantics.kernels.prices import MISFIT_TOKENS
from pipelang.semantics.quantities import count_tokens
from pipelang.semantics.walk import all_steps, inner_links
from tests.unit.runtime.virtual_time import virtual

from .subject import analyse

LONGEST = 10
"""Tokens of the inputs and of a text that a step makes."""

HEAD = """
provider lab { kind fake available 100% }
provider cash { kind fake available 100% }
tier a { provider lab model "a" price $1 in, $5 out, $1.25 cache_write, $0.1 cache_read
  latency 1s median transient 0% context 100k tokens }
tier b { provider lab model "b" price $2 in, $10 out
  latency 1s median transient 0% context 100k tokens }
enum Kind { order question other }
type Answer { value: text max 10 tokens  sure: bool }
prompt say(x: text max 10 tokens) \"\"\"
Say {{ x }}.{% if feedback %} Mind: {{ feedback }}{% endif %}\"\"\"
prompt cold(x: text max 10 tokens) { system \"\"\"c\"\"\" user \"\"\"{{ x }}\"\"\" }
tool look(x: text max 10 tokens) -> text max 10 tokens {
  effect read succeeds 90% cost $0.01 timeout 3s retry 1
}
"""

OPTIONS = "accuracy 90% timeout 8s"


@dataclass(frozen=True)
class Body:
    """The steps of a pipeline over `x`, `v`, `n` and `k`; what a model does in the attempts of each
    step of the dearest run, again and again; the values of `v` and `n` in it.
    """

    text: str
    script: str = "long"
    v: bool = True
    n: int = 5


ATTAINED = {
    "one ask": Body("step s: text max 10 tokens = ask say(x) by a { % }"),
    "a system prompt": Body("step s: text max 10 tokens = ask cold(x) by a { % }"),
    "retries": Body(
        "step s: text max 10 tokens = ask say(x) by a { % retry 2 }", "misfit misfit long"
    ),
    "waits": Body(
        "step s: text max 10 tokens = ask say(x) by a { % retry 3 backoff 1s..60s }",
        "misfit misfit misfit long",
    ),
    "a fallback": Body(
        "step s: text max 10 tokens = ask say(x) by a { % retry 1 }"
        " else ask say(x) by b { % retry 1 }",
        "misfit misfit misfit long",
    ),
    "one after the other": Body(
        "step r: text max 10 tokens = ask say(x) by a { % }\n"
        "step s: text max 10 tokens = ask say(r) by b { % }"
    ),
    "side by side": Body(
        "step r: text max 10 tokens = ask say(x) by a { % }\n"
        "step s: text max 10 tokens = ask say(x) by b { % }"
    ),
    "a record": Body(
        "step s: Answer = ask say(x) by a { % output 30 tokens max retry 1 }", "misfit long"
    ),
    "exclusive branches": Body(
        "when v { step r: text max 10 tokens = ask say(x) by a { % } }\n"
        "when not v { step s: text max 10 tokens = ask say(x) by b { % } }",
        v=False,
    ),
    "intervals": Body(
        "when n <= 3 { step r: text max 10 tokens = ask say(x) by a { % } }\n"
        "when n > 3 and n <= 9 { step s: text max 10 tokens = ask say(x) by b { % } }\n"
        "when n > 9 { step t: text max 10 tokens = ask say(x) by a { % } }"
    ),
    "a cascade": Body(
        "step s: text max 10 tokens = ask say(x) by cascade(a, b) until len(it) < 0 "
        "{ accuracy a 80%, b 90% correlation 0% catches 90% false_alarms 1% timeout 8s retry 1 }",
        "misfit long",
    ),
}
"""Of these a greedy model attains the worst cost and the longest run."""

LOOSE = {
    "a redo": Body(
        "step s: text max 10 tokens = ask say(x) by a { % retry 1 }\n"
        "gate g: len(s) < 0 { catches 90% false_alarms 1% } else redo s up to 2 else reject",
        "misfit long",
    ),
    "a vote": Body("step s: bool = ask say(x) by a { % correlation 0% retry 1 vote 3 }"),
    "a lead": Body("step s: bool = ask say(x) by a { % correlation 0% vote lead 2 of 5 }"),
    "a list": Body(
        "step s: [text max 10 tokens] max 3 = each y in [x, x, x] { ask say(y) by a { % retry 1 } }"
    ),
    "kinds": Body(
        "when k == order { step r: text max 10 tokens = ask say(x) by a { % } }\n"
        "match k { question { step s: text max 10 tokens = ask say(x) by b { % } }"
        " else { step t: text max 10 tokens = ask say(x) by a { % } } }"
    ),
    "a route": Body(
        "step s: text max 10 tokens = ask say(x) by (if v then a else b) { accuracy a 80%, b 90%"
        " timeout 8s retry 2 }"
    ),
    "an agent": Body(
        "step s: text max 10 tokens = agent say(x) by a with look"
        " { steps 3 turns 2 % retry 1 output 99 tokens max }"
    ),
}
"""The same, where a bound need not be attained."""


def program(body: Body) -> str:
    steps = body.text.replace(" % ", f" {OPTIONS} ")
    return (
        f"{HEAD}\npipeline main(x: text max 10 tokens, v: bool, n: int, k: Kind)"
        f" -> bool {{\n{steps}\nreturn v\n}}\n"
    )


@dataclass
class Adversary:
    """A provider that uses up what it may. `chance` makes it choose at random; else it goes by the
    script, and a `slow` one asks for waits where a script says that an answer does not fit.
    """

    schemas: dict[str, int]
    script: tuple[str, ...] = ()
    slow: bool = False
    chance: random.Random | None = None
    name: str = "lab"
    asked: Counter[str] = field(default_factory=Counter)

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        used, how = self._usage(request), self._how(request)
        if how == "late":
            await asyncio.sleep(3600)
        if self.slow:
            await asyncio.sleep((request.timeout or 0) * 0.9999)
        if how == "limited":
            raise ModelFault("rate_limited", "later", retry_after=request.timeout, usage=used)
        if how == "misfit":
            raise ModelFault("misfit", "m" * 600, usage=used)
        if how == "calls":
            calls = tuple(ToolCall(f"call_{i}", "look", {"x": "x" * (i + 1)}) for i in range(8))
            return ModelAnswer(None, used, request.model, calls=calls, said="")
        return ModelAnswer(self._value(request), used, request.model)

    def _how(self, request: ModelRequest) -> str:
        number = self.asked[request.step]
        self.asked[request.step] += 1
        if self.chance is not None:
            ways = ["misfit", "misfit", "long", "long", "late", "limited"]
            return self.chance.choice([*ways, "calls", "calls"] if request.tools else ways)
        how = self.script[number % len(self.script)]
        return "limited" if self.slow and how == "misfit" else how

    def _usage(self, request: ModelRequest) -> Usage:
        size = count_tokens(request.user) + count_tokens(request.system or "")
        if request.answer is not None:
            size += self.schemas[request.step]
        if request.misfit is not None:
            size += MISFIT_TOKENS
        size += conversation_tokens(request.tools, request.turns)
        output = request.max_output_tokens or 0
        if self.chance is not None and self.chance.random() < 0.3:
            return Usage(0, output, 0, size)
        return Usage(0, output, size, 0)

    def _value(self, request: ModelRequest) -> Any:
        if request.answer is None:
            return "x" * 3 * LONGEST
        if "value" in request.answer.model_fields:
            return {"value": "x" * 3 * LONGEST, "sure": True}
        return {"answer": self.chance is None or self.chance.random() < 0.5}

    async def count_tokens(self, request: ModelRequest) -> int | None:
        return None

    async def close(self) -> None:
        return None


def worst_and(folder: Path, body: Body) -> tuple[dict[str, float], Any, dict[str, int]]:
    """The worst figures of a program, the program, and the tokens of its steps' schemas."""
    path = folder / "main.pipe"
    path.write_text(program(body), encoding="utf-8")
    report = analyse(path)["main"]
    worst = {name: report[name]["worst"]["value"] for name in ("cost", "tokens", "latency")}
    loaded = pipelang.load(path, allow=RULES)
    schemas = {}
    for step in all_steps(loaded.program.pipelines["main"]):
        for link in inner_links(step.chain):
            answers = getattr(link.action, "answers", None)
            if answers is not None:
                text = json.dumps(json_schema(answers), separators=(",", ":"))
                schemas[step.name] = count_tokens(text)
    return worst, loaded, schemas


def look(x: str) -> str:
    """A tool that now and then fails with many words."""
    if len(x) % 3:
        raise ValueError("no " * 1000)
    return "y" * 3 * LONGEST


def run(loaded: Any, model: Adversary, v: bool, n: int, k: str) -> dict[str, float]:
    """What one run takes, by a clock that only waits move."""

    async def main() -> Any:
        runtime = Runtime(providers={"lab": model})
        tools = {"look": look}
        handle = loaded.pipeline("main", tools=tools, runtime=runtime)
        return await handle.run(x="x" * 3 * LONGEST, v=v, n=n, k=k)

    with virtual():
        result = asyncio.run(main())
    return {
        "cost": float(result.cost),
        "tokens": float(result.tokens),
        "latency": float(result.duration),
    }


@pytest.mark.parametrize("name", ATTAINED)
def test_a_greedy_model_attains_the_worst_run(name: str, tmp_path: Path) -> None:
    body = ATTAINED[name]
    worst, loaded, schemas = worst_and(tmp_path, body)
    script = tuple(body.script.split())
    dear = run(loaded, Adversary(schemas, script), body.v, body.n, "order")
    assert dear["cost"] == pytest.approx(worst["cost"], rel=1e-12)
    assert dear["tokens"] == worst["tokens"]
    slow = run(loaded, Adversary(schemas, script, slow=True), body.v, body.n, "order")
    assert worst["latency"] * 0.999 <= slow["latency"] <= worst["latency"]


@pytest.mark.parametrize("name", [*ATTAINED, *LOOSE])
def test_no_run_passes_the_worst_one(name: str, tmp_path: Path) -> None:
    body = {**ATTAINED, **LOOSE}[name]
    worst, loaded, schemas = worst_and(tmp_path, body)
    for seed in range(40):
        chance = random.Random(seed)
        model = Adversary(schemas, chance=chance, slow=chance.random() < 0.5)
        n, k = chance.choice([1, 5, 12]), chance.choice(["order", "question", "other"])
        found = run(loaded, model, chance.random() < 0.5, n, k)
        for metric, most in worst.items():
            assert found[metric] <= most * (1 + 1e-9), (metric, seed)
