"""What a backend gets for nothing from the interface's base classes."""

from __future__ import annotations

import numpy as np
import pytest

from latebind.backends.interface import BackendDevice
from latebind.backends.numpy.backend import NumpyBackend
from latebind.errors import DeviceMismatchError
from latebind.ir.builder import IrBuilder
from latebind.ir.types import TensorType

F32 = TensorType.of((2, 3), np.dtype(np.float32))


def test_devices_are_found_by_name_and_by_default() -> None:
    backend = NumpyBackend()
    assert backend.backend_device() == backend.backend_device("cpu") == BackendDevice("cpu", 0)
    assert (backend.default_device_type, backend.default_device_ordinal) == ("cpu", 0)
    assert backend.eager_fallback_device() == BackendDevice("cpu", 0)
    assert list(backend.compilation_devices("cpu:0", [])) == ["cpu:0"]
    for change in (
        lambda: backend.backend_device("tpu:0"),
        lambda: setattr(backend, "default_device_type", "tpu"),
        lambda: setattr(backend, "default_device_ordinal", 7),
    ):
        with pytest.raises(DeviceMismatchError):
            change()


def test_size_nodes_are_static_and_reports_are_text_by_default() -> None:
    backend = NumpyBackend()
    assert backend.enable_dynamic_shape() is False
    assert backend.metric_report() == ""
    assert backend.device_bytes() is None


def test_the_data_of_a_node_is_that_of_a_device_data_node() -> None:
    backend, builder = NumpyBackend(), IrBuilder()
    data = backend.make_computation_data_from_tensor(np.ones((2, 3), np.float32), F32, backend.backend_device())
    assert backend.computation_data_from_node(builder.make_device_data(data)) is data
    assert backend.computation_data_from_node(builder.make_scalar(1.0, np.dtype(np.float32))) is None


def test_a_placeholder_has_a_type_and_no_value() -> None:
    backend = NumpyBackend()
    data = backend.create_data_placeholder(backend.backend_device(), F32)
    assert data.type is F32 and not data.has_value and not data.is_pending


def test_result_shapes_are_compared_with_data() -> None:
    backend, builder = NumpyBackend(), IrBuilder()
    context = backend.create_lowering_context("f", backend.backend_device())
    x = builder.make_parameter(F32).value()
    context.add_parameter(x, "x")
    assert context.add_result(x) == 0
    assert context.check_result_shape(backend.create_data_placeholder(backend.backend_device(), F32), 0)
    other = backend.create_data_placeholder(backend.backend_device(), F32.with_shape((3, 2)))
    assert not context.check_result_shape(other, 0)
