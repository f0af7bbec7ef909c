"""`NumpyBackend`: compiles graphs to Python functions over NumPy and runs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextvars import Context
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np

import latebind.backends.numpy.lowerings  # noqa: F401  (registers the lowering functions)
from latebind.backends.interface import (
    Backend,
    BackendData,
    BackendDevice,
    Computation,
    DirectData,
    HostArray,
    Launcher,
    Scalar,
)
from latebind.backends.numpy import INTERPRETATIONS
from latebind.backends.numpy.data import aligned_copy, is_sole_owner
from latebind.backends.numpy.lowering import NumpyLoweringContext
from latebind.backends.numpy.program import Program
from latebind.errors import BackendUnavailableError, CompilationError, DeviceMismatchError
from latebind.ir.node import Node, Value
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType

_handle = attrgetter("handle")


class NumpyBackend(Backend):
    """Compiles graphs to Python functions over NumPy and runs them. The reference for all other backends.

    Parameters
    ----------
    settings
        A `NumpySettings`, or any object with its attributes; `None` takes the defaults.

    Raises
    ------
    BackendUnavailableError
        If the settings ask for a number of threads and threadpoolctl is not installed.
    """

    name: ClassVar[str] = "numpy"
    blocking: bool = True
    #: Both are called for every operand and result of direct execution, so they are C functions, not methods.
    host_handle = staticmethod(attrgetter("handle"))  # type: ignore[assignment]
    data_from_host = BackendData  # type: ignore[assignment]

    def __init__(self, settings: object = None) -> None:
        self.interpretations = getattr(settings, "interpretations", INTERPRETATIONS)
        # A subclass that looks at what runs, or changes it, is to see everything.
        self.direct = (type(self).compile, type(self).execute_computation) == (
            NumpyBackend.compile,
            NumpyBackend.execute_computation,
        )
        self._devices = tuple(BackendDevice("cpu", ordinal) for ordinal in range(getattr(settings, "devices", 1)))
        self._reuse_buffers: bool = getattr(settings, "reuse_buffers", True)
        self._thread_limit = _limit_threads(getattr(settings, "threads", None))
        self._quiet_contexts: list[Context] = []
        super().__init__(settings)

    def backend_devices(self) -> Sequence[BackendDevice]:
        """All devices, `cpu:0` first."""
        return self._devices

    def prepare_to_exit(self) -> None:
        """Give BLAS its threads back."""
        if self._thread_limit is not None:
            self._thread_limit.restore_original_limits()
            self._thread_limit = None

    # Data

    def make_computation_data_from_tensor(
        self, tensor: HostArray, type: TensorType, device: BackendDevice, *, copy: bool = True
    ) -> BackendData:
        """Put a host array on a device: a copy, or with `copy=False` the array itself, which is then not owned."""
        if device not in self._devices:
            self.backend_device(str(device))
        if tensor.shape != type.shape:
            raise DeviceMismatchError(f"data of shape {tensor.shape} cannot be used as {type}")
        if copy or tensor.dtype != type.dtype or not tensor.flags.aligned:
            return BackendData(type, device, aligned_copy(tensor, type))
        if tensor.__class__ is not np.ndarray:
            tensor = tensor.view(np.ndarray)
        return BackendData(type, device, tensor, owned=False)

    def make_computation_data_from_scalar(self, scalar: Scalar, type: TensorType, device: BackendDevice) -> BackendData:
        """Put a scalar on a device as a zero-dimensional value."""
        return BackendData(type, device, np.array(scalar, type.dtype))

    def make_tensor_from_computation_data(self, data: BackendData) -> HostArray:
        """Return a read-only view of the value; while it lives, the data is not donated."""
        data.wait()
        view: HostArray = data.handle.view()
        view.flags.writeable = False
        return view

    def direct_data(self) -> Any:
        """Return the class of what direct execution makes."""
        return DirectData

    def can_donate(self, data: BackendData) -> bool:
        """Whether latebind owns this buffer, may write it, and nothing else (an exported view, ...) sees it."""
        return data.owned and data.handle is not None and data.handle.flags.writeable and is_sole_owner(data)

    # Lowering

    def create_lowering_context(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, Any] | None = None,
    ) -> NumpyLoweringContext:
        """Return a lowering context: `(name, device)` empty, or with nodes and what is already emitted."""
        return NumpyLoweringContext(name, device, post_order, emission_map, reuse_buffers=self._reuse_buffers)

    def supports(self, kind: OpKind) -> bool:
        """Whether there is a lowering function for the operation."""
        return kind in NumpyLoweringContext.lowerings

    def compile(self, computations: Sequence[Computation]) -> list[Computation]:
        """Compile the generated text of each computation; a compiled one stays as it is."""
        for computation in computations:
            program = computation.program
            if not isinstance(program, Program):
                raise CompilationError(f"computation {computation.name!r} was not lowered by the NumPy backend")
            program.compile()
        return list(computations)

    def execute_computation(
        self, computation: Computation, arguments: Sequence[BackendData], device: BackendDevice
    ) -> list[BackendData]:
        """Run a compiled computation; return one data per result.

        Raises
        ------
        ExecutionError
            If the function raised; `origin` is that of the operation that did.
        """
        return NumpyBackend.launcher(self, computation, device)(arguments)

    def launcher(self, computation: Computation, device: BackendDevice) -> Launcher:
        """Return what runs a compiled computation.

        Floating-point warnings are off while it runs: it runs in a `contextvars.Context` of its own where
        `numpy.seterr` has switched them off, which costs 50 ns; `numpy.errstate` costs 700.
        """
        program: Program = computation.program
        contexts, types, borrowed = self._quiet_contexts, computation.result_types, program.borrowed
        function: Any = program.run
        if function is None:
            raise CompilationError(f"computation {computation.name!r} has to be compiled before it runs")
        alone = types[0] if len(types) == 1 and not borrowed else None

        def launch(arguments: Sequence[BackendData]) -> list[BackendData]:
            try:
                context = contexts.pop()
            except IndexError:
                context = _quiet_context()
            try:
                outputs = context.run(function, *map(_handle, arguments))
            except Exception as error:
                raise program.explain(error) from error
            finally:
                contexts.append(context)
            if alone is not None:
                return [BackendData(alone, device, outputs[0])]
            results = [BackendData(type, device, output) for type, output in zip(types, outputs, strict=True)]
            for result, parameter in borrowed:
                results[result].owned = arguments[parameter].owned
            return results

        return launch

    # Debug

    def computation_bytes(self, computation: Computation) -> int:
        """The text, the code that was made of it, and the constants."""
        program: Program = computation.program
        constants = (value for value in program.variables.values() if isinstance(value, np.ndarray))
        return super().computation_bytes(computation) + sum(constant.nbytes for constant in constants)


def _quiet_context() -> Context:
    """Return a context in which floating-point errors go unreported."""
    context = Context()
    context.run(np.seterr, all="ignore")
    return context


def _limit_threads(threads: int | None) -> Any:
    """Limit the threads of BLAS; return what undoes it."""
    if threads is None:
        return None
    try:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ImportError:
        raise BackendUnavailableError(
            "backend.threads needs threadpoolctl: install it (pip install threadpoolctl), or leave backend.threads out"
        ) from None
    return threadpool_limits(limits=threads, user_api="blas")
