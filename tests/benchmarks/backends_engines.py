"""How each engine runs a program to the end: latebind's backends, and the engines by themselves."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from tests.benchmarks import contenders as peers
from tests.benchmarks.backends_programs import Program, array_functions, torch_functions
from tests.benchmarks.contenders import MissingPeerError

if TYPE_CHECKING:
    from latebind.injection.container import BoundContainer

#: latebind's backends: how tables name them, and their settings.
BACKENDS: dict[str, dict[str, object]] = {
    "xla": {"name": "xla", "persistent_cache": False},
    "numpy": {"name": "numpy"},
    "torchscript": {"name": "torch", "compiler": "torchscript"},
    "inductor": {"name": "torch", "compiler": "inductor"},
    "eager": {"name": "torch", "compiler": "eager"},
}
#: Runs until every backend has compiled: some interpret a new graph, at most ten times.
_UNTIL_WARM = 12


@dataclass(frozen=True, slots=True)
class Engine:
    """A program on an engine.

    Attributes
    ----------
    run : callable
        Runs the program and waits for its results, which stay where they are.
    to_host : callable
        From a result to a NumPy array.
    around : callable
        Makes the context that a row of runs needs.
    """

    run: Callable[[], Any]
    to_host: Callable[[Any], np.ndarray] = np.asarray
    around: Callable[[], Any] = nullcontext


def warm(name: str, program: Program, make: Callable[[], Engine]) -> Engine:
    """Return an engine that has run the program until it is compiled, and agrees with NumPy at first and at last.

    Raises
    ------
    MissingPeerError
        If the engine refuses the program.
    AssertionError
        If its results are not NumPy's.
    """
    engine = make()
    with engine.around():
        for number in range(_UNTIL_WARM):
            try:
                results = engine.run()
                hosts = [engine.to_host(result) for result in results] if number in (0, _UNTIL_WARM - 1) else None
            except RuntimeError as error:  # of an engine: no C++ compiler, an operation that it lacks
                raise MissingPeerError(f"{name} refuses {program.name}: {_first_line(error)}") from error
            if hosts is not None:
                program.check(name, hosts)
    return engine


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no message'}"


def started(backend: Mapping[str, object], opened: ExitStack) -> BoundContainer:
    """Return a container whose backend is ready; `opened` closes it.

    Raises
    ------
    MissingPeerError
        If the backend's engine cannot be imported.
    """
    from latebind.errors import BackendUnavailableError, SettingsError

    try:
        # An operation that the backend lacks is an error: its time would be another engine's.
        container = peers.container(backend, fallback="error")
        opened.callback(container.close)
        container.executor()
    except (BackendUnavailableError, SettingsError) as error:
        raise MissingPeerError(_first_line(error)) from error
    return container


def on_latebind(container: BoundContainer, program: Program, *, compiled: bool = False) -> Engine:
    """Return a program on a backend: recorded at every run, or captured once by `latebind.compile`."""
    import latebind as lb

    executor = container.executor()
    with container:
        arguments = tuple(map(lb.asarray, program.arguments))
    functions = array_functions(lb)

    def body(*arrays: Any) -> tuple[Any, ...]:
        return program.body(functions, *arrays)

    call = lb.compile(body) if compiled else body

    def run() -> Any:
        results = call(*arguments)
        executor.sync(results)
        executor.wait_device_ops()
        return results

    return Engine(run)


def on_numpy(program: Program) -> Engine:
    """Return a program on NumPy itself."""
    functions = array_functions(np)
    return Engine(lambda: program.body(functions, *program.arguments))


def on_jit(program: Program) -> Engine:
    """Return a program as a function of `jax.jit`, of 64 bits if its arguments are."""
    jax = peers.load_jax()
    wide = any(argument.dtype == np.float64 for argument in program.arguments)

    def around() -> Any:
        return jax.enable_x64(True) if wide else nullcontext()

    with around():
        arguments = tuple(map(jax.numpy.asarray, program.arguments))
    functions = array_functions(jax.numpy)
    call = jax.jit(lambda *arrays: program.body(functions, *arrays))
    return Engine(lambda: jax.block_until_ready(call(*arguments)), np.asarray, around)


def on_torch(program: Program, how: str = peers.TORCH) -> Engine:
    """Return a program on PyTorch: eager, traced by `torch.jit.trace`, or compiled by `torch.compile`."""
    torch: Any = peers.load_torch()
    functions = torch_functions(torch)
    arguments = tuple(torch.from_numpy(argument.copy()) for argument in program.arguments)

    def body(*tensors: Any) -> tuple[Any, ...]:
        return program.body(functions, *tensors)

    call: Callable[..., Any] = body
    if how == peers.TORCH_TRACE:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # TorchScript is deprecated; the benchmark compares with it all the same
            call = torch.jit.trace(body, arguments)
    elif how == peers.TORCH_COMPILE:
        # What it compiled for the program before would make it generalise over shapes, which is slower.
        torch._dynamo.reset()
        call = torch.compile(body, dynamic=False)
    return Engine(lambda: call(*arguments), lambda tensor: np.asarray(tensor.numpy()))


def on_numexpr(program: Program) -> Engine:
    """Return a program on NumExpr."""
    function = program.numexpr
    if function is None:
        raise MissingPeerError("has no matrix products")
    numexpr = peers.load_numexpr()
    return Engine(lambda: function(numexpr, *program.arguments))


def on_numba(program: Program) -> Engine:
    """Return a program as loops that Numba compiled."""
    if program.numba is None:
        raise MissingPeerError("calls BLAS for matrix products, as NumPy does")
    loop = program.numba(peers.load_numba())
    return Engine(lambda: loop(*program.arguments))
