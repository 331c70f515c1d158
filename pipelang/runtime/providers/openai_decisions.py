"""Decisions with probabilities at OpenAI: by `/v1/decisions`, a choice of alternatives, and by
the log-probabilities that a response tells.
"""

from __future__ import annotations

from typing import Any

from pipelang.runtime.providers.answers import declined
from pipelang.runtime.providers.log_probabilities import tokens_in, weighed
from pipelang.runtime.providers.openai_wire import NAME, usage_in, user_content
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest
from pipelang.runtime.providers.records import field_of

_ROUNDING = 1e-6

_INSTRUCTIONS = "Choose the value that answers the text."


def create_arguments(request: ModelRequest) -> dict[str, Any]:
    """The arguments of the SDK's `decisions.create` for a decision."""
    said: list[dict[str, Any]] = []
    if request.system:
        said.append({"role": "developer", "content": request.system})
    said.append({"role": "user", "content": user_content(request)})
    question = {
        "type": "choice",
        "name": NAME,
        "instructions": _instructions(request),
        "choices": [{"value": choice} for choice in request.choices],
    }
    return {"model": request.model, "input": said, "questions": [question]}


def _instructions(request: ModelRequest) -> str:
    """The question, with what the file says of the alternatives."""
    schema = {} if request.answer is None else request.answer.model_json_schema()
    told = schema.get("properties", {}).get("value", {}).get("description")
    return f"{_INSTRUCTIONS} {told}" if told else _INSTRUCTIONS


def answer_of(request: ModelRequest, decision: object) -> ModelAnswer:
    """The value that was chosen, with its probability. Raises ModelFault."""
    used = usage_in(field_of(decision, "usage"), "input", "output")
    answers = field_of(decision, "answers")
    answer = answers[0] if isinstance(answers, list) and answers else None
    if answer is None or used is None:
        raise ModelFault("server", "the API's answer isn't a decision with its usage")
    named = field_of(decision, "model")
    model = named if isinstance(named, str) and named else request.model
    if field_of(answer, "type") == "refusal":
        raise declined(model, used)
    choice = field_of(answer, "choice")
    # To Python, 1 is True: the alternatives differ in their types too.
    if not any(choice == one and type(choice) is type(one) for one in request.choices):
        raise ModelFault("misfit", "`value`: the choice is none of the alternatives", used)
    share = _probability(answer, choice)
    if share is None:
        raise ModelFault("server", "the API's decision has no probability", used)
    value = {"value": choice, "confidence": share}
    return ModelAnswer(value, used, model, probabilities=True)


def _probability(answer: object, choice: object) -> float | None:
    """The probability of the alternative that was chosen."""
    told = field_of(answer, "probabilities")
    for one in told if isinstance(told, list) else ():
        value, share = field_of(one, "value"), field_of(one, "probability")
        if value == choice and type(value) is type(choice) and share is not None:
            return _share(share)
    return _share(field_of(answer, "confidence"))


def _share(told: object) -> float | None:
    """A probability, up to the rounding of one; None for what is none: 95 may be percent, and taken
    for certain it would pass every gate.
    """
    if isinstance(told, bool) or not isinstance(told, (int, float)):
        return None
    return min(1.0, max(0.0, float(told))) if -_ROUNDING <= told <= 1 + _ROUNDING else None


WEIGHED = "message.output_text.logprobs"
"""The part of a response that tells how probable its tokens were."""


def weigh(answer: ModelAnswer, response: object) -> ModelAnswer:
    """A decision with the probability of its choice, where a response tells it."""
    told: list[Any] = []
    said = ""
    for item in _listed(field_of(response, "output")):
        for part in _listed(field_of(item, "content")):
            told += _listed(field_of(part, "logprobs"))
            text = field_of(part, "text")
            said += text if isinstance(text, str) else ""
    return weighed(answer, tokens_in(told), said)


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
