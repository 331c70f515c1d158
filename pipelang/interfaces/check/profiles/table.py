"""Finds the table `[tool.pipelang]` in the text of a pyproject.toml.

Apart from what reads the table: many such files speak of pipelang, as something that is installed,
and have no table for it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any


class NotToml(ValueError):
    """A text that is no TOML; the message is that of the library, or a reason it does not give."""


@lru_cache(maxsize=16)
def table_of(text: str) -> Any:
    """The value of `tool.pipelang` in a text; None if there is none. Raises NotToml."""
    import tomllib

    try:
        whole = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise NotToml(str(error)) from None
    except RecursionError:  # brackets too deep
        raise NotToml("it is nested too deep") from None
    except ValueError as error:  # a number too long for Python
        raise NotToml(str(error)) from None
    tool = whole.get("tool")
    return tool.get("pipelang") if isinstance(tool, dict) else None
