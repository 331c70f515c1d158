"""A stage for the interpreter: programs from inline text, models that say what they are told to."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pipelang
from pipelang.diagnostics import RULES
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.outcomes import Result
from pipelang.runtime.engine.world import Decision, Question
from pipelang.runtime.host.handle import Handle, LoadedProgram, Runtime
from pipelang.runtime.providers.protocol import ModelAnswer, ModelRequest, Usage

HEAD = """
provider lab { kind fake available 100% }
tier small {
  provider lab model "s" price $1 in, $5 out latency 1s median transient 0% context 100k tokens
}
tier big {
  provider lab model "b" price $2 in, $10 out latency 1s median transient 0% context 100k tokens
}
role boss { people 1 handles 1m responds 1m median, 2m p95 accuracy 99% }
type Answer { value: text max 100 tokens  confidence: probability }
prompt say(x: text) \"\"\"Say {{ x }}.{% if feedback %} Mind: {{ feedback }}{% endif %}\"\"\"
prompt join(a: text, b: text) \"\"\"{{ a }}+{{ b }}\"\"\"
"""

OUT = "{ output 100 tokens max }"
"""Options of an ask that bound what it may cost."""


class Models:
    """A provider that answers by the name of the step.

    A script is a value, a ModelAnswer, an exception (raised), or a function of the request that
    gives one of these, possibly async; a list of them goes by the attempts of the step, its last
    one repeated. A step without a script gets its own name.
    """

    name = "lab"

    def __init__(self, counted: int | None = None, **scripts: Any) -> None:
        self.scripts = scripts
        self.counted = counted
        self.requests: list[ModelRequest] = []
        self.log: list[str] = []

    def asked(self, step: str) -> list[ModelRequest]:
        """The requests of a step so far."""
        return [request for request in self.requests if request.step == step]

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        self.requests.append(request)
        self.log.append(f"+{request.step}")
        try:
            script = self.scripts.get(request.step, request.step)
            if isinstance(script, list):
                script = script[min(len(self.asked(request.step)), len(script)) - 1]
            if callable(script):
                script = script(request)
            if inspect.isawaitable(script):
                script = await script
            if isinstance(script, BaseException):
                raise script
            if isinstance(script, ModelAnswer):
                return script
            return ModelAnswer(script, Usage(10, 5), request.model)
        finally:
            self.log.append(f"-{request.step}")

    async def count_tokens(self, request: ModelRequest) -> int | None:
        return self.counted

    async def close(self) -> None:
        return None


class Humans:
    """People who decide by the name of the approval or hold; unnamed ones never answer."""

    def __init__(self, **answers: Any) -> None:
        self.answers = answers
        self.questions: list[Question] = []

    async def decide(self, run_id: str, question: Question) -> Decision | None:
        self.questions.append(question)
        return await self._said(question.person.name)

    async def answer(self, run_id: str, role: str, prompt: str, shape: dict[str, Any]) -> Any:
        return await self._said(role)

    async def _said(self, name: str) -> Any:
        if name not in self.answers:
            await asyncio.Event().wait()
        said = self.answers[name]
        if callable(said):
            said = said()
        if inspect.isawaitable(said):
            said = await said
        if isinstance(said, BaseException):
            raise said
        return said


YES = Decision(True, by="ada")
NO = Decision(False, by="ada", reason="wrong")


def load(folder: Path, text: str, name: str = "main.pipe", **kwargs: Any) -> LoadedProgram:
    """A program of this text, below the common head."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(HEAD + text, encoding="utf-8")
    # What the interpreter does is tested also where `load` would refuse the program.
    return pipelang.load(file, **{"allow": RULES, **kwargs})


def handle(
    loaded: LoadedProgram,
    models: Any = None,
    people: Any = None,
    tools: Mapping[str, Callable[..., Any]] | None = None,
    pipeline: str = "main",
    sinks: Any = (),
) -> Handle:
    """A handle on a pipeline with these models and people."""
    runtime = Runtime(providers={"lab": models or Models()}, people=people or Humans(), sinks=sinks)
    return loaded.pipeline(pipeline, tools=tools, runtime=runtime)


def play(
    loaded: LoadedProgram,
    models: Any = None,
    people: Any = None,
    tools: Mapping[str, Callable[..., Any]] | None = None,
    pipeline: str = "main",
    patience: float = 60.0,
    **inputs: Any,
) -> Result:
    """One run; fails if it takes too long or leaves a task behind."""

    async def main() -> Result:
        ready = handle(loaded, models, people, tools, pipeline)
        result = await asyncio.wait_for(ready.run(**inputs), patience)
        assert left_over() == []
        return result

    return asyncio.run(main())


def left_over() -> list[asyncio.Task[Any]]:
    """Tasks that run beside the current one."""
    return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]


def events(result: Result, kind: str, name: str | None = None) -> list[Event]:
    """The events of a kind, in order."""
    return [e for e in result.trace if e.kind == kind and name in (None, e.name)]
