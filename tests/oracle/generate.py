"""Random pipelines from a seed: small, valid, and crooked on purpose.

A theme turns up what the seed is after (fallbacks at a shared provider, regions in which several
steps end, redo upon redo, people, branches, evidence); everything else stays possible. What the
design leaves open or calls an error is never made: see `Maker` for what is kept apart and why.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from fractions import Fraction

from . import expressions as e
from . import model as m
from .generate_tests import TestMaker
from .palette import ACCURACIES, CORRELATIONS, RECOVERS, TEXT, Palette
from .scope import Scope

# Weights of items, and of what a step or gate may have on top (see where they are read).
USUAL = {"step": 6, "let": 1, "gate": 3, "hold": 1, "approve": 1, "when": 2, "match": 1, "write": 1}
USUAL |= {"links": 1, "otherwise": 1, "redo": 1, "evidence": 1, "sent back": 4}
STRAIGHT = {"hold": 0, "approve": 0, "when": 0, "match": 0, "write": 0}
THEMES: dict[str, dict[str, int]] = {
    "mixed": {},
    "diamond": {"step": 12, "let": 3},
    "chain": {"step": 10, "links": 3, "otherwise": 2},
    "region": {"step": 14, "otherwise": 4, "links": 2},
    "redo": STRAIGHT | {"gate": 4, "redo": 6, "links": 0},
    "people": {"hold": 4, "approve": 4, "step": 6, "redo": 2, "sent back": 5},
    "branch": {"when": 5, "match": 3},
    "effect": {"write": 5},
    "evidence": {"gate": 5, "when": 3, "match": 0, "evidence": 6, "redo": 3},
    "redo again": STRAIGHT | {"step": 4, "gate": 4, "redo": 6, "evidence": 3, "when": 1},
}


@dataclass
class Maker:
    """Makes the items of one pipeline.

    Kept apart: a step with an expression in its chain gives no path or confidence to a test
    (whether a fallback literal's field is a draw or known is open); a condition with rates of its
    own reads `ok`, which has no share; one confidence has one file.
    """

    rng: random.Random
    theme: dict[str, int]
    left: int  # how many more items there may be
    palette: Palette = field(init=False)
    tests: TestMaker = field(init=False)

    def __post_init__(self) -> None:
        self.palette = Palette(self.rng, calm=self.calm())
        self.tests = TestMaker(self.rng, self.palette, evidence=self.theme["evidence"])
        self.names = 0
        # Every link of a model that may redo says how it correlates: undeclared it is unknown.
        self.correlated = self.theme["redo"] > 1 or self.palette.one_in(3)

    def calm(self) -> bool:
        return self.theme["redo"] > 5

    def name(self, kind: str) -> str:
        self.names += 1
        return f"{kind}_{self.names}"

    # --- blocks -----------------------------------------------------------------------------

    def block(self, scope: Scope, most: int, depth: int) -> list[m.Item]:
        items: list[m.Item] = []
        while self.left > 0 and len(items) < most:
            self.left -= 1
            items.append(self.item(scope, depth))
        return items

    def item(self, scope: Scope, depth: int) -> m.Item:
        kinds = ["step", "let", "gate", "hold", "approve", "when", "match", "write"]
        if depth == 2 or self.left < 1:
            kinds = kinds[:5]
        if not scope.steps():
            kinds = ["step"]
        match self.rng.choices(kinds, [self.theme[kind] for kind in kinds])[0]:
            case "step":
                return self.step(scope)
            case "let":
                return self.let(scope)
            case "gate":
                return self.gate(scope)
            case "hold" | "approve" as kind:
                return self.person(scope, kind)
            case "when":
                return self.when(scope, depth)
            case "match":
                return self.match(scope, depth)
            case _:
                return self.write(scope)

    def ended_block(self, scope: Scope, depth: int, may_end: bool) -> tuple[m.Item, ...]:
        """The items of a branch, with an outcome at the end of it now and then."""
        inner = scope.inside()
        items = self.block(inner, self.rng.randint(0, 3), depth + 1)
        if (may_end and self.palette.one_in(2)) or not items:
            if may_end:
                items.append(self.outcome(inner, answers=True))
            else:
                items.append(self.step(inner))
        return tuple(items)

    def when(self, scope: Scope, depth: int) -> m.When:
        name = self.name("when") if self.palette.one_in(2) else None
        test = self.tests.of_when(scope, named=name is not None)
        scope.close()
        may_end = self.palette.one_in(2)
        then = self.ended_block(scope, depth, may_end)
        otherwise: tuple[m.Item, ...] = ()
        if self.palette.one_in(2):
            # At most one branch ends: what is below must stay reachable.
            otherwise = self.ended_block(scope, depth, not may_end)
        return m.When(name, test, then, otherwise)

    def match(self, scope: Scope, depth: int) -> m.Match:
        value = self.rng.choice(scope.with_paths())
        record = scope.record(value)
        path = self.palette.kind(value, record)
        scope.close()
        patterns: list[tuple[str, ...]] = [(name,) for name in self.palette.members(record)]
        if self.palette.one_in(3):
            patterns[-1] = ("else",)
        elif len(patterns) == 3 and self.palette.one_in(2):
            patterns = [patterns[0], (*patterns[1], *patterns[2])]
        open_arm = self.rng.randrange(len(patterns))
        arms = [
            (pattern, self.ended_block(scope, depth, number != open_arm))
            for number, pattern in enumerate(patterns)
        ]
        return m.Match(path, tuple(arms))

    # --- steps ------------------------------------------------------------------------------

    def step(self, scope: Scope) -> m.Step:
        record = self.rng.choice(["Answer", "Answer", "Note"])
        links = [self.link(scope, record)]
        while len(links) < 3 and self.rng.randrange(6) < self.theme["links"]:
            links.append(self.link(scope, record))
        pure = len(links) < 3 and self.palette.one_in(8)
        if pure:
            links.append(self.pure(scope, record))
        otherwise = None
        if not pure and self.rng.randrange(5) < self.theme["otherwise"]:
            otherwise = self.outcome(scope, answers=self.palette.one_in(4))
        step = m.Step(self.name("step"), record, tuple(links), otherwise)
        step = self.tests.measured(step)
        scope.add_step(step, plain=not pure, redoable=self.correlated)
        return step

    def correlation(self) -> Fraction | None:
        return self.rng.choice(CORRELATIONS) if self.correlated else None

    def retry(self) -> int:
        return self.rng.choice([0, 0, 0, 1, 2])

    def link(self, scope: Scope, record: str) -> m.Link:
        if self.palette.one_in(3):
            call = self.call(scope, record, writes=False)
            return m.Link(call, retry=self.retry(), correlation=self.correlation())
        names = self.palette.some(scope.values(), 1, 2)
        args, params = [], []
        for name in names:
            whole = scope.record(name) not in ("", "texts") and self.palette.one_in(2)
            args.append(e.Path(name) if whole else scope.text(name))
            params.append(scope.record(name) if whole else scope.text_type(name))
        by, accuracy = self.tier(scope)
        return m.Link(
            m.Ask(tuple(args), tuple(params), by),
            accuracy=accuracy,
            retry=self.retry(),
            recovers=self.rng.choice(RECOVERS) if self.palette.one_in(3) else None,
            correlation=self.correlation(),
        )

    def tier(self, scope: Scope) -> tuple[m.Who, Fraction | m.ByTier]:
        """Who answers, and how well."""
        tiers = [tier.name for tier in self.palette.tiers]
        values = scope.with_paths()
        if not self.palette.one_in(5) or not values:
            return self.rng.choice(tiers), self.rng.choice(ACCURACIES)
        value = self.palette.some(values, 1, 1)[0]
        record = scope.record(value)
        members = self.palette.members(record)
        arms: list[tuple[tuple[str, ...], str]] = [((x,), self.rng.choice(tiers)) for x in members]
        if self.palette.one_in(3):
            arms[-1] = (("else",), arms[-1][1])
        route = m.Route(self.palette.kind(value, record), tuple(arms))
        if self.palette.one_in(2):
            return route, self.rng.choice(ACCURACIES)
        used = sorted({tier for _, tier in arms})
        return route, m.ByTier(tuple((tier, self.rng.choice(ACCURACIES)) for tier in used))

    def call(self, scope: Scope, record: str, writes: bool) -> m.Call:
        names = self.palette.some(scope.texts(), 1, 2)
        tool = self.palette.tool(len(names), record, writes)
        return m.Call(tool.name, tuple(scope.text(name) for name in names))

    def pure(self, scope: Scope, record: str) -> m.Link:
        """An expression as the last link: another value, or a record made from one."""
        same = [name for name in scope.values() if scope.record(name) == record]
        expr: e.Expr
        if same and self.palette.one_in(2):
            expr = e.Path(self.rng.choice(same))
        else:
            body: e.Expr = e.Constant('"none"')
            if self.palette.one_in(2):
                body = scope.text(self.rng.choice(scope.texts()))
            kind = e.Constant(self.palette.members(record)[0])
            flag, sure = e.Constant("false"), e.Constant("50%")
            names = ("flag", "ok", "kind", "confidence", "body")
            expr = e.RecordOf(tuple(zip(names, (flag, flag, kind, sure, body), strict=True)))
        accuracy = self.rng.choice(ACCURACIES)
        return m.Link(m.Pure(expr), accuracy=accuracy, correlation=self.correlation())

    def write(self, scope: Scope) -> m.Step:
        links = [m.Link(self.call(scope, "Note", writes=True), retry=self.retry())]
        if self.palette.one_in(3):
            links.append(m.Link(self.call(scope, "Note", writes=self.palette.one_in(2))))
        otherwise = self.outcome(scope, answers=False) if self.palette.one_in(2) else None
        step = m.Step(self.name("sent"), "Note", tuple(links), otherwise)
        scope.close()
        scope.add_step(step, plain=True, redoable=False)
        return step

    # --- the rest ---------------------------------------------------------------------------

    def let(self, scope: Scope) -> m.Let:
        name = self.name("let")
        values = scope.texts()
        match self.rng.choice(("alias", "choice", "list", "bool", "bool")):
            case "alias":
                source = self.palette.some([x for x in values if scope.record(x)], 1, 1)[0]
                let = m.Let(name, None, e.Path(source))
                scope.add_let(let, scope.record(source))
            case "choice":
                a, b, c = (self.palette.some(values, 1, 1)[0] for _ in range(3))
                condition = e.Path(scope.source(c), "ok")
                value = e.Choice(condition, scope.text(a), scope.text(b))
                let = m.Let(name, TEXT, value)
                scope.add_let(let, "")
            case "list":
                texts = tuple(scope.text(x) for x in self.palette.some(values, 2, 3))
                let = m.Let(name, f"[{TEXT}] max 5", e.ListOf(texts))
                scope.add_let(let, "texts")
            case _:
                let = m.Let(name, "bool", self.tests.condition(scope))
                scope.add_let(let, "bool")
        return let

    def gate(self, scope: Scope) -> m.Gate:
        name = self.name("gate")
        test = self.tests.of_gate(scope)
        redo = None
        targets = scope.redo_targets(test.condition)
        if targets and self.rng.randrange(6) < self.theme["redo"]:
            redo = m.Redo(self.rng.choice(targets), self.rng.choice([1, 1, 2]))
        return m.Gate(name, test, self.outcome(scope, answers=self.palette.one_in(6)), redo)

    def person(self, scope: Scope, kind: str) -> m.Hold | m.Approve:
        role = self.rng.choice(self.palette.roles).name
        when = self.tests.condition(scope) if self.palette.one_in(3) else None
        showing: e.Expr | None = None
        if not self.palette.one_in(3):
            shown = [scope.text(x) for x in self.palette.some(scope.texts(), 1, 2)]
            showing = shown[0] if len(shown) == 1 else e.ListOf(tuple(shown))
        otherwise = self.outcome(scope, answers=False)
        targets = [] if showing is None else scope.redo_targets(showing)
        scope.close()
        if kind == "hold":
            seconds = self.rng.choice([60, 900, 3600])
            return m.Hold(self.name("hold"), seconds, role, otherwise, when, showing)
        within = self.rng.choice([None, 600, 3600])
        redo = None
        if targets and self.rng.randrange(6) < self.theme["sent back"]:
            redo = m.Redo(self.rng.choice(targets), self.rng.choice([1, 1, 2]))
        return m.Approve(self.name("approve"), role, otherwise, when, within, showing, redo)

    def outcome(self, scope: Scope, answers: bool) -> m.Outcome:
        if answers:
            parts = tuple(scope.text(x) for x in self.palette.some(scope.texts(), 1, 3))
            return m.Return(e.RecordOf((("parts", e.ListOf(parts)),)))
        role = self.rng.choice(self.palette.roles).name
        match self.rng.randrange(6):
            case 0 | 1:
                return m.Escalate(role)
            case 2:
                return m.Escalate(role, scope.text(self.palette.some(scope.texts(), 1, 1)[0]))
            case 3 | 4:
                return m.Reject()
            case _:
                return m.Fail(self.rng.choice(["refused", "broken"]))


def generate(seed: int) -> m.Program:
    rng = random.Random(seed)
    theme = USUAL | THEMES[list(THEMES)[seed % len(THEMES)]]
    maker = Maker(rng, theme, left=rng.randint(4, 12))
    inputs = tuple(m.Input(f"input_{i}", "Question") for i in range(rng.randint(1, 2)))
    scope = Scope.of(inputs)
    items = maker.block(scope, most=8, depth=0)
    items.append(maker.outcome(scope, answers=True))
    palette = maker.palette
    return m.Program(
        providers=palette.providers,
        tiers=palette.tiers,
        roles=palette.roles,
        enums=palette.enums,
        records=palette.records,
        tools=tuple(palette.tools),
        files=tuple(palette.files),
        pipeline=m.Pipeline("main", inputs, "Output", tuple(palette.shares.values()), tuple(items)),
    )
