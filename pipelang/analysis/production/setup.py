"""The deployment's own declarations, which no `.pipe` file contains."""

from __future__ import annotations

from pipelang.records import dataclass


@dataclass(frozen=True, slots=True)
class DeploymentSetup:
    """Destinations of traces, the audit log and the state of runs, in the words of pyproject.toml;
    `store` is the URL of the store that its runs are in.

    None is undeclared. `file` is the pyproject.toml that was read, None if there is none.
    """

    trace: str | None = None
    audit: str | None = None
    state: str | None = None
    store: str | None = None
    file: str | None = None
