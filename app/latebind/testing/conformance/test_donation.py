"""Donation: buffers are overwritten only if nobody else sees them, and results are right when they are."""

from __future__ import annotations

import gc

import numpy as np

from latebind.backends.interface import BackendData
from latebind.testing.conformance.tools import Bench, equal


def donate(bench: Bench, data: BackendData) -> BackendData:
    """Run `x + x` over the data, as the runtime does if `can_donate` allows it, else beside it."""
    like = bench.get(data)
    gc.collect()
    donated = bench.backend.can_donate(data)
    (output,) = bench.execute(bench.doubling(like, donated=donated), data)
    assert equal(bench.get(output), like + like)
    return output


def test_donated_argument_gives_the_right_result(bench: Bench) -> None:
    array = np.arange(1000).astype(bench.dtype)
    (output,) = bench.execute(bench.doubling(array, donated=True), bench.put(array))
    assert equal(bench.get(output), array + array)


def test_donation_without_an_alias(bench: Bench) -> None:
    x, y = bench.parameter(bench.array(1, 2)), bench.parameter(bench.array(1, 2))
    computation = bench.compile([x, y], [bench.add(x, y, x)], donated=[0])
    kept = bench.put(bench.array(3, 4))
    (output,) = bench.execute(computation, bench.put(bench.array(1, 2)), kept)
    assert equal(bench.get(output), bench.array(5, 8))
    assert equal(bench.get(kept), bench.array(3, 4))


def test_donated_argument_that_is_used_last(bench: Bench) -> None:
    """The first result takes the argument's buffer although the second still needs the argument."""
    x = bench.parameter(bench.array(1, 2))
    total = bench.add(x, x)
    computation = bench.compile([x], [total, bench.add(total, x)], donated=[0], aliases=[(0, 0)])
    first, second = bench.execute(computation, bench.put(bench.array(1, 2)))
    assert equal(bench.get(first), bench.array(2, 4)) and equal(bench.get(second), bench.array(3, 6))


def test_two_donated_arguments_swap(bench: Bench) -> None:
    x, y = bench.parameter(bench.array(1, 2)), bench.parameter(bench.array(1, 2))
    computation = bench.compile([x, y], [bench.add(y, y), bench.add(x, x)], donated=[0, 1], aliases=[(0, 0), (1, 1)])
    first, second = bench.execute(computation, bench.put(bench.array(1, 2)), bench.put(bench.array(3, 4)))
    assert equal(bench.get(first), bench.array(6, 8)) and equal(bench.get(second), bench.array(2, 4))


def test_donated_argument_beside_the_results(bench: Bench) -> None:
    x, y = bench.parameter(bench.array(1, 2)), bench.parameter(bench.array(1, 2, 3))
    computation = bench.compile([x, y], [bench.add(x, x)], donated=[0, 1])
    (output,) = bench.execute(computation, bench.put(bench.array(1, 2)), bench.put(bench.array(7, 7, 7)))
    assert equal(bench.get(output), bench.array(2, 4))


def test_loop_of_donations(bench: Bench) -> None:
    one = np.ones(100, bench.dtype)
    x, y = bench.parameter(one), bench.parameter(one)
    step = bench.compile([x, y], [bench.add(x, y)], donated=[0], aliases=[(0, 0)])
    data, addend = bench.put(np.zeros(100, bench.dtype)), bench.put(one)
    for _ in range(50):
        (data,) = bench.execute(step, data, addend)
    assert equal(bench.get(data), np.full(100, 50, bench.dtype))
    assert equal(bench.get(addend), one)


def test_exported_view_never_changes(bench: Bench) -> None:
    array = np.arange(1000).astype(bench.dtype)
    data = bench.put(array)
    view = bench.backend.make_tensor_from_computation_data(data)
    donate(bench, data)
    assert equal(np.array(view), array), "an exported view changed: can_donate has to be false while it lives"


def test_exported_view_of_a_result_never_changes(bench: Bench) -> None:
    array = np.arange(1000).astype(bench.dtype)
    (output,) = bench.execute(bench.doubling(array), bench.put(array))
    view = bench.backend.make_tensor_from_computation_data(output)
    part = view[10:20]
    del view
    donate(bench, output)
    assert equal(np.array(part), (array + array)[10:20])


def test_shared_host_memory_never_changes(bench: Bench) -> None:
    array = np.arange(1000).astype(bench.dtype)
    before = array.copy()
    donate(bench, bench.put(array, copy=False))
    assert equal(array, before), "memory that the user shared was overwritten: it is not owned"


def test_read_only_host_memory_never_changes(bench: Bench) -> None:
    array = np.arange(1000).astype(bench.dtype)
    array.flags.writeable = False
    before = array.copy()
    donate(bench, bench.put(array, copy=False))
    assert equal(array, before)


def test_identity_result_outlives_its_argument(bench: Bench) -> None:
    array = np.arange(1000).astype(bench.dtype)
    x = bench.parameter(array)
    data = bench.put(array)
    (same,) = bench.execute(bench.compile([x], [x]), data)
    donate(bench, data)
    assert equal(bench.get(same), array), "a result that shares its argument's buffer was overwritten with it"


def test_argument_outlives_its_identity_result(bench: Bench) -> None:
    array = np.arange(1000).astype(bench.dtype)
    x = bench.parameter(array)
    data = bench.put(array)
    (same,) = bench.execute(bench.compile([x], [x]), data)
    donate(bench, same)
    assert equal(bench.get(data), array)


def test_identity_of_shared_memory_is_not_donated(bench: Bench) -> None:
    array = np.arange(1000).astype(bench.dtype)
    before = array.copy()
    x = bench.parameter(array)
    (same,) = bench.execute(bench.compile([x], [x]), bench.put(array, copy=False))
    donate(bench, same)
    assert equal(array, before)


def test_equal_results_are_apart(bench: Bench) -> None:
    array = np.arange(1000).astype(bench.dtype)
    x = bench.parameter(array)
    total = bench.add(x, x)
    first, second = bench.execute(bench.compile([x], [total, total]), bench.put(array))
    donate(bench, first)
    assert equal(bench.get(second), array + array)


def test_constant_result_is_not_overwritten(bench: Bench) -> None:
    computation = bench.compile([], [bench.constant(1, 2)])
    for _ in range(3):
        (output,) = bench.execute(computation)
        donate(bench, output)
    assert equal(bench.get(bench.execute(computation)[0]), bench.array(1, 2))


def test_fresh_data_may_be_donated_or_not_but_says_so(bench: Bench) -> None:
    data = bench.put(bench.array(1, 2))
    assert isinstance(bench.backend.can_donate(data), bool)
    shared = bench.put(np.arange(1000).astype(bench.dtype), copy=False)
    if not shared.owned:
        assert not bench.backend.can_donate(shared), "data that latebind does not own is never donated"
