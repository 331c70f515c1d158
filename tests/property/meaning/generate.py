"""Random pipelines in which everything that can happen has a probability well above zero.

Every share is strictly between 0 and 1, but for what never fails by its kind (a value, a pure
tool). So what is possible has a probability above 0, and a hundred runs see most of it. Every
condition on the input has an input of its own, so that no two branches exclude each other.
"""

from __future__ import annotations

from random import Random

HEAD = '''\
provider north { available 90% }
tier fast { provider north price $1 in, $2 out transient 25% context 9k tokens }
role staff { people 2 handles 2m responds 5m median, 9m p95 accuracy 70% }
tool look(v: text max 9 tokens) -> text max 9 tokens {
  effect read python "m:look" succeeds 60% accuracy 70%
}
tool tidy(v: text max 9 tokens) -> text max 9 tokens { effect pure python "m:tidy" }
prompt tell(v: text) """{{ v }}"""

pipeline child(v: text max 9 tokens) -> text max 9 tokens {
  step inner: text max 9 tokens = call look(v) else fail "inner_failed"
  gate inside: inner != "" { catches 60% false_alarms 30% } else escalate to staff
  return inner
}
'''
EVIDENCE = "{ catches 60% false_alarms 30% }"
TEXT = "text max 9 tokens"
MOST_FLAGS = 6


class PipelineWriter:
    """Writes one pipeline; `flags` are the boolean inputs that are used so far."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.flags = 0
        self.names = 0
        self.values = ["v"]
        self.redoable = ""
        self.lines: list[str] = []

    def name(self, kind: str) -> str:
        self.names += 1
        return f"{kind}{self.names}"

    def flag(self) -> str | None:
        if self.flags == MOST_FLAGS:
            return None
        self.flags += 1
        return f"f{self.flags}"

    def value(self) -> str:
        return self.rng.choice(self.values)

    # ----------------------------------------------------------------------------- chains

    def plain(self) -> str:
        """An action that answers with a text."""
        value = self.value()
        match self.rng.randrange(9):
            case 0 | 1:
                retry = self.rng.choice(("", " { retry 1 }"))
                return f"call look({value}){retry}"
            case 2 | 3:
                return f"call tidy({value})"
            case 4:
                return value
            case 5:
                vote = self.rng.choice(("", "vote 3 "))
                return f"ask tell({value}) by fast {{ {vote}accuracy 70% output 9 tokens max }}"
            case 6:
                return f"ask tell({value}) by staff {{ timeout 4m }}"
            case 7:
                return f"run child({value})"
            case _:
                return self.match()

    def match(self) -> str:
        flag = self.flag()
        if flag is None:
            return f"call look({self.value()})"
        return f"match {flag} {{ true => {self.plain()}  false => {self.plain()} }}"

    def each(self) -> str:
        """A list action. Its body has a chain of its own, and now and then an ending."""
        need = self.rng.choice(("", " { need any }", " { need 60% }"))
        body = " else ".join(self.plain() for _ in range(self.rng.choice((1, 1, 2))))
        end = self.rng.choice(("", "", " else escalate to staff"))
        return f"each x in [v, v, v] {{ {body}{end} }}{need}"

    def step(self) -> None:
        name = self.name("s")
        if self.rng.random() < 0.25:
            action = self.each()
            element = "text?" if "{ need" in action else "text"
            of = f"[{element} max 9 tokens] max 3"
            self.lines.append(f"step {name}: {of} = {action}{self.ending(name)}")
            return
        links = [self.plain() for _ in range(self.rng.choice((1, 1, 2, 2, 3)))]
        self.lines.append(f"step {name}: {TEXT} = {' else '.join(links)}{self.ending(name)}")
        self.values.append(name)
        by_person = any("by staff" in link for link in links)
        fresh = links[0].startswith(("ask", "call look"))
        self.redoable = name if fresh and not by_person else ""

    def ending(self, name: str) -> str:
        """Where a used-up chain leads: mostly somewhere that tells its name."""
        ends = ("", " else escalate to staff", f' else fail "{name}_failed"', " else reject")
        return self.rng.choices(ends, (1, 4, 3, 1))[0]

    # ------------------------------------------------------------------------------ items

    def item(self) -> None:
        match self.rng.randrange(8):
            case 0 | 1 | 2 | 3:
                self.step()
            case 4:
                name, step = self.name("g"), self.values[-1]
                redo = ""
                if step == self.redoable and self.rng.random() < 0.4:
                    redo = f"redo {step} up to 1 else "
                self.lines.append(
                    f'gate {name}: {step} != "{name}" {EVIDENCE} else {redo}{self.way_out(name)}'
                )
            case 5:
                name = self.name("h")
                self.lines.append(f"hold {name} for 4m by staff else {self.way_out(name)}")
            case 6:
                name = self.name("a")
                self.lines.append(f"approve {name} by staff within 4m else {self.way_out(name)}")
            case _:
                flag = self.flag()
                if flag is not None:
                    name = self.name("w")
                    self.lines.append(f"when {name}: {flag} {{ {self.way_out(name)} }}")

    def way_out(self, name: str) -> str:
        return self.rng.choice(("escalate to staff", f'fail "{name}_failed"', "reject"))


def generate(seed: int) -> str:
    """A file with a pipeline `p` and what it stands on."""
    writer = PipelineWriter(Random(seed))
    writer.step()
    for _ in range(writer.rng.randint(1, 4)):
        writer.item()
    flags = [f"f{number}" for number in range(1, writer.flags + 1)]
    inputs = ", ".join([f"v: {TEXT}", *(f"{flag}: bool" for flag in flags)])
    shares = "".join(f"    {flag}: 50%\n" for flag in flags)
    traffic = f"  traffic 9/day {{\n{shares}  }}\n" if flags else ""
    body = "".join(f"  {line}\n" for line in writer.lines)
    answer = f"  return {writer.values[-1]}\n"
    return f"{HEAD}\npipeline p({inputs}) -> {TEXT} {{\n{traffic}{body}{answer}}}\n"
