"""What `IrBuilder` makes, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from latebind.errors import ScalarRangeError, ShapeMismatchError, TypeInferenceError, UnsupportedOpError
from latebind.ir.builder import IrBuilder, SizeNode
from latebind.ir.node import Value
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType

Parameter = Callable[..., Value]
F32 = np.dtype(np.float32)


class Data:
    type = TensorType.of((3,), F32)


def test_make_generic_infers_types_and_takes_names_or_kinds(b: IrBuilder, parameter: Parameter) -> None:
    x = parameter((2, 3))
    by_name = b.make_generic("stablehlo::transpose", [x], {"permutation": (1, 0)})
    by_kind = b.make_generic(OpKind.get("stablehlo::transpose"), (x,), {"permutation": (1, 0)})
    assert by_name.types == by_kind.types == (TensorType.of((3, 2), F32),)
    assert by_name.operands == (x,)


def test_make_generic_trusts_types_that_are_given(b: IrBuilder, parameter: Parameter) -> None:
    given = TensorType.of((), F32)
    assert b.make_generic("stablehlo::abs", [parameter()], types=[given]).types == (given,)


def test_make_generic_names_what_is_wrong(b: IrBuilder, parameter: Parameter) -> None:
    x = parameter()
    with pytest.raises(UnsupportedOpError, match="no operation numpy::sine; did you mean stablehlo::sine"):
        b.op("numpy::sine", x)
    with pytest.raises(ShapeMismatchError, match=r"stablehlo::add takes 2 operands \(lhs, rhs\), got 1"):
        b.op("stablehlo::add", x)
    with pytest.raises(ShapeMismatchError, match="takes 1 or more operands"):
        b.make_generic("stablehlo::dynamic_slice", (), {"slice_sizes": ()})
    with pytest.raises(TypeInferenceError, match="stablehlo::reverse needs attribute dimensions"):
        b.op("stablehlo::reverse", x)
    with pytest.raises(TypeInferenceError, match="stablehlo::abs has no attribute axis; it has none"):
        b.op("stablehlo::abs", x, axis=0)


def test_new_nodes_take_the_current_origin_unless_told_otherwise(b: IrBuilder, parameter: Parameter) -> None:
    x = parameter()
    assert b.make_generic("stablehlo::abs", [x]).origin == -1
    b.origin = 7
    assert b.op("stablehlo::abs", x).node.origin == 7
    assert b.make_generic("stablehlo::abs", [x], origin=3).origin == 3
    assert b.make_parameter(TensorType.of((), F32)).origin == 7
    assert b.make_parameter(TensorType.of((), F32), 2).origin == 2


def test_make_device_data_holds_the_data_and_its_type(b: IrBuilder) -> None:
    data = Data()
    node = b.make_device_data(data)
    assert node.data is data and node.types == (data.type,) and node.kind.qualified == "lazy_tensors::device_data"
    abstract = b.make_device_data(None, type=data.type)
    assert abstract.data is None and abstract.types == node.types and b.make_parameter(data.type).data is None
    with pytest.raises(TypeInferenceError, match="without data needs a type"):
        b.make_device_data(None)


def test_make_scalar_makes_a_read_only_constant(b: IrBuilder) -> None:
    for dtype in ("float32", F32, TensorType.of((), F32)):
        node = b.make_scalar(-0.0, dtype)
        value = node.attributes["value"]
        assert isinstance(value, np.ndarray) and value.shape == () and value.dtype == F32
        assert np.signbit(value) and not value.flags.writeable
    with pytest.raises(ScalarRangeError, match="300 does not fit uint8"):
        b.make_scalar(300, np.uint8)
    with pytest.raises(ShapeMismatchError, match="zero-dimensional"):
        b.make_scalar(1, TensorType.of((1,), F32))


def test_make_constant_copies_what_can_still_change(b: IrBuilder) -> None:
    source = np.arange(6.0).reshape(2, 3)
    constant = b.make_constant(source).attributes["value"]
    source[:] = 0
    assert isinstance(constant, np.ndarray) and constant[1, 2] == 5
    source.setflags(write=False)
    assert b.make_constant(source).attributes["value"] is source


def test_make_expand_follows_numpys_broadcasting(b: IrBuilder, parameter: Parameter) -> None:
    node = b.make_expand(parameter((3, 1)), (2, 3, 4))
    assert node.types[0].shape == (2, 3, 4) and node.attributes["broadcast_dimensions"] == (1, 2)
    with pytest.raises(ShapeMismatchError, match=r"broadcast_in_dim\(tensor<3xf32>\): extent 3 must be 1"):
        b.make_expand(parameter((3,)), (2, 4))
    with pytest.raises(ShapeMismatchError, match="smaller rank"):
        b.make_expand(parameter((3, 1)), (3,))


def test_make_cast_and_make_tensor_list(b: IrBuilder, parameter: Parameter) -> None:
    x, y = parameter((2,)), parameter((), "int8")
    cast = b.make_cast(x, np.dtype(np.int64))
    assert cast.kind.qualified == "stablehlo::convert" and cast.types[0].dtype == np.int64
    bundle = b.make_tensor_list([x, y])
    assert bundle.kind.qualified == "lazy_tensors::tensor_list" and bundle.types == (x.type, y.type)


def test_size_nodes_carry_their_static_value(b: IrBuilder, parameter: Parameter) -> None:
    x = parameter((6, 4))
    six, four = b.make_size_node(x, 0), b.make_size_node(x, -1)
    assert (six.static_value, four.static_value) == (6, 4) and not six.is_symbolic
    results = {
        "stablehlo::add": (b.make_size_add(six, four), 10),
        "stablehlo::multiply": (b.make_size_mul(six.value(), four), 24),
        "stablehlo::divide": (b.make_size_div(six, four.value()), 1),
    }
    for kind, (node, expected) in results.items():
        assert isinstance(node, SizeNode) and node.kind.qualified == kind
        assert node.static_value == expected and node.types[0] is TensorType.of((), np.dtype(np.int32))


def test_size_arithmetic_refuses_zero_divisors_and_widens_instead_of_wrapping(
    b: IrBuilder, parameter: Parameter
) -> None:
    large, none = b.make_size_node(parameter((2**20,)), 0), b.make_size_node(parameter((0,)), 0)
    with pytest.raises(ShapeMismatchError, match="divide the size 1048576 by a size of zero"):
        b.make_size_div(large, none)
    product = b.make_size_mul(large, large)
    assert product.static_value == 2**40 and product.types[0].dtype == np.int64
    assert b.make_size_add(product, large).static_value == 2**40 + 2**20
    with pytest.raises(ShapeMismatchError, match="dimension 1 is outside rank 1"):
        b.make_size_node(parameter((2,)), 1)
    with pytest.raises(TypeInferenceError, match="is not a size"):
        b.make_size_add(parameter(()), large)
