"""Loading a `.pipe` file into a program that can be run: `pipelang.load`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pipelang.diagnostics import Diagnostic, Sources
from pipelang.diagnostics.render import as_text
from pipelang.interfaces.check.disk_loader import DiskLoader, quotable
from pipelang.runtime.host.handle import LoadedProgram, SettingError
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.loading import Loader


class CheckFailed(ValueError):
    """A file that has errors or is not there.

    `diagnostics` are all findings; the message shows the errors.
    """

    def __init__(self, diagnostics: tuple[Diagnostic, ...], sources: Sources) -> None:
        errors = [diagnostic for diagnostic in diagnostics if diagnostic.is_error]
        super().__init__("\n\n".join(as_text(error, sources) for error in errors))
        self.diagnostics = diagnostics
        self.sources = sources


def load(
    path: str | os.PathLike[str],
    *,
    settings: Mapping[str, Any] | None = None,
    loader: Loader | None = None,
) -> LoadedProgram:
    """Load and check a `.pipe` file, and return the program.

    `settings` replace the values of its settings, by name. `loader` reads files in place of the
    disk. Raises `CheckFailed` if the file is not there or has errors, also where a setting cannot
    take its value.
    """
    remembers = CachingLoader(loader or DiskLoader())
    built = build(os.fspath(path), remembers, settings)
    if built.program is None:
        raise CheckFailed(built.diagnostics, quotable(built.sources, os.fspath(path)))

    def rebuild(changed: Mapping[str, Any]) -> p.Program:
        again = build(os.fspath(path), remembers, {**(settings or {}), **changed})
        if again.program is None:
            said = [found for found in again.diagnostics if found.is_error]
            raise SettingError("; ".join(_told(found) for found in said))
        return again.program

    return LoadedProgram(built.program, rebuild)


def _told(found: Diagnostic) -> str:
    return f"{found.message} ({found.help})" if found.help else found.message


class CachingLoader:
    """A loader that gives the same text for a path ever after: a program that is served does not
    change because somebody edits its file.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._texts: dict[str, str | None] = {}
        self.beside = loader.beside
        self.library = loader.library
        self.libraries = loader.libraries

    def read(self, path: str) -> str | None:
        """The text of a file, None if there is none. Raises `Unreadable`."""
        if path not in self._texts:
            self._texts[path] = self._loader.read(path)
        return self._texts[path]
