"""A plain command line of `pipelang check`, read without click.

Importing click takes longer than all that is done when nothing has changed since the last check.
What is not plain (`--help`, an option that is not known here, a mistake) is left to click, which
knows how to say it. `tests/unit/interfaces/cli/test_command_line.py` holds the two readers against
each other, and docs/decisions/0022-two-readers-of-the-command-line.md has the measurement.
"""

from __future__ import annotations

import os

from pipelang.records import dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

FORMATS = ("text", "json", "sarif", "github")
PROFILES = ("demo", "production")


@dataclass(frozen=True, slots=True)
class CheckLine:
    """The options of one call of `pipelang check`."""

    paths: tuple[str, ...] = ()
    form: str = "text"
    strict: bool = False
    profile: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    verbose: bool = False
    cache: bool = True
    import_tools: bool = False
    assume: tuple[str, ...] = ()
    time_limit: float | None = None
    tiers: tuple[str, ...] = ()


_FLAGS = {
    "--strict": ("strict", True),
    "--verbose": ("verbose", True),
    "--no-cache": ("cache", False),
}
_CHOICES = {"--format": ("form", FORMATS), "--profile": ("profile", PROFILES)}
_LISTS = {"--select": "select", "--ignore": "ignore", "--assume": "assume", "--tier": "tiers"}


def read_line(arguments: Sequence[str]) -> CheckLine | None:
    """The words behind `pipelang check`; None if click must look at them."""
    options: dict[str, object] = {}
    lists: dict[str, list[str]] = {}
    paths: list[str] = []
    words = iter(arguments)
    for word in words:
        if word == "--":
            paths.extend(words)
        elif word in _FLAGS:
            name, flag = _FLAGS[word]
            options[name] = flag
        elif word.startswith("--"):
            option, equals, value = word.partition("=")
            if option not in _CHOICES and option not in _LISTS:
                return None
            chosen = value if equals else next(words, "")
            if option in _LISTS:
                if not chosen or chosen.startswith("-"):
                    return None
                lists.setdefault(_LISTS[option], []).append(chosen)
                continue
            name, choices = _CHOICES[option]
            if chosen not in choices:
                return None
            options[name] = chosen
        elif word.startswith("-"):
            return None
        else:
            paths.append(word)
    if os.name == "nt" and any(set("*?[~$%") & set(path) for path in paths):
        return None  # which click expands there, as no shell does
    options.update({name: listed(values) for name, values in lists.items()})
    return CheckLine(tuple(paths), **options)  # type: ignore[arg-type]


def listed(values: Sequence[str]) -> tuple[str, ...]:
    """The words of an option that may be given more than once: `P5,P701`."""
    return tuple(word.strip() for value in values for word in value.split(",") if word.strip())
