"""Settings, devices and data of the NumPy backend."""

from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pydantic
import pytest

from latebind.backends.interface import BackendDevice
from latebind.backends.numpy.backend import NumpyBackend
from latebind.backends.numpy.settings import NumpySettings
from latebind.errors import BackendUnavailableError, DeviceMismatchError
from latebind.ir.types import TensorType


def type_of(array):
    return TensorType.of(array.shape, array.dtype.newbyteorder("="))


def test_defaults_need_no_settings():
    backend = NumpyBackend()
    assert backend.name == "numpy" and backend.blocking
    assert list(map(str, backend.backend_devices())) == ["cpu:0"]
    assert NumpySettings().model_dump() == {
        "name": "numpy",
        "devices": 1,
        "reuse_buffers": True,
        "interpretations": backend.interpretations,
        "threads": None,
    }


def test_the_backend_module_imports_no_pydantic():
    code = "import sys, latebind.backends.numpy.backend as b; b.NumpyBackend(); sys.exit('pydantic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}).returncode == 0


@pytest.mark.parametrize("bad", [{"devices": 0}, {"devices": 65}, {"threads": 0}, {"name": "xla"}, {"speed": 1}])
def test_settings_are_validated(bad):
    with pytest.raises(pydantic.ValidationError):
        NumpySettings(**bad)


def test_several_devices():
    backend = NumpyBackend(NumpySettings(devices=3))
    assert list(map(str, backend.backend_devices())) == ["cpu:0", "cpu:1", "cpu:2"]
    assert backend.backend_device("cpu:2") == BackendDevice("cpu", 2)
    with pytest.raises(DeviceMismatchError, match="cpu:3"):
        backend.make_computation_data_from_tensor(np.ones(2), type_of(np.ones(2)), BackendDevice("cpu", 3))


def test_threads_limit_blas_until_the_backend_closes():
    threadpoolctl = pytest.importorskip("threadpoolctl")

    def threads():
        return {pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"}

    before = threads()
    backend = NumpyBackend(NumpySettings(threads=1))
    assert threads() <= {1}
    backend.prepare_to_exit()
    assert threads() == before
    backend.prepare_to_exit()


def test_threads_without_threadpoolctl_is_a_clear_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "threadpoolctl", None)
    with pytest.raises(BackendUnavailableError, match="pip install threadpoolctl"):
        NumpyBackend(NumpySettings(threads=1))


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6, dtype=">i4").reshape(2, 3),
        np.arange(12.0).reshape(3, 4).T,
        np.zeros((0, 3)),
        np.array(3.0),
        np.frombuffer(bytes(17), np.uint8)[1:].view(np.float64),
    ],
)
def test_copies_are_aligned_contiguous_and_native(backend, array):
    data = backend.make_computation_data_from_tensor(array, type_of(array), backend.backend_device())
    np.testing.assert_array_equal(data.handle, array)
    assert data.owned and data.handle.flags.c_contiguous and data.handle.flags.writeable
    assert data.handle.dtype.isnative
    assert data.handle.__array_interface__["data"][0] % 64 == 0
    assert not np.shares_memory(data.handle, array)
    assert backend.can_donate(data)


def test_sharing_takes_what_it_can(backend):
    device = backend.backend_device()
    array = np.arange(6.0)[::2]
    data = backend.make_computation_data_from_tensor(array, type_of(array), device, copy=False)
    assert data.handle is array and not data.owned
    swapped = array.astype(">f8")
    data = backend.make_computation_data_from_tensor(swapped, type_of(swapped), device, copy=False)
    assert data.owned and data.handle.dtype.isnative
    masked = np.ma.masked_array(np.ones((2, 2)))
    data = backend.make_computation_data_from_tensor(masked, type_of(masked), device, copy=False)
    assert type(data.handle) is np.ndarray and not data.owned


def test_scalars(backend):
    type = TensorType.of((), np.dtype(np.float32))
    data = backend.make_computation_data_from_scalar(1.5, type, backend.backend_device())
    assert data.handle.dtype == np.float32 and data.handle.shape == () and data.handle == 1.5


def test_exports_are_read_only_views(backend):
    array = np.arange(3.0)
    data = backend.make_computation_data_from_tensor(array, type_of(array), backend.backend_device())
    view = backend.make_tensor_from_computation_data(data)
    assert np.shares_memory(view, data.handle) and data.handle.flags.writeable
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 1


def test_threads_run_computations_at_the_same_time(graph):
    x = graph.parameter(np.full(20000, 0.0))
    value = graph.op("stablehlo::divide", x, x)
    computation = graph.lower(value)
    graph.backend.compile([computation])
    failures: list[BaseException] = []

    def work() -> None:
        try:
            with np.errstate(all="raise"):
                for _ in range(50):
                    (result,) = graph.backend.execute_computation(computation, graph.data, graph.device)
                    assert np.isnan(result.handle).all()
                with pytest.raises(FloatingPointError):
                    np.divide(np.float64(0), np.float64(0))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
