"""Libraries that compute on NumPy's arrays: NumPy itself, NumExpr, Numba."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy
from tests.benchmarks.libraries.library import Library, MissingError
from tests.benchmarks.workloads import Workload


class NumPy(Library):
    """NumPy, with every kernel as it is."""

    def __init__(self) -> None:
        numpy.seterr(all="ignore")

    @property
    def namespace(self) -> Any:
        return numpy

    def workload(self, workload: Workload) -> Callable[..., Any]:
        return partial(workload.kernel, numpy)


class Ported(Library):
    """A compiler for NumPy's arrays that needs a program of its own per workload."""

    def __init__(self, package: str) -> None:
        importlib.import_module(package)
        self._ports = importlib.import_module(f"tests.benchmarks.ports.{package}_port").PORTS

    def workload(self, workload: Workload) -> Callable[..., Any]:
        if workload.name not in self._ports:
            raise MissingError("no port")
        port: Callable[..., Any] = self._ports[workload.name]
        return port
