"""The data of `examples/support` fit together: tickets, labels, recorded answers, evidence, tools.

Nothing here needs the compiler. `outcome` walks the example's rules by hand over the recorded
answers; what the interpreter makes of them is tested elsewhere.
"""

from __future__ import annotations

import importlib.util
import json
import math
import re
import sys
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import jinja2
import pytest
import re2
from jinja2 import meta
from pydantic import BaseModel, ConfigDict, Field

SUPPORT = Path(__file__).resolve().parents[2] / "examples" / "support"
PIPE = (SUPPORT / "support.pipe").read_text(encoding="utf-8")


class Kind(BaseModel):
    """The answer of `classify_ticket`, as support.pipe has it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    topic: Literal["login", "billing", "how_to", "integration", "defect", "other"]
    complexity: Literal["simple", "medium", "complex"]
    sentiment: Literal["positive", "neutral", "negative", "very_negative"]
    needs_account: bool
    dispute: bool
    confidence: float = Field(ge=0, le=1)


class Reply(BaseModel):
    """The answer of `answer_ticket`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    body: str
    confidence: float = Field(ge=0, le=1)


def lines(name: str) -> list[dict[str, Any]]:
    # Not `splitlines`: JSON text may hold U+2028, which that one takes for a break.
    text = (SUPPORT / name).read_text(encoding="utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def load(name: str) -> ModuleType:
    path = SUPPORT / name
    spec = importlib.util.spec_from_file_location(f"support_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def patterns(name: str) -> list[Any]:
    block = re.search(rf"^patterns {name} \{{(.*?)\}}\n\n", PIPE, re.DOTALL | re.MULTILINE)
    assert block is not None
    return [re2.compile(text) for text in re.findall(r'"([^"]*)"', block[1])]


def tokens(text: str) -> int:
    """As the language counts them for a `max`."""
    return math.ceil(len(text.encode()) / 3)


TOOLS = load("tools.py")
TICKETS = {row["ticket"]["id"]: row["ticket"] for row in lines("data/tickets.jsonl")}
LABELS = {row["id"]: row for row in lines("data/labels.jsonl")}
HEADER, *RECORDS = lines("recordings/support.jsonl")
ANSWERS = [record for record in RECORDS if "answer" in record]
PLAYED: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
for record in RECORDS:
    PLAYED[record["prompt"], record["args"]["ticket"]["id"]].append(record)

LEGAL = patterns("legal_terms")
UNFIT = [
    *patterns("promises"),
    *patterns("millrace_tokens"),
    re2.compile("AKIA[0-9A-Z]{16}"),  # stands for std.checks
]


def found(wanted: list[Any], text: str) -> bool:
    return any(pattern.search(text) for pattern in wanted)


def outcome(ticket: dict[str, Any], kind: dict[str, Any] | None = None) -> str:
    """What becomes of a ticket under the recorded answers, or with `kind` as its classification."""
    if ticket["customer"]["enterprise"]:
        return "standard"
    if found(LEGAL, ticket["body"]):
        return "no_legal"
    if kind is None:
        asked = PLAYED["classify_ticket", ticket["id"]]
        kind = next((record["answer"] for record in asked[:3] if "answer" in record), None)
    if kind is None:
        return "kind"
    rules = {
        "sure": kind.get("confidence", 1.0) >= 0.70,
        "calm": kind["sentiment"] != "very_negative",
        "no_account": not kind["needs_account"],
        "no_dispute": not kind["dispute"],
    }
    for name, holds in rules.items():
        if not holds:
            return name
    try:
        TOOLS.customer_history(ticket["customer"]["id"])
    except LookupError:
        return "history"
    replies = [r["answer"] for r in PLAYED["answer_ticket", ticket["id"]] if "answer" in r]
    assert replies, f"no reply recorded for {ticket['id']}"
    fit = [reply for reply in replies[:2] if not found(UNFIT, reply["body"])]
    if not fit:
        return "clean"
    if fit[0]["confidence"] < 0.70:
        return "usable"
    return "answered" if fit[0]["confidence"] >= 0.85 else "ready"


def test_tickets_fit_their_type_and_their_customers():
    customers = json.loads((SUPPORT / "data/customers.json").read_text(encoding="utf-8"))
    plans = {customer["id"]: customer["plan"] for customer in customers}
    assert len(plans) == len(customers) >= 20
    assert len(TICKETS) == len(lines("data/tickets.jsonl")) >= 44
    strangers = set()
    for ticket in TICKETS.values():
        assert set(ticket) == {"id", "body", "customer"}
        assert set(ticket["customer"]) == {"id", "enterprise"}
        assert tokens(ticket["body"]) <= 4000
        if ticket["customer"]["id"] not in plans:
            strangers.add(ticket["customer"]["id"])
            continue
        enterprise = plans[ticket["customer"]["id"]] == "enterprise"
        assert ticket["customer"]["enterprise"] is enterprise
    assert strangers == {"c99"}


def test_tickets_are_of_all_kinds():
    bodies = [ticket["body"] for ticket in TICKETS.values()]
    assert "" in bodies
    assert max(map(len, bodies)) > 3000
    assert any("gnore all previous instructions" in body for body in bodies)
    assert any("AKIA" in body for body in bodies)
    rules = {label["rule"] for label in LABELS.values()}
    assert rules >= {"sure", "standard", "no_legal", "calm", "no_account", "no_dispute", None}


def test_every_ticket_has_a_label_and_a_classification():
    assert list(LABELS) == list(TICKETS)
    for name, label in LABELS.items():
        assert ("classify_ticket", name) in PLAYED
        Kind.model_validate({**label["kind"], "confidence": 1.0})
        assert label["answer"]
        if label["article"] is not None:
            assert (SUPPORT / f"data/kb/{label['article']}.md").exists()


def test_recorded_answers_fit_and_say_what_they_are():
    assert HEADER["recording"] == 1
    assert HEADER["source"] == "hand-written"
    for record in RECORDS:
        assert record["args"]["ticket"]["id"] in TICKETS
        assert ("answer" in record) != ("fault" in record)
    for record in ANSWERS:
        {"classify_ticket": Kind, "answer_ticket": Reply}[record["prompt"]].model_validate(
            record["answer"]
        )
        assert tokens(record["answer"].get("body", "")) <= 800
        assert set(record["usage"]) == {"input", "output"}
        assert record["usage"]["output"] <= 800


def test_at_least_15_percent_are_wrong_and_the_header_counts_them():
    wrong = sum(not record["correct"] for record in ANSWERS)
    assert wrong / len(ANSWERS) >= 0.15
    assert f"{wrong} of the {len(ANSWERS)} answers are wrong on purpose" in HEADER["note"]


def test_a_classification_is_marked_right_exactly_where_it_matches_the_label():
    for record in ANSWERS:
        if record["prompt"] == "classify_ticket":
            name = record["args"]["ticket"]["id"]
            said = {key: record["answer"][key] for key in LABELS[name]["kind"]}
            sure = record["answer"]["confidence"] >= 0.70
            agrees = said == LABELS[name]["kind"] and not (LABELS[name]["rule"] == "sure" and sure)
            assert record["correct"] is agrees, name


def test_right_replies_pass_the_quality_check():
    for record in ANSWERS:
        if record["prompt"] == "answer_ticket" and record["correct"]:
            assert not found(UNFIT, record["answer"]["body"]), record["args"]


@pytest.mark.parametrize("name", [name for name, label in LABELS.items() if label["rule"]])
def test_a_right_classification_ends_at_the_rule_of_the_label(name: str):
    rule = LABELS[name]["rule"]
    if rule == "sure":
        # What can't be sorted is told by the confidence, which a label doesn't have.
        assert outcome(TICKETS[name], {**LABELS[name]["kind"], "confidence": 0.3}) == "sure"
    else:
        assert outcome(TICKETS[name], LABELS[name]["kind"]) == rule


def test_every_run_ends_and_every_way_to_end_is_there():
    ends = {name: outcome(ticket) for name, ticket in TICKETS.items()}
    expected = {"answered", "ready", "usable", "history", "sure", "standard", "no_legal", "calm"}
    assert set(ends.values()) == expected | {"no_account", "no_dispute"}
    replies = [name for prompt, name in PLAYED if prompt == "answer_ticket"]
    answers = {
        name: [r for r in PLAYED["answer_ticket", name] if "answer" in r] for name in replies
    }
    redone = {ends[name] for name in replies if len(answers[name]) == 2}
    assert redone == {"answered", "ready"}


@pytest.mark.parametrize(("name", "least", "accuracy"), [("kind", 400, 0.94), ("reply", 300, 0.92)])
def test_evidence_is_valid_and_has_the_accuracy_that_the_readme_tells(
    name: str, least: int, accuracy: float
):
    rows = lines(f"evals/{name}.jsonl")
    assert len(rows) >= least
    for row in rows:
        assert set(row) == {"case", "confidence", "correct"}
        assert 0 <= row["confidence"] <= 1
        assert row["confidence"] == round(row["confidence"], 2)
        assert type(row["correct"]) is bool
    assert sum(row["correct"] for row in rows) / len(rows) == pytest.approx(accuracy, abs=0.005)
    assert any(row["confidence"] < 0.7 for row in rows if row["correct"])
    assert any(row["confidence"] >= 0.85 for row in rows if not row["correct"])


def test_the_evidence_is_what_its_script_makes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    make = load("evals/make.py")
    monkeypatch.setattr(make, "HERE", tmp_path)
    make.main()
    for name in ("kind.jsonl", "reply.jsonl"):
        made = (tmp_path / name).read_text(encoding="utf-8")
        assert made == (SUPPORT / "evals" / name).read_text(encoding="utf-8")


def test_articles_fit_the_type_of_the_search():
    articles = TOOLS.articles()
    assert len(articles) >= 25
    for article in articles:
        assert article.text.startswith("# ")
        assert tokens(article.text) <= 500, article.name


@pytest.mark.parametrize(
    ("query", "article"),
    [
        ("I forgot my password and the reset email does not arrive", "reset-password"),
        ("How many requests per minute may our token make? We get 429", "api"),
        ("restore a deleted task from the trash", "trash"),
        ("Which plans are there, and what are the prices?", "plans-and-prices"),
        ("the card has expired and a payment failed", "payment-failed"),
        ("lost phone, two-factor recovery codes", "two-factor"),
        ("Are we a nonprofit? Then we would like a discount", "discounts"),
        ("Slack channel gets no posts any more", "slack"),
    ],
)
def test_the_search_puts_the_article_first(query: str, article: str):
    assert TOOLS.rank(query)[0][0] == article


def test_the_search_answers_with_at_most_limit_articles_and_with_none_for_strange_words():
    assert len(TOOLS.search_kb("project task", 3)) == 3
    assert len(TOOLS.search_kb("project task")) == 5
    assert TOOLS.search_kb("") == []
    assert TOOLS.search_kb("カレンダーが更新されません") == []


def test_the_accuracy_of_the_search_is_what_support_pipe_says():
    asked = [label for label in LABELS.values() if label["article"] is not None]
    hits = sum(
        label["article"] in [name for name, _ in TOOLS.rank(TICKETS[label["id"]]["body"])[:5]]
        for label in asked
    )
    assert f"accuracy {hits} of {len(asked)}" in PIPE


def test_customer_history_is_a_history():
    history = TOOLS.customer_history("c10")
    assert set(history) == {"email", "notes", "facts"}
    assert set(history["facts"]) == {"plan", "members", "yearly", "recent"}
    with pytest.raises(LookupError, match="c99"):
        TOOLS.customer_history("c99")
    for customer in json.loads((SUPPORT / "data/customers.json").read_text(encoding="utf-8")):
        assert len(customer["recent"]) <= 5
        assert all(tokens(line) <= 40 for line in customer["recent"])
        assert tokens(customer["notes"]) <= 200


def test_what_the_tools_write_goes_where_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PIPELANG_SUPPORT_STATE", str(tmp_path / "state"))
    message = TOOLS.send_reply("T01", "Grüße\nMillrace support")
    (row,) = (tmp_path / "state/outbox.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(row)["message"] == message
    assert json.loads(row)["body"] == "Grüße\nMillrace support"
    assert TOOLS.add_negative_example("T13", "429?", "600", "120") == 1
    assert TOOLS.add_negative_example("T18", "club?", "50%", "40%") == 2
    kept = (tmp_path / "state/negative-examples.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(kept[1])["corrected"] == "40%"


def test_the_template_reads_only_its_parameters_and_keeps_the_ticket_in_its_tags():
    source = (SUPPORT / "prompts/answer.j2").read_text(encoding="utf-8")
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    used = meta.find_undeclared_variables(environment.parse(source))
    assert used == {"ticket", "docs", "facts", "feedback"}
    text = environment.from_string(source).render(
        ticket=TICKETS["T21"],
        docs=TOOLS.search_kb("discount"),
        facts=TOOLS.customer_history("c20")["facts"],
        feedback="Promise nothing.",
    )
    assert f"<ticket>\n{TICKETS['T21']['body']}\n</ticket>" in text
    assert "Promise nothing." in text
    assert text.count("<article>") == len(TOOLS.search_kb("discount"))


def test_the_fit_is_a_release_with_a_canary_and_old_evidence_does_not_count_for_it(
    monkeypatch: pytest.MonkeyPatch,
):
    refit = load("refit.py")
    monkeypatch.setenv("PIPELANG_EXAMPLE_STATE", "")  # put back afterwards: `rate` sets it
    said = "\n".join(refit.story())
    assert "20 corrected answers are in the prompt: counting starts anew" in said
    assert re.search(r"P530.*`evals/reply.jsonl`.*, which no step asks any more", said)
    assert "v2 of `handle_ticket` is out for 10% of the runs" in said
    assert "v2 of handle_ticket: canary for 10%" in said
    assert "v1 of handle_ticket: current" in said


def test_bad_ratings_ask_for_a_fit_and_their_corrections_go_into_the_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    refit = load("refit.py")
    monkeypatch.setenv("PIPELANG_EXAMPLE_STATE", "")  # put back afterwards: `rate` sets it
    ratings, asked = refit.rate(tmp_path)
    assert (ratings, asked[:4]) == (62, "due:")
    kept = tmp_path / "pipelang-support" / "negative-examples.jsonl"
    negatives = [json.loads(line) for line in kept.read_text("utf-8").splitlines()]
    assert len(negatives) == refit.TOO_MANY
    (tmp_path / "prompts").mkdir()
    before = (SUPPORT / "prompts" / "answer.j2").read_text("utf-8")
    (tmp_path / "prompts" / "answer.j2").write_text(before, "utf-8")
    refit.refitted(tmp_path, negatives)
    after = (tmp_path / "prompts" / "answer.j2").read_text("utf-8")
    assert all(row["corrected"] in after for row in negatives)
    assert "Your confidence is" in after
