"""Embedding: a `Runtime` that holds what the host plugs in, handles on pipelines, runs and streams.

A loaded program is immutable: any number of runs share it. A `Runtime` holds no state of a run.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial
from typing import Any

from pipelang.runtime.budget import Budget
from pipelang.runtime.events import Event, Sink
from pipelang.runtime.expressions import Expressions, NoValue
from pipelang.runtime.host import DEFAULT_KEY
from pipelang.runtime.host import NotRunnable as NotRunnable
from pipelang.runtime.host import Runtime as Runtime
from pipelang.runtime.interpreter import run_pipeline
from pipelang.runtime.outcomes import Result
from pipelang.runtime.patterns import Patterns
from pipelang.runtime.progress import Progress, Update
from pipelang.runtime.providers.protocol import ModelProvider
from pipelang.runtime.real import RealWorld
from pipelang.runtime.run import Run
from pipelang.runtime.secrets import redact
from pipelang.runtime.tools import Toolbox, describe
from pipelang.runtime.values import Misfit, Types
from pipelang.runtime.world import World
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import tools_behind
from pipelang.semantics.types import OptionalType


class InputError(ValueError):
    """An input that does not fit. Raised before anything runs; the message says where and why."""


class LoadedProgram:
    """A checked program, ready to run. Immutable and safe to share."""

    def __init__(self, program: p.Program) -> None:
        self.program = program
        self.patterns = Patterns(program.patterns)
        self.types = Types(self.patterns)

    @property
    def hash(self) -> str:
        """The content hash of the program."""
        return self.program.hash

    @property
    def pipelines(self) -> tuple[str, ...]:
        """The names of the pipelines."""
        return tuple(self.program.pipelines)

    def pipeline(
        self,
        name: str,
        *,
        tools: Mapping[str, Callable[..., Any]] | None = None,
        runtime: Runtime | None = None,
    ) -> Handle:
        """A handle on a pipeline.

        Raises KeyError (with the nearest name) if there is none, or if a tool that is handed in is
        none of the program's; `NotRunnable` if it uses what this version does not run, and
        `ToolMissing` if the function of a tool is not found.
        """
        if name not in self.program.pipelines:
            raise KeyError(_unknown("pipeline", name, self.program.pipelines))
        for given in tools or {}:
            if given not in self.program.tools and given not in self.program.functions:
                raise KeyError(_unknown("tool", given, self.program.tools))
        return Handle(self, self.program.pipelines[name], runtime or Runtime(), tools or {})


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, list(known), n=1)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    return f"there is no {what} `{name}`{hint}"


class Handle:
    """A pipeline that can be run."""

    def __init__(
        self,
        loaded: LoadedProgram,
        pipeline: p.Pipeline,
        runtime: Runtime,
        tools: Mapping[str, Callable[..., Any]],
    ) -> None:
        self.loaded = loaded
        self.pipeline = pipeline
        self.runtime = runtime
        program = loaded.program
        self._tools = Toolbox(program, {**runtime.tools, **tools})
        self._secrets = tuple(
            provider.key or DEFAULT_KEY for provider in program.providers.values()
        )
        for tool in dict.fromkeys(tools_behind(program, pipeline)):
            self._tools.function(program.tools[tool])
        functions: dict[str, Callable[..., Any]] = {}
        self._expressions = Expressions(loaded.types, loaded.patterns.matches, functions)
        for function in program.functions.values():
            functions[function.name] = self._function(function)

    def _function(self, function: p.Function) -> Callable[..., Any]:
        names = [parameter.name for parameter in function.parameters]
        if function.body is None:
            return partial(self._python, function, self._tools.pure(function))
        body, expressions = function.body, self._expressions
        return lambda *values: expressions.evaluate(body, dict(zip(names, values, strict=True)))

    def _python(self, function: p.Function, found: Callable[..., Any], *values: Any) -> Any:
        """A `fn` in Python: whatever it raises, and whatever does not fit, is no value."""
        try:
            return self.loaded.types.check(function.returns, found(*copy.deepcopy(values)))
        except (Exception, SystemExit) as error:
            why = str(error) if isinstance(error, Misfit) else describe(error)
            why = redact(why, self._secrets)
            raise NoValue(f"`{function.name}` gave no value: {why}") from error

    @property
    def references(self) -> tuple[str, ...]:
        """References to the secrets that its runs may know, for sinks that keep them out."""
        return self._secrets

    def inputs(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The inputs as values of their types. Raises `InputError`."""
        values: dict[str, Any] = {}
        names = [parameter.name for parameter in self.pipeline.parameters]
        for name in given:
            if name not in names:
                listed = ", ".join(f"`{n}`" for n in names) or "none"
                raise InputError(
                    f"`{self.pipeline.name}` has no input `{name}`; its inputs: {listed}"
                )
        for parameter in self.pipeline.parameters:
            if parameter.name in given:
                value = given[parameter.name]
            elif parameter.has_default:
                value = parameter.default
            elif isinstance(parameter.type, OptionalType):
                value = None
            else:
                raise InputError(f"`{self.pipeline.name}` needs the input `{parameter.name}`")
            try:
                values[parameter.name] = self.loaded.types.check(parameter.type, value)
            except Misfit as misfit:
                raise InputError(f"input `{parameter.name}`: {misfit}") from None
        return values

    def start(
        self,
        given: Mapping[str, Any],
        *,
        sinks: Iterable[Sink] = (),
        permits: Iterable[str] | None = None,
        tenant: str | None = None,
        run_id: str | None = None,
        world: World | None = None,
    ) -> Run:
        """A run that has its inputs and has not begun. Raises `InputError`."""
        values = self.inputs(given)
        program = self.loaded.program
        if world is None:
            world = RealWorld(
                self.loaded.types,
                _Lazily(self.runtime, program),
                self._tools,
                self.runtime.people,
                self.runtime.chance,
                self.runtime.memories,
                self.runtime.cache,
                self._secrets,
            )
        return Run(
            id=run_id or uuid.uuid4().hex[:12],
            program=program,
            pipeline=self.pipeline,
            world=world,
            expressions=self._expressions,
            budget=Budget(self.pipeline.budget),
            values=values,
            sinks=(*self.runtime.sinks, *sinks),
            granted=None if permits is None else frozenset(permits),
            tenant=tenant,
            references=self._secrets,
        )

    async def run(self, /, **inputs: Any) -> Result:
        """Run to the end. Raises `InputError` before anything runs; nothing else is raised."""
        return await run_pipeline(self.start(inputs))

    def run_sync(self, /, **inputs: Any) -> Result:
        """`run` for scripts. Inside a running event loop it raises: there, await `run`."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            raise RuntimeError("an event loop is running here: use `await handle.run(...)` instead")
        return asyncio.run(self.run(**inputs))

    async def stream(self, /, **inputs: Any) -> AsyncIterator[Update]:
        """Run, and say what is going on; the last update has progress 100 and the `result`.

        Leaving the loop early cancels the run.
        """
        queue: asyncio.Queue[Update | None] = asyncio.Queue()
        progress = Progress(self.pipeline)

        def sink(run_id: str, event: Event) -> None:
            update = progress.update(event)
            if update is not None:
                queue.put_nowait(update)

        run = self.start(inputs, sinks=(sink,))
        task = asyncio.ensure_future(run_pipeline(run))
        task.add_done_callback(lambda done: queue.put_nowait(None))
        try:
            while (update := await queue.get()) is not None:
                yield update
            yield progress.last(await task)
        finally:
            if not task.done():
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await task


class _Lazily(Mapping[str, ModelProvider]):
    """Providers by name, made when a model is really called."""

    def __init__(self, runtime: Runtime, program: p.Program) -> None:
        self._runtime = runtime
        self._program = program

    def __getitem__(self, name: str) -> ModelProvider:
        return self._runtime.provider(self._program, name)

    def __iter__(self) -> Any:
        return iter(self._program.providers)

    def __len__(self) -> int:
        return len(self._program.providers)
