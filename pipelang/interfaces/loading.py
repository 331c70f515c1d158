"""Loading a `.pipe` file into a program that can be run: `pipelang.load`."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipelang.diagnostics import Diagnostic, Sources
from pipelang.diagnostics.render import as_text
from pipelang.interfaces.check.disk_loader import DiskLoader, quotable
from pipelang.interfaces.check.refusals import Analyses, check_allowed, is_refused, verified
from pipelang.records import dataclass
from pipelang.runtime.host.handle import LoadedProgram, SettingError
from pipelang.semantics import program as p
from pipelang.semantics.build import build
from pipelang.semantics.loader import Loader

if TYPE_CHECKING:
    from pipelang.interfaces.check.check import Checked


class CheckFailed(ValueError):
    """A file that is refused: it is not there, or has errors that make it wrong or unsafe.

    `diagnostics` are all findings that loading made; the message shows the errors for which the
    file is refused.
    """

    def __init__(
        self,
        diagnostics: tuple[Diagnostic, ...],
        sources: Sources,
        refused: Sequence[Diagnostic] | None = None,
    ) -> None:
        if refused is None:
            refused = [diagnostic for diagnostic in diagnostics if diagnostic.is_error]
        super().__init__("\n\n".join(as_text(error, sources) for error in refused))
        self.diagnostics = diagnostics
        self.sources = sources


@dataclass(frozen=True, slots=True)
class Verified:
    """A program that is not refused, the text of all its files, and its analyses so far."""

    loaded: LoadedProgram
    sources: Sources
    analyses: Analyses


def load(
    path: str | os.PathLike[str],
    *,
    settings: Mapping[str, Any] | None = None,
    loader: Loader | None = None,
    allow: Collection[str] = (),
    tiers: Mapping[str, str] | None = None,
) -> LoadedProgram:
    """Load and check a `.pipe` file, and return the program.

    `settings` replace the values of its settings, by name. `tiers` are tiers that stand in for its
    own, by the names of those: `{"haiku": "local_small"}`; they are declared in the file, or in a
    library such as `std.local`. `loader` reads files in place of the disk. `allow` are codes of
    findings about behaviour (P4xx, P507, P521, P561, P7xx, P9xx) with which the program is loaded
    all the same.

    Raises `CheckFailed` if the file is not there or has errors of syntax, names, types, flow or
    safety, also where a setting cannot take its value. A missed promise (the other P5xx, P6xx) is
    no reason: `pipelang check` tells it. Raises ValueError for a code that does not exist.
    """
    return load_verified(path, settings=settings, loader=loader, allow=allow, tiers=tiers).loaded


def load_verified(
    path: str | os.PathLike[str],
    *,
    settings: Mapping[str, Any] | None = None,
    loader: Loader | None = None,
    allow: Collection[str] = (),
    tiers: Mapping[str, str] | None = None,
) -> Verified:
    """Load as `load` does, and return what was found out on the way."""
    check_allowed(allow)
    remembers = CachingLoader(loader or DiskLoader())
    built = build(os.fspath(path), remembers, settings, tiers=tiers)
    if built.program is None:
        raise CheckFailed(built.diagnostics, quotable(built.sources, os.fspath(path)))
    analyses = Analyses(built.program)
    return _verified(
        path, analyses, built.sources, built.diagnostics, allow, remembers, settings, tiers
    )


def load_checked(checked: Checked, loader: CachingLoader, allow: Collection[str] = ()) -> Verified:
    """Load a file as `load` does that was just checked with this loader, and has no errors but
    those in `allow`: what was read and worked out then counts.
    """
    if checked.program is None or checked.assumed:  # assumed figures are for a report alone
        return load_verified(checked.path, loader=loader, allow=allow)
    check_allowed(allow)
    analyses = Analyses(checked.program, checked.analyses)
    return _verified(checked.path, analyses, checked.sources, checked.diagnostics, allow, loader)


def _verified(
    path: str | os.PathLike[str],
    analyses: Analyses,
    read: Sources,
    before: tuple[Diagnostic, ...],
    allow: Collection[str],
    remembers: CachingLoader,
    settings: Mapping[str, Any] | None = None,
    tiers: Mapping[str, str] | None = None,
) -> Verified:
    """A program that was built from what `remembers` read, if nothing refuses it. Raises
    `CheckFailed`.
    """
    found = verified(analyses, read, allow)
    refused = [one for one in found if is_refused(one, allow)]
    if refused:
        raise CheckFailed((*before, *found), quotable(read, os.fspath(path)), refused)

    def rebuild(changed: Mapping[str, Any]) -> p.Program:
        turned = {**(settings or {}), **changed}
        again = build(os.fspath(path), remembers, turned, tiers=tiers)
        if again.program is None:
            wrong = [found for found in again.diagnostics if found.is_error]
        else:
            found = verified(Analyses(again.program), again.sources, allow)
            wrong = [one for one in found if is_refused(one, allow)]
        if again.program is None or wrong:
            raise SettingError("; ".join(_told(found) for found in wrong))
        return again.program

    return Verified(LoadedProgram(analyses.program, rebuild), read, analyses)


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
