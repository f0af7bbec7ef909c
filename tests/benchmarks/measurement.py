"""Timing contenders side by side: round-robin, so that a swing of the clock hits all of them alike."""

from __future__ import annotations

import gc
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter

#: One measurement: returns what it measured, in the unit of its comparison.
Measure = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles of a list of measurements."""

    lower: float
    median: float
    upper: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Return the spread of at least one measurement."""
        if len(values) == 1:
            return cls(values[0], values[0], values[0])
        lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
        return cls(lower, median, upper)


def round_robin(
    measures: Mapping[str, Measure], *, rounds: int, warmup: int = 1, settle: bool = True
) -> dict[str, list[float]]:
    """Run all measures in turns; return each one's measurements, round by round.

    Parameters
    ----------
    measures
        By name of the contender.
    rounds
        Measurements of each.
    warmup
        Turns whose measurements are dropped: compilation, first touches.
    settle
        Whether a contender runs twice at its turn.

    Notes
    -----
    Who goes first rotates. With `settle`, a contender runs twice at its turn and the second run counts: in the first,
    the processor's caches hold what the others left there. What is alive before the first round is frozen, so that the
    garbage that one contender makes does not cost a pass over the modules of all others; the collector stays on.
    """
    names = list(measures)
    for _ in range(warmup):
        for name in names:
            measures[name]()
    gc.collect()
    gc.freeze()
    taken: dict[str, list[float]] = {name: [] for name in names}
    try:
        for turn in range(rounds):
            first = turn % len(names) if names else 0
            for name in names[first:] + names[:first]:
                if settle:
                    measures[name]()
                taken[name].append(measures[name]())
    finally:
        gc.unfreeze()
    return taken


def per_call(function: Callable[[], object], *, calls: int, finish: Callable[[], object] | None = None) -> Measure:
    """Return a measure of one call in seconds: `calls` of them in a row, then `finish`, which is timed as well."""

    def measure() -> float:
        start = perf_counter()
        for _ in range(calls):
            function()
        if finish is not None:
            finish()
        return (perf_counter() - start) / calls

    return measure


def scaled(measure: Measure, factor: float) -> Measure:
    """Return a measure in another unit."""
    return lambda: measure() * factor


def growth_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return `k` of the least-squares fit `cost = c * size ** k`; NaN for fewer than two sizes."""
    if len(sizes) < 2:
        return math.nan
    return statistics.linear_regression([math.log(size) for size in sizes], [math.log(cost) for cost in costs]).slope
