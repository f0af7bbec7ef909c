"""What a notebook shows of an array; nothing is computed for it."""

from __future__ import annotations

import numpy as np
import pytest

import latebind as lb
from latebind.errors import LatebindError


def shown(array: lb.Array) -> dict[str, str]:
    return array._repr_mimebundle_()


def test_an_array_that_is_not_computed_stays_so(runs):
    x = lb.ones((2, 3)) + 1.0
    bundle = shown(x)
    assert bundle["text/plain"] == "<latebind.Array float64[2, 3] on cpu:0, backend 'numpy': not computed>"
    for part in ("float64[2, 3]", "cpu:0", "numpy", "not computed"):
        assert part in bundle["text/html"]
    assert runs == []


def test_a_computed_array_is_shown_with_its_values():
    x = lb.ones((2,)) + 1.0
    lb.sync(x)
    bundle = shown(x)
    assert bundle["text/plain"].endswith(": computed>\n[2., 2.]")
    assert "[2., 2.]" in bundle["text/html"]


def test_what_python_prints_elsewhere_stays():
    x = lb.asarray([1.0, 2.0]) * 2.0
    assert repr(x) == "Array([2., 4.], dtype=float64)"
    assert str(x) == "[2. 4.]"


def test_values_of_a_large_array_are_not_fetched():
    x = lb.asarray(np.zeros(300_000))
    assert shown(x)["text/plain"] == "<latebind.Array float64[300000] on cpu:0, backend 'numpy': computed>"


def test_a_view_whose_base_was_written_to_is_not_taken_again(runs):
    x = lb.asarray([1.0, 2.0, 3.0])
    view = x[1:]
    x[1] = 5.0
    runs.clear()
    assert "a view, taken again when it is used" in shown(view)["text/plain"]
    assert runs == []


def test_an_array_whose_computation_failed_says_so():
    x = lb.linalg.cholesky(lb.asarray([[1.0, 2.0], [2.0, 1.0]])) + 1.0
    with pytest.raises((LatebindError, np.linalg.LinAlgError)):
        print(x)
    assert "its computation failed" in shown(x)["text/plain"]


def test_arrays_inside_compile_are_said_to_be_captured():
    seen: list[str] = []

    @lb.compile
    def f(x: lb.Array) -> lb.Array:
        y = x * 2.0
        seen.extend((shown(x)["text/plain"], shown(y)["text/plain"]))
        return y

    f(lb.asarray([1.0]))
    assert all("being captured by compile()" in text for text in seen)
