"""THE table of codes: every message that pipelang can give about a file, in one place.

A row is a code, a name, a severity, a template and (where a general one exists) a help line.
Families: P1xx syntax, P2xx names, P3xx types and units, P4xx flow, P5xx reliability, P6xx cost,
P7xx safety, P8xx profiles, P9xx what this version leaves open. Messages start in lower case,
end without a full stop, quote the user's words in backticks, and say what was expected and what was
found.
"""

from __future__ import annotations

from pipelang.diagnostics.rules import RULES, Rule, Severity
from pipelang.diagnostics.rules import row as _row
from pipelang.diagnostics.running_codes import CACHED_EFFECT as CACHED_EFFECT
from pipelang.diagnostics.running_codes import CACHED_RUN_ACTS as CACHED_RUN_ACTS
from pipelang.diagnostics.running_codes import DAY_TO_COME as DAY_TO_COME
from pipelang.diagnostics.running_codes import DOUBLED_BACKSLASH as DOUBLED_BACKSLASH
from pipelang.diagnostics.running_codes import LINE_AT_ODDS as LINE_AT_ODDS
from pipelang.diagnostics.running_codes import LINE_UNMEASURED as LINE_UNMEASURED
from pipelang.diagnostics.running_codes import NOT_SAMPLED as NOT_SAMPLED
from pipelang.diagnostics.running_codes import PROVIDER_ADDRESS as PROVIDER_ADDRESS
from pipelang.diagnostics.running_codes import QUOTA_BELOW_BUDGET as QUOTA_BELOW_BUDGET
from pipelang.diagnostics.running_codes import QUOTA_BELOW_TRAFFIC as QUOTA_BELOW_TRAFFIC
from pipelang.diagnostics.running_codes import QUOTA_WITHOUT_BUDGET as QUOTA_WITHOUT_BUDGET
from pipelang.diagnostics.running_codes import RUSHED_AS_USUAL as RUSHED_AS_USUAL

__all__ = ["RULES", "Rule", "Severity"]

_W = Severity.WARNING
_N = Severity.NOTE

# ------------------------------------------------------------------------------ P1xx syntax
SYNTAX = _row("P101", "syntax", "expected {expected}, found {found}")
BAD_CHARACTER = _row("P102", "bad-character", "{found} cannot stand in a .pipe file")
BAD_NUMBER = _row(
    "P103",
    "bad-number",
    "`{found}` is not a number or a quantity",
    "quantities look like 70%, $0.08, 30s, 5m, 40k tokens, 100/min",
)
UNCLOSED = _row("P104", "unclosed", "this {what} is never closed", "close it with {closing}")
BAD_ESCAPE = _row(
    "P105",
    "bad-escape",
    "`{escape}` is no escape of a text",
    'use \\n, \\t, \\r, \\", \\\\ or \\u{{1F600}}; double a backslash to write one',
)
ACTION_IN_EXPRESSION = _row(
    "P106",
    "action-in-expression",
    "`{action}` is an action and cannot stand inside an expression",
    "give it a step of its own and use that step's name here",
)
NEWER_LANGUAGE = _row(
    "P107",
    "newer-language",
    "this file is written in language {found}, and this pipelang ({version}) knows language 1",
    "install a pipelang that knows language {found}",
)
NOT_TEXT = _row("P108", "not-text", "`{file}` cannot be read: {why}")
TOO_DEEP = _row("P109", "too-deep", "this is nested more than {limit} deep")
MORE_ERRORS = _row(
    "P110",
    "more-errors",
    "{count} more syntax errors are not shown",
    "mend the first ones; the others are shown then",
)

# ------------------------------------------------------------------------------ P2xx names
UNKNOWN_NAME = _row("P201", "unknown-name", "unknown {what} `{name}`")
DUPLICATE = _row("P202", "duplicate", "`{name}` is declared twice", "rename one of the two")
SHADOWING = _row(
    "P203", "shadowing", "`{name}` hides another `{name}`", "choose a name that is not taken"
)
UNUSED = _row("P204", "unused", "{what} `{name}` is never used", severity=_W)
MISSING_FILE = _row("P205", "missing-file", "there is no file `{path}`")
IMPORT_CYCLE = _row("P206", "import-cycle", "these imports go round in a circle: {cycle}")
RECURSION = _row("P207", "recursion", "`{name}` ends up in itself: {cycle}")
WRONG_KIND = _row("P208", "wrong-kind", "`{name}` is {found}, and {expected} is needed here")
NAME_STYLE = _row(
    "P209", "name-style", "the name of {what} is written in {style}: `{name}`", severity=_W
)
MISSING_OPTION = _row("P210", "missing-option", "{what} `{name}` needs `{option}`")
DUPLICATE_OPTION = _row("P211", "duplicate-option", "`{option}` stands twice here")
WRONG_OPTION = _row("P212", "wrong-option", "`{option}` does not apply to {what}")
NOT_YET = _row("P213", "used-before-made", "`{name}` is used before it is made")
OUT_OF_BLOCK = _row(
    "P214",
    "out-of-block",
    "`{name}` is made inside a branch and cannot be used outside it",
    "put the branch in a pipeline of its own and use what it returns",
)
BAD_FILE = _row("P215", "bad-file", "`{path}`, line {line}: {why}")
UNKNOWN_KIND = _row(
    "P219",
    "unknown-kind",
    "no provider of kind `{kind}` is installed, so nothing can ask `{name}`",
    severity=_W,
)
SETTING = _row("P216", "setting", "setting `{name}` cannot take this value: {why}")

# --------------------------------------------------------------------- P3xx types and units
TYPE_MISMATCH = _row("P301", "type-mismatch", "expected {expected}, found {found}")
UNKNOWN_FIELD = _row("P302", "unknown-field", "{type} has no field `{name}`")
ARGUMENTS = _row("P303", "arguments", "{what}")
NOT_EXHAUSTIVE = _row(
    "P304", "not-exhaustive", "this match does not say what happens for {missing}"
)
UNREACHABLE_ARM = _row("P305", "unreachable-arm", "this arm can never be taken: {why}")
NEEDS_TYPE = _row(
    "P306",
    "needs-type",
    "the type of `{name}` cannot be read off its value",
    "write it down: `{name}: TYPE = ...`",
)
UNIT_MISMATCH = _row("P307", "unit-mismatch", "`{option}` takes {expected}, found {found}")
OUT_OF_RANGE = _row("P308", "out-of-range", "{what} must be {range}, found {found}")
MAYBE_ABSENT = _row(
    "P309",
    "maybe-absent",
    "`{name}` may be absent here",
    "ask first whether it is there: `{name}?`",
)
TEMPLATE = _row("P310", "template", "in the template of `{prompt}`: {why}")
DIVISOR = _row("P311", "zero-divisor", "the divisor may be 0")
BAD_PATTERN = _row("P312", "bad-pattern", "this is no RE2 pattern: {why}")
NOT_BOUNDED = _row("P313", "not-bounded", "{what} needs a {bound}")
NO_BINDING = _row("P314", "no-binding", "`{name}` is bound to nothing that is there: {why}")
BINDING_IMPORT = _row("P315", "binding-import", "importing `{module}` for `{name}` failed: {why}")
BINDING_PARAMETERS = _row(
    "P316", "binding-parameters", "`{target}` cannot be called as `{name}` is declared: {why}"
)
BINDING_TYPE = _row(
    "P317", "binding-type", "`{target}` is annotated otherwise than `{name}` is declared: {why}"
)
TOO_LARGE = _row("P318", "too-large", "{what} comes to {found}, and at most {most:,} are allowed")

# ------------------------------------------------------------------------------ P4xx flow
NO_OUTCOME = _row(
    "P401",
    "no-outcome",
    "`{name}` can reach its end without an outcome",
    "end it with `return`, `escalate to`, `reject` or `fail`",
)
UNREACHABLE = _row("P402", "unreachable", "this is never reached", severity=_W)
NEVER_ANSWERS = _row("P403", "never-answers", "`{name}` can never answer: {why}")
BAD_REDO = _row("P404", "bad-redo", "`redo {name}` cannot work: {why}")
REDO_IS_USELESS = _row(
    "P405", "useless-redo", "`{gate}` does not read `{name}`, so redoing it changes nothing"
)

CLAIM_REFUTED = _row("P406", "claim-refuted", "`{claim}` does not hold: {path}")
CLAIM_UNDECIDED = _row("P407", "claim-undecided", "`{claim}` is not decided: {why}", severity=_W)
VACUOUS_CLAIM = _row(
    "P408",
    "vacuous-claim",
    "`{claim}` says nothing: `{name}` never {verb} `{tool}`",
    severity=_W,
)
NEVER_HOLDS = _row("P409", "never-holds", "{what} can never hold here", severity=_W)
ALWAYS_HOLDS = _row("P410", "always-holds", "{what} always holds here", severity=_W)

# ----------------------------------------------------------------------- P5xx reliability
SLO_MISSED = _row("P501", "slo-missed", "{metric} {op} {target} is not met: {value}")
SLO_UNDECIDED = _row(
    "P502", "slo-undecided", "{metric} {op} {target} cannot be decided: {why}", severity=_W
)
CONTRADICTION = _row("P503", "contradiction", "{what}")
UNCALIBRATED = _row(
    "P504",
    "uncalibrated-threshold",
    "`{gate}` trusts a confidence that nobody has measured",
    'add `accuracy from "FILE.jsonl"` to the step, or `catches` and `false_alarms` to the gate',
    _W,
)
SHARED_PROVIDER = _row(
    "P505",
    "shared-provider",
    "this fallback runs at provider `{provider}`, which is what it should replace",
    "name a tier of another provider, or end the chain without a model",
    _W,
)
SLO_CONTRADICTION = _row("P506", "slo-contradiction", "{what}")
RETRIED_EFFECT = _row(
    "P507",
    "retried-effect",
    "`{tool}` acts on the world and is retried although it is not `idempotent`",
    "declare it `idempotent` if a second call with the same key does nothing, or drop the retry",
)
REVIEW_OVERLOADED = _row(
    "P508",
    "review-overloaded",
    "`{name}` would be busy {busy} of its time: {cases} cases a day of {handles} each",
    "more `people` or `hours`, or fewer cases: the report says which gates send them",
)
REVIEW_BUSY = _row(
    "P509",
    "review-busy",
    "`{name}` is busy {busy} of its time: {cases} cases a day of {handles} each",
    "above 85% waits grow fast: more `people` or `hours`, or fewer cases",
    _W,
)
SLOW_ATTEMPT = _row(
    "P510",
    "timeout-too-short",
    "{share} of the attempts at `{name}` take longer than {timeout}, and only {fails} are declared"
    " to fail",
    "a longer `timeout`, or {mend} that counts what runs into it",
    _W,
)
ONE_SIDED = _row(
    "P511",
    "one-sided-evidence",
    "`{file}` has no {kind} row among its {count:,}, so how many {kind} ones pass here is unknown",
    "label answers until some are {kind}, or declare `catches` and `false_alarms` at a gate",
    _W,
)
OUT_OF_REACH = _row(
    "P512",
    "threshold-out-of-reach",
    "no row of `{file}` passes {test}: the highest confidence is {most}, on line {line}",
    "lower the threshold to what the model says of itself",
    _W,
)
NO_WAY_WITHOUT_MODEL = _row(
    "P513",
    "no-way-without-model",
    "when no model answers, `{step}` ends `{name}` as failed",
    "let its chain end without a model: a value, a tool, a person or `else escalate to ROLE`",
)

HALF_DONE = _row(
    "P514",
    "half-done",
    "`{second}` is tried after `{first}`, which may have acted although it seems to have failed",
    "end the chain with an outcome, so that somebody looks, or declare `{first}` `idempotent`"
    " if it is the same call again",
    _W,
)

UNGRADED_ROWS = _row(
    "P518",
    "rows-without-confidence",
    "{count} of `{file}` {have} no `confidence` (the first on line {line}), so how often this test"
    " passes is unknown",
    "give every row its `confidence`, or keep the rows without one in a file of their own",
    _W,
)
THRESHOLD_BY_VALUE = _row(
    "P519",
    "threshold-by-value",
    "`{file}` says nothing about this test: `{step}.confidence` is compared with {other}",
    "what evidence can be cut at is a literal, a setting, or a `match` or `if` whose arms are such;"
    " else declare how often the test holds",
    _W,
)
WRONG_TOGETHER = _row(
    "P520",
    "wrong-together",
    "{files} are wrong in the same cases more often than chance has it: {together} pairs among"
    " {cases} shared cases, {expected} expected (p = {p})",
    "steps count as independent here: say which cases are hard, as `pipelang evidence fit FILE FILE"
    " FILE` does",
    _W,
)
OTHER_PROMPT = _row(
    "P530",
    "evidence-of-another-prompt",
    "`{file}` was measured on another prompt than `{step}` asks (line {line}): {was}",
    "measure the step as it is now, then `pipelang evidence stamp`; until then `shift 3%` says by"
    " how much the old rows may be off",
    _W,
)
OTHER_MODEL = _row(
    "P531",
    "evidence-of-another-model",
    "`{file}` was measured on another model, `{was}` (line {line}), and `{step}` {asks}",
    "measure the step with its model, then `pipelang evidence stamp`; until then `shift 3%` says by"
    " how much the old rows may be off",
    _W,
)
OLDER_THAN_MODEL = _row(
    "P532",
    "evidence-older-than-its-model",
    "`{file}` is of {as_of} (line {line}), and `{model}` is of {day}",
    "nobody can have measured the model before it was there: measure it, or mend the `as_of`",
    _W,
)
OTHER_GATE = _row(
    "P533",
    "evidence-behind-another-gate",
    "`{file}` was taken behind `{gate}` (line {line}), and `{step}` {here}",
    "the cases that `{gate}` rejects are not in the file: label those too and say"
    ' `"sampled": "all"`',
    _W,
)
REVIEW_TOO_LATE = _row(
    "P517",
    "review-too-late",
    "`{name}` gives `{role}` {within}, and one case in twenty waits longer than {wait}",
    "a longer time, more `people` or `hours`, or fewer cases",
    _W,
)
NOT_OFFERED = _row(
    "P521",
    "not-offered",
    "`{step}` asks `{tier}` by {what}, which {whose} not have",
)
NOT_SEEN = _row(
    "P535", "no-pictures", "`{step}` shows {kind}s to `{tier}`, and `{model}` takes none"
)
TOO_MANY_PAGES = _row(
    "P536",
    "too-many-pages",
    "`{step}` may show a document of {pages} pages to `{tier}`, whose maker takes {most} at most",
    severity=_W,
)
MISPLACED_MEDIA = _row("P537", "misplaced-media", "{where} cannot hold a value of type {kind}")

# ------------------------------------------------------------------------------ P6xx cost
OVER_BUDGET = _row(
    "P601",
    "worst-over-budget",
    "the worst run needs {worst}, the budget of `{name}` is {budget}: {path}",
    severity=_W,
)
UNPRICED = _row(
    "P602", "unpriced", "tier `{name}` has no price, so its cost is unknown", severity=_W
)
UNBOUNDED = _row("P603", "unbounded-prompt", "{what}", severity=_W)
UNBOUNDED_BUDGET = _row("P604", "unbounded-under-budget", "{what}")
NEVER_RESERVED = _row(
    "P605",
    "never-reserved",
    "no run can make the call of `{step}` under the budget of `{name}`: {why}",
    "a call is made only if its worst case fits what is left: a larger budget, a shorter `output`"
    " or a cheaper tier",
)
BEYOND_TIME = _row(
    "P606",
    "beyond-time-budget",
    "`{step}` does not fit the time budget of `{name}`, which is {limit}: {what}",
    "the budget cuts it short: a longer budget, or a shorter `timeout`, `backoff` or batch",
    _W,
)
OLD_PRICE = _row(
    "P607",
    "old-price",
    "the price of `{tier}` is {days} days old: {source}",
    severity=_W,
)
RETIRED_MODEL = _row(
    "P608",
    "retired-model",
    "`{model}` is retired, or about to be, by its maker: {source}",
    "name a newer model in the tier, and measure again what it answers",
    _W,
)
SCHEMA_IN_WORDS = _row(
    "P614",
    "schema-in-words",
    "the answer of `{step}`, {type}, {why}: at `{tier}` (kind `{kind}`) its schema is put in words",
    "what does not fit is a failed attempt: allow a `retry`, or list the fields that you need",
    _N,
)
OTHER_CONFIDENCE = _row(
    "P615",
    "other-confidence",
    "the confidences in `{file}` are {found}, and what `{tier}` gives is {told}",
    "the two are calibrated differently: label answers of this tier",
    _W,
)

# ---------------------------------------------------------------------------- P7xx safety
PERMIT = _row(
    "P701", "permit", '`{tool}` needs the permit "{permit}", which `{name}` does not list'
)
UNUSED_PERMIT = _row(
    "P702", "unused-permit", 'no tool of `{name}` needs the permit "{permit}"', severity=_W
)
AGENT_EFFECT = _row(
    "P703",
    "agent-effect",
    "`{tool}` acts on the world, and an agent may not call it by itself",
    "wrap it in a pipeline, where its gates and approvals live, and give the agent that pipeline",
)

UNTRUSTED_EFFECT = _row(
    "P704",
    "untrusted-effect",
    "{value} may hold text from outside (`{source}`), and `{tool}` acts on it",
)
STEERED_EFFECT = _row(
    "P705",
    "steered-effect",
    "text from outside (`{source}`) decides whether `{tool}` is called, and nothing vouches for it",
)
TRIFECTA = _row(
    "P706",
    "trifecta",
    "`{tool}` sends out what private data (`{private}`) and text from outside (`{source}`) are in",
)
PRIVATE_CACHE = _row(
    "P707",
    "private-cache",
    "`{step}`, made from private data (`{private}`), is cached under a key that does not say whose",
)
PRIVATE_MEMORY = _row(
    "P708",
    "private-memory",
    "memory `{memory}` keeps private data (`{private}`) under a key that does not say whose",
)
SECRET_LEAK = _row("P709", "secret-leak", "the secret `{secret}` gets into {where}")
UNGATED_EFFECT = _row(
    "P710",
    "ungated-effect",
    "what a model makes goes out through `{tool}`, which cannot be undone, and nothing checks it",
    "put a gate, an approval or a hold in front of `{step}`",
    _W,
)

UNBOUNDED_EFFECT = _row(
    "P711",
    "unbounded-effect",
    "text from outside (`{source}`) may make {value} any number, and `{tool}` acts on it",
)
FLOW_UNDECIDED = _row(
    "P712",
    "flow-undecided",
    "where the data of `{name}` goes is not decided: {why}",
    "split it into smaller pipelines, or what it computes into smaller steps",
    _W,
)
UNORDERED_EFFECT = _row(
    "P713",
    "unordered-effect",
    "this `each` runs `{tool}`, which cannot be undone, for all elements side by side",
    "`each {variable} in LIST ordered {{ ... }}` goes one by one and stops where one does not"
    " answer; `parallel N` says that side by side is meant",
    _W,
)
EFFECT_UNKNOWN = _row(
    "P551", "effect-unknown", "in a store the run ends when `{tool}` {when}, {what}", severity=_N
)

# ------------------------------------- P8xx what `production` demands, and what is ignored
NO_ERROR_HANDLING = _row(
    "P801",
    "no-error-handling",
    "nothing says what happens when `{step}` does not work",
    'give it an `else`: another action, a value, or an outcome such as `else fail "code"`',
)
UNBOUNDED_INPUT = _row(
    "P802",
    "unbounded-input",
    "`{path}` of the input of `{name}` {what}",
    "bound it where its type is written, so that whatever comes in has a largest size",
)
NO_BUDGET = _row(
    "P803",
    "no-budget",
    "`{name}` has no budget of {what}",
    "give it one in money and time: `budget $0.25, 5m else escalate to ROLE`",
)
NO_TIMEOUT = _row(
    "P804",
    "no-timeout",
    "nothing limits how long `{what}` may take",
)
NO_AUDIT = _row(
    "P805",
    "no-audit",
    "no place is named for {what} of `{name}`",
)
NO_STATE = _row(
    "P806",
    "no-state",
    "nothing says where the state of `{name}` lives outside its process",
    'declare it in pyproject.toml: `state = "PLACE"` under `[tool.pipelang.production]`',
)
NO_HANDOFF = _row("P807", "no-handoff", "this hands a case to `{role}`, but {what}")
NO_EVIDENCE = _row(
    "P808",
    "no-evidence",
    "nothing says how often the threshold of `{what}` is wrong",
)
BAD_CONFIG = _row("P890", "bad-config", "in the configuration: {why}")
BAD_IGNORE = _row("P891", "bad-ignore", "this comment ignores nothing: {why}")
UNUSED_IGNORE = _row(
    "P892",
    "unused-ignore",
    "`{code}` is ignored here, and nothing of the kind is found",
    "leave it out",
    _W,
)

# ------------------------------------------------------- P9xx what this version leaves open
METRIC_UNDECIDED = _row(
    "P902", "metric-undecided", "this version does not compute `{metric}` yet", severity=_W
)
