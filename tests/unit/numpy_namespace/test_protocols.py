"""NumPy's own functions on lazy arrays: what stays lazy, what is refused by name, and what a setting converts."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

import latebind as lb
import latebind.numpy as lnp
from latebind.containers import build_container
from latebind.errors import LatebindError


def recordings(container: Any) -> int:
    return container.metrics().counter("Recordings")  # type: ignore[no-any-return]


STAYS_LAZY: dict[str, Any] = {
    "sum": lambda x: np.sum(x, axis=(0, 1), keepdims=True),
    "concatenate": lambda x: np.concatenate([x, np.ones((1, 4)), x]),
    "stack": lambda x: np.stack([x, x]),
    "where": lambda x: np.where(x > 1, x, 0),
    "einsum": lambda x: np.einsum("ij,kj->ik", x, x),
    "linalg.norm": lambda x: np.linalg.norm(x, axis=1),
    "pad": lambda x: np.pad(x, 1, mode="reflect"),
    "median": lambda x: np.median(x, axis=0),
    "interp": lambda x: np.interp(x, [0.0, 20.0], [1.0, 2.0]),
    "isin": lambda x: np.isin(x, [1, 2]),
    "cov": lambda x: np.cov(x),
    "gradient": lambda x: np.gradient(x, axis=1),
    "tensordot": lambda x: np.tensordot(x, x, axes=([0, 1], [0, 1])),
    "argpartition": lambda x: np.argpartition(x, 2, axis=0),
    "triu": lambda x: np.triu(x, 1),
    "fft.fftshift": lambda x: np.fft.fftshift(x),
    "add.outer": lambda x: np.add.outer(x, [1, 2]),
    "heaviside": lambda x: np.heaviside(x, 0.5),
    "maximum.accumulate": lambda x: np.maximum.accumulate(x, axis=1),
    "histogram with a range": lambda x: np.histogram(x, bins=4, range=(0, 12))[0],
}


@pytest.mark.parametrize("name", STAYS_LAZY)
def test_a_function_of_numpy_is_recorded_and_runs_nothing(container: Any, name: str) -> None:
    host = np.arange(12.0).reshape(3, 4)
    lazy = lb.asarray(host)
    before = recordings(container)
    result = STAYS_LAZY[name](lazy)
    assert isinstance(result, lb.Array)
    assert recordings(container) == before
    # Twelve small numbers: a few roundings in float64.
    np.testing.assert_allclose(result, STAYS_LAZY[name](host), rtol=1e-14, atol=1e-14)


def test_numpy_arrays_and_lazy_ones_mix_in_any_order(container: Any) -> None:
    lazy, host = lnp.arange(3.0), np.arange(3.0)
    for result in (
        np.stack([host, lazy]),
        lnp.stack([host, lazy]),
        lnp.add(host, lazy),
        np.dot(host, lazy),
        host @ lazy,
    ):
        assert isinstance(result, lnp.ndarray)
    host += lazy
    assert type(host) is np.ndarray
    np.testing.assert_array_equal(host, [0, 2, 4])
    np.add.at(host, lnp.array([0, 0]), lazy[:2])
    np.testing.assert_array_equal(host, [1, 2, 4])
    np.copyto(host, lazy)
    np.testing.assert_array_equal(host, lazy)


def test_a_ufunc_with_where_and_no_out_gives_zeros_elsewhere(container: Any) -> None:
    lazy = lnp.arange(1.0, 4.0)
    np.testing.assert_array_equal(np.add(lazy, 1, where=[True, False, True]), [2, 0, 4])


def test_numbers_alone_give_numpy_s_scalars_and_lists_lazy_arrays(container: Any) -> None:
    assert type(lnp.sqrt(2.0)) is np.float64
    assert isinstance(lnp.sqrt([2.0]), lnp.ndarray)
    assert isinstance(lnp.sqrt(np.ones(2)), lnp.ndarray)
    assert isinstance(lnp.add(1, 2, out=lnp.zeros(())), lnp.ndarray)


def test_what_is_not_covered_is_a_type_error_that_names_it_and_the_remedies(container: Any) -> None:
    x = lb.ones(3)
    for call, name in (
        (lambda: np.packbits(x > 0), "np.packbits"),
        (lambda: np.emath.sqrt(x), "sqrt"),
        (lambda: np.gcd(x, 1), "np.gcd"),
    ):
        with pytest.raises(TypeError, match=f"{name} has no lazy form.*np.asarray.*numpy_fallback: convert") as caught:
            call()
        assert isinstance(caught.value, LatebindError)


def test_the_setting_converts_and_counts_each_function(container: Any) -> None:
    with build_container(backend="numpy", numpy_fallback="convert", name="converting") as converting:
        x = lb.asarray([6, 4, 9])
        result = np.packbits(x > 5)
        assert type(result) is np.ndarray
        np.testing.assert_array_equal(result, np.packbits(np.array([True, False, True])))
        np.testing.assert_array_equal(np.gcd(x, 6), [6, 2, 3])
        np.testing.assert_array_equal(np.gcd(x, 6), [6, 2, 3])
        assert isinstance(np.sum(x), lb.Array)
        counters = converting.metrics().counters()
        assert {n: c for n, c in counters.items() if n.startswith("NumpyFallback")} == {
            "NumpyFallback::packbits": 1,
            "NumpyFallback::gcd": 2,
        }
        with pytest.raises(ValueError, match="read-only"):  # a write to a converted array would be lost
            np.random.default_rng(0).shuffle(np.asarray(x))
    converting.close()


def test_arguments_of_other_libraries_are_left_to_numpy(container: Any) -> None:
    masked = np.ma.masked_array([1.0, 2.0], mask=[True, False])
    with pytest.raises(TypeError, match="no implementation found"):
        np.concatenate([lb.ones(2), masked])


def test_saving_and_printing_read_the_values(container: Any) -> None:
    x = lnp.arange(3.0)
    buffer = io.BytesIO()
    np.save(buffer, x)
    buffer.seek(0)
    loaded = lnp.load(buffer)
    assert isinstance(loaded, lnp.ndarray)
    np.testing.assert_array_equal(loaded, x)
    assert np.array2string(x) == "[0. 1. 2.]"
    text = io.StringIO()
    lnp.savetxt(text, x)
    np.testing.assert_array_equal(lnp.loadtxt(io.StringIO(text.getvalue())), x)


def test_a_function_that_numpy_does_not_know_of_is_no_attribute() -> None:
    with pytest.raises(AttributeError):
        lnp.no_such_function  # noqa: B018
    with pytest.raises(AttributeError):
        lnp.linalg.no_such_function  # noqa: B018


def test_views_share_memory_and_copies_do_not(container: Any) -> None:
    x = lnp.zeros((2, 3))
    assert np.shares_memory(x, x[0])
    assert not np.shares_memory(x, x.copy())
    assert x.T.base is x
    assert x.base is None


def test_a_row_that_a_number_selects_is_a_view_before_the_number_is_known(container: Any) -> None:
    x = lnp.arange(12.0).reshape(3, 2, 2)
    before = recordings(container)
    largest = lnp.argmax(x[:, 0, 0])
    row = x[largest]
    row += 1
    row[0, 1] = -1
    x[largest, :, 0] *= 2
    smallest = lnp.array(0)
    first = x[smallest]
    smallest += 2  # the index was taken when it was 0
    x[0] = 7
    flat = first.reshape(4)
    flat[0] = 3
    assert recordings(container) == before
    np.testing.assert_array_equal(x, [[[3, 7], [7, 7]], [[4, 5], [6, 7]], [[18, -1], [22, 12]]])
    np.testing.assert_array_equal(row, x[2])
    np.testing.assert_array_equal(first, x[0])
    with pytest.raises(IndexError, match="index 5 is out of bounds"):
        np.asarray(x[lnp.array(5)])


def test_a_captured_function_writes_through_a_row_that_a_number_selects(container: Any) -> None:
    @lb.compile
    def scaled(row: Any, table: Any, place: Any) -> Any:
        row *= 2
        chosen = table[place]
        chosen += 1
        return chosen

    x, table = lnp.ones((3, 2)), lnp.zeros((4, 2))
    for place in (1, 3):
        result = scaled(x[lnp.array(place % 3)], table, lnp.array(place))
        np.testing.assert_array_equal(result, [1, 1])
    np.testing.assert_array_equal(x, [[2, 2], [2, 2], [1, 1]])
    np.testing.assert_array_equal(table, [[0, 0], [1, 1], [0, 0], [1, 1]])


def test_integers_are_read_once_when_they_are_iterated_over(recording_container: Any) -> None:
    container = recording_container
    x = lnp.zeros((4, 2))
    before = recordings(container)
    for i in lnp.arange(1, 4):
        row = x[i]
        row += i
        row[: i - 1] = 0
    assert recordings(container) == before + 1
    np.testing.assert_array_equal(x, [[0, 0], [1, 1], [0, 2], [0, 0]])
    assert round(lnp.array(2.567).sum(), 1) == 2.6
    assert round(x.sum()) == 4


def test_default_dtypes_of_the_settings_hold_here_too() -> None:
    with build_container(backend="numpy", default_dtype={"real": "float32"}, name="short") as short:
        assert lnp.zeros(3).dtype == np.float32
        assert lnp.linspace(0, 1, 3).dtype == np.float32
    short.close()


def test_a_captured_function_sees_numbers_as_numpy_does(container: Any) -> None:
    @lb.compile
    def total(x: Any, start: Any) -> Any:
        s = x[0]
        s += start
        start += 1
        return s + start

    for _ in range(2):
        x, number, memory = lnp.arange(3.0), lnp.arange(3.0).sum(), lnp.array(3.0)
        np.testing.assert_array_equal(total(x, number), 7.0)
        np.testing.assert_array_equal(number, 3.0)
        np.testing.assert_array_equal(total(x, memory), 7.0)
        np.testing.assert_array_equal(memory, 4.0)
        np.testing.assert_array_equal(x, [0, 1, 2])


def test_random_numbers_are_those_of_latebind_random(container: Any) -> None:
    drawn = lnp.random.default_rng(1).normal(size=(2, 3))
    assert isinstance(drawn, lnp.ndarray)
    np.testing.assert_array_equal(drawn, lb.random.default_rng(1).normal(size=(2, 3)))
