"""Which constructs a program holds, so that a test can say what the random models really cover.

The names are for reading a failure as much as for counting: a set of seeds that disagree and have
one construct in common points at it. Names that start with `open:` mark places where the design's
text leaves room and the oracle had to choose a reading.
"""

from __future__ import annotations

from collections.abc import Iterator

from . import expressions as e
from . import model as m
from .lookup import Lookup
from .traverse import (
    all_items,
    argument_exprs,
    blocks,
    outcome_exprs,
    route_of,
    step_exprs,
    steps_of,
    tested_exprs,
)


def constructs(program: m.Program) -> frozenset[str]:
    return frozenset(Survey(program).found())


class Survey:
    """One pipeline of a program, the main one unless another is given."""

    def __init__(self, program: m.Program, pipeline: m.Pipeline | None = None) -> None:
        self.items = (pipeline or program.pipeline).items
        self.lookup = Lookup(program, pipeline)
        self.ancestry: dict[str, frozenset[str]] = {}
        for step in steps_of(self.items):
            self.ancestry[step.name] = self.read(*step_exprs(step)) | {step.name}

    def found(self) -> Iterator[str]:
        yield from self.in_block(self.items)
        for item in all_items(self.items):
            yield type(item).__name__.lower()
            match item:
                case m.Step():
                    yield from self.in_step(item)
                case m.Let(type=type_):
                    yield "let: condition" if type_ == "bool" else "let: value"
                case m.Hold() | m.Approve():
                    yield "people: showing" if item.showing is not None else "people: all so far"
                    if item.when is not None:
                        yield "people: when"
                case m.When(name=name, otherwise=otherwise):
                    if name is not None:
                        yield "when: named"
                    if otherwise:
                        yield "when: else"
                case _:
                    pass
            if isinstance(item, m.Gate | m.When):
                yield from self.in_test(item.test)
            for block in blocks(item):
                yield from self.in_block(block)
                if any(blocks(inner) for inner in block):
                    yield "nested branches"
        yield from self.joins()
        yield from self.draws_in_common()

    # --- who reads what ---------------------------------------------------------------------

    def read(self, *exprs: e.Expr) -> frozenset[str]:
        """Every step that some expressions hang on, near or far."""
        names = {name for expr in exprs for name in self.lookup.mentions(expr)}
        return frozenset().union(*(self.ancestry.get(name, frozenset()) for name in names))

    def shares_an_ancestor(self, *exprs: e.Expr) -> bool:
        names = {name for expr in exprs for name in self.lookup.mentions(expr)}
        parents = [self.ancestry[name] for name in names if name in self.ancestry]
        return any(a & b for i, a in enumerate(parents) for b in parents[i + 1 :])

    def joins(self) -> Iterator[str]:
        for item in all_items(self.items):
            exprs: tuple[e.Expr, ...] = tested_exprs(item)
            if isinstance(item, m.Step):
                exprs = tuple(x for link in item.links for x in argument_exprs(link))
            elif isinstance(item, m.Return):
                exprs = outcome_exprs(item)
            if exprs and self.shares_an_ancestor(*exprs):
                yield "diamond"

    def draws_in_common(self) -> Iterator[str]:
        """Chance that is shared between places that look independent."""
        paths: list[e.Path] = []
        judged: list[e.Expr] = []
        thresholds: dict[str, set[e.Confidence]] = {}
        for item in all_items(self.items):
            judges = isinstance(item, m.Gate | m.When) and isinstance(
                item.test.source, m.Rates | m.Share
            )
            for expr in tested_exprs(item):
                if judges:
                    judged.append(expr)
                    continue
                parts = list(e.subexpressions(expr))
                paths += {part for part in parts if isinstance(part, e.Path) and part.field}
                for part in parts:
                    if isinstance(part, e.Confidence):
                        thresholds.setdefault(part.step, set()).add(part)
            if isinstance(item, m.Match):
                paths.append(item.path)
            if isinstance(item, m.Step):
                paths += {route.path for link in item.links if (route := route_of(link))}
        if len(set(paths)) < len(paths):
            yield "one path read twice"
        if len(set(judged)) < len(judged):
            yield "one expression judged twice"
        if any(len(found) > 1 for found in thresholds.values()):
            yield "several thresholds on one confidence"

    # --- inside one item --------------------------------------------------------------------

    def in_step(self, step: m.Step) -> Iterator[str]:
        providers: list[str] = []
        for link in step.links:
            yield f"link: {type(link.action).__name__.lower()}"
            if link.retry:
                yield "retry"
            if link.recovers:
                yield "recovers"
            if isinstance(link.accuracy, m.FromFile):
                yield "accuracy from a file"
            if isinstance(link.accuracy, m.ByTier):
                yield "accuracy by tier"
            if isinstance(link.action, m.Ask):
                route = route_of(link)
                if route is not None:
                    yield "route"
                tiers = [link.action.by] if link.action.by in self.lookup.tiers else []
                tiers += [tier for _, tier in route.arms] if route is not None else []
                shaky = {self.lookup.tiers[tier].provider for tier in tiers}
                providers += [name for name in shaky if self.lookup.available[name] < 1]
            if isinstance(link.action, m.Call) and self.lookup.tools[link.action.tool].writes:
                yield "write"
                if self.read(*argument_exprs(link)):
                    yield "write of what a step made"
                if self.lookup.tools[link.action.tool].accuracy < 1:
                    yield "open: a write with an accuracy of its own"
        if len(set(providers)) < len(providers):
            yield "outage shared by link and fallback"
        if len(step.links) > 1:
            yield "fallback"
        if step.otherwise is not None:
            yield f"step else {type(step.otherwise).__name__.lower()}"
            if outcome_exprs(step.otherwise):
                yield "step else mentions values"

    def in_test(self, test: m.Test) -> Iterator[str]:
        parts = list(e.subexpressions(test.condition))
        for part in parts:
            if isinstance(part, e.Quantified):
                yield f"test: {part.word} over {'elements' if part.variable else 'a list'}"
        if any(isinstance(part, e.Confidence) for part in parts):
            yield "test: confidence"
            if any(isinstance(part, e.Path) for part in parts):
                yield "open: a confidence beside other atoms"
            return
        yield {
            m.Rates: "test: catches",
            m.Share: "test: named share",
            m.FromFile: "test: evidence",
            type(None): "test: paths",
        }[type(test.source)]

    def in_block(self, block: tuple[m.Item, ...]) -> Iterator[str]:
        region: list[m.Step] = []
        seen_branch = False
        for at, item in enumerate(block):
            if isinstance(item, m.Step) and not self.lookup.is_barrier(item):
                region.append(item)
                if len([step for step in region if self.can_end(step)]) > 1:
                    yield "several endings in one region"
            elif not isinstance(item, m.Let):
                region = []
            if isinstance(item, m.Gate | m.Approve) and item.redo is not None:
                yield from self.in_redo(item.redo, block[:at])
                if isinstance(item, m.Approve):
                    yield "redo: by a person"
            seen_branch = seen_branch or any(True for b in blocks(item) for _ in steps_of(b))
            if isinstance(item, m.Hold | m.Approve) and item.showing is None and seen_branch:
                yield "open: a person shown all, after a branch"

    def can_end(self, step: m.Step) -> bool:
        for link in step.links:
            match link.action:
                case m.Pure():
                    return False
                case m.Call(tool=tool):
                    if self.lookup.tools[tool].succeeds == 1:
                        return False
                case m.Ask(by=str() as tier) if tier in self.lookup.tiers:
                    known = self.lookup.tiers[tier]
                    if known.transient == 0 and self.lookup.available[known.provider] == 1:
                        return False
                case _:
                    pass  # routed: one of its tiers may fail
        return True

    def in_redo(self, redo: m.Redo, before: tuple[m.Item, ...]) -> Iterator[str]:
        yield "redo"
        if redo.times > 1:
            yield "redo more than once"
        names = [item.name if isinstance(item, m.Step) else "" for item in before]
        start = names.index(redo.step)
        made_again = {redo.step}
        for item in before[start + 1 :]:
            if isinstance(item, m.Step) and redo.step in self.ancestry[item.name]:
                made_again.add(item.name)
                yield "redo: dependents"
        steps = [self.lookup.steps[name] for name in made_again]
        if any(link.correlation for step in steps for link in step.links):
            yield "redo: correlation"
        for item in before[start + 1 :]:
            if not isinstance(item, m.Gate):
                continue
            if not self.read(item.test.condition) & made_again:
                yield "redo: a gate between keeps its verdict"
                continue
            yield "redo: a gate between is judged again"
            if item.redo is not None:
                yield "redo: nested counters"
                if self.leaves_behind(item, item.redo.step, before, made_again):
                    yield "open: an inner redo makes again what the outer one did not"

    def leaves_behind(
        self, inner: m.Gate, step: str, before: tuple[m.Item, ...], outer: set[str]
    ) -> bool:
        """Whether something below the inner gate reads its redo, but not the outer one's."""
        below = before[before.index(inner) + 1 :]
        later = [item.name for item in below if isinstance(item, m.Step)]
        return any(step in self.ancestry[name] and name not in outer for name in later)
