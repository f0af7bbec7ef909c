"""What a million random numbers cost, on both backends, beside the generators of the peers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from tests.benchmarks import contenders as peers
from tests.benchmarks.contenders import Contenders, MissingPeerError
from tests.benchmarks.measurement import Measure, per_call, scaled
from tests.benchmarks.tables import Report

TITLE = "a million random numbers"
COUNT = 1_000_000
BACKENDS = ("numpy", "xla")
#: Runs after which a backend that interprets new graphs has compiled.
_WARMUP = 10
#: What is drawn: the name of latebind's and NumPy's method, JAX's function and PyTorch's.
_DRAWS = (("random", "uniform", "rand"), ("standard_normal", "normal", "randn"))


def run(quick: bool) -> Report:
    """Measure uniform and normal numbers of both float dtypes, and orders and integers against NumPy."""
    report = Report("random_numbers", TITLE)
    rounds = 2 if quick else 15
    for backend in BACKENDS:
        try:
            container = _container(backend)
        except MissingPeerError as error:
            report.missing[f"backend {backend}"] = str(error)
            continue
        with container:
            for dtype in ("float64", "float32"):
                for draw in _DRAWS:
                    title = f"{draw[0]}, {COUNT:,} {dtype}, backend {backend}, ms"
                    report.compare(title, _floats(draw, dtype), rounds=rounds, warmup=_WARMUP)
            for name, arguments in (("integers", (0, 100, COUNT)), ("permutation", (COUNT,))):
                title = f"{name}{arguments}, backend {backend}, ms"
                report.compare(title, _others(name, arguments), rounds=rounds, warmup=_WARMUP)
        container.close()
    return report


def _container(backend: str) -> Any:
    import latebind as lb

    if backend == "numpy":
        return peers.container()
    peers.load_jax()
    return lb.build_container(backend={"name": backend, "persistent_cache": False})


def _milliseconds(draw: Callable[[], object]) -> Measure:
    return scaled(per_call(draw, calls=1), 1e3)


def _latebind(name: str, *arguments: Any, **options: Any) -> Measure:
    import latebind as lb

    rng = lb.random.default_rng(0)

    def draw() -> None:
        drawn = getattr(rng, name)(*arguments, **options)
        lb.sync(drawn)
        lb.wait_device_ops()

    return _milliseconds(draw)


def _floats(draw: tuple[str, str, str], dtype: str) -> Contenders:
    ours, of_jax, of_torch = draw
    found = Contenders()
    found.add(peers.LATEBIND, lambda: _latebind(ours, COUNT, dtype=dtype))
    found.add(peers.NUMPY, lambda: _numpy(ours, COUNT, dtype=dtype))
    found.add(peers.JIT, lambda: _jax(of_jax, dtype))
    found.add(peers.TORCH, lambda: _torch(of_torch, dtype))
    return found


def _others(name: str, arguments: tuple[int, ...]) -> Contenders:
    found = Contenders()
    found.add(peers.LATEBIND, lambda: _latebind(name, *arguments))
    found.add(peers.NUMPY, lambda: _numpy(name, *arguments))
    return found


def _numpy(name: str, *arguments: Any, **options: Any) -> Measure:
    method = getattr(np.random.default_rng(0), name)
    return _milliseconds(lambda: method(*arguments, **options))


def _jax(name: str, dtype: str) -> Measure:
    jax = peers.load_jax()

    def on_key(key: Any) -> tuple[Any, Any]:
        key, drawn_from = jax.random.split(key)
        return key, getattr(jax.random, name)(drawn_from, (COUNT,), dtype)

    with jax.enable_x64(True):
        compiled = jax.jit(on_key)
        keys = [jax.random.key(0)]

    def draw() -> None:
        with jax.enable_x64(True):
            keys[0], drawn = compiled(keys[0])
            drawn.block_until_ready()

    return _milliseconds(draw)


def _torch(name: str, dtype: str) -> Measure:
    torch = peers.load_torch()
    function, kind = getattr(torch, name), getattr(torch, dtype)
    return _milliseconds(lambda: function(COUNT, dtype=kind))
