"""Arrays and scalars to the device and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from latebind.backends.interface import Backend, BackendData, BackendDevice
from latebind.errors import LatebindError
from latebind.ir.types import TensorType
from latebind.testing.conformance.sampling.samples import DTYPES, Array, type_of
from latebind.testing.conformance.sampling.values import denormal, ordinary, special_array, strided
from latebind.testing.conformance.tools import equal

SHAPES: tuple[tuple[int, ...], ...] = (
    (),
    (1,),
    (5,),
    (0,),
    (3, 4),
    (2, 0, 3),
    (1, 1, 1),
    (3, 1, 4),
    (2, 3, 4, 5),
    (70_000,),
)


def _read_only(array: Array) -> Array:
    array = array.copy()
    array.flags.writeable = False
    return array


def _unaligned(array: Array) -> Array:
    memory = np.empty(array.nbytes + 1, np.uint8)
    view = memory[1:].view(array.dtype).reshape(array.shape)
    view[...] = array
    return view


LAYOUTS: dict[str, Callable[[Array], Array]] = {
    "plain": lambda array: array.copy(),
    "fortran": lambda array: np.array(array, order="F"),
    "strided": strided,
    "broadcast": lambda array: np.broadcast_to(array[:1], array.shape) if array.ndim else array,
    "read-only": _read_only,
    "unaligned": _unaligned,
}

every_dtype = pytest.mark.parametrize("dtype", DTYPES, ids=lambda dtype: dtype.name)


def _same(found: Any, wanted: Array) -> None:
    assert isinstance(found, np.ndarray)
    assert found.dtype == wanted.dtype and found.shape == wanted.shape
    assert equal(np.array(found), np.array(wanted)), f"put {wanted!r}, got {found!r}"


@every_dtype
@pytest.mark.parametrize("copy", [True, False], ids=["copied", "shared"])
def test_arrays_come_back(backend: Backend, device: BackendDevice, dtype: np.dtype[Any], copy: bool) -> None:
    arrays = [layout(ordinary(dtype, shape)) for shape in SHAPES for layout in LAYOUTS.values()]
    arrays.append(special_array(dtype))
    if dtype.kind in "fc":
        arrays.append(denormal(dtype))
    data = [backend.make_computation_data_from_tensor(a, type_of(a), device, copy=copy) for a in arrays]
    for one, array in zip(data, arrays, strict=True):
        assert one.type is type_of(array) and one.device == device and one.has_value
        _same(backend.make_tensor_from_computation_data(one), array)
        _same(backend.make_tensor_from_computation_data(one), array)


def test_arrays_come_back_from_every_device(backend: Backend) -> None:
    array = ordinary(np.dtype(np.float32), (3, 4))
    for device in backend.backend_devices():
        data = backend.make_computation_data_from_tensor(array, type_of(array), device)
        assert data.device == device
        _same(backend.make_tensor_from_computation_data(data), array)


@every_dtype
def test_a_copy_is_a_snapshot(backend: Backend, device: BackendDevice, dtype: np.dtype[Any]) -> None:
    for shape in SHAPES:
        for layout in ("plain", "fortran", "strided", "unaligned"):
            array = LAYOUTS[layout](ordinary(dtype, shape))
            before = array.copy()
            data = backend.make_computation_data_from_tensor(array, type_of(array), device, copy=True)
            array[...] = ~array if dtype.kind == "b" else array + dtype.type(1)
            _same(backend.make_tensor_from_computation_data(data), before)


@every_dtype
def test_shared_memory_is_not_owned(backend: Backend, device: BackendDevice, dtype: np.dtype[Any]) -> None:
    for shape in SHAPES:
        array = ordinary(dtype, shape)
        before = array.copy()
        data = backend.make_computation_data_from_tensor(array, type_of(array), device, copy=False)
        array[...] = ~array if dtype.kind == "b" else array + dtype.type(1)
        if not equal(np.array(backend.make_tensor_from_computation_data(data)), before):
            assert not data.owned, "data that sees the caller's memory says that latebind owns it"
            assert not backend.can_donate(data)


def _scalars(dtype: np.dtype[Any]) -> list[Any]:
    if dtype.kind == "b":
        return [False, True]
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return [int(info.min), int(info.max), 0, 1]
    reals = [0.0, -0.0, 1.5, float("inf"), float("-inf"), float("nan"), 3]
    return reals if dtype.kind == "f" else [*reals, complex(-0.0, 1), complex(float("inf"), float("nan")), 1 - 2j]


@every_dtype
def test_scalars_are_exact(backend: Backend, device: BackendDevice, dtype: np.dtype[Any]) -> None:
    for scalar in _scalars(dtype):
        data = backend.make_computation_data_from_scalar(scalar, TensorType.of((), dtype), device)
        assert data.type is TensorType.of((), dtype) and data.device == device
        _same(np.asarray(backend.make_tensor_from_computation_data(data)), np.array(scalar, dtype))


def test_placeholder_has_no_value_until_it_is_assigned(backend: Backend, device: BackendDevice) -> None:
    array = ordinary(np.dtype(np.float32), (3,))
    placeholder = backend.create_data_placeholder(device, type_of(array))
    assert isinstance(placeholder, BackendData)
    assert placeholder.type is type_of(array) and placeholder.device == device and not placeholder.has_value
    placeholder.mark_pending()
    assert placeholder.is_pending
    placeholder.assign(backend.make_computation_data_from_tensor(array, type_of(array), device))
    assert placeholder.has_value and not placeholder.is_pending
    _same(backend.make_tensor_from_computation_data(placeholder), array)


def test_failed_placeholder_raises_its_error(backend: Backend, device: BackendDevice) -> None:
    placeholder = backend.create_data_placeholder(device, TensorType.of((3,), np.dtype(np.float32)))
    placeholder.mark_pending()
    placeholder.fail(LatebindError("poisoned"))
    with pytest.raises(LatebindError, match="poisoned"):
        placeholder.wait()
    with pytest.raises(LatebindError, match="poisoned"):
        backend.make_tensor_from_computation_data(placeholder)


def test_node_of_data_gives_the_data(backend: Backend, device: BackendDevice) -> None:
    array = ordinary(np.dtype(np.float32), (3,))
    data = backend.make_computation_data_from_tensor(array, type_of(array), device)
    builder = backend.ir_builder()
    assert backend.computation_data_from_node(builder.make_device_data(data)) is data
    assert backend.computation_data_from_node(builder.make_parameter(type_of(array))) is None
    assert backend.computation_data_from_node(builder.make_constant(array)) is None


def test_many_buffers_live_side_by_side(backend: Backend, device: BackendDevice) -> None:
    arrays = [np.full((50,), index, np.int32) for index in range(300)]
    data = [backend.make_computation_data_from_tensor(a, type_of(a), device) for a in arrays]
    for one, array in zip(reversed(data), reversed(arrays), strict=True):
        _same(backend.make_tensor_from_computation_data(one), array)
