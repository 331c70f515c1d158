"""Embedding: loaded programs, and handles on their pipelines that run and stream them.

A loaded program is immutable: any number of runs share it. A `Runtime` holds no state of a run.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from functools import partial
from typing import Any

from pipelang.diagnostics.spelling import closest
from pipelang.records import dataclass, field, replace
from pipelang.runtime.engine.budget import RunBudget
from pipelang.runtime.engine.events import Sink
from pipelang.runtime.engine.expressions import Expressions, NoValue
from pipelang.runtime.engine.interpreter import play, run_pipeline
from pipelang.runtime.engine.outcomes import Result
from pipelang.runtime.engine.region_plan import Plans
from pipelang.runtime.engine.run import Run, Terms
from pipelang.runtime.engine.secrets import redact
from pipelang.runtime.engine.values import Misfit, Types
from pipelang.runtime.engine.world import World
from pipelang.runtime.host.follower import Follower
from pipelang.runtime.host.inputs import InputError as InputError
from pipelang.runtime.host.inputs import checked_inputs, read_ahead, with_read_media
from pipelang.runtime.host.lazy_providers import LazyProviders
from pipelang.runtime.host.progress import Update
from pipelang.runtime.host.runtime import NotRunnable as NotRunnable
from pipelang.runtime.host.runtime import Runtime as Runtime
from pipelang.runtime.inbox.routing import PeopleRouter
from pipelang.runtime.mcp.faults import Unreachable
from pipelang.runtime.mcp.tools import RemoteTool
from pipelang.runtime.providers.kinds import secrets_of
from pipelang.runtime.shared.quotas import QuotaRefusal
from pipelang.runtime.shared.services import Services
from pipelang.runtime.tools.binding import ToolMissing, describe
from pipelang.runtime.tools.received import received
from pipelang.runtime.tools.registry import Toolbox, ToolDrift
from pipelang.runtime.worlds.real.world import Performers, RealWorld
from pipelang.runtime.worlds.recorded.record import RunRecord
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import tools_behind
from pipelang.semantics.patterns import Patterns


class SettingError(ValueError):
    """A setting that the program does not have, or a value that it cannot take. Raised before
    anything runs.
    """


Recorder = Callable[[Performers, RunBudget, RunRecord, p.Program], World[Run]]
"""A world that records a run."""

Rebuild = Callable[[Mapping[str, Any]], p.Program]
"""The program of the same text with other settings. Raises `SettingError`."""

_MOST_VARIANTS = 16
"""Programs with other settings that are kept ready."""


class LoadedProgram:
    """A checked program, as `pipelang.load` returns it.

    It is immutable: any number of handles, runs and threads may share it.
    """

    def __init__(self, program: p.Program, rebuild: Rebuild | None = None) -> None:
        self.program = program
        self._rebuild = rebuild
        self._variants: dict[Any, LoadedProgram] = {}
        self.patterns = Patterns(program.patterns)
        self.types = Types(self.patterns)

    @property
    def hash(self) -> str:
        """The content hash of the program; layout and comments do not change it."""
        return self.program.hash

    @property
    def pipelines(self) -> tuple[str, ...]:
        """The names of the pipelines, in the order of the file."""
        return tuple(self.program.pipelines)

    def with_settings(self, settings: Mapping[str, Any]) -> LoadedProgram:
        """Return the same program with these values of its settings.

        Raises `SettingError` if there is no such setting, or if it cannot take the value.
        """
        if not settings:
            return self
        key = tuple(sorted((str(name), repr(value)) for name, value in settings.items()))
        found = self._variants.get(key)
        if found is None:
            if self._rebuild is None:
                raise SettingError("this program was not loaded from a file: it has no settings")
            found = LoadedProgram(self._rebuild(settings))
            while len(self._variants) >= _MOST_VARIANTS:
                self._variants.pop(next(iter(self._variants)), None)
            self._variants[key] = found
        return found

    def pipeline(
        self,
        name: str,
        *,
        tools: Mapping[str, Callable[..., Any]] | None = None,
        runtime: Runtime | None = None,
    ) -> Handle:
        """Return a handle on a pipeline. `tools` replace the functions of tools, by their names.

        Raises KeyError (with the nearest name) if there is no such pipeline, or if a tool that is
        handed in is none of the program's; `ToolMissing` if the function or the MCP server of a
        tool is not found. Models are looked for when a run begins: see `Handle.run`.
        """
        if name not in self.program.pipelines:
            raise KeyError(_unknown("pipeline", name, self.program.pipelines))
        for given in tools or {}:
            if given not in self.program.tools and given not in self.program.functions:
                raise KeyError(_unknown("tool", given, self.program.tools))
        return Handle(self, self.program.pipelines[name], runtime or Runtime(), tools or {})


def _unknown(what: str, name: str, known: Iterable[str]) -> str:
    close = closest(name, known)
    hint = f"; did you mean `{close}`?" if close else ""
    return f"there is no {what} `{name}`{hint}"


@dataclass(frozen=True, slots=True)
class _Options:
    """The options of the runs of a handle."""

    permits: frozenset[str] | None = None
    tenant: str | None = None
    run_id: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)


class Handle:
    """A pipeline with what a host plugs in, ready to run any number of times, also side by side.

    Made by `LoadedProgram.pipeline`. Make it once and keep it.
    """

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
        self._options = _Options()
        self._handed_in = tools
        self._variants: dict[LoadedProgram, Handle] = {}
        program = loaded.program
        self._has_models = False
        self._most = frozenset(pipeline.permits)
        self._providers = LazyProviders(runtime, program)
        sessions = runtime.sessions() if runtime.mcp else None
        self._tools = Toolbox(program, {**runtime.tools, **tools}, runtime.threads, sessions)
        self._secrets = secrets_of(program.providers.values())
        found = [
            (tool, self._tools.function(program.tools[tool]))
            for tool in dict.fromkeys(tools_behind(program, pipeline))
        ]
        self._remote = tuple(tool for _, tool in found if isinstance(tool, RemoteTool))
        for server in runtime.mcp.values() if self._remote else ():
            self._secrets += server.secrets()
        self._performers = Performers(self._services())
        functions: dict[str, Callable[..., Any]] = {}
        self._expressions = Expressions(loaded.types, loaded.patterns.matches, functions)
        for function in program.functions.values():
            functions[function.name] = self._function(function)
        self._terms = Terms(program, self._expressions, Plans(), play, references=self._secrets)

    def _function(self, function: p.Function) -> Callable[..., Any]:
        names = [parameter.name for parameter in function.parameters]
        if function.body is None:
            return partial(self._python, function, self._tools.pure(function))
        body, expressions = function.body, self._expressions
        return lambda *values: expressions.evaluate(body, dict(zip(names, values, strict=True)))

    def _python(self, function: p.Function, found: Callable[..., Any], *values: Any) -> Any:
        """A `fn` in Python: whatever it raises, and whatever does not fit, is no value."""
        try:
            kinds = (parameter.type for parameter in function.parameters)
            given = map(received, kinds, copy.deepcopy(values))
            return self.loaded.types.check(function.returns, found(*given))
        except (Exception, SystemExit) as error:
            why = str(error) if isinstance(error, Misfit) else describe(error)
            why = redact(why, self._secrets)
            raised = None if isinstance(error, Misfit) else type(error).__name__
            raise NoValue(f"`{function.name}` gave no value: {why}", raised) from error

    @property
    def references(self) -> tuple[str, ...]:
        """References (`env:NAME`, `file:PATH`) to secrets of its runs, for sinks to keep out."""
        return self._secrets

    def inputs(self, given: Mapping[str, Any], record: RunRecord | None = None) -> dict[str, Any]:
        """Convert JSON inputs to values of the pipeline's types; pictures and documents that a
        `record` keeps may be told of by their hash. Raises `InputError`.
        """
        sources = self.runtime.media_sources(None if record is None else record.medium)
        return checked_inputs(self.loaded.types, self.pipeline, given, sources)

    def start(
        self,
        given: Mapping[str, Any],
        *,
        sinks: Iterable[Sink] = (),
        permits: Iterable[str] | None = None,
        tenant: str | None = None,
        run_id: str | None = None,
        world: World[Run] | None = None,
        record: RunRecord | None = None,
        replay: bool = False,
        recorder: Recorder | None = None,
        partial: Callable[[str, Any], None] | None = None,
    ) -> Run:
        """Make a run with these inputs that has not begun. With a `record` it is recorded, and goes
        on from there: the inputs and options must be those with which the record began. With
        `replay` it does nothing that is not recorded, but raises `NotRecorded` where it would.
        `recorder` makes the world that records. `partial` is told, by the step, what a model has
        written of its answer so far.

        Raises `InputError`, `SettingError` if the settings that the runtime now gives do not fit,
        `NotRunnable` if a model that the pipeline may ask cannot be asked, and `NotRecordable` if
        what it works on may be secret and is to be recorded.
        """
        run = self._as_set()._begin(
            given, self._options, sinks, permits, tenant, run_id, world, record, replay, recorder
        )
        if partial is not None:
            run.terms = replace(run.terms, partial=partial)
        return run

    def _as_set(self) -> Handle:
        """The handle on the program as its settings are now: they stay so until the run ends."""
        now = self.runtime.settings
        settings = {**(now() if callable(now) else now), **self._options.settings}
        if not settings:
            return self
        loaded = self.loaded.with_settings(settings)
        if loaded not in self._variants:
            while len(self._variants) >= _MOST_VARIANTS:
                self._variants.pop(next(iter(self._variants)), None)
            pipeline = loaded.program.pipelines[self.pipeline.name]
            self._variants[loaded] = Handle(loaded, pipeline, self.runtime, self._handed_in)
        return self._variants[loaded]

    def _begin(
        self,
        given: Mapping[str, Any],
        options: _Options,
        sinks: Iterable[Sink],
        permits: Iterable[str] | None,
        tenant: str | None,
        run_id: str | None,
        world: World[Run] | None,
        record: RunRecord | None,
        replay: bool,
        recorder: Recorder | None,
    ) -> Run:
        values = self.inputs(given, record)
        program = self.loaded.program
        budget = RunBudget(self.pipeline.budget)
        if world is None:
            if not self._has_models:
                self.runtime.require_models(program, self.pipeline)
                self._has_models = True
            world = self._world(budget, record, replay, recorder)
        permits = options.permits if permits is None else permits
        tenant = tenant if tenant is not None else options.tenant
        terms = self._terms_of((*self.runtime.sinks, *sinks), tenant)
        return Run(
            known_id=run_id or options.run_id,
            terms=terms,
            pipeline=self.pipeline,
            world=world,
            budget=budget,
            values=values,
            quiet=not (self.runtime.trace or terms.sinks),
            trace=[] if self.runtime.trace else None,
            granted=self._most if permits is None else self._most & {*permits},
            sampled=bool(self.pipeline.samples),
        )

    def _terms_of(self, sinks: tuple[Sink, ...], tenant: str | None) -> Terms:
        """The terms of a run: those of the one before it, where they are the same."""
        known = self._terms
        if (known.sinks, known.tenant) != (sinks, tenant):
            known = self._terms = replace(known, sinks=sinks, tenant=tenant)
        return known

    def _world(
        self,
        budget: RunBudget,
        record: RunRecord | None,
        replay: bool,
        recorder: Recorder | None,
    ) -> World[Run]:
        performers = self._performers_now()
        if record is None:
            return RealWorld(performers)
        from pipelang.runtime.worlds.recorded.refusals import refuse_secrets
        from pipelang.runtime.worlds.recorded.world import RecordingWorld, ReplayingWorld

        program = self.loaded.program
        refuse_secrets(program, self.pipeline)
        make = recorder or (ReplayingWorld if replay else RecordingWorld)
        return make(performers, budget, record, program)

    def _performers_now(self) -> Performers:
        """The performers with the services of the runtime as they are now: the same ones while none
        of these was replaced.
        """
        services = self._services()
        if services != self._performers.services:
            self._performers = Performers(services)
        return self._performers

    def _services(self) -> Services:
        runtime = self.runtime
        return Services(
            self.loaded.types,
            self._providers,
            self._tools,
            PeopleRouter(runtime.people),
            runtime.chance,
            runtime.memories,
            runtime.cache,
            runtime.flights,
            runtime.batches,
            runtime.switches,
            runtime.rates,
            runtime.breakers,
            runtime.quotas,
            runtime.secrets,
        )

    def with_options(
        self,
        *,
        permits: Iterable[str] | None = None,
        tenant: str | None = None,
        run_id: str | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Handle:
        """Return this handle for runs with these options; what is not given stays as it is.

        `permits` are what the host grants: a run has those of them that its pipeline lists, and all
        of the pipeline's without the option. `run_id` names the next run: it should be used once.
        `settings` go before those of the runtime.
        """
        made = copy.copy(self)
        old = self._options
        made._options = _Options(
            old.permits if permits is None else frozenset(permits),
            old.tenant if tenant is None else tenant,
            old.run_id if run_id is None else run_id,
            old.settings if settings is None else {**settings},
        )
        return made

    async def ready(self) -> None:
        """Reach the MCP servers that the pipeline's tools are on, and compare what they offer with
        what is declared. Runs do this too; it is worth calling when a service starts.

        Raises `ToolDrift` with the difference, `ToolMissing` if a server cannot be reached.
        """
        for tool in self._remote:
            span = tool.tool.binding_span
            try:
                drift = await tool.drift()
            except Unreachable as error:
                message = f"tool `{tool.tool.name}`: {redact(str(error), self._secrets)}"
                raise ToolMissing(message, span) from error
            if drift is not None:
                raise ToolDrift(drift, span)

    async def _compared(self) -> None:
        """`ready`, except that what cannot be reached now is left to the steps that call it."""
        try:
            await self.ready()
        except ToolDrift:
            raise
        except ToolMissing:
            return

    async def run(self, /, **inputs: Any) -> Result:
        """Run the pipeline and return its result.

        Raises `InputError`, `SettingError`, `NotRunnable` (a model that cannot be asked) or
        `ToolDrift` before anything runs. Once the run has begun only its cancellation is raised:
        whatever a model, tool or person does wrong is a failed attempt.
        """
        if self._remote:
            await self._compared()
        given = await read_ahead(self.pipeline, inputs, self.inputs)
        if self.runtime.per_tenant is None:
            return await run_pipeline(self.start(given))
        return await self._in_turn(given)

    async def _in_turn(
        self,
        given: Mapping[str, Any],
        sinks: Iterable[Sink] = (),
        partial: Callable[[str, Any], None] | None = None,
    ) -> Result:
        """Run once the tenant has fewer runs at work than the runtime allows."""
        async with self.runtime.turns.turn(self._options.tenant, self.runtime.per_tenant):
            return await run_pipeline(self.start(given, sinks=sinks, partial=partial))

    def run_sync(self, /, **inputs: Any) -> Result:
        """Run the pipeline from code without an event loop, and return its result.

        Raises what `run` raises, and RuntimeError inside a running event loop: there, await `run`.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            raise RuntimeError("an event loop is running here: use `await handle.run(...)` instead")
        return asyncio.run(self.run(**inputs))

    async def stream(self, /, **inputs: Any) -> AsyncIterator[Update]:
        """Run the pipeline and give an `Update` whenever something happens.

        The last update has progress 100 and the `result`; some have a `partial` answer, as a model
        writes it. Leaving the loop early cancels the run. Raises what `run` raises.
        """
        if self._remote:
            await self._compared()
        given = await read_ahead(self.pipeline, inputs, self.inputs)
        follower = Follower(self.pipeline)
        playing = self._in_turn(given, (follower.event,), follower.partial)
        async with contextlib.aclosing(follower.updates(playing)) as updates:
            async for update in updates:
                yield update

    def refusal(self, tenant: str | None = None) -> QuotaRefusal | None:
        """Return the limit of a quota that would refuse a run which began now, and after how many
        seconds it is worth asking again; None if there is room. It looks into the store of the
        runtime if that has one. Raises `StoreProblem`.
        """
        tenant = self._options.tenant if tenant is None else tenant
        return self.runtime.counted_quotas().refusal(self.pipeline, tenant)

    def submit(
        self,
        given: Mapping[str, Any] | None = None,
        /,
        *,
        key: str | None = None,
        tenant: str | None = None,
        thread: str | None = None,
        priority: int = 10,
        delay: float = 0.0,
        **inputs: Any,
    ) -> str:
        """Put a run into the store of the runtime, for a worker, and return its id. `given` are
        inputs too, of any name. The same `key`, tenant and pipeline mean the same run. One with a
        smaller `priority` begins sooner (10 without), none before `delay` seconds.

        Raises `InputError`, `SettingError`, `NotRecordable`, `KeyConflict`, `StoreProblem`, and
        `ValueError` for a key, tenant, thread, priority or delay that cannot be.
        """
        from pipelang.runtime.durable.submitting import checked_submission, submit

        now, mine = self._as_set(), self._options
        row = {**(given or {}), **inputs}
        row = with_read_media(now.pipeline, row, now.inputs(row))
        tenant = mine.tenant if tenant is None else tenant
        options: dict[str, Any] = {"key": key, "tenant": tenant, "thread": thread, "delay": delay}
        permits = None if mine.permits is None else sorted(mine.permits)
        options |= {"priority": priority, "permits": permits}
        store = self.runtime.opened_store()
        return submit(store, checked_submission(now.loaded.program, now.pipeline, row, options))

    async def result(self, run_id: str) -> Result:
        """Wait until a run in the store of the runtime has ended, and return its result, which has
        no trace. Raises `UnknownRun` and `StoreProblem`.
        """
        from pipelang.runtime.durable.results import result_of

        store = self.runtime.opened_store()
        return await result_of(store, self.loaded.types, self.pipeline, run_id)
