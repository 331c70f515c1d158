"""Items of pipelines: steps, gates, people, branches, and the outcomes at their ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .actions import Action, Actions
from .quantities import count, duration, share
from .scope import Scope
from .types import BOOL, TEXT, Type, written
from .world import World
from .writing import plain, slip


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


class Items:
    """Writes the items of one pipeline. `depth` says how many branches there are around."""

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
                return f"fail {slip('a code of ours', f'{chr(34)}{code}{chr(34)}', chr(34) + 'timeout' + chr(34))}"
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
        type = self.pick.choice([*kinds, Type("duration"), enum, small, TEXT.maybe, self.types["inner"]])
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
        return self.pick.choice([self.types["answer"]] * 3 + [Type("text", most=90), enum, BOOL, texts])

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

    def fallbacks(self, scope: Scope, type: Type | None) -> tuple[list[Callable[[], Action]], str | None]:
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

    # -------------------------------------------------------------------------------- tests

    def gate(self, scope: Scope) -> Scope:
        """A gate, which may tell that something is there."""
        name = self.w.name("gate")
        absent = scope.absent(self.world.names.types)
        test, known = self.expr(scope, BOOL), scope
        if absent and self.some(0.4):
            path, _ = self.pick.choice(absent)
            test, known = f"{path}?", scope.knowing(path)
        elif not self.depth and self.made.asked and self.some(0.5):
            test = f"{self.made.asked[-1]}.{self.amount} > ${len(self.made.free) + 3}"
            self.made.free.append(name)
        before = self.w.next
        text = f"gate {name}: {slip('wrong type', test, '3')}"
        if self.some(0.5):
            self.w.line(f"{text} else {self.outcome(scope)}")
        else:
            self.w.line(text)
            self.w.line(f"  else {self.outcome(scope)}")
        self.w.declare(name, "gate", before)
        if not self.depth:
            self.made.gates.append(name)
        return known

    def judged(self, scope: Scope) -> Scope:
        """A model's answer, what is made of it, and a gate that sends it back."""
        step, gate = self.w.name("step"), self.w.name("gate")
        answer = self.types["answer"]
        asking = Scope(scope.values, scope.known, budget=True)
        at = self.w.next
        self.actions.chain(f"step {step}: {answer.name} = ", self.actions.ask(asking, answer), [], None)
        self.w.declare(step, "step", at)
        scope = scope.with_value(step, answer)
        fields = self.world.names.types.fields[answer.name]
        flag = next(one.name for one in fields if one.type == BOOL)
        read = f"{step}.{flag}"
        if self.some(0.5):
            value, at = self.w.name("value"), self.w.next
            self.w.line(f"let {value}: bool = {read} or {self.part(scope, BOOL)}")
            self.w.declare(value, "let", at)
            scope, read = scope.with_value(value, BOOL), value
        match self.pick.randrange(3):
            case 0:
                test = f"{step}.confidence >= {slip('wrong unit', '70%', '70')}"
                file = slip("no such file", '"evals/a.jsonl"', '"evals/gone.jsonl"')
                given = f"evidence from {file}"
                given = slip("two kinds of evidence", given, f"{given} catches 90%")
            case _:
                test = read
                given = f"catches {share(self.pick, '90%')} false_alarms {share(self.pick, '3%')}"
        at = self.w.next
        self.w.line(f"gate {gate}: {test} {{ {given} }}")
        self.w.indent += 1
        if self.some(0.7):
            again = slip("redo of nothing", step, gate)
            because = f" because {self.expr(scope, TEXT, 1)}" if self.some(0.4) else ""
            times = slip("out of range", count(self.pick, "2"), "0")
            self.w.line(f"else redo {again} up to {times}{because} else {self.outcome(scope)}")
        else:
            self.w.line(f"else {self.outcome(scope)}")
        self.w.indent -= 1
        self.w.declare(gate, "gate", at)
        if not self.depth:
            self.made.gates.append(gate)
            self.made.steps[step] = answer
            self.made.asked.append(step)
        return scope

    def person(self, scope: Scope) -> Scope:
        role = slip("wrong kind", self.pick.choice(self.world.roles), self.world.tiers[0])
        test = f" when {slip('wrong type', self.expr(scope, BOOL, 1), '3')}" if self.some(0.5) else ""
        shown = self.pick.choice(list(scope.values))
        shown = self.pick.choice((shown, f"[{shown}, 1]", f"{{a: {shown}, b: 1}}"))
        showing = f" showing {slip('unknown name', shown, 'no_such_name')}" if self.some(0.6) else ""
        at = self.w.next
        if self.some(0.5):
            name, kind = self.w.name("approval"), "approve"
            within = f" within {duration(self.pick, '2h')}" if self.some(0.6) else ""
            self.w.line(f"approve {name} by {role}{test}{within}{showing}")
        else:
            name, kind = self.w.name("hold"), "hold"
            self.w.line(f"hold {name} for {duration(self.pick, '15m')} by {role}{test}{showing}")
        self.w.line(f"  else {self.outcome(scope)}")
        self.w.declare(name, kind, at)
        if not self.depth:
            self.made.people[name] = kind
        return scope

    def remember(self, scope: Scope) -> Scope:
        if not self.world.memories:
            return scope
        memory = self.pick.choice(self.world.memories)
        assert memory.returns is not None
        type = memory.returns.inner if memory.returns.kind == "list" else memory.returns
        assert type is not None
        key = slip("wrong type", self.expr(scope, memory.params[0].type, 0), "70%")
        value = slip("wrong type", self.expr(scope, type, 1), "70%")
        self.w.line(f"remember {memory.name}({key}) = {value}")
        return scope

    # ----------------------------------------------------------------------------- branches

    def inside(self, scope: Scope, items: int, ends: bool = False) -> None:
        """The items of a branch."""
        self.depth += 1
        self.w.indent += 1
        for _ in range(items):
            scope = self.item(scope)
        if ends:
            self.w.line(self.outcome(scope))
        self.w.indent -= 1
        self.depth -= 1

    def when(self, scope: Scope) -> Scope:
        absent = scope.absent(self.world.names.types)
        if absent and self.some(0.4):
            path, _ = self.pick.choice(absent)
            self.w.line(f"when not {path}? {{")
            self.inside(scope, 0, ends=True)
            self.w.line("}")
            return scope.knowing(path)
        name = ""
        at = self.w.next
        if self.some(0.5):
            branch = self.w.name("branch")
            name = f"{branch}: "
        test = slip("wrong type", self.expr(scope, BOOL, 1), "3")
        whole = ("budget in a branch", "  budget $1")
        self.w.line(f"when {name}{test} {{")
        self.inside(scope, self.pick.randint(0, 2), ends=self.some(0.5))
        if self.some(0.4):
            self.w.line("} else {")
            self.w.line("  # nothing more", whole)
            self.inside(scope, self.pick.randint(0, 2))
        self.w.line("}")
        if name:
            self.w.declare(name[:-2], "branch", at)
        return scope

    def match(self, scope: Scope) -> Scope:
        found = scope.of_kind(self.world.names.types, "enum", "bool", "text")
        path, type = self.pick.choice(found)
        members = self.world.names.types.members.get(type.name, ["true", "false"])
        mark = self.w.name("mark")
        self.w.mark(mark)
        self.w.line(f"match {path} {{")
        self.w.indent += 1
        if type.kind == "text":
            heads = ['"a", "b"', '"c"', "else"]
        elif len(members) > 2:
            heads = [members[0], ", ".join(members[1:])] if self.some(0.5) else [members[0], "else"]
        else:
            heads = members
        for head in heads:
            first = self.w.next
            double = f"{heads[0]} {{ }}\n{heads[0]} {{ }}"
            self.w.line(f"{head} {{")
            self.inside(scope, self.pick.randint(0, 2), ends=self.some(0.3))
            self.w.line("}")
            if head == heads[-1]:
                self.w.drop("missing arm", first, mark)
            assert double
        self.w.indent -= 1
        self.w.line("}")
        return scope

    def item(self, scope: Scope) -> Scope:
        """Any item that stands among others."""
        deep = self.depth > 1
        ways = [self.let, self.step, self.step, self.step, self.gate, self.person, self.remember]
        if not deep:
            ways += [self.judged, self.judged, self.when, self.when, self.match]
        return self.pick.choice(ways)(scope)


def _modelled(type: Type) -> bool:
    return type.kind in ("record", "enum", "bool", "text", "list") and not type.optional
