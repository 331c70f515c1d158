"""Opens the store that a command line names, and tells what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.programs import stop
from pipelang.interfaces.cli.terminal import warn

if TYPE_CHECKING:
    from pipelang.runtime.durable.store import Store

UNREACHABLE = 3
TIMED_OUT = 124


F = TypeVar("F", bound=Callable[..., Any])


def store_option(required: bool = True) -> Callable[[F], F]:
    """The option `--store URL`."""
    words = "Where runs are kept: sqlite:///FILE or postgresql://USER@HOST/DATABASE."
    return click.option("--store", "store", metavar="URL", required=required, help=words)


def check_installed() -> None:
    """End the command if what runs in a store need is not there."""
    try:
        import pipelang.runtime.durable.store  # noqa: F401
    except ImportError as missing:
        stop(
            f"runs in a store need `{missing.name}`, which is not installed",
            USAGE,
            "pip install 'pipelang-dsl[durable]'",
        )


@contextmanager
def opened(url: str, make: bool = False, renew: bool = False) -> Iterator[Store]:
    """A store that is open, made if `make`, brought up to date if `renew`; ends the command if it
    cannot be used, or if what is done with it cannot be.
    """
    check_installed()
    from pipelang.runtime.durable.address import BadAddress, StoreProblem, StoreUnreachable
    from pipelang.runtime.durable.store import Store

    store = None
    try:
        store = Store.open(url, make=make, renew=renew)
        yield store
    except BadAddress as bad:
        stop(str(bad), USAGE, bad.help)
    except StoreUnreachable as away:
        stop(str(away), UNREACHABLE, away.help)
    except StoreProblem as problem:
        stop(str(problem), FINDINGS, problem.help)
    except UnicodeEncodeError:
        stop("a text that is not valid Unicode cannot be looked for or kept in a store", USAGE)
    finally:
        if store is not None:
            store.close()


def note_if_unknown(store: Store, pipeline: str) -> None:
    """Say that a store has no run of a pipeline: its name may be mistyped."""
    from pipelang.runtime.durable import run_pages

    known = run_pages.pipelines(store)
    if pipeline not in known:
        listed = ", ".join(f"`{one}`" for one in known) or "none"
        warn(f"note: the store has no run of `{pipeline}` yet; there are runs of {listed}")


def note_if_unknown_tool(store: Store, tool: str) -> None:
    """Say that no program of a store has a tool: its name may be mistyped."""
    from pipelang.diagnostics.spelling import closest
    from pipelang.runtime.durable import programs

    known = programs.tools(store)
    if known and tool not in known:
        close = closest(tool, known)
        listed = ", ".join(f"`{one}`" for one in sorted(known))
        hint = f"did you mean `{close}`? There are" if close else "there are"
        warn(f"note: no run in the store calls a tool `{tool}`; {hint}: {listed}")
