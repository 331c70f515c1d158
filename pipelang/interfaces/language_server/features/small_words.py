"""Words of editors for the small words inside constructs, for types and for built-in functions."""

from __future__ import annotations

SMALL_WORDS: dict[str, str] = {
    # of expressions
    "and": "true if both sides are",
    "or": "true if one side is",
    "not": "true if what follows is false; `not in`: not among them; `not called`: by no call",
    "if": "`if CONDITION then A else B`; of a list, which elements; of a rate, in which cases",
    "then": "the value if the condition holds",
    "else": "what happens otherwise: the next way, an ending, the other value or branch",
    "in": "`x in xs`: whether it is among them; `each x in xs`; of a type its range, `in 1..5`; "
    "of a price, tokens that are read",
    "for": "`[f(x) for x in xs]`: for every element; of a `hold`, how long it waits",
    "true": "the value of what holds",
    "false": "the value of what does not hold",
    "none": "the value of an optional type that is not there",
    # of figures
    "of": "`92 of 100`: counted, so with an interval; of a `sample`, which steps; of a vote, the "
    "most calls",
    "from": "a file: labelled answers behind a rate or a gate, or the text of a template",
    "shift": "`shift 5%`: how much worse than in its evidence it may be by now",
    "mean": "on average",
    "max": "the most that there can be; of a `text` its length, of a list its number of elements",
    "median": "half of them take less",
    "p95": "95% of them take less",
    "out": "of a price, tokens that are written, a million of them",
    "cache_write": "of a price, tokens that are put into the provider's cache, a million of them",
    "cache_read": "of a price, tokens that are read from the provider's cache, a million of them",
    "right": "if what it reads is right",
    "wrong": "if something that it reads is wrong",
    "backoff": "the waits between attempts: the first, and the longest",
    "low": "the least effort",
    "medium": "a middling effort",
    "high": "the most effort",
    "lead": "`vote lead 2 of 7`: asks until one answer is so far ahead, and so often at most",
    "all": "every element must be answered",
    "any": "one element must be answered",
    "ordered": "one element after the other, up to the first that does not answer",
    # of effects
    "pure": "changes nothing and always answers the same",
    "read": "looks at the world and changes nothing",
    "write": "changes the world in a way that can be taken back",
    "irreversible": "changes the world in a way that cannot be taken back",
    # of prompts
    "system": "the part of a prompt that says who the model is",
    "user": "the part of a prompt that is asked",
    # of people and endings
    "to": "`escalate to ROLE`: whose case it becomes; `up to 2`: how often",
    "up": "`up to 2`: how often a step is made again at most",
    "because": "what the step is told when it is made again",
    "within": "how long is waited for an answer",
    "showing": "what the person sees",
    # of quotas
    "per": "`per tenant`: each of them has its own",
    "tenant": "who a run is for, as the host says",
    "hour": "a quota for every hour",
    "day": "a quota for every day",
    "month": "a quota for every month",
    "runs": "how many runs; of a breaker, the last so many",
    # of breakers and watches
    "opens": "when a breaker takes the other way",
    "rejects": "a gate that turns answers down",
    "a": "`3 in a row`: one after the other",
    "row": "`3 in a row`: one after the other",
    "probes": "when a breaker tries whether all is well again",
    "over": "the time, or the number of runs, that a figure is taken over",
    "baseline": "what this figure was in the runs of a release; `baseline + 20%` leaves it so much "
    "of that to spare",
    "alert": "the role that is told when the figure is past its limit",
    "cached": "only runs in which the answer of this step came out of its cache",
    # of claims
    "only": "`TOOL only after GATE`: never called before the gate was passed",
    "after": "of a claim, the gate that must be passed first; of a breaker, how long it waits",
    "at": "`at most`: not more often",
    "most": "`at most`: not more often",
    "once": "one time",
    "times": "so many times",
    "never": "in no run",
    "escalates": "every such run ends with a person",
    "reaches": "what must not flow into this tool or prompt",
    # of tests
    "answered": "the run ends with an answer, or with this one",
    "escalated": "the run ends with a person, for this gate or step",
    "rejected": "the run ends with a refusal, by this gate",
    "failed": "the run fails, with this code",
    "called": "the tool was called, with these arguments, so often",
    "calls": "the model of an agent calls this tool in its next turn",
    "fails": "what is mocked does not answer",
    "yes": "the person approves",
    "no": "the person does not approve, for this reason; `no answer`: nobody does",
    "answer": "`no answer`: nobody decides in time",
    "veto": "the person stops what is on hold",
    "open": "the breaker has taken the other way",
    "spent": "the tenant's quota is used up",
    # of the file
    "language": "the version of the language that a file is written in, on its first line",
}
"""Keywords that are not the first of a construct, each with all that it means somewhere."""

TYPE_WORDS: dict[str, str] = {
    "text": "letters; `max 200 tokens` says how long it may be",
    "int": "a whole number; `in 1..5` is its range",
    "number": "a decimal number, exact",
    "bool": "`true` or `false`",
    "probability": "a share of one, such as how sure a model is",
    "money": "dollars, exact: `$0.05`",
    "duration": "a time that something takes: `90s`, `2h`",
    "time": "a moment",
    "json": "any value that JSON can hold",
    "image": "a picture, as models that see it take it",
    "document": "a PDF; `max 20 pages` says how long it may be",
}
"""Types that every file knows."""

BUILT_IN: dict[str, tuple[str, str]] = {
    "len": ("len(x)", "the length of a text, list or map"),
    "sum": ("sum(xs)", "the sum of numbers, money or durations"),
    "min": ("min(a, b, ...)", "the smallest, of a list or of several"),
    "max": ("max(a, b, ...)", "the largest, of a list or of several"),
    "any": ("any(x for x in xs)", "whether one of them is true"),
    "all": ("all(x for x in xs)", "whether all of them are true"),
    "round": ("round(x, digits)", "to so many digits, to a whole number without them"),
    "first": ("first(x, limit)", "at most so much of a text (4k tokens) or of a list (20)"),
}
"""Functions that every file knows: how they are called, and what they give."""
