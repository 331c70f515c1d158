"""Opens the store that a command line names, and tells what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pipelang.interfaces.cli.exit_codes import FINDINGS, USAGE
from pipelang.interfaces.cli.programs import stop

if TYPE_CHECKING:
    from pipelang.runtime.durable.store import Store

    ParamType = click.ParamType[float]
else:
    ParamType = click.ParamType  # no generic class in the oldest version that is allowed

UNREACHABLE = 3
TIMED_OUT = 124

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "": 1.0}

F = TypeVar("F", bound=Callable[..., Any])


class Duration(ParamType):
    """A duration as in the language, e.g. `90s` or `7d`; a bare number is seconds."""

    name = "DURATION"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d{1,12}(?:\.\d+)?)(ms|s|m|h|d|)", str(value).strip())
        if found is None:
            self.fail(f"`{value}` is no duration: write e.g. 90s, 15m, 2h or 7d", param, ctx)
        return float(found[1]) * _UNITS[found[2]]


def store_option(required: bool = True) -> Callable[[F], F]:
    """The option `--store URL`."""
    words = "Where runs are kept: sqlite:///FILE or postgresql://USER@HOST/DATABASE."
    return click.option("--store", "store", metavar="URL", required=required, help=words)


@contextmanager
def opened(url: str, make: bool = False, renew: bool = False) -> Iterator[Store]:
    """A store that is open, made if `make`, brought up to date if `renew`; ends the command if it
    cannot be used, or if what is done with it cannot be.
    """
    try:
        from pipelang.runtime.durable.address import (
            BadAddress,
            StoreProblem,
            StoreUnreachable,
        )
        from pipelang.runtime.durable.store import Store
    except ImportError as missing:
        stop(
            f"runs in a store need `{missing.name}`, which is not installed",
            USAGE,
            "pip install 'pipelang-dsl[durable]'",
        )
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
    finally:
        if store is not None:
            store.close()
