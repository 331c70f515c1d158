"""Providers of a program that are made when they are first needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelang.runtime.host.runtime import Runtime
from pipelang.runtime.providers.protocol import ModelProvider
from pipelang.semantics import program as p


class LazyProviders(Mapping[str, ModelProvider]):
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
