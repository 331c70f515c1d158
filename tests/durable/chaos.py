"""Rounds of chaos: a store, a generated pipeline, runs and some workers, and faults that follow one
another; then all must end, and what was done is counted from outside.
"""

from __future__ import annotations

import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from secrets import token_hex

from ..warm import Process
from .harness import Approver, Harness
from .outages import SmallDisk, Wire
from .pipelines import TIGHT, text_of
from .postgres import Server

RUNS = 20
EVERYWHERE = ("kill", "row", "stop", "jump", "deploy")
ON_POSTGRES = ("restart", "restarts", "cut", "hang")
ON_SQLITE = ("full",)


@contextmanager
def place_of(on: str, server: Server | None, luck: random.Random) -> Iterator[Chaos]:
    """A round on a store of its own."""
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        wire, disk = None, None
        if on == "postgresql":
            assert server is not None
            wire = Wire(server.port)
            ends.callback(wire.close)
            url = server.database(f"c{token_hex(6)}").replace(f":{server.port}/", f":{wire.port}/")
        else:
            try:
                disk = SmallDisk(folder / "disk")
                ends.callback(disk.close)
            except PermissionError:
                (folder / "disk").mkdir(exist_ok=True)
            url = f"sqlite:///{folder}/disk/runs.db"
        tight = luck.random() < 0.3
        text = text_of(luck, tight)
        harness = Harness(url, folder, text=text, jumps=True)
        ends.callback(harness.close)
        if tight:
            harness.limits["made"] = TIGHT
        yield Chaos(harness, luck, server if on == "postgresql" else None, wire, disk)


class Chaos:
    """One round. `done` counts the faults."""

    def __init__(
        self,
        harness: Harness,
        luck: random.Random,
        server: Server | None,
        wire: Wire | None,
        disk: SmallDisk | None,
    ) -> None:
        self.harness, self.luck = harness, luck
        self.server, self.wire, self.disk = server, wire, disk
        self.done: Counter[str] = Counter()
        self.kinds = [*EVERYWHERE, *(ON_POSTGRES if server else ON_SQLITE if disk else ())]

    def round(self, given: tuple[str, ...] = ()) -> list[str]:
        """Do runs with workers that come and go: what is wrong afterwards. `given` are the faults,
        some at random without.
        """
        harness, luck = self.harness, self.luck
        approver = Approver(harness)
        approver.start()
        try:
            harness.learn("made")
            runs = harness.submit(RUNS // 2) + harness.submit(RUNS // 2, "made")
            many = [harness.worker() for _ in range(luck.choice((2, 4)))]
            for kind in given or luck.choices(self.kinds, k=luck.randint(2, 5)):
                time.sleep(luck.random() * 3)
                self.done[kind] += 1
                self.fault(kind, many)
                harness.look()
            harness.clock.jump(4 * 3600.0)  # the latest that it ever was: all is due
            # One that began while the database was away has ended, as it should.
            harness.worker()
            try:
                ended = harness.wait(runs, 180)
            except AssertionError as lost:
                return [str(lost)]
        finally:
            approver.stop()
        return harness.problems(ended) + approver.twice

    def fault(self, kind: str, many: list[Process]) -> None:
        harness, luck = self.harness, self.luck
        match kind:
            case "kill":
                harness.kill(many.pop(luck.randrange(len(many))))
                many.append(harness.worker())
            case "row":
                harness.worker(luck.randint(1, 30), luck.choice(("before", "after")))
            case "stop":
                one = luck.choice(many)
                one.send_signal(signal.SIGSTOP)
                time.sleep(4)
                one.send_signal(signal.SIGCONT)
            case "deploy":
                one = many.pop(luck.randrange(len(many)))
                one.send_signal(signal.SIGTERM)
                many.append(harness.worker())
            case "jump":
                harness.clock.jump(luck.choice((-3.0, -1.0, 1.0, 3.0)) * 3600)
            case "restart":
                self.restart(luck.random() * 3)
            case "restarts":
                for _ in range(3):
                    self.restart(0)
                    time.sleep(2)
            case "cut" | "hang":
                assert self.wire is not None
                if kind == "hang":
                    self.wire.hang()
                    time.sleep(luck.random() * 4)
                self.wire.cut()
                time.sleep(luck.random() * 4)
                self.wire.mend()
            case "full":
                assert self.disk is not None
                self.disk.fill()
                time.sleep(luck.random() * 5)
                self.disk.empty()

    def restart(self, pause: float) -> None:
        assert self.server is not None
        self.server.stop(self.luck.choice(("immediate", "fast")))
        time.sleep(pause)
        self.server.start()
