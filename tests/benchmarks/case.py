"""What is measured: cases, and how measurements are summed up."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.libraries.library import Library

#: One measurement: returns what it measured, in the unit of its case.
Measure = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A case in a contender's process.

    Attributes
    ----------
    measure : callable
        Runs once and returns what it took.
    check : callable or None
        Raises an AssertionError if the result of the last run is wrong.
    clear : callable or None
        Drops the result of the last run.
    """

    measure: Measure
    check: Callable[[], None] | None = None
    clear: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """Something that contenders are compared at.

    Attributes
    ----------
    prepare : callable
        From a library, and whether the run is a quick one, to what is measured.
    contenders : tuple of str
        Who takes part.
    rounds : int
        Measurements of each contender, in turns.
    warmup : int
        Runs before that; each contender also runs for as long as the others.
    settle : bool
        Whether a contender runs twice at its turn and the second run counts: in the first, the processor's caches hold
        what the others left there.
    notes : tuple of str
        What a reader has to know.
    """

    title: str
    unit: str
    contenders: tuple[str, ...]
    prepare: Callable[[Library, bool], Prepared]
    rounds: int = 15
    warmup: int = 10
    settle: bool = True
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles of measurements."""

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


def geometric_mean(values: Sequence[float]) -> float:
    """Return the geometric mean; NaN of nothing."""
    return math.exp(statistics.fmean(map(math.log, values))) if values else math.nan


def growth_exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return `k` of the least-squares fit `cost = c * size ** k`; NaN for fewer than two sizes."""
    if len(sizes) < 2:
        return math.nan
    return statistics.linear_regression([math.log(size) for size in sizes], [math.log(cost) for cost in costs]).slope
