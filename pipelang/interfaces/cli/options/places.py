"""Options that say where runs are: a folder or a store, and what has a meaning with one alone."""

from __future__ import annotations

import click
from click.core import ParameterSource

from pipelang.interfaces.cli.exit_codes import USAGE
from pipelang.interfaces.cli.programs import stop


def refuse_state_beside(store: str | None) -> None:
    """End the command where its line names a state folder and a store: one would be passed over."""
    if store is not None and _is_given("state"):
        stop("--state and --store exclude each other", USAGE)


def refuse_without_store(store: str | None, *names: str) -> None:
    """End the command where its line has an option that needs a store, and no store."""
    for name in names:
        if store is None and _is_given(name):
            stop(f"--{name.replace('_', '-')} needs runs that are kept: --store", USAGE)


def _is_given(name: str) -> bool:
    """Whether the line that is carried out says it, be it what holds without."""
    source = click.get_current_context().get_parameter_source(name)
    return source not in (None, ParameterSource.DEFAULT, ParameterSource.DEFAULT_MAP)
