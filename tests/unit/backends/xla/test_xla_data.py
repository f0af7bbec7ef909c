"""Data of the XLA backend: 64 bits, memory that is shared and memory that is not, donation."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import latebind as lb
from latebind.backends.interface import BackendDevice
from latebind.backends.xla.backend import XlaBackend
from latebind.backends.xla.settings import XlaSettings
from latebind.errors import DeviceMismatchError, ExecutionError
from latebind.ir.types import ELEMENT_NAMES, TensorType

CPU = BackendDevice("cpu")


@pytest.fixture(scope="module")
def backend() -> XlaBackend:
    return XlaBackend(XlaSettings(platform="cpu", persistent_cache=False))


def type_of(array: np.ndarray) -> TensorType:
    return TensorType.of(array.shape, array.dtype)


def aligned(size: int) -> np.ndarray:
    """Return float64 memory that starts at a multiple of 64 bytes."""
    memory = np.zeros(size + 8)
    start = (-memory.ctypes.data % 64) // 8
    return memory[start : start + size]


@pytest.mark.parametrize("dtype", sorted(ELEMENT_NAMES))
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)], ids=str)
def test_every_dtype_makes_the_round_trip(backend, dtype, shape):
    array = np.arange(np.prod(shape, dtype=int)).reshape(shape).astype(dtype)
    data = backend.make_computation_data_from_tensor(array, type_of(array), CPU)
    found = backend.make_tensor_from_computation_data(data)
    assert found.dtype == array.dtype and found.shape == array.shape
    np.testing.assert_array_equal(found, array)
    assert not found.flags.writeable


@pytest.mark.parametrize(
    "view", [lambda a: a.T, lambda a: a[::-1], lambda a: a[:, ::2], lambda a: np.broadcast_to(a[:1], a.shape)]
)
def test_any_layout_makes_the_round_trip(backend, view):
    array = view(np.arange(12.0).reshape(3, 4))
    for copy in (True, False):
        data = backend.make_computation_data_from_tensor(array, type_of(array), CPU, copy=copy)
        np.testing.assert_array_equal(backend.make_tensor_from_computation_data(data), array)


def test_64_bit_arrays_leave_the_users_jax_as_it_was(container):
    import jax
    import jax.numpy as jnp

    big = lb.asarray(np.array([2**53 + 1, -(2**62)]))
    assert np.asarray(big + 1).tolist() == [2**53 + 2, -(2**62) + 1]
    assert np.asarray(lb.asarray([0.1]) * 3).dtype == np.float64
    assert not jax.config.jax_enable_x64
    assert jnp.ones(2).dtype == jnp.float32
    assert (jnp.arange(3) * 2).dtype == jnp.int32


def test_a_copy_is_a_snapshot(backend):
    array = aligned(1000)
    data = backend.make_computation_data_from_tensor(array, type_of(array), CPU, copy=True)
    array[:] = 7
    assert data.owned
    assert not np.any(backend.make_tensor_from_computation_data(data))


def test_read_only_aligned_memory_is_shared_and_never_donated(backend):
    array = aligned(1000)
    array.flags.writeable = False
    data = backend.make_computation_data_from_tensor(array, type_of(array), CPU, copy=False)
    assert data.handle.unsafe_buffer_pointer() == array.ctypes.data
    assert not backend.can_donate(data)


def test_values_leave_without_a_copy(backend):
    array = aligned(1000)
    data = backend.make_computation_data_from_tensor(array, type_of(array), CPU)
    found = backend.make_tensor_from_computation_data(data)
    assert found.ctypes.data == data.handle.unsafe_buffer_pointer()


def test_a_view_that_is_out_prevents_donation_until_it_dies(backend):
    array = aligned(10)
    data = backend.make_computation_data_from_tensor(array, type_of(array), CPU)
    found = backend.make_tensor_from_computation_data(data)[2:]
    assert not backend.can_donate(data)
    del found
    assert backend.can_donate(data)


def test_an_in_place_loop_keeps_its_buffer(container):
    x = lb.zeros(100_000)
    addresses = set()
    for _ in range(8):
        x += 1.0
        lb.mark_step()
        addresses.add(x._data.handle.unsafe_buffer_pointer())
    assert len(addresses) <= 2  # the first round's operand is a constant, not a buffer
    assert container.metrics().counter("DonatedBuffers") >= 6
    assert float(x[0]) == 8.0


def test_a_view_that_was_handed_out_survives_an_update_in_place(container):
    x = lb.zeros(100_000)
    x += 1.0
    before = np.asarray(x)
    for _ in range(4):
        x += 1.0
        lb.mark_step()
    assert before.min() == before.max() == 1.0
    assert float(x[-1]) == 5.0


@pytest.mark.parametrize(
    ("dtype", "value"),
    [("int64", -(2**63)), ("uint64", 2**64 - 1), ("float64", -0.0), ("float16", 65504.0), ("complex128", 1e300 - 2j)],
)
def test_scalars_are_exact(backend, dtype, value):
    data = backend.make_computation_data_from_scalar(value, TensorType.of((), np.dtype(dtype)), CPU)
    found = backend.make_tensor_from_computation_data(data)
    assert found.tobytes() == np.array(value, dtype).tobytes()


def test_host_devices_of_its_own(tmp_path):
    with lb.build_container(
        backend={"name": "xla", "devices": 3, "threads": 1, "persistent_cache": False}
    ) as container:
        assert [str(device) for device in container.backend().backend_devices()] == ["cpu:0", "cpu:1", "cpu:2"]
        x = lb.ones(4, device="cpu:2") * 3
        assert str(x.device) == "cpu:2" and np.asarray(x).tolist() == [3.0] * 4
        assert x._data.handle.devices().pop().id == 2
    container.close()


def test_unknown_devices_and_wrong_shapes_are_refused(backend):
    with pytest.raises(DeviceMismatchError, match="no device 'cpu:9'"):
        backend.make_computation_data_from_tensor(
            np.zeros(2), TensorType.of((2,), np.dtype("f8")), BackendDevice("cpu", 9)
        )
    with pytest.raises(DeviceMismatchError, match=r"shape \(2,\) cannot be used"):
        backend.make_computation_data_from_tensor(np.zeros(2), TensorType.of((3,), np.dtype("f8")), CPU)


def test_memory_that_runs_out_behind_a_pending_computation_is_an_error(container):
    a = lb.asarray(np.random.default_rng(0).random((1200, 1200)))
    product = a
    for _ in range(4):
        product = product @ a * 1e-3
    lb.sync(product)
    huge = lb.broadcast_to(product[0, 0], (1 << 42,)) * 2.0
    lb.sync(huge)
    with pytest.raises(ExecutionError, match="RESOURCE_EXHAUSTED"):
        np.asarray(huge)
    assert np.isfinite(float(product[0, 0]))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_a_forked_child_is_refused_a_value_that_is_on_its_way():
    program = (
        "import os, numpy as np, latebind as lb\n"
        "with lb.build_container(backend={'name': 'xla', 'persistent_cache': False}):\n"
        "    m = lb.asarray(np.ones((1500, 1500)))\n"
        "    for _ in range(6):\n        m = m @ m * 1e-4\n"
        "    lb.sync(m)\n"
        "    child = os.fork()\n"
        "    if child == 0:\n"
        "        try:\n            np.asarray(m); os._exit(1)\n"
        "        except lb.LatebindError as error:\n            os._exit(42 if 'spawn' in str(error) else 2)\n"
        "    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, timeout=100)
    assert done.stdout.strip() == "42", done.stderr


def test_what_does_not_fit_into_memory_is_an_error(container):
    huge = lb.full((1 << 44,), 2.0) + 1
    with pytest.raises(ExecutionError, match="RESOURCE_EXHAUSTED"):
        np.asarray(huge)
    assert np.asarray(lb.ones(3) + 1).tolist() == [2.0, 2.0, 2.0]


def test_a_scalar_that_comes_again_is_not_put_again_and_no_other_is_taken_for_it(backend):
    float64, float32 = (TensorType.of((), np.dtype(name)) for name in ("float64", "float32"))
    values = [2.5, 0.0, -0.0, 1.0, 1, True, float("nan"), 2**53, float(2**53), 1 + 0j]
    puts = {}
    for _ in range(3):
        for value in values[:-1]:
            for type in (float64, float32):
                data = backend.make_computation_data_from_scalar(value, type, CPU)
                host = backend.make_tensor_from_computation_data(data)
                assert host.dtype == type.dtype
                assert host.tobytes() == np.array(value, type.dtype).tobytes()
                assert not backend.can_donate(data)
                puts.setdefault((repr(value), type), set()).add(id(data.handle))
    assert len(puts["2.5", float64]) == len(puts["-0.0", float32]) == 1


def test_complex_scalars_with_zeros_of_either_sign_are_told_apart(backend):
    complex128 = TensorType.of((), np.dtype("complex128"))
    for value in (complex(1.0, 0.0), complex(1.0, -0.0), complex(0.0, 1.0), complex(-0.0, 1.0), 1, complex(1.0, 0.0)):
        host = backend.make_tensor_from_computation_data(
            backend.make_computation_data_from_scalar(value, complex128, CPU)
        )
        assert host.tobytes() == np.array(value, np.complex128).tobytes()


def test_the_scalars_that_are_kept_are_bounded(backend):
    type = TensorType.of((), np.dtype("float64"))
    slot = backend._slots[CPU]
    kept = backend.make_computation_data_from_scalar(-3.0, type, CPU)
    for k in range(2000):
        backend.make_computation_data_from_scalar(k + 0.5, type, CPU)
        assert backend.make_computation_data_from_scalar(-3.0, type, CPU) is kept
        assert len(slot.scalars) <= 256
