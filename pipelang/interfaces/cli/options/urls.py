"""The option `--allow-url` of commands that take inputs: addresses of pictures and documents."""

from __future__ import annotations

from typing import Any

import click


def url_option(command: Any) -> Any:
    """Add the option to a command, which gets the beginnings of addresses as `urls`."""
    return click.option(
        "--allow-url",
        "urls",
        multiple=True,
        metavar="URL",
        help="Fetch pictures and documents that an input names below this address.",
    )(command)
