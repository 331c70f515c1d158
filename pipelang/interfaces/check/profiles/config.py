"""The configuration of a check: `[tool.pipelang]` of a pyproject.toml, and the command line's own.

Codes are chosen as ruff chooses them: a code or how it begins; of `select` and `ignore` the longer
one counts, and `ignore` where they are alike; a `--select` on the command line starts anew, an
`--ignore` adds.
"""

from __future__ import annotations

import os
from decimal import Decimal

from pipelang.analysis.production.setup import DeploymentSetup
from pipelang.records import dataclass, replace

PROFILES = ("demo", "production")


@dataclass(frozen=True, slots=True)
class CheckSettings:
    """Settings of the command line, which count more than any file. None is: not given. `assumed`
    are shares for what nobody declared; `time_limit` is that of each pipeline's analysis, in
    seconds of counted work; `tiers` are pairs of a tier and the one that stands in for it.
    """

    profile: str | None = None
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    import_tools: bool = False
    assumed: tuple[tuple[str, Decimal], ...] = ()
    time_limit: float | None = None
    tiers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class McpTable:
    """An MCP server as declared: a `command` with its words, or the `url` of one that runs."""

    command: tuple[str, ...] = ()
    url: str | None = None
    env: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """Configures the files below `folder`; `per_file` are globs with the codes they ignore."""

    profile: str = "demo"
    select: tuple[str, ...] = ("P",)
    ignore: tuple[str, ...] = ()
    per_file: tuple[tuple[str, tuple[str, ...]], ...] = ()
    folder: str = ""
    setup: DeploymentSetup = DeploymentSetup()
    mcp: tuple[tuple[str, McpTable], ...] = ()

    @property
    def tells_all(self) -> bool:
        return self.select == ("P",) and not self.ignore and not self.per_file

    def tells(self, code: str) -> bool:
        """Whether a code is selected."""
        return _longest(self.select, code) > _longest(self.ignore, code)

    def tells_of(self, code: str, file: str) -> bool:
        """Whether a code is selected, and not ignored in this file."""
        return self.tells(code) and not any(
            code.startswith(ignored) and is_at(file, glob, self.folder)
            for glob, codes in self.per_file
            for ignored in codes
        )


def _longest(words: tuple[str, ...], code: str) -> int:
    return max((len(word) for word in words if code.startswith(word)), default=0)


def is_at(file: str, glob: str, folder: str) -> bool:
    """Whether a glob names a file, by its path from the folder or by its name alone.

    As in ruff, `*` goes over folders, and `**/` is any number of them, also none.
    """
    from fnmatch import fnmatchcase

    try:
        path = os.path.relpath(file, folder or ".").replace(os.sep, "/")
    except ValueError:  # another drive
        return False
    globs = (glob, glob.removeprefix("**/"), glob.replace("/**/", "/"))
    return any(fnmatchcase(path, one) for one in globs) or fnmatchcase(path.split("/")[-1], glob)


def combined(config: Config, asked: CheckSettings) -> Config:
    """The configuration of a file, overridden by the command line."""
    if asked.select:
        config = replace(config, select=asked.select, ignore=())
    if asked.ignore:
        config = replace(config, ignore=(*config.ignore, *asked.ignore))
    return replace(config, profile=asked.profile or config.profile)
