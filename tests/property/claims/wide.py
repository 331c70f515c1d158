"""Random pipelines over all constructs, with claims, as text.

Unlike `generate`, whose pipelines are small enough for every run, these have optional values, json,
lists and their elements, outer names, money, durations and numbers that round, budgets that are
read, memories, agents, caches, and children that run twice.
"""

from __future__ import annotations

import random

from .generate import Maker

HEAD = """
enum Colour { red "very red" green }
type Item { amount "n": money  n "amount": int }
type Kind { ok "is-ok": bool  colour: Colour  rank: int in 0..1  note "a note": int?  data: json
  cost: money  marks "the-marks": [int in 0..2] max 3  took: duration  score: number
  items: [Item] max 2 }
role staff { responds 1h median, 4h p95 accuracy 98% }
provider lab { available 99.9% }
tier model { provider lab price $1 in, $5 out transient 1% context 50k tokens }
tool send(what: int) -> int in 0..1 { effect write succeeds 99% }
tool look(what: int) -> int in 0..1 { effect read succeeds 99% }
prompt sort(a: bool, n: int) \"\"\"{{ a }} {{ n }}\"\"\"
memory past(who: int) -> int { keeps 24h }
memory seen(who: int) -> [int] max 2 { keeps 24h }
fn third(m: money) -> money = m / 3
fn red_of(a: bool) -> Colour = if a then red else green
fn positive(these: [int] max 9) -> [int] max 9 = [this for this in these if this > 0]
"""
INPUTS = """a: bool, b: bool, n "m": int in 0..1, c: Colour, o: bool?, k: int?, j: json,
  m "n": money, d: duration, x: number, q: probability, ns: [int] max 3, all_items: [Item] max 2"""
NAMES = {
    "bools": ["a", "b"],
    "numbers": ["n"],
    "colours": ["c"],
    "counts": ["k"],
    "flags": ["o"],
    "data": ["j"],
    "sums": ["m"],
    "times": ["d"],
    "scores": ["x"],
    "shares": ["q"],
    "lists": ["ns"],
    "rows": ["all_items"],
}
"""Inputs by their kind."""
OTHERS = """let b = not a
  let o: bool? = none
  let k: int? = n
  let j: json = {x: a, y: n}
  let m = $100
  let d = 90s
  let x = 0.1
  let q = 30%
  let ns: [int] max 3 = [n, 1]
  let all_items: [Item] max 2 = [{amount: $33.33, n: n}, {amount: $66.67, n: 1}]"""
"""What a child has of the values that a pipeline reads, besides `a` and `n`."""
REST = "data: {}, cost: $1, marks: [1, 0], took: 1s, score: 0.3, items: []"


class Wide(Maker):
    """Writes pipelines with everything."""

    head = HEAD
    inputs = INPUTS

    def __init__(self, source: random.Random, children: list[str], *, budget: bool) -> None:
        super().__init__(source, children)
        self.budget = budget
        for kind, names in NAMES.items():
            setattr(self, kind, list(names))
        self.counts: list[str]
        self.flags: list[str]
        self.data: list[str]
        self.sums: list[str]
        self.times: list[str]
        self.scores: list[str]
        self.shares: list[str]
        self.lists: list[str]
        self.rows: list[str]

    def limits(self) -> str:
        """What stands at the head of a pipeline besides its budget."""
        return ""

    def counting(self) -> list[str]:
        """Claims that count, and claims that hold under a condition on the inputs."""
        return []

    def condition(self, depth: int = 0) -> str:
        roll = self.source.random()
        pick = self.source.choice
        if roll < 0.5:
            return super().condition(depth)
        if roll < 0.57:
            count = pick(self.counts)
            return pick(
                [
                    f"{count} == {pick([*self.counts, *self.numbers])}",
                    f"({count}?)",
                    f"({count}? and {count} > 0)",
                    f"(not ({count}?) and {count} == {pick(self.counts)})",
                ]
            )
        if roll < 0.62:
            flag = pick(self.flags)
            return pick([f"{flag} == {pick(self.bools)}", f"({flag}?)", f"({flag}? and {flag})"])
        if roll < 0.7:
            field = f"{pick(self.data)}.{pick('xy')}"
            return pick(
                [
                    f"({field}?)",
                    f"{field} == {pick(['true', '1', *self.bools])}",
                    f"{field} == {pick(self.data)}.x",
                    f"(not ({field}?) and {field} == {pick(self.flags)})",
                ]
            )
        if roll < 0.78:
            return self.elements()
        return self.rounded()

    def rounded(self) -> str:
        """A condition on numbers that round."""
        pick = self.source.choice
        sums, time, score, share = map(pick, (self.sums, self.times, self.scores, self.shares))
        return pick(
            [
                f"third({sums}) + third({sums}) + third({sums}) < {sums}",
                f"third({sums}) * 3 == {sums}",
                f"{sums} {pick(['<', '>=', '=='])} {pick(['$1', '$100', *self.sums])}",
                f"{sums} * {share} <= {sums}",
                f"{time} / 3 * 3 == {time}",
                f"{time} {pick(['<', '>=', '=='])} {pick(['1m', '90s', *self.times])}",
                f"{time} * {pick(self.numbers)} <= {time} * 2",
                f"{score} + 0.1 > {score}",
                f"{score} * 3 {pick(['<', '=='])} 0.3",
                f"{score} {pick(['<', '>=', '=='])} {pick(['0.1', *self.numbers, *self.scores])}",
                f"{share} {pick(['<', '>=', '=='])} {pick(['30%', *self.shares])}",
                f"{share} * {share} <= {share}",
            ]
        )

    def elements(self) -> str:
        """A condition on the elements of lists."""
        pick = self.source.choice
        mine, other, number = self.whole(), self.whole(), pick([*self.numbers, "0", "1"])
        op, rows, sums = pick(["<", ">=", "==", "!="]), pick(self.rows), pick(self.sums)
        return pick(
            [
                f"any(one {op} {number} for one in {mine})",
                f"all(one {op} {number} for one in {mine})",
                f"all(one >= 1 for one in {mine} if one != {number})",
                f"{number} in {mine}",
                f"len([one for one in {mine} if one {op} {number}]) > 0",
                f"len({mine}) {op} len({other})",
                f"sum({mine}) {op} {number}",
                f"sum(one * 2 for one in {mine}) {op} sum({other})",
                f"({pick(['min', 'max'])}({mine})?)",
                f"{pick(['min', 'max'])}({mine}) == {pick([*self.counts, number])}",
                f"{mine} == {other}",
                f"{pick(self.lists)} == []",
                f"({mine})[0] == {pick([*self.counts, number])}",
                f"sum(one.amount for one in {rows}) {op} {sums}",
                f"sum(third(one.amount) for one in {rows}) * 3 {op} {sums}",
                f"all(one.n {op} {number} for one in {rows})",
                f"any(one.amount > {sums} and one.n == {number} for one in {rows})",
                f"max(one.amount for one in {rows}) == {sums}",
            ]
        )

    def whole(self) -> str:
        """A list of whole numbers."""
        pick = self.source.choice
        mine, number = pick(self.lists), pick(self.numbers)
        return pick(
            [
                mine,
                mine,
                f"({mine} + {pick(self.lists)})",
                f"({mine} + [{number}])",
                f"[{number}, {pick(self.numbers)}]",
                f"[it + {number} for it in {mine}]",
                f"[it for it in {mine} if it > {number}]",
                f"[it.n for it in {pick(self.rows)}]",
                f"positive({mine})",
            ]
        )

    def block(self, size: int, depth: int) -> list[str]:
        saved = {kind: list(getattr(self, kind)) for kind in NAMES}
        lines = super().block(size, depth)
        if depth:
            for kind, names in saved.items():
                setattr(self, kind, names)
        return lines

    def item(self, depth: int) -> list[str]:
        roll = self.source.random()
        number = self.source.choice(self.numbers)
        if roll < 0.08:
            return [f"remember {self.source.choice(['past', 'seen'])}({number}) = {number}"]
        if roll < 0.13:
            name = self.name("q")
            line = f"step {name} = recall past({number})"
            self.counts.append(name)
            return [line]
        if roll < 0.17:
            name = self.name("v")
            line = f"step {name} = recall seen({number})"
            self.lists.append(name)
            self.counts += [f"{name}[0]", f"{name}[1]"]
            return [line]
        if roll < 0.24:
            return self.agent()
        if roll < 0.29:
            name, second = self.name("f"), self.name("f")
            value = self.source.choice([f"third({self.source.choice(self.sums)})", "$33.33"])
            self.sums += [name]
            return [f"let {name} = {value}", f"let {second} = {self.condition()}"]
        if roll < 0.33:
            return self.lets()
        if roll < 0.4 and self.children:
            return [*self.run(), *self.run()]
        if roll < 0.46 and self.budget:
            return self.reading()
        return super().item(depth)

    def reading(self) -> list[str]:
        """What is left of the budget, read in one way or another."""
        name, limit = self.name("z"), self.source.choice(["$0.5", "$0.9", "$2.5", "$2.9"])
        left = f"budget.remaining < {limit}"
        if self.source.random() < 0.3:
            left = self.source.choice(
                [f"any({left} for one in [1])", f"[one for one in ns if {left}] == []"]
            )
        self.bools.append(name)
        return [f"step {name}: bool = {left}"]

    def lets(self) -> list[str]:
        """Values that are computed from elements."""
        name, mine = self.name("h"), self.whole()
        rows = self.source.choice(self.rows)
        roll = self.source.random()
        if roll < 0.4:
            kind, value = self.lists, mine
        elif roll < 0.6:
            kind, value = self.sums, f"sum(one.amount for one in {rows})"
        elif roll < 0.7:
            kind, value = self.times, f"{self.source.choice(self.times)} / 3"
        elif roll < 0.8:
            kind, value = self.scores, f"{self.source.choice(self.scores)} * 3"
        else:
            kind, value = self.counts, f"{self.source.choice(['min', 'max'])}({mine})"
        kind.append(name)
        return [f"let {name} = {value}"]

    def run(self) -> list[str]:
        roll = self.source.random()
        if roll > 0.25:
            return super().run()
        child, name = self.source.choice(self.children), self.name("u")
        flag, number = self.source.choice(self.bools), self.source.choice(self.numbers)
        if roll < 0.1:
            self.numbers.append(name)
            tail = self.source.choice(["", " else 0"])
            return [f"step {name} = run {child}({flag}, {number}) {{ retry 1 }}{tail}"]
        need, order = (
            self.source.choice(["", " { need any }"]),
            self.source.choice(["", "ordered "]),
        )
        action = f"each x{name} in {self.whole()} {order}{{ run {child}({flag}, x{name}) }}"
        if not need and not order:
            self.lists.append(name)
        return [f"step {name} = {action}{need}"]

    def agent(self) -> list[str]:
        name = self.name("w")
        tools = self.source.sample(["look", *self.children, *self.children], 1)
        tail = self.source.choice(["", f" else {self.outcome()}"])
        cache = self.source.choice(["", "", " cache 1h by n"])
        asks = f"agent sort(a, n) by model with {tools[0]} {{ steps 3{cache} }}"
        line = f"step {name}: Kind = {asks}{tail}"
        self._kind(name)
        return [line]

    def ask(self) -> list[str]:
        before = len(self.kinds)
        lines = [line.replace("rank: 1}", f"rank: 1, {REST}}}") for line in super().ask()]
        for name in self.kinds[before:]:
            self._kind(name, again=True)
        return lines

    def _kind(self, name: str, again: bool = False) -> None:
        self.counts += [f"{name}.note", f"{name}.marks[0]"]
        self.data.append(f"{name}.data")
        self.sums.append(f"{name}.cost")
        self.times.append(f"{name}.took")
        self.scores.append(f"{name}.score")
        self.lists.append(f"{name}.marks")
        self.rows.append(f"{name}.items")
        if not again:
            self.bools.append(f"{name}.ok")


def twice(source: random.Random) -> str:
    """A child that reads its budget and runs twice: both readings may differ."""
    limits = [source.choice(["$0.9", "$0.95"]) for _ in range(2)]
    values = source.choice(["01", "10", "11"])
    reads = f"budget.remaining > {limits[0]}"
    listed = f"[one for one in [n] if {reads}] != [one for one in ns if one > 9]"
    reads = source.choice([reads, f"any({reads} for one in [n])", listed])
    return f"""{HEAD}
pipeline child0(a: bool, n: int) -> int {{
  budget $1
  let ns: [int] max 1 = []
  step s: Kind = ask sort(a, n) by model else {{ok: a, colour: red, rank: 0, {REST}}}
  step rich: int = if {reads} then 1 else 0
  return rich
}}
pipeline main({INPUTS}) -> int {{
  budget $3
  step u = run child0(a, n)
  step v = run child0(a, {source.choice(["n", "1"])})
  when u == {values[0]} and v == {values[1]} {{ step t = call send(n) else fail "no" }}
  step left: bool = budget.remaining > {limits[1]}
  when left {{ step w = call look(n) else fail "no" }}
  return 2
}}
prove main: never send when true
prove main: never look when true
prove main: escalates when a and not b"""


def strands(source: random.Random) -> str:
    """Children that run side by side, one after the other and inside one another, which a budget
    may cut: who ran last, and passed its gate?
    """
    pick = source.choice
    parts = [HEAD]
    limit = pick(["", "", "budget $0.3 else return 8", "budget $0.3"])
    asked = f"step s: Kind = ask sort(a, n) by model else {{ok: a, colour: red, rank: 0, {REST}}}"
    ends = pick([*['else fail "no"'] * 3, "else return 0", "else escalate to staff"])
    parts.append(f"""pipeline child0(a: bool, n: int) -> int {{
  {limit}
  {pick(["", asked])}
  gate r: a or n > 0 {ends}
  {pick(["", asked.replace("step s:", "step s2:")])}
  return n
}}
pipeline child1(a: bool, n: int) -> int {{
  {pick(["", "budget $0.5 else return 9", "budget $0.3"])}
  step v = run child0({pick(["a", "true"])}, {pick(["n", "1"])}){pick(["", " else 6"])}
  {pick(["", asked])}
  return v
}}""")
    lines, numbers = list[str](), ["n", "1", "0"]
    for at in range(source.randrange(2, 5)):
        child, flag, number = pick(["child0", "child1"]), pick(["a", "b", "true"]), pick(numbers)
        run = f"run {child}({flag}, {number})"
        listed = f"each y in [{number}, {pick(numbers)}] {{ run {child}({flag}, y) }}"
        agent = "agent sort(a, n) by model with child0 { steps 2 } else escalate to staff"
        kind = pick(["run", "run", "run", "each", "agent", "gate"])
        if kind == "run":
            lines.append(f"step u{at} = {run}{pick(['', ' else 7'])}")
            numbers += [f"u{at}", f"u{at}"]
        elif kind == "each":
            need = pick(["", " { need any }"])
            lines.append(f"step l{at}: [{'int?' if need else 'int'}] max 2 = {listed}{need}")
        elif kind == "agent":
            lines.append(f"step w{at}: Kind = {agent}")
        else:
            lines.append(f"gate g{at}: {number} < 5 else reject")
    body = "\n  ".join(lines)
    parts.append(f"""pipeline main({INPUTS}) -> int {{
  {body}
  step t = call send(n) else fail "no"
  return 2
}}""")
    parts.append("prove main: send only after child0.r")
    for one in sorted({number for number in numbers if number.startswith("u")}):
        parts += [f"prove main: never send when {one} {op}" for op in ("> 5", "== 7", "== 0")]
        parts.append(f"prove main: escalates when {one} > 7")
    return "\n".join(parts)


def program(seed: int) -> str:
    """A file with a pipeline `main`, children that it may run, and claims about it."""
    source = random.Random(seed)
    if seed % 10 == 8:
        return strands(source)
    if seed % 10 == 9:
        return twice(source)
    return written(seed, source, Wide)


def written(seed: int, source: random.Random, make: type[Wide]) -> str:
    """A file as a kind of writer writes it."""
    parts = [make.head]
    children: list[str] = []
    gates: list[str] = []
    for number in range(source.choice([0, 1, 2, 2])):
        budget = source.random() < 0.4
        maker = make(source, list(children), budget=budget)
        maker.colours = ["red_of(a)"]
        lines = maker.block(source.randint(1, 3), 0)
        name = f"child{number}"
        back = source.choice(["1", "n"])
        if budget and source.random() < 0.7:
            lines.append("step rich: int = if budget.remaining > $0.9 then 1 else 0")
            back = "rich"
        limit = "$0.5 else return 9" if seed % 3 == 1 else "$1"
        limits = f"  budget {limit}\n" if budget else ""
        inner = "\n  ".join([*lines, f"return {back}"])
        body = f"{limits}{maker.limits()}  {OTHERS}\n  {inner}"
        parts.append(f"pipeline {name}(a: bool, n: int) -> int {{\n{body}\n}}")
        children.append(name)
        gates += [f"{name}.{test}" for test in maker.tests]
    budget = source.random() < 0.4
    main = make(source, children, budget=budget)
    lines = main.block(source.randint(3, 7), 0)
    limits = "  budget $3\n" if budget else ""
    inner = "\n  ".join([*lines, "return 2"])
    limits += main.limits()
    parts.append(f"pipeline main({make.inputs}) -> int {{\n{limits}  {inner}\n}}")
    for gate in [*main.tests, *(one for one in gates if f"run {one.split('.')[0]}(" in inner)]:
        parts.append(f"prove main: {source.choice(['send', 'send', 'look'])} only after {gate}")
    parts += main.counting()
    for kind, names in NAMES.items():
        setattr(main, kind, list(names))
    for _ in range(3):
        parts.append(f"prove main: never {source.choice(['send', 'look'])} when {main.condition()}")
        parts.append(f"prove main: escalates when {main.condition()}")
    parts.append("prove main: never send when true")
    return "\n".join(parts)
