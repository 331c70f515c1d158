"""Six months that drift: a sorter, fitted each month on people's labels or on its own outputs.

    python examples/ticket_routing/drift.py     # month by month: how right, and by its own word

The report's sorter got worse after month three, because it learned from its own outputs. Here that
is done: tickets are made-up words of five teams, new words come every month and some change sides
("migration" was onboarding's, now it is hosting's); a naive Bayes sorter is fitted at the start of
every month on the month before. Its teacher is the one difference: people, who label a third of the
tickets, or itself, with all of them. `make.py` writes what both did in the last month.
"""

from __future__ import annotations

import math
import random
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))  # where example_data.py lies

from example_data import numbered, recording_head, write_lines  # noqa: E402

SEED = 20261129
MONTHS = ("may", "june", "july", "august", "september", "october")
A_MONTH = 1500
"""Tickets a month; the report's 50,000 of six months would be 8,333."""

LABELLED, SHOWN = 3, 300
"""Of so many tickets people label one; so many rows of evidence are shipped."""

WORDS = {
    "api": "api webhook token sdk endpoint oauth json limit 401 key retry payload",
    "hosting": "server dns deploy region certificate disk memory node cluster proxy cache load",
    "billing": "invoice charge refund payment card vat price plan discount order receipt tax",
    "onboarding": "training trial demo import start guide migration welcome tour setup invite",
    "account": "password login 2fa permission owner profile email role locked phone session name",
}
NEW = {
    "api": "graphql stream quota signature batch version scope schema cursor replay event sandbox",
    "hosting": "edge container autoscale snapshot gpu volume firewall cron queue runtime build log",
    "billing": "credits usage budget seat renewal contract reseller currency bank mandate quote",
    "onboarding": "academy template playbook workshop sample wizard coach kickoff cohort",
    "account": "passkey sso saml device consent avatar directory group guest suspend",
}
COMMON = "please help our the it we since today not works team need question again how can".split()
TEAMS = tuple(WORDS)


class Drifting(NamedTuple):
    """A made-up ticket: its words, and the team that is right."""

    words: tuple[str, ...]
    team: str


class Sorted(NamedTuple):
    """What a sorter says of a ticket, how sure it is."""

    ticket: Drifting
    said: str
    confidence: float


def vocabulary(month: int) -> dict[str, list[str]]:
    """The words of each team in a month: every month its oldest word goes, a new one comes, and
    another word changes sides.
    """
    words = {team: WORDS[team].split() for team in TEAMS}
    for passed in range(month):
        for team in TEAMS:
            words[team] = [*words[team][1:], NEW[team].split()[passed]]
        moved = {team: words[team].pop(0) for team in TEAMS}
        for number, team in enumerate(TEAMS):
            words[TEAMS[(number + 1 + passed % 3) % len(TEAMS)]].append(moved[team])
    return words


def month_of(month: int, source: random.Random) -> list[Drifting]:
    """The tickets of a month: one or two words of their team, in one of five a word of another."""
    words = vocabulary(month)
    made = []
    for _ in range(A_MONTH):
        team = source.choice(TEAMS)
        own = source.choices(words[team], k=source.choice((1, 2)))
        if source.random() < 0.2:
            own.append(source.choice(words[source.choice(TEAMS)]))
        made.append(Drifting((*own, *source.choices(COMMON, k=3)), team))
    return made


Sorter = Callable[[Drifting], tuple[str, float]]


def fitted(labelled: Sequence[tuple[Drifting, str]]) -> Sorter:
    """A naive Bayes sorter with add-one smoothing."""
    counts = {team: Counter[str]() for team in TEAMS}
    tickets = Counter(team for _, team in labelled)
    for ticket, team in labelled:
        counts[team].update(ticket.words)
    every = {word for words in counts.values() for word in words}
    totals = {team: counts[team].total() + len(every) + 1 for team in TEAMS}
    start = {team: math.log((tickets[team] + 1) / (len(labelled) + len(TEAMS))) for team in TEAMS}

    def sort(ticket: Drifting) -> tuple[str, float]:
        scores = {
            team: start[team]
            + sum(math.log((counts[team][word] + 1) / totals[team]) for word in ticket.words)
            for team in TEAMS
        }
        best = max(TEAMS, key=scores.__getitem__)
        return best, 1 / sum(math.exp(scores[team] - scores[best]) for team in TEAMS)

    return sort


def six_months(by_people: bool) -> list[list[Sorted]]:
    """What a sorter said in each month: one that people teach, or that teaches itself."""
    source = random.Random(SEED)
    taught = [(ticket, ticket.team) for ticket in month_of(0, source)]
    said: list[list[Sorted]] = []
    for month in range(len(MONTHS)):
        sort = fitted(taught)
        now = [Sorted(ticket, *sort(ticket)) for ticket in month_of(month, source)]
        said.append(now)
        if by_people:
            taught = [(one.ticket, one.ticket.team) for one in now[::LABELLED]]
        else:
            taught = [(one.ticket, one.said) for one in now]
    return said


def right(said: Sequence[Sorted]) -> float:
    """The share that is right, as people would say."""
    return sum(one.said == one.ticket.team for one in said) / len(said)


def right_by_itself(said: Sequence[Sorted]) -> float:
    """The share that is right by its own word: it is fitted on its answers and asked again."""
    again = fitted([(one.ticket, one.said) for one in said])
    return sum(again(one.ticket)[0] == one.said for one in said) / len(said)


def rows(said: Sequence[Sorted], judge: str) -> list[dict[str, Any]]:
    """Evidence: who judged stands in each row."""
    again = fitted([(one.ticket, one.said) for one in said])
    made = []
    for one in said[:SHOWN]:
        truth = one.ticket.team if judge == "people" else again(one.ticket)[0]
        sure = min(round(one.confidence, 2), 0.99)
        made.append({"confidence": sure, "correct": one.said == truth, "by": judge})
    return made


def write(folder: Path) -> None:
    """The last month of both sorters: evidence, and 100 tickets of it to run over."""
    itself, people = six_months(by_people=False)[-1], six_months(by_people=True)[-1]
    for name, said, judge in (
        ("october_itself", itself, "itself"),
        ("october_people", itself, "people"),
        ("october_taught", people, "people"),
    ):
        write_lines(folder / f"evals/{name}.jsonl", numbered("oct-", rows(said, judge)))
    tickets, labels, answers = [], [], []
    for number, (one, other) in enumerate(zip(itself[-200:], people[-200:], strict=True), 1):
        text = " ".join(one.ticket.words)
        tickets.append({"body": text})
        labels.append({"case": f"O{number:03}", "answer": {"team": one.ticket.team}})
        for prompt, sorter in (("sort_by_its_own", one), ("sort_by_people", other)):
            sure = min(round(sorter.confidence, 2), 0.99)
            answer = {"team": sorter.said, "confidence": sure}
            answers.append({"prompt": prompt, "args": {"body": text}, "answer": answer})
    write_lines(folder / "data/october.jsonl", tickets)
    write_lines(folder / "data/october_labels.jsonl", labels)
    write_lines(folder / "recordings/drift.jsonl", [recording_head(), *answers])


def main() -> None:
    """Print both sorters month by month."""
    itself, people = six_months(by_people=False), six_months(by_people=True)
    print(f"{'':12}{'fitted on its own outputs':>40}{'fitted on people':>22}")
    print(f"{'':12}{'right':>18}{'right by its own word':>22}{'right':>22}")
    for name, one, other in zip(MONTHS, itself, people, strict=True):
        shown = (right(one), right_by_itself(one), right(other))
        print(f"{name:12}{shown[0]:>18.1%}{shown[1]:>22.1%}{shown[2]:>22.1%}")


if __name__ == "__main__":
    main()
