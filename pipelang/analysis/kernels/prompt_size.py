"""Tokens of a prompt.

Bounds count a third of the UTF-8 bytes, rounded up; means a quarter. A prompt is its template's
text and its variables (the smallest of the parameter's `max`, the source's `max` and the source's
`output`), 200 tokens where it shows `feedback` and a gate redoes the step, and the JSON Schema of
the answer. Bounds count a loop as often as its list's `max`, and the longest way of an `if`; means
count a loop as often as declared, and the ways by the share of the condition.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Protocol

from pipelang.analysis.kernels.answer_size import (
    longest_answers,
    said_of,
    type_below,
    written_length,
    written_size,
    written_truth,
)
from pipelang.analysis.kernels.surroundings import Decided, decided_before
from pipelang.analysis.model.model import PipelineModel
from pipelang.records import dataclass, replace
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.chance import Chance, Declared
from pipelang.semantics.jsonschema import json_schema
from pipelang.semantics.kernels.media import MediaRule, rule_of
from pipelang.semantics.kernels.prices import FEEDBACK_TOKENS
from pipelang.semantics.sizes import NONE, Size, value_size
from pipelang.semantics.types import (
    TEXT,
    ListType,
    MapType,
    Type,
    is_medium,
    present,
)

Prompted = p.AskTier | p.Cascade | p.Agent


class DrawnInputs(Protocol):
    """Values that a run has drawn of the inputs of one attempt's prompt."""

    @property
    def feedback(self) -> str | None:
        """The text of a gate's feedback; None where there is none."""

    def holds(self, path: expr.Expr) -> bool | None:
        """Whether the value at a path counts as true; None where nobody draws it."""

    def length(self, elements: expr.Expr) -> int | None:
        """The length of a list; None where nobody draws it."""


def prompt_size(
    model: PipelineModel,
    action: Prompted,
    tier: p.Tier,
    told: bool,
    step: str,
    drawn: DrawnInputs | None = None,
) -> Size:
    """Tokens of a prompt with these arguments, in a step, at a tier, by whose maker's rule pictures
    and documents count. `told`: a gate's feedback is in it; `drawn` is what one attempt has of
    them.
    """
    prompt = model.program.prompts[action.prompt]
    types = {parameter.name: parameter.type for parameter in prompt.parameters}
    around = decided_before(model, step)
    rule = rule_of(model.program.providers[tier.provider].kind, tier.model)
    given = _Given(model, dict(action.arguments), types, told, rule, around, drawn)
    # The runtime counts a system prompt and the user's apart, and rounds either up.
    parts = (prompt.shape[: prompt.system_parts], prompt.shape[prompt.system_parts :])
    size = NONE
    for part in parts:
        rendered = _rendered(given, part)
        size = size + rendered.values + Size(rendered.mean / 4, -(-rendered.most // 3))
    schema = _schema_bytes(model.program, action)
    return size + Size(schema / 4, -(-schema // 3))


def standing_size(model: PipelineModel, action: Prompted, tier: p.Tier, step: str) -> Size:
    """Tokens that stand in front of every call of a prompt: its system text and the answer's
    schema.
    """
    prompt = model.program.prompts[action.prompt]
    types = {parameter.name: parameter.type for parameter in prompt.parameters}
    rule = rule_of(model.program.providers[tier.provider].kind, tier.model)
    given = _Given(
        model, dict(action.arguments), types, False, rule, decided_before(model, step), None
    )
    rendered = _rendered(given, prompt.shape[: prompt.system_parts])
    size = rendered.values + Size(rendered.mean / 4, -(-rendered.most // 3))
    schema = _schema_bytes(model.program, action)
    return size + Size(schema / 4, -(-schema // 3))


def varies(shape: Sequence[p.TemplatePart]) -> bool:
    """Whether a template has other text for other values: branches or loops."""
    return any(isinstance(part, (p.TemplateBranch, p.TemplateLoop)) for part in shape)


def least_prompt(program: p.Program, action: Prompted) -> int:
    """Tokens that every rendering of a prompt has: its fixed text and the answer's schema."""
    prompt = program.prompts[action.prompt]
    return -(-_least_bytes(prompt.shape) // 3) + -(-_schema_bytes(program, action) // 3)


def _schema_bytes(program: p.Program, action: Prompted) -> int:
    """The length of the JSON Schema that goes with a question; a text has none."""
    if action.answers == TEXT:
        return 0
    schema = json_schema(action.answers, program.patterns)
    return len(json.dumps(schema, separators=(",", ":")).encode())


def _least_bytes(shape: Sequence[p.TemplatePart]) -> int:
    total = 0
    for part in shape:
        match part:
            case p.TemplateText():
                total += part.size
            case p.TemplateBranch():
                total += min((_least_bytes(way) for way in part.ways), default=0)
            case p.TemplateLoop() | p.TemplateValue():
                pass
    return total


@dataclass(frozen=True, slots=True)
class _Given:
    """Inputs of a template: the arguments, the types of its parameters, feedback or none; how
    pictures and documents count; bools that are `decided` where it is used, and what was `drawn`,
    in place of shares and means.
    """

    model: PipelineModel
    arguments: dict[str, expr.Expr]
    types: dict[str, Type]
    told: bool
    media: MediaRule
    decided: Decided
    drawn: DrawnInputs | None = None


@dataclass(frozen=True, slots=True)
class _Rendered:
    """A part of a template: bytes of its fixed text (on average and at most), and its values."""

    mean: float = 0.0
    most: int = 0
    values: Size = NONE

    def __add__(self, other: _Rendered) -> _Rendered:
        return _Rendered(self.mean + other.mean, self.most + other.most, self.values + other.values)

    @property
    def average(self) -> float:
        """The mean tokens."""
        return self.mean / 4 + self.values.mean

    @property
    def thirds(self) -> float:
        """Three times the tokens at most."""
        bound = self.values.bound
        return float("inf") if bound is None else self.most + 3 * bound


def _rendered(given: _Given, shape: Sequence[p.TemplatePart]) -> _Rendered:
    total = _Rendered()
    for part in shape:
        match part:
            case p.TemplateText():
                total = total + _Rendered(part.size, part.size)
            case p.TemplateValue():
                one = _value(given, part)
                bound = None if one.bound is None else one.bound * part.times
                total = total + _Rendered(values=replace(one, bound=bound))
            case p.TemplateLoop():
                total = total + _looped(given, part)
            case p.TemplateBranch():
                total = total + _branched(given, part)
    return total


def _looped(given: _Given, loop: p.TemplateLoop) -> _Rendered:
    """A body as often as the list is long: at most its `max`, on average as declared."""
    body, most = _rendered(given, loop.body), _length(given, loop)
    mean = None if loop.path is None else _declared_mean(given, (*loop.path, "length"))
    if given.drawn is not None and loop.path is not None and mean is not None:
        source = given.arguments.get(loop.path[0])
        if source is not None and len(loop.path) == 1:
            drawn = given.drawn.length(source)
            mean = mean if drawn is None else float(drawn)
    often = float(most or 1) if mean is None else mean
    values = body.values.times(most, mean)
    if mean is None:  # the list may be empty
        values = replace(values, least=-body.mean * often / 4)
    return _Rendered(body.mean * often, body.most * (most or 1), values)


def _branched(given: _Given, branch: p.TemplateBranch) -> _Rendered:
    """The way that is taken, where that is known; else both by the share of the test on average.
    The longest way bounds them. Without a share its mean counts too, which makes that a bound.
    """
    share = _share(given, branch)
    if share in (0.0, 1.0):
        return _rendered(given, branch.ways[0 if share else 1])
    ways = [_rendered(given, way) for way in branch.ways]
    if not ways:
        return _Rendered()
    most = max(ways, key=lambda way: way.thirds)
    if share is not None:
        first, second = ways
        mean = share * first.mean + (1 - share) * second.mean
        values = share * first.values.mean + (1 - share) * second.values.mean
        declared = first.values.declared and second.values.declared
        least = share * first.values.floor + (1 - share) * second.values.floor
    else:
        longest = max(ways, key=lambda way: way.average)
        mean, values, declared = longest.mean, longest.values.mean, False
        if len({way.average for way in ways}) == 1:
            declared = all(way.values.declared for way in ways)
        least = min(way.mean / 4 + way.values.floor for way in ways) - mean / 4
    return _Rendered(mean, most.most, Size(values, most.values.bound, declared, least))


def _share(given: _Given, branch: p.TemplateBranch) -> float | None:
    """Share of the first of two ways; None where nobody declared it."""
    if branch.test is None:
        return None
    path, wanted = branch.test
    if path[0] == "feedback":
        return float(given.told == wanted)
    source = given.arguments.get(path[0])
    if source is None:
        return None
    settled = written_truth(given.model.expand(source), path[1:])
    if settled is not None:
        return float(settled == wanted)
    if given.drawn is not None and len(path) == 1:
        holds = given.drawn.holds(source)
        if holds is not None:
            return float(holds == wanted)
    root = expr.path_of(given.model.expand(source))
    if root is None:
        return None
    whole = (*root, *path[1:])
    if whole in given.decided:
        return float(given.decided[whole] == wanted)
    shares = _shares_of(given.model, whole)
    if shares is None:
        return None
    chance = shares.get(True)
    if not isinstance(chance, Declared):
        return None
    share = float(chance.share)
    return share if wanted else 1 - share


def _shares_of(model: PipelineModel, path: tuple[str, ...]) -> dict[Any, Chance] | None:
    """The declared shares of the values of a path."""
    for node, said in model.paths.items():
        if expr.path_of(node) == path:
            return dict(said.shares)
    return None


def _length(given: _Given, loop: p.TemplateLoop) -> int | None:
    """Most rounds of a loop: the smaller of the parameter's and the source's `max`."""
    lengths = [] if loop.max_length is None else [loop.max_length]
    paths = [] if loop.path is None else [loop.path]
    for value in _first_values(loop.body):
        if value.path is not None and "*" in value.path:
            paths.append(value.path[: value.path.index("*")])
    for path in paths:
        for type in _types_at(given, path):
            if isinstance(type, (ListType, MapType)) and type.max_length is not None:
                lengths.append(type.max_length)
        source = given.arguments.get(path[0])
        if source is not None:
            written = written_length(given.model.expand(source), path[1:])
            lengths.extend([] if written is None else [written])
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


def _types_at(given: _Given, path: Sequence[str]) -> tuple[Type | None, Type | None]:
    """The type of a path by the parameter, and by what is given for it."""
    source = given.arguments.get(path[0])
    own = type_below(given.types.get(path[0]), path[1:])
    return own, None if source is None else type_below(source.type, path[1:])


def _value(given: _Given, value: p.TemplateValue) -> Size:
    if value.path is None:
        return value_size(value.type, given.media)
    if value.path[0] == "feedback":
        if not given.told:
            return NONE
        if given.drawn is not None and given.drawn.feedback is not None:
            return Size(
                min(len(given.drawn.feedback.encode()) / 4, FEEDBACK_TOKENS), FEEDBACK_TOKENS
            )
        return Size(float(FEEDBACK_TOKENS), FEEDBACK_TOKENS, declared=False)
    path, model = value.path, given.model
    types = [type for type in _types_at(given, path) if type is not None]
    sizes = [value_size(type, given.media) for type in types]
    declared = _declared_mean(given, path)
    source = given.arguments.get(path[0])
    root = None if source is None else expr.path_of(source)
    step = None if root is None else model.steps.get(root[0])
    said: Size | None = None
    if source is not None:
        said = written_size(model.expand(source), path[1:], given.media)
        sizes.extend([] if said is None else [said])
    if step is not None and root is not None:
        sizes.extend(longest_answers(step))
        said = said_of(step, (*root[1:], *path[1:]))
    bounds = [size.bound for size in sizes if size.bound is not None]
    bound = min(bounds, default=None)
    if declared is not None and is_medium(present(value.type)):
        a_page = given.media.page_tokens
        return Size(float("inf") if a_page is None else float(declared) * a_page, bound, False)
    if declared is not None:
        return Size(float(declared), bound)
    means = [size.mean for size in sizes if size.declared]
    if means and all(size.declared for size in sizes if size.bound == bound):
        return Size(min(means), bound, least=min(size.floor for size in sizes))
    most = float("inf") if bound is None else float(bound)
    if said is not None:
        return Size(min(most, said.mean), bound, said.declared, said.least)
    return Size(most, bound, False)


def _declared_mean(given: _Given, path: Sequence[str]) -> float | None:
    """The mean length that `traffic` states of a path in a template."""
    source = given.arguments.get(path[0])
    root = None if source is None else given.model.place(source)
    mean = None if root is None else given.model.means.get((*root, *path[1:]))
    return None if mean is None else float(mean)
