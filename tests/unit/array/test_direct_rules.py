"""Direct execution gives what the rules' nodes give, bit by bit, whatever the dtypes and values."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import latebind.array.rules.direct  # noqa: F401
from latebind.array.rules import creation, elementwise, indexing, linear, reductions, shapes
from latebind.backends.numpy.backend import NumpyBackend
from latebind.errors import LatebindError
from latebind.ir.builder import IrBuilder
from latebind.ir.types import ELEMENT_NAMES, TensorType
from latebind.runtime.compiler import Compiler
from latebind.runtime.direct import quiet_context
from latebind.runtime.metrics import Metrics
from latebind.runtime.signature import INDEX, Rule
from latebind.runtime.tracing import Tracer

COMPARISONS = {"equal", "greater", "greater_equal", "less", "less_equal", "not_equal"}
BACKEND = NumpyBackend()
COMPILER = Compiler(
    BACKEND, BACKEND.ir_builder(), BACKEND.create_lowering_context, Metrics(), Tracer(), reference=lambda: BACKEND
)
DTYPES = [np.dtype(name) for name in ELEMENT_NAMES]


def sample(dtype: np.dtype, size: int = 24, *, shift: int = 0) -> np.ndarray:
    """Return values of a dtype, the special ones first."""
    random = np.random.default_rng(size + shift)
    if dtype.kind == "b":
        return random.integers(0, 2, size).astype(dtype)
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        special = [0, 1, info.min, info.max, info.max - 1, 2, 3, 7]
        drawn = random.integers(max(info.min, -9), 9, size)
        return np.roll(np.array([*special, *drawn][:size], dtype), shift)
    real = [0.0, -0.0, 1.0, -1.0, np.nan, np.inf, -np.inf, 0.5, 2.5, -2.5, 1e-3, 300.25]
    drawn = random.normal(size=size) * 3
    values = np.array([*real, *drawn][:size])
    if dtype.kind == "c":
        values = values + 1j * np.roll(values, 5)
    with np.errstate(all="ignore"):
        return np.roll(values, shift).astype(dtype)


def by_nodes(rule: Rule, operands: list[Any], attributes: dict[str, Any]) -> np.ndarray:
    """Run a rule's nodes on the reference backend."""
    keys = [
        TensorType.of(one.shape, one.dtype)
        if isinstance(one, np.ndarray)
        else one.dtype
        if isinstance(one, np.generic)
        else type(one)
        for one in operands
    ]
    if rule.inverse is not None or rule.direct_write is not None:
        keys = [INDEX if key is int else key for key in keys]
    signature = rule.signature(tuple(keys), tuple(attributes.items()))
    device = BACKEND.backend_device()
    executable = COMPILER.kernel(device, signature)
    leaves = [
        BACKEND.make_computation_data_from_tensor(one, TensorType.of(one.shape, one.dtype), device)
        for one in operands
        if isinstance(one, np.ndarray)
    ]
    scalars = [
        one.item() if isinstance(one, np.generic) else one for one in operands if not isinstance(one, np.ndarray)
    ]
    (result,) = executable.run(BACKEND, executable.arguments(BACKEND, leaves, scalars))
    return np.asarray(result.handle)


def check(rule: Rule, *operands: Any, **attributes: Any) -> bool:
    """Compare; return whether the rule ran directly. What has no direct form, or no nodes, is nobody's difference."""
    try:
        expected = by_nodes(rule, list(operands), attributes)
    except Exception:
        expected = None
    try:
        given = np.asarray(quiet_context().run(rule.direct, *operands, **attributes))
    except Exception:
        return False
    shown = [getattr(one, "dtype", one) for one in operands]
    if expected is None and rule.name in COMPARISONS:
        return True  # with an integer that the dtype does not reach, which the operator compares by its sign
    assert expected is not None, f"{rule.name}{shown} runs directly but is refused when it is recorded"
    assert given.dtype == expected.dtype, f"{rule.name}{shown}: {given.dtype}, recorded {expected.dtype}"
    assert given.shape == expected.shape, f"{rule.name}{shown}: {given.shape}, recorded {expected.shape}"
    np.testing.assert_array_equal(given, expected, f"{rule.name}{shown}")
    if given.dtype.kind == "f":
        np.testing.assert_array_equal(np.signbit(given) & ~np.isnan(given), np.signbit(expected) & ~np.isnan(expected))
    return True


UNARY = [name for name, ufunc in elementwise.UFUNCS.items() if ufunc.nin == 1]
BINARY = [name for name, ufunc in elementwise.UFUNCS.items() if ufunc.nin == 2]


@pytest.mark.parametrize("name", UNARY)
def test_unary_functions(name):
    ran = [check(elementwise.RULES[name], sample(dtype)) for dtype in DTYPES]
    assert any(ran)


@pytest.mark.parametrize("name", BINARY)
def test_binary_functions(name):
    rule = elementwise.RULES[name]
    ran = [check(rule, sample(x), sample(y, shift=3)) for x, y in itertools.product(DTYPES, DTYPES)]
    assert any(ran)
    for dtype in DTYPES:
        for scalar in (True, 3, 0, -2, 2.5, -0.0, 1 + 2j, np.float32(1.5), np.int64(2), np.uint8(7), np.bool_(True)):
            check(rule, sample(dtype), scalar)
            check(rule, scalar, sample(dtype))


AXES = [None, (0,), (1,), (0, 2), ()]


@pytest.mark.parametrize("name", ["SUM", "PROD", "MAX", "MIN", "MEAN", "ALL", "ANY", "ARGMAX", "ARGMIN"])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_reductions(name, dtype):
    rule = getattr(reductions, name)
    attributes: dict[str, Any] = {}
    if name in ("SUM", "PROD"):
        for other in DTYPES:
            check(rule, sample(dtype).reshape(4, 6), axis=(0,), keepdims=False, dtype=other)
        attributes["dtype"] = {"b": np.dtype(np.int64), "i": np.dtype(np.int64), "u": np.dtype(np.uint64)}.get(
            dtype.kind, dtype
        )
    if name == "MEAN":
        attributes["dtype"] = None
    axes = [None, 0, 1, -1] if name.startswith("ARG") else AXES
    for axis, keepdims in itertools.product(axes, (False, True)):
        for x in (sample(dtype).reshape(2, 3, 4), sample(dtype).reshape(4, 6)[::2, ::-1][:, None], sample(dtype, 0)):
            if x.ndim == 3:
                check(rule, x, axis=axis, keepdims=keepdims, **attributes)
    check(rule, sample(dtype, 0), axis=0 if name.startswith("ARG") else (0,), keepdims=False, **attributes)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_conversions(dtype):
    for other in DTYPES:
        check(elementwise.ASTYPE, sample(dtype), dtype=other)
        check(elementwise.WHERE, sample(np.dtype(bool)), sample(dtype), sample(other, shift=3))
    check(elementwise.WHERE, sample(np.dtype(bool)), sample(dtype), 2)
    check(elementwise.WHERE, sample(np.dtype(bool)), 1.5, sample(dtype))
    check(elementwise.WHERE, sample(np.dtype(bool)), sample(dtype), np.float32(2))
    check(elementwise.WHERE, sample(dtype), 1, 0)
    for rule in (elementwise.COPY, elementwise.RULES["round"], elementwise.RULES["real"], elementwise.REAL_VIEW):
        check(rule, sample(dtype))
    for value in (0, 1, True, 2.5, -0.0):
        check(creation.FULL, value, shape=(2, 3), dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_shapes_and_products(dtype):
    x, y = sample(dtype), sample(dtype, shift=5)
    assert check(shapes.TRANSPOSE, x.reshape(2, 3, 4), axes=(2, 0, 1))
    assert check(shapes.RESHAPE, x.reshape(4, 6), shape=(3, 8))
    assert check(shapes.BROADCAST_TO, x, shape=(3, 24))
    assert check(shapes.STACK, x, y, axis=1)
    for other in DTYPES:
        check(shapes.CONCAT, x, sample(other), axis=0)
    check(shapes.CONCAT, x.reshape(4, 6), y, axis=None)
    finite = np.nan_to_num(x.reshape(4, 6).astype(dtype), posinf=2, neginf=3)
    for left, right in [(finite, finite.T), (finite, finite[0]), (finite[:, 0], finite), (finite[None], finite.T)]:
        check(linear.MATMUL, np.ascontiguousarray(left), np.ascontiguousarray(right))


INDICES = [
    ((("int",), ("all",)), (1,)),
    ((("int",), ("int",)), (1, 2)),
    ((("window", 2, 1), ("all",)), (1,)),
    ((("window", 2, -1), ("window", 3, 2)), (0, 1)),
    ((("window", 4, -1), ("window", 3, -2)), (0, 1)),
    ((("new",), ("all",), ("new",), ("int",)), (5,)),
    ((("window", 0, 1), ("all",)), (0,)),
]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize(("structure", "starts"), INDICES)
def test_basic_indices_and_assignments(dtype, structure, starts):
    x = sample(dtype).reshape(4, 6)
    assert check(indexing.BASIC_INDEX, x, *starts, structure=structure)
    region = indexing.result_shape(structure, x.shape)
    ran = []
    for other in DTYPES:
        values = sample(other)[: max(int(np.prod(region)), 1)]
        if values.size == np.prod(region):
            ran.append(check(indexing.BASIC_PUT, x, values.reshape(region), *starts, structure=structure))
        ran.append(check(indexing.BASIC_PUT, x, sample(other, 1).reshape(()), *starts, structure=structure))
    assert any(ran)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_index_arrays(dtype):
    x = sample(dtype).reshape(4, 6)
    rows, columns = np.array([3, 0, -1, 0]), np.array([[5], [2]])
    assert check(indexing.TAKE, x, rows, axes=(0,), place=0)
    assert check(indexing.TAKE, x, columns, axes=(1,), place=1)
    assert check(indexing.TAKE, x, rows, columns, axes=(0, 1), place=0)
    assert check(indexing.TAKE, x, np.array(2), axes=(0,), place=0)
    check(indexing.TAKE, sample(dtype).reshape(2, 3, 4), np.array([1, 0]), np.array([2, 2]), axes=(0, 2), place=0)
    assert check(indexing.PUT, x, sample(dtype, 1)[0:1].reshape(()), rows, axes=(0,), place=0)
    assert check(indexing.PUT, x, sample(dtype)[:4], rows, np.array([1, 1, 1, 1]), axes=(0, 1), place=0)
    assert check(elementwise.ASSIGN_WHERE, x, sample(np.dtype(bool)).reshape(4, 6), sample(dtype, 1).reshape(()))
    check(elementwise.ASSIGN_WHERE, x, np.array([True, False, True, False]), sample(dtype, 1))


def test_what_numpy_refuses_is_left_to_the_nodes():
    rule = elementwise.RULES["add"]
    assert not check(rule, sample(np.dtype(np.int8)), 300)
    assert not check(indexing.BASIC_PUT, sample(np.dtype(np.float64)), np.array(1j), 3, structure=(("int",),))
    assert not check(indexing.TAKE, sample(np.dtype(np.float64)), np.array([99]), axes=(0,), place=0)


@pytest.mark.parametrize("name", sorted({*UNARY, *BINARY} - {"round"}))
def test_a_type_inferred_without_nodes_is_theirs(name):
    rule = elementwise.RULES[name]
    count = elementwise.UFUNCS[name].nin
    for dtypes in itertools.product(DTYPES, repeat=count):
        types = [TensorType.of(shape, dtype) for shape, dtype in zip([(2, 1), (3,)], dtypes, strict=False)]
        try:
            inferred = rule.infer(*types)
        except LatebindError as error:
            with pytest.raises(type(error)):
                result_of(rule, types, {})
            continue
        try:
            assert inferred is result_of(rule, types, {})
        except LatebindError:
            pytest.fail(f"{name}{dtypes} is refused by its nodes only")


@pytest.mark.parametrize(
    ("rule", "attributes"),
    [
        (elementwise.ASTYPE, {"dtype": np.dtype(np.int8)}),
        (elementwise.COPY, {}),
        (shapes.TRANSPOSE, {"axes": (1, 0)}),
        (shapes.RESHAPE, {"shape": (3, 8)}),
        *((indexing.BASIC_INDEX, {"structure": structure}) for structure, _ in INDICES),
    ],
)
def test_types_of_movement_are_inferred_without_nodes(rule, attributes):
    types = [TensorType.of((4, 6), np.dtype(np.float32))]
    types += [TensorType.of((), np.dtype(np.int64))] * sum(
        entry[0] in ("int", "window") for entry in attributes.get("structure", ())
    )
    assert rule.infer(*types, **attributes) is result_of(rule, types, attributes)


def result_of(rule, types, attributes):
    """Return the type of the nodes' result."""
    builder = IrBuilder()
    return rule.function(builder, *(builder.make_parameter(type).value() for type in types), **attributes).type
