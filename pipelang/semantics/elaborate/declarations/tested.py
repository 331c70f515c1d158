"""The pipeline that a test runs, as mocks and expectations name its parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelang.diagnostics import Help, SafeFix
from pipelang.diagnostics.spelling import closest, only_slip
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.elaborate.context import Context
from pipelang.semantics.elaborate.names.named_items import Contents, contents_of
from pipelang.semantics.elaborate.reach.effects import reached


@dataclass(frozen=True, slots=True)
class Tested:
    """`contents` are the named parts of `pipeline`, `pipelines` all that were elaborated."""

    context: Context
    file: str
    pipeline: p.Pipeline
    contents: Contents
    pipelines: Mapping[str, p.Pipeline]

    def inner(self) -> Iterator[tuple[p.Pipeline, Contents]]:
        """The pipelines that a run of the tested one may come to."""
        for key in sorted(reached(self.context, self.pipeline.name)):
            inner = self.pipelines.get(key)
            if inner is not None and inner is not self.pipeline:
                yield inner, contents_of(inner.block, {}, flawed=inner.name in self.context.flawed)

    def closest(self, name: str, own: list[str], nested: list[str]) -> Help | None:
        """The known name that was most likely meant: a part of the pipeline itself, or one of a
        pipeline that it runs, which is written with that pipeline's name before it.
        """
        last = {path.rpartition(".")[2]: path for path in nested}
        known = [*own, *last]
        close = closest(name, known)
        if close is None:
            return None

        def path(word: str) -> str:
            return word if word in own else last[word]

        slip = name if name in last else only_slip(name, known)
        return SafeFix(f"did you mean `{path(close)}`?", name, None if slip is None else path(slip))
