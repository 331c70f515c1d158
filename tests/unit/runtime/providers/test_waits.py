"""How long a server asks to wait: a time that can be waited for, or none."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from pipelang.runtime.providers.google import _retry_delay
from pipelang.runtime.providers.http_faults import retry_after_of
from pipelang.runtime.providers.protocol import ModelFault

MANY = "9" * 400


@pytest.mark.parametrize(
    "told",
    [
        *("", "soon", "nan", "inf", "1e999", MANY, "\x00"),
        "Mon, 32 Foo 2027",
        "Mon, 01 Jan 99999 00:00:00 GMT",
        f"Mon, 01 Jan {MANY} 00:00:00 GMT",
        f"{MANY} Jan 2027 00:00:00 GMT",
        f"Mon, 01 Jan 2027 00:00:00 +{MANY}",
        f"Mon, 01 Jan 2027 {MANY}:00:00 GMT",
    ],
)
def test_a_header_that_tells_no_time_asks_for_none(told: str) -> None:
    """Numbers that C has no room for ended the attempt with an error of Python."""
    assert retry_after_of({"retry-after": told}) is None
    assert retry_after_of({"retry-after-ms": told, "retry-after": "3"}) == 3.0


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        *((0, 0.0), (2, 2.0), (2.5, 2.5), (-1, 0.0), (None, None), (True, None), ("3", None)),
        *(([], None), (float("nan"), None), (float("inf"), None), (10**400, None)),
    ],
)
def test_a_fault_asks_for_seconds_or_for_none(told: Any, seconds: float | None) -> None:
    """A wait without an end would have been waited for."""
    fault = ModelFault("rate_limited", "slow", retry_after=told)
    assert fault.retry_after == seconds
    assert copy.copy(fault).retry_after == seconds
    assert pickle.loads(pickle.dumps(fault)).retry_after == seconds


@pytest.mark.parametrize("told", ["infs", "nans", "1e999s", f"{MANY}s", None, [], {}])
def test_a_delay_of_google_that_is_none_asks_for_none(told: Any) -> None:
    delay = _retry_delay({"error": {"details": [{"retryDelay": told}]}})
    assert ModelFault("rate_limited", "slow", retry_after=delay).retry_after in (None, 0.0)
