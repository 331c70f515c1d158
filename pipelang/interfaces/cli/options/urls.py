"""The option `--allow-url` of commands that take inputs: addresses of pictures and documents."""

from __future__ import annotations

from typing import Any

import click


def _checked(_context: click.Context, _option: click.Parameter, urls: tuple[str, ...]) -> Any:
    if not urls:
        return urls
    from pipelang.runtime.media.fetching import address_to_allow

    for one in urls:
        if address_to_allow(one) is None:
            raise click.BadParameter(
                f"expected an address such as https://files.acme.com, not {one!r}"
            )
    return urls


def url_option(command: Any) -> Any:
    """Add the option to a command, which gets the beginnings of addresses as `urls`."""
    return click.option(
        "--allow-url",
        "urls",
        multiple=True,
        metavar="URL",
        callback=_checked,
        help="Fetch pictures and documents that an input names below this address.",
    )(command)
