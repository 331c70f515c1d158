"""Prices of asks: the rendered request, the most that it may take, and what it took."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from pipelang.records import dataclass
from pipelang.runtime.engine.values import HIDDEN, Misfit, Types, shown, to_json
from pipelang.runtime.engine.world import Attempt, Turn
from pipelang.runtime.media.given import media_of
from pipelang.runtime.media.medium import Media
from pipelang.runtime.prompts.templates import (
    MediaMarks,
    for_template,
    render,
    shorten_feedback,
)
from pipelang.runtime.providers.protocol import ToolSchema, Usage
from pipelang.semantics import program as p
from pipelang.semantics.jsonschema import json_schema
from pipelang.semantics.kernels.media import MediaRule
from pipelang.semantics.kernels.media import tokens_of as tokens_by_rule
from pipelang.semantics.kernels.prices import MISFIT_TOKENS, dearest_input, is_priced
from pipelang.semantics.quantities import count_tokens
from pipelang.semantics.sizes import reserved_output
from pipelang.semantics.types import media_in

MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class PricedAsk:
    """A rendered prompt. `arguments` are the prompt's arguments as JSON."""

    system: str | None
    user: str
    answer: type[BaseModel] | None
    arguments: Mapping[str, Any]
    schema_tokens: int
    fingerprint: str
    content: tuple[str | Media, ...] = ()
    """The user text with pictures and documents where they stand; empty where there are none."""

    @property
    def media(self) -> tuple[Media, ...]:
        """The pictures and documents that are shown."""
        return tuple(part for part in self.content if isinstance(part, Media))


def ask_for(
    prompt: p.Prompt, action: p.AskTier | p.AskRole, attempt: Attempt, types: Types
) -> PricedAsk:
    """Render a prompt for an attempt. Raises `RenderError`, and `Misfit` for an argument that is no
    value of its parameter's type: what bounds a prompt's cost is also held to.
    """
    arguments: dict[str, Any] = {}
    media: dict[str, Media] = {}
    for parameter in prompt.parameters:
        try:
            given = types.check(parameter.type, attempt.arguments[parameter.name])
        except Misfit as misfit:
            raise Misfit(f"argument `{parameter.name}` of `{prompt.name}`: {misfit}") from None
        if media_in(parameter.type):
            media |= media_of(given)
        arguments[parameter.name] = (
            to_json(given) if isinstance(action, p.AskTier) else _seen(parameter, action, attempt)
        )
    feedback, marks = attempt.feedback, MediaMarks(media)
    values = {
        **{q.name: for_template(q.type, arguments[q.name], marks) for q in prompt.parameters},
        "feedback": None if feedback is None else shorten_feedback(feedback),
    }
    system = None if prompt.system is None else render(prompt.system, values)
    answer = types.answer_model(action.answers)
    schema = 0
    if answer is not None:
        as_json = json_schema(action.answers, types.patterns)
        schema = count_tokens(json.dumps(as_json, separators=(",", ":")))
    data = json.dumps(arguments, sort_keys=True, default=str).encode()
    digest = hashlib.sha256(data).hexdigest()[:16]
    user = render(prompt.user, values)
    content = marks.parts(user)
    if content:
        user = "".join(map(str, content))
    return PricedAsk(system, user, answer, arguments, schema, digest, content)


def _seen(parameter: p.Parameter, action: p.AskRole, attempt: Attempt) -> Any:
    """An argument as a person may see it: what is labelled `secret`, where it comes from or where
    it goes, is left out.
    """
    if "secret" in parameter.type.labels:
        return HIDDEN
    source = dict(action.arguments)[parameter.name]
    return shown(source.type, attempt.arguments[parameter.name])


def prompt_tokens(ask: PricedAsk) -> int:
    """Our own bound on the tokens of a rendered prompt, the answer's schema included; without its
    pictures and documents.
    """
    texts = (part for part in ask.content if isinstance(part, str))
    user = "".join(texts) if ask.content else ask.user
    return count_tokens(user) + count_tokens(ask.system or "") + ask.schema_tokens


def reservation(
    tier: p.Tier,
    ask: PricedAsk,
    attempt: Attempt,
    limit: int | None,
    counted: int | None,
    conversation: int = 0,
    seen: int = 0,
) -> tuple[Decimal | None, int]:
    """Dollars (None without a price) and tokens that one attempt can take at most: the larger of
    two counts, and `limit` tokens of output. `conversation` are the tokens of an agent's tools and
    turns, `seen` those of the pictures and documents.
    """
    ours = prompt_tokens(ask) + conversation + seen
    if attempt.misfit is not None:
        ours += MISFIT_TOKENS
    tokens_in = max(ours, counted or 0)
    tokens_out = reserved_output(attempt.link, limit)
    tokens = tokens_in + tokens_out
    if not is_priced(tier):
        return None, tokens
    return (tokens_in * dearest_input(tier) + tokens_out * tier.prices["out"]) / MILLION, tokens


def media_tokens(rule: MediaRule, tier: p.Tier, media: Sequence[Media]) -> int | None:
    """The most tokens that pictures and documents count at a tier, by its maker's rule; the whole
    context where there is none. None where that is not known either.
    """
    total = 0
    for one in media:
        most = tokens_by_rule(rule, one)
        if most is None:
            return tier.context
        total += most
    return total


def conversation_tokens(tools: Sequence[ToolSchema], turns: Sequence[Turn]) -> int:
    """Our own bound on what an agent's tools and earlier turns take."""
    if not tools:
        return 0
    schemas = [[tool.name, tool.description, tool.input_schema] for tool in tools]
    total = count_tokens(json.dumps(schemas, separators=(",", ":")))
    for turn in turns:
        asked = [[call.name, dict(call.arguments)] for call in turn.calls]
        total += count_tokens(_as_text(asked))
        total += sum(count_tokens(_as_text(result.value)) for result in turn.results)
    return total


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, default=str, ensure_ascii=False, separators=(",", ":"))


def price_of(tier: p.Tier, usage: Usage) -> Decimal | None:
    """Dollars of what was used, by the tier's prices; caching as input where it has no price. None
    where the tier has none and anything was used: what is unknown is not nothing.
    """
    if not is_priced(tier):
        return None if tokens_of(usage) else Decimal(0)
    price_in = tier.prices["in"]
    total = usage.input * price_in
    total += usage.cache_write * tier.prices.get("cache_write", price_in)
    total += usage.cache_read * tier.prices.get("cache_read", price_in)
    total += usage.output * tier.prices["out"]
    return total / MILLION


def tokens_of(usage: Usage) -> int:
    """All tokens of an attempt."""
    return usage.input + usage.output + usage.cache_read + usage.cache_write
