"""In-place operators keep the array's dtype and shape, and refuse what NumPy refuses."""

from __future__ import annotations

import itertools
import operator
from typing import Any

import numpy as np
import pytest

import latebind as lb
from latebind.array import dtypes
from latebind.errors import DTypeMismatchError, LatebindError, ShapeMismatchError

OPERATORS = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "//=": operator.ifloordiv,
    "%=": operator.imod,
    "**=": operator.ipow,
    "&=": operator.iand,
    "|=": operator.ior,
    "^=": operator.ixor,
    "<<=": operator.ilshift,
    ">>=": operator.irshift,
}


@pytest.mark.parametrize("symbol", OPERATORS)
def test_every_pair_of_dtypes(symbol: str) -> None:
    function = OPERATORS[symbol]
    for first, second in itertools.product(dtypes.ALL, repeat=2):
        host, other = np.full(2, 3).astype(first), np.full(2, 1).astype(second)
        lazy = lb.asarray(host)
        try:
            function(host, other)
        except TypeError:
            with pytest.raises(DTypeMismatchError):
                function(lazy, lb.asarray(other))
            np.testing.assert_array_equal(lazy, host)  # nothing happened
            continue
        result = function(lazy, lb.asarray(other))
        assert result is lazy
        assert lazy.dtype == first
        np.testing.assert_array_equal(lazy, host, err_msg=f"{first} {symbol} {second}")


@pytest.mark.parametrize("scalar", [True, 2, 1.5, 1j, np.float64(2), np.int8(2)], ids=repr)
@pytest.mark.parametrize("symbol", ["+=", "*=", "/=", "**="])
def test_scalars(symbol: str, scalar: Any) -> None:
    function = OPERATORS[symbol]
    for dtype in dtypes.ALL:
        host = np.full(2, 3).astype(dtype)
        lazy = lb.asarray(host)
        try:
            function(host, scalar)
        except TypeError:
            with pytest.raises(LatebindError):
                function(lazy, scalar)
            continue
        function(lazy, scalar)
        assert lazy.dtype == dtype
        np.testing.assert_array_equal(lazy, host)


def test_an_operand_broadcasts_but_the_array_does_not_grow() -> None:
    lazy = lb.zeros((2, 3))
    lazy += lb.arange(3)
    np.testing.assert_array_equal(lazy, [[0, 1, 2]] * 2)
    with pytest.raises(ShapeMismatchError, match=r"__iadd__: the result has shape \(4, 2, 3\)"):
        lazy += lb.zeros((4, 2, 3))


def test_a_matrix_product_in_place() -> None:
    lazy, host = lb.asarray([[1.0, 2.0], [3.0, 4.0]]), np.array([[1.0, 2.0], [3.0, 4.0]])
    alias = lazy
    lazy @= lazy
    np.testing.assert_array_equal(alias, host @ host)


def test_another_name_of_the_array_sees_the_update_and_an_earlier_result_does_not() -> None:
    lazy = lb.ones(3)
    alias, doubled = lazy, lazy * 2
    lazy += 1
    assert alias is lazy
    np.testing.assert_array_equal(doubled, [2, 2, 2])


def test_numpy_operands_on_either_side_stay_lazy() -> None:
    host, lazy = np.arange(3.0), lb.ones(3)
    for result in (host + lazy, lazy + host, host @ lazy, lazy - host.tolist(), tuple(host) * lazy):
        assert isinstance(result, lb.Array)


@pytest.mark.parametrize("other", [None, "text", object(), {1: 2}])
def test_a_foreign_operand_is_a_type_error(other: object) -> None:
    lazy = lb.ones(3)
    with pytest.raises(TypeError):
        lazy + other
    with pytest.raises(TypeError):
        lazy += other  # type: ignore[misc]
    assert (lazy == None) is False  # noqa: E711
