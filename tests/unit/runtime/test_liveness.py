"""What counts as alive: anything that Python still holds, and nothing else."""

from __future__ import annotations

import gc
import sys
import weakref

import numpy as np
import pytest


def multiplications(double):
    return double.executed["stablehlo::multiply"]


def test_a_deleted_array_is_not_computed(lazy_executor, double, array):
    x = array([1.0])
    y = x * 2
    del y
    np.asarray(x + 1)
    assert not multiplications(double)


def test_a_rebound_name_frees_the_old_array(lazy_executor, double, array):
    x = array([1.0])
    y = x * 2
    y = x + 1
    assert float(y[0]) == 2.0
    assert not multiplications(double)


def test_an_in_place_update_frees_the_old_value(lazy_executor, double, array):
    x = array([1.0])
    y = x * 2
    y[...] = 5.0
    assert np.asarray(y).tolist() == [5.0]
    lazy_executor.wait_device_ops()
    assert {len(one.result_types) for one in double.computations} == {1}


@pytest.mark.parametrize("container", [lambda y: [y], lambda y: (y,), lambda y: {"y": y}, lambda y: [[{"k": (y,)}]]])
def test_arrays_in_containers_are_alive(lazy_executor, double, array, container):
    x = array([1.0])
    held = container(x * 2)
    np.asarray(x + 1)
    lazy_executor.wait_device_ops()
    assert multiplications(double) == 1
    while not hasattr(held, "dtype"):
        held = next(iter(held.values() if isinstance(held, dict) else held))
    assert float(held[0]) == 2.0


def test_arrays_in_generator_frames_are_alive(lazy_executor, double, array):
    x = array([1.0])

    def generate():
        y = x * 2
        yield x + 1
        yield y

    generator = generate()
    np.asarray(next(generator))
    lazy_executor.wait_device_ops()
    assert multiplications(double) == 1
    assert float(next(generator)[0]) == 2.0


def test_arrays_in_closures_and_attributes_are_alive(lazy_executor, double, array):
    x = array([1.0])

    class Holder:
        __slots__ = ("value",)

    def make():
        y = x * 2
        return lambda: y

    closure, holder = make(), Holder()
    holder.value = x * 3
    np.asarray(x + 1)
    assert (float(closure()[0]), float(holder.value[0])) == (2.0, 3.0)
    lazy_executor.wait_device_ops()
    assert multiplications(double) == 2


def test_arrays_of_a_kept_exception_are_alive_and_right(lazy_executor, double, array):
    x = array([1.0])

    def fail():
        temporary = x * 2
        raise ValueError(temporary)

    with pytest.raises(ValueError) as caught:
        fail()
    np.asarray(x + 1)
    lazy_executor.wait_device_ops()
    assert multiplications(double) == 1
    assert float(caught.value.args[0][0]) == 2.0
    sys.last_value = caught.value
    try:
        assert float((x + 3)[0]) == 4.0
    finally:
        del sys.last_value


def test_a_garbage_cycle_changes_the_outputs_only(executor, double, array):
    x = array([1.0])
    results = []
    gc.disable()
    try:
        for collect in (False, True):
            cycle = {"array": x * 2}
            cycle["self"] = cycle
            del cycle
            if collect:
                gc.collect()
            results.append(float((x + 1)[0]))
    finally:
        gc.enable()
    assert results == [2.0, 2.0]
    assert multiplications(double) <= 2
    assert executor.metrics.counter("CachedCompile") == 1  # a superset of the outputs is a hit


def test_the_base_of_a_view_that_is_gone_is_no_output(executor, double, array):
    x = array([[1.0, 2.0], [3.0, 4.0]])

    def doubled_and_turned():
        total = x + 1
        return total.T[0] * 2

    result = doubled_and_turned()
    assert np.asarray(result).tolist() == [4.0, 8.0]
    assert len(double.computations[-1].result_types) == 1


def test_a_view_that_is_held_keeps_its_base(executor, double, array):
    base = array([1.0, 2.0, 3.0]) + 0
    view = base[1:]
    del base
    other = view + 1
    view[0] = 7.0
    assert np.asarray(view).tolist() == [7.0, 3.0]
    assert np.asarray(other).tolist() == [3.0, 4.0]


def test_a_weak_reference_does_not_keep_an_array_alive(lazy_executor, double, array):
    x = array([1.0])
    y = x * 2
    reference = weakref.ref(y)
    del y
    np.asarray(x + 1)
    assert not multiplications(double)
    assert reference() is None


def test_slots_of_rebound_arrays_do_not_count_as_live(executor, double, array):
    x = array([1.0, 2.0])
    for _ in range(10):
        x += 1
    assert None in executor.ground().tape().arrays
    assert np.asarray(x).tolist() == [11.0, 12.0]
    assert len(double.computations[0].result_types) == 1


def test_temporaries_in_the_middle_of_an_expression_are_alive(any_executor, array):
    x = array([1.0, 2.0])
    assert np.asarray((x + 1) * float((x * 3)[1])).tolist() == [12.0, 18.0]


def test_a_recording_keeps_no_array_alive_after_it_ran(any_executor, array):
    x = array(np.ones(8))
    y = x + 1
    np.asarray(y)
    any_executor.wait_device_ops()
    references = weakref.ref(x), weakref.ref(y)
    del x, y
    gc.collect()
    assert [reference() for reference in references] == [None, None]


def test_an_error_keeps_no_frame_alive(executor, double, array):
    double.fails_on = "stablehlo::divide"
    x = array([1.0])
    bad = x / 2

    class Witness:
        pass

    def read():
        witness = Witness()
        reference = weakref.ref(witness)
        with pytest.raises(RuntimeError):
            np.asarray(bad)
        return reference

    reference = read()
    gc.collect()
    assert reference() is None
