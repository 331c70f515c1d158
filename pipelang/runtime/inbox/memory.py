"""Cases in memory, for a host that answers them itself."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime

from pipelang.runtime.inbox.cases import NOT_WAITED_FOR, Case, settled
from pipelang.runtime.inbox.store import Change, unique_id

MOST_CLOSED = 10_000
"""Cases of runs that are over and have nothing open; beyond it the oldest runs go. Those of others
stay: who may decide hangs on them.
"""


class InMemoryCases:
    """Cases that live as long as this object. `waited_for` says whether a run waits for one."""

    blocks = False
    holder = None

    def __init__(
        self,
        clock: Callable[[], datetime],
        waited_for: Callable[[str], bool],
        most_closed: int = MOST_CLOSED,
    ) -> None:
        self._clock = clock
        self._waited_for = waited_for
        self._most = most_closed
        self._lock = threading.RLock()
        self._cases: dict[str, Case] = {}
        self._runs: dict[str, list[str]] = {}
        self._over: set[str] = set()
        self._gone: deque[str] = deque()
        self._done: OrderedDict[str, None] = OrderedDict()
        self._closed = 0

    def add(self, case: Case) -> None:
        with self._lock:
            while self._gone:
                self._retire(self._gone.popleft())
            self._cases[case.id] = case
            self._runs.setdefault(case.run_id, []).append(case.id)
            if case.run_id in self._done:  # a run's id that is used again
                del self._done[case.run_id]
                self._closed -= len(self._runs[case.run_id]) - 1

    def get(self, case_id: str) -> Case:
        with self._lock:
            if case_id not in self._cases:
                case_id = unique_id(
                    [one for one in self._cases if one.startswith(case_id)], case_id
                )
            return self._as_it_stands(case_id)

    def all(self, closed: bool) -> tuple[Case, ...]:
        with self._lock:
            found = [self._as_it_stands(case_id) for case_id in self._cases]
        chosen = [case for case in found if closed or case.state == "open"]
        return tuple(sorted(chosen, key=lambda case: case.opened_at))

    def change(self, case_id: str, change: Change) -> Case:
        with self._lock:
            case = self.get(case_id)
            run = tuple(self._cases[one] for one in self._runs[case.run_id])
            changed = self._cases[case.id] = change(case, run)
            if case.run_id in self._over:
                self._retire(case.run_id)
            return changed

    def forget(self, run_id: str) -> None:
        self._gone.append(run_id)

    def _retire(self, run_id: str) -> None:
        """A run is over; with nothing open it may go, when its turn comes."""
        ids = self._runs.get(run_id)
        if ids is None:
            return
        self._over.add(run_id)
        if run_id not in self._done and all(self._cases[one].state != "open" for one in ids):
            self._done[run_id] = None
            self._closed += len(ids)
        while self._closed > self._most:
            oldest, _ = self._done.popitem(last=False)
            self._over.discard(oldest)
            for case_id in self._runs.pop(oldest):
                del self._cases[case_id]
                self._closed -= 1

    def _as_it_stands(self, case_id: str) -> Case:
        case = self._cases[case_id]
        waited_for = case.kind in NOT_WAITED_FOR or self._waited_for(case_id)
        case = self._cases[case_id] = settled(case, self._clock(), waited_for)
        return case
