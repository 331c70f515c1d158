"""THE table of options: keyword, node of the syntax tree, what they belong to, how they are built.

Builders (`lower/options.py`), hints and phrases for errors (`recovery/`) and the check that an
option fits its action (`semantics/elaborate/actions/links.py`) read it. The grammar says what
follows the keyword, the node (`ast/action_options.py`, `ast/options.py`) holds it.
"""

from __future__ import annotations

from typing import Any

from pipelang.records import NamedTuple
from pipelang.syntax import ast

ACTIONS = frozenset("ask agent call run each value".split())
"""The kinds of actions that have options, by the words of the table."""


class OptionRow(NamedTuple):
    """An option. `owners` are kinds of actions and of declarations, and `gate`.

    `holds` says how the node is built: it takes its `children` as they are, a `name`, `texts`, or a
    `rate` that may have another one for hard cases; or it has a builder of its `own`. `rule` is the
    alias in the grammar, `opt_WORD` where empty. `of_models`: it says nothing where an `ask` goes
    to a person.
    """

    word: str
    node: type[Any]
    owners: frozenset[str]
    holds: str = "children"
    rule: str = ""
    of_models: bool = False

    @property
    def alias(self) -> str:
        """The alias of its rule in the grammar."""
        return self.rule or f"opt_{self.word}"


def _row(
    word: str,
    node: type[Any],
    owners: str,
    holds: str = "children",
    rule: str = "",
    of_models: bool = False,
) -> OptionRow:
    return OptionRow(word, node, frozenset(owners.split()), holds, rule, of_models)


OPTIONS = (
    _row("retry", ast.Retry, "ask agent call run tool", "own"),
    _row("timeout", ast.Timeout, "ask agent call run tool"),
    _row("accuracy", ast.Accuracy, "ask agent call value tool role", "rate"),
    _row("accuracy", ast.AccuracyByTier, "ask agent", "own", rule="opt_accuracy_by_tier"),
    _row("recovers", ast.Recovers, "ask agent", "rate"),
    _row("correlation", ast.Correlation, "ask agent call value"),
    _row("output", ast.Output, "ask agent", "own", of_models=True),
    _row("effort", ast.Effort, "ask agent", of_models=True),
    _row("thinking", ast.Thinking, "ask agent", of_models=True),
    _row("cache", ast.Cache, "ask agent call run", of_models=True),
    _row("hits", ast.Hits, "ask agent call run", of_models=True),
    _row("batch", ast.Batch, "ask agent", of_models=True),
    _row("vote", ast.Vote, "ask agent", of_models=True),
    _row("vote", ast.VoteLead, "ask agent", rule="opt_vote_lead", of_models=True),
    _row("steps", ast.Steps, "agent"),
    _row("turns", ast.Turns, "agent"),
    _row("parallel", ast.Parallel, "each"),
    _row("need", ast.Need, "each", "own"),
    _row("catches", ast.Catches, "ask agent gate", "rate"),
    _row("false_alarms", ast.FalseAlarms, "ask agent gate", "rate"),
    _row("evidence", ast.Evidence, "gate", "own"),
    _row("python", ast.PythonBinding, "tool", "texts"),
    _row("mcp", ast.McpBinding, "tool", "texts"),
    _row("effect", ast.Effect, "tool"),
    _row("permit", ast.Permit, "tool", "texts"),
    _row("rate", ast.RateLimit, "tool"),
    _row("succeeds", ast.Succeeds, "tool"),
    _row("latency", ast.Latency, "tool tier"),
    _row("cost", ast.Cost, "tool"),
    _row("idempotent", ast.Idempotent, "tool"),
    _row("provider", ast.Provider, "tier", "name"),
    _row("model", ast.Model, "tier", "texts"),
    _row("price", ast.Price, "tier"),
    _row("transient", ast.Transient, "tier"),
    _row("context", ast.Context, "tier"),
    _row("as_of", ast.AsOf, "tier", "texts"),
    _row("people", ast.PeopleOption, "role"),
    _row("handles", ast.Handles, "role"),
    _row("responds", ast.Responds, "role"),
    _row("hours", ast.Hours, "role"),
    _row("weight", ast.Weight, "role"),
    _row("rushed", ast.Rushed, "role"),
    _row("cost", ast.CostAnHour, "role", rule="opt_cost_an_hour"),
    _row("must_differ_from", ast.MustDifferFrom, "role", "name"),
    _row("kind", ast.Kind, "provider", "name"),
    _row("key", ast.Key, "provider", "texts"),
    _row("base_url", ast.BaseUrl, "provider", "texts"),
    _row("available", ast.Available, "provider"),
    _row("keeps", ast.Keeps, "memory"),
)

WORD_OF: dict[type[Any], str] = {row.node: row.word for row in OPTIONS}
"""The keyword of an option by its node."""

OF_MODELS = frozenset(row.word for row in OPTIONS if row.of_models)
"""Options that say something only where a model answers."""


def words_of(*owners: str) -> frozenset[str]:
    """The keywords of the options that any of these owners may have."""
    return frozenset(row.word for row in OPTIONS if row.owners.intersection(owners))
