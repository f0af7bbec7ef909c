"""What a computation of the tiered backend is made of."""

from __future__ import annotations

from dataclasses import dataclass
from sys import maxsize

from latebind.backends.interface import BackendDevice, Computation
from latebind.backends.tiered.policy import Account, Phase
from latebind.ir.node import Value


@dataclass(frozen=True, slots=True)
class Graph:
    """What is lowered for the optimizing backend when its time has come.

    Attributes
    ----------
    parameters, results : tuple of Value
    aliases : tuple of (int, int)
        Pairs of a result and the parameter whose buffer it may take.
    donated : frozenset of int
        Parameters that may be overwritten.
    """

    parameters: tuple[Value, ...]
    results: tuple[Value, ...]
    aliases: tuple[tuple[int, int], ...]
    donated: frozenset[int]


class TieredProgram(Account):
    """One graph: its account, and its computation on each tier.

    Attributes
    ----------
    device : BackendDevice
        Where the optimizing backend runs it.
    baseline : Computation
    optimizing : Computation or None
    graph : Graph or None
        `None` once it is compiled, and for what stays on the baseline.
    baseline_overwrites, optimizing_overwrites : frozenset of int
        Parameters that the computation overwrites.
    """

    __slots__ = ("baseline", "baseline_overwrites", "device", "graph", "optimizing", "optimizing_overwrites")

    def __init__(
        self,
        device: BackendDevice,
        baseline: Computation,
        donated: frozenset[int],
        graph: Graph | None,
        operations: int,
        reason: str = "new",
        weight: int = 0,
    ) -> None:
        super().__init__(baseline.name, operations, reason=reason, weight=weight)
        self.device = device
        self.baseline = baseline
        self.baseline_overwrites = donated if baseline.donated is None else baseline.donated
        self.graph = graph
        self.optimizing: Computation | None = None
        self.optimizing_overwrites: frozenset[int] = frozenset()
        if graph is None:
            self.phase = Phase.FIXED
            self.term = self.left = maxsize
