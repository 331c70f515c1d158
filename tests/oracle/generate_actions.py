"""Random actions of every kind, for the pipelines of `generate_wide`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from . import expressions as e
from . import model as m
from .generate import Maker
from .generate_tests import TestMaker
from .palette import (
    ACCURACIES,
    CATCHES,
    CORRELATIONS,
    FALSE_ALARMS,
    RECOVERS,
    SHARES,
    TEXT,
    percents,
)
from .scope import Scope

HITS = percents("0 10 30 50 90 100")
NEEDS: tuple[Fraction, ...] = tuple(percents("10 50 51 60 90 100"))
VOTES = (
    m.Vote(3), m.Vote(3), m.Vote(2), m.Vote(4), m.Vote(5),
    m.Vote(3, 2), m.Vote(5, 2), m.Vote(5, 3), m.Vote(2, 1), m.Vote(4, 1),
)  # fmt: skip
MEANS = {2: ("0", "1", "1.5", "2"), 3: ("0.5", "1", "2", "2.5", "3")}
NOTES, LAST = "notes", "last"


class WideTests(TestMaker):
    def condition(self, scope: Scope, depth: int = 0) -> e.Expr:
        optional = scope.optional()
        if optional and self.palette.one_in(2):
            name = self.rng.choice(optional)
            return self.palette.said(e.Path(name, "?"), self.rng.choice(SHARES))
        return super().condition(scope, depth)

    def _judged(self, scope: Scope) -> e.Expr:
        """Now and then also about a list that could be made again."""
        judged = super()._judged(scope)
        lists = [name for name in scope.window if scope.record(name).startswith("[")]
        if lists and self.palette.one_in(2):
            return e.And(judged, e.NotEmpty(e.Path(self.rng.choice(lists))))
        return judged


@dataclass(frozen=True, slots=True)
class Child:
    """What a caller must know of a sub-pipeline."""

    pipeline: m.Pipeline
    acts: bool


@dataclass
class ActionMaker(Maker):
    """Makes links of every kind, as the theme weighs them."""

    children: list[Child] = field(default_factory=list)
    suffix: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.tests = WideTests(self.rng, self.palette, evidence=self.theme["evidence"])

    def calm(self) -> bool:
        return True

    def name(self, kind: str) -> str:
        return f"{super().name(kind)}{self.suffix}"

    def weighted(self, kinds: list[str]) -> str:
        return self.rng.choices(kinds, [self.theme[kind] for kind in kinds])[0]

    # --- links ------------------------------------------------------------------------------

    def link(self, scope: Scope, record: str) -> m.Link:
        kinds = ["plain", "vote", "cascade", "agent", "pick", "asked"]
        if any(child.pipeline.result == record for child in self.children):
            kinds.append("run")
        match self.weighted(kinds):
            case "plain":
                link = super().link(scope, record)
            case "vote":
                link = self.vote(scope)
            case "cascade":
                link = self.cascade(scope)
            case "agent":
                link = self.agent(scope)
            case "asked":
                return self.asked(scope)
            case "pick":
                return self.pick(scope, record)
            case _:
                return self.run(scope, record)
        return self.cached(link, scope) if self.rng.randrange(8) < self.theme["cache"] else link

    def arguments(self, scope: Scope) -> tuple[tuple[e.Expr, ...], tuple[str, ...]]:
        args: list[e.Expr] = []
        params: list[str] = []
        for name in self.palette.some(scope.values(), 1, 2):
            whole = scope.record(name) not in ("", "texts") and self.palette.one_in(2)
            args.append(e.Path(name) if whole else scope.text(name))
            params.append(scope.record(name) if whole else scope.text_type(name))
        return tuple(args), tuple(params)

    def tier(self, scope: Scope) -> tuple[m.Who, Fraction | m.ByTier]:
        by, accuracy = super().tier(scope)
        if self.palette.one_in(4):
            then, otherwise = (self.rng.choice(self.palette.tiers).name for _ in range(2))
            by = m.IfRoute(self.tests.condition(scope), then, otherwise)
            accuracy = self.rng.choice(ACCURACIES)
            if then != otherwise and self.palette.one_in(2):
                rates = {tier: self.rng.choice(ACCURACIES) for tier in (then, otherwise)}
                accuracy = m.ByTier(tuple(rates.items()))
        return by, accuracy

    def model_link(self, action: m.Ask | m.Agent, accuracy: Fraction | m.ByTier) -> m.Link:
        return m.Link(
            action,
            accuracy=accuracy,
            retry=self.retry(),
            recovers=self.rng.choice(RECOVERS) if self.palette.one_in(3) else None,
            correlation=self.rng.choice(CORRELATIONS),
        )

    def vote(self, scope: Scope) -> m.Link:
        args, params = self.arguments(scope)
        by, accuracy = self.tier(scope)
        link = self.model_link(m.Ask(args, params, by), accuracy)
        return replace(link, vote=self.rng.choice(VOTES))

    def cascade(self, scope: Scope) -> m.Link:
        args, params = self.arguments(scope)
        names = [tier.name for tier in self.palette.tiers]
        tiers = self.rng.sample(names, min(len(names), self.rng.randint(2, 3)))
        until: e.Expr = e.Path("it", "ok")
        if self.palette.one_in(4):
            until = e.And(until, e.Path(self.rng.choice(scope.with_paths()), "ok"))
        rates = m.Rates(self.rng.choice(CATCHES), self.rng.choice(FALSE_ALARMS))
        accuracy: Fraction | m.ByTier = self.rng.choice(ACCURACIES)
        if not self.palette.one_in(3):
            accuracy = m.ByTier(tuple((tier, self.rng.choice(ACCURACIES)) for tier in tiers))
        return self.model_link(m.Ask(args, params, m.Cascade(tuple(tiers), until, rates)), accuracy)

    def agent(self, scope: Scope) -> m.Link:
        args, params = self.arguments(scope)
        by, accuracy = self.tier(scope)
        turns = self.rng.choice([1, 2, 2, 3, 5])
        steps = turns + self.rng.choice([0, 1, 4])
        tools = tuple(self.free_tool(name) for name in self.rng.choice([("a",), ("a", "b")]))
        return self.model_link(m.Agent(args, params, by, tools, steps, turns), accuracy)

    def free_tool(self, name: str) -> str:
        """A tool of agents: how often they call it nobody says, so it costs nothing."""
        tool = m.Tool(
            f"look_{name}", (TEXT,), "Note", "read", Fraction(9, 10), Fraction(1), Fraction(0)
        )
        if tool not in self.palette.tools:
            self.palette.tools.append(tool)
        return tool.name

    def asked(self, scope: Scope) -> m.Link:
        """A person. `scope` is closed by the step that this ends up in."""
        args, params = self.arguments(scope)
        return m.Link(
            m.Ask(args, params, self.rng.choice(self.palette.roles).name),
            accuracy=self.rng.choice([None, *ACCURACIES]),
            recovers=self.rng.choice(RECOVERS) if self.palette.one_in(3) else None,
            timeout=self.rng.choice([None, 60, 900, 3600]),
        )

    def pick(self, scope: Scope, record: str) -> m.Link:
        value = self.rng.choice(scope.with_paths())
        kind = scope.record(value)
        patterns: list[tuple[str, ...]] = [(name,) for name in self.palette.members(kind)]
        if self.palette.one_in(3):
            patterns[-1] = ("else",)
        elif len(patterns) == 3 and self.palette.one_in(2):
            patterns = [patterns[0], (*patterns[1], *patterns[2])]
        arms = tuple((pattern, self.arm(scope, record)) for pattern in patterns)
        return m.Link(m.Pick(self.palette.kind(value, kind), arms))

    def arm(self, scope: Scope, record: str) -> m.Link:
        """Not another `match`: one level says it all."""
        theme, self.theme = self.theme, {**self.theme, "pick": 0, "plain": 1 + self.theme["plain"]}
        link = self.link(scope, record)
        self.theme = theme
        return link

    def cached(self, link: m.Link, scope: Scope) -> m.Link:
        if not isinstance(link.action, m.Ask | m.Agent | m.Call):
            return link
        names = sorted({name for expr in link.action.args for name in e.names_in(expr)})
        keys = tuple(scope.text(name) for name in self.palette.some(names, 1, 2))
        return replace(link, cache=m.Cache(keys, self.rng.choice(HITS)))

    # --- sub-pipelines ----------------------------------------------------------------------

    def run(self, scope: Scope, record: str) -> m.Link:
        fitting = [child for child in self.children if child.pipeline.result == record]
        child = self.rng.choice(fitting).pipeline
        args = tuple(self.argument(scope, item, child) for item in child.inputs)
        return m.Link(m.RunPipeline(child.name, args), retry=self.retry())

    def argument(self, scope: Scope, item: m.Input, child: m.Pipeline) -> e.Expr:
        said = [share for share in child.shares if share.path.value == item.name]
        if item.type == "bool":
            if self.palette.one_in(3):
                return e.Constant(self.rng.choice(("true", "false")))
            path = e.Path(self.rng.choice(scope.with_paths()), "flag")
            return self.palette.flag(path.value) if self.palette.one_in(2) else path
        if item.type == TEXT:
            return scope.text(self.palette.some(scope.texts(), 1, 1)[0])
        alike = [name for name in scope.values() if scope.record(name) == item.type]
        if item.type.startswith("["):
            if alike and not self.palette.one_in(3):
                name = self.rng.choice(alike)
                root = scope.root(name)
                if said and root is not None and self.palette.one_in(2):
                    self.length(root, 2)
                return e.Path(name)
            return self.literal_list(scope, "Question")
        if alike and not self.palette.one_in(4):
            name = self.palette.some(alike, 1, 1)[0]
            # Now and then the caller says itself what the child would have said.
            if name in scope.plain and self.palette.one_in(2):
                for share in said:
                    if share.path.field == "flag":
                        self.palette.flag(name)
                    elif share.path.field == "kind":
                        self.palette.kind(name, item.type)
            other = self.rng.choice(alike)
            if other != name and self.palette.one_in(4):
                condition = e.Path(self.rng.choice(scope.with_paths()), "ok")
                return e.Choice(condition, e.Path(name), e.Path(other))
            return e.Path(name)
        return self.record_literal(scope, item.type)

    def record_literal(self, scope: Scope, record: str) -> e.RecordOf:
        flag: e.Expr = e.Constant(self.rng.choice(("true", "false")))
        if self.palette.one_in(3):
            flag = self.palette.flag(self.rng.choice(scope.with_paths()))
        kind = e.Constant(self.rng.choice(self.palette.members(record)))
        values = (flag, e.Constant("false"), kind, e.Constant("50%"), self.some_text(scope))
        names = ("flag", "ok", "kind", "confidence", "body")
        return e.RecordOf(tuple(zip(names, values, strict=True)))

    def some_text(self, scope: Scope) -> e.Expr:
        return scope.text(self.palette.some(scope.texts(), 1, 1)[0])

    # --- lists ------------------------------------------------------------------------------

    def length(self, name: str, most: int) -> None:
        mean = Fraction(self.rng.choice(MEANS[most]))
        self.palette.said(e.Path(name, "length"), m.Mean(mean))

    def literal_list(self, scope: Scope, record: str) -> e.ListOf:
        alike = [name for name in scope.values() if scope.record(name) == record]
        elements: list[e.Expr] = []
        for _ in range(self.rng.choice([0, 1, 2, 2])):
            if alike and not self.palette.one_in(4):
                elements.append(e.Path(self.palette.some(alike, 1, 1)[0]))
            else:
                elements.append(self.record_literal(scope, record))
        return e.ListOf(tuple(elements))

    def each(self, scope: Scope) -> m.Step:
        """A step of one `each`: over a list that has a name, or a literal one."""
        named = scope.lists()
        over: e.Expr
        if named and not self.palette.one_in(3):
            name = self.palette.some(named, 1, 1)[0]
            kind = scope.record(name)
            element_type = kind[1 : kind.index("]")]
            most = int(kind.rsplit(" ", 1)[1])
            source = scope.root(name)
            if source is not None:
                self.length(source, most)
            over = e.Path(name)
        else:
            # The type of records and of nothing could not be read off them.
            element_type = self.rng.choice(["Question", *scope.single_records()])
            alike = [name for name in scope.values() if scope.record(name) == element_type]
            names = [self.palette.some(alike, 1, 1)[0] for _ in range(self.rng.randint(1, 2))]
            over, most = e.ListOf(tuple(map(e.Path, names))), 2
        record = self.rng.choice(["Answer", "Note"])
        element = self.name("item")
        inner = scope.inside()
        inner.add_value(element, element_type)
        links = [self.link(inner, record)]
        if self.palette.one_in(3):
            links.append(self.link(inner, record))
        otherwise = self.outcome(inner, answers=False) if self.palette.one_in(3) else None
        need: Fraction | Literal["all", "any"] = self.rng.choice(
            ["all", "all", "any", *self.rng.sample(NEEDS, 2)]
        )
        ordered = self.palette.one_in(2)
        each = m.Each(
            element,
            over,
            tuple(links),
            otherwise,
            ordered=ordered,
            need=need,
            parallel=None if ordered else self.rng.choice([None, None, 1, 2]),
        )
        kind = f"[{record}{'' if need == 'all' else '?'}] max {most}"
        last = self.outcome(scope, answers=False) if self.palette.one_in(3) else None
        return m.Step(self.name("each"), kind, (m.Link(each),), last)
