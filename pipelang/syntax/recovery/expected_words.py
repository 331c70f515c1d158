"""What a parser expected and what it found, in words."""

from __future__ import annotations

from pipelang.syntax.tables import Tables
from pipelang.syntax.tokens import Token

_WORDS = {
    "NAME": "a name",
    "STRING": 'a text "..."',
    "TEMPLATE": 'a template """..."""',
    "INT": "a whole number",
    "NUMBER": "a number",
    "PERCENT": "a share like 70%",
    "MONEY": "an amount like $0.08",
    "DURATION": "a duration like 30s",
    "TOKENS": "an amount like 40k tokens",
    "RATE": "a rate like 100/min",
    "$END": "the end of the file",
}

_QUANTITY = {"INT", "NUMBER", "PERCENT", "MONEY", "DURATION", "TOKENS", "RATE"}
_ITEMS = {
    "STEP", "GATE", "WHEN", "LET", "RETURN", "ESCALATE", "BUDGET", "PERMITS", "SLO", "TRAFFIC",
    "WATCH", "APPROVE", "HOLD", "MATCH", "REMEMBER", "BREAKER", "REJECT", "FAIL",
}  # fmt: skip
_DECLARATIONS = {
    "TYPE", "TOOL", "PIPELINE", "ENUM", "USE", "PROVIDER", "TIER", "ROLE", "FN", "PATTERNS",
    "PROMPT", "SETTING", "MEMORY", "PROVE", "TEST",
}  # fmt: skip
_OPTIONS = {"HITS", "NEED", "VOTE", "BATCH", "CACHE", "RETRY", "EFFORT", "OUTPUT", "TIMEOUT"}
_MORE_OPTIONS = {
    "ACCURACY", "CATCHES", "FALSE_ALARMS", "STEPS", "TURNS", "RECOVERS", "CORRELATION", "PARALLEL",
}  # fmt: skip
_TOOL_OPTIONS = {
    "PYTHON", "MCP", "EFFECT", "PERMIT", "RATE", "TIMEOUT", "RETRY", "SUCCEEDS", "ACCURACY",
    "LATENCY", "COST", "IDEMPOTENT",
}  # fmt: skip
_TIER_OPTIONS = {"PROVIDER", "MODEL", "PRICE", "LATENCY", "TRANSIENT", "CONTEXT", "AS_OF"}
_ROLE_OPTIONS = {"PEOPLE", "HANDLES", "RESPONDS", "ACCURACY", "HOURS", "MUST_DIFFER_FROM"}
_EXPRESSION = _QUANTITY | {"NAME", "STRING", "TRUE", "FALSE", "NONE", "LPAR", "LSQB"}
_GROUPS: tuple[tuple[str, set[str], set[str]], ...] = (
    ("an expression", _EXPRESSION, {"IF", "NOT", "MINUS", "LBRACE", "MATCH", "MAX"}),
    ("a quantity", _QUANTITY | {"NAME", "LPAR"}, set()),
    ("a quantity", _QUANTITY, set()),
    ("a type", {"NAME", "LSQB", "LBRACE", "SECRET", "PRIVATE", "UNTRUSTED"}, set()),
    ("an item (step, gate, when, return, ...)", _ITEMS, set()),
    ("an option (timeout, retry, accuracy, ...)", _OPTIONS, _MORE_OPTIONS),
    ("an option (effect, timeout, succeeds, ...)", _TOOL_OPTIONS, set()),
    ("an option (model, price, latency, ...)", _TIER_OPTIONS, set()),
    ("an option (people, handles, responds, ...)", _ROLE_OPTIONS, set()),
    ("a constraint (max, in, matches)", {"MAX", "IN", "MATCHES"}, set()),
    ("a declaration (type, tool, pipeline, ...)", _DECLARATIONS, set()),
)
"""A phrase, the terminals that it stands for if all are expected, and those that it swallows."""

_OPERATORS = {
    "PLUS", "MINUS", "STAR", "SLASH", "AND", "OR", "NOT", "IN", "MATCHES", "DOT", "QMARK", "LSQB",
    "LPAR",
}  # fmt: skip
_COMPARISONS = {"==", "!=", "<=", ">=", "<", ">"}
_MOST = 8


def _word(terminal: str, grammar: Tables) -> str:
    letters = grammar.keyword_of.get(terminal) or grammar.signs.get(terminal)
    return f"`{letters}`" if letters else _WORDS.get(terminal, terminal.lower())


def describe_expected(expected: set[str], grammar: Tables) -> str:
    """A set of terminals as a phrase of at most a handful of words."""
    left = set(expected)
    phrases: list[str] = []
    for phrase, members, swallowed in _GROUPS:
        if members <= left:
            phrases.append(phrase)
            left -= members | swallowed
    comparisons = {t for t in left if grammar.signs.get(t) in _COMPARISONS}
    left -= comparisons
    operators = left & _OPERATORS
    if len(operators) > 3:  # after an expression nearly everything may come; name what ends it
        left -= operators
    elif comparisons:
        phrases.append("a comparison like `<=`")
    words = sorted((_word(terminal, grammar) for terminal in left), key=lambda w: (len(w), w))
    if len(words) > _MOST:
        words = [*words[: _MOST - 1], "..."]
    phrases += words
    if len(phrases) < 2:
        return phrases[0] if phrases else "an operator"
    return ", ".join(phrases[:-1]) + " or " + phrases[-1]


def describe_found(token: Token, grammar: Tables) -> str:
    """The token that did not fit, in the user's own letters."""
    if token.type == "$END":
        return "the end of the file"
    text = token.text if len(token.text) <= 40 else token.text[:37] + "..."
    if token.type in grammar.keyword_of and token.text in grammar.reserved:
        return f"the reserved word `{text}`"
    return f"`{text}`"
