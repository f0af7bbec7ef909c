"""Random programs of views, writes and in-place operations leave the values that NumPy's leave.

Every array of a program is compared with NumPy's twin, a view with a view. Arithmetic is on int64, so that results are
exact; new arrays are made row-major, as latebind's are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from tests.property.comparison import assert_same
from tests.property.strategies import examples
from tests.unit.backends.tiered.tiers import AlternatingTiers

import latebind as lb
from latebind.backends.numpy.backend import NumpyBackend
from latebind.runtime import current
from latebind.runtime.executor import LazyGraphExecutor
from latebind.runtime.options import ExecutorOptions

MODES: dict[str, dict[str, Any]] = {
    "compiled": {"interpretations": 0},
    "interpreted": {"interpretations": 1_000_000},
    "queued": {"interpretations": 0, "asynchronous": "always"},
    "eager": {"eager": True},
    "flushed": {"interpretations": 1, "recording_limit": 3},
    "switching": {"interpretations": 6},
    "alternating tiers": {"recording_limit": 5},
}


@pytest.fixture(params=sorted(MODES), scope="module", autouse=True)
def mode(request: pytest.FixtureRequest) -> Iterator[str]:
    """Run all programs in each way of running."""
    backend = AlternatingTiers() if request.param == "alternating tiers" else NumpyBackend()
    executor = LazyGraphExecutor(backend, name=request.param, options=ExecutorOptions(**MODES[request.param]))
    token = current.set_current(lambda: executor)
    yield request.param
    current.reset_current(token)
    executor.close()
    backend.prepare_to_exit()


@dataclass
class Twins:
    """An array of NumPy's and what should be its equal."""

    host: np.ndarray
    lazy: Any

    def check(self) -> None:
        assert_same(self.lazy, self.host)


def _start(data: st.DataObject) -> Twins:
    shape = data.draw(npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
    host = np.arange(int(np.prod(shape)), dtype=np.int64).reshape(shape)
    return Twins(host, lb.asarray(host))


def _index(data: st.DataObject, twins: Twins) -> Twins:
    key = data.draw(npst.basic_indices(twins.host.shape, min_dims=0, max_dims=4, allow_newaxis=True))
    # NumPy's full integer index gives a scalar, no view; with an ellipsis it is a view as ours is.
    key = (*(key if isinstance(key, tuple) else (key,)),)
    if not any(entry is Ellipsis for entry in key):
        key = (*key, Ellipsis)
    return Twins(twins.host[key], twins.lazy[key])


def _permute(data: st.DataObject, twins: Twins) -> Twins:
    order = data.draw(st.permutations(range(twins.host.ndim)))
    return Twins(twins.host.transpose(order), lb.permute_dims(twins.lazy, order))


def _reshape(data: st.DataObject, twins: Twins) -> Twins:
    shape = data.draw(st.sampled_from([(-1,), (1, -1), (-1, 1), twins.host.shape[::-1], (2, -1)]))
    try:
        return Twins(twins.host.reshape(shape), lb.reshape(twins.lazy, shape))
    except ValueError:
        return twins


def _flip(data: st.DataObject, twins: Twins) -> Twins:
    # NumPy's flip of a 0-d array gives a scalar, no view.
    return Twins(np.flip(twins.host), lb.flip(twins.lazy)) if twins.host.ndim else twins


def _squeeze(data: st.DataObject, twins: Twins) -> Twins:
    return Twins(twins.host.squeeze(), twins.lazy.squeeze())


def _transpose(data: st.DataObject, twins: Twins) -> Twins:
    return Twins(twins.host.T, twins.lazy.T)


def _sum(data: st.DataObject, twins: Twins) -> Twins:
    # A sum without dimensions is a number in both, which nothing updates in place; its copy is an array.
    total = twins.lazy + twins.lazy
    return Twins(np.array(twins.host + twins.host, order="C"), total if twins.host.ndim else total.copy())


def _copy(data: st.DataObject, twins: Twins) -> Twins:
    return Twins(twins.host.copy(order="C"), twins.lazy.copy())


def _add_in_place(data: st.DataObject, twins: Twins) -> Twins:
    twins.host += 3
    lazy = twins.lazy
    lazy += 3
    return twins


def _multiply_by_itself_in_place(data: st.DataObject, twins: Twins) -> Twins:
    twins.host *= twins.host
    lazy = twins.lazy
    lazy *= lazy
    return twins


def _assign(data: st.DataObject, twins: Twins) -> Twins:
    key = data.draw(npst.basic_indices(twins.host.shape, min_dims=0, max_dims=4, allow_newaxis=True))
    value = data.draw(st.integers(-9, 9))
    twins.host[key] = value
    twins.lazy[key] = value
    return twins


def _assign_reversed(data: st.DataObject, twins: Twins) -> Twins:
    """Source and target overlap."""
    if twins.host.ndim:
        twins.host[...] = twins.host[::-1]
        twins.lazy[...] = twins.lazy[::-1]
    return twins


def _assign_where(data: st.DataObject, twins: Twins) -> Twins:
    twins.host[twins.host > 4] = -1
    twins.lazy[twins.lazy > 4] = -1
    return twins


def _assign_by_indices(data: st.DataObject, twins: Twins) -> Twins:
    if twins.host.ndim and twins.host.shape[0]:
        indices = np.array(data.draw(st.lists(st.integers(0, twins.host.shape[0] - 1), min_size=1, max_size=3)))
        value = data.draw(st.integers(-9, 9))
        twins.host[indices] = value
        twins.lazy[lb.asarray(indices)] = value
    return twins


def _sort(data: st.DataObject, twins: Twins) -> Twins:
    if twins.host.ndim:
        twins.host.sort()
        twins.lazy.sort()
    return twins


def _mark_step(data: st.DataObject, twins: Twins) -> Twins:
    lb.mark_step()
    return twins


def _read(data: st.DataObject, twins: Twins) -> Twins:
    twins.check()
    return twins


STEPS: list[Callable[[st.DataObject, Twins], Twins]] = [
    _index,
    _permute,
    _reshape,
    _flip,
    _squeeze,
    _transpose,
    _sum,
    _copy,
    _add_in_place,
    _multiply_by_itself_in_place,
    _assign,
    _assign_reversed,
    _assign_where,
    _assign_by_indices,
    _sort,
    _mark_step,
    _read,
]


@examples(0.8)
@given(data=st.data())
def test_program(data: st.DataObject) -> None:
    arrays = [_start(data)]
    for _ in range(data.draw(st.integers(1, 12), label="steps")):
        step = data.draw(st.sampled_from(STEPS), label="step")
        arrays.append(step(data, data.draw(st.sampled_from(arrays))))
    for twins in arrays:
        twins.check()
