"""Models of what the API takes and gives; its OpenAPI document is made from them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from pipelang.interfaces.service.service import HIGHEST_PRIORITY, LONGEST_DELAY, shown_hash

if TYPE_CHECKING:
    from pipelang.interfaces.service.deployment import Deployed
    from pipelang.runtime.inbox.cases import Case

Status = Literal[
    "queued", "delayed", "running", "waiting", "answered", "escalated", "rejected", "failed"
]
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_DURATION = r"^\d{1,12}(\.\d{1,9})?(ms|s|m|h|d)$"


def _seconds(value: Any) -> Any:
    """Seconds, of a number or of a duration as in the language."""
    if isinstance(value, str):
        found = re.fullmatch(_DURATION, value)
        if found is None:
            raise ValueError("write seconds, or a duration such as `90s` or `2h`")
        unit = re.sub(r"[\d.]", "", value)
        return float(value.removesuffix(unit)) * _UNITS[unit]
    return value


_Words = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Words of a person: any text that every store can keep."""


class _Taken(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)


class StartBody(_Taken):
    """A run to start."""

    inputs: dict[str, Any] = Field(
        default_factory=dict, description="The inputs of the pipeline, by name: see its schema."
    )
    thread: Annotated[str, Field(pattern=r"^[^\x00-\x1f\x7f]{1,200}$")] | None = Field(
        default=None, description="What the run belongs to, such as a conversation."
    )
    priority: int = Field(
        default=10,
        ge=1,
        le=HIGHEST_PRIORITY,
        description="Runs with a smaller number begin sooner.",
    )
    delay: Annotated[
        float,
        Field(ge=0, le=LONGEST_DELAY, allow_inf_nan=False),
        BeforeValidator(
            _seconds,
            json_schema_input_type=Annotated[float, Field(ge=0, le=LONGEST_DELAY)]
            | Annotated[str, Field(pattern=r"^\d{1,2}(ms|s|m|h)$")],
        ),
    ] = Field(default=0.0, description="Seconds, or a duration such as `2h`: begin no sooner.")


class DecisionBody(_Taken):
    """A person's word on a case."""

    verdict: Literal["yes", "no", "answer"] = Field(
        description="`yes` also closes an escalation; `answer` goes with an ask."
    )
    reason: _Words = Field(default="", max_length=1_000, description="Why, or what was done.")
    answer: Any = Field(default=None, description="The answer to an ask, which fits its `shape`.")
    shown_hash: str | None = Field(
        default=None,
        description="The `shown_hash` of the case that was looked at: another one is refused.",
    )


class ToolSwitchBody(_Taken):
    """The switch of a tool."""

    action: Literal["kill", "restore"] = Field(
        description="`kill` stops runs that would call it; `restore` ends that."
    )
    tool: str
    reason: _Words = Field(default="", max_length=1_000)


class PipelineSwitchBody(_Taken):
    """The switch of a pipeline."""

    action: Literal["kill", "pause", "restore"] = Field(
        description="`kill` stops what runs; `pause` begins nothing new; `restore` ends both."
    )
    pipeline: str
    reason: _Words = Field(default="", max_length=1_000)


class EverythingSwitchBody(_Taken):
    """The switch of everything."""

    action: Literal["kill", "pause", "restore"]
    all: Literal[True]
    reason: _Words = Field(default="", max_length=1_000)


class WaitingModel(_Given):
    """The thing that a run waits for."""

    kind: Literal["person", "worker", "time"]
    name: str
    due: str | None = None


class RunModel(_Given):
    """A run. Money is a text, times are RFC 3339 in UTC, what is unset is null."""

    id: str
    pipeline: str
    program: str = Field(description="The hash of the program on which it runs.")
    tenant: str | None
    thread: str | None
    status: Status
    result: dict[str, Any] | None = Field(
        description="`{value}`, `{role, reason, text, handoff}`, `{reason, text}` or "
        "`{code, reason, text, partial}`, by the status."
    )
    waiting_for: WaitingModel | None
    cost: str | None = Field(description="US dollars; null where a call had no price.")
    tokens: int
    started: str | None
    ended: str | None
    attempts: int


class RunList(_Given):
    """Runs, newest first."""

    items: list[RunModel]
    next: str | None = Field(description="The `cursor` of the next page.")


class VerdictModel(_Given):
    """A decision that was made."""

    yes: bool
    by: str
    reason: str
    answer: Any = None
    at: str | None
    sure: float | None = Field(description="How sure they were, from 0 to 1.")
    seconds: float | None = Field(description="How long it took them, where that was looked at.")
    answered: bool = Field(description="Whether `answer` is one, also where it is null.")


class CaseModel(_Given):
    """A question, an escalation or a sampled answer that waits for a person."""

    id: str
    run_id: str
    pipeline: str
    kind: Literal["approve", "hold", "ask", "escalation", "label"]
    name: str
    role: str
    tenant: str | None
    state: Literal["open", "decided", "expired", "withdrawn"]
    opened_at: str
    due_at: str | None
    closed_at: str | None
    text: str | None
    shown: Any = Field(description="What the person sees: values, or the handoff.")
    shown_hash: str = Field(description="The hash of what is shown, to be sent with a decision.")
    prompt: str | None
    shape: dict[str, Any] | None = Field(description="The JSON Schema of the answer to an ask.")
    differs_from: list[str]
    verdict: VerdictModel | None
    why: str | None = Field(description="What closed a case that nobody decided.")


class CaseList(_Given):
    """Cases, oldest first."""

    items: list[CaseModel]
    next: str | None


class DeployedModel(_Given):
    """A pipeline that is served."""

    name: str
    doc: str | None
    program: str = Field(description="The hash of the program.")
    roles: list[str]


class PipelineList(_Given):
    """The pipelines that are served."""

    items: list[DeployedModel]
    next: None = None


class SchemaModel(_Given):
    """JSON Schemas (draft 2020-12) of a pipeline."""

    pipeline: str
    program: str
    input: dict[str, Any]
    result: dict[str, Any]


class AnalysisModel(_Given):
    """The report of `pipelang check` about a pipeline."""

    pipeline: str
    program: str
    analysis: dict[str, Any] | None
    review: dict[str, Any]
    diagnostics: list[dict[str, Any]]


class SwitchModel(_Given):
    """Something that is switched off."""

    what: Literal["tool", "pipeline", "everything"]
    name: str | None
    state: Literal["killed", "paused"]
    reason: str


class SwitchList(_Given):
    """Everything that is switched off; nothing in the usual case."""

    items: list[SwitchModel]
    next: None = None


class HealthModel(_Given):
    """Health of the server."""

    status: Literal["ok", "late"]
    detail: str | None = None
    skew: float = Field(default=0.0, description="Seconds between the store's clock and ours.")


class ProblemModel(_Given):
    """A refusal (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    code: str
    detail: str


def case_view(case: Case) -> dict[str, Any]:
    """A case as the API gives it: without which process waits for it."""
    from pipelang.runtime.inbox.case_records import case_json

    whole = case_json(case)
    return {
        **{key: whole[key] for key in CaseModel.model_fields if key in whole},
        "shown_hash": shown_hash(case),
    }


def pipeline_view(one: Deployed) -> dict[str, Any]:
    """A pipeline as the API gives it."""
    return {"name": one.name, "doc": one.doc, "program": one.program, "roles": list(one.roles)}
