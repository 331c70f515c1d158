"""Actions, options and items parse to the nodes that are meant for them."""

from __future__ import annotations

import pytest

from pipelang.syntax import ast
from pipelang.syntax.ast import LiteralKind

from .nodes import (
    A,
    B,
    C,
    action,
    amount,
    item,
    link,
    literal,
    metric,
    money,
    name,
    names,
    number,
    option,
    plain,
    positional,
    ref,
    seconds,
    share,
    text,
)

# --- actions, chains, outcomes --------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("ask p(a) by b", ast.Ask(name("p"), positional(A), B)),
        (
            "ask p() by if a then b else c",
            ast.Ask(name("p"), (), ast.If(A, B, C)),
        ),
        (
            "ask p() by cascade(x, y) until a",
            ast.Ask(name("p"), (), ast.Cascade(names("x y"), A)),
        ),
        ("agent p() by a with x, y", ast.Agent(name("p"), (), A, names("x y"))),
        ("call t(a: b)", ast.CallTool(name("t"), (ast.Argument(name("a"), B),))),
        ("run q(a)", ast.RunPipeline(name("q"), positional(A))),
        ("recall m(a)", ast.Recall(name("m"), A)),
        (
            "each x in a { call t(x) else b }",
            ast.Each(
                name("x"),
                A,
                False,
                ast.Chain(
                    (ast.Link(ast.CallTool(name("t"), positional(ref("x"))), ()), link(B)), None
                ),
            ),
        ),
        ("each x in a ordered { b }", ast.Each(name("x"), A, True, ast.Chain((link(B),), None))),
        (
            "match a { x => call t() }",
            ast.MatchAction(A, (ast.Arm((name("x"),), ast.Link(ast.CallTool(name("t"), ()), ())),)),
        ),
        ("match a { x => b }", ast.Pure(ast.Match(A, (ast.Arm((name("x"),), link(B)),)))),
        ("[]", ast.Pure(ast.ListOf(()))),
    ],
)
def test_actions(written: str, expected: ast.Action) -> None:
    assert action(written) == expected


def test_chain() -> None:
    step = item('step s: T = call t() { timeout 5s } else a else fail "no"')
    assert step == ast.Step(
        name("s"),
        plain("T"),
        ast.Chain(
            (ast.Link(ast.CallTool(name("t"), ()), (ast.Timeout(seconds("5")),)), link(A)),
            ast.Fail("no"),
        ),
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("return a", ast.Return(A)),
        ("escalate to r", ast.Escalate(name("r"), None, None)),
        ('escalate to r "why" with a', ast.Escalate(name("r"), "why", A)),
        ("escalate to r with a", ast.Escalate(name("r"), None, A)),
        ("reject", ast.Reject(None)),
        ('reject "why"', ast.Reject("why")),
        ('fail "code"', ast.Fail("code")),
    ],
)
def test_outcomes(written: str, expected: ast.Outcome) -> None:
    assert item(written) == expected
    assert item(f"step s = a else {written}").chain.end == expected


# --- options --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("retry 2", ast.Retry(number(2), None)),
        ("retry 2 backoff 1s..30s", ast.Retry(number(2), (seconds("1"), seconds("30")))),
        ("retry n backoff (a)..b", ast.Retry(ref("n"), (A, B))),
        ("timeout 10s", ast.Timeout(seconds("10"))),
        ("timeout (a + b)", ast.Timeout(ast.Binary("+", A, B))),
        ("output 5 tokens mean", ast.Output(amount(5), None)),
        ("output 5 tokens max", ast.Output(None, amount(5))),
        ("output 5 tokens mean, 9 tokens max", ast.Output(amount(5), amount(9))),
        *((f"effort {level}", ast.Effort(level)) for level in ("low", "medium", "high")),
        ("thinking 5 tokens", ast.Thinking(amount(5))),
        ("cache 1h by a, b", ast.Cache(seconds("3600"), (A, B))),
        ("hits 80%", ast.Hits(share("0.8"))),
        ("batch within 5m", ast.Batch(seconds("300"))),
        ("vote 3", ast.Vote(number(3))),
        ("vote lead 2 of 5", ast.VoteLead(number(2), number(5))),
        ("steps 20", ast.Steps(number(20))),
        ("turns 3", ast.Turns(number(3))),
        ("accuracy 92%", ast.Accuracy(share("0.92"))),
        ("accuracy good", ast.Accuracy(ref("good"))),
        ("accuracy 1128 of 1200", ast.Accuracy(ast.Counted(1128, 1200))),
        ('accuracy from "f.jsonl"', ast.Accuracy(ast.FromFile(text("f.jsonl")))),
        (
            'accuracy from "f.jsonl" shift 3%',
            ast.Accuracy(ast.FromFile(text("f.jsonl"), share("0.03"))),
        ),
        (
            "accuracy haiku 80%, opus 19 of 20",
            ast.AccuracyByTier(
                (
                    ast.TierRate(name("haiku"), share("0.8")),
                    ast.TierRate(name("opus"), ast.Counted(19, 20)),
                )
            ),
        ),
        ("recovers 20%", ast.Recovers(share("0.2"))),
        ("correlation 30%", ast.Correlation(share("0.3"))),
        ("catches 90%", ast.Catches(share("0.9"))),
        ("false_alarms 3 of 100", ast.FalseAlarms(ast.Counted(3, 100))),
        ("parallel 5", ast.Parallel(number(5))),
        ("need all", ast.Need("all", None)),
        ("need any", ast.Need("any", None)),
        ("need 90%", ast.Need("share", share("0.9"))),
    ],
)
def test_options(written: str, expected: ast.Option) -> None:
    assert option(written) == expected


# --- items ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            "budget $0.25, 5m, 60k tokens, 50 steps else reject",
            ast.Budget(
                (
                    money("0.25"),
                    seconds("300"),
                    amount(60_000),
                    ast.StepsAmount(number(50)),
                ),
                ast.Reject(None),
            ),
        ),
        ("budget $1", ast.Budget((money("1"),), None)),
        ('permits "a.b", "c"', ast.Permits((text("a.b"), text("c")))),
        (
            'slo { latency.p95 <= 4s when s cached accuracy(s) > 5% when a cost.of["x"] < $1 }',
            ast.Slo(
                (
                    ast.SloLine(
                        metric("latency p95"), "<=", seconds("4"), ast.Cached(name("s"))
                    ),
                    ast.SloLine(metric("accuracy", of="s"), ">", share("0.05"), A),
                    ast.SloLine(metric("cost of", key="x"), "<", money("1"), None),
                )
            ),
        ),
        (
            "traffic 5/s { a: 8% b: x 60%, y 4 of 5 c: 5% if right, 9% if wrong a: 5 mean b: (c) }",
            ast.Traffic(
                literal(LiteralKind.RATE, (5, 1)),
                (
                    ast.TrafficLine(A, ast.ShareOf(share("0.08"))),
                    ast.TrafficLine(
                        B,
                        ast.Members(
                            (
                                ast.Member(name("x"), share("0.6")),
                                ast.Member(name("y"), ast.Counted(4, 5)),
                            )
                        ),
                    ),
                    ast.TrafficLine(C, ast.ShareByRight(share("0.05"), share("0.09"))),
                    ast.TrafficLine(A, ast.Mean(number(5))),
                    ast.TrafficLine(B, ast.ShareOf(C)),
                ),
            ),
        ),
        ("traffic {}", ast.Traffic(None, ())),
        (
            'watch { a >= 85% over 7d else alert r "t" b <= baseline + 20% over 1d '
            "b <= baseline - 1% over 1d c == baseline over 1h else alert r }",
            ast.Watch(
                (
                    ast.WatchLine(
                        metric("a"), ">=", share("0.85"), seconds("604800"),
                        ast.Alert(name("r"), "t"),
                    ),
                    ast.WatchLine(
                        metric("b"), "<=", ast.Baseline(1, share("0.2")), seconds("86400"), None
                    ),
                    ast.WatchLine(
                        metric("b"), "<=", ast.Baseline(-1, share("0.01")), seconds("86400"), None
                    ),
                    ast.WatchLine(
                        metric("c"), "==", ast.Baseline(1, None), seconds("3600"),
                        ast.Alert(name("r"), None),
                    ),
                )
            ),
        ),
        ("let x = a", ast.Let(name("x"), None, A)),
        ("let x: int = a", ast.Let(name("x"), plain("int"), A)),
        ("gate g: a else reject", ast.Gate(name("g"), A, (), ast.Reject(None))),
        (
            'gate g: a { evidence from "f" catches 9% false_alarms 1% } '
            'else redo s up to 2 because "b" else reject',
            ast.Gate(
                name("g"),
                A,
                (
                    ast.Evidence(text("f")),
                    ast.Catches(share("0.09")),
                    ast.FalseAlarms(share("0.01")),
                ),
                ast.Redo(name("s"), number(2), text("b"), ast.Reject(None)),
            ),
        ),
        (
            "gate g: a else redo s up to 1 else reject",
            ast.Gate(name("g"), A, (), ast.Redo(name("s"), number(1), None, ast.Reject(None))),
        ),
        (
            "approve y by r when a within 2h showing b else reject",
            ast.Approve(name("y"), name("r"), A, seconds("7200"), B, ast.Reject(None)),
        ),
        (
            "approve y by r else reject",
            ast.Approve(name("y"), name("r"), None, None, None, ast.Reject(None)),
        ),
        (
            "approve y by r else redo s up to 2 because a else reject",
            ast.Approve(
                name("y"),
                name("r"),
                None,
                None,
                None,
                ast.Redo(name("s"), number(2), A, ast.Reject(None)),
            ),
        ),
        (
            "hold v for 15m by r when a showing b else reject",
            ast.Hold(name("v"), seconds("900"), name("r"), A, B, ast.Reject(None)),
        ),
        (
            "when a { return b } else { reject }",
            ast.When(None, A, (ast.Return(B),), (ast.Reject(None),)),
        ),
        ("when big: a {}", ast.When(name("big"), A, (), None)),
        (
            "match a { x, y { return b } else {} }",
            ast.MatchItem(
                A,
                (
                    ast.MatchItemArm(names("x y"), (ast.Return(B),)),
                    ast.MatchItemArm(ast.Else(), ()),
                ),
            ),
        ),
        ("remember m(a) = b", ast.Remember(name("m"), A, B)),
        (
            "breaker { opens when g rejects 10 in a row opens when latency > 30s over 20 runs "
            "probes after 5m } else run q() else reject",
            ast.Breaker(
                (
                    ast.OpensRejects(names("g"), 10),
                    ast.OpensMetric(metric("latency"), ">", seconds("30"), 20),
                ),
                seconds("300"),
                ast.Chain(
                    (ast.Link(ast.RunPipeline(name("q"), ()), ()),), ast.Reject(None)
                ),
            ),
        ),
    ],
)  # fmt: skip
def test_items(written: str, expected: ast.Item) -> None:
    assert item(written) == expected
