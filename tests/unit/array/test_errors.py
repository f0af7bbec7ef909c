"""What does not fit is refused where it is recorded, by an error that says what, and NumPy's built-in class."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import latebind as lb
from latebind.backends.interface import BackendDevice
from latebind.errors import (
    ContainerMismatchError,
    DeviceMismatchError,
    DTypeMismatchError,
    LatebindError,
    ScalarRangeError,
    ShapeMismatchError,
)


def x() -> Any:
    return lb.zeros((2, 3))


CASES: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: x() + lb.zeros(4), ValueError, r"add: shapes \(2, 3\) and \(4,\) do not broadcast"),
    (lambda: lb.sin(lb.asarray("text")), TypeError, "dtype .* is not supported: latebind arrays hold bool, int8"),
    (lambda: lb.asarray([None]), TypeError, "dtype object is not supported"),
    (lambda: lb.asarray(np.array(["2020"], "M8[D]")), TypeError, "datetime64"),
    (lambda: lb.asarray([[1], [1, 2]]), ValueError, "a nested sequence does not form an array"),
    (lambda: lb.asarray([x()[0], x()]), ValueError, r"holds the shapes \(3,\), \(2, 3\)"),
    (lambda: lb.asarray(1, dtype="int4"), TypeError, "int4"),
    (lambda: lb.asarray([2**70]), OverflowError, "integers"),
    (lambda: lb.asarray(300, dtype=lb.uint8), OverflowError, "out of bounds for uint8"),
    (lambda: lb.asarray([300], dtype=lb.uint8), OverflowError, "300"),
    (lambda: lb.asarray(5, copy=False), ValueError, "copy=False"),
    (lambda: lb.asarray([1, 2], copy=False), ValueError, "copy=False"),
    (lambda: lb.asarray(np.ones(2), dtype=lb.int8, copy=False), ValueError, "copy=False"),
    (lambda: lb.asarray(object()), TypeError, "neither a number"),
    (lambda: lb.astype(lb.asarray([1j]), lb.float64), TypeError, "complex128 to float64 would drop the imaginary"),
    (lambda: lb.asarray([1, 2]) ** -1, OverflowError, "pow: -1 is negative"),
    (lambda: x() & 1, TypeError, "bitwise_and is not defined for float64"),
    (lambda: lb.asarray([True]) - lb.asarray([True]), TypeError, "subtract is not defined for bool"),
    (lambda: lb.zeros((2, -1)), ValueError, "negative extent"),
    (lambda: lb.zeros(1.5), TypeError, "zeros: an extent has to be an integer, got 1.5"),
    (lambda: lb.zeros(2, device="gpu:3"), DeviceMismatchError, "no device 'gpu:3'; it has cpu:0"),
    (lambda: lb.zeros(2, device=BackendDevice("gpu", 3)), DeviceMismatchError, "no device 'gpu:3'"),
    (lambda: lb.zeros(2, device=3), DeviceMismatchError, "'cpu:0', got 3"),
    (lambda: x().to_device("gpu"), DeviceMismatchError, "no device 'gpu:0'"),
    (lambda: x().reshape(4), ValueError, r"shape \(2, 3\) has 6 elements, which do not fit into \(4,\)"),
    (lambda: x().reshape(-1, -1), ValueError, r"cannot be seen as \(-1, -1\)"),
    (lambda: x().reshape(-1, 4), ValueError, r"cannot be seen as \(-1, 4\)"),
    (lambda: lb.broadcast_to(x(), (3, 2)), ValueError, "broadcast_to"),
    (lambda: lb.broadcast_to(x(), (1, 3)), ValueError, r"does not broadcast to the shape \(1, 3\)"),
    (lambda: lb.sum(x(), axis=2), ValueError, "sum: axis 2 is out of range for an array with 2 dimensions"),
    (lambda: lb.sum(x(), axis=-3), IndexError, "sum: axis -3 is out of range"),
    (lambda: lb.expand_dims(x(), axis=3), IndexError, "expand_dims: axis 3 is out of range"),
    (lambda: lb.sum(x(), axis=(0, -2)), ValueError, "names an axis twice"),
    (lambda: lb.sum(x(), axis="rows"), TypeError, "sum: axis has to be an integer, got"),
    (lambda: lb.max(lb.zeros((0, 3)), axis=0), ValueError, "max of no elements"),
    (lambda: lb.argmin(lb.zeros(0)), ValueError, "argmin of no elements"),
    (lambda: lb.mean(x(), dtype=lb.int64), TypeError, "floating-point or complex, got int64"),
    (lambda: lb.sum(lb.asarray([1j]), dtype=lb.float64), TypeError, "take real"),
    (lambda: lb.cumulative_sum(x()), ValueError, "axis has to be given"),
    (lambda: lb.diff(x(), n=-1), ValueError, "n has to be 0 or more"),
    (lambda: lb.concat([]), ValueError, "at least one array"),
    (lambda: lb.concat([x(), lb.zeros((2, 2))]), ValueError, r"shapes \(2, 3\), \(2, 2\) have to be equal except"),
    (lambda: lb.concat([lb.asarray(1), lb.asarray(2)]), ValueError, "use stack"),
    (lambda: lb.stack([x(), lb.zeros(3)]), ValueError, "the arrays have to have one shape"),
    (lambda: lb.squeeze(x(), 0), ValueError, "not all of extent 1"),
    (lambda: lb.permute_dims(x(), (0, 0)), ValueError, "does not name each of 2 axes once"),
    (lambda: lb.moveaxis(x(), (0, 1), 0), ValueError, "as many axes"),
    (lambda: lb.roll(x(), (1, 2, 3), axis=(0, 1)), ValueError, "3 shifts do not go with 2 axes"),
    (lambda: lb.repeat(x(), -1), ValueError, "must not be negative"),
    (lambda: lb.repeat(x(), 1.5), TypeError, "repeats have to be integers"),
    (lambda: lb.repeat(x(), [1, 2, 3], axis=0), ValueError, "do not fit axis 0"),
    (lambda: lb.tile(x(), (-1,)), ValueError, "negative extent"),
    (lambda: x() @ x(), ValueError, r"matmul: shapes \(2, 3\) and \(2, 3\) do not fit"),
    (lambda: x() @ 2, ValueError, "matmul: both operands need at least one dimension"),
    (lambda: lb.tensordot(x(), x(), axes=3), ValueError, "tensordot"),
    (lambda: lb.tensordot(x(), x(), axes=([0], [1])), ValueError, "differ in length"),
    (lambda: lb.vecdot(x(), lb.zeros(2)), ValueError, "vecdot"),
    (lambda: lb.zeros(3).mT, ValueError, "at least 2 dimensions"),
    (lambda: lb.tril(lb.zeros(3)), ValueError, "at least 2 dimensions"),
    (lambda: lb.sort(lb.asarray(1)), ValueError, "axis -1 is out of range"),
    (lambda: lb.take(x(), [0]), ValueError, "axis has to be given"),
    (lambda: lb.take_along_axis(x(), lb.asarray([0])), ValueError, "the indices need 2 dimensions"),
    (lambda: lb.searchsorted(x(), 1.0), ValueError, "one dimension"),
    (lambda: lb.searchsorted(lb.zeros(2), 1.0, side="middle"), ValueError, "'left' or 'right'"),  # type: ignore[arg-type]
    (lambda: lb.nonzero(lb.asarray(1)), ValueError, "without dimensions"),
    (lambda: lb.meshgrid(x()), ValueError, "one-dimensional"),
    (lambda: lb.arange(0, 1, 0), ValueError, "step must not be zero"),
    (lambda: lb.arange(3, dtype=lb.bool), TypeError, "booleans"),
    (lambda: lb.linspace(0, 1, -1), ValueError, "num has to be 0 or more"),
    (lambda: lb.finfo(lb.int8), TypeError, "use iinfo"),
    (lambda: lb.iinfo(lb.float32), TypeError, "use finfo"),
    (lambda: lb.isdtype(lb.int8, "whole"), TypeError, "isdtype"),
    (lambda: lb.result_type(), TypeError, "at least one"),
    (lambda: bool(x()), ValueError, r"bool\(\) takes an array with one element, got shape \(2, 3\)"),
    (lambda: float(lb.asarray(1j)), TypeError, "complex"),
    (lambda: [1][lb.asarray(0.0)], TypeError, "integer arrays can be an index"),
    (lambda: len(lb.asarray(1)), TypeError, "zero-dimensional"),
    (lambda: list(lb.asarray(1)), TypeError, "zero-dimensional"),
    (lambda: x().reshape(6, order="X"), ValueError, "order 'X' is not known"),
    (lambda: lb.Array(), TypeError, "creation functions"),
    (lambda: x().__array_namespace__(api_version="1999.01"), ValueError, "1999.01"),
]


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case[2][:40] for case in CASES])
def test_bad_input_is_refused(number: int) -> None:
    compute, kind, message = CASES[number]
    with pytest.raises(kind, match=message) as caught:
        compute()
    assert isinstance(caught.value, LatebindError) or kind is TypeError
    assert "\n" not in str(caught.value)


def test_a_refused_operation_leaves_the_recording_in_order() -> None:
    lazy = lb.ones(3)
    doubled = lazy * 2
    for bad in (lambda: lazy + lb.ones(4), lambda: lazy.reshape(7), lambda: lazy + 2**2000, lambda: lazy[5]):
        with pytest.raises(LatebindError):
            bad()
    np.testing.assert_array_equal(doubled + lazy, [3, 3, 3])


def test_arrays_of_two_containers_do_not_mix(make_executor: Any) -> None:
    make_executor("first")
    mine = lb.ones(3)
    make_executor("second")
    yours = lb.ones(3)
    for mix in (
        lambda: mine + yours,
        lambda: lb.add(mine, yours),
        lambda: lb.where(mine > 0, mine, yours),
        lambda: lb.concat([mine, yours]),
        lambda: mine @ yours,
        lambda: mine.__setitem__(0, yours[0]),
    ):
        with pytest.raises(ContainerMismatchError, match=r"container 'first'.*container 'second'"):
            mix()
    moved = lb.asarray(np.asarray(mine))
    np.testing.assert_array_equal(moved + yours, [2, 2, 2])


def test_arrays_of_two_devices_do_not_mix(make_executor: Any) -> None:
    make_executor(devices=2)
    here, there = lb.ones(2), lb.ones(2, device="cpu:1")
    with pytest.raises(DeviceMismatchError, match="cpu:0 and another on cpu:1; move one with to_device"):
        here + there
    np.testing.assert_array_equal(here.to_device("cpu:1") + there, [2, 2])
    assert here.to_device(here.device) is here


@pytest.mark.parametrize("error", [ShapeMismatchError, DTypeMismatchError, ScalarRangeError, DeviceMismatchError])
def test_every_error_is_a_latebind_error_and_a_built_in_one(error: type[Exception]) -> None:
    assert issubclass(error, LatebindError)
    assert issubclass(error, (ValueError, TypeError, OverflowError))
