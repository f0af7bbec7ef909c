"""What a million random numbers cost."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from time import perf_counter
from typing import Any

import numpy
from tests.benchmarks.case import Case, Prepared
from tests.benchmarks.contenders import BACKENDS, LATEBIND
from tests.benchmarks.libraries.library import Library

COUNT = 1_000_000


def _drawing(library: Library, kind: str) -> Callable[[], Any]:
    """Return what draws with a library's own generator; `kind` is its name in NumPy's."""
    owner = type(library).__name__
    if owner == "Jax":
        jax = import_module("jax")
        function = jax.random.uniform if kind == "random" else jax.random.normal
        draw = jax.jit(lambda key: function(key, (COUNT,), "float64"))
        keys = iter(lambda: jax.random.key(0), None)
        return lambda: draw(next(keys))
    if owner == "Torch":
        torch = import_module("torch")
        function = torch.rand if kind == "random" else torch.randn
        return lambda: function(COUNT, dtype=torch.float64)
    generators = numpy.random if owner == "NumPy" else import_module("latebind").random
    method = getattr(generators.default_rng(0), kind)
    return lambda: method(COUNT)


def _prepare(kind: str) -> Callable[[Library, bool], Prepared]:
    def prepare(library: Library, quick: bool) -> Prepared:
        draw = _drawing(library, kind)

        def measure() -> float:
            start = perf_counter()
            library.wait((draw(),))
            return (perf_counter() - start) * 1e3

        return Prepared(measure)

    return prepare


CASES: dict[str, Case] = {
    f"random_{name}": Case(
        f"{COUNT:,} {name} numbers, float64",
        "ms",
        ("numpy", "torch", "jax-jit", *(f"{LATEBIND}{backend}" for backend in BACKENDS)),
        _prepare(method),
        rounds=10,
    )
    for name, method in (("uniform", "random"), ("normal", "standard_normal"))
}
