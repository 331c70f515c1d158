"""What Storm found in the analysis: the smallest files, with answers worked out by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from .subject import analyse

WORLD = """
provider a { available 100% }
tier cheap { provider a transient 0% price $0 in, $1 out }
tier shaky { provider a transient 50% price $0 in, $1 out }
tier dear { provider a transient 0% price $0 in, $1000 out }
role people { accuracy 90% }
type R { ok: bool  topic: text max 9 tokens  body: text max 100 tokens }
tool never(x: text) -> text max 9 tokens {
  python "m:f" effect read succeeds 0% cost $0 timeout 1s
}
tool coin(x: text) -> text max 9 tokens {
  python "m:f" effect read succeeds 50% cost $0 timeout 1s
}
tool act(x: text) -> text max 9 tokens {
  python "m:f" effect write succeeds 100% cost $0 timeout 1s idempotent
}
tool sure(x: text) -> text max 9 tokens {
  python "m:f" effect read succeeds 100% cost $0 timeout 1s
}
prompt q(x: text max 100 tokens) \"\"\"hi {{ x }}\"\"\"
"""

ROWS = """
{"confidence": 0.9, "correct": true}
{"confidence": 0.6, "correct": true}
{"confidence": 0.8, "correct": false}
{"confidence": 0.4, "correct": false}
""".lstrip()

ENDED_REGION = """
pipeline main(x: text max 9 tokens) -> R {
  step first = call coin(x) else reject
  step wrong: R = ask q(x) by cheap { accuracy 0% output 10 tokens max timeout 5s }
  step last: R = ask q(wrong.body) by cascade(cheap, dear) until it.ok {
    accuracy 100% recovers 0% correlation 0% catches 100% false_alarms 0%
    output 10 tokens max timeout 5s
  }
  return last
}
"""

THREE_REDOS = """
pipeline main(x: text max 9 tokens, down: bool) -> text max 9 tokens {
  traffic { down: 50% }
  step s1 = match down {
    true => call never(x) { correlation 0% }
    false => call sure(x) { correlation 0% }
  }
  step s2 = call sure(s1) { correlation 0% }
  gate g1: s2 == "a" { catches 100% false_alarms 50% } else redo s1 up to 1 else reject
  step s3 = call sure(s2) { correlation 0% }
  gate g2: s3 == "a" { catches 100% false_alarms 50% } else redo s2 up to 1 else reject
  step s4 = call sure(s3) { correlation 0% }
  gate g3: s4 == "a" { catches 100% false_alarms 50% } else redo s3 up to 1 else reject
  return s4
}
"""

SAME_LET = """
pipeline main(x: text max 9 tokens, b: bool, c: bool, d: bool) -> text max 9 tokens {
  traffic { b: 30%  c: 20%  d: 70% }
  when b {
    let cond = c
    gate g1: cond else reject
  } else {
    let cond = d
    gate g2: cond else escalate to people
  }
  return x
}
"""

SAME_STEP = """
pipeline main(x: text max 9 tokens, b: bool) -> text max 9 tokens {
  traffic { b: 50%  z.ok: 50% }
  when b {
    step z: R = ask q(x) by cheap { accuracy 50% output 10 tokens max timeout 5s }
    gate g1: z.ok else reject
  }
  when b {
    step z: R = ask q(x) by cheap { accuracy 90% output 10 tokens max timeout 5s }
    gate g2: z.ok else escalate to people
  }
  return x
}
"""

MATCH_ON_TEXT = """
pipeline main(x: text max 9 tokens) -> R {
  step s: R = ask q(x) by cheap { accuracy 90% output 10 tokens max timeout 5s }
  match s.topic {
    "billing" { escalate to people }
    else { return s }
  }
}
"""

CACHED_VOTE = """
pipeline main(x: text max 9 tokens) -> R {
  step s: R = ask q(x) by cheap {
    correlation 0% vote 3 cache 1h by x hits 50% output 10 tokens max timeout 5s
  }
  return s
}
"""

NEVER_CACHED = """
pipeline main(x: text max 9 tokens) -> R {
  step a: R = ask q(x) by cheap { accuracy 90% output 10 tokens max timeout 5s }
  step b: R = ask q(a.body) by cascade(cheap, dear) until it.ok {
    accuracy 90% recovers 0% correlation 0% catches 100% false_alarms 0%
    cache 1h by x hits 50% output 10 tokens max timeout 5s
  }
  return b
}
"""

AGENT_THAT_RUNS = """
pipeline helper(x: text max 9 tokens) -> text max 9 tokens {
  gate stop: x == "go" { catches 50% false_alarms 50% } else escalate to people
  return x
}

pipeline main(x: text max 9 tokens) -> text max 9 tokens {
  step s: text max 9 tokens = agent q(x) by shaky with helper {
    accuracy 100% steps 3 turns 3 output 10 tokens max timeout 5s
  }
  return s
}
"""

ITS_CONFIDENCE = """
type Sure { ok: bool  confidence: probability }

pipeline child(r: Sure) -> bool {
  gate sure: r.confidence >= 70% else escalate to people
  return r.ok
}

pipeline main(x: text max 9 tokens) -> bool {
  step s: Sure = ask q(x) by cheap {
    accuracy from "sure.jsonl" output 10 tokens max timeout 5s
  }
  step t = run child(s)
  return t
}
"""

TWO_PARAMETERS = """
pipeline child(first: R, second: R) -> text max 9 tokens {
  traffic { first.ok: 25%  second.ok: 75% }
  when first.ok { reject }
  when second.ok { escalate to people }
  return first.topic
}

pipeline main(r: R) -> text max 9 tokens {
  step t = run child(r, r)
  return t
}
"""

COPIED_AROUND = """
pipeline child(x: text max 9 tokens) -> text max 9 tokens {
  step s = call act("a")
  return "b"
}

pipeline main(x: text max 9 tokens) -> text max 9 tokens {
  traffic { c.ok: 50% }
  step c: R = ask q(x) by cheap { accuracy 90% output 10 tokens max timeout 5s }
  when c.ok {
    step t = run child(x)
    return t
  }
  return x
}
"""


@pytest.mark.parametrize(
    ("text", "path", "exact"),
    [
        # `last` always needs its dear tier too ($0.01), also where `first` has ended the run. The
        # sweep takes what is made after an ending for right, which a cascade's cost hangs on.
        pytest.param(ENDED_REGION, "cost.mean", 0.01002, id="ended region"),
        # Whether `down` holds is one draw, so a run that got past `s1` once always does. What a
        # redo in a redo in a redo reads is forgotten before it is read, and then drawn again.
        pytest.param(THREE_REDOS, "outcomes.failure", 0.5, id="three redos"),
        # 30% of the runs need `c`, the others `d`; lets are kept by name, so the last one wins.
        pytest.param(SAME_LET, "outcomes.rejection", 0.24, id="same let"),
        # The second `z` is another value, so `z.ok` is another draw: 50% of 50% of 50%.
        pytest.param(SAME_STEP, "outcomes.escalation", 0.125, id="same step"),
        # Half of the right rows are sure and half of the wrong ones, whoever compares them: a
        # threshold that only the sub-pipeline has was none of the caller's (a KeyError).
        pytest.param(ITS_CONFIDENCE, "outcomes.success", 0.25, id="argument's confidence"),
        pytest.param(ITS_CONFIDENCE, "outcomes.silent_error", 0.25, id="and if wrong"),
        # One value, so one draw, by the share of the first that looks at it; it was the last one's.
        pytest.param(TWO_PARAMETERS, "outcomes.rejection", 0.25, id="two parameters, rejected"),
        pytest.param(TWO_PARAMETERS, "outcomes.escalation", 0, id="two parameters, never both"),
        # What is done in a sub-pipeline hangs on what is around its `run`, whatever it is given.
        pytest.param(COPIED_AROUND, "wrong_effect", 0.05, id="around a run"),
        pytest.param(COPIED_AROUND, "outcomes.silent_error", 0.05, id="around a run, and returned"),
    ],
)
def test_the_exact_answer(text: str, path: str, exact: float, tmp_path: Path) -> None:
    assert at(text, path, tmp_path)["value"] == pytest.approx(exact, abs=1e-12)


def test_what_an_agents_pipelines_decide(tmp_path: Path) -> None:
    """Behind the first turn (answered: 50%) `helper` may end the run, at once or never: 50% of the
    runs fail at least, and 87.5% (three turns) if the model never asks for it.
    """
    failure = at(AGENT_THAT_RUNS, "outcomes.failure", tmp_path)
    assert (failure["low"], failure["high"]) == pytest.approx((0.5, 0.875), abs=1e-9)
    escalation = at(AGENT_THAT_RUNS, "outcomes.escalation", tmp_path)
    assert (escalation["low"], escalation["high"]) == pytest.approx((0, 0.5), abs=1e-9)


def test_a_match_on_a_text_is_unknown(tmp_path: Path) -> None:
    """Nobody said how often the topic is billing: anything from never to always."""
    number = at(MATCH_ON_TEXT, "outcomes.escalation", tmp_path)
    assert number["value"] is None
    assert (number["low"], number["high"]) == pytest.approx((0, 1), abs=1e-9)


def test_a_cached_vote_of_unknown_accuracy(tmp_path: Path) -> None:
    number = at(CACHED_VOTE, "outcomes.success", tmp_path)
    assert (number["low"], number["high"]) == pytest.approx((0, 1), abs=1e-9)


def test_a_cascade_that_never_answers_a_wrong_question_has_no_hits(tmp_path: Path) -> None:
    """Of a wrong `a` nothing is ever accepted, so nothing of it is in the cache either."""
    hit, miss = 0.5, 0.5 * (0.9 + 0.1 * 0.9)
    found = at(NEVER_CACHED, "outcomes.success", tmp_path)["value"]
    assert found == pytest.approx(0.9 * (hit + miss), abs=1e-12)


def at(text: str, path: str, folder: Path) -> dict[str, float]:
    file = folder / "main.pipe"
    file.write_text(WORLD + text, encoding="utf-8")
    (folder / "sure.jsonl").write_text(ROWS, encoding="utf-8")
    number = analyse(file)["main"]
    for part in path.split("."):
        number = number[part]
    return number
