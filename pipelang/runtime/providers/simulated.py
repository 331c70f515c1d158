"""A simulated provider: answers that fit the type, faults and delays, all drawn with a seed.

It knows nothing of the question: what it draws hangs on the seed and on what was asked, not on what
was asked before, so that runs side by side answer as they would one after the other. It is for
looking at how a pipeline runs where there is neither a key nor a recording, and it says so in every
answer.
"""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pipelang.runtime.providers.answers import media_in
from pipelang.runtime.providers.pricing import media_tokens
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.semantics import program as p
from pipelang.semantics.chance import Declared
from pipelang.semantics.kernels.media import BOTH, STAND_IN, rule_of
from pipelang.semantics.quantities import count_tokens
from pipelang.semantics.types import (
    EnumType,
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
)

NOTE = "simulated: drawn at random, not answered by a model"


class SimulatedProvider:
    """Draws answers. `speed` scales delays (0 answers at once)."""

    name = "simulated"
    takes = BOTH

    def __init__(self, program: p.Program, seed: int, speed: float = 0.0) -> None:
        self._tiers = program.tiers
        self._providers = program.providers
        self._answers = _answer_types(program)
        self._seed = seed
        self._speed = speed

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        tier = self._tiers[request.tier]
        chance = self._chance(request)
        if tier.latency is not None and self._speed:
            await asyncio.sleep(self._speed * _delay(tier.latency, chance))
        seen = self._seen(tier, request)
        used = Usage(count_tokens(request.user) + count_tokens(request.system or "") + seen, 0)
        if isinstance(tier.transient, Declared) and chance.random() < tier.transient.share:
            raise ModelFault("overloaded", "simulated: overloaded", used)
        type = self._answers[request.step, request.prompt]
        value = draw(type, chance)
        if request.answer is not None and not isinstance(type, RecordType):
            value = {"answer": value}
        size = max(1, count_tokens(str(value)))
        return ModelAnswer(value, Usage(used.input, size), f"simulated {request.model}", NOTE)

    def _seen(self, tier: p.Tier, request: ModelRequest) -> int:
        """Tokens of pictures and documents: the most that they count by the maker's rule."""
        media = media_in(request)
        if not media:
            return 0
        rule = rule_of(self._providers[tier.provider].kind, tier.model)
        return media_tokens(rule, tier, media) or 0

    async def count_tokens(self, request: ModelRequest) -> int | None:
        return None

    async def close(self) -> None:
        return None

    def _chance(self, request: ModelRequest) -> random.Random:
        arguments = json.dumps(request.arguments, sort_keys=True, default=str)
        asked = (self._seed, request.step, request.prompt, request.tier, request.call, arguments)
        # A text as a seed is hashed by the generator itself, the same in every process.
        return random.Random(repr(asked))


def _delay(latency: p.Spread, chance: random.Random) -> float:
    median = float(latency.median)
    if latency.p95 is None:
        return median
    sigma = math.log(float(latency.p95) / median) / 1.644854
    return median * math.exp(chance.gauss(0, sigma))


def _answer_types(program: p.Program) -> Mapping[tuple[str, str], Type]:
    from pipelang.semantics.walk import all_items, inner_links

    types: dict[tuple[str, str], Type] = {}
    for pipeline in program.pipelines.values():
        for item in all_items(pipeline.block):
            if isinstance(item, p.Step):
                for link in inner_links(item.chain):
                    if isinstance(link.action, (p.AskTier, p.Cascade, p.Agent)):
                        types[item.name, link.action.prompt] = link.action.answers
    return types


WORDS = "the customer asked about a plan and this answer was drawn at random".split()


def draw(type: Type, chance: random.Random) -> Any:
    """A JSON value that fits a type."""
    match type:
        case Scalar():
            return _scalar(type, chance)
        case EnumType():
            return chance.choice(type.members)
        case RecordType():
            return {field.key: draw(field.type, chance) for field in type.fields}
        case ListType():
            most = min(type.max_length if type.max_length is not None else 3, 3)
            return [draw(type.element, chance) for _ in range(chance.randint(0, most))]
        case MapType():
            return {"key": draw(type.value, chance)}
        case OptionalType():
            return None if chance.random() < 0.3 else draw(type.inner, chance)
        case _:
            return None


def _scalar(type: Scalar, chance: random.Random) -> Any:
    low = float(type.low) if type.low is not None else 0.0
    high = float(type.high) if type.high is not None else None
    match type.kind:
        case ScalarKind.TEXT:
            text = " ".join(chance.choices(WORDS, k=8))
            limit = type.max_tokens
            return text if limit is None else text.encode()[: limit * 3].decode()
        case ScalarKind.INT:
            return chance.randint(int(low), int(high if high is not None else low + 10))
        case ScalarKind.BOOL:
            return chance.random() < 0.5
        case ScalarKind.PROBABILITY:
            most = high if high is not None else 1.0
            share = low + (most - low) * (1 - chance.random() ** 2 * 0.5)
            return max(low, min(most, float(round(Decimal(share), 2))))
        case ScalarKind.TIME:
            return "2026-01-01T00:00:00Z"
        case ScalarKind.JSON:
            return {}
        case ScalarKind.IMAGE | ScalarKind.DOCUMENT:
            return dict(STAND_IN[type.kind.value])
        case _:
            most = high if high is not None else low + 100
            return max(low, min(most, round(chance.uniform(low, most), 2)))
