"""JAX's PJRT clients: the only module that calls JAX and jaxlib.

Modules are handed to the client as text. Tracing `jax.lax` calls, or wrapping the text in a `jax.export.Exported`,
would add JAX's own tracing and lowering to every compilation, and `jax.jit`'s dispatch to every call.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Any, Final

import numpy as np

from latebind.backends.interface import HostArray
from latebind.backends.xla.recent import Recent
from latebind.errors import BackendUnavailableError
from latebind.ir.types import TensorType

try:
    import jax
    from jax.extend import backend as jax_backends
    from jax.sharding import SingleDeviceSharding
    from jaxlib import xla_client
except Exception as _error:
    raise BackendUnavailableError(
        f"backend 'xla': JAX is installed but cannot be imported: {type(_error).__name__}: {_error}. "
        "Reinstall it: pip install --force-reinstall 'latebind[xla]'"
    ) from _error

_NEEDED: Final = ("CompileOptions", "batched_device_put", "array_result_handler", "HostBufferSemantics")
if _missing := [name for name in _NEEDED if not hasattr(xla_client, name)]:
    raise BackendUnavailableError(
        f"backend 'xla': jaxlib {version('jaxlib')} lacks {', '.join(_missing)}: "
        "install a supported version: pip install 'latebind[xla]'"
    )

#: Variables that give the number of threads of a CPU client while it is made.
_THREAD_VARIABLES: Final = ("PJRT_NPROC", "NPROC")
_SHARED: Final = xla_client.HostBufferSemantics.ZERO_COPY
_COPIED: Final = xla_client.HostBufferSemantics.IMMUTABLE_ONLY_DURING_CALL
#: Scalars that stay on each device, in case they come again.
_KEPT_SCALARS: Final = 256
_lock = threading.Lock()
_cpu_clients: dict[tuple[int | None, int | None], Any] = {}

Array = jax.Array
EngineError: Final = xla_client.XlaRuntimeError
VERSION: Final[str] = jax.__version__
JAXLIB_VERSION: Final = version("jaxlib")


def clients(platform: str, devices: int | None, threads: int | None) -> list[tuple[str, Any]]:
    """Return platform name and client of each platform, the wanted one first.

    Parameters
    ----------
    platform
        `"auto"` for JAX's own choice, or `"cpu"`, `"cuda"`, `"rocm"`, `"tpu"`.
    devices, threads
        Number of host devices and of threads of the CPU client; `None` takes JAX's own client. Any other value takes a
        client of our own, since JAX makes its client once for the process.

    Raises
    ------
    BackendUnavailableError
        If JAX finds no such platform, or its plugin does not start.
    """
    try:
        cpu = ("cpu", _cpu_client(devices, threads))
    except Exception as error:
        raise BackendUnavailableError(
            f"backend 'xla' needs JAX's host devices as well: {_first_line(error)}. If JAX_PLATFORMS is set, add cpu "
            "to it: cuda,cpu"
        ) from error
    if platform == "cpu":
        return [cpu]
    try:
        found = jax_backends.get_backend(None if platform == "auto" else platform)
    except Exception as error:
        raise BackendUnavailableError(
            f"backend 'xla' finds no platform {platform!r}: {_first_line(error)}. Set backend.platform to 'auto' or "
            "'cpu', or install JAX for that platform"
        ) from error
    name = _platform_name(found)
    return [cpu] if name == "cpu" else [(name, found), cpu]


def _platform_name(client: Any) -> str:
    if client.platform != "gpu":
        return str(client.platform)
    return "rocm" if "rocm" in client.platform_version.lower() else "cuda"


def _cpu_client(devices: int | None, threads: int | None) -> Any:
    if devices is None and threads is None:
        return jax_backends.get_backend("cpu")
    key = devices, threads
    with _lock:
        if key not in _cpu_clients:
            # JAX's own client first, before the variables are set: it is the user's, and registers what ours needs.
            jax_backends.get_backend("cpu")
            before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
            try:
                if threads is not None:
                    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
                _cpu_clients[key] = xla_client.make_cpu_client(num_devices=devices)
            finally:
                for name, value in before.items():
                    if value is None:
                        os.environ.pop(name, None)
                    else:
                        os.environ[name] = value
        return _cpu_clients[key]


def thread_count(threads: int | None) -> int:
    """Return how many threads XLA compiles a program for: it is part of the program."""
    given = next((os.environ[name] for name in _THREAD_VARIABLES if os.environ.get(name, "").isdecimal()), None)
    if threads is not None or given is not None:
        return threads or int(given or 0)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Slot:
    """One device, and what transfers and compilations for it need.

    Parameters
    ----------
    client
        PJRT client.
    device
        One of its devices.
    """

    def __init__(self, client: Any, device: Any) -> None:
        self.client = client
        self.device = device
        self.sharding = SingleDeviceSharding(device)
        self.scalars: Recent[tuple[TensorType, object], Any] = Recent(_KEPT_SCALARS)
        self._devices = [device]
        self._avals: weakref.WeakKeyDictionary[TensorType, Any] = weakref.WeakKeyDictionary()

    def aval(self, type: TensorType) -> Any:
        """Return JAX's form of a type; 64-bit dtypes whatever the user's `jax_enable_x64`, which stays as it is."""
        found = self._avals.get(type)
        if found is None:
            with jax.enable_x64(True):
                found = self._avals[type] = jax.core.ShapedArray(type.shape, type.dtype)
        return found

    def put(self, tensor: HostArray, type: TensorType, *, share: bool) -> Array:
        """Return a device array: a copy, or with `share` the same memory where the platform and alignment allow."""
        array: Array = xla_client.batched_device_put(
            self.aval(type),
            self.sharding,
            [tensor],
            self._devices,
            enable_x64=True,
            host_buffer_semantics=_SHARED if share else _COPIED,
        )
        return array

    def compile_options(self, options: Mapping[str, object]) -> Any:
        """Return XLA's options for this device, with flags of its own."""
        made = xla_client.CompileOptions()
        build = made.executable_build_options
        build.num_replicas = build.num_partitions = 1
        build.device_assignment = xla_client.DeviceAssignment.create(np.array([[self.device.id]], np.int32))
        made.env_option_overrides = list(options.items())
        return made

    def compile(self, text: str, options: Any) -> Any:
        """Return the loaded executable of a StableHLO module."""
        return self.client.compile_and_load(text, [self.device], options)

    def load(self, serialized: bytes, options: Any) -> Any:
        """Return the loaded executable of what `serialize` gave; only for bytes that this user's cache wrote."""
        return self.client.deserialize_executable(serialized, [self.device], options)

    def serialize(self, executable: Any) -> bytes:
        """Return an executable as bytes.

        Raises
        ------
        Exception
            If the platform cannot.
        """
        return bytes(executable.serialize())

    def handlers(self, types: Sequence[TensorType]) -> list[Any]:
        """Return what wraps the results of an execution as arrays."""
        return [xla_client.array_result_handler(self.aval(type), self.sharding, True, True) for type in types]


def has_lapack() -> bool:
    """Whether jaxlib brings calls of LAPACK for programs on the host."""
    try:
        from jaxlib import lapack
    except ImportError:
        return False
    return hasattr(lapack, "prepare_lapack_call")


def lapack_target(routine: str, dtype: np.dtype[Any]) -> str:
    """Return the name under which XLA calls a routine of LAPACK, which is loaded at the first use (SciPy's)."""
    from jax.lax import linalg  # noqa: F401  (registers the targets)
    from jaxlib import lapack

    prepare: Any = lapack.prepare_lapack_call
    target: str = prepare(f"{routine}_ffi", dtype)
    return target


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
