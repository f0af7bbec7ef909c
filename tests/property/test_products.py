"""Products of matrices and tensors agree with NumPy's: exactly for integers, within rounding for floats.

The sums have at most 27 terms of magnitude 4 and may be added up in any order, so each result may be off by as many
units in the last place of the largest one. float16 is multiplied in float32 and rounded once; NumPy rounds every step.
"""

from __future__ import annotations

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.property.comparison import assert_same
from tests.property.strategies import ALL, arrays

import latebind as lb

ULPS = 64


@st.composite
def matrix_pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Operands of `matmul`: vectors, matrices and stacks that broadcast."""
    n, k, m = (draw(st.integers(0, 3)) for _ in range(3))
    leading = draw(st.sampled_from([((), ()), ((2,), (2,)), ((2,), ()), ((), (2,)), ((2, 1), (3,)), ((1,), (2,))]))
    left = (k,) if not leading[0] and draw(st.booleans()) else (*leading[0], n, k)
    right = (k,) if not leading[1] and draw(st.booleans()) else (*leading[1], k, m)
    return draw(arrays(ALL, left, tame=True)), draw(arrays(ALL, right, tame=True))


@given(pair=matrix_pairs())
def test_matmul(pair: tuple[np.ndarray, np.ndarray]) -> None:
    x, y = pair
    expected = np.matmul(x, y)
    assert_same(lb.matmul(lb.asarray(x), lb.asarray(y)), expected, ulps=ULPS)
    assert_same(lb.asarray(x) @ y, expected, ulps=ULPS)
    assert_same(x @ lb.asarray(y), expected, ulps=ULPS)


@given(x=arrays(tame=True), data=st.data())
def test_tensordot(x: np.ndarray, data: st.DataObject) -> None:
    count = data.draw(st.integers(0, x.ndim))
    summed = data.draw(st.permutations(range(x.ndim)))[:count]
    rest = data.draw(st.sampled_from([(), (2,), (2, 1)]))
    y = data.draw(arrays(ALL, (*(x.shape[axis] for axis in summed), *rest), tame=True))
    order = data.draw(st.permutations(range(y.ndim)))
    y = y.transpose(order)
    pairs = (tuple(summed), tuple(order.index(axis) for axis in range(count)))
    expected = np.tensordot(x, y, axes=pairs)
    assert_same(lb.tensordot(lb.asarray(x), lb.asarray(y), axes=pairs), expected, ulps=ULPS)


@given(x=arrays(shape=(2, 3, 2), tame=True), y=arrays(shape=(3, 2, 2), tame=True), count=st.sampled_from([0, 2]))
def test_tensordot_over_a_number_of_axes(x: np.ndarray, y: np.ndarray, count: int) -> None:
    expected = np.tensordot(x, y, axes=count)
    assert_same(lb.tensordot(lb.asarray(x), lb.asarray(y), axes=count), expected, ulps=ULPS)


@given(data=st.data())
def test_vecdot_conjugates_the_first_operand(data: st.DataObject) -> None:
    shapes = data.draw(
        st.sampled_from([((3,), (3,)), ((2, 3), (3,)), ((3, 2), (3, 2)), ((2, 1, 3), (4, 3)), ((2, 0), (2, 0))])
    )
    x, y = (data.draw(arrays(ALL, shape, tame=True)) for shape in shapes)
    axis = data.draw(st.sampled_from([-1, -2])) if shapes[0] == shapes[1] and len(shapes[0]) == 2 else -1
    assume(np.result_type(x, y).kind != "b")
    expected = np.vecdot(x, y, axis=axis)
    assert_same(lb.vecdot(lb.asarray(x), lb.asarray(y), axis=axis), expected, ulps=ULPS)


@given(x=arrays(tame=True), data=st.data())
def test_dot_method(x: np.ndarray, data: st.DataObject) -> None:
    shape = data.draw(st.sampled_from([(), x.shape[-1:], (*x.shape[-1:], 2), (2, *x.shape[-1:], 2)]))
    y = data.draw(arrays(ALL, shape, tame=True))
    try:
        expected = x.dot(y)
    except ValueError:
        assume(False)
    assert_same(lb.asarray(x).dot(lb.asarray(y)), expected, ulps=ULPS)
