"""Pipelines with everything around their items, claims about them, and their tests."""

from __future__ import annotations

import re

from .items import Items
from .quantities import dollars, duration, share, tokens
from .scope import Scope
from .steps import Made
from .types import BOOL, TEXT, Field, Type, constant, written
from .world import Offer, World
from .writing import plain, slip


def pipeline(world: World, types: dict[str, Type], returns: Type, size: int, whole: bool) -> Made:
    """A pipeline of about so many items; a `whole` one has traffic, promises and all that."""
    w = world.writer
    name = w.name("pipeline")
    ticket = types["ticket"]
    params = [Field(w.name("input"), ticket)]
    if world.some(0.6):
        params.append(Field(w.name("flag"), BOOL, has_default=True))
    words = ", ".join(f"{p.name}: {written(p.type)}{' = false' * p.has_default}" for p in params)
    items = Items(world, types, returns)
    scope = Scope({one.name: one.type for one in params})
    at, head = w.next, w.name("mark")
    w.mark(head)
    w.line(
        f"pipeline {name}({slip('double parameter', words, f'{words}, {params[0].name}: int')})"
        f" -> {slip('unknown type', written(returns), 'NoSuchType')} {{"
    )
    w.indent += 1
    if whole or world.some(0.4):
        limits = budget(world)
        if whole:
            quota(world, limits)
            items.made.quota = True
    permits = sorted({tool.permit for tool in world.tools} - {""})
    permits_at = (
        w.line("permits " + ", ".join(f'"{permit}"' for permit in permits)) if permits else 0
    )
    for at_item in range(size):
        if at_item == size // 2:
            w.line(f"# An ordinary comment, half way through {name}.")
        scope = items.item(scope)
    for permit in permits:
        if permit in items.actions.needs:
            others = ", ".join(f'"{one}"' for one in permits if one != permit)
            mark = w.name("mark")
            w.marks[mark] = items.actions.needs[permit]
            lines = f"permits {others}" if others else ""
            w.found.append((permits_at, permits_at, "missing permit", "  " + lines, mark))
    if whole:
        scope = items.effect(items.gate(items.judged(scope)))
        traffic(world, params, items.made)
        promises(world, items.made, name)
        breaker(world, items.made, returns)
    last = w.line(f"return {items.expr(scope, returns, 1)}")
    w.drop("missing outcome", last, head)
    again = f"step step_again = run {name}({params[0].name})\nreturn step_again"
    w.found.append((last, last, "cycle", again, head))
    w.indent -= 1
    w.line("}")
    w.declare(name, "pipeline", at)
    for one in params:
        w.declare(one.name, "parameter", at)
    text = "\n".join(w.lines[at - 1 :])
    items.made.codes = re.findall(r'fail "(code_\d+)"', text)
    needs = " ".join(sorted(items.actions.needs))
    world.pipelines.append(Offer(name, tuple(params), returns, permit=needs))
    return items.made


def budget(world: World) -> str:
    """Write a budget; its amounts."""
    pick = world.pick
    amounts = [dollars(pick, "$0.25"), slip("wrong unit", "5m", "5%"), tokens(pick, "900k tokens")]
    amounts = [slip("wrong unit", plain(one), "5%") for one in amounts]
    chosen = [*pick.sample(amounts, pick.randint(1, 3)), "50 steps"]
    words = ", ".join(chosen)
    end = pick.choice(("", f' else escalate to {world.roles[0]} "spent"', ' else fail "broke"'))
    world.writer.line(f"budget {slip('double option', words, words + ', 9 steps')}{end}")
    return plain(words)


def quota(world: World, limits: str) -> None:
    """A quota in the units that the budget limits, and of runs."""
    pick = world.pick
    amounts = [slip("wrong unit", "500 runs", pick.choice(("500", "$5 runs", "2.5 runs")))]
    if "$" in limits:
        amounts.append(slip("wrong unit", "$50", pick.choice(("5s", "50%"))))
    if "tokens" in limits:
        amounts.append(slip("wrong unit", "40M tokens", pick.choice(("5s", "50%"))))
    periods = pick.sample(("hour", "day", "month"), len(amounts))
    words = ", ".join(f"{one}/{at}" for one, at in zip(amounts, periods, strict=True))
    end = pick.choice(("", f' else escalate to {world.roles[0]} "spent"', ' else fail "broke"'))
    world.writer.line(f"quota {words} per tenant{end}")


def traffic(world: World, params: list[Field], made: Made) -> None:
    """What the inputs look like; each fact once."""
    w, pick, types = world.writer, world.pick, world.names.types
    ticket = params[0]
    with w.block(f"traffic {slip('wrong unit', '500/day', '500')}"):
        for one in types.fields[ticket.type.name]:
            path = f"{ticket.name}.{one.name}"
            if one.type.optional:
                line = f"{path}?: {share(pick, '40%')}"
            elif one.type.kind == "bool":
                line = f"{path}: {share(pick, pick.choice(('8%', '12 of 100')))}"
            elif one.type.kind == "enum":
                members = types.members[one.type.name]
                rest = [f"{other} 0%" for other in members[2:]]
                words = ", ".join([f"{members[0]} 60%", f"{members[1]} 40%", *rest])
                line = f"{path}: {slip('shares of no whole', words, words.replace('40%', '30%'))}"
            elif one.type.kind == "text":
                mean = slip("mean above the most", tokens(pick, "9 tokens"), "90k tokens")
                line = f"{path}: {mean} mean"
            elif one.type.kind == "list":
                line = f"{path}.length: {slip('mean above the most', '2', '200')} mean"
            elif one.type.kind == "money":
                line = f"{path} > $3: ({share(pick, '20%')})"
            else:
                continue
            if world.some(0.7):
                w.line(line, ("double share", f"{line}  {line}"))
        if made.free:
            rates = f"{share(pick, '85%')} if right, {share(pick, '30%')} if wrong"
            w.line(f"{pick.choice(made.free)}: {rates}")


def promises(world: World, made: Made, name: str) -> None:
    w, pick = world.writer, world.pick
    with w.block("slo"):
        metric = slip("unknown metric", "success", "sucess")
        w.line(f"{metric} >= {share(pick, '0%')}", ("wrong sign", "success == 50%"))
        w.line(f"silent_error <= {share(pick, '100%')}")
        if made.gates and made.asked:
            w.line(f"silent_error <= 100% when {made.asked[0]}.confidence > 50%")
            w.line(f"latency.p95 <= 9000h when {made.asked[0]} cached")
        w.line(f"cost.mean <= {dollars(pick, '$9000')}")
        w.line(f"latency.p95 <= {duration(pick, '9000h')}")
        tier = slip("unknown tier", f'"{world.tiers[0]}"', '"nothing"')
        w.line(f"cost.baseline[{tier}] <= $9000")
        w.line(f"tokens.worst <= {slip('wrong unit', '9000M tokens', '$1')}")
    if made.asked:
        sampled = ", ".join(made.asked[: pick.choice((1, 2))])
        w.line(f"sample {share(pick, '5%')} of {sampled} by {world.roles[0]}")
    with w.block("watch"):
        step = slip("unknown step", made.asked[-1], "no_such_step")
        alert = f" else alert {slip('wrong kind', world.roles[0], world.tiers[0])}"
        alert += ' "look at it"' * world.some(0.5)
        w.line(f"accuracy({step}) >= {share(pick, '85%')} over {duration(pick, '7d')}{alert}")
        w.line(
            f"escalation <= baseline {pick.choice('+-')} {slip('wrong unit', '20%', '$3')} over 1d"
        )
        w.line("error_rate <= baseline over 1h")


def breaker(world: World, made: Made, returns: Type) -> None:
    w, pick = world.writer, world.pick
    w.line("breaker {")
    w.indent += 1
    gate = slip("unknown gate", pick.choice(made.gates), "no_such_gate")
    w.line(f"opens when {gate} rejects {slip('out of range', '10', '0')} in a row")
    w.line(f"opens when latency > {duration(pick, '30s')} over 20 runs")
    w.line(f"opens when error_rate > {share(pick, '5%')} over 100 runs")
    w.line(f"probes after {duration(pick, '5m')}")
    w.indent -= 1
    value = constant(pick, world.names.types, returns, 1)
    w.line(f"}} else {slip('wrong type', value, '70%')}")


def claims(world: World, made: Made) -> None:
    """Claims about the last pipeline."""
    w, pick = world.writer, world.pick
    main = world.pipelines[-1]
    tools = [tool.name for tool in world.tools]
    who = slip("unknown pipeline", main.name, "no_such_pipeline")
    tool = slip("unknown tool", pick.choice(tools), "no_such_tool")
    gate = slip("wrong kind", pick.choice([*made.gates, *made.people]), made.asked[0])
    scope = Scope({one.name: one.type for one in main.params})
    test = slip("wrong type", world.expressions.make(scope, BOOL, 1), "3")
    w.line(f"prove {who}: {tool} only after {gate}")
    w.line(f"prove {main.name}: {tools[0]} only after {main.name}.{made.gates[0]}")
    w.line(f"prove {main.name}: never {tool} when {test}")
    w.line(f"prove {main.name}: escalates when {test}")
    w.line(f"prove {main.name}: untrusted never reaches {tool}")
    w.line(f"prove {main.name}: private never reaches {tools[-1]}")
    given = world.expressions.make(scope, BOOL, 1)
    w.line(f"prove {main.name}: {tools[0]} only after {made.gates[0]} when {given}")
    w.line(f"prove {main.name}: {tools[-1]} at most {slip('out of range', '3', '0')} times")
    w.line(f"prove {main.name}: {tools[-1]} at most once")
    w.line(f"prove {main.name}: never {tool}")
    prompt = slip("unknown prompt", pick.choice(world.prompts).name, "no_such_prompt")
    label = pick.choice(("untrusted", "private", "secret"))
    w.line(f"prove {main.name}: {label} never reaches {prompt}")


def scenarios(world: World, made: Made) -> None:
    """Tests of the last pipeline."""
    for number in range(world.pick.randint(1, 3)):
        _scenario(world, made, f"scenario {number}")


def _call(world: World, offer: Offer, some: bool = False) -> str:
    """A call with constant arguments by name, `some` of them."""
    params = [one for one in offer.params if not some or world.some(0.6)]
    types = world.names.types
    words = [f"{one.name}: {constant(world.pick, types, one.type)}" for one in params]
    return f"{offer.name}({', '.join(words)})"


def _scenario(world: World, made: Made, title: str) -> None:
    w, pick, types = world.writer, world.pick, world.names.types
    main = world.pipelines[-1]
    again = () if title == "scenario 0" else (("double title", 'test "scenario 0" {'),)
    w.line(f'test "{title}" {{', *again)
    w.indent += 1
    values = [constant(pick, types, one.type) for one in main.params]
    if len(values) > 1 and world.some(0.5):
        values = [f"{one.name}: {value}" for one, value in zip(main.params, values, strict=True)]
    given = f"given {main.name}({world.expressions.given(values)})"
    w.line(given, ("two givens", f"{plain(given)}  {plain(given)}"))
    for step, type in pick.sample(list(made.steps.items()), min(3, len(made.steps))):
        value = constant(pick, types, type)
        more = f", {constant(pick, types, type)}" if world.some(0.3) else ""
        line = pick.choice((f"mock {step} = {value}{more}", f"mock {step} fails"))
        readers = [tool for tool in world.tools if tool.effect in ("read", "pure")]
        if step in made.agents and readers and world.some(0.7):
            turn = f"calls {_call(world, readers[0])}"
            wrong = f"calls no_such_tool({turn.partition('(')[2]}"
            line = f"mock {step} = {slip('unknown tool', turn, wrong)}, {value}"
        w.line(line, ("double mock", f"{line}  mock {step} fails"))
    for tool in pick.sample(world.tools, min(2, len(world.tools))):
        answer = "none" if tool.returns is None else constant(pick, types, tool.returns)
        w.line(f"mock {tool.name} = {answer}")
    for person, kind in made.people.items():
        no, other = ("veto", "no") if kind == "hold" else ("no", "veto")
        said = pick.choice(("yes", no, f'{no} "too long", yes' if no == "no" else "yes, veto"))
        said = pick.choice(("yes", "veto")) if kind == "hold" else said
        if kind == "approve within" and said == "no":
            said = "no answer"
        w.line(f"mock {person} {slip('wrong answer', said, other)}")
    if world.some(0.3):
        w.line("mock breaker open")
    if made.quota and world.some(0.3):
        w.line("mock quota spent")
    code = f" {pick.choice(made.codes)}" if made.codes else ""
    ends = [
        "answered", f"answered {constant(pick, types, main.returns or TEXT)}", "escalated",
        f"escalated {made.gates[0]}", f"rejected {made.gates[-1]}", "rejected", "failed",
        f"failed{code}", 'failed "timeout"',
    ]  # fmt: skip
    end = f"expect {pick.choice(ends)}"
    w.line(end, ("two ends", f"{end}  expect answered"))
    tool = slip("unknown tool", world.tools[0].name, "no_such_tool")
    w.line(f"expect {pick.choice(('not ', ''))}called {tool}")
    step, type = pick.choice(list(made.steps.items()))
    value_of = constant(pick, types, type)
    offer = pick.choice(world.tools)
    times = pick.choice(("", " once", f" {slip('out of range', '2', '0')} times"))
    w.line(f"expect called {_call(world, offer, some=True)}{times}")
    values = Scope({**{one.name: one.type for one in main.params}, **made.steps})
    test = world.expressions.make(values, BOOL, 1)
    w.line(f"expect {slip('wrong type', test, '3')}")
    w.line(f"expect {slip('unknown name', f'handoff.{step}', 'handoff.no_such')} == {value_of}")
    step, type = pick.choice(list(made.steps.items()))
    w.line(f"expect {step} == {constant(pick, types, type)}")
    w.line(f"expect cost <= {dollars(pick, '$0.01')}")
    w.indent -= 1
    w.line("}")
