"""A pipeline as a Markov chain in the PRISM language, for model checkers such as Storm and PRISM.

It is made from the program alone and shares nothing with the sweep of `pipelang.analysis` but the
dollars of an attempt: that a model checker finds in it what `pipelang check` reports says that two
readings of the design, and two ways to compute, agree.

- `machine`, `formulas`: what a model is made of; `constants`: its parameters
- `scopes`, `draws`, `expressions`, `judging`: names, and how tests come out
- `answers`, `calls`, `agents`, `polls`, `caches`, `chains`: how a step's value comes about
- `runs`, `lists`: sub-pipelines and elements, each a piece of the one model
- `redos`, `blocks`, `endings`: in which order, and what a run comes to
- `dead`: what no longer matters is forgotten; `writing`: the text
"""

from pipelang.interfaces.export.prism.machine import NotExportable
from pipelang.interfaces.export.prism.pipeline import PrismModel, model, prism

__all__ = ["NotExportable", "PrismModel", "model", "prism"]
