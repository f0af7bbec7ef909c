"""Where to draw each node: layers from inputs to results, in time nearly linear in the size of the graph.

The method is that of Sugiyama, Tagawa and Toda (IEEE Transactions on Systems, Man, and Cybernetics 11, 1981): layers by
the longest path, bends where an edge passes a layer, the order within a layer by barycentres, and coordinates near the
neighbours'. A layer's coordinates are the closest, in least squares, that keep the order and the distances: an isotonic
regression, which takes linear time (pool adjacent violators).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

#: Distance between the centres of two layers, and between two boxes of one; in pixels, as everything here.
LAYER_HEIGHT: Final = 72.0
_GAP: Final = 18.0
#: Room that the bend of an edge takes.
_BEND_WIDTH: Final = 10.0
#: Passes over all layers that order them, and that place them.
_ORDERINGS: Final = 4
_PLACINGS: Final = 4
#: Bends per node at most: an edge that passes many layers is drawn straight before short ones are.
_BENDS_PER_NODE: Final = 1
_FREE_BENDS: Final = 2000
#: How much a node insists on its place, and draws its neighbours: long edges should be straight, and a constant must
#: not push a chain aside, layer by layer.
_BEND_WEIGHT: Final = 4.0
_BOX_WEIGHT: Final = 1.0
_END_WEIGHT: Final = 0.05


@dataclass(frozen=True, slots=True)
class Layout:
    """Places of the nodes and bends of the edges.

    Attributes
    ----------
    x : list of float
        Centre of each node.
    layer : list of int
        Layer of each node; its centre is `(layer + 0.5) * LAYER_HEIGHT` from the top.
    bends : dict of int to list of float
        For an edge that passes layers, by its index: where it passes each, from the source's side on.
    width, height : float
    """

    x: list[float]
    layer: list[int]
    bends: dict[int, list[float]]
    width: float
    height: float


def lay_out(widths: Sequence[float], edges: Sequence[tuple[int, int]]) -> Layout:
    """Place nodes of these widths.

    Parameters
    ----------
    widths
        One per node. Nodes come in an order in which most sources are before their targets.
    edges
        Source and target. One that goes back in the order is drawn upwards.
    """
    forward = [(source, target) if source <= target else (target, source) for source, target in edges]
    layers = _layers(len(widths), forward)
    chains = _bends(layers, forward, len(widths))
    graph = _Layered(widths, layers, forward, chains)
    graph.order()
    x = graph.place()
    bends: dict[int, list[float]] = {}
    for edge, chain in chains.items():
        points = [x[bend] for bend in chain]
        bends[edge] = points if edges[edge] == forward[edge] else points[::-1]
    count = len(widths)
    right = max((x[node] + widths[node] / 2 for node in range(count)), default=0.0)
    return Layout(x[:count], layers[:count], bends, right + _GAP, (max(layers, default=-1) + 1) * LAYER_HEIGHT)


def _layers(count: int, edges: Sequence[tuple[int, int]]) -> list[int]:
    """Return the longest path to each node; what lengthens no more edges than it shortens moves down to its users."""
    sources: list[list[int]] = [[] for _ in range(count)]
    targets: list[list[int]] = [[] for _ in range(count)]
    for source, target in edges:
        if source != target:
            sources[target].append(source)
            targets[source].append(target)
    layers = [0] * count
    for node in range(count):
        layers[node] = 1 + max([layers[source] for source in sources[node]], default=-1)
    for node in reversed(range(count)):
        if targets[node] and len(targets[node]) >= len(sources[node]):
            layers[node] = min([layers[target] for target in targets[node]]) - 1
    return layers


def _bends(layers: list[int], edges: Sequence[tuple[int, int]], count: int) -> dict[int, list[int]]:
    """Add a node for each layer that an edge passes, short edges first while there is room; return them by edge."""
    room = _BENDS_PER_NODE * count + _FREE_BENDS
    spans = sorted((layers[target] - layers[source], edge) for edge, (source, target) in enumerate(edges))
    chains: dict[int, list[int]] = {}
    for span, edge in spans:
        if span < 2:
            continue
        room -= span - 1
        if room < 0:
            break
        first = len(layers)
        start = layers[edges[edge][0]]
        layers.extend(range(start + 1, start + span))
        chains[edge] = list(range(first, len(layers)))
    return chains


class _Layered:
    """Nodes and bends in layers, with their neighbours above and below."""

    def __init__(
        self,
        widths: Sequence[float],
        layers: Sequence[int],
        edges: Sequence[tuple[int, int]],
        chains: dict[int, list[int]],
    ) -> None:
        total, self.count = len(layers), len(widths)
        self.widths = [*widths, *[_BEND_WIDTH] * (total - len(widths))]
        self.above: list[list[int]] = [[] for _ in range(total)]
        self.below: list[list[int]] = [[] for _ in range(total)]
        for edge, (source, target) in enumerate(edges):
            if layers[source] == layers[target]:
                continue
            path = [source, *chains.get(edge, ()), target]
            for upper, lower in pairwise(path):
                self.below[upper].append(lower)
                self.above[lower].append(upper)
        self.weights = [
            _BEND_WEIGHT
            if node >= self.count
            else _END_WEIGHT
            if len(self.above[node]) + len(self.below[node]) == 1
            else _BOX_WEIGHT
            for node in range(total)
        ]
        self.rows: list[list[int]] = [[] for _ in range(max(layers, default=-1) + 1)]
        for node, layer in enumerate(layers):
            self.rows[layer].append(node)

    def order(self) -> None:
        """Order each layer by where its neighbours are, downwards and upwards in turn."""
        place = [0.0] * len(self.widths)
        for row in self.rows:
            self._number(row, place)
        for number in range(_ORDERINGS):
            down = number % 2 == 0
            neighbours = self.above if down else self.below
            for row in self.rows if down else reversed(self.rows):
                if len(row) < 2:
                    continue
                key = {
                    node: sum([place[other] for other in near]) / len(near)
                    if (near := neighbours[node])
                    else place[node]
                    for node in row
                }
                row.sort(key=key.__getitem__)
                self._number(row, place)

    @staticmethod
    def _number(row: Sequence[int], place: list[float]) -> None:
        """Spread a layer evenly over the unit interval, so that layers of different length compare."""
        for index, node in enumerate(row):
            place[node] = (index + 0.5) / len(row)

    def place(self) -> list[float]:
        """Return the centre of each node and bend."""
        x = [0.0] * len(self.widths)
        for row in self.rows:
            self._settle(row, x, [0.0] * len(row))
        for number in range(_PLACINGS):
            down = number % 2 == 0
            neighbours = self.above if down else self.below
            for row in self.rows if down else reversed(self.rows):
                self._settle(row, x, [self._wanted(neighbours[node], x, x[node]) for node in row])
        left = min((x[node] - self.widths[node] / 2 for node in range(self.count)), default=0.0) - _GAP
        return [each - left for each in x]

    def _wanted(self, neighbours: Sequence[int], x: Sequence[float], default: float) -> float:
        """Return the weighted mean of the neighbours' places."""
        if not neighbours:
            return default
        if len(neighbours) == 1:
            return x[neighbours[0]]
        weights = [self.weights[other] for other in neighbours]
        return sum([x[other] * weight for other, weight in zip(neighbours, weights, strict=True)]) / sum(weights)

    def _settle(self, row: Sequence[int], x: list[float], wanted: Sequence[float]) -> None:
        """Place a layer as near to what is wanted as its order and the widths allow."""
        offset, offsets = 0.0, []
        for index, node in enumerate(row):
            if index:
                offset += (self.widths[row[index - 1]] + self.widths[node]) / 2 + _GAP
            offsets.append(offset)
        blocks: list[tuple[float, float, int]] = []  # mean, weight, length
        for index, node in enumerate(row):
            mean, weight, length = wanted[index] - offsets[index], self.weights[node], 1
            while blocks and blocks[-1][0] > mean:
                other, heavy, long = blocks.pop()
                mean = (mean * weight + other * heavy) / (weight + heavy)
                weight, length = weight + heavy, length + long
            blocks.append((mean, weight, length))
        index = 0
        for mean, _, length in blocks:
            for _ in range(length):
                x[row[index]] = mean + offsets[index]
                index += 1
