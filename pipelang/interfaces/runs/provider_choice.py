"""Chooses the provider of a run at the command line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pipelang.records import dataclass
from pipelang.runtime.host.handle import LoadedProgram, Runtime
from pipelang.runtime.inbox.people import Nobody
from pipelang.runtime.providers.kinds import (
    REPLAY,
    has_key,
    is_real,
    key_of_provider,
    not_installed,
    sdk_missing,
)
from pipelang.runtime.providers.records import is_model
from pipelang.semantics.kernels.run import tiers_behind

if TYPE_CHECKING:
    from pipelang.interfaces.runs.state_folder import StateFolder
    from pipelang.runtime.providers.protocol import ModelProvider
    from pipelang.runtime.providers.replay import ReplayProvider
    from pipelang.semantics import program as p

REAL = "real"
CHOICES = ("auto", REAL, "replay", "simulated", "anthropic")
"""The last one is a former name of `real`: whatever the tiers declare."""


class NoProvider(ValueError):
    """The provider that was asked for cannot be had. The message says what is missing."""


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """A runtime, and what to tell people about it (None: the real thing)."""

    runtime: Runtime
    kind: str
    note: str | None

    def as_json(self) -> dict[str, str]:
        """The key of a result in JSON that says that its answers are not a model's."""
        return {"provider": self.kind} if self.tag else {}

    @property
    def tag(self) -> str:
        """The beginning of every line about a run whose answers are not a model's."""
        return {"simulated": "[simulated] ", "replay": "[replayed] "}.get(self.kind, "")


@dataclass(frozen=True, slots=True)
class RecordingFiles:
    """The recording that a run is to play, or to make."""

    played: Path | None = None
    made: Path | None = None

    def wanted(self, choice: str) -> str:
        """The provider that these files need. Raises `NoProvider` if another one was chosen."""
        if self.played is None and self.made is None:
            return choice
        option, needs = ("--record", REAL) if self.made is not None else ("--replay", REPLAY)
        if choice not in ("auto", needs):
            raise NoProvider(f"{option} needs `--provider {needs}`, not `{choice}`")
        return needs


NO_FILES = RecordingFiles()


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
    files: RecordingFiles = NO_FILES,
) -> ProviderChoice:
    """The runtime for a file: real providers if all their keys are set, else its recording if there
    is one, else simulated answers. Raises `NoProvider`, also for a provider whose kind is not
    installed, whatever is chosen.

    `files` may name a recording to be played in place of the one beside the file, or one that is to
    be made: only of what real models answer.

    With `state`, caches and memories outlive the command; those of runs whose answers are played
    or drawn do not: a later run must not take them for real.
    """
    import random

    program = loaded.program
    providers = [p for p in program.providers.values() if p.name in _used(loaded)]
    for problem in filter(None, map(not_installed, providers)):
        raise NoProvider(problem)
    asked = [provider for provider in providers if is_real(provider)]
    keyed = all(map(has_key, asked))
    recording = files.played or recording_of(path)
    choice = files.wanted(REAL if choice == "anthropic" else choice)
    if choice == "auto":
        plays = any(provider.kind == REPLAY for provider in providers)
        choice = "replay" if plays or recording.is_file() else "simulated"
        if asked and keyed:
            choice = REAL
        elif not providers:
            choice = "none"
    chance = random.Random(seed)
    if choice in (REAL, "none"):
        if choice == REAL and not keyed:
            missing = [key_of_provider(p) or "" for p in asked if not has_key(p)]
            names = ", ".join(sorted(set(missing)))
            raise NoProvider(f"no key is set: nothing is behind {names}")
        for problem in filter(None, map(sdk_missing, asked)):
            raise NoProvider(problem)
        if choice == REAL and not asked:
            raise NoProvider(f"`{path}` asks no real model")
        runtime = Runtime(chance=chance, people=Nobody())
        if state is not None:
            _remember_in(state, loaded, runtime)
        played = sorted(p.name for p in providers if not is_real(p))
        notes = [f"no model answers for {', '.join(played)}"] if asked and played else []
        if files.made is not None:
            if not asked:
                raise NoProvider(f"`{path}` asks no real model: there is nothing to record")
            runtime.providers = _recorded(runtime, program, [p.name for p in asked], files.made)
            notes.append(f"what models answer is recorded in {files.made}")
        return ProviderChoice(runtime, choice, "; ".join(notes) or None)
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
        elsewhere = _recorded_elsewhere(program, replay)
        if elsewhere:
            note += f"; {elsewhere}"
        if replay.wrong_share:
            note += f"; {replay.wrong_share:.0%} of them are wrong on purpose, more than in life"
    else:
        from pipelang.runtime.providers.simulated import SimulatedProvider

        made = SimulatedProvider(program, seed)
        note = f"simulated (seed {seed}): answers are drawn at random, no model is asked"
    everyone = dict.fromkeys(program.providers, made)
    runtime = Runtime(providers=everyone, chance=chance, people=Nobody(skip_waits=True))
    return ProviderChoice(runtime, choice, note)


def _recorded_elsewhere(program: p.Program, replay: ReplayProvider) -> str:
    """The words for models that were recorded and are not those of the tiers now."""
    found: dict[str, None] = {}
    for record in replay.records:
        tier = None if record.tier is None else program.tiers.get(record.tier)
        if tier is not None and not is_model(record.model, tier.model):
            found[f"`{tier.name}` was {record.model} then and is {tier.model} now"] = None
    return ", ".join(found)


def _recorded(
    runtime: Runtime, program: p.Program, names: list[str], path: Path
) -> dict[str, ModelProvider]:
    """Providers by name, of which all that they answer is added to a recording. Raises `NoProvider`
    if the file is there and is none, or cannot be written.
    """
    from pipelang.runtime.providers.recording import RecordingError, read_recording
    from pipelang.runtime.providers.replay import recorded

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            read_recording(path)
            with path.open("ab"):
                pass
        elif not os.access(path.parent, os.W_OK):
            raise PermissionError(13, "the folder cannot be written to")
    except RecordingError as error:
        raise NoProvider(f"`{path}` is no recording that could be gone on with: {error}") from error
    except OSError as error:
        raise NoProvider(f"`{path}` cannot be written: {error.strerror or error}") from error
    return {name: recorded(runtime.provider(program, name), path) for name in names}


def _remember_in(state: StateFolder, loaded: LoadedProgram, runtime: Runtime) -> None:
    from pipelang.runtime.shared.disk_cache import DiskCache

    runtime.cache = DiskCache(state.cache)
    if loaded.program.memories:
        from pipelang.runtime.shared.memory_store import Sqlite

        runtime.memories = Sqlite(state.memories)


def _used(loaded: LoadedProgram) -> set[str]:
    """The providers that some pipeline of the file can ask."""
    program = loaded.program
    return {
        program.tiers[tier].provider
        for pipeline in program.pipelines.values()
        for tier in tiers_behind(program, pipeline)
    }
