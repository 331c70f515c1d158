"""Prices of attempts in a simulation: each by what its prompt renders in this run.

A rendering asks for the values that it branches on, and nothing else of a run decides its price. So
it is worked out once for each row of answers, and found again by asking the same questions: a tree
of them. They are asked in the order in which a rendering asks them, so that a run draws what it
would have drawn.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from pipelang.analysis.kernels.costs import rendered_cost, turn_cost
from pipelang.analysis.kernels.prompt_size import Prompted, varies
from pipelang.analysis.kernels.subpipelines import child_model
from pipelang.analysis.model.model import PipelineModel, make_model
from pipelang.analysis.model.parameters import point_parameters
from pipelang.records import dataclass, field
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.prices import MISFIT_TOKENS, dearest_input

if TYPE_CHECKING:
    from pipelang.analysis.kernels.prompt_size import DrawnInputs

BEYOND = Decimal(10) ** 30
"""Dollars that no budget has."""

Price = tuple[float, float]
"""Dollars and tokens of one attempt."""

Question = tuple[Literal["holds", "length"], expr.Expr]


@dataclass(slots=True)
class _Priced:
    """Answers so far: the next question and where its answers lead, or the price."""

    question: Question | None = None
    answers: dict[Any, _Priced] = field(default_factory=dict)
    price: Price | None = None


@dataclass(frozen=True, slots=True)
class _Heard:
    """The inputs of a prompt, with what a rendering asked of them and was answered."""

    drawn: DrawnInputs
    said: list[tuple[Question, Any]] = field(default_factory=list)

    @property
    def feedback(self) -> str | None:
        return self.drawn.feedback

    def holds(self, path: expr.Expr) -> bool | None:
        answer = self.drawn.holds(path)
        self.said.append((("holds", path), answer))
        return answer

    def length(self, elements: expr.Expr) -> int | None:
        answer = self.drawn.length(elements)
        self.said.append((("length", elements), answer))
        return answer


@dataclass(frozen=True, slots=True)
class Means:
    """Prices in a simulation: of what an attempt renders, with the mean lengths of its values."""

    model: PipelineModel
    known: dict[tuple[Any, ...], _Priced] = field(default_factory=dict)
    children: dict[int, tuple[p.RunPipeline, Means]] = field(default_factory=dict)

    def attempt(
        self, step: p.Step, link: p.Link, tier: str, turn: int, told: bool, drawn: DrawnInputs
    ) -> Price:
        ask = _asked(link)
        if not told and not varies(self.model.program.prompts[ask.prompt].shape):
            cost = turn_cost(self.model, step, link, ask, tier, turn)
            return cost.mean, cost.tokens_in.mean + cost.tokens_out.mean
        size = None if drawn.feedback is None or not told else len(drawn.feedback.encode())
        key = (id(link), step.name, tier, turn, told, size)
        start = here = self.known.setdefault(key, _Priced())
        while here.question is not None:
            answer = _answer(drawn, here.question)
            if answer not in here.answers:
                break
            here = here.answers[answer]
        if here.price is not None:
            return here.price
        heard = _Heard(drawn)
        cost = rendered_cost(self.model, step, link, ask, tier, turn, told, heard)
        price = cost.mean, cost.tokens_in.mean + cost.tokens_out.mean
        _note(start, heard.said, price)
        return price

    def reserved(
        self, step: p.Step, link: p.Link, tier: str, turn: int, told: bool, again: bool
    ) -> tuple[Decimal, int]:
        """The reservation at the greatest lengths; beyond any budget where nothing bounds them."""
        cost = turn_cost(self.model, step, link, _asked(link), tier, turn, told)
        more = MISFIT_TOKENS if again else 0
        money, tokens = BEYOND, 2**62
        if cost.worst is not None:
            dearest = dearest_input(self.model.program.tiers[tier])
            money = Decimal(format(cost.worst, ".13g")) + dearest * more / 1_000_000
        if cost.tokens_in.bound is not None and cost.tokens_out.bound is not None:
            tokens = cost.tokens_in.bound + cost.tokens_out.bound + more
        return money, tokens

    def child(self, action: p.RunPipeline) -> Means:
        known = self.children.get(id(action))
        if known is None:
            made = Means(child_model(self.model, action))
            known = self.children[id(action)] = (action, made)
        return known[1]


def _asked(link: p.Link) -> Prompted:
    action = link.action
    asked = action.agent or action if isinstance(action, p.Cascade) else action
    assert isinstance(asked, (p.AskTier, p.Cascade, p.Agent))
    return asked


def _answer(drawn: DrawnInputs, question: Question) -> Any:
    kind, node = question
    return drawn.holds(node) if kind == "holds" else drawn.length(node)


def _note(here: _Priced, said: Iterable[tuple[Question, Any]], price: Price) -> None:
    for question, answer in said:
        here.question = question
        here = here.answers.setdefault(answer, _Priced())
    here.price = price


def spending(program: p.Program, pipeline: p.Pipeline) -> Means:
    """The cost of attempts in a simulation of a pipeline."""
    return Means(make_model(program, pipeline, point_parameters(program)))
