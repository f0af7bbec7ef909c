"""What every library can be asked to do; used in a contender's process only."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import numpy
from tests.benchmarks.contenders import Contender
from tests.benchmarks.workloads import Workload

#: Variable of the environment that names the folder of caches on the disk; without it they are off.
CACHE = "BENCHMARK_CACHE"


class MissingError(Exception):
    """The library is not installed, or cannot do what a case asks for; the message says why."""


class Library:
    """NumPy's conventions; others override what is different with them.

    Attributes
    ----------
    records : bool
        Whether an operation is recorded, and runs when a value is needed.
    """

    records = False

    def asarray(self, host: numpy.ndarray) -> Any:
        """Return host data as an array of the library, where it computes."""
        return host

    def start(self, results: tuple[Any, ...]) -> None:
        """Start what was recorded, without a wait."""

    def wait(self, results: tuple[Any, ...]) -> Any:
        """Wait until results are computed; return them."""
        return results

    def host(self, value: Any) -> numpy.ndarray:
        """Return a result as a NumPy array."""
        return numpy.asarray(value)

    def settled(self) -> bool:
        """Whether nothing is being compiled in the background."""
        return True

    def compile(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that the library compiles as a whole at its first call.

        Raises
        ------
        MissingError
            If it cannot.
        """
        raise MissingError("does not compile functions")

    def usual(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a small function as one uses it with this library: as it is, or compiled."""
        return function

    @property
    def namespace(self) -> Any:
        """Array functions under NumPy's names."""
        raise MissingError("has no functions under NumPy's names")

    def workload(self, workload: Workload) -> Callable[..., Any]:
        """Return what computes a workload from its data.

        Raises
        ------
        MissingError
            If nobody would use this library for it.
        """
        raise MissingError("no port")

    def forget(self) -> None:
        """Drop what earlier cases left in caches, where the next case would pay for it or gain from it."""

    def close(self) -> None:
        """Release the library's threads."""


def load(contender: Contender) -> Library:
    """Return a contender's library, imported and ready.

    Raises
    ------
    MissingError
        If it is not installed, or cannot start here.
    """
    module, _, name = contender.library.partition(":")
    try:
        found: type[Library] = getattr(importlib.import_module(f"tests.benchmarks.libraries.{module}"), name)
        return found(**contender.options)
    except (ImportError, OSError) as error:
        raise MissingError(f"not importable: {error}") from error
