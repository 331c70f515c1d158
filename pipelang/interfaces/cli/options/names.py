"""Names in options of commands that people or other programs will have to give again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    ParamType = click.ParamType[str]
else:
    ParamType = click.ParamType  # no generic class in the oldest version that is allowed

MOST_CHARACTERS = 200
_NAME = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]{1,200}")


class PlainName(ParamType):
    """A name that the service can be asked for as well: no control characters, not too long."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check a name."""
        if not value:
            self.fail("it is empty; leave the option out for none", param, ctx)
        if _NAME.fullmatch(value) is None:
            words = f"a name is a text in one line, of at most {MOST_CHARACTERS} characters"
            self.fail(words, param, ctx)
        return str(value)
