"""The programs of a workspace: surveys of files that nobody has open, made when they are asked for.

A file is surveyed again when a text that went into its survey has changed; one in which a name does
not occur is not surveyed at all to find the uses of that name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from pipelang.diagnostics import Source
from pipelang.interfaces.check.disk_loader import SUFFIX
from pipelang.interfaces.language_server.documents import Documents
from pipelang.interfaces.language_server.open_files import OpenFiles
from pipelang.records import dataclass, field
from pipelang.semantics.build import Survey, survey
from pipelang.syntax.parse import Parsed, parse_kept

MOST_KEPT = 600


@dataclass(slots=True)
class ProgramIndex:
    """Surveys by the path of their root, with the texts that they were made from."""

    kept: dict[str, tuple[dict[str, str | None], Survey]] = field(default_factory=dict)
    parsed: dict[str, tuple[str, Parsed]] = field(default_factory=dict)

    def survey(self, path: str, texts: dict[str, str]) -> Survey:
        """The survey of a file as root."""
        loader = OpenFiles(texts)
        if path in self.kept:
            before, made = self.kept[path]
            if all(loader.quiet(name) == text for name, text in before.items()):
                return made
        made = survey(path, loader)
        if len(self.kept) >= MOST_KEPT:
            self.kept.pop(next(iter(self.kept)))
        self.kept[path] = ({name: loader.quiet(name) for name in made.built.sources}, made)
        return made

    def parse(self, path: str, texts: dict[str, str]) -> tuple[str, Parsed] | None:
        """A file's text and tree."""
        text = OpenFiles(texts).quiet(path)
        if text is None:
            return None
        text = text.removeprefix("\ufeff")
        if path not in self.parsed or self.parsed[path][0] != text:
            self.parsed[path] = (text, parse_kept(Source(path, text)))
        return self.parsed[path]

    def survey_of_part(
        self, part: str, documents: Documents, texts: dict[str, str]
    ) -> Survey | None:
        """A program of the workspace that a file which is none (a template) is a part of."""
        loader, name = OpenFiles(texts), PurePosixPath(part).name
        for path in documents.pipes():
            if path.endswith(SUFFIX) and name in (loader.quiet(path) or ""):
                made = self.survey(path, texts)
                if part in made.built.sources:
                    return made
        return None

    def surveys_with(
        self, word: str, documents: Documents, texts: dict[str, str], known: list[Survey]
    ) -> Iterator[Survey]:
        """Every program of the workspace with a word in it, and those that are `known` anyway."""
        seen = set()
        for made in known:
            seen.add(made.loaded.root)
            yield made
        pattern = re.compile(rf"(?<!\w){re.escape(word)}(?!\w)")
        loader = OpenFiles(texts)
        for path in documents.pipes():
            if path in seen or not path.endswith(SUFFIX):
                continue
            text = loader.quiet(path)
            # A library imports what it shows; templates are named by who shows them.
            if text is not None and (pattern.search(text) or ".j2" in text):
                yield self.survey(path, texts)
