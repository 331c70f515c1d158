"""Items, blocks and pipelines of the texts of `generate_mixed`."""

from __future__ import annotations

from .mixed_actions import MixedActions
from .mixed_tests import ACCURACIES, SHARES, TEXT, MixedScope


class MixedItems(MixedActions):
    """Makes whole pipelines."""

    def outcome(self, s: MixedScope) -> str:
        match self.rng.randrange(6):
            case 0 | 1:
                return "escalate to desk"
            case 2:
                return f"escalate to desk with {self.text(s)}"
            case 3:
                return 'fail "broken"'
            case 4:
                return f"return {self.returned(s)}"
            case _:
                return "reject"

    def returned(self, s: MixedScope) -> str:
        made = [n for n in s.made if s.types[n] == "A"]
        if made and not self.one_in(5):
            return self.rng.choice(made)
        return self.record(s, "A")

    def step(self, s: MixedScope, indent: str) -> str:
        kind = "D" if self.one_in(6) else "A"
        name = self.name("s")
        file = self.evidence() if self.one_in(3) and self.measured and not self.hard else None
        links = [self.action(s, kind, 0, file)]
        if self.one_in(4):
            links.append(self.action(s, kind, 1))
        plain = True
        if kind == "A" and self.one_in(8):
            links.append(
                f"{self.record(s, 'A')} {{ accuracy {self.rate(ACCURACIES)} correlation 0% }}"
            )
            plain = False
        elif self.one_in(4):
            links.append(self.outcome(s))
        written = f"\n{indent}  else ".join(links)
        type_ = "decision Kind" if kind == "D" else "A"
        s.types[name] = kind
        s.made.append(name)
        if not plain:
            s.open.add(name)
        if (file is not None and " else " not in written) or file is not None:
            s.files[name] = file  # type: ignore[assignment]
        if "by desk" in written or "run act" in written:
            s.window.clear()
        else:
            s.window.append(name)
        return f"{indent}step {name}: {type_} = {written}"

    def each(self, s: MixedScope, indent: str) -> str:
        rng = self.rng
        lists = s.of("[Q]")
        name, item = self.name("e"), self.name("item")
        if lists and not self.one_in(4):
            over = rng.choice(lists)
            if over not in s.open:
                s.traffic.setdefault(
                    f"{over}.length", f"{rng.choice(['0', '0.5', '1', '1.5', '2'])} mean"
                )
        else:
            over = "[" + ", ".join(rng.choice(s.of("Q")) for _ in range(rng.choice([1, 2]))) + "]"
        inner = s.inside()
        inner.types[item] = "Q"
        acts = self.acts
        if self.one_in(2):
            self.acts = False
        links = [self.action(inner, "A", 0)]
        if self.one_in(3):
            links.append(self.action(inner, "A", 1))
        if self.one_in(3):
            links.append(rng.choice(["escalate to desk", "reject", 'fail "gone"']))
        self.acts = acts
        need = rng.choice(["all", "all", "any", "50%", "90%"])
        ordered = "ordered " if self.one_in(3) else ""
        parallel = f"parallel {rng.choice([1, 2])} " if not ordered and self.one_in(3) else ""
        body = " else ".join(links)
        kind = "A" if need == "all" else "A?"
        s.types[name] = f"[{kind}]"
        s.window.append(name)
        last = f" else {self.outcome(s)}" if self.one_in(3) else ""
        made = f"each {item} in {over} {ordered}{{ {body} }} {{ {parallel}need {need} }}"
        return f"{indent}step {name}: [{kind}] max 2 = {made}{last}"

    def gate(self, s: MixedScope, indent: str) -> str:
        rng = self.rng
        name = self.name("g")
        rates = ""
        judged = [n for n in s.made if s.types[n] == "A" and n not in s.open]
        confident = self.confidence(s) if self.one_in(2) else None
        if confident is not None:
            test = confident
        elif judged and self.one_in(2):
            test = f"{rng.choice(judged)}.ok"
            if len(judged) > 1 and self.one_in(3):
                test += f' and {rng.choice(judged)}.body != ""'
            if self.one_in(2):
                catches, alarms = self.rate(["50", "80", "100"]), self.rate(["0", "10"])
                rates = f" {{ catches {catches} false_alarms {alarms} }}"
            else:
                said = self.share()
                if self.one_in(2):
                    said = f"{rng.choice(SHARES)}% if right, {rng.choice(SHARES)}% if wrong"
                s.traffic[name] = said
        else:
            test = self.condition(s)
        redo = ""
        back = [n for n in s.window if n + "." in test]
        if back and not self.one_in(3):
            redo = f"\n{indent}  else redo {rng.choice(back)} up to {rng.choice([1, 1, 2])}"
        return f"{indent}gate {name}: {test}{rates}{redo}\n{indent}  else {self.outcome(s)}"

    def item(self, s: MixedScope, indent: str, depth: int) -> str:
        rng = self.rng
        ways = ["step"] * 5 + ["each"] * 3 + ["gate"] * 4 + ["let"] * 2
        if depth < 2:
            ways += ["when"] * 2 + ["match"]
        if self.acts:
            ways += ["person"] * 2 + ["write", "remember"]
        if not s.made:
            ways = ["step", "step", "each", "let"]
        match rng.choice(ways):
            case "each":
                return self.each(s, indent)
            case "gate":
                return self.gate(s, indent)
            case "let":
                name = self.name("l")
                if self.one_in(3):
                    alike = s.of("Q", "A")
                    source = rng.choice(alike)
                    if source in s.open:
                        s.open.add(name)
                    s.types[name] = s.types[source]
                    s.alias[name] = s.alias.get(source, source)
                    if self.one_in(3) and len(s.of(s.types[source])) > 2:
                        other = rng.choice([n for n in s.of(s.types[source]) if n != name])
                        del s.types[name]
                        c = self.condition(s)
                        s.types[name] = s.types[source]
                        s.open.add(name)
                        del s.alias[name]
                        return f"{indent}let {name} = if {c} then {source} else {other}"
                    return f"{indent}let {name} = {source}"
                c = self.condition(s)
                s.bools.append(name)
                return f"{indent}let {name} = {c}"
            case "when":
                c = self.condition(s)
                label = f"{self.name('w')}: " if self.one_in(3) else ""
                s.window.clear()
                end = self.one_in(2)
                then = self.block(s.inside(), indent + "  ", 2, depth + 1, end)
                other = self.block(
                    s.inside(), indent + "  ", 2, depth + 1, not end and self.one_in(2)
                )
                alt = f" else {{\n{other}\n{indent}}}" if self.one_in(2) else ""
                return f"{indent}when {label}{c} {{\n{then}\n{indent}}}{alt}"
            case "match":
                named = [n for n in s.of("Q", "A") if n not in s.open]
                name = rng.choice(named or s.of("Q"))
                s.say(name, f"{name}.kind", self.kinds())
                s.window.clear()
                a = self.block(s.inside(), indent + "    ", 2, depth + 1, False)
                b = self.block(s.inside(), indent + "    ", 2, depth + 1, self.one_in(2))
                first = rng.choice(["plain, tricky", "odd", "plain"])
                arms = [f"{indent}  {first} {{", a, f"{indent}  }}", f"{indent}  else {{", b]
                return "\n".join(
                    [f"{indent}match {name}.kind {{", *arms, f"{indent}  }}", f"{indent}}}"]
                )
            case "person":
                name = self.name("a")
                s_when = f" when {self.condition(s)}" if self.one_in(3) else ""
                showing = f" showing {self.text(s)}" if not self.one_in(3) else ""
                back = [n for n in s.window if showing and f" {n}." in showing]
                s.window.clear()
                if self.one_in(2):
                    within = " within 10m" if self.one_in(2) else ""
                    redo = f" else redo {back[0]} up to 1" if back else ""
                    asks = f"approve {name} by desk{s_when}{within}{showing}{redo}"
                    return f"{indent}{asks} else {self.outcome(s)}"
                return (
                    f"{indent}hold {name} for 10m by desk{s_when}{showing} else {self.outcome(s)}"
                )
            case "write":
                name = self.name("w")
                s.window.clear()
                last = f" else {self.outcome(s)}" if self.one_in(2) else ""
                sends = f"call send({self.text(s)}) {{ retry {rng.choice([0, 1])} timeout 10s }}"
                return f"{indent}step {name} = {sends}{last}"
            case "remember":
                s.window.clear()
                return f"{indent}remember notes({self.text(s)}) = {self.text(s)}"
            case _:
                return self.step(s, indent)

    def block(self, s: MixedScope, indent: str, most: int, depth: int, end: bool) -> str:
        lines = []
        for _ in range(self.rng.randint(1, most)):
            if self.left <= 0:
                break
            self.left -= 1
            lines.append(self.item(s, indent, depth))
        if end:
            lines.append(f"{indent}{self.outcome(s)}")
        return "\n".join(lines)

    def pipeline(self, name: str, params: list[tuple[str, str]], most: int, hard: str) -> str:
        types = {
            n: {TEXT: "T", "bool": "B", "Kind": "K"}.get(t, t.split(" ")[0]) for n, t in params
        }
        s = MixedScope(types, {})
        for n, t in params:
            if t == "bool":
                s.traffic[n] = self.share()
                s.bools.append(n)
            if t == "Kind":
                s.traffic[n] = self.kinds()
            if t.startswith("["):
                s.traffic[f"{n}.length"] = f"{self.rng.choice(['0.5', '1', '2'])} mean"
            if "?" in t:
                s.types.pop(n)
                s.optional.append(n)
        self.left = most
        body = self.block(s, "  ", most, 0, False)
        body += f"\n  return {self.returned(s)}"
        lines = [f"    {k}: {v}" for k, v in s.traffic.items()]
        if hard:
            lines.insert(0, f"    hard: {hard}")
        traffic = "  traffic 100/day {\n" + "\n".join(lines) + "\n  }\n" if lines else ""
        budget = "  budget $1000\n" if self.budget else ""
        given = ", ".join(f"{n}: {t}" for n, t in params)
        return f"pipeline {name}({given}) -> A {{\n{budget}{traffic}{body}\n}}"
