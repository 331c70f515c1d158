"""Chooses the provider of a run at the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pipelang.records import dataclass
from pipelang.runtime.engine.secrets import SecretMissing, resolve_secret
from pipelang.runtime.host.handle import LoadedProgram, Runtime
from pipelang.runtime.inbox.people import Nobody

if TYPE_CHECKING:
    from pipelang.interfaces.runs.state_folder import StateFolder
    from pipelang.runtime.providers.protocol import ModelProvider

CHOICES = ("auto", "anthropic", "replay", "simulated")


class NoProvider(ValueError):
    """The provider that was asked for cannot be had. The message says what is missing."""


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """A runtime, and what to tell people about it (None: the real thing)."""

    runtime: Runtime
    kind: str
    note: str | None


def recording_of(path: str) -> Path:
    """The path of a file's recording: `recordings/NAME.jsonl` beside it."""
    file = Path(path)
    return file.parent / "recordings" / f"{file.stem}.jsonl"


def set_up(
    path: str,
    loaded: LoadedProgram,
    choice: str,
    seed: int,
    state: StateFolder | None = None,
) -> ProviderChoice:
    """The runtime for a file: a real provider if its key is set, else its recording if there is
    one, else simulated answers. Raises `NoProvider`.

    With `state`, caches and memories outlive the command; those of runs whose answers are played
    or drawn do not: a later run must not take them for real.
    """
    import random

    program = loaded.program
    providers = [p for p in program.providers.values() if p.name in _used(loaded)]
    keyed = all(_has_key(provider.key) for provider in providers)
    recording = recording_of(path)
    if choice == "auto":
        choice = "replay" if recording.is_file() else "simulated"
        if providers and keyed:
            choice = "anthropic"
        elif not providers:
            choice = "none"
    chance = random.Random(seed)
    if choice in ("anthropic", "none"):
        if choice == "anthropic" and not keyed:
            names = ", ".join(sorted({p.key or "env:ANTHROPIC_API_KEY" for p in providers}))
            raise NoProvider(f"no key is set: nothing is behind {names}")
        runtime = Runtime(chance=chance, people=Nobody())
        if state is not None:
            _remember_in(state, loaded, runtime)
        return ProviderChoice(runtime, choice, None)
    made: ModelProvider
    if choice == "replay":
        if not recording.is_file():
            raise NoProvider(f"there is no recording: {recording}")
        from pipelang.runtime.providers.replay import RecordingError, ReplayProvider

        try:
            replay = ReplayProvider(recording)
        except RecordingError as error:
            raise NoProvider(str(error)) from error
        made = replay
        note = f"answers are played back from {recording}"
        if replay.header.source:
            note += f", {replay.header.source}"
        if replay.wrong_share:
            note += f"; {replay.wrong_share:.0%} of them are wrong on purpose, more than in life"
    else:
        from pipelang.runtime.providers.simulated import SimulatedProvider

        made = SimulatedProvider(program, seed)
        note = f"simulated (seed {seed}): answers are drawn at random, no model is asked"
    everyone = dict.fromkeys(program.providers, made)
    runtime = Runtime(providers=everyone, chance=chance, people=Nobody(skip_waits=True))
    return ProviderChoice(runtime, choice, note)


def _remember_in(state: StateFolder, loaded: LoadedProgram, runtime: Runtime) -> None:
    from pipelang.runtime.shared.disk_cache import DiskCache

    runtime.cache = DiskCache(state.cache)
    if loaded.program.memories:
        from pipelang.runtime.shared.memory_store import Sqlite

        runtime.memories = Sqlite(state.memories)


def _used(loaded: LoadedProgram) -> set[str]:
    """The providers that some pipeline of the file can ask."""
    from pipelang.analysis.kernels.providers import tiers_of
    from pipelang.semantics.walk import all_steps, inner_links

    program = loaded.program
    used: set[str] = set()
    for pipeline in program.pipelines.values():
        for step in all_steps(pipeline):
            for link in inner_links(step.chain):
                for tier in tiers_of(link.action):
                    used.add(program.tiers[tier].provider)
    return used


def _has_key(reference: str | None) -> bool:
    try:
        resolve_secret(reference or "env:ANTHROPIC_API_KEY")
    except (SecretMissing, OSError, UnicodeDecodeError):
        return False
    return True
