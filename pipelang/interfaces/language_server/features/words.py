"""Words of editors for keywords, options, metrics: an example with its units, and a sentence."""

from __future__ import annotations

from pipelang.interfaces.language_server.features.small_words import (
    BUILT_IN,
    SMALL_WORDS,
    TYPE_WORDS,
)
from pipelang.semantics import metrics as m
from pipelang.semantics.symbols import BUILTIN_FUNCTIONS
from pipelang.semantics.types import SCALAR_NAMES
from pipelang.syntax.lexicon import DECLARING, ITEMS
from pipelang.syntax.option_table import OPTIONS
from pipelang.syntax.tables import tables

OPTION_WORDS: dict[str, tuple[str, str]] = {
    "retry": (
        "retry ${1:2} backoff ${2:1s}..${3:30s}",
        "so many more attempts, with waits between",
    ),
    "timeout": ("timeout ${1:10s}", "for one attempt, a duration"),
    "accuracy": ("accuracy ${1:92%}", "how often an answer to right arguments is right"),
    "recovers": ("recovers ${1:20%}", "how often it is right although an argument was wrong"),
    "correlation": ("correlation ${1:30%}", "how often a new answer repeats the one before"),
    "output": (
        "output ${1:60} tokens mean, ${2:200} tokens max",
        "how long answers are, in tokens; `max` is enforced",
    ),
    "effort": ("effort ${1|low,medium,high|}", "how much a model should think"),
    "thinking": ("thinking ${1:2k} tokens", "the most that a model may think, beside its output"),
    "cache": ("cache ${1:1h} by ${2:key}", "keeps an answer for so long under these keys"),
    "hits": ("hits ${1:80%}", "how often the cache has an answer"),
    "batch": ("batch within ${1:1h}", "asked through the provider's batches, which cost less"),
    "vote": ("vote ${1:3}", "so many calls, more than half of which must agree"),
    "steps": ("steps ${1:5}", "the most turns of an agent that call tools"),
    "turns": ("turns ${1:3}", "how many turns an agent takes on average"),
    "parallel": ("parallel ${1:4}", "how many elements at once"),
    "need": ("need ${1|all,any,90%|}", "how many elements must be answered"),
    "catches": ("catches ${1:80%}", "how many of the wrong ones are turned down"),
    "false_alarms": ("false_alarms ${1:5%}", "how many of the right ones are turned down"),
    "evidence": ('evidence from "${1:evals/answers.jsonl}"', "labelled answers of this gate"),
    "python": ('python "${1:tools:function}"', "the Python function behind it, MODULE:FUNCTION"),
    "mcp": ('mcp "${1:server}" "${2:tool}"', "the tool of an MCP server behind it"),
    "effect": ("effect ${1|pure,read,write,irreversible|}", "what calling it does to the world"),
    "permit": ('permit "${1:name}"', "what a pipeline must list to call it"),
    "rate": ("rate ${1:100}/${2:min}", "how many calls there may be"),
    "succeeds": ("succeeds ${1:99.9%}", "how often a call answers at all"),
    "latency": ("latency ${1:600ms} median, ${2:2s} p95", "how long a call takes"),
    "cost": ("cost ${1:$0.001}", "dollars a call; of people, dollars an hour"),
    "idempotent": ("idempotent", "calling it twice does what calling it once does"),
    "provider": ("provider ${1:name}", "who runs the model"),
    "model": ('model "${1:model-id}"', "the model by its maker's name"),
    "price": ("price ${1:$3} in, ${2:$15} out", "dollars a million tokens"),
    "transient": ("transient ${1:0.5%}", "attempts that fail although the provider is up"),
    "context": ("context ${1:200k} tokens", "the most that a call may hold"),
    "as_of": ('as_of "${1:2026-11-20}"', "the day of prices and figures"),
    "people": ("people ${1:3}", "how many there are"),
    "handles": ("handles ${1:4m}", "how long a case takes one of them"),
    "responds": ("responds ${1:15m} median, ${2:2h} p95", "how long an answer takes"),
    "hours": ("hours ${1:8}", "hours of work a day"),
    "must_differ_from": ("must_differ_from ${1:role}", "who may not be the same person"),
    "kind": ("kind ${1:anthropic}", "the protocol: anthropic, openai, google, ..."),
    "key": ('key "${1:env:API_KEY}"', "where the secret is, `env:NAME` or `file:PATH`"),
    "base_url": ('base_url "${1:https://}"', "the address of its API"),
    "available": ("available ${1:99.9%}", "how often the provider is up"),
    "keeps": ("keeps ${1:30d}", "how long it remembers"),
    "weight": ("weight ${1:2}", "how much more the labels of these people count"),
    "rushed": ("rushed ${1:10s}", "an answer given faster is left out"),
}
"""Options: a snippet with units, and what it says."""

KEYWORD_WORDS: dict[str, str] = {
    "use": "imports what another file or a library declares",
    "enum": "a closed list of members",
    "type": "a record with named fields",
    "provider": "who runs models, and how often they are there",
    "tier": "a model with its price, latency and limits",
    "role": "people who answer, approve and take over",
    "tool": "a function of Python or of an MCP server, with what it does to the world",
    "fn": "a pure function",
    "patterns": "regular expressions (RE2) that a text can match",
    "prompt": "what a model is asked, as a Jinja2 template",
    "setting": "a value that `tune` may choose and a host may replace",
    "memory": "what outlives a run, by a key",
    "pipeline": "steps and gates from inputs to an answer",
    "prove": "a claim about every run, proved or refuted by `check`",
    "test": "a run with mocked answers and what is expected of it",
    "budget": "limits of a run: money, time, tokens, steps",
    "permits": "what the tools that are called may need",
    "slo": "promises that `check` decides from evidence",
    "traffic": "how often inputs and conditions are what they are",
    "watch": "figures to watch in production",
    "let": "a value worked out from others",
    "step": "an action with its fallbacks; its name is its answer",
    "gate": "a condition that a run passes, or ends or redoes a step",
    "approve": "a person must say yes",
    "hold": "waits, so that a person may stop it",
    "when": "items for some runs only",
    "match": "one arm for each member",
    "remember": "writes into a memory",
    "breaker": "another way while too much goes wrong",
    "quota": "limits for a tenant",
    "sample": "a share of runs that people label",
    "return": "ends the run with an answer",
    "escalate": "ends the run with people",
    "reject": "ends the run with a refusal",
    "fail": "ends the run with an error code",
    "redo": "makes a step again, with the reason as feedback",
    "ask": "asks a model or a person once",
    "agent": "a loop in which a model calls tools",
    "call": "calls a tool",
    "run": "runs another pipeline",
    "recall": "reads a memory",
    "each": "one action for every element of a list",
    "cascade": "the cheapest tier first, the next while `until` does not hold",
    "by": "who answers: a tier or a role",
    "until": "what the answer `it` must satisfy",
    "with": "tools and pipelines that an agent may call; what goes along with an escalation",
    "untrusted": "a label: from outside, and must not steer what acts",
    "private": "a label: about a person",
    "secret": "a label: must never be shown",
    "decision": "one of an enum's members, with how sure the model is",
    "mock": "what a step answers in a test",
    "expect": "what must be true of the run of a test",
    "given": "the pipeline and inputs of a test",
    "matches": "whether a text matches one of some patterns",
    "public": "the result of a function may be told, whatever went in",
    "hard": "the share of cases that are hard for every step",
}

METRIC_WORDS: dict[str, str] = {
    m.SUCCESS: "runs that are answered right",
    m.SILENT_ERROR: "runs that are answered wrong without anybody noticing",
    m.ESCALATION: "runs that go to a person; `escalation.GATE` by one gate",
    m.REJECTION: "runs that are rejected",
    m.FAILURE: "runs that fail",
    m.COVERAGE: "runs that end with an answer",
    m.SELECTIVE_RISK: "answers that are wrong, of all answers",
    m.AVAILABILITY: "runs that do not fail",
    m.WRONG_EFFECT: "runs that do something with a wrong value",
    m.COST_MEAN: "dollars of a mean run",
    m.COST_WORST: "dollars of the dearest run there can be",
    m.COST_MONTH: "dollars a month, by the traffic",
    m.COST_BASELINE: "the mean cost if everything ran at one tier: `cost.baseline[\"opus\"]`",
    m.TOKENS_MEAN: "tokens of a mean run",
    m.TOKENS_WORST: "tokens of the longest run there can be",
    m.REVIEW_LOAD: "how busy people are: `review.load.ROLE`",
    m.ACCURACY: "how often a step is right in production: `accuracy(STEP)`",
    m.CALIBRATION: "how far a step's confidence is off: `calibration(STEP)`",
    m.ERROR_RATE: "runs of late that failed",
    m.COST: "dollars of a run of late",
    m.LATENCY: "seconds of machines of a run of late",
    m.TURNAROUND: "seconds with people of a run of late",
    **{f"cost.{read}": f"dollars that {share} of the runs stay under" for read, share in (
        ("p50", "50%"), ("p95", "95%"), ("p99", "99%"))},
    **{f"{family}.{read}": f"time {what} {said}" for family, what in (
        (m.LATENCY, "of machines"), (m.TURNAROUND, "with people"))
       for read, said in (
        ("mean", "of a mean run"), ("p50", "that 50% of the runs stay under"),
        ("p95", "that 95% of the runs stay under"), ("p99", "that 99% of the runs stay under"),
        ("worst", "of the longest run there can be"))},
}  # fmt: skip


def word_help(word: str) -> str | None:
    """The help of a hover for a keyword."""
    if word in OPTION_WORDS:
        snippet, said = OPTION_WORDS[word]
        return f"`{plain(snippet)}`: {said}"
    for table in (KEYWORD_WORDS, SMALL_WORDS):
        if word in table:
            return f"**{word}**: {table[word]}"
    return None


def type_help(word: str) -> str | None:
    """The help of a hover for a type that every file knows."""
    return f"**{word}**: {TYPE_WORDS[word]}" if word in TYPE_WORDS else None


def plain(snippet: str) -> str:
    """A snippet without its places to fill in."""
    import re

    filled = re.sub(r"\$\{\d+\|([^,|]*)[^|]*\|\}", r"\1", snippet)
    return re.sub(r"\$\{\d+:([^}]*)\}", r"\1", filled)


def missing_words() -> list[str]:
    """Keywords, options, metrics, types and functions of which nothing is said: none, as a test
    holds.
    """
    options = [row.word for row in OPTIONS if row.word not in OPTION_WORDS]
    words = [word for word in (*DECLARING, *ITEMS) if word not in KEYWORD_WORDS]
    small = [word for word in tables().keywords if word_help(word) is None]
    metrics = [name for name in m.METRICS if name not in METRIC_WORDS]
    types = [name for name in SCALAR_NAMES if name not in TYPE_WORDS]
    functions = [name for name in BUILTIN_FUNCTIONS if name not in BUILT_IN]
    return [*options, *words, *small, *metrics, *types, *functions]
