"""A joint posterior for two pipelines: parameters that both use are drawn once for both.

So the difference of a figure has an interval of its own, much narrower than that of two unrelated
figures: evidence that did not change causes no difference.

A parameter is the same in both if it has the same name (its place in the file may change) and the
same counts; an evidence file, if its rows are the same. The thresholds of both sides cut such a
file into one set of bins, as several thresholds of one pipeline do, and each side adds them up to
its own. So a bin between an old and a new threshold in which no row lies has a prior of its own
too, and moving the threshold across it may have an effect.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from pipelang.analysis.model.evidence import Cut
from pipelang.analysis.model.parameters import Parameters
from pipelang.analysis.model.posterior import SEED
from pipelang.records import dataclass, field

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

_OFFSET = re.compile(r"@\d+")
_FILE = re.compile(r"@.+?:\d+")


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two: its name, the point it was swept at, its thresholds by file."""

    pipeline: str
    point: Parameters
    thresholds: Mapping[str, set[Cut]]

    def name(self, site: str) -> str:
        """A parameter as it is called wherever it stands, in whichever file and pipeline."""
        plain = _OFFSET.sub("", _FILE.sub("", site))
        for sign in (".", ":"):
            plain = plain.removeprefix(f"{self.pipeline}{sign}")
        return plain

    def named(self, sites: Iterable[str]) -> dict[str, str]:
        """Sites by name; of several with one name, each has its number behind it."""
        found: dict[str, str] = {}
        for site in sites:
            name = base = self.name(site)
            number = 1
            while name in found:
                number += 1
                name = f"{base} {number}"
            found[name] = site
        return found


@dataclass(slots=True)
class Drawn:
    """The draws of one side, as they are made."""

    measured: dict[str, Array] = field(default_factory=dict)
    bins: dict[tuple[str, bool], tuple[Array, ...]] = field(default_factory=dict)

    def parameters(self, side: Side) -> Parameters:
        point = side.point
        return Parameters(point.evidence, point.unknown, dict(self.measured), dict(self.bins))


def coupled(before: Side, after: Side, count: int) -> tuple[Parameters, Parameters, bool]:
    """So many draws for both sides, and whether they have any parameter in common."""
    import numpy as np

    made = 0

    def generator() -> np.random.Generator:
        nonlocal made
        made += 1
        return np.random.Generator(np.random.PCG64([SEED, made]))

    files = before.point.evidence.same_files(after.point.evidence)
    old, new = Drawn(), Drawn()
    common = False
    former = before.named(site for site in before.point.counted if site not in files)
    former = {**former, **{files[site]: site for site in before.point.counted if site in files}}
    latter = after.named(site for site in after.point.counted if site not in files.values())
    latter |= {site: site for site in after.point.counted if site in files.values()}
    for name in dict.fromkeys((*latter, *former)):
        was, now = former.get(name), latter.get(name)
        counts = None if was is None else before.point.counted[was]
        draws = None
        if now is not None:
            draws = new.measured[now] = _share(after.point.counted[now], count, generator())
        if was is not None and counts is not None:
            if now is not None and draws is not None and after.point.counted[now] == counts:
                old.measured[was], common = draws, True
            else:
                old.measured[was] = _share(counts, count, generator())
    back = {now: was for was, now in files.items()}
    for file, right in after.point.counted_bins:
        was = back.get(file)
        shared = was is not None and (was, right) in before.point.counted_bins
        sides = [(after, file, new)]
        if was is not None and shared:
            sides.append((before, was, old))
            common = True
        _bins(sides, right, count, generator)
    for file, right in before.point.counted_bins:
        if (file, right) not in old.bins:
            _bins([(before, file, old)], right, count, generator)
    return old.parameters(before), new.parameters(after), common


def _share(counts: tuple[int, int], count: int, generator: np.random.Generator) -> Array:
    good, total = counts
    return generator.beta(good + 0.5, total - good + 0.5, count)


def _bins(
    sides: list[tuple[Side, str, Drawn]],
    right: bool,
    count: int,
    generator: Callable[[], np.random.Generator],
) -> None:
    """The shares between thresholds on one file, for every side that has it."""
    fine = sorted({cut for side, file, _ in sides for cut in side.thresholds[file]})
    first, file, _ = sides[0]
    counts = first.point.evidence[file].binned(right, tuple(fine))
    parts = generator().dirichlet([number + 0.5 for number in counts], count)
    for side, file, drawn in sides:
        own = side.thresholds[file]
        # A confidence that reaches so many of all thresholds reaches so many of this side's.
        places = [sum(cut in own for cut in fine[:reached]) for reached in range(len(counts))]
        drawn.bins[file, right] = tuple(
            parts[:, [at for at, place in enumerate(places) if place == index]].sum(axis=1)
            for index in range(len(own) + 1)
        )
