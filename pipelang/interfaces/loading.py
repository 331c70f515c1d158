"""`pipelang.load`: a file to a program that can be run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pipelang.diagnostics import Diagnostic, Sources
from pipelang.diagnostics.render import as_text
from pipelang.interfaces.disk import DiskLoader
from pipelang.runtime.embedding import LoadedProgram
from pipelang.semantics.build import build
from pipelang.semantics.loading import Loader


class CheckFailed(ValueError):
    """A file with errors. `diagnostics` are all findings; the message shows the errors."""

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
    """Load and check a `.pipe` file. `settings` replace the values in it. Raises `CheckFailed`."""
    built = build(os.fspath(path), loader or DiskLoader(), settings)
    if built.program is None:
        raise CheckFailed(built.diagnostics, built.sources)
    return LoadedProgram(built.program)
