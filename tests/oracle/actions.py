"""One action with its options, played: an answer, an ending of the run, or nothing.

Chains, sub-pipelines, lists and choices; what makes a single answer is in `single`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

from . import model as m
from .single import CERTAIN, NOTHING, Place, SingleAnswers
from .values import Latent, Value


@dataclass(frozen=True, slots=True)
class Ending:
    """A way in which the run may end, not yet judged; `by` is the name that goes with it."""

    outcome: m.Outcome
    by: str
    made_from: tuple[Value, ...] = ()


Answer: TypeAlias = "Value | Ending | None"
# Plays a sub-pipeline once; the flag says whether that is part of a redo.
RunChild: TypeAlias = Callable[[m.RunPipeline, bool], Ending]


class Actions(SingleAnswers):
    """All actions of one call of one pipeline."""

    run_child: RunChild

    # --- chains -----------------------------------------------------------------------------

    def chain(
        self, links: tuple[m.Link, ...], otherwise: m.Outcome | None, place: Place
    ) -> tuple[Answer, m.Link | None]:
        """The first link that answers, or the outcome at the end. The link is the one that did."""
        for link in links:
            answer, single = self.link(link, place)
            if answer is not None:
                return answer, single
        if otherwise is None:
            return None, None
        return self.ending(otherwise, place.name), None

    def ending(self, outcome: m.Outcome, by: str) -> Ending:
        made_from: tuple[Value, ...] = ()
        if isinstance(outcome, m.Return):
            made_from = (*self._conditions.values(outcome.value), *self._around)
        return Ending(outcome, by, made_from)

    def link(self, link: m.Link, place: Place) -> tuple[Answer, m.Link | None]:
        """An answer, and the link if it is one whose verdict a redo may copy."""
        match link.action:
            case m.Pick(path=path, arms=arms):
                member = self._facts.path(path)
                chosen = next(x for pattern, x in arms if member in pattern or pattern == ("else",))
                depth = len(self._around)
                self._around += self._conditions.values(path)
                found = self.link(chosen, place)
                del self._around[depth:]
                return found
            case m.RunPipeline():
                return self._run(link, link.action, place), None
            case m.Each():
                return self._each(link.action, place), None
            case m.Recall(key=key):
                values = (*self._conditions.values(key), *self._around)
                return Value(Latent(self._root.draws, CERTAIN, NOTHING), values), None
            case _:
                return self._single(link, place), link

    # --- sub-pipelines and elements ---------------------------------------------------------

    def _run(self, link: m.Link, action: m.RunPipeline, place: Place) -> Answer:
        for _ in range(link.retry + 1):
            ending = self.run_child(action, place.redone or self._inside_redo)
            match ending.outcome:
                case m.Return():
                    return Value(Latent(self._root.draws, CERTAIN, NOTHING), ending.made_from)
                case m.Fail():
                    continue
                case _:
                    by = ending.by if "." in ending.by else f"{action.pipeline}.{ending.by}"
                    return replace(ending, by=by)
        return None

    def _each(self, each: m.Each, place: Place) -> Answer:
        given = Latent(self._root.draws, CERTAIN, NOTHING)
        over = self._conditions.values(each.over)
        length = self._facts.length(each.over)
        answered: list[Value] = []
        endings: list[Ending] = []
        for _ in range(length):
            self._scope[each.element] = Value(given, over)
            # Elements draw anew, whatever the step's former run made.
            alone = Place(place.name, redone=place.redone)
            answer, _single = self.chain(each.links, each.otherwise, alone)
            if isinstance(answer, Value):
                answered.append(answer)
                continue
            if answer is not None:
                endings.append(answer)
            if each.ordered:
                break
        self._scope.pop(each.element, None)
        if endings:
            return endings[0]
        if len(answered) < each.needed(length):
            return None
        return Value(given, tuple(answered))
