"""Translates one pipeline from its arguments to its endings."""

from __future__ import annotations

from pipelang.analysis.model.model import make_model
from pipelang.analysis.model.parameters import point_parameters
from pipelang.interfaces.export.prism.blocks import block
from pipelang.interfaces.export.prism.constants import Constants
from pipelang.interfaces.export.prism.dead import forgetting
from pipelang.interfaces.export.prism.draws import Draws
from pipelang.interfaces.export.prism.endings import finish
from pipelang.interfaces.export.prism.formulas import is_, rest
from pipelang.interfaces.export.prism.judging import gather_cuts
from pipelang.interfaces.export.prism.machine import Machine, PrismUpdate
from pipelang.interfaces.export.prism.redos import renew
from pipelang.interfaces.export.prism.scopes import PrismFrame, outermost
from pipelang.interfaces.export.prism.translation import Translation
from pipelang.interfaces.export.prism.writing import written
from pipelang.records import dataclass
from pipelang.semantics import program as p
from pipelang.semantics.kernels.hard import share_of_hard

ENDING = "ending"


@dataclass(frozen=True, slots=True)
class PrismModel:
    """The text, and the constants in it by what they stand for."""

    text: str
    constants: Constants


def prism(program: p.Program, name: str) -> str:
    """A pipeline in the PRISM language. Raises `NotExportable` where it cannot be said in it."""
    return model(program, name).text


def model(program: p.Program, name: str) -> PrismModel:
    """The same, with the names of its parameters."""
    pipeline = program.pipelines[name]
    machine = Machine()
    constants = Constants(pipeline.name, dict(program.evidence))
    draws = Draws(program, machine, constants)
    start, over = machine.place(), machine.place()
    prices = make_model(program, pipeline, point_parameters(program))
    root = PrismFrame(program, pipeline, machine, prices, ENDING, over)
    root.ending = root.variable(ENDING, 0, "")
    scope = outermost(root)
    gather_cuts(draws, scope)
    t = Translation(program, machine, constants, draws, root)
    block(t, pipeline.block, scope, frozenset(), _by_hardness(t, start))
    renew(t)
    endings = finish(t)
    return PrismModel(written(t, forgetting(machine), endings), constants)


def _by_hardness(t: Translation, start: int) -> int:
    """Past the draw that says whether the case is hard, where a rate depends on it. Every answer
    may read it, so it is kept to the end.
    """
    share = share_of_hard(t.program, t.root.pipeline)
    if share is None:
        return start
    name = t.root.variable("hard", 2, "1 the case is not hard, 2 it is")
    t.machine.kept.add(name)
    t.constants.hard = is_(name, 2).text
    hard, behind = t.constants.share(share), t.machine.place()
    ways = [(rest(hard), 1), (hard, 2)]
    t.machine.choose(start, [(part, PrismUpdate(behind).setting(name, v)) for part, v in ways])
    return behind
