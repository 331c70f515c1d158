"""Actions with their options, and chains of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from .quantities import count, dollars, drift, duration, share, tokens
from .scope import Scope
from .types import TEXT, Field, Type
from .world import Offer, World
from .writing import Writer, plain, slip

RETRIED = "retried effect"
"""A mistake that only the analysis sees."""


@dataclass
class Action:
    """The words of an action, its options, each on a line, and what lines stand inside it."""

    head: str
    options: list[str] = field(default_factory=list)
    inside: list[str] = field(default_factory=list)
    out_of_place: str = "steps 3"
    misfit: str = "option out of place"
    always: bool = False


class Actions:
    """Writes actions. `needs` are the permits that were needed, with the line of the first need."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.needs: dict[str, int] = {}

    @property
    def pick(self) -> Random:
        return self.world.pick

    @property
    def w(self) -> Writer:
        return self.world.writer

    def some(self, chance: float) -> bool:
        return self.pick.random() < chance

    def expr(self, scope: Scope, type: Type, depth: int = 1) -> str:
        return self.world.expressions.make(scope, type, depth)

    def arguments(self, scope: Scope, params: tuple[Field, ...], named: bool = True) -> str:
        """Arguments for parameters: by position or by name, some defaults left out."""
        given = [(one, self.expr(scope, one.type)) for one in params]
        if given and given[-1][0].has_default and self.some(0.5):
            given.pop()
        if named and given and self.some(0.3):
            words = ", ".join(f"{one.name}: {value}" for one, value in given)
            twice = f"{words}, {given[0][0].name}: {given[0][1]}"
            return slip("double argument", words, twice)
        words = self.world.expressions.given([value for _, value in given])
        if (
            len(given) < len(params) or given[0][0].type.optional
        ):  # one may be left out, and one more may be it
            return ", ".join(value for _, value in given)
        if given and given[0][0].type.kind not in ("json", "bool"):
            rest = [value for _, value in given[1:]]
            words = slip("wrong type of an argument", words, ", ".join(["true", *rest]))
        return words

    # ------------------------------------------------------------------------ what acts

    def ask(self, scope: Scope, type: Type, agent: bool = False) -> Action:
        prompt = self.pick.choice(self.world.prompts)
        name = slip("wrong kind", prompt.name, self.world.tiers[0])
        head = f"{name}({self.arguments(scope, prompt.params)})"
        if agent:
            return self.agent(scope, head)
        tiers = self.world.tiers
        match self.pick.randrange(6):
            case 0 | 1:
                who = slip("unknown tier", self.pick.choice(tiers), "no_such_tier")
                return Action(f"ask {head} by {who}", self.model(scope))
            case 2:
                return self.routed(scope, head)
            case 3 if self.world.names.types.fields.get(type.name, [])[-1:] == [
                Field("confidence", Type("probability"))
            ]:
                first, other = self.pick.sample(tiers, 2)
                until = slip("wrong type", "it.confidence >= 80%", "it.confidence")
                asked = slip("double tier", f"{first}, {other}", f"{first}, {first}")
                options = [self.by_tier([first, other]), f"catches {share(self.pick, '70%')}"]
                options.append(f"false_alarms {share(self.pick, '10%')}")
                return Action(f"ask {head} by cascade({asked}) until {until}", options)
            case 4:
                limit = dollars(self.pick, "$0.10")
                first, other = self.pick.sample(tiers, 2)
                test = f"budget.remaining < {limit}"
                if self.some(0.4):
                    test = f"budget.remaining.tokens < {tokens(self.pick, '1k tokens')}"
                who = f"if {test} then {first} else {other}"
                return Action(f"ask {head} by {who}", self.model(scope)[:2])
            case _:
                return Action(f"ask {head} by {self.pick.choice(tiers)}", self.model(scope))

    def routed(self, scope: Scope, head: str) -> Action:
        """A route by an enum, a bool, or a condition."""
        tiers = self.pick.sample(self.world.tiers, 2)
        enums = scope.of_kind(self.world.names.types, "enum")
        if enums and self.some(0.7):
            path, type = self.pick.choice(enums)
            members = self.world.names.types.members[type.name]
            arms = [f"{members[0]} => {tiers[0]}", f"else => {tiers[1]}"]
            all_arms = slip("missing arm", "  ".join(arms), arms[0])
            who = f"match {path} {{ {all_arms} }}"
        else:
            who = f"if {self.expr(scope, Type('bool'))} then {tiers[0]} else {tiers[1]}"
        return Action(f"ask {head} by {who}", [self.by_tier(tiers), *self.model(scope)[:1]])

    def by_tier(self, tiers: list[str]) -> str:
        file = slip("no such file", '"evals/a.jsonl"', '"evals/gone.jsonl"')
        kinds = (
            share(self.pick, "80%"),
            share(self.pick, "8 of 10"),
            f"from {file}{drift(self.pick)}",
        )
        rates = [f"{tier} {self.pick.choice(kinds)}" for tier in tiers]
        words = ", ".join(rates)
        others = [tier for tier in self.world.tiers if tier not in tiers]
        if others:
            # One that is not asked may be named beside those that are, not in place of one.
            words = slip("tier not named", words, ", ".join([f"{others[0]} 90%", *rates[1:]]))
        return f"accuracy {slip('double tier', words, f'{words}, {rates[0]}')}"

    def model(self, scope: Scope) -> list[str]:
        """Options of one question to a model; the first is no accuracy."""
        pick = self.pick
        knob = next((n for n, t in self.world.names.settings.items() if t.kind == "duration"), "9s")
        key = slip("unknown name", plain(self.expr(scope, TEXT, 0)), "no_such_name")
        options = [
            f"timeout {slip('wrong unit', pick.choice(('10s', knob, '(2 * 5s)')), '5%')}",
            f"retry {count(pick, '2')}" + f" backoff {duration(pick, '1s')}..30s" * self.some(0.5),
            f"output {tokens(pick, '90 tokens')} mean, {tokens(pick, '300 tokens')} max",
            pick.choice(("effort low", "effort medium", "effort high", "thinking 2k tokens")),
            f"recovers {share(pick, '20%')}",
            f"correlation {share(pick, '30%')}",
            f"cache {duration(pick, '1h')} by {key} hits {share(pick, '80%')}",
            f"batch within {duration(pick, '1h')}",
            pick.choice((f"vote {count(pick, '3')}", f"vote lead {count(pick, '2')} of 5")),
        ]
        chosen = pick.sample(options, pick.randint(1, 4))
        evidence = slip("no such file", '"evals/a.jsonl"', '"evals/gone.jsonl"')
        rate = pick.choice(
            (share(pick, "92%"), share(pick, "9 of 10"), f"from {evidence}{drift(pick)}")
        )
        return [*chosen, f"accuracy {rate}"] if self.some(0.8) else chosen

    def person(self, scope: Scope) -> Action:
        prompt, role = self.pick.choice(self.world.prompts), self.pick.choice(self.world.roles)
        options = [f"timeout {duration(self.pick, '2h')}"] * self.some(0.5)
        head = f"ask {prompt.name}({self.arguments(scope, prompt.params)}) by {role}"
        return Action(head, options, out_of_place="effort low")

    def agent(self, scope: Scope, head: str) -> Action:
        readers = [tool.name for tool in self.world.tools if tool.effect in ("read", "pure")]
        writers = [tool.name for tool in self.world.tools if tool.effect == "write"]
        pipelines = [one for one in self.world.pipelines if not one.permit]
        given = [*readers[:1], *(one.name for one in pipelines[:1])]
        names = slip("unknown tool", ", ".join(given), "no_such_tool")
        if writers:
            names = slip("agent with an effect", names, ", ".join([*given, writers[0]]))
        steps = slip("out of range", count(self.pick, "9"), "0")
        options = [f"steps {steps}", f"turns {slip('contradiction', '3', '30')}"]
        tier = slip("wrong kind", self.pick.choice(self.world.tiers), self.world.roles[0])
        words = f"agent {head} by {tier} with {names}"
        return Action(words, options, out_of_place="parallel 2")

    def call(self, scope: Scope, tool: Offer) -> Action:
        options = [f"timeout {duration(self.pick, '2s')}"] if self.some(0.4) else []
        out_of_place, misfit = "effort low", "option out of place"
        if tool.effect == "irreversible":
            out_of_place, misfit = "retry 3", RETRIED
        elif self.some(0.3) and tool.effect == "read":
            options.append(f"correlation {share(self.pick, '10%')}")
        if tool.permit:
            self.needs.setdefault(tool.permit, self.w.next)
        name = slip("wrong kind", tool.name, self.world.prompts[0].name)
        words = f"call {name}({self.arguments(scope, tool.params)})"
        pure = tool.effect == "pure"
        return Action(words, options, out_of_place=out_of_place, misfit=misfit, always=pure)

    def run(self, scope: Scope, pipeline: Offer) -> Action:
        for permit in filter(None, pipeline.permit.split()):
            self.needs.setdefault(permit, self.w.next)
        options = [f"timeout {duration(self.pick, '2m')}"] * self.some(0.3)
        words = f"run {pipeline.name}({self.arguments(scope, pipeline.params)})"
        return Action(words, options, out_of_place="effort low")

    def recall(self, scope: Scope, memory: Offer) -> Action:
        key = slip("wrong type", self.expr(scope, memory.params[0].type, 0), "70%")
        return Action(f"recall {memory.name}({key})", out_of_place="retry 1")

    def value(self, scope: Scope, type: Type) -> Action:
        options = [f"accuracy {share(self.pick, '60%')}"] * self.some(0.5)
        wrong = "70%" if type.kind != "probability" else "true"
        value = self.expr(scope, type, 0)
        right = slip("wrong type", value, wrong) if type.kind != "json" else value
        return Action(right, options, out_of_place="timeout 3s", always=True)

    def each(self, scope: Scope, path: str, element: Type) -> tuple[Action, Type] | None:
        """One action for each element; and the type of an answer."""
        name = self.w.name("one")
        inner = scope.with_value(name, element)
        tools = [tool for tool in self.world.tools if tool.returns and tool.effect == "read"]
        if not tools:
            return None
        tool = self.pick.choice(tools)
        assert tool.returns is not None
        body = plain(self.call(inner, tool).head)
        if self.some(0.6):
            body += f" else {plain(self.expr(inner, tool.returns, 0))}"
        ordered = " ordered" * self.some(0.3)
        over = slip("no list", path, "3")
        need = self.pick.choice(("all", "any", "90%"))
        made = Action(
            f"each {name} in {over}{ordered} {{",
            [f"parallel {count(self.pick, '4')}"] * (not ordered) + [f"need {need}"],
            [body],
            out_of_place="effort low",
        )
        answered = tool.returns if need == "all" else tool.returns.maybe
        return made, Type("list", inner=answered, most=5)

    # ------------------------------------------------------------------------ what is written

    def write(self, before: str, action: Action, after: str = "") -> None:
        """An action with its options, behind what stands before it."""
        w = self.w
        closing = ""
        if action.inside:
            w.line(before + action.head)
            w.indent += 1
            for line in action.inside:
                w.line(line)
            w.indent -= 1
            before, closing = "", "}"
        else:
            before += action.head
        if not action.options:
            out = f"{before}{closing} {{ {action.out_of_place} }}"
            w.line(f"{before}{closing}{after}", (action.misfit, out))
            return
        if len(action.options) == 1 and self.some(0.5):
            text = f"{before}{closing} {{ {action.options[0]} }}{after}"
            w.line(
                text,
                (
                    "double option",
                    f"{before}{closing} {{ {action.options[0]} {action.options[0]} }}",
                ),
            )
            return
        w.line(f"{before}{closing} {{")
        w.indent += 1
        for option in action.options:
            # An effect that is retried is told of where its call begins, which is another line.
            there = "effort low" if action.misfit == RETRIED else action.out_of_place
            wrong = f"{option} {there}"
            w.line(option, ("double option", f"{option} {option}"), ("option out of place", wrong))
        w.indent -= 1
        w.line("}" + after)

    def chain(
        self, before: str, action: Action, others: list[Callable[[], Action]], end: str | None
    ) -> None:
        """An action, its fallbacks (made when it is their turn), and an outcome."""
        self.write(before, action)
        self.w.indent += 1
        for other in others:
            if action.always:
                break
            action = other()
            self.write("else ", action)
        if end is not None and not action.always:
            self.w.line(f"else {end}")
        self.w.indent -= 1
