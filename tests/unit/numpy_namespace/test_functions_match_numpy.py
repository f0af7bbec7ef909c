"""Every function gives NumPy's result: values, dtypes, shapes and kinds of errors."""

from __future__ import annotations

import warnings
from typing import Any

import numpy
import pytest
from tests.unit.numpy_namespace.array_expressions import ARRAYS
from tests.unit.numpy_namespace.conftest import container_of
from tests.unit.numpy_namespace.samples import samples
from tests.unit.numpy_namespace.value_expressions import VALUES
from tests.unit.numpy_namespace.write_expressions import REFUSED, WRITES

import latebind.numpy as lazy_numpy
from latebind.array.array import Array
from latebind.errors import ShapeMismatchError

EXPRESSIONS = {**ARRAYS, **VALUES}
ALL = [expression for expressions in EXPRESSIONS.values() for expression in expressions]


def evaluate(np: Any, text: str, values: dict[str, Any]) -> Any:
    """Run the statements before the last semicolon, return the value of the expression after it."""
    *statements, expression = text.split("; ")
    names = {"np": np, **values}
    with numpy.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for statement in statements:
            exec(statement, names)
        return eval(expression, names)


def lazy(values: dict[str, numpy.ndarray]) -> dict[str, Any]:
    return {name: lazy_numpy.array(value) for name, value in values.items()}


def assert_same(ours: Any, theirs: Any) -> None:
    """Compare results of any structure.

    Values may differ by 64 units in the last place of the dtype, relative to the largest: sums run in another order,
    and engines have their own elementary functions. float16 accumulates in float32 where NumPy does so partly.
    """
    if isinstance(theirs, (tuple, list)):
        assert len(ours) == len(theirs)
        for one, other in zip(ours, theirs, strict=True):
            assert_same(one, other)
        return
    if not isinstance(theirs, (numpy.ndarray, numpy.generic)) or isinstance(theirs, bytes):
        found = ours.item() if isinstance(ours, Array) else ours
        assert found == theirs or (found != found and theirs != theirs)
        return
    assert isinstance(ours, (Array, numpy.generic, numpy.ndarray)), type(ours)
    assert ours.shape == theirs.shape
    assert ours.dtype == theirs.dtype
    host = numpy.asarray(ours)
    if theirs.dtype.kind not in "fc":
        numpy.testing.assert_array_equal(host, theirs)
        return
    finite = numpy.abs(theirs[numpy.isfinite(theirs)])
    allowed = 64 * float(numpy.finfo(theirs.dtype).eps)
    scale = float(finite.max()) if finite.size else 0.0
    numpy.testing.assert_allclose(host, theirs, rtol=allowed, atol=allowed * min(scale, 1.0))


@pytest.mark.parametrize("expression", ALL)
def test_a_function_gives_numpy_s_result(container: Any, expression: str) -> None:
    values = samples()
    assert_same(evaluate(lazy_numpy, expression, lazy(values)), evaluate(numpy, expression, values))


@pytest.mark.parametrize("section", sorted(EXPRESSIONS))
def test_numpy_s_own_functions_on_lazy_arrays_give_the_same(container: Any, section: str) -> None:
    for expression in EXPRESSIONS[section]:
        values = samples()
        assert_same(evaluate(numpy, expression, lazy(values)), evaluate(numpy, expression, values))


@pytest.mark.parametrize("statements", WRITES)
def test_a_write_changes_what_numpy_changes(container: Any, statements: str) -> None:
    values = samples()
    assert_same(evaluate(lazy_numpy, statements, lazy(values)), evaluate(numpy, statements, values))


@pytest.mark.parametrize("expression", REFUSED)
def test_what_numpy_refuses_is_refused_with_the_same_kind_of_error(container: Any, expression: str) -> None:
    values = samples()
    with pytest.raises((TypeError, ValueError, IndexError)) as expected:
        evaluate(numpy, expression, values)
    kinds = tuple(kind for kind in (TypeError, ValueError, IndexError) if isinstance(expected.value, kind))
    with pytest.raises(kinds):
        numpy.asarray(evaluate(lazy_numpy, expression, lazy(values)))


@pytest.mark.slow
@pytest.mark.parametrize("section", [*sorted(EXPRESSIONS), "writes"])
def test_xla_gives_numpy_s_results(containers: dict[str, Any], section: str) -> None:
    with container_of(containers, "xla"):
        for expression in WRITES if section == "writes" else EXPRESSIONS[section]:
            ours = evaluate(lazy_numpy, expression, lazy(samples()))
            assert_same(ours, evaluate(numpy, expression, samples()))


def test_labels_are_broadcast_along_with_numbers() -> None:
    x = lazy_numpy.arange(3.0)
    number, column, label, nothing = numpy.broadcast_arrays(x, [[1], [2]], "name", None)
    assert isinstance(number, Array) and isinstance(column, Array)
    assert number.shape == column.shape == label.shape == nothing.shape == (2, 3)
    assert set(label.flat) == {"name"} and set(nothing.flat) == {None}
    with pytest.raises(ShapeMismatchError, match="broadcast"):
        numpy.broadcast_arrays(x, ["a", "b"])


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
@pytest.mark.parametrize("windows", [0, 2**22])
def test_a_kernel_s_nan_stays_out_of_what_it_does_not_overlap(
    monkeypatch: pytest.MonkeyPatch, mode: Any, windows: int
) -> None:
    """Both ways to convolve: window by window, and by adding up shifted vectors."""
    monkeypatch.setattr("latebind.numpy.calculus._WINDOWS", windows)
    x, kernel = numpy.arange(1.0, 7.0), numpy.array([1.0, numpy.nan, 2.0])
    for name in ("convolve", "correlate"):
        ours = getattr(lazy_numpy, name)(lazy_numpy.asarray(x), kernel, mode)
        numpy.testing.assert_array_equal(ours, getattr(numpy, name)(x, kernel, mode))
    truths = numpy.array([True, False, False, True, False]), numpy.array([True, True])
    ours = lazy_numpy.convolve(*map(lazy_numpy.asarray, truths), mode)
    numpy.testing.assert_array_equal(ours, numpy.convolve(*truths, mode))
    assert ours.dtype == numpy.convolve(*truths, mode).dtype


def test_special_values_stay_where_they_are() -> None:
    z = numpy.array([complex(numpy.nan, 1.26), complex(-numpy.inf, 0.55), complex(2.25, numpy.inf)])
    numpy.testing.assert_array_equal(lazy_numpy.round(lazy_numpy.asarray(z), 1), numpy.round(z, 1))
    broken = numpy.full((2, 3, 3), numpy.nan)
    power = lazy_numpy.linalg.matrix_power(lazy_numpy.asarray(broken), 0)
    numpy.testing.assert_array_equal(power, numpy.linalg.matrix_power(broken, 0))
    for singular in (numpy.zeros((2, 2)), numpy.ones((2, 2))):
        for order in (None, 1, numpy.inf):
            ours = lazy_numpy.linalg.cond(lazy_numpy.asarray(singular), order)
            assert float(ours) > 1e15
    among = lazy_numpy.isin(lazy_numpy.asarray(z), numpy.array([1j, complex(-numpy.inf, 0.55)]))
    numpy.testing.assert_array_equal(among, [False, True, False])
