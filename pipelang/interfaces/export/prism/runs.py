"""`run`: a sub-pipeline as a piece of the same model, written out at every place that runs it.

A call begins with nothing drawn and nothing made, but for what is shared: outages, and what is said
of the arguments. What it answers is the value, what it fails with is an attempt that failed, and
what it decides ends the caller too.

One that is found in a cache has answered: it is played for nothing until it does.
"""

from __future__ import annotations

from pipelang.analysis.kernels.subpipelines import child_model
from pipelang.interfaces.export.prism.draws import RIGHT, WRONG
from pipelang.interfaces.export.prism.endings import RIGHT_ANSWER, WRONG_ANSWER, passed_on
from pipelang.interfaces.export.prism.formulas import (
    all_of,
    compared,
    is_,
    more,
    no,
    number,
    variable,
)
from pipelang.interfaces.export.prism.judging import gather_cuts
from pipelang.interfaces.export.prism.machine import PrismUpdate
from pipelang.interfaces.export.prism.reachable import never_reached
from pipelang.interfaces.export.prism.scopes import PrismFrame, called
from pipelang.interfaces.export.prism.translation import LinkTrial
from pipelang.semantics import program as p
from pipelang.semantics.metrics import FAILURE


def run(trial: LinkTrial, action: p.RunPipeline, place: int) -> None:
    """From a place to the value, to where the run goes on without one, or to its ending."""
    # A pipeline is made of chains, and this is a link of one.
    from pipelang.interfaces.export.prism.blocks import block

    t, machine, making = trial.t, trial.machine, trial.making
    outer = trial.scope.frame
    frame = PrismFrame(
        t.program,
        t.program.pipelines[action.pipeline],
        machine,
        child_model(outer.prices, action),
        ending=f"ending_{making.name}",
        finish=machine.place(f"{outer.path}{action.pipeline} is over"),
        fresh=making.fresh,
        free=trial.free,
        path=f"{outer.path}{action.pipeline}.",
    )
    frame.ending = frame.variable(frame.ending, 0, "")
    scope = called(frame, trial.scope, action, trial.around)
    gather_cuts(t.draws, scope)
    begin, retries = machine.place(), 0 if trial.kept else trial.link.retry.count
    written = len(machine.commands)
    tries = None
    t.calls[begin] = frame
    if retries:
        note = f"attempts of {outer.path}{making.step.name} that have failed"
        tries = outer.variable(f"tries_{making.name}", retries, note)
    if not trial.kept:
        start = PrismUpdate(begin)
        machine.go(place, start if tries is None else start.setting(tries, 0))
    # A redo of the first step goes back to the head of the block, which is no new call.
    head = machine.place()
    machine.go(begin, PrismUpdate(head))
    block(t, frame.pipeline.block, scope, trial.around, head)
    for name, code in machine.endings.get(frame.ending, {}).items():
        here = is_(frame.ending, code)
        if name in (RIGHT_ANSWER, WRONG_ANSWER):
            verdict = RIGHT if name == RIGHT_ANSWER else WRONG
            machine.go(frame.finish, trial.made_anew(verdict), here)
        elif trial.kept:
            machine.go(frame.finish, PrismUpdate(trial.failed), here)
        elif name.startswith(FAILURE):
            failed = here
            if tries is not None:
                left = compared(variable(tries), "<", number(retries))
                again = PrismUpdate(begin, {tries: more(tries)})
                machine.go(frame.finish, again, all_of([here, left]))
                failed = all_of([here, is_(tries, retries)])
            machine.go(frame.finish, PrismUpdate(trial.failed), failed)
    if trial.missed is None:
        passed_on(making, frame.ending, frame.finish, action.pipeline)
        return
    never = never_reached(t, machine.commands[written:], begin, making.done)
    machine.go(place, PrismUpdate(trial.missed), never)
    machine.go(place, PrismUpdate(begin), no(never))
