"""Who is compared: latebind on each of its backends, and the peers. Nothing here imports any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

#: Settings of latebind's backends.
BACKENDS: Mapping[str, Mapping[str, object]] = {
    "numpy": {"name": "numpy"},
    "xla": {"name": "xla"},
    "torchscript": {"name": "torch", "compiler": "torchscript"},
    "tiered": {"name": "tiered", "baseline": "numpy", "optimizing": "xla"},
}
#: latebind's own, as a prefix of its contenders.
LATEBIND = "latebind-"


@dataclass(frozen=True, slots=True)
class Contender:
    """One contender; each runs in a process of its own.

    Attributes
    ----------
    name : str
        In tables and on the command line.
    library : str
        Class in `libraries`, `module:class`.
    options : mapping
        Keyword arguments of the class.
    timeout : float
        Seconds after which an answer counts as a hang; Inductor starts a C++ compiler.
    environment : mapping
        Variables of its process.
    """

    name: str
    library: str
    options: Mapping[str, object] = field(default_factory=dict)
    timeout: float = 60.0
    environment: Mapping[str, str] = field(default_factory=dict)


def _latebind(backend: str) -> Contender:
    return Contender(f"{LATEBIND}{backend}", "latebind_library:Latebind", {"backend": dict(BACKENDS[backend])})


CONTENDERS: dict[str, Contender] = {
    contender.name: contender
    for contender in (
        Contender("numpy", "host_libraries:NumPy"),
        Contender("numexpr", "host_libraries:Ported", {"package": "numexpr"}),
        Contender("numba", "host_libraries:Ported", {"package": "numba"}),
        Contender("jax", "jax_library:Jax", {"jitted": False}, environment={"JAX_PLATFORMS": "cpu"}),
        Contender("jax-jit", "jax_library:Jax", {"jitted": True}, environment={"JAX_PLATFORMS": "cpu"}),
        Contender("torch", "torch_library:Torch"),
        Contender("torch-lazy", "torch_library:LazyCore"),
        Contender("torch-inductor", "torch_library:Inductor", timeout=300.0),
        Contender("mlx", "other_libraries:Mlx"),
        Contender("dask", "other_libraries:Dask"),
        *map(_latebind, BACKENDS),
    )
}
