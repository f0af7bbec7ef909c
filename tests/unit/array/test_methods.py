"""NumPy's methods of arrays do what NumPy's do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import latebind as lb
from latebind.errors import DTypeMismatchError, ShapeMismatchError

CALLS: list[Callable[[Any], Any]] = [
    lambda x: x.sum(),
    lambda x: x.sum(0),
    lambda x: x.sum(axis=-1, dtype=np.float32, keepdims=True),
    lambda x: x.prod(1),
    lambda x: x.mean(0),
    lambda x: x.mean(1, np.float32),
    lambda x: x.std(ddof=1),
    lambda x: x.var(0, ddof=1),
    lambda x: x.var(0, np.float32),
    lambda x: x.min(),
    lambda x: x.max(1, keepdims=True),
    lambda x: (x > 2).any(0),
    lambda x: (x > -1).all(),
    lambda x: x.argmax(),
    lambda x: x.argmin(1, keepdims=True),
    lambda x: x.cumsum(),
    lambda x: x.cumsum(0),
    lambda x: x.cumprod(1, np.float64),
    lambda x: x.reshape(3, 2),
    lambda x: x.reshape((3, 2)),
    lambda x: x.reshape([-1]),
    lambda x: x.reshape(-1, 1, order="C"),
    lambda x: x.ravel(),
    lambda x: x.flatten(),
    lambda x: x.transpose(),
    lambda x: x.transpose(None),
    lambda x: x.transpose(1, 0),
    lambda x: x.transpose((1, 0)),
    lambda x: x.swapaxes(0, -1),
    lambda x: x[:1].squeeze(),
    lambda x: x[:1].squeeze(axis=0),
    lambda x: x.clip(1, 3),
    lambda x: x.clip(min=2),
    lambda x: x.clip(max=2),
    lambda x: (x / 3).round(),
    lambda x: (x / 3).round(2),
    lambda x: (x * 31).round(-1),
    lambda x: x.dot(x.T),
    lambda x: x.dot(2),
    lambda x: (x * 1j).conj(),
    lambda x: (x * 1j).imag,
    lambda x: (x * 1j).real,
    lambda x: x.argsort(),
    lambda x: x.argsort(axis=0, kind="stable"),
    lambda x: x.argsort(axis=None),
    lambda x: x.nonzero()[0],
    lambda x: x.take([0, 2], axis=1),
    lambda x: x.take([5, 0]),
    lambda x: x.repeat(2),
    lambda x: x.repeat([1, 2], axis=0),
    lambda x: x.astype(np.int8),
    lambda x: x.astype("f4"),
    lambda x: x.copy(),
    lambda x: divmod(x, 2)[0],
    lambda x: divmod(7, x + 1)[1],
    lambda x: abs(-x),
    lambda x: +x,
    lambda x: x.T,
    lambda x: x.mT,
]


@pytest.mark.parametrize("call", CALLS)
def test_a_method_gives_what_numpy_s_gives(call: Callable[[Any], Any]) -> None:
    host = np.array([[3.0, 1.0, 2.0], [0.0, 5.0, 4.0]])
    expected, found = call(host), call(lb.asarray(host))
    assert isinstance(found, lb.Array)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-6)  # float32 sums in another order


def test_sort_and_fill_work_in_place() -> None:
    host = np.array([[3, 1, 2], [0, 5, 4]])
    lazy = lb.asarray(host)
    view = lazy[0]
    assert lazy.sort() is None
    host.sort()
    np.testing.assert_array_equal(lazy, host)
    np.testing.assert_array_equal(view, host[0])
    lazy.sort(axis=0)
    host.sort(axis=0)
    np.testing.assert_array_equal(lazy, host)
    assert lazy.fill(7) is None
    np.testing.assert_array_equal(view, [7, 7, 7])


def test_out_takes_arrays_of_both_kinds() -> None:
    lazy, target, host = lb.arange(4.0), lb.zeros(()), np.zeros(())
    assert lazy.sum(out=target) is target
    assert lazy.mean(out=host) is host
    assert (float(target), float(host)) == (6.0, 1.5)
    with pytest.raises(ShapeMismatchError, match="sum"):
        lazy.sum(out=lb.zeros(3))
    with pytest.raises(DTypeMismatchError, match=r"same_kind"):
        lazy.mean(out=np.zeros((), np.int64))


def test_what_is_not_supported_says_so() -> None:
    lazy = lb.arange(4.0)
    with pytest.raises(ShapeMismatchError, match="order 'X' is not known"):
        lazy.ravel(order="X")  # type: ignore[arg-type]
    with pytest.raises(DTypeMismatchError, match="bits cannot be read as another dtype"):
        lazy.view(np.int64)
    with pytest.raises(DTypeMismatchError, match="cannot be made read-only"):
        lazy.setflags(write=False)
    with pytest.raises(DTypeMismatchError, match="casting rule 'safe'"):
        lazy.astype(np.float32, casting="safe")
