"""A region in layers: every step below those that it reads, side by side where nothing waits.

The layered drawing of Sugiyama, Tagawa and Toda (1981), for graphs of a few dozen nodes: longest
paths give the layers, a place that an edge passes through gets a slot of its own, sweeps of
barycentres give the order. Along the order, positions are the least-squares ones under the needed
distances, found by pooling adjacent violators.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pipelang.interfaces.export.graph import EdgeKind, Graph
from pipelang.interfaces.export.svg.parts import BESIDE, NodeRow, Part
from pipelang.records import dataclass, field

TRACK = 9.0
"""Between the horizontal lines of a channel, one for each row that they come from."""

_SWEEPS = 40
_STRAIGHT = 20.0
"""The weight of an edge's place against that of a row, so that long edges stay straight."""

_GRID = 10.0
_ARROW = 22.0
_FRAME_X, _FRAME_TOP, _FRAME_BOTTOM = 18.0, 16.0, 4.0


@dataclass(eq=False, slots=True)
class Slot:
    """A row, or (`row` None) a place that the edges of the row `source` pass through."""

    source: str
    row: NodeRow | None
    above: list[Slot] = field(default_factory=list)
    below: list[Slot] = field(default_factory=list)
    x: float = 0.0

    @property
    def left(self) -> float:
        return 4.0 if self.row is None else self.row.left

    @property
    def right(self) -> float:
        return 4.0 if self.row is None else self.row.right

    @property
    def height(self) -> float:
        return 0.0 if self.row is None else self.row.height


class Layers(Part):
    """A region of several rows, in a frame."""

    def __init__(self, graph: Graph, rows: Sequence[NodeRow]) -> None:
        self.rows = list(rows)
        self.entry, self.exit = Slot("", None), Slot("", None)
        self.layers = _slots(_successors(graph, self.rows), self.rows, self.entry, self.exit)
        _order(self.layers)
        _spread(self.layers)
        self.tracks = [
            [slot for slot in layer if any(slot.x != other.x for other in slot.below)]
            for layer in [[self.entry], *self.layers]
        ]
        self.heights = [max(slot.height for slot in layer) for layer in self.layers]
        self.channels = [self._channel(index) for index in range(len(self.tracks))]
        slots = [slot for layer in self.layers for slot in layer]
        self.left = max(slot.left - slot.x for slot in slots) + _FRAME_X
        self.right = max(slot.right + slot.x for slot in slots) + _FRAME_X
        self.height = sum(self.heights) + sum(self.channels)

    def _channel(self, index: int) -> float:
        """Room above the first layer (0) or below a layer, for the edges that run there."""
        last = index == len(self.layers)
        extra = _FRAME_TOP if index == 0 else _FRAME_BOTTOM if last else 0.0
        return extra + TRACK * (len(self.tracks[index]) + 1) + (4.0 if last else _ARROW)

    def place(self, axis: float, top: float) -> None:
        super().place(axis, top)
        at = top
        for channel, layer, height in zip(self.channels, self.layers, self.heights, strict=False):
            at += channel
            for slot in layer:
                if slot.row is not None:
                    slot.row.place(axis + slot.x, at)
            at += height

    def inner(self) -> Sequence[Part]:
        return self.rows

    # ----------------------------------------------------------------------------- edges

    def way_in(self, row: NodeRow) -> list[tuple[float, float]]:
        """From where the region is entered to the top of a row of the first layer."""
        slot = next(slot for slot in self.entry.below if slot.row is row)
        return [(self.axis, self.top), *self._across(self.entry, slot, 0)]

    def way_out(self, row: NodeRow) -> list[tuple[float, float]]:
        """From the bottom of a row that nobody here reads to where the region is left."""
        return [*self._down(row, None), (self.axis, self.bottom)]

    def way(self, row: NodeRow, reader: NodeRow) -> list[tuple[float, float]]:
        """From the bottom of a row to the top of one that reads it."""
        return self._down(row, reader)

    def _down(self, row: NodeRow, reader: NodeRow | None) -> list[tuple[float, float]]:
        number, at = self._find(row)
        points = [(row.axis, row.bottom)]
        while True:
            number += 1
            wanted = self.exit if reader is None else self._find(reader)[1]
            through = [slot for slot in at.below if slot.row is None and slot is not self.exit]
            onward = wanted if wanted in at.below else through[0]
            points += self._across(at, onward, number)
            if onward is wanted:
                return points
            at = onward

    def _find(self, row: NodeRow) -> tuple[int, Slot]:
        for number, layer in enumerate(self.layers):
            for slot in layer:
                if slot.row is row:
                    return number, slot
        raise LookupError(row)

    def _across(self, source: Slot, target: Slot, index: int) -> list[tuple[float, float]]:
        """Down, along the track of the source in a channel, and down."""
        if source not in self.tracks[index]:
            return [(self.axis + target.x, self._floor(index))]
        extra = _FRAME_TOP if index == 0 else 0.0
        y = self._ceiling(index) + extra + TRACK * (1 + self.tracks[index].index(source))
        x = self.axis + target.x
        return [(self.axis + source.x, y), (x, y), (x, self._floor(index))]

    def _ceiling(self, index: int) -> float:
        return self.top + sum(self.channels[:index]) + sum(self.heights[:index])

    def _floor(self, index: int) -> float:
        return self._ceiling(index) + self.channels[index]


def _successors(graph: Graph, rows: Sequence[NodeRow]) -> dict[str, list[str]]:
    """The rows that read each row, by the nodes at their heads."""
    home = {box.node.id: row.head.node.id for row in rows for box in row.chain}
    heads = {row.head.node.id for row in rows}
    after: dict[str, list[str]] = {head: [] for head in heads}
    for edge in graph.edges:
        if edge.kind is EdgeKind.NEXT and edge.source in home and edge.target in heads:
            source = home[edge.source]
            if edge.target not in after[source]:
                after[source].append(edge.target)
    return after


def _slots(
    after: dict[str, list[str]], rows: Sequence[NodeRow], entry: Slot, exit: Slot
) -> list[list[Slot]]:
    """Layers by longest paths, linked through every layer between."""
    level: dict[str, int] = {}
    for row in rows:  # in writing order, so whoever is read comes first
        head = row.head.node.id
        before = [level[source] for source in level if head in after[source]]
        level[head] = 1 + max(before, default=-1)
    layers: list[list[Slot]] = [[] for _ in range(1 + max(level.values()))]
    slots: dict[str, Slot] = {}
    for row in rows:
        head = row.head.node.id
        slots[head] = Slot(head, row)
        layers[level[head]].append(slots[head])
        if level[head] == 0:
            _link(entry, slots[head])
    for head, slot in slots.items():
        readers = after[head]
        deepest = max((level[reader] for reader in readers), default=len(layers))
        at = slot
        for number in range(level[head] + 1, deepest + 1):
            for reader in readers:
                if level[reader] == number:
                    _link(at, slots[reader])
            if number < deepest:
                through = Slot(head, None)
                layers[number].append(through)
                _link(at, through)
                at = through
        if not readers:
            _link(at, exit)
    return layers


def _link(upper: Slot, lower: Slot) -> None:
    upper.below.append(lower)
    lower.above.append(upper)


def _order(layers: list[list[Slot]]) -> None:
    """Sort every layer by the mean place of its neighbours, up and down, and keep the best."""
    best, least = [list(layer) for layer in layers], _crossings(layers)
    for sweep in range(8):
        down = sweep % 2 == 0
        for layer in layers[1:] if down else reversed(layers[:-1]):
            places = {id(slot): i for other in layers for i, slot in enumerate(other)}

            def mean(slot: Slot, places: dict[int, int] = places, down: bool = down) -> float:
                beside = slot.above if down else slot.below
                near = [places[id(other)] for other in beside if id(other) in places]
                return sum(near) / len(near) if near else places[id(slot)]

            layer.sort(key=mean)
        crossings = _crossings(layers)
        if crossings < least:
            best, least = [list(layer) for layer in layers], crossings
    for layer, kept in zip(layers, best, strict=True):
        layer[:] = kept


def _crossings(layers: list[list[Slot]]) -> int:
    total = 0
    for upper, lower in pairwise(layers):
        places = {id(slot): index for index, slot in enumerate(lower)}
        ends = [sorted(places[id(s)] for s in slot.below if id(s) in places) for slot in upper]
        flat = [end for group in ends for end in group]
        total += sum(a > b for i, a in enumerate(flat) for b in flat[i + 1 :])
    return total


def _spread(layers: list[list[Slot]]) -> None:
    """Give every slot its x: near its neighbours, and never nearer to the next than they need."""
    for _ in range(_SWEEPS):
        for layer in (*layers, *reversed(layers)):
            alone = sum(slot.row is not None for slot in layer) == 1
            wanted = [_wanted(slot, alone) for slot in layer]
            for slot, x in zip(layer, _apart(layer, wanted), strict=True):
                slot.x = x
    for layer in layers:
        for slot in layer:
            slot.x = _GRID * round(slot.x / _GRID)  # no bend where it would be a few pixels


def _wanted(slot: Slot, alone: bool) -> float:
    """The x that a slot would have without its neighbours in the layer."""
    if slot.row is None:  # an edge runs straight down from where it comes
        return slot.above[0].x
    near = [*slot.above, *slot.below]
    if alone and any(not other.source for other in near):
        return 0.0  # the one row through which the region is entered or left is on its axis
    return sum(other.x for other in near) / len(near)


def _apart(layer: list[Slot], wanted: list[float]) -> list[float]:
    """The nearest positions to the wanted ones that keep the distances."""
    offsets = [0.0]
    for slot, following in pairwise(layer):
        offsets.append(offsets[-1] + slot.right + BESIDE + following.left)
    pools: list[tuple[float, float, int]] = []
    for slot, want, offset in zip(layer, wanted, offsets, strict=True):
        mean, weight, count = want - offset, 1.0 if slot.row else _STRAIGHT, 1
        while pools and pools[-1][0] > mean:
            other, load, size = pools.pop()
            mean = (mean * weight + other * load) / (weight + load)
            weight, count = weight + load, count + size
        pools.append((mean, weight, count))
    flat = [mean for mean, _, count in pools for _ in range(count)]
    return [mean + offset for mean, offset in zip(flat, offsets, strict=True)]
