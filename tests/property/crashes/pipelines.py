"""Pipelines over all constructs, as texts."""

from __future__ import annotations

from random import Random

TOOLS = """
fn twice(x: text) -> text python "m:twice"
fn louder(x: text) -> text = if x == "a" then "b" else x
memory counts(key: text) -> int { keeps 1d }
memory notes(key: text) -> [text max 60 tokens] max 3 { keeps 1d }
tool put(x: text) -> text {
  effect write idempotent cost $0.00001 latency 1ms median succeeds 99% timeout 20s
}
tool pay(x: text) -> text {
  effect irreversible cost $0.00002 latency 1ms median succeeds 99% timeout 20s
}
tool look(x: text) -> text {
  effect read cost $0.00001 latency 1ms median succeeds 99% timeout 20s retry 1
}
type Bill { name: text max 90 tokens  due: money  share: probability }
tool bill(x: text) -> Bill { effect read latency 1ms median succeeds 99% }
tool snap(x: text) -> image { effect read latency 1ms median succeeds 99% timeout 20s }
tool print(photo: image, x: text) -> text {
  effect irreversible cost $0.00002 latency 1ms median succeeds 99% timeout 20s
}
prompt look_at(photo: image, x: text) \"\"\"{{ x }}{{ photo }}\"\"\"
pipeline reads(x: text) -> text {
  budget $1, 600s
  step a = call look(x) else "none"
  step b: text = ask say(a) by small { output 10 tokens max } else "n"
  gate good: b != "said-0" else fail "bad"
  return b
}
pipeline inner(x: text) -> text {
  budget $1, 600s
  quota $900/day, 9000 runs/month per tenant else fail "too much"
  step r: text = ask say(x) by small { retry 1 output 10 tokens max } else "n"
  step a = call put(r) { retry 1 } else fail "none"
  step b = call pay(a) else "unpaid"
  when b != "unpaid" { remember notes("inner") = b }
  return b
}
pipeline asks(x: text) -> text {
  quota 9000 runs/hour per tenant
  step a = call put(x) else "n"
  approve sure by boss within 1h showing a else reject "no"
  gate ok: a != "put-3" else escalate to boss "odd" with a
  return a
}
pipeline guarded(x: text) -> text {
  quota 9000 runs/hour per tenant
  breaker { opens when ok rejects 2 in a row probes after 1h } else "open"
  step a = call put(x) else "n"
  gate ok: a != "put-1" else fail "bad"
  return a
}
"""

STEPS = {
    "put": 'step NAME = call put(IN) { retry 1 } else call put("b") else "n"',
    "pay": 'step NAME = call pay(IN) else call put("c") else "n"',
    "asked then paid": "step NAME: text = ask say(IN) by small { output 10 tokens max }"
    ' else call pay(IN) else "n"',
    "ask": "step NAME: text = ask say(IN) by small { retry 2 timeout 9s output 10 tokens max }"
    ' else "n"',
    "region": 'step NAMEa: text = ask say(IN) by small { output 10 tokens max } else "n"\n'
    '  step NAMEb: text = call look(IN) else "m"\n'
    "  let NAMEl = louder(NAMEb)\n"
    '  step NAME: text = ask join(NAMEa, NAMEl) by big { output 10 tokens max } else "n"',
    "vote": "step NAME: text = ask say(IN) by small { vote 3 retry 1 output 10 tokens max }"
    ' else call put(IN) else "n"',
    "lead": "step NAME: text = ask say(IN) by small { vote lead 1 of 3 output 10 tokens max }"
    ' else call put(IN) else "n"',
    "cascade": "step NAMEc: Answer = ask say(IN) by cascade(small, big) until it.confidence >= 70%"
    ' { catches 70% false_alarms 10% output 50 tokens max } else fail "c"\n'
    "  let NAME = NAMEc.value",
    "each": 'step NAMEe: [text?] max 3 = each y in ["a", IN, "c"]'
    ' { call put(y) else call pay(y) } { need any } else fail "e"\n'
    "  let NAME = IN",
    "order": 'step NAMEe: [text?] max 2 = each y in ["a", IN] ordered'
    ' { match y { "a" => run inner(y) else => call pay(y) } } { need any } else fail "e"\n'
    "  let NAME = IN",
    "reading each": 'step NAMEe: [text] max 2 = each y in [IN, "b"]'
    ' { ask say(y) by small { output 10 tokens max } else "n" } { parallel 1 need all }'
    ' else fail "e"\n'
    '  let NAMEi = NAMEe[0]\n  let NAME = if NAMEi? then NAMEi else "n"',
    "run": 'step NAME = run inner(IN) { retry 1 } else "n"',
    "run in time": 'step NAME = run inner(IN) { timeout 100s } else "n"',
    "read in a child": 'step NAME = run reads(IN) else "n"',
    "ask in a child": 'step NAME = run asks(IN) else "n"',
    "guarded": 'step NAME = run guarded(IN) else "n"',
    "agent": "step NAME: text = agent say(IN) by small with inner, asks, look"
    ' { steps 4 output 10 tokens max } else "n"',
    "reading agent": 'step NAMEo: text = ask say(IN) by big { output 10 tokens max } else "n"\n'
    "  step NAME: text = agent say(NAMEo) by small with look, reads"
    ' { steps 3 output 10 tokens max } else "n"',
    "cached": "step NAME: text = ask say(IN) by small { cache 1h by IN output 10 tokens max }"
    ' else "n"',
    "cached run": 'step NAME = run reads(IN) { cache 1h by IN } else "n"',
    "cached then paid": "step NAME: text = ask say(IN) by small { cache 1h by IN output 10 tokens"
    ' max } else call pay(IN) else "n"',
    "approve": 'step NAME = call put(IN) else "n"\n'
    '  approve NAMEp by boss within 1h showing NAME else reject "no"',
    "hold": 'let NAME = IN\n  hold NAMEp for 10m by boss showing IN else reject "veto"',
    "asked person": 'step NAME: text = ask say(IN) by boss { timeout 2h } else "nobody"',
    "redo": 'step NAME: text = ask say(IN) by small { output 10 tokens max } else "n"\n'
    '  gate NAMEg: NAME != "said-2" else redo NAME up to 2 because "again" else fail "g"',
    "redo of a region": "step NAMEa: text = ask say(IN) by small { output 10 tokens max }"
    ' else "n"\n'
    '  step NAMEb = call look(NAMEa) else "m"\n'
    '  gate NAMEf: NAMEb != "look-1" else redo NAMEb up to 1 else reject "f"\n'
    '  step NAME: text = ask say(NAMEb) by small { output 10 tokens max } else "n"\n'
    '  gate NAMEg: NAME != "said-1" else redo NAMEa up to 2 else fail "g"',
    "remember": 'remember notes("k") = IN\n'
    '  step NAMEr = recall notes("k")\n'
    '  let NAMEi = NAMEr[0]\n  let NAME = if NAMEi? then NAMEi else "n"',
    "sent back": 'step NAME: text = ask say(IN) by small { output 10 tokens max } else "n"\n'
    "  approve NAMEp by boss within 1h showing NAME else redo NAME up to 2"
    ' else reject "no"',
    "person asked again": 'step NAME: text = ask say(IN) by boss { timeout 2h } else "nobody"\n'
    '  gate NAMEg: NAME != "said-1" else redo NAME up to 1 else fail "g"',
    "update": 'step NAMEo = recall counts("k")\n'
    "  let NAMEb = if NAMEo? then NAMEo else 0\n"
    '  gate NAMEg: NAMEb < 5 else reject "often"\n'
    '  remember counts("k") = NAMEb + 1\n'
    '  step NAME = call put(IN) else "n"',
    "when": "let NAME = IN\n"
    '  when IN == "said-1" { step NAMEw = call pay("w") else "n" }'
    ' else { step NAMEv = call put("v") else "n" }',
    "route by what is left": "step NAME: text = ask say(IN) by"
    " if budget.remaining.time < 290s then big else small"
    ' { output 10 tokens max } else call pay(IN) else "n"',
    "agent by what is left": "step NAME: text = agent say(IN)"
    " by (if budget.remaining < $0.9999 then big else small) with inner, asks, look"
    ' { steps 4 retry 1 backoff 2s..8s output 10 tokens max } else "n"',
    "match by what is left": "step NAME = match budget.remaining < $1"
    ' { true => call pay("w") else => call put("v") } else "n"',
    "python": 'step NAMEp = call put(twice(IN)) else "n"\n'
    '  when twice(NAMEp) != "x" { step NAMEw = call pay("w") else "n" }\n'
    "  let NAME = NAMEp",
    "record": 'step NAMEr = call bill(IN) else fail "no bill"\n'
    "  let NAMEd = NAMEr.due / 3\n"
    '  when NAMEd > $0 { step NAMEw = call put(NAMEr.name) else "n" }\n'
    "  let NAME = NAMEr.name",
    "picture": 'step NAMEs = call snap(IN) else fail "dark"\n'
    '  step NAMEd = call print(NAMEs, IN) else "n"\n'
    '  step NAME: text = ask look_at(NAMEs, NAMEd) by big { output 10 tokens max } else "n"',
    "backoff": 'step NAME = call put(IN) { retry 2 backoff 2s..8s } else call pay(IN) else "n"',
}

ROOMY = "budget $1, 3000s"
TIGHT = (
    "budget $0.0004",
    "budget 40s",
    "budget 9 steps",
    'budget $0.0009, 4000 tokens, 90s else reject "spent"',
)
ENDS = (
    "return LAST",
    'gate last: LAST != "put-2" else escalate to boss "look" with LAST\n  return LAST',
    'when LAST != "n" { escalate to boss "over" with LAST }\n  return LAST',
)


def text_of(
    kinds: list[str], budget: str = ROOMY, end: str = ENDS[0], breaker: bool = False
) -> str:
    """A pipeline of these steps, each of which reads the one before."""
    lines, last = [budget], "x"
    if breaker:
        when = "escalation > 50% over 5 runs"
        lines.append(f'breaker {{ opens when {when} probes after 1h }} else "open"')
    for number, kind in enumerate(kinds):
        lines.append(STEPS[kind].replace("NAME", f"s{number}").replace("IN", last))
        last = f"s{number}"
    lines.append(end.replace("LAST", last))
    body = "\n  ".join(lines)
    return f"{TOOLS}\npipeline main(x: text) -> text {{\n  {body}\n}}\n"


def generate(seed: int) -> tuple[str, bool]:
    """A pipeline, and whether its budget is roomy."""
    pick = Random(seed)
    kinds = pick.sample(sorted(STEPS), pick.randint(1, 4))
    roomy = pick.random() < 0.75
    budget = ROOMY if roomy else pick.choice(TIGHT)
    return text_of(kinds, budget, pick.choice(ENDS), pick.random() < 0.2), roomy
