"""Random programs with every construct of the language: sub-pipelines, lists, agents, memories.

`generate` is left as it is, seed for seed. Here a theme turns one construct up and keeps the rest
of the pipeline short: a sub-pipeline or a list multiplies runs as nothing else does.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import count

from . import expressions as e
from . import model as m
from .generate import STRAIGHT, USUAL
from .generate_actions import LAST, NOTES, ActionMaker, Child
from .palette import SHARES, TEXT
from .scope import Scope
from .traverse import all_items, all_links, steps_of

PLAIN = {"plain": 6, "vote": 0, "cascade": 0, "agent": 0, "pick": 0, "asked": 0, "run": 0}
PLAIN |= {"cache": 0, "each": 0, "recall": 0, "remember": 0, "list": 0, "children": 0, "acts": 0}
# `children` counts sub-pipelines, `acts` is how many of eight of them have effects or people.
THEMES: dict[str, dict[str, int]] = {
    "run": {"run": 8, "children": 1, "gate": 2},
    "run several": {"run": 14, "children": 1, "plain": 2},
    "run deep": {"run": 10, "children": 3},
    "run that acts": {"run": 9, "children": 1, "acts": 8, "write": 2},
    "run redone": STRAIGHT | {"run": 8, "children": 1, "redo": 6, "gate": 4, "links": 0},
    "each": {"each": 9, "list": 1},
    "each redone": STRAIGHT | {"each": 6, "redo": 6, "gate": 4, "links": 0, "vote": 1, "agent": 1},
    "each of runs": {"each": 9, "run": 8, "children": 1, "list": 1},
    "each of anything": {"each": 9, "list": 1, "plain": 2}
    | {"vote": 3, "cascade": 4, "agent": 4, "pick": 4, "cache": 1},
    "each that acts": {"each": 9, "run": 6, "children": 1, "acts": 8, "asked": 2},
    "agent": {"agent": 9, "cache": 1},
    "memory": {"recall": 6, "remember": 6, "when": 4, "hold": 2},
    "cache": {"cache": 7, "vote": 3, "cascade": 3, "agent": 3},
    "cache redone": STRAIGHT | {"cache": 6, "redo": 6, "gate": 4, "vote": 2, "links": 0},
    "vote": {"vote": 9},
    "cascade": {"cascade": 9},
    "asked": {"asked": 7, "hold": 2},
    "pick": {"pick": 8, "vote": 1, "agent": 1, "when": 3},
    "several redone": STRAIGHT
    | {"vote": 5, "cascade": 5, "agent": 3, "pick": 4, "redo": 6, "gate": 4, "links": 0},
    "all": {"vote": 1, "cascade": 1, "agent": 1, "pick": 1, "asked": 1, "run": 3}
    | {"children": 2, "acts": 3, "cache": 1, "each": 2, "recall": 1, "remember": 1, "list": 1},
}
PRICES = [Fraction(n) for n in (0, 0, 1000, 2500)]


RECALLED = [(NOTES, f"[{TEXT}] max 5"), (LAST, "Answer?"), (LAST, "Answer?")]


@dataclass
class WideMaker(ActionMaker):
    """Makes the items of one pipeline, the main one or a sub-pipeline."""

    result: str = "Output"

    def item(self, scope: Scope, depth: int) -> m.Item:
        extra = ["each", "recall", "remember", "list"]
        usual = sum(self.theme[kind] for kind in ("step", "gate", "let", "when", "write", "hold"))
        wanted = sum(self.theme[kind] for kind in extra)
        if not scope.steps() or self.rng.randrange(usual + wanted) >= wanted:
            item = super().item(scope, depth)
            if isinstance(item, m.Let) and isinstance(item.value, e.ListOf):
                scope.literal.add(item.name)
            return item
        match self.weighted(extra):
            case "each":
                return self.added(self.each(scope), scope)
            case "recall":
                return self.recall(scope)
            case "list":
                return self.list_of(scope)
            case _:
                scope.close()
                memory, value = NOTES, self.some_text(scope)
                answers = [name for name in scope.values() if scope.record(name) == "Answer"]
                if answers and self.palette.one_in(2):
                    memory, value = LAST, e.Path(self.rng.choice(answers))
                return m.Remember(memory, self.some_text(scope), value)

    def step(self, scope: Scope) -> m.Step:
        inner = scope.inside()
        return self.added(super().step(inner), scope)

    def added(self, step: m.Step, scope: Scope) -> m.Step:
        """Puts a step into the scope, as what it has turned out to be."""
        links = list(all_links(step.links))
        kinds = {type(link.action) for link in links}
        if kinds & {m.RunPipeline, m.Each, m.Recall}:
            # What a copy of such an answer would be is open, so nothing is copied beside them.
            step = replace(step, links=tuple(uncorrelated(link) for link in step.links))
        barrier = any(self.acts(link.action) for link in links)
        if barrier:
            scope.close()
        plain = step.type.isidentifier() and m.Pure not in kinds
        scope.add_step(step, plain=plain, redoable=self.correlated and not barrier)
        return step

    def acts(self, action: m.Action) -> bool:
        match action:
            case m.Ask(by=str() as who):
                return who in {role.name for role in self.palette.roles}
            case m.Call(tool=tool):
                return next(x for x in self.palette.tools if x.name == tool).writes
            case m.RunPipeline(pipeline=name):
                return next(c for c in self.children if c.pipeline.name == name).acts
            case _:
                return False

    def recall(self, scope: Scope) -> m.Step:
        memory, kind = self.rng.choice(RECALLED)
        link = m.Link(m.Recall(memory, self.some_text(scope)))
        step = self.added(m.Step(self.name("recalled"), kind, (link,)), scope)
        scope.records[step.name] = "texts" if memory == NOTES else kind
        return step

    def list_of(self, scope: Scope) -> m.Step | m.Let:
        """A list of questions: made by a step, or a literal one."""
        if self.palette.one_in(3):
            let = m.Let(self.name("let"), "[Question] max 2", self.literal_list(scope, "Question"))
            scope.add_let(let, "[Question] max 2")
            scope.literal.add(let.name)
            scope.countable.add(let.name)
            return let
        kind = "[Question] max 2"
        link = super(ActionMaker, self).link(scope, kind)
        step = self.added(m.Step(self.name("list"), kind, (link,)), scope)
        scope.countable.add(step.name)
        return step

    def gate(self, scope: Scope) -> m.Gate:
        """A redo goes back to a list where it can, since few gates look at one."""
        gate = super().gate(scope)
        targets = scope.redo_targets(gate.test.condition)
        lists = [name for name in targets if scope.record(name).startswith("[")]
        if gate.redo is None or not lists:
            return gate
        return replace(gate, redo=replace(gate.redo, step=lists[-1]))

    def outcome(self, scope: Scope, answers: bool) -> m.Outcome:
        if not answers or not self.suffix:
            return super().outcome(scope, answers)
        record = self.result
        alike = [name for name in scope.steps() if scope.record(name) == record]
        if alike and not self.palette.one_in(5):
            return m.Return(e.Path(self.palette.some(alike, 1, 1)[0]))
        return m.Return(self.record_literal(scope, record))


def uncorrelated(link: m.Link) -> m.Link:
    if link.correlation is not None:
        link = replace(link, correlation=Fraction(0))
    match link.action:
        case m.Pick(arms=arms) as pick:
            return replace(
                link, action=replace(pick, arms=tuple((p, uncorrelated(x)) for p, x in arms))
            )
        case _:
            return link


def child_of(maker: WideMaker, number: int, rng: random.Random) -> Child:
    """A sub-pipeline: short, with traffic of its own, able to run those before it."""
    acts = rng.randrange(8) < maker.theme["acts"]
    theme = dict(maker.theme)
    if not acts:
        theme |= {"hold": 0, "approve": 0, "write": 0, "remember": 0, "asked": 0}
    else:
        theme |= {"write": 4, "hold": 1, "approve": 1}
    if theme["redo"] > 5:
        theme["cache"] = 0  # whether a redo of the caller reads it is open
    theme["each"] //= 4
    below = [child for child in maker.children if acts or not child.acts]
    inner = WideMaker(rng, theme, left=rng.randint(2, 4), children=below)
    inner.palette = maker.palette.for_child()
    inner.tests.palette = inner.palette
    inner.suffix = f"_{'abc'[number]}"
    inner.result = rng.choice(["Answer", "Answer", "Note"])
    more = ["Question", "Answer", "Note", TEXT, "bool"]
    types = ["Question", *rng.sample(more, rng.randint(0, 1))]
    if rng.randrange(8) < maker.theme["each"] // 2:
        types.append("[Question] max 2")
    inputs = tuple(m.Input(f"given_{i}{inner.suffix}", kind) for i, kind in enumerate(types))
    scope = Scope({}, set())
    for item in inputs:
        scope.add_value(item.name, "" if item.type == TEXT else item.type)
        if item.type == "bool":
            inner.palette.said(e.Path(item.name), rng.choice(SHARES))
        elif item.type.startswith("["):
            inner.length(item.name, 2)
    items = inner.block(scope, most=4, depth=1)
    items.append(inner.outcome(scope, answers=True))
    shares = tuple(inner.palette.shares.values())
    name = f"child{inner.suffix}"
    return Child(m.Pipeline(name, inputs, inner.result, shares, tuple(items)), acts)


# What the main pipeline of a theme must have, for a seed to be worth its place.
WANTED: dict[str, type[object]] = {
    "run": m.RunPipeline,
    "each": m.Each,
    "agent": m.Agent,
    "memory": m.Recall,
    "cache": m.Cache,
    "vote": m.Vote,
    "cascade": m.Cascade,
    "pick": m.Pick,
}


def has_wanted(program: m.Program, theme: str) -> bool:
    wanted = [kind for word, kind in WANTED.items() if word in theme.split()]
    if "runs" in theme.split():
        wanted.append(m.RunPipeline)
    there: set[type[object]] = set()
    for step in steps_of(program.pipeline.items):
        for link in all_links(step.links):
            there |= {type(link.action), type(link.vote), type(link.cache)}
            if isinstance(link.action, m.Ask):
                there.add(type(link.action.by))
    redone = "redone" not in theme.split() or any(
        isinstance(item, m.Gate) and item.redo for item in all_items(program.pipeline.items)
    )
    return redone and all(kind in there for kind in wanted)


def generate_wide(seed: int) -> m.Program:
    """The first program from this seed that has what its theme is about."""
    name = list(THEMES)[seed % len(THEMES)]
    for number in count():
        program = program_of(random.Random(seed * 1000 + number), USUAL | PLAIN | THEMES[name])
        if has_wanted(program, name) or number == 50:
            return program
    raise AssertionError("unreachable")


def program_of(rng: random.Random, theme: dict[str, int]) -> m.Program:
    maker = WideMaker(rng, theme, left=rng.randint(3, 7))
    palette = maker.palette
    palette.tiers = tuple(replace(tier, price=rng.choice(PRICES)) for tier in palette.tiers)
    for number in range(theme["children"] - (theme["children"] > 2 and rng.randrange(2))):
        maker.children.append(child_of(maker, number, rng))
    inputs = tuple(m.Input(f"input_{i}", "Question") for i in range(rng.randint(1, 2)))
    scope = Scope.of(inputs)
    if theme["each"] and rng.randrange(2):
        inputs = (*inputs, m.Input("parts", "[Question] max 3"))
        scope.add_value("parts", "[Question] max 3")
    items = maker.block(scope, most=6, depth=0)
    items.append(maker.outcome(scope, answers=True))
    return m.Program(
        providers=palette.providers,
        tiers=palette.tiers,
        roles=palette.roles,
        enums=palette.enums,
        records=palette.records,
        tools=tuple(palette.tools),
        files=tuple(palette.files),
        pipeline=m.Pipeline("main", inputs, "Output", tuple(palette.shares.values()), tuple(items)),
        children=tuple(child.pipeline for child in maker.children),
        memories=(m.Memory(NOTES, f"[{TEXT}] max 5"), m.Memory(LAST, "Answer")),
    )


def pipelines_of(program: m.Program) -> Iterator[m.Pipeline]:
    yield from program.children
    yield program.pipeline
