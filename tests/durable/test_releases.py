"""Releases on SQLite and PostgreSQL: assignment, rollback of what waits, and guards by labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pipelang.runtime.durable.store import Store

from ..unit.runtime.durable import test_releases as shared


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    made = Store.open(url, make=True)
    yield made
    made.close()


@pytest.mark.parametrize(
    "story",
    [
        shared.test_a_rollback_holds_for_the_next_run_and_for_those_that_wait,
        shared.test_the_log_says_who_what_and_why_and_shows_a_change,
        shared.test_silent_errors_by_labels,
        shared.test_first_releases_at_once_leave_one_current_and_a_whole_log,
        shared.test_of_two_operators_at_once_the_second_learns_of_the_first,
        shared.test_the_way_back_leads_to_what_had_all_runs,
    ],
    ids=lambda story: story.__name__.removeprefix("test_"),
)
def test_on_every_database(story: Callable[[Store], None], store: Store) -> None:
    story(store)
