"""The syntax of a pipeline's links and tests, found again for edits of the text.

The program has the meaning of a file and not its wording, but a change is an edit of the text. So
links and tests of the program are located in the syntax tree of their file.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelang.diagnostics import Edit, Source, Sources, Span
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.unique import with_unique_names
from pipelang.semantics.walk import all_items, inner_links
from pipelang.syntax import ast
from pipelang.syntax.parse import parse_kept


@dataclass(frozen=True, slots=True)
class Written:
    """A link of a step: its syntax and its meaning. `head`: the first of its chain. `inside`: the
    sub-pipeline that it is in, seen from a pipeline that runs it. Of two steps of a name the second
    is `reply (2)`, as in the report; in the text its name is that of the `item`.
    """

    step: p.Step
    made: p.Link
    link: ast.Link
    item: ast.Step
    head: bool
    inside: str = ""

    @property
    def place(self) -> str:
        """`reply`, or `child.reply` in a sub-pipeline."""
        return seen_from(self.inside, self.step.name)

    @property
    def name(self) -> str:
        """`reply`, or `reply, else` for what stands behind an `else`."""
        return f"`{self.place}`" if self.head else f"the fallback of `{self.place}`"


def seen_from(inside: str, name: str) -> str:
    """The name of something in a sub-pipeline for those that run it."""
    return f"{inside}.{name}" if inside else name


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file with its declarations."""

    source: Source
    module: ast.Module

    @property
    def text(self) -> str:
        return self.source.text

    def words(self, span: Span) -> str:
        """Return the text at a place."""
        return self.text[span.start : span.end]


def page(sources: Sources, file: str) -> WrittenFile | None:
    """A file that may be edited; None for a library, which is not the reader's own."""
    source = sources.get(file)
    if source is None or file.startswith("std/"):
        return None
    return WrittenFile(source, parse_kept(source).module)


def written_links(page: WrittenFile, pipeline: p.Pipeline, inside: str = "") -> list[Written]:
    """The links of a pipeline in writing order; `inside` is its name where it is a sub-pipeline."""
    declared = declaration(page, pipeline)
    if declared is None:
        return []
    made = {
        link.span: (item, link, number == 0)
        for item in all_items(with_unique_names(pipeline).block)
        if isinstance(item, p.Step)
        for number, link in enumerate(inner_links(item.chain))
    }
    found = []
    for item in steps_of(declared.items):
        for link in _links(item.chain):
            known = made.get(link.span)
            if known is not None:
                step, meant, _ = known
                head = link is item.chain.links[0]
                found.append(Written(step, meant, link, item, head, inside))
    return found


def declaration(page: WrittenFile, pipeline: p.Pipeline) -> ast.PipelineDecl | None:
    """A pipeline as it is written."""
    for one in page.module.declarations:
        if isinstance(one, ast.PipelineDecl) and one.name.text == pipeline.name:
            return one
    return None


def steps_of(items: tuple[ast.Item, ...]) -> Iterator[ast.Step]:
    """The steps among some items and in their branches."""
    for item in items:
        if isinstance(item, ast.Step):
            yield item
        elif isinstance(item, ast.When):
            yield from steps_of(item.then)
            yield from steps_of(item.otherwise or ())
        elif isinstance(item, ast.MatchItem):
            for arm in item.arms:
                if isinstance(arm, ast.MatchItemArm):
                    yield from steps_of(arm.items)


def _links(chain: ast.Chain) -> Iterator[ast.Link]:
    for link in chain.links:
        yield link
        action = link.action
        if isinstance(action, ast.Each):
            yield from _links(action.body)
        elif isinstance(action, ast.MatchAction):
            yield from (arm.link for arm in action.arms if isinstance(arm, ast.Arm))


def option(options: tuple[ast.Option, ...], kind: type[ast.Option]) -> ast.Option | None:
    """The option of a kind, if it is written."""
    return next((one for one in options if isinstance(one, kind)), None)


def with_option(page: WrittenFile, link: ast.Link, words: str) -> Edit:
    """One more option of a link, written as its others are."""
    if not link.options:
        at = link.action.span.end
        return Edit(Span(page.source.name, at, at), f" {{ {words} }}")
    at = link.options[0].span.start
    line = page.text[page.text.rfind("\n", 0, at) + 1 : at]
    gap = f"\n{line}" if not line.strip() else " "
    return Edit(Span(page.source.name, at, at), f"{words}{gap}")
