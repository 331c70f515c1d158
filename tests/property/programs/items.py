"""Items of pipelines that are no values: gates, people, branches."""

from __future__ import annotations

from .quantities import count, drift, duration, share
from .scope import Scope
from .steps import Steps
from .types import BOOL, TEXT
from .writing import slip


class Items(Steps):
    """Writes the items of one pipeline."""

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
        self.actions.chain(
            f"step {step}: {answer.name} = ", self.actions.ask(asking, answer), [], None
        )
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
                bar = slip("wrong unit", "70%", "70")
                if self.some(0.3):
                    bar = f"(if {self.part(scope, BOOL)} then 70% else {bar})"
                test = f"{step}.confidence >= {bar}"
                file = slip("no such file", '"evals/a.jsonl"', '"evals/gone.jsonl"')
                given = f"evidence from {file}{drift(self.pick)}"
                given = slip("two kinds of evidence", given, f"{given} catches 90%")
            case _:
                test = read
                given = f"catches {share(self.pick, '90%')} false_alarms {share(self.pick, '3%')}"
        at, kind = self.w.next, "gate"
        if self.made.gates and self.some(0.25):
            kind = "approve"
            self.w.line(f"approve {gate} by {self.pick.choice(self.world.roles)} showing {step}")
        else:
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
        self.w.declare(gate, kind, at)
        if not self.depth:
            if kind == "gate":
                self.made.gates.append(gate)
            else:
                self.made.people[gate] = kind
            self.made.steps[step] = answer
            self.made.asked.append(step)
        return scope

    def person(self, scope: Scope) -> Scope:
        role = slip("wrong kind", self.pick.choice(self.world.roles), self.world.tiers[0])
        test = (
            f" when {slip('wrong type', self.expr(scope, BOOL, 1), '3')}" if self.some(0.5) else ""
        )
        shown = self.pick.choice(list(scope.values))
        shown = self.pick.choice((shown, f"[{shown}, 1]", f"{{a: {shown}, b: 1}}"))
        showing = (
            f" showing {slip('unknown name', shown, 'no_such_name')}" if self.some(0.6) else ""
        )
        at = self.w.next
        if self.some(0.5):
            name, kind = self.w.name("approval"), "approve"
            within = f" within {duration(self.pick, '2h')}" if self.some(0.6) else ""
            self.w.line(f"approve {name} by {role}{test}{within}{showing}")
        else:
            name, kind, within = self.w.name("hold"), "hold", ""
            self.w.line(f"hold {name} for {duration(self.pick, '15m')} by {role}{test}{showing}")
        self.w.line(f"  else {self.outcome(scope)}")
        self.w.declare(name, kind, at)
        if not self.depth:
            self.made.people[name] = f"{kind}{' within' if kind == 'approve' and within else ''}"
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
            self.w.line(f"{head} {{")
            self.inside(scope, self.pick.randint(0, 2), ends=self.some(0.3))
            self.w.line("}")
            if head == heads[-1]:
                self.w.drop("missing arm", first, mark)
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
