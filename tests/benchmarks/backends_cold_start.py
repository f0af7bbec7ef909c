"""One cold start, in a process of its own: `python -m tests.benchmarks.backends_cold_start CONTENDER PROGRAM [CACHE]`.

Prints as JSON how many ms the import of the engine, the first call and the next call took. CACHE is a directory for
XLA's disk cache. What cannot start exits with 2 and the reason on standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import ExitStack
from time import perf_counter

from tests.benchmarks import contenders as peers
from tests.benchmarks.backends_engines import BACKENDS, Engine, on_jit, on_latebind, on_numpy, on_torch, started
from tests.benchmarks.backends_programs import Program, digits_step, operations

PROGRAMS: dict[str, Callable[[], Program]] = {
    "training step": digits_step,
    "200 operations": lambda: operations(200),
}
#: Added to the name of a backend: the program goes through `latebind.compile`, and is not interpreted at first.
COMPILED = ", compiled"


def main() -> int:
    """Start one engine and print what it took."""
    contender, name, *cache = sys.argv[1:]
    program = PROGRAMS[name]()
    with ExitStack() as opened:
        start = perf_counter()
        try:
            make = _start(contender, program, opened, cache[0] if cache else None)
        except peers.MissingPeerError as error:
            print(error, file=sys.stderr)
            return 2
        ready = perf_counter()
        engine = make()
        hosts = [engine.to_host(result) for result in engine.run()]
        first = perf_counter()
        for result in engine.run():
            engine.to_host(result)
        second = perf_counter()
    program.check(contender, hosts)
    print(json.dumps([(after - before) * 1e3 for before, after in ((start, ready), (ready, first), (first, second))]))
    return 0


def _start(contender: str, program: Program, opened: ExitStack, cache: str | None) -> Callable[[], Engine]:
    """Import and start an engine; return what puts the program's arguments on it."""
    if contender == peers.NUMPY:
        return lambda: on_numpy(program)
    if contender == peers.JIT:
        peers.load_jax().devices()
        return lambda: on_jit(program)
    if contender in (peers.TORCH, peers.TORCH_COMPILE):
        peers.load_torch()
        return lambda: on_torch(program, contender)
    backend = contender.removesuffix(COMPILED)
    settings = BACKENDS[backend]
    if cache is not None:
        settings = settings | {"persistent_cache": True, "cache_directory": cache}
    container = started(settings, opened)
    return lambda: on_latebind(container, program, compiled=contender.endswith(COMPILED))


if __name__ == "__main__":
    sys.exit(main())
