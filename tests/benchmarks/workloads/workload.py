"""What a workload is: one kernel in NumPy style, its data, and how its result is compared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy

#: Arrays and Python scalars by the name of the kernel's parameter.
Data = dict[str, Any]
_NONE: Mapping[str, int] = {}


@dataclass(frozen=True, slots=True)
class Workload:
    """A program that every contender computes.

    Attributes
    ----------
    kernel : callable
        `kernel(np, **data)`, plain NumPy code: it gets the namespace, changes none of its arguments, and returns an
        array or a tuple of arrays.
    data : callable
        Makes the arguments; its keyword arguments are sizes.
    full, toy : mapping
        Sizes that NumPy takes 10 to 300 ms for, and sizes for a check of results.
    fused : bool
        Whether elementwise operations on large arrays take nearly all of NumPy's time.
    peers : set of str
        Array libraries besides NumPy and latebind whose own namespace runs the kernel as it is.
    rtol, atol : float
        Tolerance against NumPy's result: the order of additions differs between engines, so the last digits do.
        `atol` is relative to the largest magnitude of the result.
    """

    kernel: Callable[..., Any]
    data: Callable[..., Data]
    full: Mapping[str, int]
    toy: Mapping[str, int] = field(default_factory=dict)
    fused: bool = False
    peers: frozenset[str] = frozenset()
    rtol: float = 1e-8
    atol: float = 1e-10

    @property
    def name(self) -> str:
        """The name in tables and on the command line."""
        return self.kernel.__name__

    def expected(self, data: Data) -> tuple[numpy.ndarray, ...]:
        """Return NumPy's result."""
        with numpy.errstate(all="ignore"):
            return flat(self.kernel(numpy, **data))

    def check(self, data: Data, results: tuple[numpy.ndarray, ...]) -> None:
        """Compare results with NumPy's.

        Raises
        ------
        AssertionError
            With what differs, and where.
        """
        expected = self.expected(data)
        assert len(results) == len(expected), f"{len(results)} results instead of {len(expected)}"
        for position, (result, right) in enumerate(zip(results, expected, strict=True)):
            assert result.dtype == right.dtype, f"result {position} is {result.dtype} instead of {right.dtype}"
            largest = float(numpy.max(numpy.abs(right), initial=0.0, where=numpy.isfinite(right)))
            numpy.testing.assert_allclose(
                result, right, rtol=self.rtol, atol=self.atol * largest, err_msg=f"result {position}"
            )


def flat(results: Any) -> tuple[Any, ...]:
    """Return the results of a kernel as a tuple."""
    return tuple(results) if isinstance(results, tuple | list) else (results,)
