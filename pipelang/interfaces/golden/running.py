"""Runs of a golden set: each case so many times, within one budget for all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from pipelang.interfaces.golden.cases import GoldenCase
from pipelang.interfaces.golden.compare import difference
from pipelang.records import dataclass, field
from pipelang.runtime.engine.interpreter import run_pipeline
from pipelang.runtime.engine.outcomes import Answered, Result
from pipelang.runtime.engine.values import to_json
from pipelang.runtime.engine.world import Decision, Question
from pipelang.runtime.host.handle import Handle, InputError, LoadedProgram, Runtime
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import tools_behind


@dataclass(frozen=True, slots=True)
class CaseRuns:
    """The runs of a case: for each what was not as expected (None: it passed), and the result."""

    case: GoldenCase
    differences: tuple[str | None, ...]
    results: tuple[Result, ...]

    @property
    def passes(self) -> int:
        return sum(one is None for one in self.differences)

    @property
    def passed(self) -> bool:
        """Whether all of its runs did."""
        return self.passes == len(self.differences)


@dataclass(slots=True)
class SetRuns:
    """All runs of a set by one version. `left` are the cases for which no money was left."""

    runs: list[CaseRuns] = field(default_factory=list)
    left: list[GoldenCase] = field(default_factory=list)
    cost: Decimal = Decimal(0)


@dataclass(slots=True)
class Purse:
    """The money for all runs; None is as much as it takes. `worst` is what a run of a program's
    pipeline can cost at most: no run begins that it might not cover.
    """

    limit: Decimal | None
    spent: Decimal = Decimal(0)
    unknown: bool = False
    worst: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def know(self, program: p.Program, pipeline: str, worst: Decimal) -> None:
        """Note what a run of a pipeline can cost at most."""
        self.worst[program.hash, pipeline] = worst

    def covers(self, program: p.Program, *pipelines: str) -> bool:
        """Whether what is left is enough for a run of each of some pipelines."""
        if self.limit is None:
            return True
        return self.spent + sum(self.worst[program.hash, one] for one in pipelines) <= self.limit

    def pay(self, cost: Decimal | None) -> None:
        if cost is None:
            self.unknown = True
        else:
            self.spent += cost


class GoldenPeople:
    """People who say what a case says of approvals and holds; nobody answers anything else."""

    def __init__(self, said: Mapping[str, bool]) -> None:
        self._said = said

    async def decide(self, run_id: str, question: Question) -> Decision | None:
        said = self._said.get(question.person.name)
        return None if said is None else Decision(said, by="golden")

    async def answer(self, run_id: str, role: str, prompt: str, shape: dict[str, Any]) -> Any:
        return None


class SetRunner:
    """Runs cases on one version of a program, whose models are those of a runtime."""

    def __init__(
        self, loaded: LoadedProgram, make_runtime: Callable[[], Runtime], purse: Purse
    ) -> None:
        self._loaded = loaded
        self._make_runtime = make_runtime
        self._purse = purse

    def unmocked(self, cases: Sequence[GoldenCase]) -> Iterator[tuple[GoldenCase, str]]:
        """Tools that act, and that a case does not answer for."""
        for case in cases:
            pipeline = self._loaded.program.pipelines[case.pipeline]
            for name in dict.fromkeys(tools_behind(self._loaded.program, pipeline)):
                if self._loaded.program.tools[name].acts and name not in case.tools:
                    yield case, name

    async def run(self, cases: Sequence[GoldenCase], times: int) -> SetRuns:
        """Run the cases, each as often as it says itself, or `times`."""
        made = SetRuns()
        for at, case in enumerate(cases):
            differences: list[str | None] = []
            results: list[Result] = []
            for number in range(case.times or times):
                judge = None if case.expected is None else case.expected.judge
                names = [case.pipeline, *([] if judge is None else [judge])]
                if not self._purse.covers(self._loaded.program, *names):
                    made.left = list(cases[at:])
                    return made
                before = self._purse.spent
                result, differs = await self._once(case, number)
                made.cost += self._purse.spent - before
                differences.append(differs)
                results.append(result)
            made.runs.append(CaseRuns(case, tuple(differences), tuple(results)))
        return made

    async def _once(self, case: GoldenCase, number: int) -> tuple[Result, str | None]:
        runtime = self._make_runtime()
        runtime.people = GoldenPeople(case.people)
        handle = self._handle(case.pipeline, case.tools, runtime)
        # A tenant of its own: what another run remembered or cached is not this one's.
        run = handle.start(case.given, tenant=f"golden/{case.name}/{number}")
        result = await run_pipeline(run)
        self._purse.pay(result.cost)
        if case.expected is None:
            return result, None

        async def judge(name: str, answer: Any, expected: Any) -> tuple[bool | None, str]:
            return await self._judged(name, runtime, answer, expected, case)

        return result, await difference(run, self._loaded.types, result, case.expected, judge)

    def _handle(self, name: str, tools: Mapping[str, Any], runtime: Runtime) -> Handle:
        mocked = {tool: _answering(value) for tool, value in tools.items()}
        return self._loaded.pipeline(name, tools=mocked, runtime=runtime)

    async def _judged(
        self, name: str, runtime: Runtime, answer: Any, expected: Any, case: GoldenCase
    ) -> tuple[bool | None, str]:
        handle = self._handle(name, case.tools, runtime)
        offered = {"answer": answer, "expected": expected, "input": dict(case.given)}
        inputs = {one.key for one in handle.pipeline.parameters}
        given = {key: value for key, value in offered.items() if key in inputs}
        try:
            result = await run_pipeline(handle.start(given))
        except InputError as wrong:
            return None, str(wrong)
        self._purse.pay(result.cost)
        if not isinstance(result, Answered):
            return None, type(result).__name__.lower()
        said = to_json(result.value)
        if isinstance(said, dict):
            reason = str(said.get("reason", said.get("why", "")))
            said = said.get("right", said.get("value"))
            return (said if isinstance(said, bool) else None), reason
        return (said if isinstance(said, bool) else None), ""


def _answering(value: Any) -> Callable[..., Any]:
    if isinstance(value, dict) and value == {"fails": True}:

        async def fails(**_: Any) -> Any:
            raise RuntimeError("it fails in this case")

        return fails

    async def answers(**_: Any) -> Any:
        return value

    return answers


def judges_of(cases: Sequence[GoldenCase], program: p.Program) -> list[p.Pipeline]:
    """The pipelines that judge in a set."""
    names = {case.expected.judge for case in cases if case.expected is not None}
    return [program.pipelines[name] for name in sorted(filter(None, names))]
