"""Releases in a store: who gets which version, the way back, and guards that take a canary back."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from pipelang.runtime.durable.address import NotPossible
from pipelang.runtime.durable.store import Store
from pipelang.runtime.durable.submitting import Submission, queue_of, submit
from pipelang.runtime.durable.versions import releases
from pipelang.runtime.durable.versions.arms import silently_wrong
from pipelang.runtime.durable.versions.guards import (
    ALPHA,
    LAST_LOOK,
    CanaryGuards,
    ReleaseGuards,
    ShareGuard,
    guard_states,
)
from pipelang.runtime.durable.versions.releases import Guard, Release
from pipelang.runtime.inbox.case_records import case_json
from pipelang.runtime.inbox.cases import Case, Verdict
from pipelang.statistics.fisher import fisher_at_least, runs_for_look, runs_to_tell


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(f"sqlite:///{tmp_path}/runs.db", make=True)
    yield made
    made.close()


def put_out(
    store: Store,
    version: str,
    program: str,
    share: float | None = None,
    guards: tuple[Guard, ...] = (),
    signature: str = "s",
) -> Release:
    state = releases.CURRENT if share is None else releases.CANARY
    made = Release(
        "main", version, program, signature, state, share or 1.0, guards, "tests", "ada", 0.0, 0.0
    )
    releases.release(store, made, "tests")
    return releases.find(store, "main", version)


def given(store: Store, program: str = "one", **options: Any) -> dict[str, Any]:
    """A run that is submitted, as a row."""
    run = submit(store, Submission(pipeline="main", program=program, input={"x": 1}, **options))
    return store.rows("SELECT * FROM pipelang_runs WHERE run = :run", run=run)[0]


def test_a_program_that_was_never_released_is_run_as_it_is(store: Store) -> None:
    assert given(store, "draft")["program"] == "draft"
    put_out(store, "v1", "one")
    assert given(store, "draft")["program"] == "draft"
    put_out(store, "v2", "two")
    assert given(store, "one")["program"] == "two"  # whoever has the older file


def test_runs_are_assigned_by_key_and_stay_on_theirs(store: Store) -> None:
    put_out(store, "v1", "one")
    put_out(store, "v2", "two", share=0.3)
    got = {n: given(store, key=f"k{n}")["program"] for n in range(200)}
    share = sum(one == "two" for one in got.values()) / len(got)
    assert abs(share - 0.3) < 5 * (0.3 * 0.7 / 200) ** 0.5
    assert {n: given(store, key=f"k{n}")["program"] for n in range(200)} == got
    # A conversation has one version, whatever the keys of its runs.
    threads = {
        n: {given(store, thread=f"t{n}", key=f"t{n}-{m}")["program"] for m in range(3)}
        for n in range(20)
    }
    assert all(len(one) == 1 for one in threads.values())
    assert len({frozenset(one) for one in threads.values()}) == 2


def test_a_larger_share_takes_nobody_away(store: Store) -> None:
    places = [releases.place_of("main", "t", f"k{n}") for n in range(1000)]
    assert {n for n in range(1000) if places[n] < 0.1} <= {
        n for n in range(1000) if places[n] < 0.5
    }
    assert releases.place_of("main", None, "k") != releases.place_of("main", "t", "k")


def test_a_rollback_holds_for_the_next_run_and_for_those_that_wait(store: Store) -> None:
    put_out(store, "v1", "one")
    canary = put_out(store, "v2", "two", share=0.5)
    rows = [given(store, key=f"k{n}") for n in range(30)]
    delayed = [given(store, key=f"d{n}", delay=60.0) for n in range(30)]
    began = next(row for row in rows if row["program"] == "two")
    with store.transaction() as connection:
        connection.execute(
            sa.text("UPDATE pipelang_runs SET started = 1 WHERE run = :run"), {"run": began["run"]}
        )
    before = time.perf_counter()
    back = releases.roll_back(store, canary, "ada", "worse")
    assert given(store, key="next")["program"] == "one"
    assert time.perf_counter() - before < 1.0
    assert back is not None
    assert back.version == "v1"
    for row in [*rows, *delayed]:
        now = store.rows("SELECT * FROM pipelang_runs WHERE run = :run", run=row["run"])[0]
        leg = store.rows(
            f"SELECT queue_name FROM {store.legs.table} WHERE workflow_uuid = :id",
            id=f"{row['run']}:1",
        )[0]
        wanted = "two" if row["run"] == began["run"] else "one"
        assert now["program"] == wanted
        assert now["queue"] == leg["queue_name"] == queue_of(wanted, "main")
    assert releases.roll_back(store, canary, "bob", "again") is None


def test_what_is_current_goes_back_to_the_one_before(store: Store) -> None:
    first = put_out(store, "v1", "one")
    with pytest.raises(NotPossible, match="nothing was released before"):
        releases.roll_back(store, first, "ada", "bad")
    put_out(store, "v2", "two")
    third = put_out(store, "v3", "three")
    back = releases.roll_back(store, third, "ada", "bad")
    assert back is not None
    assert back.version == "v2"
    assert given(store)["program"] == "two"
    releases.promote(store, third, "eve", "mended elsewhere")
    assert given(store)["program"] == "three"


def test_the_way_back_leads_to_what_had_all_runs(store: Store) -> None:
    """Not to a canary that ended when another version was promoted."""
    for seed in range(6):  # the names decide in which order the rows are read
        old, canary = ("a", "b") if seed % 2 else ("b", "a")
        pipeline = f"p{seed}"
        for version, share in (("v0", None), ("v1", 0.5), (old, None), (canary, 0.5)):
            state = releases.CURRENT if share is None else releases.CANARY
            made = Release(
                pipeline, version, f"h{version}", "s", state, share or 1.0, (), "t", "ada", 0.0, 0.0
            )
            releases.release(store, made, "tests")
            if version == "v1":
                releases.roll_back(store, releases.find(store, pipeline, version), "ada", "worse")
        again = releases.find(store, pipeline, "v1")
        releases.promote(store, again, "ada", "it was better")
        back = releases.roll_back(store, releases.find(store, pipeline, "v1"), "ada", "it was not")
        assert back is not None
        assert back.version == old


def test_of_two_operators_at_once_the_second_learns_of_the_first(store: Store) -> None:
    put_out(store, "v1", "one")
    canary = put_out(store, "v2", "two", 0.5)
    releases.roll_back(store, canary, "bob", "worse")
    with pytest.raises(NotPossible, match="rolled back just now by bob: worse"):
        releases.promote(store, canary, "ada", "better")
    assert releases.find(store, "main", "v1").state == releases.CURRENT
    releases.promote(store, releases.find(store, "main", "v2"), "ada", "better, I insist")
    # Guards take canaries back: what a person has promoted meanwhile is none.
    assert releases.roll_back(store, canary, "pipelang:guard", "worse", canary_only=True) is None
    assert releases.find(store, "main", "v2").state == releases.CURRENT


def test_first_releases_at_once_leave_one_current_and_a_whole_log(store: Store) -> None:
    """No row is there to be locked for a first release, and the log is one for all pipelines."""
    told: list[BaseException] = []
    for turn in range(3):
        together = threading.Barrier(4)
        names = [(f"p{turn}", "a"), (f"p{turn}", "b"), (f"p{turn}", "c"), (f"q{turn}", "a")]

        def put(pipeline: str, version: str, together: threading.Barrier = together) -> None:
            own = Store.open(store.address.url)
            made = Release(
                pipeline, version, f"h{version}", "s", "current", 1.0, (), "t", "ada", 0.0, 0.0
            )
            try:
                together.wait(30)
                releases.release(own, made, "tests")
            except BaseException as error:
                told.append(error)
            finally:
                own.close()

        threads = [threading.Thread(target=put, args=one) for one in names]
        for one in threads:
            one.start()
        for one in threads:
            one.join(60)
        out = [one for one in releases.releases(store, f"p{turn}") if one.state == "current"]
        assert len(out) == 1
    assert told == []
    entries, broken = releases.log(store)
    assert ([one.number for one in entries], broken) == (list(range(1, 13)), None)


def test_who_has_the_file_of_other_types_keeps_its_program(store: Store) -> None:
    """What was checked against one file is no input of another."""
    put_out(store, "v1", "one")
    waits = given(store, "one", key="waits")
    put_out(store, "v2", "two", signature="other")
    assert given(store, "one")["program"] == "one"
    assert given(store, "two")["program"] == "two"
    found = store.rows("SELECT program FROM pipelang_runs WHERE run = :run", run=waits["run"])
    assert found[0]["program"] == "one"


def test_what_cannot_be_released_says_why(store: Store) -> None:
    with pytest.raises(NotPossible, match="nothing of `main` is released"):
        put_out(store, "v1", "one", share=0.1)
    put_out(store, "v1", "one")
    with pytest.raises(NotPossible, match="is a release of `main` already"):
        put_out(store, "v1", "two")
    with pytest.raises(NotPossible, match="the same program"):
        put_out(store, "v2", "one", share=0.1)
    with pytest.raises(NotPossible, match="another type"):
        put_out(store, "v2", "two", share=0.1, signature="other")
    put_out(store, "v2", "two", share=0.1)
    with pytest.raises(NotPossible, match="`v2` is a canary"):
        put_out(store, "v3", "three", share=0.1)
    with pytest.raises(NotPossible, match="no release `v9`"):
        releases.find(store, None, "v9")


def test_the_log_says_who_what_and_why_and_shows_a_change(store: Store) -> None:
    put_out(store, "v1", "one")
    canary = put_out(store, "v2", "two", share=0.5)
    releases.promote(store, canary, "eve", "no worse")
    entries, broken = releases.log(store)
    assert [(one.version, one.act, one.by, one.why) for one in entries] == [
        ("v1", "current", "ada", "tests"),
        ("v2", "canary", "ada", "tests"),
        ("v2", "promoted", "eve", "no worse"),
    ]
    assert broken is None
    with store.transaction() as connection:
        connection.execute(
            sa.text("UPDATE pipelang_release_log SET made_by = 'bob' WHERE number = 2")
        )
    assert releases.log(store)[1] == 2


# ------------------------------------------------------------------------------------- guards


def silent_guard(share: float = 0.02, alpha: float = ALPHA) -> Guard:
    return Guard("silent_error", labels=runs_for_look(share, 2 * share, alpha * LAST_LOOK, 0.975))


def met(seed: int, share: float, most: int) -> int | None:
    """Canary runs that met it until the guard took it back, beside nine times as many; None if it
    is still out after so many.
    """
    chance = random.Random(seed)
    guard = ShareGuard(silent_guard(), ALPHA)
    count = 0
    while count < most:
        canary = chance.random() < 0.1
        count += canary
        guard.add(canary, chance.random() < (share if canary else 0.02))
        if canary and guard.state().is_worse:
            return count
    return None


def test_doubled_silent_errors_are_rolled_back_before_a_twentieth_of_a_day() -> None:
    """20,000 runs a day, a canary of 10%, fully labelled: 2% become 4%. It is taken back before
    1,000 runs met it in 95 of 100 histories, by a guard whose 378 is Wald's mean.
    """
    assert runs_to_tell(0.02, 0.04) == 378
    found = [met(seed, 0.04, 999) for seed in range(200)]
    assert sum(one is not None for one in found) >= 0.93 * 200  # 95% less 1.3 deviations


def test_a_canary_that_is_no_worse_stays() -> None:
    found = [met(seed, 0.02, 1500) for seed in range(100)]
    assert sum(one is not None for one in found) <= 5 + 4  # 5% and two deviations


def test_fishers_test_is_that_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    chance = random.Random(1)
    for _ in range(60):
        runs_a, runs_b = chance.randint(1, 400), chance.randint(1, 90)
        a, b = chance.randint(0, runs_a), chance.randint(0, runs_b)
        table = [[b, runs_b - b], [a, runs_a - a]]
        wanted = stats.fisher_exact(table, alternative="greater").pvalue
        assert fisher_at_least(a, runs_a, b, runs_b) == pytest.approx(wanted, rel=1e-6, abs=1e-12)


def test_the_look_finds_it_as_often_as_it_says() -> None:
    stats = pytest.importorskip("scipy.stats")
    for share, alpha in ((0.02, 0.0425), (0.1, 0.01)):
        count = runs_for_look(share, 2 * share, alpha, 0.97)
        critical = int(stats.binom.isf(alpha, count, share)) + 1
        assert stats.binom.sf(critical - 1, count, share) <= alpha
        assert stats.binom.sf(critical - 1, count, 2 * share) >= 0.97


def end(
    store: Store, program: str, ends: list[dict[str, Any]], at: float, first: int = 0
) -> list[str]:
    """Runs of a program that have ended, one a second."""
    runs = [f"{program}-{first + n}" for n in range(len(ends))]
    rows = [
        {
            "run": run,
            "program": program,
            "at": at + n,
            "status": one.get("status", "answered"),
            "cost": str(one.get("cost", "0.01")),
            "outcome": json.dumps(
                {
                    "result": {"reason": one.get("reason"), "code": one.get("code")},
                    "duration": one.get("seconds", 1.0),
                }
            ),
        }
        for n, (run, one) in enumerate(zip(runs, ends, strict=True))
    ]
    with store.transaction() as connection:
        connection.execute(
            sa.text(
                """INSERT INTO pipelang_runs (run, pipeline, program, input, input_hash, queue,
                    priority, created, started, ended, leg, attempts, barren, seen, poked, paused,
                    status, outcome, cost, tokens)
                VALUES (:run, 'main', :program, '{}', '', '', 1, :at, :at, :at, 1, 1, 0, 0, 0, 0,
                    :status, :outcome, :cost, 1)"""
            ),
            rows,
        )
    return runs


def verdict(run: str, right: bool, **about: Any) -> Case:
    now = datetime(2026, 11, 2, tzinfo=UTC)
    by = about.pop("by", "ada")
    said = Verdict(yes=right, by=by, seconds=about.pop("seconds", None), at=now)
    return Case(
        id=f"case-{run}-{about.get('visit', 0)}-{by}",
        run_id=run,
        pipeline="main",
        kind="label",
        name=about.pop("name", "kind"),
        role="labellers",
        opened_at=now,
        state="decided",
        closed_at=now,
        verdict=said,
        shown={"input": None, "answer": None},
        about={
            "pipeline": "main",
            "step": "kind",
            "visit": 0,
            "share": 1.0,
            "draw": 0.5,
            "weight": 1.0,
            "rushed": None,
            **about,
        },
    )


def label(store: Store, runs: list[str], wrong: set[int]) -> None:
    rows = []
    for number, run in enumerate(runs):
        case = verdict(run, number not in wrong)
        text = json.dumps(case_json(case), ensure_ascii=False)
        rows.append({"id": case.id, "run": run, "state": "decided", "value": text})
    with store.transaction() as connection:
        connection.execute(
            sa.text(
                "INSERT INTO pipelang_cases (id, run, state, value) "
                "VALUES (:id, :run, :state, :value)"
            ),
            rows,
        )


def mixed(count: int, every: int, **what: Any) -> list[dict[str, Any]]:
    return [what if n % every == 0 else {} for n in range(count)]


@pytest.mark.parametrize(
    ("guard", "worse"),
    [
        (Guard("escalation"), {"status": "escalated", "reason": "sure"}),
        (Guard("escalation.sure"), {"status": "escalated", "reason": "sure"}),
        (Guard("failure"), {"status": "failed"}),
        (Guard("cost.mean"), {"cost": "0.03"}),
        (Guard("latency.p95"), {"seconds": 9.0}),
    ],
)
def test_guards_on_what_every_run_shows(store: Store, guard: Guard, worse: dict[str, Any]) -> None:
    put_out(store, "v1", "one")
    end(store, "one", mixed(300, 25, **worse), store.now() - 1000)
    put_out(store, "v2", "two", share=0.5, guards=(guard,))
    guards = ReleaseGuards(store)
    at = store.now() + 1
    end(store, "one", mixed(300, 25, **worse), at, first=1000)
    end(store, "two", mixed(300, 25, **worse), at)
    assert guards.look() == []
    end(store, "two", mixed(300, 2, **worse), at + 300, first=300)
    end(store, "one", mixed(300, 25, **worse), at + 300, first=2000)
    ((release, why),) = guards.look()
    assert release.version == "v2"
    assert f"{guard.metric} is worse" in why
    assert releases.find(store, "main", "v2").state == releases.ROLLED_BACK
    entry = releases.log(store)[0][-1]
    assert (entry.act, entry.by, entry.why) == ("rolled back", "pipelang:guard", why)
    assert guards.look() == []


@pytest.mark.parametrize("code", ["cancelled", "killed"])
def test_runs_that_people_stopped_are_no_failures_of_a_canary(store: Store, code: str) -> None:
    crashed = {"status": "failed", "code": "crashed"}
    stopped = {"status": "failed", "code": code, "cost": "3"}
    put_out(store, "v1", "one")
    end(store, "one", mixed(300, 25, **crashed), store.now() - 1000)
    guards = (Guard("failure"), Guard("cost.mean"))
    put_out(store, "v2", "two", share=0.5, guards=guards)
    looks, at = ReleaseGuards(store), store.now() + 1
    end(store, "one", mixed(300, 25, **crashed), at, first=1000)
    end(store, "two", mixed(300, 2, **stopped), at)
    assert looks.look() == []
    end(store, "one", mixed(300, 25, **crashed), at + 300, first=2000)
    end(store, "two", mixed(300, 2, **crashed), at + 300, first=300)
    assert [why.split()[0] for _, why in looks.look()] == ["failure"]


@pytest.mark.parametrize("code", ["cancelled", "killed"])
def test_a_canary_is_not_measured_by_what_people_stopped_before(store: Store, code: str) -> None:
    """What is current cost $1.50 a run with them, and $0.01 without."""
    put_out(store, "v1", "one")
    stopped = {"status": "failed", "code": code, "cost": "3"}
    end(store, "one", mixed(300, 2, **stopped), store.now() - 1000)
    put_out(store, "v2", "two", share=0.5, guards=(Guard("cost.mean"),))
    looks = ReleaseGuards(store)
    end(store, "one", mixed(300, 25), store.now() + 1, first=1000)
    end(store, "two", mixed(300, 1, cost="0.03"), store.now() + 1)
    assert [why.split()[0] for _, why in looks.look()] == ["cost.mean"]


def test_a_run_of_a_clock_that_was_ahead_blinds_no_guard(store: Store) -> None:
    """Runs that end before the latest one seen are late ones, for a minute: not for a month."""
    put_out(store, "v1", "one")
    put_out(store, "v2", "two", share=0.5, guards=(Guard("failure"),))
    guards = ReleaseGuards(store)
    end(store, "two", mixed(1, 2), store.now() + 30 * 86_400, first=9000)
    assert guards.look() == []
    end(store, "one", mixed(300, 25, status="failed"), store.now() + 1)
    end(store, "two", mixed(300, 2, status="failed"), store.now() + 1)
    ((release, why),) = guards.look()
    assert (release.version, "failure is worse" in why) == ("v2", True)


def test_the_way_back_is_to_the_version_before_whatever_the_clock_did(store: Store) -> None:
    """The first was taken from all runs while the clock ran a month ahead."""
    put_out(store, "v1", "one")
    put_out(store, "v2", "two")
    ahead = "UPDATE pipelang_releases SET changed = changed + 2592000"
    with store.transaction() as connection:
        connection.execute(sa.text(ahead))
    put_out(store, "v3", "three")
    back = releases.roll_back(store, releases.find(store, "main", "v3"), "ada", "worse")
    assert back is not None
    assert back.version == "v2"


def test_a_canary_that_was_put_out_by_a_clock_that_was_ahead_is_guarded(store: Store) -> None:
    """No run counted until the clock had come to the time of the release again: for a month."""
    put_out(store, "v1", "one")
    put_out(store, "v2", "two", share=0.5, guards=(Guard("failure"),))
    ahead = "UPDATE pipelang_releases SET made = made + 2592000 WHERE version = 'v2'"
    with store.transaction() as connection:
        connection.execute(sa.text(ahead))
    guards = ReleaseGuards(store)
    assert guards.look() == []
    end(store, "one", mixed(300, 25, status="failed"), store.now() + 1)
    end(store, "two", mixed(300, 2, status="failed"), store.now() + 1)
    ((release, why),) = guards.look()
    assert (release.version, "failure is worse" in why) == ("v2", True)


@pytest.mark.parametrize("jump", [300.0, 7_200.0])
def test_a_clock_that_is_put_forward_and_back_has_no_run_counted_twice(
    store: Store, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    current = put_out(store, "v1", "one")
    canary = put_out(store, "v2", "two", share=0.5, guards=(Guard("failure"),))
    guards, ahead = CanaryGuards(store, canary, current), 0.0
    now = store.now
    monkeypatch.setattr(store, "now", lambda: now() + ahead)

    def look(first: int) -> int:
        end(store, "two", mixed(10, 5, status="failed"), store.now() + 1, first=first)
        guards.look()
        return guards.guards[0].state().canary[1]

    assert look(0) == 10
    ahead = jump
    assert look(100) == 20
    assert look(200) == 30
    ahead = 0.0
    assert look(300) == 40
    ahead = jump
    assert look(400) == 50


def test_a_guard_with_a_tolerance_lets_a_little_pass() -> None:
    """A fifth escalates today: half as many more may, a quarter more or twice as many."""
    for share, worse in ((0.25, False), (0.4, True)):
        chance = random.Random(7)
        guard = ShareGuard(Guard("escalation", 0.5), ALPHA)
        for number in range(4000):
            canary = number % 2 == 1
            guard.add(canary, chance.random() < (share if canary else 0.2))
        assert guard.state().is_worse is worse


def test_silent_errors_by_labels(store: Store) -> None:
    put_out(store, "v1", "one")
    put_out(store, "v2", "two", share=0.5, guards=(silent_guard(),))
    guards = ReleaseGuards(store)
    at = store.now() + 1
    label(store, end(store, "one", [{}] * 1100, at), set(range(0, 1100, 50)))
    label(store, end(store, "two", [{}] * 400, at), set(range(0, 400, 50)))
    assert guards.look() == []
    label(store, end(store, "two", [{}] * 700, at + 1100, first=400), set(range(0, 700, 15)))
    ((release, why),) = guards.look()
    assert release.version == "v2"
    assert "silent_error is worse" in why


def test_the_state_of_guards_is_read_anew_as_it_was(store: Store) -> None:
    """What a worker gathered look by look is what a command reads at once."""
    put_out(store, "v1", "one")
    canary = put_out(store, "v2", "two", share=0.5, guards=(Guard("failure"),))
    known = CanaryGuards(store, canary, releases.find(store, "main", "v1"))
    at = store.now() + 1
    for part in range(5):
        end(store, "one", mixed(100, 10, status="failed"), at + 100 * part, first=100 * part)
        end(store, "two", mixed(100, 7, status="failed"), at + 100 * part, first=100 * part)
        known.look()
    (anew,) = guard_states(store, canary, releases.find(store, "main", "v1"))
    assert known.guards[0].state() == anew
    assert anew.canary == (75 / 500, 500)


@pytest.mark.parametrize(
    ("status", "cases", "wrong"),
    [
        ("answered", [("r", True, {})], False),
        ("answered", [("r", False, {})], True),
        ("escalated", [("r", False, {})], False),
        ("answered", [("r", False, {}), ("r", True, {"visit": 1})], False),
        ("answered", [("r", True, {}), ("r", False, {"visit": 1})], True),
        ("answered", [("r", False, {"rushed": 20.0, "seconds": 5.0})], None),
        ("answered", [("r", False, {"rushed": 20.0})], None),
        ("answered", [("r", False, {}), ("r", True, {"weight": 3.0, "by": "eve"})], False),
        ("answered", [("r", False, {}), ("r", True, {"by": "eve"})], None),
        ("answered", [("r", True, {}), ("r", False, {"name": "reply"})], True),
    ],
)
def test_a_run_is_a_silent_error_if_a_last_answer_is_wrong(
    status: str, cases: list[tuple[str, bool, dict[str, Any]]], wrong: bool | None
) -> None:
    made = [verdict(run, right, **about) for run, right, about in cases]
    assert silently_wrong(status, made) is wrong
