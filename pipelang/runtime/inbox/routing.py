"""Routing of questions to people: to the host's `People`, or to the cases of an inbox."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pipelang.records import dataclass, replace
from pipelang.runtime.engine.outcomes import Escalated
from pipelang.runtime.engine.redaction import hide, hide_json
from pipelang.runtime.engine.world import Attempt, Decision, Question, Sampled, Waiting
from pipelang.runtime.inbox.answer_schema import shape_of
from pipelang.runtime.inbox.cases import Case, Kind
from pipelang.runtime.inbox.inbox import Inbox
from pipelang.runtime.inbox.people import People
from pipelang.semantics import program as p
from pipelang.semantics.jsonschema import json_schema

if TYPE_CHECKING:
    from pipelang.runtime.engine.run import Run


@dataclass(frozen=True, slots=True)
class PersonAnswer:
    """An answer to an ask, and who gave it where that is known; `declined` says why they would not
    answer, None if they did.
    """

    value: Any
    by: str | None = None
    declined: str | None = None


@dataclass(frozen=True, slots=True)
class PeopleRouter:
    """Asks the people of a runtime, directly or by an inbox."""

    people: People | Inbox

    @property
    def keeps_time(self) -> bool:
        """Whether waiting ends by itself when a question's time is up."""
        return isinstance(self.people, Inbox)

    async def decide(self, run: Run, question: Question, waiting: Waiting) -> Decision | None:
        """Ask for an approval or a hold: the decision, None if there was none in time. While
        nothing is done but wait for it, a context of `waiting` is open.
        """
        person = question.person
        if not isinstance(self.people, Inbox):
            with waiting():
                return await self.people.decide(run.id, question)
        kind: Kind = "approve" if person.kind == "approve" else "hold"
        place, shown = question.place, question.shown
        case = self._case(run, kind, person.name, person.role, place, question.text, shown)
        seconds = None if person.seconds is None else float(person.seconds)
        verdict = (await self.people.wait(case, seconds, waiting)).verdict
        return None if verdict is None else Decision(verdict.yes, verdict.by, verdict.reason)

    async def answer(
        self, run: Run, attempt: Attempt, action: p.AskRole, prompt: str, waiting: Waiting
    ) -> PersonAnswer | None:
        """Ask a role: a person's answer, None if there was none in time. While nothing is done but
        wait for it, a context of `waiting` is open.
        """
        if not isinstance(self.people, Inbox):
            shape = json_schema(action.answers)
            with waiting():
                said = await self.people.answer(run.id, action.role, prompt, shape)
            return None if said is None else PersonAnswer(said)
        step = attempt.step
        case = self._case(
            run,
            "ask",
            step.name,
            action.role,
            f"{run.at(step.name)}{attempt.part}@{attempt.number}",
            step.doc,
            None,
            prompt=hide(run, prompt),
            shape=shape_of(action.answers, run.program.patterns),
        )
        seconds = None if attempt.link.timeout is None else float(attempt.link.timeout)
        closed = await self.people.wait(case, seconds, waiting)
        verdict = closed.verdict
        if verdict is None:
            return None
        return PersonAnswer(verdict.answer, verdict.by, None if verdict.yes else verdict.reason)

    async def hand_over(self, run: Run, result: Escalated) -> Case | None:
        """Put what a run hands over into the inbox, if there is one."""
        if not isinstance(self.people, Inbox):
            return None
        handoff = result.handoff
        case = self._case(
            run, "escalation", result.reason, result.role, "end", result.text, handoff
        )
        return await self.people.file(case)

    async def judge(self, run: Run, sampled: Sampled) -> Case | None:
        """Put an answer into the inbox for a verdict, if there is one."""
        if not isinstance(self.people, Inbox):
            return None
        step, role = sampled.step, sampled.role
        place = f"label:{role}:{sampled.place}"
        shape = shape_of(sampled.type, run.program.patterns)
        shown = {"input": sampled.given, "answer": sampled.answer}
        case = self._case(
            run, "label", step.name, role, place, step.doc, shown, shape=shape, about=sampled.about
        )
        case = replace(case, name=sampled.name)
        if case.lasting:  # by its place alone: whatever a region says that is done again, once
            case = replace(case, id=case_id(run.id, place, None, None))
        return await self.people.file(case)

    def _case(
        self,
        run: Run,
        kind: Kind,
        name: str,
        role: str,
        place: str,
        text: str | None,
        shown: Any,
        **ask: Any,
    ) -> Case:
        if isinstance(self.people, Inbox):
            self.people.keep_for(run.world, run.id)
        root = run
        while root.parent is not None:
            root = root.parent
        shown = hide_json(run, shown)
        lasting = run.world.lasting
        return Case(
            id=case_id(run.id, place, shown, ask.get("prompt")) if lasting else "",
            lasting=lasting,
            run_id=run.id,
            pipeline=root.pipeline.name,
            kind=kind,
            name=run.path + name,
            role=role,
            opened_at=datetime.now(UTC),
            tenant=run.terms.tenant,
            text=None if text is None else hide(run, text),
            shown=shown,
            differs_from=differs_from(run.program, role),
            **ask,
        )


def case_id(run_id: str, place: str, shown: Any, prompt: str | None) -> str:
    """The id of a case that a run asks for again after a crash. It hangs on what people are shown:
    what they said of something else is no answer.
    """
    text = json.dumps([run_id, place, shown, prompt], sort_keys=True, default=str)
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]


def differs_from(program: p.Program, role: str) -> tuple[str, ...]:
    """The roles that must be somebody else than this one. To differ is mutual, whichever of the two
    says so: who decides first does not matter.
    """
    own = program.roles[role].must_differ_from
    others = (one.name for one in program.roles.values() if one.must_differ_from == role)
    return tuple(dict.fromkeys([*([own] if own is not None else []), *others]))
