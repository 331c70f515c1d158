"""Keywords that hints are about, and the hint about a misspelt one."""

from __future__ import annotations

from difflib import get_close_matches

from pipelang.diagnostics.spelling import only_slip
from pipelang.syntax.recovery.hints.error_site import ErrorSite, Hint

ACTIONS = frozenset({"ask", "agent", "call", "run", "recall", "each"})


OUTCOMES = ("return", "escalate", "reject", "fail")


def misspelt(spot: ErrorSite) -> Hint | None:
    """A word that is nearly one of those that fit."""
    text, grammar = spot.text, spot.grammar
    if spot.token.type != "NAME" and spot.token.type not in grammar.keyword_of:
        return None
    words = sorted(grammar.keyword_of[t] for t in spot.expected if t in grammar.keyword_of)
    plain = {word.replace("_", ""): word for word in words}
    close = plain.get(text.lower().replace("_", "")) or next(
        iter(get_close_matches(text, words, n=1, cutoff=0.7)), None
    )
    if close is None and len(words) == 1 and not spot.on_new_line and len(spot.expected) == 1:
        return Hint(f"write `{words[0]}` here", spot.instead(words[0]))
    if close is None:
        return None
    safe = only_slip(text, words) == close
    return Hint(f"did you mean `{close}`?", spot.instead(close), safe=safe)
