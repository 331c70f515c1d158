"""The `Runtime`: model providers, tools, people, memories, caches and sinks of a host."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelang.records import dataclass, field
from pipelang.runtime.engine.events import Sink
from pipelang.runtime.inbox.inbox import Inbox
from pipelang.runtime.inbox.people import Nobody, People
from pipelang.runtime.mcp.servers import McpServer
from pipelang.runtime.media.given import MediaSources
from pipelang.runtime.media.medium import Media
from pipelang.runtime.providers.kinds import (
    ENTRY_POINTS,
    OTHER,
    REPLAY,
    SDK_KINDS,
    SIMULATED,
    found_key,
    has_key,
    is_real,
    key_of_provider,
    not_installed,
    sdk_missing,
)
from pipelang.runtime.providers.protocol import ModelProvider
from pipelang.runtime.shared.batching import Batches
from pipelang.runtime.shared.cache import CacheStore, InMemoryCache
from pipelang.runtime.shared.circuit_breakers import Breakers
from pipelang.runtime.shared.kill_switches import Switches
from pipelang.runtime.shared.memory_store import InMemory, MemoryStore
from pipelang.runtime.shared.quotas import InMemoryQuotas, Quotas
from pipelang.runtime.shared.secret_stores import SecretStores
from pipelang.runtime.shared.single_flight import SingleFlight
from pipelang.runtime.shared.tenant_turns import TenantTurns
from pipelang.runtime.tools.rate_limits import Rates
from pipelang.runtime.tools.threads import Threads
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import tiers_behind

if TYPE_CHECKING:
    from pipelang.runtime.durable.store import Store
    from pipelang.runtime.mcp.sessions import Sessions


class NotRunnable(ValueError):
    """A model that cannot be asked: nothing is installed for the kind of its provider, the key or
    the recording is missing, or the tier names no model. Raised before anything runs.
    """


@dataclass(slots=True)
class Runtime:
    """The services that a host plugs in, shared by all handles and runs that are given it.

    `providers` are model providers by their names in a program; others are made from their `kind`.
    `tools` are functions by the names of tools. `people` is an object that is called with every
    question, or an `Inbox` in which questions wait. `sinks` get every event. `chance` draws the
    waits between attempts; seed it for repeatable runs. `memories` and `cache` live as long as this
    object unless others are handed in. Without `trace` results carry no events. `settings` replace
    those of the programs, or are a function that returns them whenever a run begins. `mcp` are the
    servers that tools are bound to, by name. `switches` stop runs, `rates` count the calls of
    tools, `breakers` answer for pipelines that do badly, `quotas` count what runs take across a day
    or month, and `threads` run the functions that block. `store` is the URL of the store that
    `Handle.submit` puts runs into. `media_paths` says whether inputs may name files of pictures and
    documents: all, only those below a folder, or none; `media_urls` are the beginnings of the
    addresses that may be fetched. Of one tenant no more runs are at work at once than `per_tenant`;
    others wait for their turn.

    Making one raises nothing. What does not fit raises later: tools and servers when a handle is
    made (`ToolMissing`), settings (`SettingError`) and models (`NotRunnable`) when a run begins.
    """

    providers: Mapping[str, ModelProvider] = field(default_factory=dict)
    tools: Mapping[str, Callable[..., Any]] = field(default_factory=dict)
    people: People | Inbox = field(default_factory=Nobody)
    sinks: tuple[Sink, ...] = ()
    chance: random.Random = field(default_factory=random.Random)
    memories: MemoryStore = field(default_factory=InMemory)
    cache: CacheStore = field(default_factory=InMemoryCache)
    trace: bool = True
    settings: Mapping[str, Any] | Callable[[], Mapping[str, Any]] = field(default_factory=dict)
    mcp: Mapping[str, McpServer] = field(default_factory=dict)
    switches: Switches = field(default_factory=Switches)
    rates: Rates = field(default_factory=Rates)
    breakers: Breakers = field(default_factory=Breakers)
    quotas: Quotas = field(default_factory=InMemoryQuotas)
    threads: Threads = field(default_factory=Threads)
    store: str | None = None
    media_paths: bool | str | os.PathLike[str] = True
    media_urls: tuple[str, ...] = ()
    per_tenant: int | None = None
    batches: Batches = field(default_factory=Batches, init=False, repr=False)
    flights: SingleFlight = field(default_factory=SingleFlight, init=False, repr=False)
    turns: TenantTurns = field(default_factory=TenantTurns, init=False, repr=False)
    secrets: SecretStores = field(default_factory=SecretStores, init=False, repr=False)
    _sessions: Sessions | None = None
    _made: dict[tuple[str | None, ...], ModelProvider] = field(default_factory=dict)
    _opened: Any = None

    def provider(self, program: p.Program, name: str) -> ModelProvider:
        """Return the model provider of a program's provider `name`, made when first asked for.

        Raises KeyError if the program has no such provider, and `NotRunnable` if it cannot be made.
        """
        if name in self.providers:
            return self.providers[name]
        provider = program.providers[name]
        of_program = provider.kind in (SIMULATED, REPLAY)
        key = (provider.kind, provider.key, provider.base_url, program.hash if of_program else None)
        if key not in self._made:
            self._made[key] = make_provider(program, provider)
        return self._made[key]

    def require_models(self, program: p.Program, pipeline: p.Pipeline) -> None:
        """Raise `NotRunnable` if a model that a pipeline may ask cannot be asked. A provider that
        the host hands in is taken to be able to.
        """
        for name in dict.fromkeys(tiers_behind(program, pipeline)):
            tier = program.tiers[name]
            if tier.provider in self.providers:
                continue
            provider = program.providers[tier.provider]
            problem = not_installed(provider)
            if problem is not None:
                raise NotRunnable(problem)
            problem = sdk_missing(provider)
            if problem is not None:
                raise NotRunnable(problem)
            if not has_key(provider):
                raise NotRunnable(
                    f"provider `{provider.name}` has no key: nothing is behind "
                    f"`{key_of_provider(provider)}`"
                )
            if tier.model is None and is_real(provider):
                raise NotRunnable(f"tier `{name}` names no `model`")
            if provider.kind == REPLAY:
                self.provider(program, provider.name)
            # One kind stands for many makers: the model's name says whose key and package it takes.
            if provider.kind == OTHER and tier.model is not None:
                made: Any = self.provider(program, provider.name)
                problem = made.problem_of(tier.model)
                if problem is not None:
                    raise NotRunnable(f"tier `{name}`: {problem}")

    def media_sources(
        self, stored: Callable[[Mapping[str, Any]], Media | None] | None = None
    ) -> MediaSources:
        """Return where pictures and documents of inputs may come from; `stored` finds those that a
        recorded run was given before.
        """
        return MediaSources(self.media_paths, tuple(self.media_urls), stored)

    def sessions(self) -> Sessions:
        """Return the sessions with the MCP servers of this runtime."""
        if self._sessions is None:
            from pipelang.runtime.mcp.sessions import Sessions  # few runtimes have a server

            self._sessions = Sessions(self.mcp)
        return self._sessions

    def opened_store(self) -> Store:
        """Return the store of this runtime, opened when first asked for.

        Raises `StoreProblem` if it has none or if it cannot be used.
        """
        from pipelang.runtime.durable.address import BadAddress
        from pipelang.runtime.durable.store import Store

        if self.store is None:
            raise BadAddress("this runtime has no store", "Runtime(store=URL) names one")
        if self._opened is None:
            self._opened = Store.open(self.store, make=True)
        opened: Store = self._opened
        return opened

    def counted_quotas(self) -> Quotas:
        """Return the quotas that submitted runs count in: those of the store if there is one.

        Raises `StoreProblem` if it cannot be used.
        """
        if self.store is None:
            return self.quotas
        from pipelang.runtime.durable.shared.quotas import StoredQuotas

        return StoredQuotas(self.opened_store())

    async def close(self) -> None:
        """Close the providers that this runtime made, and its MCP sessions of this event loop."""
        if self._opened is not None:
            self._opened.close()
            self._opened = None
        if self._sessions is not None:
            await self._sessions.close()
        for provider in self._made.values():
            await provider.close()
        self._made.clear()


def make_provider(program: p.Program, provider: p.Provider) -> ModelProvider:
    """A model provider by its `kind`. `replay` plays `recordings/NAME.jsonl` beside `NAME.pipe`.

    Raises `NotRunnable` for a kind that nobody offers, and for a recording that cannot be played.
    """
    if provider.kind == SIMULATED:
        from pipelang.runtime.providers.simulated import SimulatedProvider

        return SimulatedProvider(program, seed=0)
    if provider.kind == REPLAY:
        from pipelang.runtime.providers.replay import RecordingError, ReplayProvider

        file = Path(program.file)
        recording = file.parent / "recordings" / f"{file.stem}.jsonl"
        try:
            return ReplayProvider(recording)
        except (RecordingError, OSError) as error:
            why = f"there is no {recording}" if isinstance(error, FileNotFoundError) else str(error)
            raise NotRunnable(f"provider `{provider.name}` plays a recording: {why}") from error
    kind = SDK_KINDS.get(provider.kind)
    if kind is not None:
        module = import_module(f"pipelang.runtime.providers.{kind.module}")
        found: ModelProvider = getattr(module, kind.provider)(
            found_key(provider), provider.base_url
        )
        return found
    from importlib.metadata import entry_points

    for entry in entry_points(group=ENTRY_POINTS, name=provider.kind):
        made: ModelProvider = entry.load()(provider)
        return made
    raise NotRunnable(not_installed(provider))
