"""What is outside of a run and lives on when its process dies, and which deaths it brings about.

Whatever is outside answers by what it is asked, never by how often: so a run that is done again in
parts has the same answers as one that was not, and has to come to the same result.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import json
from collections import Counter
from collections.abc import Callable, Mapping
from decimal import Decimal
from hashlib import sha256
from random import Random
from typing import Any

from pipelang import Runtime
from pipelang.runtime.engine.events import Event
from pipelang.runtime.engine.world import ToolCall
from pipelang.runtime.inbox.cases import Case
from pipelang.runtime.inbox.inbox import Inbox
from pipelang.runtime.media.medium import Media
from pipelang.runtime.providers.protocol import ModelAnswer, ModelFault, ModelRequest, Usage
from pipelang.runtime.shared.quotas import InMemoryQuotas
from pipelang.runtime.tools.threads import Threads
from pipelang.runtime.worlds.recorded.record import InMemoryRecord, Kind
from pipelang.semantics.kernels.media import STAND_IN

PRICES = {"small": (1, 5), "big": (2, 10)}
PUT, PAY, LOOK = Decimal("0.00001"), Decimal("0.00002"), Decimal("0.00001")


class Crash(BaseException):
    """The process is dead: nothing that it still does reaches anything outside."""


class Inline(Threads):
    """No threads: the clock of these tests is not theirs."""

    async def run(self, work: Callable[[], Any], name: str = "", ready: Any = None) -> Any:
        return work()


class Middle(Random):
    """Draws what is in the middle, however often."""

    def uniform(self, a: float, b: float) -> float:
        return (a + b) / 2


class Outside:
    """`luck` decides what is answered, `pace` after how long. `at` is the number of the boundary at
    which the process of now dies, counted from 1, None for never.
    """

    name = "lab"
    takes = ("image",)

    def __init__(self, luck: int, pace: int = 0) -> None:
        self.luck = luck
        self.pace = pace
        self.at: int | None = None
        self.count = self.legs = 0
        self.dead = False
        self.wrong: list[str] = []
        self.begun: Counter[str] = Counter()
        self.money = Decimal(0)
        self.calls = self.tokens = 0
        self.told: dict[int, Event] = {}
        self.texts: dict[str, str] = {}
        self.media: dict[str, Media] = {}
        self.inbox = Inbox(listeners=(self.opened,))
        self.runtime = Runtime(
            providers={"lab": self},
            people=self.inbox,
            tools={
                "put": self.put,
                "pay": self.pay,
                "look": self.look,
                "bill": self.bill,
                "snap": self.snap,
                "print": self.print,
                "twice": lambda x: f"{x[:20]}{x[:20]}",
            },
            sinks=(self.listen,),
        )
        self.runtime.threads = Inline()
        self.runtime.chance = Middle()
        self.runtime.quotas = InMemoryQuotas(lambda: 1_796_000_000.0)

    def share(self, *what: Any) -> float:
        """A number of [0, 1) that hangs on what it is about."""
        text = json.dumps([self.luck, *what], default=str)
        return int.from_bytes(sha256(text.encode()).digest()[:4], "big") / 2**32

    # ------------------------------------------------------------------------- dying

    def boundary(self) -> None:
        """One place where the process may die."""
        if self.dead:
            raise Crash
        self.count += 1
        if self.count == self.at:
            self.dead = True
            raise Crash

    def reborn(self, at: int | None) -> None:
        """A new process begins, which dies at a boundary."""
        self.dead, self.count, self.at = False, 0, at
        self.legs += 1
        for case in self.inbox.cases():
            self.opened(case)

    def record(self) -> Rows:
        return Rows(self)

    async def foreign(self, *what: Any) -> None:
        """One await of foreign code."""
        self.boundary()
        await asyncio.sleep(0.1 + 0.9 * self.share("delay", self.pace, *what))
        self.boundary()

    # ------------------------------------------------------------------------- tools

    async def put(self, x: str, idempotency_key: str) -> str:
        return await self._act("put", x, idempotency_key, PUT)

    async def pay(self, x: str, idempotency_key: str) -> str:
        if self.begun[idempotency_key]:
            self.wrong.append(f"`pay` twice: {idempotency_key}")
        return await self._act("pay", x, idempotency_key, PAY)

    async def _act(self, tool: str, x: str, key: str, cost: Decimal) -> str:
        if self.dead:
            raise Crash
        rows = kinds_of(self.texts)
        if not any(kind == "intent" and at[:-1] not in rows for at, kind in rows.items()):
            self.wrong.append(f"`{tool}` without an intent: {key}")
        self.begun[key] += 1
        self.money += cost
        self.calls += 1
        await self.foreign(tool, x)
        if self.share("fails", tool, x) < 0.2:
            raise RuntimeError(f"no {tool}")
        return f"{tool}-{int(4 * self.share(tool, x))}"

    async def look(self, x: str) -> str:
        if self.dead:
            raise Crash
        self.money += LOOK
        self.calls += 1
        await self.foreign("look", x)
        if self.share("fails", "look", x) < 0.2:
            raise RuntimeError("not found")
        return f"look-{int(4 * self.share('look', x))}"

    async def snap(self, x: str) -> dict[str, str]:
        """A picture, the same for every caller."""
        await self.foreign("snap", x)
        return dict(STAND_IN["image"])

    async def print(self, photo: Media, x: str, idempotency_key: str) -> str:
        assert photo.data == base64.b64decode(STAND_IN["image"]["data"])
        return await self.pay(x, idempotency_key)

    async def bill(self, x: str) -> dict[str, Any]:
        self.calls += 1
        await self.foreign("bill", x)
        return {"name": "ada", "due": 10 + round(self.share(x), 3), "share": 0.1}

    # ------------------------------------------------------------------------ models

    async def answer(self, request: ModelRequest) -> ModelAnswer:
        what = (request.step.rpartition("/")[2], request.tier, request.user, bool(request.misfit))
        if self.dead:
            raise Crash
        turns = len(request.turns)
        price_in, price_out = PRICES[request.tier]
        self.money += Decimal(2 * price_in + 5 * price_out) / 1_000_000
        self.tokens += 7
        self.calls += 1
        await self.foreign(*what, turns)
        usage = Usage(2, 5)
        if self.share("fails", *what, turns) < 0.2:
            if self.share("how", *what) < 0.5 and not request.misfit:
                raise ModelFault("misfit", "it does not fit", usage)
            raise ModelFault("refusal", "no", usage)
        if request.tools and turns < int(3 * self.share("turns", *what)):
            names = [tool.name for tool in request.tools]
            calls = tuple(
                ToolCall(f"{turns}-{n}", name, {"x": f"{turns}{request.user[-6:]}"})
                for n, name in enumerate(names)
            )
            return ModelAnswer(None, usage, request.model, calls=calls, said=[{"turn": turns}])
        said = f"said-{int(4 * self.share('said', *what))}"
        if request.answer is None:
            return ModelAnswer(said, usage, request.model)
        return ModelAnswer(
            {"value": said, "confidence": round(self.share(*what), 2)}, usage, request.model
        )

    async def count_tokens(self, request: ModelRequest) -> int | None:
        if self.dead:
            raise Crash
        return None

    async def close(self) -> None:
        return None

    # ------------------------------------------------------------------------ people

    @property
    def asked(self) -> set[tuple[str, str, str]]:
        """The questions that people were asked."""
        cases = self.inbox.cases(closed=True)
        return {(case.id, case.name, json.dumps(case.shown)) for case in cases}

    def opened(self, case: Case) -> None:
        """Somebody decides a case after a while, unless nobody does."""
        if self.dead:
            raise Crash
        if case.kind == "escalation" or self.share("nobody", case.name) < 0.1:
            return
        loop = asyncio.get_running_loop()
        seconds = 20 + 100 * self.share("person", case.name)
        loop.call_later(seconds, lambda: loop.create_task(self._decide(case)))

    async def _decide(self, case: Case) -> None:
        if self.dead or self.inbox.case(case.id).state != "open":
            return
        if case.kind == "ask":
            await self.inbox.answer(case.id, f"said-{int(3 * self.share(case.id))}", by="ada")
        else:
            yes = self.share("yes", case.id) < 0.6
            await self.inbox.decide(case.id, yes=yes, by="ada", reason="so it is")

    def notes(self) -> list[Any]:
        """What was remembered."""
        store = self.runtime.memories
        places = (("notes", "k"), ("notes", "inner"), ("counts", "k"))
        return [store.read((None, name, json.dumps(key)), None) for name, key in places]

    # ----------------------------------------------------------------------- telling

    def listen(self, run_id: str, event: Event) -> None:
        if self.dead:
            return
        before = self.told.get(event.number)
        if before is None:
            self.told[event.number] = event
        elif (before.kind, before.name, before.data) != (event.kind, event.name, event.data):
            self.wrong.append(f"number {event.number} is {before} and {event}")


class Rows(InMemoryRecord):
    """A record that lives on; the process may die before and after each row."""

    def __init__(self, outside: Outside) -> None:
        super().__init__()
        self.texts = outside.texts
        self.media = outside.media
        self.outside = outside
        self.now = lambda: 0.0

    async def write(self, place: str, kind: Kind, value: Any) -> None:
        self.outside.boundary()
        await asyncio.sleep(0)
        await super().write(place, kind, value)
        self.outside.boundary()


@functools.lru_cache(maxsize=10_000)
def kind_of(text: str) -> Kind:
    kind: Kind = json.loads(text)[0]
    return kind


def kinds_of(texts: Mapping[str, str]) -> dict[str, Kind]:
    """The kinds of all rows by place. They are asked for at each act of thousands of runs, whose
    rows are mostly those of the run before.
    """
    return {place: kind_of(text) for place, text in texts.items()}


def rows_of(texts: Mapping[str, str]) -> dict[str, tuple[Kind, Any]]:
    return InMemoryRecord(texts).rows()  # type: ignore[return-value]
