"""Symbolic execution of a pipeline: one walk over all paths, merged where they differ in nothing
that matters.

Soundness. A run goes through the items of a block in their order; the steps of a region run side by
side and are taken in both orders where the difference is visible. At every test the walk follows
both outcomes, each under the condition that leads to it. A step is left by each of its links, and a
fallback starts in the states that a partly done attempt may have left. So every run is on one of
the paths, and a claim that no path breaks holds in every run. The walk also follows a redo that
fails on its second round, a budget or a quota that cuts a run, a circuit breaker or a cache that
answers instead of a sub-pipeline, an agent that calls its tools in any order, and an `each` over no
element or many.

Completeness. Where the walk covers more than a run can do (the contents of a cache, the elements of
a list), the path contains an opaque question, and a claim that only such a path breaks is undecided
instead of refuted.

Sub-pipelines are walked at each call, with names of their own: their gates, effects and answers
belong to this call.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pipelang.analysis.claims import beside, branches, rounds
from pipelang.analysis.claims.formulas import TRUE, Formula, all_of, literal, opposite
from pipelang.analysis.claims.formulas import Equals as Picked
from pipelang.analysis.claims.handing import fitted
from pipelang.analysis.claims.inequalities import TooHard
from pipelang.analysis.claims.lacking import may_lack_value, surely_fits
from pipelang.analysis.claims.moments import Condition, made
from pipelang.analysis.claims.paths import Path, PathEvent, extend, start
from pipelang.analysis.claims.states import Answers, State, SymbolicFrame, join, met, step_to
from pipelang.analysis.claims.symbols import SymbolicExpressions
from pipelang.analysis.claims.values import Cases, one, under
from pipelang.diagnostics import Span
from pipelang.semantics import expressions as expr
from pipelang.semantics import program as p
from pipelang.semantics.kernels.run import pipelines_behind, tools_behind, waits_for_people
from pipelang.semantics.unique import with_unique_names
from pipelang.semantics.walk import agent_of, inner_links

if TYPE_CHECKING:
    from pipelang.analysis.claims.properties import Monitor

MOST_ITEMS = 20_000
"""The most items that a walk may pass; items of sub-pipelines count at every call."""

MOST_SHOWN = 60
"""The most letters of an expression that the step of a path shows."""


class ClaimWalk:
    """A walk for one monitor. `broken` collects the paths that break its property."""

    def __init__(
        self,
        program: p.Program,
        symbols: SymbolicExpressions,
        watched: Monitor,
        never_cut: frozenset[str] = frozenset(),
    ) -> None:
        self.program = program
        self.symbols = symbols
        self.watched = watched
        self.never_cut = never_cut
        self.broken: list[Path] = []
        self.tests: list[tuple[str, Formula]] = []
        self.passed: set[str] = set()
        self.condition = Condition(None, next(iter(program.pipelines.values())))
        self.root: SymbolicFrame | None = None
        self.level = 0
        self._inside: list[SymbolicFrame] = []
        self._items = 0
        self.ends: list[tuple[str, State]] | None = None
        self._unique: dict[str, p.Pipeline] = {}

    # ------------------------------------------------------------------------------ pipelines

    def go(self, pipeline: p.Pipeline) -> None:
        """Walk a pipeline as a run of its own. Raises `TooHard`."""
        pipeline = self.unique(pipeline.name)
        self.condition = Condition(self.watched.when, pipeline)
        values = {q.name: one(self.symbols.free(q.name, q.type)) for q in pipeline.parameters}
        self.root = SymbolicFrame(pipeline, "", values, root=True)
        self._inside = [self.root]
        self._run(self.root, {False: start()})
        self.root = None

    def unique(self, name: str) -> p.Pipeline:
        found = self._unique.get(name)
        if found is None:
            found = self._unique[name] = with_unique_names(self.program.pipelines[name])
        return found

    def child(
        self,
        name: str,
        prefix: str,
        given: Mapping[str, Cases],
        state: State,
        span: Span,
        *,
        timed: bool = False,
    ) -> tuple[list[tuple[State, Cases]], State]:
        """Walk a sub-pipeline: return its answers, and the state in which it failed. If `timed`, a
        timeout may cut it anywhere.
        """
        pipeline = self.unique(name)
        prefix = f"{prefix}{name}."
        values = {
            q.name: fitted(self.symbols.known, given[q.name], q.type)
            if given.get(q.name)
            else one(self.symbols.free(prefix + q.name, q.type))
            for q in pipeline.parameters
        }
        frame = SymbolicFrame(pipeline, prefix, values, root=False, timed=timed, level=self.level)
        entered: dict[int, list[Path | None]] = {}
        event = PathEvent(f"`{name}` runs", span)
        for key, path in state.items():
            entered.setdefault(self.watched.entered(name, key), []).append(
                extend(path, TRUE, event)
            )
        self._inside.append(frame)
        self._run(frame, met(entered))
        self._inside.pop()
        if timed:
            late = PathEvent(f"`{name}` takes longer than it has", span)
            cuts = met({key: list(paths) for key, paths in frame.cuts.items()})
            self.fail(frame, step_to(cuts, TRUE, late))
        return frame.answers, join(*frame.failed)

    def _run(self, frame: SymbolicFrame, state: State) -> None:
        pipeline = frame.pipeline
        self._cut(frame, state)
        self._quota_at_start(frame, state)
        if pipeline.breaker is not None:
            self._breaker(frame, pipeline.breaker, state)
        self.block(frame, pipeline.block, state)
        self._quota_later(frame)
        budget = pipeline.budget
        if budget is not None and pipeline.name not in self.never_cut:
            cuts: State = met({key: list(paths) for key, paths in frame.cuts.items()})
            cuts = step_to(cuts, TRUE, PathEvent("the budget is spent", budget.span))
            self._spent(frame, budget.otherwise, cuts)

    def _spent(self, frame: SymbolicFrame, otherwise: p.Outcome | None, cuts: State) -> None:
        """End a pipeline whose budget or quota is spent."""
        if isinstance(otherwise, (p.Escalate, p.Reject)):
            cuts = step_to(cuts, self._not_yet_made())
        if otherwise is not None:
            self.end(frame, otherwise, cuts)
        elif not frame.root:
            self.fail(frame, cuts)

    def _quota_at_start(self, frame: SymbolicFrame, state: State) -> None:
        """A quota that is spent ends a run before it does anything."""
        quota = frame.pipeline.quota
        if quota is not None:
            event = PathEvent("the quota is spent", quota.span)
            self._spent(frame, quota.otherwise, step_to(state, TRUE, event))

    def _quota_later(self, frame: SymbolicFrame) -> None:
        """A quota of money or tokens may also be spent behind a wait for people: anywhere in a
        pipeline that has one, as a budget.
        """
        quota = frame.pipeline.quota
        if quota is None or not (quota.names("money") or quota.names("tokens")):
            return
        if not waits_for_people(self.program, frame.pipeline):
            return
        cuts: State = met({key: list(paths) for key, paths in frame.cuts.items()})
        event = PathEvent("the quota is spent behind a wait for people", quota.span)
        self._spent(frame, quota.otherwise, step_to(cuts, TRUE, event))

    def _cut(self, frame: SymbolicFrame, state: State, *, always: bool = False) -> None:
        """Record where an exhausted budget may cut the run, or one around it: at the earliest
        places with the fewest conditions, and after each value that the claim reads.
        """
        for around in (frame, *self._inside[:-1]):
            if around.pipeline.budget is None and not around.timed:
                continue
            # Behind the cut of a sub-pipeline the run goes on, unless its outcome says otherwise.
            not_made = self._not_yet_made() if around.root else TRUE
            for key, path in self._left(around, state).items():
                if always or key not in around.cuts:
                    cut = extend(path, not_made)
                    assert cut is not None
                    around.cuts.setdefault(key, []).append(cut)

    def _not_yet_made(self) -> Formula:
        """Return that the values which the claim reads, and which come later, are not made."""
        later = self.condition.tracked.keys() - self.passed
        return all_of(opposite(made(name)) for name in sorted(later))

    def _breaker(self, frame: SymbolicFrame, breaker: p.Breaker, state: State) -> None:
        state = step_to(state, TRUE, PathEvent("the breaker is open", breaker.span))
        answered = self.step(frame, breaker.otherwise, state)
        value = frame.values.pop(breaker.otherwise.name, ())
        self._answer(frame, answered, value)

    # ---------------------------------------------------------------------------------- ends

    def end(self, frame: SymbolicFrame, outcome: p.Outcome, state: State) -> None:
        """End a run of a pipeline with an outcome."""
        if not state:
            return
        match outcome:
            case p.Return():
                state = step_to(state, TRUE, PathEvent("it answers", outcome.span))
                self.lacking(frame, outcome.value, state, outcome.span)
                returns = frame.pipeline.returns
                if not frame.root and not surely_fits(outcome.value.type, returns):
                    misfit = PathEvent("its answer does not fit", outcome.span)
                    self.fail(frame, step_to(state, TRUE, misfit))
                value = self.symbols.cases(outcome.value, frame.values)
                self._answer(frame, state, fitted(self.symbols.known, value, returns))
            case p.Escalate():
                self.finish("escalated", state)
            case p.Reject():
                event = PathEvent(f"`{frame.pipeline.name}` rejects", outcome.span)
                self.finish("rejected", step_to(state, TRUE, event))
            case p.Fail():
                if frame.root:
                    self.finish("failed", state)
                else:
                    self.fail(frame, state)

    def fail(self, frame: SymbolicFrame, state: State) -> None:
        """Fail a pipeline that another one runs."""
        frame.failed.append(self._left(frame, state))

    def _left(self, frame: SymbolicFrame, state: State) -> State:
        """Return the state where a run of a pipeline is left from within strands side by side."""
        for _ in range(frame.level, self.level):
            state = beside.each_state(state, beside.merged)
        return state

    def lacking(
        self, frame: SymbolicFrame, node: expr.Expr | None, state: State, span: Span
    ) -> None:
        """Fail a pipeline where an expression may have no value. A run that ends here is only one
        that ends earlier than others, unless something around it goes on.
        """
        if state and may_lack_value(self.program, node):
            assert node is not None
            shown = expr.show(node)
            what = f"`{shown}`" if "`" not in shown and len(shown) < MOST_SHOWN else "a value"
            failed = step_to(state, TRUE, PathEvent(f"{what} cannot be worked out", span))
            if frame.root:
                self.finish("failed", failed)
            else:
                self.fail(frame, failed)

    def _answer(self, frame: SymbolicFrame, state: State, value: Cases) -> None:
        if frame.root:
            self.finish("answered", state)
        elif state:
            frame.answers.append((state, value))

    def finish(self, kind: str, state: State) -> None:
        """End the whole run; steps of the surrounding region that do not depend on it finish."""
        if self.ends is not None:
            self.ends.append((kind, state))
            return
        for key, path in state.items():
            if self.watched.broken_by_end(kind, key):
                self._break(path)

    def _break(self, path: Path | None) -> None:
        assert self.root is not None
        formula = self.condition.formula(self.symbols, self.root.values, self.passed)
        broken = extend(path, formula)
        if broken is not None:
            self.broken.append(broken)

    def call(self, step: p.Step, tool: str, state: State, span: Span) -> State:
        """Record the call of a tool."""
        if tool != self.watched.tool:
            acts = self.program.tools[tool].acts
            event = PathEvent(f"`{step.name}` calls `{tool}`", span) if acts else None
            return step_to(state, TRUE, event)
        event = PathEvent(f"`{step.name}` calls `{tool}`", span)
        found: dict[int, list[Path | None]] = {}
        for key, path in state.items():
            after = extend(path, TRUE, event)
            if self.watched.broken_by_call(tool, key, span):
                self._break(after)
            found.setdefault(self.watched.called(tool, key), []).append(after)
        return met(found)

    def answered(self, frame: SymbolicFrame, step: p.Step, state: State) -> State:
        """Record that people answer a step, which counts as a test of its name."""
        event = PathEvent(f"`{step.name}` is answered", step.span, step.name)
        found: dict[int, list[Path | None]] = {}
        for key, path in state.items():
            now = self.watched.passed(frame.pipeline.name, step.name, key)
            found.setdefault(now, []).append(path if now == key else extend(path, TRUE, event))
        return met(found)

    def tested(
        self, frame: SymbolicFrame, item: p.Item, condition: expr.Expr, holds: Formula, state: State
    ) -> None:
        """Record a test. Subclasses that need more than a claim does override this."""

    def chooses(
        self, frame: SymbolicFrame, match: p.MatchBranch, guards: list[Formula], state: State
    ) -> None:
        """Record a match, with the condition of each arm."""

    # ---------------------------------------------------------------------------------- items

    def block(self, frame: SymbolicFrame, block: p.Block, state: State) -> State:
        for segment in block.segments:
            if not state:
                break
            if self.watched.counts:
                rounds.note(frame, block, segment, state)
            if isinstance(segment, p.Barrier):
                state = self.item(frame, block, block.items[segment.index], state)
            else:
                members = [block.items[index] for index in segment.members]
                state = rounds.region(self, frame, block, members, state)
        return state

    def fork(self, state: State) -> State:
        """Begin a part in which several runs of a pipeline may go on side by side."""
        self.level += 1
        return beside.each_state(state, beside.fork)

    def merge(self, *states: State) -> list[State]:
        """End such a part, in each of its states."""
        self.level -= 1
        return [beside.each_state(state, beside.merged) for state in states]

    def resets(self, chain: p.Chain) -> bool:
        """Whether a chain may run a pipeline whose test has to be passed anew then."""
        return any(self.watched.resets(name) for name in pipelines_behind(self.program, chain))

    def may_call(self, item: p.Item) -> bool:
        """Whether an item calls the tool of the claim, directly or through a sub-pipeline."""
        return isinstance(item, p.Step) and self.may_call_in(item.chain)

    def may_call_in(self, chain: p.Chain) -> bool:
        """Whether a chain does."""
        tool = self.watched.tool
        for link in inner_links(chain):
            action, loop = link.action, agent_of(link.action)
            names = [action.pipeline] if isinstance(action, p.RunPipeline) else []
            if loop is not None:
                names += loop.pipelines
            called = [action.tool] if isinstance(action, p.Call) else []
            called += loop.tools if loop is not None else ()
            for name in names:
                called += tools_behind(self.program, self.program.pipelines[name])
            if tool in called:
                return True
        return False

    def item(self, frame: SymbolicFrame, block: p.Block, item: p.Item, state: State) -> State:
        self._items += 1
        if self._items > MOST_ITEMS:
            raise TooHard("its paths, with those of all that it runs, are too many")
        match item:
            case p.Step():
                state = self.step(frame, item, state)
                self._made(frame, item.name)
                state = self._now_made(frame, item.name, state)
            case p.Let():
                self.lacking(frame, item.value, state, item.span)
                frame.values[item.name] = self.symbols.cases(item.value, frame.values)
                self._made(frame, item.name)
                state = self._now_made(frame, item.name, state)
            case p.Gate():
                state = branches.gate(self, frame, block, item, state)
            case p.Person():
                state = branches.person(self, frame, block, item, state)
            case p.When():
                state = branches.when(self, frame, item, state)
            case p.MatchBranch():
                state = branches.match(self, frame, item, state)
            case p.Remember():
                event = PathEvent(f"`{item.memory}` cannot be written", item.span)
                if not frame.root:
                    self.fail(frame, step_to(state, TRUE, event))
                else:
                    self.finish("failed", step_to(state, TRUE, event))
            case p.End():
                self.end(frame, item.outcome, state)
                return {}
        self._cut(frame, state)
        return state

    def _made(self, frame: SymbolicFrame, name: str) -> None:
        if frame.root and name in self.condition.tracked:
            self.passed.add(name)

    def _now_made(self, frame: SymbolicFrame, name: str, state: State) -> State:
        if not frame.root or frame.redoing or name not in self.condition.tracked:
            return state
        state = step_to(state, made(name))
        self._cut(frame, state, always=True)
        return state

    # ---------------------------------------------------------------------------------- steps

    def step(self, frame: SymbolicFrame, step: p.Step, state: State) -> State:
        """Walk a step's chain: it is answered by one of its links, or ends with its outcome."""
        answers, failed = self.attempted(frame, step, state)
        frame.values[step.name] = self.chosen(f"{frame.prefix}{step.name}", step.type, answers)
        tracked = frame.root and not frame.redoing and step.name in self.condition.tracked
        if failed:
            outcome = step.chain.end
            out = PathEvent(f"`{step.name}` has nothing left to try", step.span)
            if tracked:
                failed = step_to(failed, opposite(made(step.name)))
            failed = step_to(failed, TRUE, out)
            if outcome is not None:
                self.end(frame, outcome, failed)
            elif frame.root:
                self.finish("failed", failed)
            else:
                self.fail(frame, failed)
        picked = [
            step_to(found, self.pick(frame, step, answers, at))
            for at, (found, _) in enumerate(answers)
        ]
        told_apart = sum(value is not None for _, value in answers)
        others = told_apart < len(answers)
        return join(*picked, picks=told_apart + others if told_apart and len(answers) > 1 else 0)

    def attempted(self, frame: SymbolicFrame, step: p.Step, state: State) -> tuple[Answers, State]:
        """Return the ways in which a step is answered, and the state in which its chain is used
        up.
        """
        from pipelang.analysis.claims.links import chain

        return chain(self, frame, step, step.chain, state, step.name)

    def pick(
        self,
        frame: SymbolicFrame,
        step: p.Step,
        answers: list[tuple[State, Cases | None]],
        at: int,
    ) -> Formula:
        """Record the way in which a step was answered; the ways that may answer anything are
        merged.
        """
        if len(answers) == 1 or all(value is None for _, value in answers):
            return TRUE
        return _picked(f"{frame.prefix}{step.name}", None if answers[at][1] is None else at)

    def chosen(self, name: str, type: object, answers: list[tuple[State, Cases | None]]) -> Cases:
        """Return a value by the way in which it was made."""
        free = one(self.symbols.free(name, type))  # type: ignore[arg-type]
        if not answers or all(value is None for _, value in answers):
            return free
        if len(answers) == 1:
            return answers[0][1] or free
        options = ["any"] if any(value is None for _, value in answers) else []
        options += [str(at) for at, (_, value) in enumerate(answers) if value is not None]
        self.symbols.facts.members[f"{name} by"] = tuple(options)
        found = [under(_picked(name, None), free)]
        for at, (_, value) in enumerate(answers):
            if value is not None:
                found.append(under(_picked(name, at), value))
        return tuple(case for cases in found for case in cases)


def _picked(name: str, at: int | None) -> Formula:
    return literal(Picked(f"{name} by", "any" if at is None else str(at), constant=True))
