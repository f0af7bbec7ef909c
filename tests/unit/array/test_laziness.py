"""A call of the namespace is one record, and nothing runs until a value is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import latebind as lb

#: One record each, on a matrix and a vector.
CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "sin": lambda x, v: lb.sin(x),
    "add": lambda x, v: lb.add(x, v),
    "operator": lambda x, v: x * 2.5,
    "broadcast and promote": lambda x, v: x + lb.asarray(np.float32(1)),
    "clip": lambda x, v: lb.clip(x, 0, 1),
    "where": lambda x, v: lb.where(np.array([True, False, True]), x, 0.0),
    "sum": lambda x, v: lb.sum(x, axis=0),
    "mean": lambda x, v: lb.mean(x, axis=1, keepdims=True),
    "var": lambda x, v: lb.var(x, correction=1),
    "argmax": lambda x, v: lb.argmax(x, axis=0),
    "cumulative_sum": lambda x, v: lb.cumulative_sum(x, axis=0),
    "diff": lambda x, v: lb.diff(x, n=2),
    "sort": lambda x, v: lb.sort(x),
    "argsort": lambda x, v: lb.argsort(x, descending=True),
    "searchsorted": lambda x, v: lb.searchsorted(v, x),
    "matmul": lambda x, v: x @ v,
    "tensordot": lambda x, v: lb.tensordot(x, v, axes=1),
    "concat": lambda x, v: lb.concat([x, x, x], axis=1),
    "stack": lambda x, v: lb.stack([v, v]),
    "tile": lambda x, v: lb.tile(x, (2, 2)),
    "reshape": lambda x, v: x.reshape(-1),
    "transpose": lambda x, v: x.T,
    "view": lambda x, v: x[1:, ::2],
    "flip": lambda x, v: lb.flip(x),
    "zeros": lambda x, v: lb.zeros(3),
    "arange": lambda x, v: lb.arange(0, 1, 0.1),
    "linspace": lambda x, v: lb.linspace(0, 1, 5),
    "eye": lambda x, v: lb.eye(3),
    "tril": lambda x, v: lb.tril(x),
    "astype": lambda x, v: lb.astype(x, lb.float32),
    "in place": lambda x, v: x.__iadd__(1),
    "assignment": lambda x, v: x.__setitem__(0, 1),
    "integer array": lambda x, v: x[np.array([0, 1])],
}


@pytest.mark.parametrize("kind", CALLS)
def test_a_call_is_one_record(executor: Any, kind: str) -> None:
    x, v = lb.asarray(np.arange(9.0).reshape(3, 3)), lb.asarray([0.5, 1.5, 2.5])
    tape = executor.ground().tape()
    result = CALLS[kind](x, v)
    assert len(tape.records) == 1
    assert executor.metrics.counter("Recordings") == 0
    del result


def test_every_record_remembers_the_user_s_line(executor: Any) -> None:
    x, v = lb.asarray(np.arange(9.0).reshape(3, 3)), lb.asarray([0.5, 1.5, 2.5])
    x + 1  # from now on, both operators have signatures for these types, and take the short path
    x @ v
    x += 1
    x += 1
    x @ v
    x[0]
    np.sin(x)
    x.sum()
    lb.concat([x, x])
    lb.zeros(3)
    tape = executor.ground().tape()
    assert {code.co_filename for code in tape.codes} == {__file__}


def test_indices_that_are_data_record_their_check(executor: Any) -> None:
    x, index = lb.arange(5), lb.asarray([1])
    tape = executor.ground().tape()
    before = len(tape.records)
    x[index]
    assert len(tape.records) == before + 2
    assert len(tape.checks) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda step: lb.full(8, step),
        lambda step: lb.arange(step, step + 8),
        lambda step: lb.linspace(0, step, 8),
        lambda step: lb.eye(8, k=step % 5)[0],
        lambda step: lb.tril(lb.ones((8, 8)), k=step % 5)[0],
        lambda step: lb.clip(lb.ones(8), 0, step),
        lambda step: lb.where(lb.ones(8) > 0, step, 0),
        lambda step: lb.asarray(step) * lb.ones(8),
    ],
)
def test_numbers_that_vary_compile_nothing_new_from_the_third_step_on(make_executor: Any, make: Any) -> None:
    executor = make_executor(interpretations=0)
    counts = []
    for step in range(1, 8):
        np.asarray(make(step))
        counts.append(sum(executor.metrics.counter(one) for one in ("UncachedCompile", "ScalarPromotion")))
    assert counts[2] == counts[-1]


def test_compiled_functions_take_numbers_as_parameters() -> None:
    @lb.compile
    def scaled(x: Any, factor: float, offset: int) -> Any:
        return lb.clip(x * factor, 0, 10) + lb.full(x.shape, offset) + lb.eye(2, k=offset)[0]

    x = lb.asarray([1.0, 2.0])
    for factor, offset in ((2.0, 1), (3.5, 0), (-1.0, 1)):
        expected = np.clip(np.array([1.0, 2.0]) * factor, 0, 10) + offset + np.eye(2, k=offset)[0]
        np.testing.assert_array_equal(scaled(x, factor, offset), expected)
    assert scaled.captures == 1
