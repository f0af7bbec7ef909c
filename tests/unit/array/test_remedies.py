"""A message says what to do: what to write instead, or what was meant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import latebind as lb
import latebind.numpy as xp
from latebind.errors import CaptureError, LatebindError


def x() -> Any:
    return lb.ones((2, 3))


def delete_element() -> None:
    del x()[0]


CASES: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: lb.zeros(2, dtype="flot32"), TypeError, "did you mean 'float32'"),
    (lambda: x().astype("flot32"), TypeError, "did you mean 'float32'"),
    (lambda: lb.zeros(2, dtype="thing"), TypeError, "there is no such dtype"),
    (lambda: lb.asarray(["1", "2"]), TypeError, "text is no number: convert it first"),
    (lambda: lb.sin(None), TypeError, r"np\.asarray\(x, dtype=float\)"),
    (lambda: lb.asarray(np.zeros(2, "M8[D]")), TypeError, r"astype\('int64'\)"),
    (lambda: lb.asarray(np.zeros(2, [("a", float)])), TypeError, "fields one by one"),
    (lambda: lb.full(3, [1, 2]), ValueError, r"full: a fill value of shape \(2,\) does not broadcast to shape \(3,\)"),
    (lambda: lb.full_like(x(), [1, 2]), ValueError, r"full_like: a fill value of shape \(2,\)"),
    (delete_element, ValueError, r"use latebind\.numpy\.delete"),
    (lambda: x().reshape(-1, -1), ValueError, "one extent at most may be -1"),
    (lambda: x().reshape(4, -1), ValueError, "6 elements do not divide by 4"),
    (lambda: x() & x(), TypeError, "not defined for float64, float64, but for boolean and integer numbers: convert"),
    (lambda: -lb.asarray([True]), TypeError, "use the `~` operator"),
    (lambda: lb.roll(x(), 1.5), TypeError, "roll: shift has to be an integer, got 1.5"),
    (lambda: lb.std(x(), correction="a"), TypeError, "std: correction has to be a number, got 'a'"),
    (lambda: f"{x():.2f}", TypeError, r"is for one number, and the array has shape \(2, 3\)"),
    (lambda: xp.einsum("ij,jk", x()), ValueError, "'ij,jk' has subscripts of 2 operands, .* but got 1"),
    (lambda: xp.einsum("i$", x()), ValueError, "letters name axes"),
    (lambda: xp.einsum("ijk->i", x()), ValueError, r"shape \(2, 3\) does not fit .* name 3 axes"),
    (lambda: xp.einsum("ij->k", x()), ValueError, "name 'k', which no operand has"),
    (lambda: xp.einsum("ij->ii", x()), ValueError, "name an axis twice"),
    (lambda: lb.random.default_rng(-1), ValueError, "a seed is an integer from 0 on, .* got -1"),
    (lambda: lb.random.default_rng("seven"), TypeError, "a seed is an integer from 0 on, .* got 'seven'"),
    (lambda: lb.compile(3), TypeError, r"compile\(f\), not compile\(f\(x\)\)"),
    (lambda: lb.concatenate, AttributeError, r"NumPy's are in latebind\.numpy"),
    (lambda: lb.linalg.norm, AttributeError, r"NumPy's are in latebind\.numpy\.linalg"),
    (lambda: lb.fft.fft2, AttributeError, r"NumPy's are in latebind\.numpy\.fft"),
    (lambda: lb.jit, AttributeError, "what others call jit is compile here"),
    (lambda: lb.array([1, 2]), TypeError, r"latebind\.asarray makes arrays"),
    (lambda: lb.sync([x()]), TypeError, r"sync takes arrays, got list: write sync\(x, y\)"),
    (lambda: lb.concat(3), TypeError, r"takes a sequence of arrays, got 3: write concat\(\[x, y\]\)"),
    (lambda: xp.concatenate(3), TypeError, r"takes a sequence of arrays, got 3: write concatenate\(\[x, y\]\)"),
    (lambda: xp.busday_count, AttributeError, "NumPy has it: .*docs/numpy-coverage.md"),
]


@pytest.mark.parametrize(("call", "error", "remedy"), CASES)
def test_a_mistake_is_refused_with_what_to_do(call, error, remedy):
    with pytest.raises(error, match=remedy):
        call()


@pytest.mark.parametrize("module", [lb, xp, lb.random])
def test_an_unknown_name_comes_with_what_python_finds_the_nearest_one_by(module):
    name, misspelt = ("normal", "nromal") if module is lb.random else ("zeros", "zeross")
    with pytest.raises(AttributeError) as raised:
        getattr(module, misspelt)
    assert raised.value.name == misspelt
    assert name in dir(raised.value.obj)


@pytest.mark.parametrize(
    ("make", "kind"), [("def f(x): yield x", "a generator"), ("async def f(x): return x", "a coroutine")]
)
def test_a_function_whose_body_runs_after_the_call_is_not_captured(make, kind):
    names: dict[str, Any] = {}
    exec(make, names)
    with pytest.raises(TypeError, match=f"cannot capture f: it is {kind}"):
        lb.compile(names["f"])


@pytest.mark.parametrize("static", [True, False])
def test_an_argument_that_cannot_be_compared_is_named(static):
    class Odd:
        __hash__ = None  # type: ignore[assignment]

    step = lb.compile(lambda x, sizes: x, static_argnames="sizes" if static else None)
    with pytest.raises(CaptureError, match=f"the {'static ' if static else ''}argument sizes of .* unhashable"):
        step(x(), Odd())


def test_a_boolean_index_inside_a_captured_function_is_told_from_a_branch():
    with pytest.raises(CaptureError, match=r"where\(\) instead of a branch on values or of x\[mask\]"):
        lb.compile(lambda x: x[x > 0])(x())


def test_text_is_in_no_array_as_in_none_of_numpys():
    assert "a" not in x()
    assert 1.0 in x()


def test_a_width_pads_the_text_of_an_array():
    assert f"{lb.ones(2):>12}" == f"{np.ones(2)!s:>12}"


def test_refusals_of_dtypes_are_latebinds_own():
    with pytest.raises(LatebindError):
        x().astype("flot32")
