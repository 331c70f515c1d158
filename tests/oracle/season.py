"""Constructs that the enumeration does not know, put into the text of generated pipelines.

Votes, cascades, people who are asked, matches over actions, prices, feedback of gates, shares of
conditions, presence, and figures that nobody declared: what comes out is for the analysis and the
model checker to agree on. Not every mixture is valid; a file with errors is left out by whoever
asks for it.
"""

from __future__ import annotations

import random
import re

ASK = re.compile(r"(?P<ask>ask \w+\([^\n]*?\)) by (?P<tier>tier_\d+) \{ (?P<options>[^{}]*) \}")
SHOWS_FEEDBACK = "Answer this.{% if feedback %} Mind: {{ feedback }}{% endif %}"
TIER = re.compile(r"^tier (tier_\d+) \{", re.MULTILINE)


def seasoned(text: str, seed: int) -> str:
    """The text with some of its asks made more various; the same seed gives the same text."""
    rng = random.Random(seed)
    tiers = TIER.findall(text)
    free = re.findall(r"^  (input_\d+)\.kind:", text, re.MULTILINE)

    def ask(found: re.Match[str]) -> str:
        plain = found[0]
        choice = rng.randrange(7)
        if choice == 0:
            return _voted(rng, found)
        if choice == 1:
            return _cascaded(rng, found, tiers)
        if choice == 2 and free:
            other = ASK.sub(lambda m: m[0].replace(m["tier"], rng.choice(tiers)), plain)
            return f"match {free[0]}.kind {{ plain => {_voted(rng, found)} else => {other} }}"
        if choice == 3:
            return _by_people(rng, found)
        return plain

    text = ASK.sub(ask, text)
    if rng.randrange(2):
        text = text.replace("Answer this.", SHOWS_FEEDBACK)
    return text.replace("price $0 in, $0 out", "price $1 in, $5 out")


def with_gaps(text: str, seed: int) -> str:
    """The same with one or two figures left out, so that they are unknown."""
    rng = random.Random(seed)
    figures = list(
        re.finditer(
            r" (?:accuracy|correlation|recovers) [\d.]+%|^  transient [\d.]+%\n"
            r"|^  available [\d.]+%\n|^  \w+\.flag: [\d.]+%\n|^  succeeds [\d.]+%\n",
            text,
            re.MULTILINE,
        )
    )
    for found in sorted(rng.sample(figures, min(2, len(figures))), key=lambda m: -m.start()):
        text = text[: found.start()] + text[found.end() :]
    return text


def _voted(rng: random.Random, found: re.Match[str]) -> str:
    ballot = rng.choice(["vote 3", "vote 4", "vote lead 2 of 4", "vote lead 1 of 2"])
    options = _correlated(rng, found["options"])
    return f"{found['ask']} by {found['tier']} {{ {options} {ballot} }}"


def _cascaded(rng: random.Random, found: re.Match[str], tiers: list[str]) -> str:
    others = [tier for tier in tiers if tier != found["tier"]]
    if not others:
        return found[0]
    second = rng.choice(others)
    options = _correlated(rng, found["options"])
    rates = f"catches {rng.choice([50, 90, 100])}% false_alarms {rng.choice([0, 5, 20])}%"
    if rng.randrange(2) and re.search(r"accuracy [\d.]+%", options):
        by_tier = f"accuracy {found['tier']} 70%, {second} 95%"
        options = re.sub(r"accuracy [\d.]+%", by_tier, options)
    who = f"cascade({found['tier']}, {second}) until it.confidence >= 80%"
    return f"{found['ask']} by {who} {{ {options} {rates} }}"


def _by_people(rng: random.Random, found: re.Match[str]) -> str:
    options = re.sub(r"output .* max", "", found["options"])
    options = options.replace("timeout 10s", f"timeout {rng.choice([5, 15, 60])}m")
    if "from" in options or not re.search(r"accuracy [\d.]+%", options):
        return found[0]
    if rng.randrange(2):
        options = re.sub(r"accuracy [\d.]+%", "", options)
    return f"{found['ask']} by role_{rng.randrange(2)} {{ {options} }}"


def _correlated(rng: random.Random, options: str) -> str:
    return options if "correlation" in options else f"{options} correlation {rng.choice([0, 30])}%"
