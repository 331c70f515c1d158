"""The option `--no-cache` of commands that run a program."""

from __future__ import annotations

from typing import Any

import click


def _may_keep(context: click.Context, option: click.Parameter, wanted: bool) -> bool:
    """Whether the user's cache folder may be used: only by a process that was started for this
    line. One that lives on may be older than the code on the disk.
    """
    return wanted and context.find_root().obj is OWN_PROCESS


OWN_PROCESS = object()
"""The object of a context of click whose process was started for the line."""


def cache_option(command: Any) -> Any:
    """Add the option to a command, which is told whether it may use the cache as `cache`."""
    return click.option(
        "--no-cache",
        "cache",
        is_flag=True,
        flag_value=False,
        default=True,
        callback=_may_keep,
        help="Check the program anew.",
    )(command)


def needless_cache_option(command: Any) -> Any:
    """Take `--no-cache` of a command that keeps nothing and always checks anew, and do not show it:
    who has written it into a script goes on to be served.
    """
    return click.option("--no-cache", is_flag=True, hidden=True, expose_value=False)(command)
