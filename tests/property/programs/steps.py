"""Values of pipelines: steps with every action that there is, lets; and outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .actions import Action, Actions
from .scope import Scope
from .types import BOOL, TEXT, Type, written
from .world import World
from .writing import plain, quoted, slip

LISTS = tuple(
    Type("list", inner=Type(kind, most=most), most=6)
    for kind, most in (("int", None), ("money", None), ("text", 40))
)
"""Types of lists that a `let` may have."""


@dataclass
class Made:
    """What a pipeline has at its top level, for what speaks of it: traffic, claims, tests."""

    steps: dict[str, Type] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    gates: list[str] = field(default_factory=list)
    free: list[str] = field(default_factory=list)
    people: dict[str, str] = field(default_factory=dict)
    exits: list[str] = field(default_factory=list)
    codes: list[str] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    quota: bool = False


class Steps:
    """Writes the steps of one pipeline. `depth` says how many branches there are around."""

    def __init__(self, world: World, types: dict[str, Type], returns: Type) -> None:
        self.world = world
        self.w = world.writer
        self.pick = world.pick
        self.actions = Actions(world)
        self.types = types
        self.returns = returns
        self.made = Made()
        self.depth = 0
        self.enders: list[str] = []

    def some(self, chance: float) -> bool:
        return self.pick.random() < chance

    def expr(self, scope: Scope, type: Type, depth: int = 2) -> str:
        return self.world.expressions.make(scope, type, depth)

    def part(self, scope: Scope, type: Type) -> str:
        return self.world.expressions.part(scope, type, 1)

    def outcome(self, scope: Scope) -> str:
        """An outcome in words."""
        match self.pick.randrange(5):
            case 0:
                wrong = "70%" if self.returns.kind != "probability" else "true"
                value = slip("wrong type", self.expr(scope, self.returns, 0), wrong)
                return f"return {value}"
            case 1:
                return "reject" + ' "not for us"' * self.some(0.5)
            case 2:
                code = self.w.name("code")
                return f"fail {slip('a code of ours', quoted(code), quoted('timeout'))}"
            case _:
                role = slip("wrong kind", self.pick.choice(self.world.roles), self.world.tiers[0])
                text = ' "please look"' * self.some(0.6)
                shown = f" with {self.pick.choice(list(scope.values))}" if self.some(0.4) else ""
                return f"escalate to {role}{text}{shown}"

    # ------------------------------------------------------------------------------- values

    @property
    def amount(self) -> str:
        """The field of an answer that holds an amount of money."""
        fields = self.world.names.types.fields[self.types["answer"].name]
        return next(one.name for one in fields if one.type.kind == "money")

    def let(self, scope: Scope) -> Scope:
        """A value with its type, or without where it can be read off."""
        if self.some(0.1):
            name = self.w.name("value")
            at = self.w.line(f"let {name} = {self.expr(scope, BOOL)}")
            self.w.declare(name, "let", at)
            return scope.with_value(name, BOOL)
        enum, small = self.types["enum"], self.types["small"]
        kinds = [TEXT, BOOL, Type("int"), Type("number"), Type("money"), Type("probability")]
        type = self.pick.choice(
            [*kinds, Type("duration"), enum, small, TEXT.maybe, self.types["inner"], *LISTS]
        )
        name = self.w.name("value")
        wrong = "70%" if type.kind != "probability" else "true"
        before = f"let {name}: {written(type)} = "
        value = slip("wrong type", self.expr(scope, type), wrong)
        at = self.w.line(before + value, ("used before it is made", f"{before}{name}"))
        self.w.declare(name, "let", at)
        return scope.with_value(name, type)

    def answered(self) -> Type:
        """A type that a model can be asked for."""
        enum, texts = self.types["enum"], Type("list", inner=Type("text", most=9), most=3)
        return self.pick.choice(
            [self.types["answer"]] * 3 + [Type("text", most=90), enum, BOOL, texts]
        )

    def step(self, scope: Scope, acts: bool = True) -> Scope:
        """A step of any kind; `acts` allows what people and the world notice."""
        asking = Scope(scope.values, scope.known, budget=True)
        name = self.w.name("step")
        if self.some(0.2):
            self.w.line(f"## What {name.replace('_', ' ')} finds out.")
        make, type, explicit = self.action(asking, acts)
        shown = f": {written(type)}" if type is not None and (explicit or self.some(0.4)) else ""
        others, end = self.fallbacks(asking, type)
        at = self.w.next
        before = f"step {name}{slip('no type', shown, '') if explicit == 2 else shown} = "
        self.actions.chain(before, make, others, end)
        self.w.declare(name, "step", at)
        if type is None:
            return scope
        if not self.depth:
            self.made.steps[name] = type
            if plain(make.head).startswith("agent "):
                self.made.agents.append(name)
        return scope.with_value(name, type)

    def effect(self, scope: Scope) -> Scope:
        """A call of a tool that acts on the world for good."""
        tools = [tool for tool in self.world.tools if tool.permit]
        tool, name = self.pick.choice(tools), self.w.name("step")
        at = self.w.next
        self.actions.write(f"step {name} = ", self.actions.call(scope, tool))
        self.w.declare(name, "step", at)
        if tool.returns is None:
            return scope
        self.made.steps[name] = tool.returns
        return scope.with_value(name, tool.returns)

    def fallbacks(
        self, scope: Scope, type: Type | None
    ) -> tuple[list[Callable[[], Action]], str | None]:
        """Other actions for the same answer, and how a chain may end."""
        others: list[Callable[[], Action]] = []
        if type is not None and type.kind not in ("time",):
            if self.some(0.2) and _modelled(type):
                others.append(lambda: self.actions.ask(scope, type))
            if self.some(0.3):
                others.append(lambda: self.actions.value(scope, type))
        return others, self.outcome(scope) if self.some(0.4) else None

    def action(self, scope: Scope, acts: bool) -> tuple[Action, Type | None, int]:
        """An action, what it answers, and 1 if that must be written, 2 if it cannot be left out."""
        actions, world = self.actions, self.world
        tools = [tool for tool in world.tools if acts or tool.effect in ("read", "pure")]
        lists = [
            (path, type)
            for path, type in scope.of_kind(world.names.types, "list")
            if type.inner is not None
        ]
        match self.pick.randrange(14 if acts else 9):
            case 0 | 1 | 2:
                type = self.answered()
                return actions.ask(scope, type), type, 2
            case 3 | 4:
                tool = self.pick.choice(tools)
                return actions.call(scope, tool), tool.returns, 0
            case 5 if world.memories:
                memory = self.pick.choice(world.memories)
                assert memory.returns is not None
                type = memory.returns if memory.returns.kind == "list" else memory.returns.maybe
                return actions.recall(scope, memory), type, 0
            case 6 | 12 if lists:
                path, list_type = self.pick.choice(lists)
                assert list_type.inner is not None
                each = actions.each(scope, path, list_type.inner)
                if each is not None:
                    return each[0], each[1], 0
            case 7:
                return self.chosen(scope)
            case 8:
                type = self.answered()
                return actions.ask(scope, type, agent=True), type, 2
            case 9 | 10 if world.pipelines:
                pipeline = self.pick.choice(world.pipelines)
                return actions.run(scope, pipeline), pipeline.returns, 0
            case 11:
                type = self.answered()
                return actions.person(scope), type, 2
        type = self.pick.choice([TEXT, BOOL, Type("int"), Type("money"), self.types["inner"]])
        return actions.value(scope, type), type, 1

    def chosen(self, scope: Scope) -> tuple[Action, Type | None, int]:
        """`match` over actions."""
        enums = scope.of_kind(self.world.names.types, "enum")
        path, type = self.pick.choice(enums)
        members = self.world.names.types.members[type.name]
        answer = self.answered()
        arms = []
        for at, member in enumerate(members):
            if at == 0 or (at == 1 and self.some(0.5)):
                action = self.actions.ask(scope, answer)
                options = f" {{ {' '.join(action.options)} }}" if action.options else ""
                arms.append(f"{member} => {plain(action.head + options)}")
            else:
                arms.append(f"{member} => {plain(self.expr(scope, answer, 0))}")
        made = Action(f"match {path} {{", [], arms, out_of_place="timeout 2s")
        return made, answer, 1


def _modelled(type: Type) -> bool:
    return type.kind in ("record", "enum", "bool", "text", "list") and not type.optional
