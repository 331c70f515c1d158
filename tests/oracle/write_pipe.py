"""Prints a `Program` as the text of a `.pipe` file.

Every number that the analysis could ask for is written out (`available 100%`, `transient 0%`,
`correlation` where a redo needs it, lengths, latencies), so that nothing in the report is unknown
or a default, and the only thing under test is the arithmetic. Prices are zero: the mean cost is
then the cost of tool calls alone, and does not hang on how tokens are counted.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path as FilePath
from typing import assert_never

from . import expressions as e
from . import model as m
from .traverse import all_items, steps_of


def decimal(value: Fraction) -> str:
    """An exact decimal; the oracle never needs a number that has none."""
    digits = 0
    while (value * 10**digits).denominator != 1:
        digits += 1
        if digits > 30:
            raise ValueError(f"{value} has no finite decimal")
    whole, rest = divmod(int(value * 10**digits), 10**digits)
    return str(whole) if digits == 0 else f"{whole}.{rest:0{digits}d}"


def percent(value: Fraction) -> str:
    return f"{decimal(value * 100)}%"


def duration(seconds: int) -> str:
    for unit, size in (("h", 3600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


# --- expressions ----------------------------------------------------------------------------


def expression(expr: e.Expr, nested: bool = False) -> str:
    """The text of an expression; compound ones get parentheses inside another one."""
    match expr:
        case e.Path(value=value, field=None):
            return value
        case e.Path(value=value, field=field):
            return f"{value}.{field}"
        case e.Constant(text=text):
            return text
        case e.RecordOf(fields=fields):
            inner = ", ".join(f"{name}: {expression(value)}" for name, value in fields)
            return f"{{{inner}}}"
        case e.ListOf(elements=elements):
            return f"[{', '.join(expression(element) for element in elements)}]"
        case e.Is(path=path, member=member, negated=negated):
            text = f"{expression(path)} {'!=' if negated else '=='} {member}"
        case e.In(path=path, members=members, negated=negated):
            text = f"{expression(path)} {'not in' if negated else 'in'} [{', '.join(members)}]"
        case e.Confidence(step=step, op=op, threshold=threshold):
            text = f"{step}.confidence {op} {percent(threshold)}"
        case e.Not(of=of):
            text = f"not {expression(of, nested=True)}"
        case e.And(left=left, right=right):
            text = f"{expression(left, nested=True)} and {expression(right, nested=True)}"
        case e.Or(left=left, right=right):
            text = f"{expression(left, nested=True)} or {expression(right, nested=True)}"
        case e.Choice(condition=condition, then=then, otherwise=otherwise):
            texts = [expression(part, nested=True) for part in (condition, then, otherwise)]
            text = f"if {texts[0]} then {texts[1]} else {texts[2]}"
        case _:
            assert_never(expr)
    return f"({text})" if nested else text


# --- steps ----------------------------------------------------------------------------------


def options(link: m.Link) -> str:
    words: list[str] = []
    match link.accuracy:
        case None:
            pass
        case m.FromFile(path=path):
            words.append(f'accuracy from "{path}"')
        case m.ByTier(rates=rates):
            words.append("accuracy " + ", ".join(f"{tier} {percent(p)}" for tier, p in rates))
        case Fraction() as rate:
            words.append(f"accuracy {percent(rate)}")
        case _:
            assert_never(link.accuracy)
    if link.recovers is not None:
        words.append(f"recovers {percent(link.recovers)}")
    if link.correlation is not None:
        words.append(f"correlation {percent(link.correlation)}")
    if link.retry:
        words.append(f"retry {link.retry}")
    if not isinstance(link.action, m.Pure):
        words.append("timeout 10s")
    if isinstance(link.action, m.Ask):
        words.append("output 20 tokens mean, 60 tokens max")
    return f" {{ {' '.join(words)} }}" if words else ""


def prompt_name(step: m.Step, number: int) -> str:
    return f"prompt_{step.name}_{number}"


def action(step: m.Step, number: int) -> str:
    link = step.links[number]
    match link.action:
        case m.Ask(args=args, by=by):
            call = f"ask {prompt_name(step, number)}({', '.join(map(expression, args))})"
            if isinstance(by, str):
                return f"{call} by {by}"
            arms = " ".join(f"{', '.join(members)} => {tier}" for members, tier in by.arms)
            return f"{call} by match {expression(by.path)} {{ {arms} }}"
        case m.Call(tool=tool, args=args):
            return f"call {tool}({', '.join(map(expression, args))})"
        case m.Pure(expr=expr):
            return expression(expr)
        case _:
            assert_never(link.action)


def step_lines(step: m.Step) -> list[str]:
    chain = [action(step, number) + options(link) for number, link in enumerate(step.links)]
    lines = [f"step {step.name}: {step.type} = {chain[0]}"]
    lines += [f"  else {link}" for link in chain[1:]]
    if step.otherwise is not None:
        lines.append(f"  else {outcome(step.otherwise)}")
    return lines


def prompts(step: m.Step) -> list[str]:
    texts: list[str] = []
    for number, link in enumerate(step.links):
        if not isinstance(link.action, m.Ask):
            continue
        params = [(f"a{i}", type_) for i, type_ in enumerate(link.action.params)]
        head = ", ".join(f"{name}: {type_}" for name, type_ in params)
        body = "".join(f"\n  {variable(name, type_)}" for name, type_ in params)
        texts.append(f'prompt {prompt_name(step, number)}({head}) """\n  Answer this.{body}\n"""')
    return texts


def variable(name: str, type_: str) -> str:
    """What a template says of a parameter: records are known by their `body`."""
    if type_.startswith("["):
        return f"{{% for x in {name} %}}{{{{ x }}}}{{% endfor %}}"
    return f"{{{{ {name}.body }}}}" if type_[0].isupper() else f"{{{{ {name} }}}}"


# --- items ----------------------------------------------------------------------------------


def outcome(end: m.Outcome) -> str:
    match end:
        case m.Return(value=value):
            return f"return {expression(value)}"
        case m.Escalate(role=role, attached=attached):
            text = f'escalate to {role} "over to you"'
            return text if attached is None else f"{text} with {expression(attached)}"
        case m.Reject():
            return 'reject "no"'
        case m.Fail(code=code):
            return f'fail "{code}"'
        case _:
            assert_never(end)


def gate_lines(gate: m.Gate) -> list[str]:
    match gate.test.source:
        case m.Rates(catches=c, false_alarms=f):
            evidence = f" {{ catches {percent(c)} false_alarms {percent(f)} }}"
        case m.FromFile(path=path):
            evidence = f' {{ evidence from "{path}" }}'
        case None | m.Share():
            evidence = ""
        case _:
            assert_never(gate.test.source)
    lines = [f"gate {gate.name}: {expression(gate.test.condition)}{evidence}"]
    if gate.redo is not None:
        lines.append(f"  else redo {gate.redo.step} up to {gate.redo.times}")
    return [*lines, f"  else {outcome(gate.otherwise)}"]


def person_lines(item: m.Hold | m.Approve) -> list[str]:
    if isinstance(item, m.Hold):
        words = f"hold {item.name} for {duration(item.seconds)} by {item.role}"
    else:
        words = f"approve {item.name} by {item.role}"
    if item.when is not None:
        words += f" when {expression(item.when)}"
    if isinstance(item, m.Approve) and item.within is not None:
        words += f" within {duration(item.within)}"
    if item.showing is not None:
        words += f" showing {expression(item.showing)}"
    return [words, f"  else {outcome(item.otherwise)}"]


def block_lines(items: tuple[m.Item, ...]) -> list[str]:
    return [f"  {line}" for item in items for line in item_lines(item)]


def item_lines(item: m.Item) -> list[str]:
    match item:
        case m.Step():
            return step_lines(item)
        case m.Let(name=name, type=type_, value=value):
            return [f"let {name}{'' if type_ is None else f': {type_}'} = {expression(value)}"]
        case m.Gate():
            return gate_lines(item)
        case m.Hold() | m.Approve():
            return person_lines(item)
        case m.When(name=name, test=test, then=then, otherwise=otherwise):
            label = "" if name is None else f"{name}: "
            lines = [f"when {label}{expression(test.condition)} {{", *block_lines(then)]
            if otherwise:
                lines += ["} else {", *block_lines(otherwise)]
            return [*lines, "}"]
        case m.Match(path=path, arms=arms):
            lines = [f"match {expression(path)} {{"]
            for members, items in arms:
                lines.append(f"  {', '.join(members)} {{")
                lines += [f"  {line}" for line in block_lines(items)]
                lines.append("  }")
            return [*lines, "}"]
        case m.Return() | m.Escalate() | m.Reject() | m.Fail():
            return [outcome(item)]
        case _:
            assert_never(item)


# --- the file -------------------------------------------------------------------------------


def tool_text(tool: m.Tool) -> str:
    params = ", ".join(f"a{i}: {type_}" for i, type_ in enumerate(tool.params))
    idempotent = "  idempotent\n" if tool.writes else ""  # else a retry of it is a finding
    return (
        f"tool {tool.name}({params}) -> {tool.result} {{\n"
        f'  python "oracle.tools:{tool.name}"\n'
        f"  effect {tool.effect}\n{idempotent}"
        "  timeout 10s\n"
        "  latency 100ms median, 1s p95\n"
        f"  succeeds {percent(tool.succeeds)}\n"
        f"  accuracy {percent(tool.accuracy)}\n"
        f"  cost ${decimal(tool.cost)}\n"
        "}"
    )


def share_line(share: m.PathShare) -> str:
    if isinstance(share.share, Fraction):
        return f"{expression(share.path)}: {percent(share.share)}"
    members = ", ".join(f"{name} {percent(p)}" for name, p in share.share)
    return f"{expression(share.path)}: {members}"


def traffic_lines(pipeline: m.Pipeline) -> list[str]:
    lines = [share_line(share) for share in pipeline.shares]
    for item in all_items(pipeline.items):
        if isinstance(item, m.Gate | m.When) and isinstance(item.test.source, m.Share):
            share = item.test.source
            if share.right == share.wrong:
                lines.append(f"{item.name}: {percent(share.right)}")
            else:
                right, wrong = percent(share.right), percent(share.wrong)
                lines.append(f"{item.name}: {right} if right, {wrong} if wrong")
    return ["traffic 100/day {", *(f"  {line}" for line in lines), "}"] if lines else []


def pipe_text(program: m.Program) -> str:
    chunks: list[str] = []
    for provider in program.providers:
        available = percent(provider.available)
        chunks.append(
            f"provider {provider.name} {{\n  kind anthropic\n"
            f'  key "env:ANTHROPIC_API_KEY"\n  available {available}\n}}'
        )
    for tier in program.tiers:
        chunks.append(
            f'tier {tier.name} {{\n  provider {tier.provider}\n  model "model-{tier.name}"\n'
            "  price $0 in, $0 out\n  latency 600ms median, 2s p95\n"
            f"  transient {percent(tier.transient)}\n  context 200k tokens\n}}"
        )
    for enum in program.enums:
        chunks.append(f"enum {enum.name} {{ {' '.join(enum.members)} }}")
    for record in program.records:
        fields = "\n".join(f"  {field.name}: {field.type}" for field in record.fields)
        chunks.append(f"type {record.name} {{\n{fields}\n}}")
    for role in program.roles:
        chunks.append(
            f"role {role.name} {{\n  people 20\n  handles 4m\n"
            f"  responds {duration(role.median)} median, {duration(role.p95)} p95\n"
            f"  accuracy {percent(role.accuracy)}\n}}"
        )
    chunks += [tool_text(tool) for tool in program.tools]
    pipeline = program.pipeline
    for step in steps_of(pipeline.items):
        chunks += prompts(step)
    inputs = ", ".join(f"{i.name}: {i.type}" for i in pipeline.inputs)
    lines = [f"pipeline {pipeline.name}({inputs}) -> {pipeline.result} {{"]
    lines += [f"  {line}" for line in traffic_lines(pipeline)]
    lines += [*block_lines(pipeline.items), "}"]
    return "\n\n".join([*chunks, "\n".join(lines)]) + "\n"


def evidence_text(file: m.EvidenceFile) -> str:
    """JSON Lines; confidences written as exact decimals."""
    return "".join(
        f'{{"confidence": {decimal(row.confidence)}, "correct": {json.dumps(row.correct)}}}\n'
        for row in file.rows
    )


def write_pipe(program: m.Program, folder: FilePath) -> FilePath:
    """Writes the program and its evidence files into a folder; returns the `.pipe` file."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in program.files:
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(evidence_text(file), encoding="utf-8")
    path = folder / f"{program.pipeline.name}.pipe"
    path.write_text(pipe_text(program), encoding="utf-8")
    return path
