"""`compile(fn)`: captured once per signature, run without recording, with the effects of the function itself."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import latebind as lb
from latebind.array.capture import compile
from latebind.errors import CaptureError, OutOfBoundsError

SIZE = 4096


@pytest.fixture(autouse=True)
def _executor(executor):
    """All tests here run on the counting executor."""


def test_a_call_is_captured_once_and_runs_without_recording(executor, array):
    calls = []

    @compile
    def function(x, y):
        calls.append(1)
        return x * 2 + y

    for k in range(5):
        assert np.asarray(function(array([float(k)]), array([1.0]))).tolist() == [2.0 * k + 1]
    assert len(calls) == function.captures == 1
    assert executor.metrics.counter("CapturedCalls") == 5
    assert executor.metrics.counter("UncachedCompile") == 1
    assert function.__name__ == "function"


def test_a_new_shape_dtype_or_structure_is_captured_again(array):
    @compile
    def double(tree):
        return {name: value * 2 for name, value in tree.items()}

    for tree in (
        {"a": array([1.0])},
        {"a": array([1])},
        {"a": array([1.0, 2.0])},
        {"a": array([1.0]), "b": array([3.0])},
    ):
        for _ in range(2):
            result = double(tree)
            assert {k: np.asarray(v).tolist() for k, v in result.items()} == {
                k: (np.asarray(v) * 2).tolist() for k, v in tree.items()
            }
    assert double.captures == 4


def test_pytrees_go_in_and_come_out(array):
    @compile
    def function(a, *rest, scale=1.0, **named):
        return [a * scale, (rest[0] + 1, {"n": named["n"] - 1, "none": None, "text": "t", "number": 3})], rest

    for _ in range(2):
        result, rest = function(array([1.0]), array([2.0]), scale=3.0, n=array([5.0]))
        assert np.asarray(result[0]).tolist() == [3.0]
        assert np.asarray(result[1][0]).tolist() == [3.0]
        assert np.asarray(result[1][1]["n"]).tolist() == [4.0]
        assert (result[1][1]["none"], result[1][1]["text"], result[1][1]["number"]) == (None, "t", 3)
        assert isinstance(rest, tuple)


def test_a_number_combined_with_arrays_is_traced(executor, array):
    @compile
    def step(w, rate):
        return w - rate * w

    for rate in (0.1, 0.2, 0.3, 0.4):
        np.testing.assert_array_equal(
            np.asarray(step(array([1.0, 2.0]), rate)), np.array([1.0, 2.0]) - rate * np.array([1.0, 2.0])
        )
    assert step.captures == 1
    assert executor.metrics.counter("ScalarPromotion") == 0


def test_a_number_that_python_looks_at_is_part_of_the_signature(array):
    @compile
    def power(x, n):
        out = x
        for _ in range(n - 1):
            out = out * x
        return out if n > 0 else x * 0

    for _ in range(2):
        for n in (1, 2, 3):
            assert np.asarray(power(array([2.0]), n)).tolist() == [2.0**n]
    assert power.captures == 3


def test_special_values_of_a_number_are_told_apart(array):
    import math

    @compile
    def signed(x, a):
        return x * math.copysign(1.0, a)

    assert np.asarray(signed(array([3.0]), 0.0)).tolist() == [3.0]
    assert np.asarray(signed(array([3.0]), -0.0)).tolist() == [-3.0]
    assert np.asarray(signed(array([3.0]), 1)).tolist() == [3.0]


def test_a_traced_integer_has_to_fit_at_every_call(array):
    @compile
    def add(x, n):
        return x + n

    x = array([1], np.uint8)
    assert np.asarray(add(x, 5)).tolist() == [6]
    with pytest.raises(OverflowError, match="300"):
        add(x, 300)
    assert np.asarray(add(x, 6)).tolist() == [7]


def test_writes_to_arguments_are_carried_out_at_every_call(array):
    @compile
    def update(w, g):
        w -= g
        w[0] = 0.0

    w, g = array([5.0, 5.0]), array([1.0, 1.0])
    for k in range(1, 4):
        assert update(w, g) is None
        assert np.asarray(w).tolist() == [0.0, 5.0 - k]
    assert np.asarray(g).tolist() == [1.0, 1.0]


def test_writes_to_captured_arrays_are_carried_out_at_every_call(array):
    counter = array([0.0])

    @compile
    def count(x):
        nonlocal counter
        counter += x
        return counter * 10

    for k in range(1, 4):
        assert np.asarray(count(array([1.0]))).tolist() == [10.0 * k]
        assert np.asarray(counter).tolist() == [1.0 * k]


def test_captured_arrays_are_read_anew_at_every_call(array):
    scale = array([2.0])

    @compile
    def function(x):
        return x * scale

    assert np.asarray(function(array([3.0]))).tolist() == [6.0]
    scale += 1
    assert np.asarray(function(array([3.0]))).tolist() == [9.0]
    assert function.captures == 1


def test_a_result_that_is_an_argument_is_that_argument(array):
    @compile
    def function(x, y):
        x += 1
        return x, y, x

    for _ in range(2):
        x, y = array([1.0]), array([2.0])
        a, b, c = function(x, y)
        assert a is x and b is y and c is x
        assert np.asarray(a).tolist() == [2.0]


def test_two_results_that_are_one_array_are_one_array(array):
    @compile
    def function(x):
        y = x + 1
        return y, y, y * 1

    for _ in range(2):
        a, b, c = function(array([1.0]))
        assert a is b and a is not c
        a += 1
        assert (np.asarray(b).tolist(), np.asarray(c).tolist()) == ([3.0], [2.0])


def test_a_result_that_is_a_view_of_an_argument_is_a_view(array):
    @compile
    def row(x):
        return x[1], x.T[0]

    for _ in range(2):
        x = array(np.zeros((2, 2)))
        a, b = row(x)
        a += 1
        b[...] = 7
        assert np.asarray(x).tolist() == [[7.0, 0.0], [7.0, 1.0]]
        assert np.asarray(a).tolist() == [7.0, 1.0]


def test_a_result_that_is_a_view_of_another_result_is_a_view(array):
    @compile
    def function(x):
        y = x * 2
        return y, y[1:]

    for _ in range(2):
        y, tail = function(array([1.0, 2.0, 3.0]))
        tail += 10
        assert np.asarray(y).tolist() == [2.0, 14.0, 16.0]
        y *= 0
        assert np.asarray(tail).tolist() == [0.0, 0.0]


def test_two_results_that_are_views_of_one_temporary_share_it(array):
    @compile
    def function(x):
        y = x * 2
        return y[:2], y[1:]

    for _ in range(2):
        a, b = function(array([1.0, 2.0, 3.0]))
        a += 10
        assert np.asarray(b).tolist() == [14.0, 6.0]


def test_views_as_arguments(array):
    @compile
    def update(v):
        v += 1
        return v * 2

    for _ in range(2):
        base = array([1.0, 2.0, 3.0])
        view = base[1:]
        assert np.asarray(update(view)).tolist() == [6.0, 8.0]
        assert np.asarray(base).tolist() == [1.0, 3.0, 4.0]
        assert np.asarray(view).tolist() == [3.0, 4.0]


def test_a_base_and_its_view_as_arguments(array):
    @compile
    def update(base, view):
        view += 1
        base *= 2
        return base + 0, view + 0

    for _ in range(2):
        base = array([1.0, 2.0, 3.0])
        view = base[1:]
        a, b = update(base, view)
        assert np.asarray(a).tolist() == [2.0, 6.0, 8.0] == np.asarray(base).tolist()
        assert np.asarray(b).tolist() == [6.0, 8.0] == np.asarray(view).tolist()


def test_the_same_array_passed_twice(array):
    @compile
    def update(x, y):
        x += 1
        return x * y

    a, b = array([2.0]), array([5.0])
    assert np.asarray(update(a, b)).tolist() == [15.0]
    c = array([2.0])
    assert np.asarray(update(c, c)).tolist() == [9.0]
    assert np.asarray(c).tolist() == [3.0]
    assert np.asarray(update(a, b)).tolist() == [20.0]


def test_an_argument_that_the_function_also_captures(array):
    shared = array([1.0])

    @compile
    def function(x):
        x += 1
        return shared * 10

    assert np.asarray(function(shared)).tolist() == [20.0]
    other = array([5.0])
    assert np.asarray(function(other)).tolist() == [20.0]
    assert np.asarray(other).tolist() == [6.0]
    assert np.asarray(function(shared)).tolist() == [30.0]


def test_a_captured_view_of_an_argument(array):
    base = array([1.0, 2.0])
    view = base[1:]

    @compile
    def function(x):
        x += 1
        return view * 10

    for k in (3.0, 4.0):
        assert np.asarray(function(base)).tolist() == [10 * k]


def test_reads_inside_name_their_line(array):
    @compile
    def branch(x):
        y = x + 1
        if y[0] > 0:
            return y
        return x

    @compile
    def read(x):
        return x * float(x[0])

    @compile
    def direct(x):
        return np.asarray(x)

    x = array([1.0])
    for function, offset in ((branch, 3), (read, 2), (direct, 2)):
        code = function.__wrapped__.__code__
        line = f"{code.co_filename}:{code.co_firstlineno + offset}"
        for _ in range(2):
            with pytest.raises(CaptureError, match=line):
                function(x)
    assert np.asarray(x + 1).tolist() == [2.0]


def test_an_exception_inside_leaves_everything_as_before(array):
    state = array([1.0, 2.0])
    view = state[1:]
    state += 0.0
    fail = True

    @compile
    def function(x):
        x += 100
        state.__imul__(5)
        value = view + 1
        view.__iadd__(50)
        if fail:
            raise ValueError("no")
        return value

    x = array([1.0])
    y = x + 3
    with pytest.raises(ValueError, match="no"):
        function(x)
    assert np.asarray(x).tolist() == [1.0]
    assert np.asarray(state).tolist() == [1.0, 2.0]
    assert np.asarray(view).tolist() == [2.0]
    assert np.asarray(y).tolist() == [4.0]
    fail = False
    assert np.asarray(function(x)).tolist() == [11.0]
    assert np.asarray(x).tolist() == [101.0]
    assert np.asarray(state).tolist() == [5.0, 60.0]
    assert np.asarray(view).tolist() == [60.0]


def test_a_stale_view_read_by_a_function_that_fails_stays_right(array):
    base = array([1.0, 2.0])
    view = base[1:]
    np.asarray(view)
    base += 5
    np.asarray(base)

    @compile
    def function(x):
        _ = view + x
        raise ValueError("no")

    with pytest.raises(ValueError):
        function(array([1.0]))
    assert np.asarray(view).tolist() == [7.0]


def test_nested_functions_and_recursion(array):
    @compile
    def inner(x):
        return x * 2

    @compile
    def outer(x, n):
        return inner(x) + 1 if n == 0 else outer(x, n - 1) * 1

    for _ in range(2):
        assert np.asarray(outer(array([3.0]), 2)).tolist() == [7.0]
    assert np.asarray(inner(array([3.0]))).tolist() == [6.0]


def test_methods(array):
    class Model:
        def __init__(self, k):
            self.weight = array([float(k)])

        @compile
        def forward(self, x):
            return self.weight * x

        @compile
        def train(self, x):
            self.weight -= x
            return self.weight + 0

    one, two = Model(2), Model(3)
    for _ in range(2):
        assert np.asarray(one.forward(array([5.0]))).tolist() == [10.0]
        assert np.asarray(two.forward(array([5.0]))).tolist() == [15.0]
    for k in range(1, 3):
        assert np.asarray(one.train(array([1.0]))).tolist() == [2.0 - k]
    assert np.asarray(two.weight).tolist() == [3.0]


def test_bad_indices_are_found_at_every_call(array, here):
    @compile
    def take(x, i):
        return x[i], x + 1

    x = array([1.0, 2.0])
    for index in (0, 5, 1, -3):
        taken, good = take(x, array([index]))
        if -2 <= index < 2:
            assert np.asarray(taken).tolist() == [[1.0, 2.0][index]]
        else:
            with pytest.raises(OutOfBoundsError, match=f"{here(-8)}.*index {index} is out of bounds"):
                np.asarray(taken)
        assert np.asarray(good).tolist() == [2.0, 3.0]


def test_an_execution_error_inside_names_the_line_and_poisons_dependents(double, array, here):
    @compile
    def function(x):
        return x / 2, x + 1

    double.fails_on = "stablehlo::divide"
    bad, good = function(array([1.0]))
    with pytest.raises(RuntimeError, match=f"{here(-4)}.*divide"):
        np.asarray(bad)
    assert np.asarray(good).tolist() == [2.0]


def test_metrics_count_captures(executor, array):
    function = compile(lambda x: x + 1)
    function(array([1.0]))
    function(array([1.0]))
    function(array([1]))
    assert executor.metrics.counter("Captures") == function.captures == 2


def test_pending_arguments_are_computed_first(array):
    function = compile(lambda x: x + 1)
    x = array([1.0])
    for _ in range(3):
        x = x * 2
        x = function(x)
    assert np.asarray(x).tolist() == [15.0]


def test_an_array_that_leaves_the_function_otherwise_is_refused(array):
    leaked = []

    @compile
    def function(x):
        y = x + 1
        leaked.append(y)
        return y * 2

    assert np.asarray(function(array([1.0]))).tolist() == [4.0]
    with pytest.raises(CaptureError, match="return"):
        np.asarray(leaked[0])
    with pytest.raises(CaptureError, match="return"):
        np.asarray(leaked[0] + 1)


def test_unhashable_arguments_are_refused_by_name(array):
    class Odd:
        __hash__ = None

    function = compile(lambda x, o: x + 1)
    with pytest.raises(CaptureError, match="neither traced nor compared"):
        function(array([1.0]), Odd())


def test_first_calls_of_many_threads(array):
    function = compile(lambda x, k: (x * 2 + k)[::-1])
    results, errors = {}, []
    barrier = threading.Barrier(6)
    inputs = [array([1.0, float(k)]) for k in range(6)]

    def work(k):
        try:
            barrier.wait(10)
            results[k] = [np.asarray(function(inputs[k], float(k))).tolist() for _ in range(20)]
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors
    assert results == {k: [[3.0 * k, 2.0 + k]] * 20 for k in range(6)}


def test_a_loop_of_captured_updates_does_not_overwrite_what_others_hold(array):
    @compile
    def update(w):
        w += 1.0

    w = array(np.zeros(SIZE))
    exports = []
    for _ in range(8):
        update(w)
        exports.append(np.asarray(w))
    assert [export[0] for export in exports] == [1.0 + k for k in range(8)]


def test_no_array_argument_is_fine(array):
    constant = array([2.0])
    function = compile(lambda n: constant * n)
    for n in (1.0, 2.0, 3.0):
        assert np.asarray(function(n)).tolist() == [2.0 * n]
    assert function.captures == 1


def test_a_device_barrier_inside_is_refused(executor, array):
    @compile
    def function(x):
        y = x + 1
        executor.mark_step()
        return y

    with pytest.raises(CaptureError):
        function(array([1.0]))


def test_a_later_argument_that_does_not_fit_is_refused(array):
    add = compile(lambda x, n: x + n)
    x = array(np.arange(3, dtype=np.uint8))
    assert add(x, 2).tolist() == [2, 3, 4]
    with pytest.raises(OverflowError, match="Python integer 300 is out of bounds for uint8"):
        add(x, 300)
    assert add(x, 3).tolist() == [3, 4, 5]


def test_an_array_that_the_function_makes_is_new_at_every_call(executor, array):
    host = np.array([1, 2])

    def function(a):
        made = lb.asarray(host)
        made += 1
        untouched = lb.asarray(host)
        return made + a, made, untouched

    captured = lb.compile(function)
    for _ in range(3):
        total, made, untouched = captured(array([0, 0]))
        assert np.asarray(total).tolist() == np.asarray(made).tolist() == [2, 3]
        assert np.asarray(untouched).tolist() == [1, 2]
        made += 10
        untouched += 10
    assert captured(array([0, 0]))[1] is not made
