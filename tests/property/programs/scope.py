"""What can be read at a place of a program."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from .types import Type, Types, fits


@dataclass(frozen=True)
class Function:
    name: str
    params: tuple[Type, ...]
    returns: Type


@dataclass
class Names:
    """What expressions may name anywhere in the file."""

    types: Types = field(default_factory=Types)
    settings: dict[str, Type] = field(default_factory=dict)
    functions: list[Function] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    elements: int = 0

    def element(self) -> str:
        """A name for the elements that a comprehension goes through."""
        self.elements += 1
        return f"element_{self.elements}"


@dataclass(frozen=True)
class Scope:
    """Values by name, and the paths that are known to be there."""

    values: dict[str, Type] = field(default_factory=dict)
    known: frozenset[str] = frozenset()
    budget: bool = False

    def with_value(self, name: str, type: Type) -> Scope:
        return replace(self, values={**self.values, name: type})

    def knowing(self, *paths: str) -> Scope:
        return replace(self, known=self.known | frozenset(paths))

    def paths(self, types: Types) -> Iterator[tuple[str, Type]]:
        """Every path that can be read, with its type as it is known here."""
        for name, type in self.values.items():
            yield from self._below(name, type, types, 3)

    def _below(self, path: str, type: Type, types: Types, depth: int) -> Iterator[tuple[str, Type]]:
        type = type.here if path in self.known else type
        yield path, type
        if type.kind == "record" and not type.optional and depth:
            for one in types.fields[type.name]:
                yield from self._below(f"{path}.{one.name}", one.type, types, depth - 1)

    def fitting(self, types: Types, wanted: Type) -> list[str]:
        return [path for path, type in self.paths(types) if fits(type, wanted)]

    def absent(self, types: Types) -> list[tuple[str, Type]]:
        return [(path, type) for path, type in self.paths(types) if type.optional]

    def of_kind(self, types: Types, *kinds: str) -> list[tuple[str, Type]]:
        return [
            (path, type)
            for path, type in self.paths(types)
            if type.kind in kinds and not type.optional
        ]
