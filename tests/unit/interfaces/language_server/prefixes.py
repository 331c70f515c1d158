"""Half-written files: asks everything that an editor asks at prefixes of files, and times it.

`python -m tests.unit.interfaces.language_server.prefixes` does it at every prefix of every example,
which takes some two hours of CPU. Each file is typed from its beginning to its end, as editors do.
`--which tokens` takes the prefixes that end where a token begins or ends or in its middle, `--which
rest` all others; of them `--every 50` takes every fiftieth, `--first 7` begins at the seventh.
`--part 2/4` is a quarter of the files; names of files ask for those. `--log FILE` writes a line of
JSON a piece of a file, and what stands there of the same text is not asked again. It prints a line
a file and then the slowest answers; its exit code is 1 where an answer broke down or took longer
than it may.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import hashlib
import json
import sys
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from lsprotocol import types as lsp

from pipelang.diagnostics import Source
from pipelang.interfaces.language_server.features.renaming import NameRefused
from pipelang.interfaces.language_server.findings import diagnostics_of
from pipelang.records import dataclass, field
from pipelang.syntax.tokens import tokenize

from .editor import Editor

REPO = Path(__file__).parents[4]
EXAMPLES = sorted(REPO.glob("examples/*/*.pipe"))
LIMIT = 0.1
"""Seconds of CPU that one answer may take: somebody waits for it after a key."""
TRIES = 3
"""Times that an answer is asked for which took longer, the least of which counts."""
PIECE = 100
"""Prefixes that are tried, and remembered, together."""
HALF = "half.pipe"
WHOLE = lsp.Range(lsp.Position(0, 0), lsp.Position(100_000, 0))

Ask = Callable[[], Awaitable[object]]


def questions(editor: Editor, name: str, offset: int) -> Iterator[tuple[str, Ask]]:
    """All that an editor asks about a place of a file, and how."""
    ask, at = editor.requests, editor.at(name, offset)
    document: dict[str, Any] = {"text_document": at["text_document"]}
    path = editor.path(name)

    async def findings() -> object:
        await editor.session.fresh(path)
        return diagnostics_of(path, editor.session.roots, editor.session.documents)

    yield "findings", findings
    place: dict[str, tuple[Callable[[Any], Awaitable[object]], Callable[..., object]]] = {
        "hover": (ask.hover, lsp.HoverParams),
        "completion": (ask.completion, lsp.CompletionParams),
        "signature": (ask.signature_help, lsp.SignatureHelpParams),
        "definition": (ask.definition, lsp.DefinitionParams),
        "highlights": (ask.highlights, lsp.DocumentHighlightParams),
        "prepare rename": (ask.prepare_rename, lsp.PrepareRenameParams),
    }
    for kind, (request, params) in place.items():
        yield kind, lambda request=request, params=params: request(params(**at))  # type: ignore[misc]
    context = lsp.ReferenceContext(include_declaration=True)
    yield "references", lambda: ask.references(lsp.ReferenceParams(context=context, **at))
    yield "rename", lambda: ask.rename(lsp.RenameParams(new_name="never_named", **at))
    whole: dict[str, tuple[Callable[[Any], Awaitable[object]], object]] = {
        "lenses": (ask.lenses, lsp.CodeLensParams(**document)),
        "hints": (ask.hints, lsp.InlayHintParams(range=WHOLE, **document)),
        "actions": (
            ask.code_actions,
            lsp.CodeActionParams(range=WHOLE, context=lsp.CodeActionContext([]), **document),
        ),
        "formatting": (
            ask.formatting,
            lsp.DocumentFormattingParams(options=lsp.FormattingOptions(2, True), **document),
        ),
        "symbols": (ask.symbols, lsp.DocumentSymbolParams(**document)),
        "folds": (ask.folds, lsp.FoldingRangeParams(**document)),
        "selections": (
            ask.selections,
            lsp.SelectionRangeParams(positions=[at["position"]], **document),
        ),
        "tokens": (ask.tokens, lsp.SemanticTokensParams(**document)),
        "workspace symbols": (ask.workspace_symbols, lsp.WorkspaceSymbolParams("e")),
    }
    for kind, (request, given) in whole.items():
        yield kind, lambda request=request, given=given: request(given)  # type: ignore[misc]


async def ask_everything(editor: Editor, name: str, offset: int) -> dict[str, float]:
    """Ask all of it; the CPU time of each answer. A name that is refused is an answer."""
    times = {}
    for kind, ask in questions(editor, name, offset):
        begun = time.process_time()
        try:
            await ask()
        except NameRefused:
            pass
        except Exception as broken:
            broken.add_note(f"{kind} at {offset} of {name}")
            raise
        times[kind] = time.process_time() - begun
    return times


@dataclass(slots=True)
class Trial:
    """What came of many prefixes: the slowest answer of each kind, where it was asked, and what
    broke down, by the line of the code where it did.
    """

    prefixes: int = 0
    slowest: dict[str, tuple[float, str]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)

    def at(self, editor: Editor, text: str, place: str) -> None:
        """Ask everything at the end of a text, which is typed on from what stood there before."""
        self.prefixes += 1
        least: dict[str, float] = {}
        for attempt in range(TRIES):
            _written(editor, text, anew=attempt > 0)
            try:
                times = asyncio.run(ask_everything(editor, HALF, len(text)))
            except Exception as broken:
                last = traceback.extract_tb(broken.__traceback__)[-1]
                said = "".join(traceback.format_exception(broken))
                self.broken.setdefault(f"{last.filename}:{last.lineno}", f"{place}\n{said}")
                return
            least = {kind: min(took, least.get(kind, took)) for kind, took in times.items()}
            if max(least.values()) <= LIMIT:
                break
        for kind, seconds in least.items():
            self._took(kind, seconds, place)

    def _took(self, kind: str, seconds: float, place: str) -> None:
        if seconds > self.slowest.get(kind, (0.0, ""))[0]:
            self.slowest[kind] = (seconds, place)

    def file(self, file: Path, every: int = 1, first: int = 0) -> None:
        """Try every prefix of a file, or every n-th from the first on."""
        text = file.read_text(encoding="utf-8")
        self.ends(file.name, text, range(first, len(text) + 1, every))

    def ends(self, name: str, text: str, ends: Iterable[int]) -> None:
        """Try the prefixes of a text that end at some places, from the first to the last."""
        editor = Editor()
        for end in ends:
            self.at(editor, text[:end], f"{name}:{end}")

    def add(self, other: Trial) -> None:
        """Take in what came of other prefixes."""
        self.prefixes += other.prefixes
        for kind, (seconds, place) in other.slowest.items():
            self._took(kind, seconds, place)
        self.broken = {**other.broken, **self.broken}

    @property
    def slow(self) -> dict[str, tuple[float, str]]:
        """The answers that took longer than they may."""
        return {kind: one for kind, one in self.slowest.items() if one[0] > LIMIT}


def _written(editor: Editor, text: str, anew: bool) -> None:
    """Have the editor's file be a text, typed on where it begins with what is there."""
    opened = editor.session.documents.open.get(editor.path(HALF))
    if opened is None or anew or not text.startswith(opened.text):
        editor.open(HALF, text)
    else:
        editor.write(HALF, text[len(opened.text) :])


def chosen_ends(text: str, which: str) -> list[int]:
    """The ends of the prefixes of a text: `all`, those at and in the middle of `tokens` (comments
    are between them), or the `rest`.
    """
    everywhere = range(len(text) + 1)
    if which == "all":
        return list(everywhere)
    marked = {0, len(text)}
    for token in tokenize(Source("a", text)).tokens:
        marked |= {token.start, (token.start + token.end) // 2, token.end}
    return sorted(marked) if which == "tokens" else [at for at in everywhere if at not in marked]


@dataclass(slots=True)
class TrialLog:
    """Pieces that were tried, a line of JSON each, so that the rest can be tried another day."""

    file: Path | None
    done: dict[str, Trial] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.file is not None and self.file.exists():
            for line in self.file.read_text(encoding="utf-8").splitlines():
                said = json.loads(line)
                slowest = {kind: (took, place) for kind, (took, place) in said["slowest"].items()}
                self.done[said["piece"]] = Trial(said["prefixes"], slowest, said["broken"])

    def tried(self, name: str, text: str, ends: list[int]) -> Trial:
        """What comes of some prefixes, or came of them another day."""
        asked = hashlib.sha256(json.dumps([text[: ends[-1]], ends]).encode()).hexdigest()[:16]
        piece = f"{name} {ends[0]}-{ends[-1]} {asked}"
        if piece not in self.done:
            begun, trial = time.process_time(), Trial()
            gc.collect()
            trial.ends(name, text, ends)
            self.done[piece] = trial
            if self.file is not None:
                said = {
                    "piece": piece,
                    "prefixes": trial.prefixes,
                    "cpu": round(time.process_time() - begun, 2),
                    "slowest": trial.slowest,
                    "broken": trial.broken,
                }
                with self.file.open("a", encoding="utf-8") as log:
                    log.write(json.dumps(said) + "\n")
        return self.done[piece]


def main(arguments: list[str]) -> int:
    """Try files and print what came of it."""
    parser = argparse.ArgumentParser(prog="prefixes", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, default=EXAMPLES)
    parser.add_argument("--which", choices=("all", "tokens", "rest"), default="all")
    parser.add_argument("--every", type=int, default=1, help="take every n-th prefix")
    parser.add_argument("--first", type=int, default=0, help="of them, begin at this one")
    parser.add_argument("--part", default="1/1", help="i/n: the i-th of n parts of the files")
    parser.add_argument("--log", type=Path, help="remember what was tried in this file")
    given = parser.parse_args(arguments)
    part, parts = map(int, given.part.split("/"))
    trial, log = Trial(), TrialLog(given.log)
    gc.freeze()  # what is imported is not looked through again and again
    gc.disable()  # between pieces; a collection in the middle of an answer is none of its work
    for file in given.files[part - 1 :: parts]:
        begun, before = time.process_time(), trial.prefixes
        text = file.read_text(encoding="utf-8")
        ends = chosen_ends(text, given.which)[given.first :: given.every]
        for at in range(0, len(ends), PIECE):
            trial.add(log.tried(file.name, text, ends[at : at + PIECE]))
        took = time.process_time() - begun
        print(f"{trial.prefixes - before:7,} prefixes {took:7.1f} s  {file}", flush=True)
    print(f"{trial.prefixes:,} prefixes, {len(trial.broken)} breakdowns; the slowest in CPU time:")
    for kind, (seconds, place) in sorted(trial.slowest.items(), key=lambda one: -one[1][0]):
        print(f"{seconds * 1000:7.0f} ms  {kind:18} {place}")
    for said in trial.broken.values():
        print(said)
    return 1 if trial.broken or trial.slow else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
