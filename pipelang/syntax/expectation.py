"""What a parser expected, in words; and the mend of a syntax error where it is plain."""

from __future__ import annotations

from difflib import get_close_matches

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
_EXPRESSION = _QUANTITY | {"NAME", "STRING", "TRUE", "FALSE", "NONE", "LPAR", "LSQB"}
_GROUPS: tuple[tuple[str, set[str], set[str]], ...] = (
    ("an expression", _EXPRESSION, {"IF", "NOT", "MINUS", "LBRACE", "MATCH", "MAX"}),
    ("a quantity", _QUANTITY | {"NAME", "LPAR"}, set()),
    ("a quantity", _QUANTITY, set()),
    ("a type", {"NAME", "LSQB", "LBRACE", "SECRET", "PRIVATE", "UNTRUSTED"}, set()),
    ("an item (step, gate, when, return, ...)", _ITEMS, set()),
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


def mend(token: Token, previous: Token | None, expected: set[str], grammar: Tables) -> str | None:
    """The mend, where it is plain from the token, the one before it and what could stand here."""
    return (
        _mend_of_sign(token, previous, expected)
        or _mend_of_number(token, previous, expected)
        or _mend_of_word(token, previous, expected, grammar)
    )


def _mend_of_sign(token: Token, previous: Token | None, expected: set[str]) -> str | None:
    match token.text:
        case "=" if "COLON" in expected:
            return "write `:` here"
        case ":" if "EQUAL" in expected:
            return "write `=` here"
        case ":" if previous is not None and previous.text.isidentifier():
            return f"leave out the `:` after `{previous.text}`"
        case "," if "RBRACE" in expected:
            return "leave out the comma: nothing is needed between entries"
        case ")" | "]" | "}" if previous is not None and previous.text == ",":
            return "leave out the last comma"
        case "=>" if "LBRACE" in expected:
            return "an arm of items stands in braces: `NAME { ... }`"
        case text if text in _COMPARISONS and "AND" in expected:
            return "comparisons cannot be chained: join two of them with `and`"
        case _:
            return None


def _mend_of_number(token: Token, previous: Token | None, expected: set[str]) -> str | None:
    if token.type == "INT" and "PERCENT" in expected and "INT" not in expected:
        return f"shares are written with a percent sign: {token.text}%"
    if previous is not None and previous.type == "INT" and expected == {"OF", "MEAN"}:
        return f"shares are written with a percent sign: {previous.text}%"
    return None


_SYNONYMS = {
    "elif": "a `when` inside the braces of `else`",
    "elseif": "a `when` inside the braces of `else`",
    "def": "`fn` or `pipeline`",
    "function": "`fn` or `pipeline`",
    "class": "`type`",
    "struct": "`type`",
    "import": "`use`",
    "from": "`use`",
    "var": "`let`",
    "const": "`let`",
    "for": "`step NAME = each X in LIST { ... }`",
    "while": "`step NAME = each X in LIST { ... }`, or `redo` in the `else` of a gate",
    "try": "`else` after the action that may not work",
    "switch": "`match`",
    "raise": '`fail "code"`',
    "throw": '`fail "code"`',
}
ACTIONS = frozenset({"ask", "agent", "call", "run", "recall", "each"})


def _mend_of_word(
    token: Token, previous: Token | None, expected: set[str], grammar: Tables
) -> str | None:
    text = token.text
    if text == "if" and previous is not None and previous.text == "else":
        return "there is no `else if`: put a `when` inside the braces of `else`"
    if text == "if" and "WHEN" in expected:
        return "write `when` for a branch of items"
    if text in grammar.reserved and "NAME" in expected and not expected & _QUANTITY:
        return f"`{text}` is a word of the language; choose another name"
    if text in ACTIONS and "STEP" in expected:
        return f"an action stands in a step: `step NAME = {text} ...`"
    if token.type != "NAME" and token.type not in grammar.keyword_of:
        return None
    words = [grammar.keyword_of[t] for t in expected if t in grammar.keyword_of]
    if text in _SYNONYMS:
        return f"pipelang writes {_SYNONYMS[text]}"
    close = get_close_matches(text, sorted(words), n=1, cutoff=0.7)
    return f"did you mean `{close[0]}`?" if close else None
