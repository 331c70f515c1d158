"""Judges of the analysis that come from outside, and the closing lines that say what they judged.

A judge is a program written by others that answers the same question: Storm, SCRAM, AgentDojo. A
test that needs one is marked `@pytest.mark.judge("Storm")`, and is skipped with a hint where the
judge is not installed. Where it has to be there (`PIPELANG_JUDGES=required`, as in CI) the test
fails instead. A test calls the fixture `judged` with the number of cases that it put to the judge.
"""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, settings

from .agentdojo import package
from .oracle import fault_trees, storm

REQUIRED = os.environ.get("PIPELANG_JUDGES") == "required"

# Whoever runs the tests, in whatever terminal: reports are laid out by COLUMNS, also in a pipe.
os.environ.pop("COLUMNS", None)
# No test speaks TLS, yet every client of an SDK reads a computer's certificates, which takes longer
# than a test does: here they are one, of nobody.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).with_name("nobody.pem"))
# Prices grow old: what is told of them is that of the day on which the tests were written.
os.environ["PIPELANG_TODAY"] = "2026-11-29"
# No test depends on the speed of the machine: inputs may take long to make, and tests to run.
settings.register_profile(
    "any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any-machine")
JUDGED = "judged"


class Judge(NamedTuple):
    """Where a judge is found (None where it is not installed), and how to get it."""

    find: Callable[[], str | None]
    install: str


JUDGES = {
    "Storm": Judge(storm.storm_python, storm.HOW),
    "SCRAM": Judge(fault_trees.scram, fault_trees.HOW),
    "AgentDojo": Judge(package.agentdojo_python, package.HOW),
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "judge(name): needs a judge that is installed apart")


def pytest_xdist_auto_num_workers() -> int:
    """Two a core: tests of servers, databases and browsers wait for a third of their time. Of one
    process more than cores both wait so often that two cores were busy for 76% of a run.
    """
    affinity = getattr(os, "sched_getaffinity", None)
    return 2 * ((os.cpu_count() or 1) if affinity is None else len(affinity(0)))


def pytest_sessionstart() -> None:
    # Collecting makes a million objects that stay: looking for garbage among them took a third of
    # the time that it takes to import and collect.
    gc.disable()


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("judge"):
        judge = JUDGES[mark.args[0]]
        if judge.find() is None:
            if REQUIRED:
                pytest.fail(judge.install, pytrace=False)
            pytest.skip(judge.install)


def pytest_collection_finish() -> None:
    """What was imported and collected lives as long as the process: it is no garbage, and looking
    through it again and again takes a tenth of the time of some tests.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(500_000, 20, 50)
    gc.enable()


@pytest.fixture
def judged(request: pytest.FixtureRequest) -> Callable[[int], None]:
    """Called with the number of cases that the judge of this test has judged."""
    mark = request.node.get_closest_marker("judge")
    assert mark is not None, "a test that counts judged cases names its judge"

    def count(cases: int) -> None:
        # Properties of a report are what xdist carries from a worker to the process that sums up.
        request.node.user_properties.append((JUDGED, (mark.args[0], cases)))

    return count


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """One line a judge, above pytest's own closing line."""
    cases: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    for outcome, reports in terminalreporter.stats.items():
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == JUDGED and report.when == "call":
                    cases[value[0]] += value[1]
                    failed[value[0]] += outcome == "failed"
    if not cases and not REQUIRED:
        return
    terminalreporter.section("judges", sep="-")
    for name in JUDGES:
        line = f"{name} judged {cases[name]:,} cases"
        terminalreporter.write_line(line + f", {failed[name]} tests failed" * bool(failed[name]))
