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
    "LBRACE": "`{`",
    "RBRACE": "`}`",
    "LPAR": "`(`",
    "RPAR": "`)`",
    "LSQB": "`[`",
    "RSQB": "`]`",
    "COLON": "`:`",
    "COMMA": "`,`",
    "DOT": "`.`",
    "EQUAL": "`=`",
    "QMARK": "`?`",
    "MINUS": "`-`",
    "PLUS": "`+`",
    "STAR": "`*`",
    "SLASH": "`/`",
    "LESSTHAN": "`<`",
    "MORETHAN": "`>`",
}

_QUANTITY = {"INT", "NUMBER", "PERCENT", "MONEY", "DURATION", "TOKENS", "RATE"}
_GROUPS: tuple[tuple[str, set[str]], ...] = (
    ("an expression", _QUANTITY | {"NAME", "STRING", "TRUE", "FALSE", "NONE", "LPAR", "LSQB"}),
    ("a quantity", _QUANTITY | {"NAME", "LPAR"}),
    ("a quantity", _QUANTITY),
    (
        "an item (step, gate, when, return, ...)",
        {"STEP", "GATE", "WHEN", "LET", "RETURN", "ESCALATE", "BUDGET"},
    ),
    ("a declaration (type, tool, pipeline, ...)", {"TYPE", "TOOL", "PIPELINE", "ENUM", "USE"}),
)
_OPERATORS = {
    "PLUS", "MINUS", "STAR", "SLASH", "AND", "OR", "NOT", "IN", "MATCHES", "DOT", "QMARK", "LSQB",
    "LESSTHAN", "MORETHAN", "LPAR",
}  # fmt: skip


def _word(terminal: str, grammar: Tables) -> str:
    if terminal in grammar.keyword_of:
        return f"`{grammar.keyword_of[terminal]}`"
    return _WORDS.get(terminal, f"`{_PUNCTUATION.get(terminal, terminal.lower())}`")


_PUNCTUATION = {"__ANON_0": "->"}


def describe_expected(expected: set[str], grammar: Tables) -> str:
    """A set of terminals as a phrase of at most a handful of words."""
    left = set(expected)
    phrases: list[str] = []
    for phrase, members in _GROUPS:
        if members <= left:
            phrases.append(phrase)
            left -= members | _EXPRESSION_EXTRA if phrase == "an expression" else members
            if phrase.startswith("an item"):
                left = {t for t in left if t not in _ITEM_WORDS}
            if phrase.startswith("a declaration"):
                left = {t for t in left if t not in _DECLARATION_WORDS}
    anonymous = {t for t in left if t.startswith("__ANON")}
    left -= anonymous
    operators = left & _OPERATORS
    if len(operators) > 3:  # after an expression nearly everything may come; name what ends it
        left -= operators
    words = sorted((_word(terminal, grammar) for terminal in left), key=lambda w: (len(w), w))
    if len(words) > 8:
        words = [*words[:7], "..."]
    phrases += words
    if not phrases:
        return "something else"
    if len(phrases) == 1:
        return phrases[0]
    return ", ".join(phrases[:-1]) + " or " + phrases[-1]


_EXPRESSION_EXTRA = {"IF", "NOT", "MINUS", "LBRACE", "MATCH", "MAX"}
_ITEM_WORDS = {
    "STEP", "GATE", "WHEN", "LET", "RETURN", "ESCALATE", "BUDGET", "PERMITS", "SLO", "TRAFFIC",
    "WATCH", "APPROVE", "HOLD", "MATCH", "REMEMBER", "BREAKER", "REJECT", "FAIL",
}  # fmt: skip
_DECLARATION_WORDS = {
    "TYPE", "TOOL", "PIPELINE", "ENUM", "USE", "PROVIDER", "TIER", "ROLE", "FN", "PATTERNS",
    "PROMPT", "SETTING", "MEMORY", "PROVE", "TEST",
}  # fmt: skip


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
    if token.text == "=" and "COLON" in expected:
        return "write `:` here"
    if token.text == ":" and "EQUAL" in expected:
        return "write `=` here"
    if token.text == "if" and previous is not None and previous.text == "else":
        return "there is no `else if`: put a `when` inside the braces of `else`"
    if token.text in grammar.reserved and expected == {"NAME"}:
        return f"`{token.text}` is a word of the language; choose another name"
    if token.type == "INT" and "PERCENT" in expected and "INT" not in expected:
        return f"shares are written with a percent sign: {token.text}%"
    if token.type == "NAME":
        words = [grammar.keyword_of[t] for t in expected if t in grammar.keyword_of]
        close = get_close_matches(token.text, words, n=1, cutoff=0.7)
        if close:
            return f"did you mean `{close[0]}`?"
        synonyms = {"elif": "a `when` inside `else`", "elseif": "a `when` inside `else`",
                    "def": "`fn` or `pipeline`", "function": "`fn`", "class": "`type`",
                    "import": "`use`", "and_then": "a new step"}  # fmt: skip
        if token.text in synonyms:
            return f"pipelang writes {synonyms[token.text]}"
    return None
