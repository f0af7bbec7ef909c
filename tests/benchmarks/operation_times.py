"""How long NumPy's single operations take in a workload: the goals depend on whether there is anything to gain."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import perf_counter
from typing import Any

import numpy
from tests.benchmarks.workloads import Workload


class _Timed(numpy.ndarray):
    """An array that notes how long each operation on it takes."""

    taken: list[float] = []  # noqa: RUF012  (one list for all arrays, on purpose)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = (), **options: Any) -> Any:
        if out:
            options["out"] = tuple(_plain(array) for array in out)
        arguments = [_plain(value) for value in inputs]
        start = perf_counter()
        result = getattr(ufunc, method)(*arguments, **options)
        self.taken.append(perf_counter() - start)
        return out[0] if out else _timed(result)

    def __array_function__(self, function: Any, types: Any, arguments: Any, options: Any) -> Any:
        arguments, options = _plain(arguments), _plain(options)
        start = perf_counter()
        result = function(*arguments, **options)
        self.taken.append(perf_counter() - start)
        return _timed(result)

    def __setitem__(self, key: Any, value: Any) -> None:
        target, key, value = _plain(self), _plain(key), _plain(value)
        start = perf_counter()
        target[key] = value
        self.taken.append(perf_counter() - start)

    def __getitem__(self, key: Any) -> Any:
        return _timed(_plain(self)[_plain(key)])  # a view; it is not counted


class _Namespace:
    """NumPy, whose functions return arrays that are timed."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(numpy, name)
        if name == "linalg":
            return _Functions(found)
        return found if isinstance(found, type | float) or not callable(found) else _wrapped(found)


class _Functions:
    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        return _wrapped(getattr(self._module, name))


def _wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        return _timed(function(*arguments, **options))

    return call


def _timed(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_timed(item) for item in value)
    return value.view(_Timed) if isinstance(value, numpy.ndarray) else value


def _plain(value: Any) -> Any:
    if isinstance(value, _Timed):
        return value.view(numpy.ndarray)
    if isinstance(value, tuple | list):
        return type(value)(_plain(item) for item in value)
    return {name: _plain(item) for name, item in value.items()} if isinstance(value, dict) else value


def operation_times(workload: Workload, quick: bool) -> list[float]:
    """Return the seconds of every operation of NumPy's in a workload; views are none."""
    data = workload.data(**(workload.toy if quick else workload.full))
    _Timed.taken = []
    with numpy.errstate(all="ignore"):
        workload.kernel(_Namespace(), **{name: _timed(value) for name, value in data.items()})
    return _Timed.taken


def median_operation(workload: Workload, quick: bool) -> tuple[float, int]:
    """Return the median time of an operation in us, and how many there are."""
    taken = operation_times(workload, quick)
    return statistics.median(taken) * 1e6, len(taken)
