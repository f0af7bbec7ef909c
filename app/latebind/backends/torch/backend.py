"""`TorchBackend`: compiles graphs with PyTorch and runs them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final

import numpy as np
import torch

import latebind.backends.torch.lowerings  # noqa: F401  (registers the lowering functions)
from latebind.backends.interface import Backend, BackendData, BackendDevice, Computation, HostArray, Scalar
from latebind.backends.torch import COMPILED_AFTER
from latebind.backends.torch.compilers.eager import compile_eager
from latebind.backends.torch.compilers.torchscript import compile_torchscript
from latebind.backends.torch.data import copied, exported, is_sole_owner, shared, torch_device
from latebind.backends.torch.lowering import TorchLoweringContext
from latebind.backends.torch.program import Program, TorchComputation
from latebind.backends.torch.surroundings import is_disturbed, undisturbed
from latebind.errors import BackendUnavailableError, CompilationError, DeviceMismatchError, ExecutionError
from latebind.ir.node import Node, Value
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType

_COMPLEX: Final = frozenset({"complex64", "complex128"})
#: Operations that Inductor has for other dtypes only, or not to the last digit.
_INDUCTOR_GAPS: Final = {
    "chlo::next_after": frozenset({"float16"}),
    "numpy::floor_divide": frozenset({"float16", "float32", "float64"}),
}
_LGAMMA: Final = {
    "chlo::lgamma[float*]-denormal*": "the reference's formula loses digits of denormals, PyTorch's does not"
}
_INDUCTOR_DEVIATIONS: Final = {
    **_LGAMMA,
    "stablehlo::exponential_minus_one[complex*]-special": "Inductor composes it of real functions: NaN beside -inf",
}
_DEVIATIONS: Final = {
    **_LGAMMA,
    **{
        f"stablehlo::sqrt[float{bits}]-*": "PyTorch takes MKL's vector square root, which is good to 1 ulp"
        for bits in (32, 64)
        if torch.backends.mkl.is_available()  # type: ignore[no-untyped-call]
    },
}


class TorchBackend(Backend):
    """Compiles graphs with PyTorch (its operations one by one, TorchScript, Inductor) and runs them on CPU or CUDA.

    Parameters
    ----------
    settings
        A `TorchSettings`, or any object with its attributes; `None` takes the defaults.

    Raises
    ------
    BackendUnavailableError
        If PyTorch does not find the device that the settings ask for.

    Notes
    -----
    `threads` sets the number of threads of PyTorch, which is one for the process: two backends, or the user, overwrite
    each other's. `prepare_to_exit` puts back what it was.
    """

    name: ClassVar[str] = "torch"
    #: The decompositions of complex extremes compare with the reduced value.
    gaps: Mapping[str, frozenset[str]] = MappingProxyType({"numpy::argmax": _COMPLEX, "numpy::argmin": _COMPLEX})

    def __init__(self, settings: object = None) -> None:
        self.compiler: str = getattr(settings, "compiler", "torchscript")
        wanted = getattr(settings, "interpretations", None)
        self.interpretations = COMPILED_AFTER[self.compiler] if wanted is None else wanted
        self._devices = _devices(getattr(settings, "device", "auto"))
        self._restored_threads = _set_threads(getattr(settings, "threads", None))
        super().__init__(settings)
        if self.compiler == "inductor":
            self.gaps = {**self.gaps, **_INDUCTOR_GAPS}
        self.deviations = _INDUCTOR_DEVIATIONS if self.compiler == "inductor" else _DEVIATIONS
        self.blocking = self._devices[0].type == "cpu"

    def backend_devices(self) -> Sequence[BackendDevice]:
        """All devices, the default one first."""
        return self._devices

    def prepare_to_exit(self) -> None:
        """Give PyTorch its threads back."""
        if self._restored_threads is not None:
            torch.set_num_threads(self._restored_threads)
            self._restored_threads = None

    def set_rng_seed(self, seed: int) -> None:
        """Seed PyTorch's generators."""
        torch.manual_seed(seed)

    # Data

    def make_computation_data_from_tensor(
        self, tensor: HostArray, type: TensorType, device: BackendDevice, *, copy: bool = True
    ) -> BackendData:
        """Put a host array on a device: a copy, or with `copy=False` its memory where a tensor can see it.

        Raises
        ------
        DeviceMismatchError
            If the array has another shape than the type, or the backend no such device.
        """
        if device not in self._devices:
            self.backend_device(str(device))
        if tensor.shape != type.shape:
            raise DeviceMismatchError(f"data of shape {tensor.shape} cannot be used as {type}")
        if is_disturbed():
            with undisturbed():
                return self._data(tensor, type, device, copy)
        return self._data(tensor, type, device, copy)

    def _data(self, array: HostArray, type: TensorType, device: BackendDevice, copy: bool) -> BackendData:
        tensor = None if copy and device.type == "cpu" else shared(array, type)
        if tensor is None:
            return BackendData(type, device, self._moved(copied(array, type), device))
        return BackendData(type, device, self._moved(tensor, device), owned=device.type != "cpu")

    @staticmethod
    def _moved(tensor: torch.Tensor, device: BackendDevice) -> torch.Tensor:
        return tensor if device.type == "cpu" else tensor.to(torch_device(device))

    def make_computation_data_from_scalar(self, scalar: Scalar, type: TensorType, device: BackendDevice) -> BackendData:
        """Put a scalar on a device as a zero-dimensional value."""
        if is_disturbed():
            with undisturbed():
                return self._scalar(scalar, type, device)
        return self._scalar(scalar, type, device)

    def _scalar(self, scalar: Scalar, type: TensorType, device: BackendDevice) -> BackendData:
        # Through NumPy: exact for every dtype, and faster than `torch.tensor`.
        tensor = torch.from_numpy(np.array(scalar, type.dtype))
        return BackendData(type, device, self._moved(tensor, device))

    def make_tensor_from_computation_data(self, data: BackendData) -> HostArray:
        """Return a read-only view of the value (of a copy, if it is on another device).

        While the view lives, the data is not donated.
        """
        data.wait()
        return exported(data.handle)

    def can_donate(self, data: BackendData) -> bool:
        """Whether latebind owns this buffer and nothing else (an exported view, ...) sees it."""
        return data.owned and data.handle is not None and is_sole_owner(data)

    # Lowering

    def create_lowering_context(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, Any] | None = None,
    ) -> TorchLoweringContext:
        """Return a lowering context: `(name, device)` empty, or with nodes and what is already emitted.

        The kernels of single operations (`kernel_...`) run eagerly: there is nothing to fuse in them.
        """
        compiler = "eager" if name.startswith("kernel_") else self.compiler
        return TorchLoweringContext(name, device, post_order, emission_map, compiler=compiler)

    def supports(self, kind: OpKind) -> bool:
        """Whether there is a lowering function for the operation."""
        return kind in TorchLoweringContext.lowerings

    def compile(self, computations: Sequence[Computation]) -> list[Computation]:
        """Compile each computation; a compiled one stays as it is.

        Raises
        ------
        CompilationError
            If PyTorch refuses one; the message names it.
        """
        for computation in computations:
            program = computation.program
            if not isinstance(program, Program):
                raise CompilationError(f"computation {computation.name!r} was not lowered by the torch backend")
            if program.run is None:
                with undisturbed():
                    self._compile(program, computation)
        return list(computations)

    def _compile(self, program: Program, computation: Computation) -> None:
        device = torch_device(computation.device)
        try:
            if program.compiler == "eager":
                program.run = compile_eager(program)
            elif program.compiler == "torchscript":
                program.run = compile_torchscript(program, optimise=device.type != "cpu")
            else:
                from latebind.backends.torch.compilers.inductor import compile_inductor

                program.run = compile_inductor(program, computation.parameter_types, device)
        except CompilationError:
            raise
        except Exception as error:
            raise CompilationError(
                f"PyTorch ({program.compiler}) cannot compile {computation.name!r}: {type(error).__name__}: {error}"
            ) from error

    def execute_computation(
        self, computation: Computation, arguments: Sequence[BackendData], device: BackendDevice
    ) -> list[BackendData]:
        """Run a compiled computation; return one data per result.

        Raises
        ------
        ExecutionError
            If PyTorch raised; out of memory included.
        """
        program: Program = computation.program
        run = program.run
        assert run is not None
        try:
            if is_disturbed():
                with undisturbed():
                    outputs = run(*[data.handle for data in arguments])
            else:
                outputs = run(*[data.handle for data in arguments])
        except Exception as error:
            raise _explained(error, computation) from error
        results = [
            BackendData(type, device, output) for type, output in zip(computation.result_types, outputs, strict=True)
        ]
        for result, parameter in program.borrowed:
            results[result].owned = arguments[parameter].owned
        return results

    # Debug

    def device_bytes(self) -> int | None:
        """What PyTorch has allocated on CUDA devices; `None` without one."""
        ordinals = [device.ordinal for device in self._devices if device.type == "cuda"]
        return sum(torch.cuda.memory_allocated(ordinal) for ordinal in ordinals) if ordinals else None

    def metric_report(self) -> str:
        """PyTorch's version, what compiles, threads, and memory on CUDA."""
        lines = [f"PyTorch {torch.__version__}, {self.compiler}, {torch.get_num_threads()} threads"]
        for device in self._devices:
            if device.type == "cuda":
                used, most = (
                    torch.cuda.memory_allocated(device.ordinal),
                    torch.cuda.max_memory_allocated(device.ordinal),
                )
                lines.append(f"{device}: {used / 2**20:.1f} MiB allocated, {most / 2**20:.1f} MiB at most")
        return "\n".join(lines)


def _devices(wanted: str) -> tuple[BackendDevice, ...]:
    """Return all devices, those of the wanted type first."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    gpus = tuple(BackendDevice("cuda", ordinal) for ordinal in range(count))
    host = (BackendDevice("cpu", 0),)
    if wanted == "cuda" and not gpus:
        raise BackendUnavailableError(
            f"backend.device is 'cuda', but PyTorch {torch.__version__} finds no GPU "
            f"({'built without CUDA' if torch.version.cuda is None else f'built for CUDA {torch.version.cuda}'}); "
            "available are: cpu"
        )
    return host + gpus if wanted == "cpu" else gpus + host


def _set_threads(threads: int | None) -> int | None:
    """Set PyTorch's number of threads; return what it was."""
    if threads is None:
        return None
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    return before


def _explained(error: Exception, computation: Computation) -> ExecutionError:
    """Return the error that names the computation and says what to do where memory ran out."""
    text = str(error).strip()
    if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in text or "not enough memory" in text:
        sizes = sum(type.nbytes for type in (*computation.parameter_types, *computation.result_types))
        return ExecutionError(
            f"{computation.name} ran out of memory on {computation.device}: its parameters and results take "
            f"{sizes / 2**20:.1f} MiB; delete arrays that are not needed, or work on parts. PyTorch says: {text}"
        )
    return ExecutionError(f"{computation.name} failed: {type(error).__name__}: {text}")


__all__ = ["TorchBackend", "TorchComputation"]
