"""Names of spans, attributes and metrics in OpenTelemetry.

Those of `gen_ai.*` are the GenAI semantic conventions, which are still in development: they have
moved to https://github.com/open-telemetry/semantic-conventions-genai, and the package
`opentelemetry-semantic-conventions` (0.66b2 was read) calls its copies deprecated. So they stand
here, once, as text, with the version that was read (`VERSION`). `pipelang.*` is ours.
"""

from __future__ import annotations

from typing import Final

VERSION: Final = "1.41.1"
"""The version of the semantic conventions that these names are of."""

SCOPE: Final = "pipelang"
"""The instrumentation scope."""

# ------------------------------------------------------------------------------- operations

INVOKE_WORKFLOW: Final = "invoke_workflow"
EXECUTE_TOOL: Final = "execute_tool"
CHAT: Final = "chat"
STEP: Final = "pipelang.step"
"""Span names are `OPERATION NAME`; the other spans of ours are `pipelang.KIND NAME`."""

# ------------------------------------------------------------------------------- attributes

OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
WORKFLOW_NAME: Final = "gen_ai.workflow.name"
AGENT_NAME: Final = "gen_ai.agent.name"
"""The name of who works, by which readers group that know no workflows: that of the pipeline."""
REQUEST_MODEL: Final = "gen_ai.request.model"
RESPONSE_MODEL: Final = "gen_ai.response.model"
INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
CACHE_READ_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"
TOKEN_TYPE: Final = "gen_ai.token.type"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
ERROR_TYPE: Final = "error.type"

PREFIX: Final = "pipelang."
"""The prefix of an event's data that has no name in the conventions."""

RUN_ID: Final = "pipelang.run.id"
PIPELINE: Final = "pipelang.pipeline"
STEP_NAME: Final = "pipelang.step.name"
COST: Final = "pipelang.cost"
"""Dollars."""
TOKENS: Final = "pipelang.tokens"
CONFIDENCE: Final = "pipelang.confidence"
OUTCOME: Final = "pipelang.outcome"
REASON: Final = "pipelang.reason"
ROLE: Final = "pipelang.role"
TIER: Final = "pipelang.tier"
EFFECT: Final = "pipelang.effect"
FAILED: Final = "pipelang.failed"
STATE: Final = "pipelang.state"

# ---------------------------------------------------------------------------------- metrics

OPERATION_DURATION: Final = "gen_ai.client.operation.duration"
TOKEN_USAGE: Final = "gen_ai.client.token.usage"
RUNS: Final = "pipelang.runs"
ESCALATIONS: Final = "pipelang.escalations"
RUN_DURATION: Final = "pipelang.run.duration"
RUN_COST: Final = "pipelang.run.cost"
ANSWER_CONFIDENCE: Final = "pipelang.answer.confidence"
TOOL_CALLS: Final = "pipelang.tool.calls"
FALLBACKS: Final = "pipelang.fallbacks"
RETRIES: Final = "pipelang.retries"
BREAKERS: Final = "pipelang.breakers"
GATES: Final = "pipelang.gates"

SECONDS: Final = (
    0.01,
    0.02,
    0.04,
    0.08,
    0.16,
    0.32,
    0.64,
    1.28,
    2.56,
    5.12,
    10.24,
    20.48,
    40.96,
    81.92,
)
"""Bounds of the conventions for durations."""

DOLLARS: Final = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)

CONFIDENCES: Final = (0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 0.98, 0.99)

TOKEN_COUNTS: Final = tuple(float(4**n) for n in range(14))
