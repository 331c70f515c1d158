"""Values, failures, endings and events of a run as JSON, and back, exactly.

A value is written by its type, as on the wire, except that a `Decimal` keeps all of its digits: a
run that goes on in another process computes with what it had.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from pydantic import BaseModel

from pipelang.records import dataclass
from pipelang.runtime.engine.budget import BudgetSpent, RunBudget
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.expressions import NoValue
from pipelang.runtime.engine.outcomes import Ended, Halted
from pipelang.runtime.engine.values import Types, attribute, to_json
from pipelang.runtime.engine.world import (
    NOTHING,
    AttemptFailed,
    Decision,
    ToolCall,
    ToolResult,
    Turn,
)
from pipelang.runtime.media.medium import Media
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.types import (
    ListType,
    MapType,
    OptionalType,
    RecordType,
    Scalar,
    ScalarKind,
    Type,
    is_medium,
)
from pipelang.semantics.walk import outcomes

Codec = tuple[Callable[[Any], Any], Callable[[Any], Any]]
"""To JSON and back."""


@dataclass(frozen=True, slots=True)
class Restoring:
    """Makes recorded values again: by the types of the program, and the function that finds the
    picture or document which a row tells of.
    """

    types: Types
    medium: Callable[[Mapping[str, Any]], Media | None]


def encode(type: Type, value: Any) -> Any:
    """A value of a type as JSON, except for pictures and documents, which whoever writes the row
    keeps beside it.
    """
    if value is None or isinstance(value, bool):
        return value
    match type:
        case OptionalType():
            return encode(type.inner, value)
        case Scalar(kind=ScalarKind.JSON):
            return to_json(value)
        case Scalar() if isinstance(value, Media):
            return value
        case RecordType() if isinstance(value, BaseModel):
            return {
                one.key: encode(one.type, getattr(value, attribute(one.name)))
                for one in type.fields
            }
        case ListType() if isinstance(value, (list, tuple)):
            return [encode(type.element, item) for item in value]
        case MapType() if isinstance(value, dict):
            return {key: encode(type.value, item) for key, item in value.items()}
        case Scalar() if isinstance(value, Decimal):
            return {"decimal": str(value)}
        case Scalar() if isinstance(value, datetime.datetime):
            return {"time": value.isoformat()}
        case _:
            return to_json(value)


def decode(types: Restoring, type: Type, data: Any) -> Any:
    """The value that was encoded."""
    if data is None:
        return None
    match type:
        case OptionalType():
            return decode(types, type.inner, data)
        case Scalar(kind=ScalarKind.JSON):
            return data
        case Scalar() if is_medium(type):
            return data if isinstance(data, Media) else types.medium(data)
        case RecordType() if isinstance(data, dict):
            model = types.types.model(type)
            fields = {
                attribute(one.name): decode(types, one.type, data[one.key])
                for one in type.fields
                if one.key in data
            }
            return _made(model, fields)
        case ListType() if isinstance(data, list):
            return [decode(types, type.element, item) for item in data]
        case MapType() if isinstance(data, dict):
            return {key: decode(types, type.value, item) for key, item in data.items()}
        case Scalar() if isinstance(data, dict) and data.keys() == {"decimal"}:
            return Decimal(data["decimal"])
        case Scalar() if isinstance(data, dict) and data.keys() == {"time"}:
            return datetime.datetime.fromisoformat(data["time"])
        case _:
            return data


def _made(model: type[BaseModel], fields: dict[str, Any]) -> BaseModel:
    """An instance as it was: it was checked when it was made, in the same program."""
    made = model.__new__(model)
    object.__setattr__(made, "__dict__", fields)
    object.__setattr__(made, "__pydantic_fields_set__", set(fields))
    object.__setattr__(made, "__pydantic_extra__", None)
    object.__setattr__(made, "__pydantic_private__", None)
    return made


# -------------------------------------------------------------------------------- failures


def encode_failure(error: BaseException, budget: RunBudget) -> dict[str, Any] | None:
    """A failure; None for an exception that is not recorded, because it says something of this
    process alone.
    """
    match error:
        case AttemptFailed():
            return {
                "failed": error.kind,
                "message": str(error),
                "retryable": error.retryable,
                "retry_after": error.retry_after,
                "misfit": error.misfit,
                "quotes": error.quotes,
            }
        case BudgetSpent():
            return {"spent": error.dimension, "budget": budget.chain().index(error.budget)}
        case NoValue():
            return {"no_value": str(error), "raised": error.raised}
        case Halted():
            return {"halted": error.code, "detail": error.detail}
        case _:
            return None


def decode_failure(data: dict[str, Any], budget: RunBudget) -> Exception:
    if "failed" in data:
        return AttemptFailed(
            data["message"],
            kind=data["failed"],
            retryable=data["retryable"],
            retry_after=data["retry_after"],
            misfit=data["misfit"],
            quotes=data["quotes"],
        )
    if "spent" in data:
        return BudgetSpent(budget.chain()[data["budget"]], data["spent"])
    if "no_value" in data:
        return NoValue(data["no_value"], data["raised"])
    return Halted(data["halted"], data["detail"])


# --------------------------------------------------------------------------------- endings


def encode_ended(pipeline: p.Pipeline, ended: Ended) -> dict[str, Any]:
    """The end of a pipeline: its outcome is one of those written in it, or one that was made."""
    outcome = ended.outcome
    data: dict[str, Any] = {
        "kind": type(outcome).__name__.lower(),
        "detail": ended.detail,
        "inside": ended.inside,
        "quotes": ended.quotes,
    }
    written = [number for number, one in enumerate(_outcomes(pipeline)) if one is outcome]
    if written:
        data["at"] = written[0]
    match outcome:
        case p.Return():
            data["value"] = encode(outcome.value.type, ended.value)
        case p.Escalate():
            data |= {"role": outcome.role, "reason": outcome.reason, "text": outcome.text}
            if outcome.value is not None and written:
                data["value"] = encode(outcome.value.type, ended.value)
        case p.Reject():
            data |= {"reason": outcome.reason, "text": outcome.text}
        case p.Fail():
            data |= {"code": outcome.code, "reason": outcome.reason}
    return data


def decode_ended(types: Restoring, pipeline: p.Pipeline, data: dict[str, Any]) -> Ended:
    outcome = _outcome(pipeline, data)
    value = None
    match outcome:
        case p.Return():
            value = decode(types, outcome.value.type, data["value"])
        case p.Escalate() if outcome.value is not None:
            value = decode(types, outcome.value.type, data["value"])
        case _:
            pass
    return Ended(outcome, value, data["detail"], data["inside"], data["quotes"])


def _outcome(pipeline: p.Pipeline, data: dict[str, Any]) -> p.Outcome:
    if "at" in data:
        at: int = data["at"]
        return _outcomes(pipeline)[at]
    span = pipeline.span
    match data["kind"]:
        case "return":
            return p.Return(expr.Const(None, pipeline.returns), span)
        case "escalate":
            return p.Escalate(data["role"], data["reason"], data["text"], None, span)
        case "reject":
            return p.Reject(data["reason"], data["text"], span)
        case _:
            return p.Fail(data["code"], data["reason"], span)


def _outcomes(pipeline: p.Pipeline) -> list[p.Outcome]:
    found = list(outcomes(pipeline.block))
    if pipeline.breaker is not None and pipeline.breaker.otherwise.chain.end is not None:
        found.append(pipeline.breaker.otherwise.chain.end)
    return found


# ---------------------------------------------------------------------------------- events


def encode_event(event: Event) -> list[Any]:
    data = {name: to_json(value) for name, value in event.data.items()}
    return [event.kind, event.name, event.at, data, to_json(event.content)]


def decode_event(data: list[Any], number: int) -> Event:
    kind, name, at, more, content = data
    return Event(kind, name, at, more, content, number)


# ---------------------------------------------------------------- turns, results, decisions


def turn_codec(types: Restoring, type: Type) -> Codec:
    """Turns of an agent that answers with a type."""

    def to_data(turn: Turn) -> Any:
        calls = [[call.id, call.name, to_json(call.arguments)] for call in turn.calls]
        if calls:
            return {"calls": calls, "said": turn.said}
        return {"answer": encode(type, turn.answer)}

    def from_data(data: Any) -> Turn:
        if "calls" not in data:
            return Turn(decode(types, type, data["answer"]))
        calls = tuple(ToolCall(id, name, arguments) for id, name, arguments in data["calls"])
        return Turn(None, calls, data["said"])

    return to_data, from_data


def result_codec(call: ToolCall) -> Codec:
    """Results of a call for an agent."""
    return (
        lambda result: [to_json(result.value), result.failed],
        lambda data: ToolResult(call, *data),
    )


def found_codec(codec: Codec) -> Codec:
    """A look into a cache: the answer in a list, which is empty if there is none."""
    return (
        lambda found: [] if found is NOTHING else [codec[0](found)],
        lambda data: codec[1](data[0]) if data else NOTHING,
    )


DECISION: Codec = (
    lambda decision: decision and [decision.yes, decision.by, decision.reason, decision.heard],
    lambda data: data and Decision(*data),
)
