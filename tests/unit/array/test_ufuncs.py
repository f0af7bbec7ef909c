"""NumPy's ufuncs and functions on lazy arrays stay lazy, or write where `out=` says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import latebind as lb
from latebind.array.rules.elementwise import UFUNCS
from latebind.errors import ContainerMismatchError, DTypeMismatchError, LatebindError, ShapeMismatchError


@pytest.mark.parametrize("name", sorted(UFUNCS))
def test_every_ufunc_of_the_namespace_stays_lazy(executor: Any, name: str) -> None:
    ufunc = UFUNCS[name]
    kind = np.int64 if name.startswith("bitwise") else np.float64
    hosts = [np.array([1, 2, 3]).astype(kind) / 1 if kind is np.float64 else np.array([1, 2, 3])] * ufunc.nin
    hosts = [host * 0.25 if kind is np.float64 and name != "acosh" else host for host in hosts]
    result = ufunc(*map(lb.asarray, hosts))
    assert isinstance(result, lb.Array)
    assert executor.metrics.counter("Recordings") == 0
    np.testing.assert_array_equal(result, ufunc(*hosts))


def test_operands_may_be_numpy_s() -> None:
    lazy, host = lb.ones(3), np.arange(3.0)
    for result in (np.add(lazy, host), np.add(host, lazy), host + lazy, host[0] + lazy, np.float64(2) * lazy):
        assert isinstance(result, lb.Array)
    np.testing.assert_array_equal(np.add(lazy, [1, 2, 3]), [2, 3, 4])
    np.testing.assert_array_equal(np.matmul(lazy, host), 3.0)
    quotient, rest = np.divmod(lb.arange(5), 2)
    np.testing.assert_array_equal(quotient, [0, 0, 1, 1, 2])
    np.testing.assert_array_equal(rest, [0, 1, 0, 1, 0])


def test_an_in_place_operator_of_numpy_changes_the_numpy_array() -> None:
    host = np.zeros(3)
    alias = host
    host += lb.arange(3)
    assert host is alias
    np.testing.assert_array_equal(alias, [0, 1, 2])
    assert type(host) is np.ndarray


def test_out_of_numpy_keeps_numpy_s_casting_rule() -> None:
    host = np.zeros(3, np.int64)
    with pytest.raises(TypeError, match="same_kind"):
        np.add(lb.ones(3), 0.5, out=host)
    np.add(lb.ones(3), 0.5, out=host, casting="unsafe")
    np.testing.assert_array_equal(host, [1, 1, 1])
    assert np.add.reduce(lb.ones(3), out=(total := np.zeros(()))) is total
    assert total == 3


def test_out_of_ours_is_written_and_recorded(executor: Any) -> None:
    lazy, target = lb.arange(3.0), lb.zeros(3, dtype=lb.float32)
    view = target[1:]
    assert np.sin(lazy, out=target) is target
    assert executor.metrics.counter("Recordings") == 0
    np.testing.assert_array_equal(target, np.sin(np.arange(3.0)).astype(np.float32))
    np.testing.assert_array_equal(view, target[1:])
    np.add(np.ones(3), np.ones(3), out=target)
    np.testing.assert_array_equal(target, [2, 2, 2])


def test_out_of_ours_follows_the_rules_of_in_place_operations() -> None:
    with pytest.raises(DTypeMismatchError, match="float64, which an array of int64 cannot hold"):
        np.sin(lb.arange(3), out=lb.zeros(3, dtype=lb.int64))
    with pytest.raises(ShapeMismatchError, match=r"shape \(3,\), which does not fit into the array of shape \(2,\)"):
        np.add(lb.ones(3), 1, out=lb.zeros(2))


def test_outputs_of_both_kinds_are_refused() -> None:
    with pytest.raises(ContainerMismatchError, match="out mixes NumPy arrays and lazy arrays"):
        np.divmod(lb.arange(3), 2, out=(np.zeros(3, np.int64), lb.zeros(3, dtype=lb.int64)))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: np.frexp(x), "np.frexp has no lazy form"),
        (lambda x: np.gcd(x, 2), "np.gcd has no lazy form"),
        (lambda x: np.gcd.outer(x, x), r"np.gcd.outer has no lazy form"),
        (lambda x: np.power.at(x, [0], 2.0), r"np.power.at has no lazy form"),
        (lambda x: np.add(x, 1, dtype=np.int64), "from dtype..float64.. to dtype..int64.."),
    ],
)
def test_what_has_no_lazy_form_is_a_type_error_that_names_it(call: Any, name: str) -> None:
    with pytest.raises(TypeError, match=name) as caught:
        call(lb.ones(3))
    assert isinstance(caught.value, LatebindError)


def test_reductions_of_ufuncs() -> None:
    host = np.arange(6.0).reshape(2, 3)
    lazy = lb.asarray(host)
    for ufunc in (np.add, np.multiply, np.maximum, np.minimum, np.logical_and, np.logical_or):
        for options in ({}, {"axis": 1}, {"axis": None}, {"axis": (0, 1), "keepdims": True}):
            result = ufunc.reduce(lazy, **options)
            assert isinstance(result, lb.Array)
            np.testing.assert_array_equal(result, ufunc.reduce(host, **options))
    np.testing.assert_array_equal(np.add.accumulate(lazy, axis=1), np.add.accumulate(host, axis=1))
    assert np.add.reduce(lazy, dtype=np.float32).dtype == np.float32


def test_foreign_operands_are_left_to_python() -> None:
    class Foreign:
        __array_ufunc__ = None

        def __radd__(self, other: object) -> str:
            return "foreign"

    assert lb.ones(3) + Foreign() == "foreign"
    with pytest.raises(TypeError):
        np.add(lb.ones(3), object())


#: NumPy functions that call the array's method of the same name.
FUNCTIONS: dict[str, Any] = {
    "sum": lambda x: np.sum(x, axis=0),
    "mean": lambda x: np.mean(x, axis=1, keepdims=True),
    "max": lambda x: np.max(x),
    "min": lambda x: np.min(x, axis=1),
    "std": lambda x: np.std(x, axis=0, ddof=1),
    "var": lambda x: np.var(x),
    "prod": lambda x: np.prod(x),
    "all": lambda x: np.all(x),
    "any": lambda x: np.any(x, axis=0),
    "argmax": lambda x: np.argmax(x),
    "argsort": lambda x: np.argsort(x, axis=0),
    "cumsum": lambda x: np.cumsum(x),
    "clip": lambda x: np.clip(x, 1, 3),
    "round": lambda x: np.round(x / 7, 2),
    "reshape": lambda x: np.reshape(x, (3, 2)),
    "transpose": lambda x: np.transpose(x),
    "squeeze": lambda x: np.squeeze(x[:1]),
    "swapaxes": lambda x: np.swapaxes(x, 0, 1),
    "repeat": lambda x: np.repeat(x, 2, axis=0),
    "take": lambda x: np.take(x, [0, 1], axis=1),
    "nonzero": lambda x: np.nonzero(x)[0],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_numpy_functions_that_call_methods_stay_lazy(name: str) -> None:
    host = np.arange(6.0).reshape(2, 3)
    result = FUNCTIONS[name](lb.asarray(host))
    assert isinstance(result, lb.Array)
    np.testing.assert_array_equal(result, FUNCTIONS[name](host))
