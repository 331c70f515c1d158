"""The state of a server: open files, what is known of each, and the work that is under way.

A change is answered in two strides. At once, in a thread: the file is surveyed (read, names,
types), which gives its findings and all that requests ask of it. Then, in another process: its
numbers. Of a file that has changed since, the last numbers stay, and say that they are from before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from pipelang.interfaces.check.check import findings_before_analysis
from pipelang.interfaces.check.disk_loader import SUFFIX
from pipelang.interfaces.check.profiles.nearest import NAME as CONFIGURATION
from pipelang.interfaces.check.profiles.nearest import Configs
from pipelang.interfaces.language_server.analysis.background import Background
from pipelang.interfaces.language_server.analysis.plain_findings import (
    PlainFinding,
    plain_finding,
)
from pipelang.interfaces.language_server.documents import Documents
from pipelang.interfaces.language_server.open_files import OpenFiles
from pipelang.records import dataclass, field
from pipelang.semantics.build import Survey, survey

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")

PAUSE = 0.15
"""Seconds without a key after which numbers are worked out; findings wait for nothing."""
LONGEST_WAIT = 2.0
"""Seconds that a request waits for the survey of the text as it is now."""

COMPUTING, CURRENT, STALE, BROKEN, FAILED = "computing", "current", "stale", "broken", "failed"
"""The state of a file's numbers; `broken`: it has errors, so there are none of it as it is."""


@dataclass(slots=True)
class Root:
    """All that is known of an open file as the root of a program.

    `texts` are those of the open files of which the survey is, `version` the client's number of the
    root's own: a key may have come since. `numbers` (None: never had any) are
    of `numbers["texts"]`, and `quick` are the findings of that text that needed no analysis.
    `some` are lenses that are there already of numbers that are being worked out, of the text as it
    is, and `left` is the count of pipelines without one.
    """

    path: str
    survey: Survey | None = None
    findings: list[PlainFinding] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    version: int | None = None
    sound: Survey | None = None
    numbers: dict[str, Any] | None = None
    advice: dict[str, Any] = field(default_factory=dict)
    quick: list[PlainFinding] = field(default_factory=list)
    state: str = COMPUTING
    job: int = 0
    some: dict[str, str] = field(default_factory=dict)
    left: int = 0
    looked_at: int = 0
    """The moment at which it was written in or asked about last, in a count of such moments."""

    @property
    def files(self) -> frozenset[str]:
        """The files that the survey hangs on: imports, templates and evidence, faulty or not."""
        return frozenset() if self.survey is None else self.survey.files

    def is_made_of(self, path: str) -> bool:
        """Whether a file is a part of the program: its text, or evidence that could be read."""
        if self.survey is None:
            return False
        draft = self.survey.draft
        return path in self.survey.built.sources or (draft is not None and path in draft.evidence)


class EditorSession:
    """`published` is called when findings of a root changed, `shown` when its numbers did."""

    def __init__(self, published: Callable[[Root], None], shown: Callable[[Root], None]) -> None:
        self.documents = Documents()
        self.roots: dict[str, Root] = {}
        self.background = Background(self._looked_at_last)
        self._published, self._shown = published, shown
        self._dirty: set[str] = set()
        # Touched while a survey is under way: what that hangs on is known once it is made.
        self._meanwhile: set[str] = set()
        self._appeared = False
        self._moments = 0
        self._thread = ThreadPoolExecutor(1, "survey")
        self._long = ThreadPoolExecutor(1, "workspace")
        self._surveying: asyncio.Task[None] | None = None
        self._later: dict[str, asyncio.TimerHandle] = {}
        self._closed = False

    # ------------------------------------------------------------------------------ changes

    def touched(self, paths: Iterable[str], appeared: bool = False) -> None:
        """Some files have changed: here or on the disk. `appeared`: some may not have been there
        before, so that whoever lacks one looks again.
        """
        changed = set(paths)
        self._meanwhile |= changed
        self._appeared |= appeared
        whole = any(path.endswith(CONFIGURATION) for path in changed)
        for path in self.documents.open:
            if not path.endswith(SUFFIX):
                continue
            root = self.roots.setdefault(path, Root(path))
            if path in changed:
                self._look_at(root)
            lacks = appeared and _lacks_something(root)
            if whole or lacks or path in changed or changed & root.files:
                self._dirty.add(path)
                self.background.cancel(path)
                root.some = {}
                if root.state == CURRENT:
                    root.state = STALE
        if self._dirty and (self._surveying is None or self._surveying.done()):
            self._surveying = asyncio.ensure_future(self._survey_all())

    def forget(self, path: str) -> Root | None:
        """A file was closed."""
        self._dirty.discard(path)
        self.background.cancel(path)
        handle = self._later.pop(path, None)
        if handle is not None:
            handle.cancel()
        return self.roots.pop(path, None)

    async def close(self) -> None:
        """End all work."""
        self._closed = True
        self._dirty.clear()
        for handle in self._later.values():
            handle.cancel()
        await self.background.close()
        for threads in (self._thread, self._long):
            threads.shutdown(wait=False, cancel_futures=True)

    async def in_thread(self, work: Callable[..., Answer], *given: Any) -> Answer:
        """The result of something about one file, while others are answered."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, lambda: work(*given))

    async def over_workspace(self, work: Callable[..., Answer], *given: Any) -> Answer:
        """The result of something about all files: no key waits for it."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._long, lambda: work(*given))

    # ------------------------------------------------------------------------------ surveys

    async def fresh(self, path: str) -> Root | None:
        """A root with the survey of its text as it is now, or the last one if that takes long."""
        if path in self.roots:
            self._look_at(self.roots[path])
        for _ in range(3):
            task = self._surveying
            if path not in self._dirty and (task is None or task.done()):
                break
            if task is not None:
                await asyncio.wait([task], timeout=LONGEST_WAIT / 3)
        return self.roots.get(path)

    def _look_at(self, root: Root) -> None:
        self._moments += 1
        root.looked_at = self._moments

    def _looked_at_last(self, paths: Iterable[str]) -> str:
        """The file whose turn it is: a library that hundreds of open files import makes all of them
        wait, and somebody looks at one or two.
        """
        known = self.roots
        return max(paths, key=lambda path: known[path].looked_at if path in known else 0)

    async def _survey_all(self) -> None:
        while self._dirty and not self._closed:
            path = self._looked_at_last(self._dirty)
            self._dirty.remove(path)
            root = self.roots.get(path)
            if root is None:
                continue
            texts = self.documents.texts()
            document = self.documents.open.get(path)
            version = None if document is None else document.version
            self.documents.enter()
            self._meanwhile, self._appeared = set(), False
            try:
                made, findings = await self.in_thread(look, path, texts)
            except Exception as broken:  # a mistake of ours must not end the server
                if isinstance(broken, OSError) and self.documents.enter():
                    self._dirty.add(path)  # the folder was deleted meanwhile
                    continue
                log.exception("`%s` could not be surveyed", path)
                root.state = FAILED
                self._shown(root)
                continue
            if self.roots.get(path) is not root:
                continue  # closed meanwhile
            root.survey, root.findings = made, findings
            root.texts, root.version = texts, version
            if self._meanwhile & root.files or (self._appeared and _lacks_something(root)):
                self._dirty.add(path)
            if made.built.program is not None:
                root.sound = made
                root.state = STALE if root.numbers is not None else COMPUTING
                self._plan(root)
            else:
                root.state = BROKEN
                self._shown(root)
            self._published(root)

    # ------------------------------------------------------------------------------ numbers

    def _plan(self, root: Root) -> None:
        """Have numbers worked out once nobody types any more."""
        handle = self._later.pop(root.path, None)
        if handle is not None:
            handle.cancel()
        pause = PAUSE if root.numbers is not None else 0.0
        loop = asyncio.get_running_loop()
        self._later[root.path] = loop.call_later(pause, self._ask, root)

    def _ask(self, root: Root) -> None:
        self._later.pop(root.path, None)
        if self.roots.get(root.path) is not root or root.path in self._dirty:
            return
        quick, texts = root.findings, root.texts

        def tell(number: int, answer: dict[str, Any]) -> None:
            if number != root.job or self.roots.get(root.path) is not root:
                return
            if "some" in answer:
                if root.texts is texts:
                    root.some = {**root.some, **answer["some"]}
                    root.left = answer["left"]
                    self._shown(root)
                return
            if "numbers" in answer:
                root.some = {}
                root.numbers, root.quick = answer["numbers"], quick
                root.advice = {}
                root.state = CURRENT if root.texts is texts else STALE
            elif "advice" in answer:
                root.advice = answer["advice"]
            elif answer.get("failed"):
                root.state = FAILED
            else:
                return
            self._published(root)
            self._shown(root)

        self.background.cancel(root.path)
        root.some = {}
        needed = {
            path: text
            for path, text in texts.items()
            if path in root.files or path.endswith(CONFIGURATION)
        }
        needed.setdefault(root.path, texts.get(root.path, ""))
        root.job = self.background.ask(root.path, needed, tell)
        if root.state != CURRENT:
            self._shown(root)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way."""
        surveyed = not self._dirty and (self._surveying is None or self._surveying.done())
        return surveyed and not self._later and self.background.is_idle


def look(path: str, texts: dict[str, str]) -> tuple[Survey, list[PlainFinding]]:
    """The survey of a file, and its findings that need no analysis."""
    loader = OpenFiles(texts)
    made = survey(path, loader)
    found = findings_before_analysis(made.built, path, loader, Configs(loader))
    return made, [plain_finding(one) for one in found]


def _lacks_something(root: Root) -> bool:
    """Whether a root has errors, which a file that was not there before may mend."""
    return root.survey is None or root.survey.built.program is None
