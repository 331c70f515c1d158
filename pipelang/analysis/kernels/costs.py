"""Tokens and dollars of one attempt.

Bounds count a third of the UTF-8 bytes, rounded up; means a quarter. A prompt is its template's
text (a loop times its list's `max`, the longest branch of an `if`), its variables (the smallest of
the parameter's `max`, the source's `max` and the source's `output`), 200 tokens where it shows
`feedback` and can be redone, and the JSON Schema of the answer.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import reduce

from pipelang.analysis.model.model import PipelineModel
from pipelang.records import dataclass
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.jsonschema import json_schema
from pipelang.semantics.kernels.agent import CALLS_A_TURN, tools_of
from pipelang.semantics.sizes import NONE, Size, output_limit, value_size
from pipelang.semantics.types import (
    TEXT,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Type,
)

FEEDBACK_TOKENS = 200

Prompted = p.AskTier | p.Cascade | p.Agent


@dataclass(frozen=True, slots=True)
class AttemptCost:
    """Dollars and tokens of one attempt. `worst` None: unbounded. `priced` False: unknown price."""

    mean: float
    worst: float | None
    tokens_in: Size
    tokens_out: Size
    priced: bool


def attempt_cost(model: PipelineModel, step: p.Step, link: p.Link, tier_name: str) -> AttemptCost:
    """Return the cost of one attempt of an ask at a tier."""
    assert isinstance(link.action, (p.AskTier, p.Cascade))
    return turn_cost(model, step, link, link.action, tier_name, 1)


def turn_cost(
    model: PipelineModel, step: p.Step, link: p.Link, ask: Prompted, tier_name: str, turn: int
) -> AttemptCost:
    """Return the cost of one attempt at a turn (from 1) of an agent; an ask is one turn without
    tools.
    """
    known: AttemptCost | None = model.costs.get((id(link), tier_name, turn))
    if known is None:
        size_in = prompt_size(model, ask, step.name in model.latent)
        size_out = output_size(link, ask.answers)
        if isinstance(ask, p.Agent):
            size_in = size_in + conversation(model, ask, size_out, turn)
        known = _priced(model.program.tiers[tier_name], size_in, size_out, link.batch is not None)
        model.costs[id(link), tier_name, turn] = known
        if not (known.tokens_in.declared and known.tokens_out.declared):
            model.parameters.bounded = True
    return known


BATCH = 0.5
"""The price of a batch, as a share of the usual price. Providers without batches charge the usual
price.
"""


def _priced(tier: p.Tier, size_in: Size, size_out: Size, batch: bool) -> AttemptCost:
    if size_in.bound is None and tier.context is not None:
        size_in = Size(min(size_in.mean, float(tier.context)), tier.context, False)
    if size_out.bound is None and tier.context is not None:
        size_out = Size(min(size_out.mean, float(tier.context)), tier.context, size_out.declared)
    price_in, price_out = tier.prices.get("in"), tier.prices.get("out")
    if price_in is None or price_out is None:
        return AttemptCost(0.0, None, size_in, size_out, False)
    mean = (size_in.mean * float(price_in) + size_out.mean * float(price_out)) / 1e6
    worst = None
    free = price_in == 0 and price_out == 0
    if free:
        mean, worst = 0.0, 0.0
    elif size_in.bound is not None and size_out.bound is not None:
        worst = (size_in.bound * float(price_in) + size_out.bound * float(price_out)) / 1e6
    return AttemptCost(mean * BATCH if batch else mean, worst, size_in, size_out, True)


def conversation(model: PipelineModel, agent: p.Agent, output: Size, turn: int) -> Size:
    """Return the input tokens of an agent's turn besides its prompt: the tools, and every turn
    before it.
    """
    program = model.program
    size, result = NONE, NONE
    for schema, returns in tools_of(program, agent):
        text = len(json.dumps(schema, separators=(",", ":")).encode())
        size = size + Size(text / 4, -(-text // 3))
        result = _larger(result, value_size(returns))
    if turn == 1:
        return size
    before = turn - 1
    said = (output + result).times(before, float(before))
    most = _times(result.bound, before * (CALLS_A_TURN - 1))
    bound = None if said.bound is None or most is None else said.bound + most
    return size + Size(said.mean, bound, output.declared and result.declared)


def _times(bound: int | None, count: int) -> int | None:
    return 0 if count == 0 else None if bound is None else bound * count


def tools_cost(model: PipelineModel, agent: p.Agent) -> float:
    """Dollars of one tool call of an agent on average, each of its tools called as often."""
    costs = [float(model.program.tools[name].cost) for name in agent.tools]
    count = len(costs) + len(agent.pipelines)
    return sum(costs) / count if count else 0.0


def output_size(link: p.Link, answers: Type) -> Size:
    """Tokens of an answer, thinking included: its limit is what the interpreter asks for."""
    bound = output_limit(link, answers)
    if link.output_mean is not None:
        return Size(float(link.output_mean), bound)
    return Size(float("inf") if bound is None else float(bound), bound, False)


def prompt_size(model: PipelineModel, action: Prompted, redone: bool) -> Size:
    """Tokens of a prompt with these arguments."""
    prompt = model.program.prompts[action.prompt]
    arguments = dict(action.arguments)
    types = {parameter.name: parameter.type for parameter in prompt.parameters}
    text = _text_bytes(prompt.shape)
    size = Size(text / 4, -(-text // 3))
    size = size + _values(model, prompt.shape, arguments, types, redone)
    if action.answers != TEXT:
        schema = json_schema(action.answers, model.program.patterns)
        text = len(json.dumps(schema, separators=(",", ":")).encode())
        size = size + Size(text / 4, -(-text // 3))
    return size


def _text_bytes(shape: Sequence[p.TemplatePart]) -> int:
    total = 0
    for part in shape:
        match part:
            case p.TemplateText():
                total += part.size
            case p.TemplateLoop():
                total += _text_bytes(part.body) * (part.max_length or 1)
            case p.TemplateBranch():
                total += max((_text_bytes(way) for way in part.ways), default=0)
            case p.TemplateValue():
                pass
    return total


def _values(
    model: PipelineModel,
    shape: Sequence[p.TemplatePart],
    arguments: dict[str, expr.Expr],
    types: dict[str, Type],
    redone: bool,
) -> Size:
    size = NONE
    for part in shape:
        match part:
            case p.TemplateText():
                pass
            case p.TemplateValue():
                one = _value(model, part, arguments, types, redone)
                bound = None if one.bound is None else one.bound * part.times
                size = size + Size(one.mean, bound, one.declared)
            case p.TemplateLoop():
                inner = _values(model, part.body, arguments, types, redone)
                size = size + inner.times(_length(part, arguments, types))
            case p.TemplateBranch():
                ways = [_values(model, way, arguments, types, redone) for way in part.ways]
                size = size + reduce(_larger, ways, NONE)
    return size


def _larger(first: Size, second: Size) -> Size:
    bound = None
    if first.bound is not None and second.bound is not None:
        bound = max(first.bound, second.bound)
    return Size(max(first.mean, second.mean), bound, first.declared and second.declared)


def _length(
    loop: p.TemplateLoop, arguments: dict[str, expr.Expr], types: dict[str, Type]
) -> int | None:
    """The most passes of a loop: the smaller of the parameter's and the source's `max`."""
    lengths = [] if loop.max_length is None else [loop.max_length]
    for value in _first_values(loop.body):
        if value.path is None or "*" not in value.path:
            continue
        path = value.path[: value.path.index("*")]
        for type in (_follow(types.get(path[0]), path[1:]), _source_type(arguments, path)):
            if isinstance(type, (ListType, MapType)) and type.max_length is not None:
                lengths.append(type.max_length)
    return min(lengths, default=None)


def _first_values(shape: Sequence[p.TemplatePart]) -> list[p.TemplateValue]:
    found: list[p.TemplateValue] = []
    for part in shape:
        match part:
            case p.TemplateValue():
                found.append(part)
            case p.TemplateLoop():
                found.extend(_first_values(part.body))
            case p.TemplateBranch():
                for way in part.ways:
                    found.extend(_first_values(way))
            case p.TemplateText():
                pass
    return found


def _source_type(arguments: dict[str, expr.Expr], path: Sequence[str]) -> Type | None:
    source = arguments.get(path[0])
    return None if source is None else _follow(source.type, path[1:])


def _follow(type: Type | None, path: Sequence[str]) -> Type | None:
    """The type at a path into a type; `*` is an element."""
    for name in path:
        if isinstance(type, OptionalType):
            type = type.inner
        if name == "*" and isinstance(type, ListType):
            type = type.element
        elif name == "*" and isinstance(type, MapType):
            type = type.value
        elif isinstance(type, RecordType):
            field = type.field(name)
            type = None if field is None else field.type
        else:
            return None
    return type


def _value(
    model: PipelineModel,
    value: p.TemplateValue,
    arguments: dict[str, expr.Expr],
    types: dict[str, Type],
    redone: bool,
) -> Size:
    if value.path is None:
        return value_size(value.type)
    if value.path[0] == "feedback":
        return Size(float(FEEDBACK_TOKENS), FEEDBACK_TOKENS) if redone else NONE
    path = value.path
    sizes = []
    for type in (_follow(types.get(path[0]), path[1:]), _source_type(arguments, path)):
        if type is not None:
            sizes.append(value_size(type))
    source = arguments.get(path[0])
    declared = None
    if source is not None:
        root = expr.path_of(source)
        if root is not None:
            declared = _declared_mean(model, (*root, *path[1:]))
            step = model.steps.get(root[0])
            if step is not None:
                sizes.extend(_outputs(step))
    bounds = [size.bound for size in sizes if size.bound is not None]
    bound = min(bounds, default=None)
    if declared is not None:
        return Size(float(declared), bound)
    means = [size.mean for size in sizes if size.declared]
    if means and all(size.declared for size in sizes if size.bound == bound):
        return Size(min(means), bound)
    return Size(float("inf") if bound is None else float(bound), bound, False)


def _outputs(step: p.Step) -> list[Size]:
    """Return the length of a step's value by the step's own `output` limits."""
    limits = [
        link.output_max
        for link in step.chain.links
        if isinstance(link.action, (p.AskTier, p.Cascade, p.Agent))
    ]
    if not limits or any(limit is None for limit in limits):
        return []
    return [Size(0.0, max(limit for limit in limits if limit is not None), False)]


def _declared_mean(model: PipelineModel, path: tuple[str, ...]) -> float | None:
    mean = model.means.get(path)
    return None if mean is None else float(mean)
