"""Actions of every kind, for the texts of `generate_mixed`."""

from __future__ import annotations

from .mixed_tests import ACCURACIES, KINDS, RECOVERS, TEXT, MixedScope, MixedTests


class MixedActions(MixedTests):
    """Makes links, and the values that they are given."""

    def prompt(self, *types: str) -> str:
        key = "_".join(types)
        if key not in self.prompts:
            name = "p_" + "_".join(
                "".join(c for c in t.lower() if c.isalpha())[:14] or "x" for t in types
            )
            name = f"{name}_{len(self.prompts)}"
            params = ", ".join(f"x{i}: {t}" for i, t in enumerate(types))
            shown = " ".join(f"{{{{ x{i} }}}}" for i, _ in enumerate(types))
            self.prompts[key] = name
            self.texts.append(f'prompt {name}({params}) """ {shown} """')
        return self.prompts[key]

    def some(self, s: MixedScope) -> tuple[str, str]:
        """A value and its type, whole or a part of it."""
        rng = self.rng
        name = rng.choice([n for n, t in s.types.items() if t in ("Q", "A", "D", "T")][-5:])
        kind = s.types[name]
        if kind == "D":
            return f"{name}.value", "Kind"
        if kind == "T":
            return name, TEXT
        if kind == "Q" and self.one_in(6):
            return f'(if {name}.note? then {name}.note else "none")', TEXT
        if self.one_in(2):
            return f"{name}.body", TEXT
        return name, kind

    def text(self, s: MixedScope) -> str:
        name = self.rng.choice(s.of("Q", "A", "T")[-5:])
        return name if s.types[name] == "T" else f"{name}.body"

    def options(
        self, s: MixedScope, *, file: str | None, extra: str = "", tiers: tuple[str, ...] = ()
    ) -> str:
        rng = self.rng
        words = []
        if file is not None:
            words.append(f'accuracy from "{file}"')
        elif tiers and self.one_in(2):
            rates = ", ".join(f"{t} {self.rate(ACCURACIES)}" for t in dict.fromkeys(tiers))
            words.append(f"accuracy {rates}")
        else:
            words.append(f"accuracy {self.rate(ACCURACIES)}")
        if self.one_in(3):
            words.append(f"recovers {self.rate(RECOVERS)}")
        words.append(f"correlation {rng.choice([0, 0, 30, 100])}%")
        if self.one_in(4):
            words.append(f"retry {rng.choice([1, 2])}")
        words += ["timeout 10s", "output 9 tokens mean, 20 tokens max", extra]
        return " ".join(word for word in words if word)

    def who(self, s: MixedScope) -> tuple[str, tuple[str, ...]]:
        rng = self.rng
        tiers = ["cheap", "mid", "dear"]
        if not self.one_in(4):
            return rng.choice(tiers), ()
        a, b, c = (rng.choice(tiers) for _ in range(3))
        named = [n for n in s.of("Q", "A") if n not in s.open]
        if self.one_in(2) and named:
            name = rng.choice(named)
            s.say(name, f"{name}.kind", self.kinds())
            return f"match {name}.kind {{ plain => {a} tricky => {b} odd => {c} }}", (a, b, c)
        s.by_route = True
        test = self.condition(s)
        s.by_route = False
        return f"(if {test} then {a} else {b})", (a, b)

    def action(self, s: MixedScope, kind: str, depth: int, file: str | None = None) -> str:
        rng = self.rng
        ways = ["ask"] * 5 + ["vote", "cascade", "agent", "role"]
        if kind == "A":
            ways += ["call"] * 2
            if depth < 2:
                ways += ["match"] * 2
            if self.children:
                ways += ["run"] * 5
        way = rng.choice(ways)
        if file is not None:
            way = rng.choice(["ask", "ask", "vote"]) if self.one_in(3) else "ask"
        if way == "role" and (not self.acts or depth > 0):
            way = "ask"
        cache = ""
        given = [self.some(s) for _ in range(rng.choice([1, 1, 2]))]
        if self.cached and self.one_in(3):
            cache = f"cache 1h by {given[0][0].split('.')[0]}.body hits {rng.choice([0, 30, 100])}%"
            if s.types.get(given[0][0].split(".")[0]) not in ("Q", "A"):
                cache = ""
        args = ", ".join(one for one, _ in given)
        prompt = self.prompt(*(t for _, t in given))
        who, tiers = self.who(s)
        match way:
            case "vote":
                vote = rng.choice(["vote 3", "vote 2", "vote lead 2 of 3", "vote lead 1 of 2"])
                extra = f"{vote} {cache}"
                options = self.options(s, file=file, extra=extra, tiers=tiers)
                return f"ask {prompt}({args}) by {who} {{ {options} }}"
            case "cascade":
                first, second = rng.sample(["cheap", "mid", "dear"], 2)
                until = "it.confidence >= 80%" if kind == "D" else "it.ok"
                if self.one_in(3) and s.of("Q"):
                    until += f" and {rng.choice(s.of('Q'))}.flag"
                catches, alarms = self.rate(["50", "90", "100"]), self.rate(["0", "10"])
                extra = f"catches {catches} false_alarms {alarms} {cache}"
                options = self.options(s, file=None, extra=extra, tiers=(first, second))
                who = f"cascade({first}, {second}) until {until}"
                return f"ask {prompt}({args}) by {who} {{ {options} }}"
            case "agent":
                turns = rng.choice([1, 2])
                extra = f"steps 3 turns {turns} {cache}"
                options = self.options(s, file=None, extra=extra, tiers=tiers)
                return f"agent {prompt}({args}) by {who} with look {{ {options} }}"
            case "role":
                recovers = f"recovers {self.rate(RECOVERS)}" if self.one_in(2) else ""
                late = "timeout 10m" if self.one_in(2) else ""
                options = f"accuracy {self.rate(ACCURACIES)} correlation 0% {recovers} {late}"
                return f"ask {prompt}({args}) by desk {{ {options} }}"
            case "call":
                tool = rng.choice(["see", "see", "free"])
                options = f"retry {rng.choice([0, 1])} timeout 10s correlation 0% {cache}"
                return f"call {tool}({self.text(s)}) {{ {options} }}"
            case "match":
                if self.one_in(2):
                    c = self.condition(s)
                    arms = [f"{w} => {self.action(s, kind, depth + 1)}" for w in ("true", "false")]
                    return f"match ({c}) {{ {' '.join(arms)} }}"
                named = [n for n in s.of("Q", "A") if n not in s.open]
                if not named:
                    return self.action(s, kind, depth + 1)
                name = rng.choice(named)
                s.say(name, f"{name}.kind", self.kinds())
                arms = [
                    f"{w} => {self.action(s, kind, depth + 1)}" for w in ("plain, tricky", "else")
                ]
                return f"match {name}.kind {{ {' '.join(arms)} }}"
            case "run":
                return self.run(s)
            case _:
                by_tier = () if file else tiers
                options = self.options(s, file=file, extra=cache, tiers=by_tier)
                return f"ask {prompt}({args}) by {who} {{ {options} }}"

    def run(self, s: MixedScope) -> str:
        rng = self.rng
        fitting = [c for c in self.children if self.acts or not c[3]]
        if not fitting:
            return f"call see({self.text(s)})"
        name, params, _, acts = rng.choice(fitting)
        args = ", ".join(self.argument(s, kind) for _, kind in params)
        options = f"retry {rng.choice([1, 2])}" if self.one_in(3) else ""
        if self.cached and not acts and self.one_in(3) and s.of("Q"):
            options += f" cache 1h by {rng.choice(s.of('Q'))}.body hits {rng.choice([30, 100])}%"
        return f"run {name}({args})" + (f" {{ {options} }}" if options.strip() else "")

    def argument(self, s: MixedScope, kind: str) -> str:
        rng = self.rng
        if kind == "bool":
            return self.condition(s)
        if kind == TEXT:
            return self.text(s)
        if kind == "Kind":
            named = [n for n in s.of("Q", "A") if n not in s.open]
            if named and self.one_in(2):
                name = rng.choice(named)
                if self.one_in(2):
                    s.say(name, f"{name}.kind", self.kinds())
                return f"{name}.kind"
            return rng.choice(KINDS)
        if kind.startswith("["):
            lists = s.of("[Q]")
            if lists and self.one_in(2):
                return rng.choice(lists)
            return "[" + ", ".join(rng.sample(s.of("Q"), 1)) + "]"
        alike = s.of(kind)
        if alike and not self.one_in(4):
            if len(alike) > 1 and self.one_in(4):
                return f"(if {self.condition(s)} then {alike[0]} else {alike[-1]})"
            return rng.choice(alike)
        return self.record(s, kind)

    def record(self, s: MixedScope, kind: str) -> str:
        rng = self.rng
        flag = self.condition(s) if self.one_in(3) else rng.choice(["true", "false", "(level > 1)"])
        named = s.of("Q", "A")
        inner = (
            f"{rng.choice(named)}.inner" if named and self.one_in(2) else "{hot: true, mood: calm}"
        )
        parts = [
            f"flag: {flag}",
            f"kind: {self.argument(s, 'Kind')}",
            f"inner: {inner}",
            f"body: {self.text(s)}",
        ]
        if kind == "A":
            parts += ["ok: true", "confidence: 90%"]
        elif self.one_in(2):
            parts.append(f"note: {rng.choice(['none', self.text(s)])}")
        return "{" + ", ".join(parts) + "}"

    def evidence(self) -> str:
        path = f"f{len(self.files)}.jsonl"
        rng = self.rng
        rows = [(c, True) for c in rng.choices(["0.75", "0.85", "0.95", "0.6"], k=4)]
        rows += [
            (c, False) for c in rng.choices(["0.55", "0.72", "0.8", "0.9"], k=rng.choice([1, 2]))
        ]
        self.files[path] = rows
        return path
