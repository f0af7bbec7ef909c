"""Calls of a compiled function that are like the ones before take a short way, which must not show."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict, namedtuple

import numpy as np
import pytest

import latebind as lb
from latebind.errors import (
    CaptureError,
    ContainerMismatchError,
    ExecutionError,
    ForkedProcessError,
    OutOfBoundsError,
    ShutdownError,
)

#: Calls after which a call is short: one captures, and the computation has to have run a few times.
WARM = 6
Pair = namedtuple("Pair", "left right")


@pytest.fixture
def executor(make_executor, double):
    """Runs everything in the caller's thread, however long it takes on a busy machine."""
    return make_executor(double, asynchronous="never")


@pytest.fixture(autouse=True)
def _executor(executor):
    """All tests here run on the counting executor."""


def is_short(function):
    return bool(function._short)


def capture_of(function):
    """Return the only capture."""
    ((capture,),) = function._captured.values()
    return capture


def warmed(function, make, calls=WARM):
    """Return the compiled function after some calls with fresh arguments."""
    compiled = lb.compile(function)
    for _ in range(calls):
        compiled(*make())
    assert is_short(compiled)
    return compiled


def write_first(x, y):
    x += y
    x[0] = 9.0
    return x * 2


def both(x, y):
    z = x + y
    return z, z, x, {"b": z * 2, "a": [y, (z - 1,), None, "text"]}


def view_of_argument(x, y):
    return x[1:], (x * y)[:1]


def views_of_one_result(x, y):
    z = x * y
    return z[:2], z[1:]


def swap(x, y):
    x[...], y[...] = y + 0, x + 0


PROGRAMS = [
    lambda x, y: x * 2 + y,
    lambda x, y: [x],
    lambda x, y: (),
    lambda x, y: {},
    lambda x, y: {"a": x + 1},
    lambda x, y: Pair(x + 1, [y * 2]),
    write_first,
    both,
    view_of_argument,
    views_of_one_result,
    swap,
    lambda x, y: lb.asarray([1.0, 2.0, 3.0]),
]


def seen(value):
    """Return a result, or an argument after a call, as plain values that compare."""
    if isinstance(value, lb.Array):
        return np.asarray(value).tolist()
    if isinstance(value, dict):
        return {key: seen(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [seen(part) for part in value]
    return value


@pytest.mark.parametrize("function", PROGRAMS)
def test_short_calls_do_what_the_function_does(array, function):
    compiled = lb.compile(function)
    for call in range(2 * WARM):
        values = [np.array([1.0, 2.0, 3.0]) + call, np.array([0.5, 0.25, 2.0])]
        expected, expected_arguments = [array(value) for value in values], None
        result = function(*expected)
        expected_arguments = seen(expected)
        given = [array(value) for value in values]
        found = compiled(*given)
        assert seen(found) == seen(result)
        assert seen(given) == expected_arguments
    assert compiled.captures == 1
    assert is_short(compiled) == bool(compiled._captured and capture_of(compiled).positions)


def test_results_are_arrays_of_their_own_and_can_be_written_to(array):
    function = warmed(lambda x: (x + 1, x), lambda: (array([1.0]),))
    x = array([1.0])
    first, same = function(x)
    second, _ = function(x)
    first += 10
    assert same is x
    assert seen((first, second, x)) == ("tuple", [[12.0], [2.0], [1.0]])


def test_two_results_that_are_one_array_stay_one(array):
    def twice(x):
        y = x + 1
        return y, y

    function = warmed(twice, lambda: (array([1.0]),))
    first, second = function(array([1.0]))
    assert first is second


@pytest.mark.parametrize(
    "tree",
    [
        lambda x: x,
        lambda x: (x, [x + 1], {"k": x + 2, "j": {1: x + 3}}),
        lambda x: Pair(x, x + 1),
        lambda x: OrderedDict(b=x, a=x + 1),
        lambda x: {"p": Pair(x, None), "q": []},
    ],
)
def test_pytrees_as_arguments(array, tree):
    import optree

    function = lb.compile(lambda t, scale: optree.tree_map(lambda leaf: leaf * scale, t))
    for call in range(2 * WARM):
        given = tree(array([float(call)]))
        expected = optree.tree_map(lambda leaf: leaf * 3.0, given)
        assert seen(function(given, 3.0)) == seen(expected)
    assert function.captures == 1
    assert is_short(function)


def test_keyword_arguments(array):
    def function(x, *, scale, shift=1.0):
        return x * scale + shift

    compiled = lb.compile(function)
    x = array([2.0])
    for _ in range(WARM):
        assert seen(compiled(x, scale=3.0)) == [7.0]
        assert seen(compiled(x, scale=3.0, shift=0.0)) == [6.0]
        assert seen(compiled(x, shift=5.0, scale=1.0)) == [7.0]
    assert compiled.captures == 2
    assert is_short(compiled)
    with pytest.raises(TypeError, match="scale"):
        compiled(x)


def test_another_type_shape_structure_or_number_of_arguments_is_told_apart(array):
    function = warmed(lambda x, *rest: (x * 2, len(rest)), lambda: (array([1.0]),))
    for given in ([1.0, 2.0], [[1.0]], 1.0):
        assert seen(function(array(given)))[1][0] == (np.array(given) * 2).tolist()
    assert function(array([1], np.int8))[0].dtype == np.int8
    assert seen(function(array([1.0]), 5)) == ("tuple", [[2.0], 1])
    assert function(3.0)[0] == 6.0
    assert seen(function([array([1.0])][0])) == ("tuple", [[2.0], 0])


def test_numbers_are_told_apart_by_type_and_those_that_are_looked_at_by_value(array):
    def signed(x, a):
        return x * math.copysign(1.0, a)

    function = warmed(signed, lambda: (array([3.0]), 0.0))
    for number, result in ((0.0, 3.0), (-0.0, -3.0), (2, 3.0), (-1.5, -3.0), (np.float32(-1), -3.0), (0.0, 3.0)):
        for _ in range(WARM):
            assert seen(function(array([3.0]), number)) == [result]
    assert function.captures == 5


def test_a_number_that_varies_is_a_parameter(executor, array):
    function = lb.compile(lambda x, a, n: x * a + n)
    for k in range(20):
        assert seen(function(array([2.0]), k / 2, k)) == [k + k]
    assert function.captures == executor.metrics.counter("UncachedCompile") == 1


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.int16, np.complex64])
def test_numbers_of_numpy_are_parameters_with_a_dtype_of_their_own(array, kind):
    function = lb.compile(lambda x, a: x * a)
    for k in range(2 * WARM):
        result = function(array([1, 2], np.int8), kind(k))
        expected = np.array([1, 2], np.int8) * kind(k)
        assert result.dtype == expected.dtype
        assert seen(result) == expected.tolist()
    assert function.captures == 1


def test_an_integer_that_does_not_fit_is_refused_at_every_call(array):
    function = warmed(lambda x, n: x + n, lambda: (array([1], np.uint8), 5))
    x = array([1], np.uint8)
    for _ in range(3):
        with pytest.raises(OverflowError, match="Python integer 300 is out of bounds for uint8"):
            function(x, 300)
        assert seen(function(x, 7)) == [8]


def test_the_same_array_passed_twice_after_two_that_were_not(array):
    def update(x, y):
        x += 1
        return x * y

    function = warmed(update, lambda: (array([2.0]), array([5.0])))
    for _ in range(WARM):
        both = array([2.0])
        assert seen(function(both, both)) == [9.0]
        assert seen(both) == [3.0]
        assert seen(function(array([2.0]), array([5.0]))) == [15.0]


def test_views_after_arrays_of_their_own(array):
    def update(v, w):
        v += 1
        return v * 2 + w

    function = warmed(update, lambda: (array([2.0, 3.0]), array([0.0, 0.0])))
    base = array([1.0, 2.0, 3.0])
    view = base[1:]
    assert seen(function(view, base[:2])) == [7.0, 11.0]
    assert seen(base) == [1.0, 3.0, 4.0]
    assert seen(view) == [3.0, 4.0]


def test_a_view_of_an_argument_sees_what_a_short_call_writes(array):
    def update(x):
        x += 1

    function = warmed(update, lambda: (array([1.0, 2.0]),))
    x = array([1.0, 2.0])
    tail = x[1:]
    function(x)
    assert seen(tail) == [3.0]
    tail += 10
    function(x)
    assert seen((x, tail)) == ("tuple", [[3.0, 14.0], [14.0]])


def test_a_number_is_not_memory(array):
    def update(t):
        t += 1
        return t

    function = lb.compile(update)
    for _ in range(WARM):
        memory = lb.asarray(5.0)
        assert function(memory) is memory
        assert seen(memory) == 6.0
        number = array([5.0])[0] + 0
        assert seen(function(number)) == 6.0
        assert seen(number) == 5.0
    assert function.captures == 2


def test_arrays_from_outside_are_read_and_written_at_every_call(array):
    total, scale = array([0.0]), array([2.0])

    def add(x):
        nonlocal total
        total += x * scale
        return total * 10

    function = lb.compile(add)
    for k in range(1, 2 * WARM):
        assert seen(function(array([1.0]))) == [20.0 * k]
    assert is_short(function)
    scale *= 0
    assert seen(function(array([1.0]))) == [20.0 * (2 * WARM - 1)]
    assert seen(function(total)) == [20.0 * (2 * WARM - 1)]  # the argument is what the function writes to
    view = total[:]
    view += 1
    assert seen(function(array([1.0])))[0] == 20.0 * (2 * WARM - 1) + 10


def test_host_arrays_are_taken_as_they_are_at_the_call(array):
    host = np.array([1.0, 2.0])

    def update(x, y):
        y += 1
        return x + y

    function = lb.compile(update)
    for k in range(2 * WARM):
        assert seen(function(array([1.0, 1.0]), host)) == [3.0 + k, 4.0 + k]
        host += 1
    assert function.captures == 1
    assert is_short(function)
    assert host.tolist() == [1.0 + 2 * WARM, 2.0 + 2 * WARM]
    assert seen(function(array([1.0]), np.array([1], np.int8)[::1])) == [3.0]


def test_recorded_and_failed_arguments(double, array):
    function = warmed(lambda x: x + 1, lambda: (array([1.0]),))
    assert seen(function(array([1.0]) * 4)) == [5.0]
    double.fails_on = "stablehlo::divide"
    bad = array([1.0]) / 0.5
    double_error = pytest.raises(ExecutionError, match="divide")
    with double_error:
        function(bad)
    with double_error:
        np.asarray(bad)


def test_a_failing_short_call_poisons_what_depends_on_the_failure(double, array, here):
    def halves(x, y):
        y += 1
        return x / 2, x + 1

    line = here(-2)
    function = warmed(halves, lambda: (array([1.0]), array([1.0])))
    double.fails_on = "stablehlo::divide"
    y = array([5.0])
    for k in range(3):
        bad, good = function(array([1.0]), y)
        with pytest.raises(ExecutionError, match=f"{line}.*divide"):
            np.asarray(bad)
        assert seen((good, y)) == ("tuple", [[2.0], [6.0 + k]])
    double.fails_on = None
    assert seen(function(array([1.0]), y)) == ("tuple", [[0.5], [2.0]])


def test_bad_indices_are_found_in_calls_of_any_kind(array):
    def take(x, i):
        return x[i]

    function = lb.compile(take)
    x = array([1.0, 2.0])
    for _ in range(WARM):
        assert seen(function(x, array([1]))) == [2.0]
        with pytest.raises(OutOfBoundsError, match="index 7 is out of bounds"):
            np.asarray(function(x, array([7])))


def test_arrays_of_another_container_are_refused(make_executor, array):
    function = warmed(lambda x, y: x + y, lambda: (array([1.0]), array([1.0])))
    here = array([1.0])
    make_executor(name="other")
    with pytest.raises(ContainerMismatchError):
        function(here, array([1.0]))
    assert seen(function(array([1.0]), array([2.0]))) == [3.0]
    assert function.captures == 2


def test_without_arrays_the_current_container_decides(executor, make_executor, array):
    function = warmed(lambda n: lb.asarray([1.0, 2.0]) * n, lambda: (3.0,))
    assert function(2.0).device == executor.ground().device
    other = make_executor(name="other")
    assert function(2.0)._tape.ground.executor is other


def test_calls_inside_another_captured_function(array):
    inner = warmed(lambda x, n: x * n, lambda: (array([1.0]), 2.0))
    outer = warmed(lambda x, n: inner(x, n) + inner(x, 1.0), lambda: (array([1.0]), 2.0))
    assert seen(outer(array([3.0]), 4.0)) == [15.0]
    assert seen(inner(array([3.0]), 4.0)) == [12.0]
    with pytest.raises(CaptureError):
        lb.compile(lambda x: float(inner(x, 2.0)[0]))(array([1.0]))


def test_a_closed_container_refuses_short_calls(executor, array):
    function = warmed(lambda x: x + 1, lambda: (array([1.0]),))
    x = array([1.0])
    executor.close()
    with pytest.raises(ShutdownError):
        function(x)


def test_a_forked_child_refuses_short_calls(executor, array):
    function = warmed(lambda x: x + 1, lambda: (array([1.0]),))
    x = array([1.0])
    executor.forked = True
    executor.stop_recording()
    with pytest.raises(ForkedProcessError):
        function(x)
    executor.forked = False


def test_an_eager_executor_calls_the_function_itself(make_executor, array):
    make_executor(eager=True)
    calls = []
    function = lb.compile(lambda x: calls.append(1) or x + 1)
    for _ in range(WARM):
        assert seen(function(array([1.0]))) == [2.0]
    assert len(calls) == WARM


@pytest.mark.parametrize("options", [{"asynchronous": "always"}, {"inline_below_us": 0.0}])
def test_what_belongs_on_the_worker_is_never_short(make_executor, array, options):
    make_executor(**options)
    function = lb.compile(lambda x: x + 1)
    x = array([0.0])
    for _ in range(2 * WARM):
        x = function(x)
    assert seen(x) == [2.0 * WARM]
    assert not is_short(function)


def test_a_computation_that_comes_to_take_long_is_not_short_any_more(make_executor, array):
    make_executor(inline_below_us=1e9)
    function = warmed(lambda x: x + 1, lambda: (array([1.0]),))
    variant = capture_of(function).structure.variants[0]
    variant.seconds = 1e6
    for _ in range(300):
        variant.seconds = 1e6
        assert seen(function(array([1.0]))) == [2.0]
        if not is_short(function):
            break
    else:
        pytest.fail("every 128th call is measured")


@pytest.mark.parametrize("calls", [1, 127, 129, 700])
def test_metrics_are_exact(executor, array, calls):
    function = lb.compile(lambda x: x + 1)
    x = array([1.0])
    for call in range(calls):
        function(x)
        if call == 150:
            assert executor.metrics.counter("CapturedCalls") == 151
    counters = executor.metrics.counters()
    assert counters["CapturedCalls"] == counters["Recordings"] == calls
    assert counters.get("CachedCompile", 0) + counters["UncachedCompile"] == calls
    assert executor.metrics.timers()["ExecuteTime"][0] == calls
    executor.metrics.reset()
    assert executor.metrics.counter("CapturedCalls") == 0
    function(x)
    del function
    assert executor.metrics.counter("CapturedCalls") == 1


def test_threads_share_short_calls(executor, array):
    def update(x, k):
        x += k
        return x * 2

    function = warmed(update, lambda: (array([1.0]), 1.0))
    before = executor.metrics.counter("CapturedCalls")
    results, errors = {}, []
    barrier = threading.Barrier(4)

    inputs = [array([0.0]) for _ in range(4)]

    def work(k):
        try:
            x = inputs[k]
            barrier.wait(10)
            results[k] = [seen(function(x, float(k))) for _ in range(300)]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors
    assert results == {k: [[2.0 * k * n] for n in range(1, 301)] for k in range(4)}
    assert executor.metrics.counter("CapturedCalls") == before + 1200


def test_many_signatures_in_turn(array):
    function = lb.compile(lambda x: x + 1)
    for _ in range(WARM):
        for size in range(1, 12):
            assert seen(function(array(np.zeros(size)))) == [1.0] * size
    assert function.captures == 11


def test_captures_are_bounded_and_the_one_in_use_stays(array):
    function = lb.compile(lambda x, n: x * n, static_argnums=1)
    x = array([1.0])
    for n in range(1, 400):
        assert seen(function(x, n)) == [float(n)]
        assert seen(function(x, 1)) == [1.0]
    assert function.captures == 399
    assert sum(map(len, function._captured.values())) <= 256


def test_a_function_that_is_dropped_frees_its_captures_at_once(array):
    import gc
    import weakref

    weight = array([1.0])
    function = warmed(lambda x: x + weight, lambda: (array([1.0]),))
    gone = weakref.ref(capture_of(function))
    gc.disable()
    try:
        function.cache_clear()
        assert gone() is None
    finally:
        gc.enable()
