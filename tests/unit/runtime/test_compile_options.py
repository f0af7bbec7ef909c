"""`compile` with static and donated arguments, as a decorator, on methods and partials; and why it captured again."""

from __future__ import annotations

import functools

import numpy as np
import pytest

import latebind as lb
from latebind.errors import CaptureError, DonatedDataError, ExecutionError

SIZE = 4096  # elements: more than what is too small to be overwritten
CALLS = 6


@pytest.fixture
def executor(make_executor, double):
    """Runs everything in the caller's thread, however long it takes on a busy machine."""
    return make_executor(double, asynchronous="never")


@pytest.fixture(autouse=True)
def _executor(executor):
    """All tests here run on the counting executor."""


def test_the_decorator_with_and_without_arguments(array):
    @lb.compile
    def plain(x):
        return x + 1

    @lb.compile()
    def empty(x):
        return x + 1

    @lb.compile(static_argnums=1)
    def static(x, n):
        """Add n."""
        return x + n

    for _ in range(CALLS):
        assert plain(array([1.0])).tolist() == empty(array([1.0])).tolist() == static(array([1.0]), 1).tolist() == [2.0]
    assert (static.__name__, static.__doc__) == ("static", "Add n.")


def test_a_static_argument_reaches_the_function_as_it_is(array):
    kinds = []

    @lb.compile(static_argnames=("axis", "shape"))
    def function(x, axis, *, shape=(2, 2)):
        kinds.append((type(axis), type(shape)))
        return lb.sum(lb.reshape(x, shape), axis=axis)

    x = array([1.0, 2.0, 3.0, 4.0])
    for _ in range(CALLS):
        assert function(x, 0).tolist() == [4.0, 6.0]
        assert function(x, 1).tolist() == [3.0, 7.0]
        assert function(x, axis=1, shape=(1, 4)).tolist() == [10.0]
    assert kinds == [(int, tuple)] * 3
    assert function.captures == 3


def test_static_values_are_told_apart_by_type_and_bits(array):
    function = lb.compile(lambda x, n: x + len(repr(n)), static_argnums=1)
    for _ in range(CALLS):
        for value in (1, 1.0, True, 0.0, -0.0, "a", (1, 2)):
            assert function(array([0.0]), value).tolist() == [float(len(repr(value)))]
    assert function.captures == 7


def test_static_numbers_count_from_the_end_too(array):
    function = lb.compile(lambda x, n: x * n, static_argnums=-1)
    assert [function(array([1.0]), n).tolist() for n in (2, 3, 2)] == [[2.0], [3.0], [2.0]]
    assert function.captures == 2


def test_an_unhashable_static_argument_is_refused(array):
    function = lb.compile(lambda x, n: x, static_argnums=1)
    with pytest.raises(CaptureError, match="neither traced nor compared"):
        function(array([1.0]), [1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"static_argnums": 2}, "static_argnums: the function has no positional argument 2; it has 2"),
        ({"donate_argnums": (0, -3)}, "donate_argnums: the function has no positional argument -1"),
        ({"static_argnames": "z"}, "static_argnames: the function has no argument 'z'; it has x, y"),
        ({"static_argnums": 0, "donate_argnames": "x"}, "cannot be static and donated"),
    ],
)
def test_options_that_do_not_fit_the_function_are_refused(options, message):
    with pytest.raises(CaptureError, match=message):
        lb.compile(lambda x, y: x, **options)


def test_defaults_partials_methods_and_static_methods(array):
    class Model:
        def __init__(self, weight):
            self.weight = array([weight])

        @lb.compile(static_argnames="power")
        def apply(self, x, power=2):
            return self.weight * x**power

        @staticmethod
        @lb.compile
        def double(x):
            return x * 2

    one, two = Model(1.0), Model(2.0)
    scale = lb.compile(functools.partial(lambda x, *, factor: x * factor, factor=3.0))
    for _ in range(CALLS):
        assert (one.apply(array([3.0])).tolist(), two.apply(array([3.0])).tolist()) == ([9.0], [18.0])
        assert two.apply(array([3.0]), power=1).tolist() == [6.0]
        assert Model.double(array([3.0])).tolist() == one.double(array([3.0])).tolist() == [6.0]
        assert scale(array([2.0])).tolist() == [6.0]
    assert Model.apply.captures == 3


# Donation


def test_a_donated_array_that_the_function_does_not_write_is_gone(array):
    step = lb.compile(lambda w, g: w - g, donate_argnums=0)
    for _ in range(CALLS):
        w, g = array(np.ones(SIZE)), array(np.ones(SIZE))
        assert np.asarray(step(w, g))[0] == 0.0
        for use in (np.asarray, lambda x: np.asarray(x + 1), functools.partial(step, g=g)):
            with pytest.raises(DonatedDataError, match=r"donated argument w of a call of .*use what the call returned"):
                use(w)
        assert np.asarray(g)[0] == 1.0


def test_a_small_donated_array_is_gone_as_well(array):
    step = lb.compile(lambda w: w * 2, donate_argnames="w")
    for given in ({"w": array([1.0])}, {"w": array([2.0])}):
        step(**given)
        with pytest.raises(DonatedDataError, match="donated argument w"):
            np.asarray(given["w"])


def test_a_donated_array_that_the_function_writes_has_the_new_value(executor, array):
    @lb.compile(donate_argnums=0)
    def step(w, g):
        w -= g

    w, g = array(np.zeros(SIZE)), array(np.ones(SIZE))
    for _ in range(3 * CALLS):
        step(w, g)
        assert w._data.error is None
    assert np.asarray(w)[0] == -3 * CALLS
    assert executor.metrics.counter("DonatedBuffers") >= 2 * CALLS


def test_the_buffer_of_a_donated_argument_takes_the_result(executor, array):
    step = lb.compile(lambda w: w + 1, donate_argnums=0)
    w = array(np.zeros(SIZE))
    addresses = set()
    for _ in range(3 * CALLS):
        w = step(w)
        addresses.add(w._data.handle.ctypes.data)
    assert len(addresses) == 1
    assert np.asarray(w)[0] == 3.0 * CALLS
    assert executor.metrics.counter("DonatedBuffers") == 3 * CALLS


def test_calls_that_donate_become_short_and_copy_where_they_have_to(executor, array):
    @lb.compile(donate_argnums=(0, 1))
    def step(w, v, x):
        v += x
        return w + v

    x = array(np.ones(SIZE))
    w, v = array(np.zeros(SIZE)), array(np.zeros(SIZE))
    for _ in range(CALLS):
        w = step(w, v, x)
    assert step._short
    before = executor.metrics.counter("DonatedBuffers")
    old, seen = w, np.asarray(v)
    w = step(w, v, x)
    assert (seen[0], np.asarray(v)[0]) == (CALLS, CALLS + 1)
    with pytest.raises(DonatedDataError):
        np.asarray(old)
    del seen
    alias = v[:]  # a view holds the array, not its memory
    for _ in range(CALLS):
        w = step(w, v, x)
    assert np.asarray(alias)[0] == 2 * CALLS + 1
    assert np.asarray(w)[0] == sum(range(2 * CALLS + 2))
    assert executor.metrics.counter("DonatedBuffers") > before


def test_what_others_see_is_copied_and_never_overwritten(array):
    step = lb.compile(lambda w: w + 1, donate_argnums=0)
    w = array(np.zeros(SIZE))
    exports = []
    for _ in range(2 * CALLS):
        exports.append(np.asarray(w))
        w = step(w)
    assert [export[0] for export in exports] == [float(k) for k in range(2 * CALLS)]
    assert all((export == export[0]).all() for export in exports)


def test_pytrees_are_donated_whole(array):
    step = lb.compile(lambda state, x: ({name: value + x for name, value in state.items()}, x), donate_argnums=0)
    x = array([1.0])
    state = {"a": array([1.0]), "b": array([2.0])}
    new, same = step(state, x)
    assert (new["a"].tolist(), new["b"].tolist(), same.tolist()) == ([2.0], [3.0], [1.0])
    for name, value in state.items():
        with pytest.raises(DonatedDataError, match=rf"state\['{name}'\]"):
            np.asarray(value)


def test_what_is_a_result_a_view_or_another_argument_as_well_is_not_donated(array):
    returned = lb.compile(lambda w: (w, w * 2), donate_argnums=0)
    viewed = lb.compile(lambda w: w[1:], donate_argnums=0)
    added = lb.compile(lambda w, x: w + x, donate_argnums=0)
    for _ in range(CALLS):
        w = array([1.0, 2.0])
        same, double = returned(w)
        assert same is w
        assert (w.tolist(), double.tolist()) == ([1.0, 2.0], [2.0, 4.0])
        assert viewed(w).tolist() == [2.0]
        assert added(w, w).tolist() == [2.0, 4.0]
        assert added(w[:1], w[1:]).tolist() == [3.0]
        assert w.tolist() == [1.0, 2.0]


def test_a_donated_array_that_the_function_also_reads_from_outside_is_not_overwritten_meanwhile(array):
    shared = array(np.ones(SIZE))
    step = lb.compile(lambda w: (w + 1) * shared, donate_argnums=0)
    assert np.asarray(step(array(np.ones(SIZE))))[0] == 2.0
    assert np.asarray(step(shared))[0] == 2.0
    with pytest.raises(DonatedDataError):
        step(array(np.ones(SIZE)))


def test_a_donating_call_that_fails_leaves_errors_and_no_half_written_values(double, array):
    @lb.compile(donate_argnums=0)
    def step(w, x):
        w += 1
        return w / x

    w, x = array(np.zeros(SIZE)), array(np.ones(SIZE))
    for _ in range(CALLS):
        step(w, x)
    double.fails_on, double.fails_after_running = "stablehlo::divide", True
    result = step(w, x)
    double.fails_on = None
    for value in (result, w):
        with pytest.raises(ExecutionError):
            np.asarray(value)
    assert np.asarray(x)[0] == 1.0


def test_an_eager_executor_donates_nothing(make_executor, array):
    make_executor(eager=True)
    step = lb.compile(lambda w: w + 1, donate_argnums=0)
    w = array([1.0])
    assert step(w).tolist() == [2.0]
    assert w.tolist() == [1.0]


# Why it was captured again


def test_explain_names_the_first_difference_to_the_nearest_capture(array, here):
    def model(images, depth, mode="a", **extra):
        for _ in range(depth):
            images = images * 2
        return images

    looked = here(-4)
    function = lb.compile(model)
    calls = [
        lambda: function(array(np.zeros((4, 2))), 2),
        lambda: function(array(np.zeros((3, 2))), 2),
        lambda: function(array(np.zeros((3, 2))), 3),
        lambda: function(array(np.zeros((3, 2), np.float32)), 3),
        lambda: function(array(np.zeros((3, 2))), 3.5 and 3, "b"),
        lambda: function(array(np.zeros((3, 2))), 3, "c"),
        lambda: function(array(np.zeros((3, 2))), 3, "c", w=[array([1.0])]),
        lambda: function(array(np.zeros((3, 2))), np.int64(3), "c"),
    ]
    first = calls[0].__code__.co_firstlineno
    for call in calls:
        call()
        call()
    assert function.captures == len(calls)
    file = looked.rpartition(":")[0]
    assert function.explain() == [
        f"{file}:{first + 1}: images: float64[4, 2] -> float64[3, 2]",
        f"{file}:{first + 2}: depth: 2 -> 3, whose value is looked at in {looked}",
        f"{file}:{first + 3}: images: float64[3, 2] -> float32[3, 2]",
        f"{file}:{first + 4}: mode: absent -> 'b'",
        f"{file}:{first + 5}: mode: 'b' -> 'c'",
        f"{file}:{first + 6}: w[0]: absent -> float64[1]",
        f"{file}:{first + 7}: depth: int -> int64",
    ]


def test_explain_tells_of_aliasing_containers_and_arrays_from_outside(array, make_executor):
    function = lb.compile(lambda x, y: x + y)
    x, y = array([1.0]), array([1.0])
    function(x, y)
    function(x, x)
    make_executor(name="second")
    function(array([1.0]), array([1.0]))
    shared, second = function.explain()
    assert shared.endswith(": other arguments share memory, or are views, than before")
    assert "container 'test'" in second and second.endswith("container 'second' (backend 'numpy')")


def test_explain_starts_with_the_second_capture_and_ends_with_the_cache(array):
    function = lb.compile(lambda x: x + 1)
    assert function.explain() == []
    function(array([1.0]))
    function(array([1.0]))
    assert function.explain() == []
    function(array([1]))
    assert len(function.explain()) == 1
    function.cache_clear()
    assert function.explain() == []
    function(array([1.0]))
    assert (function.captures, function.explain()) == (3, [])


def test_variadic_and_nested_arguments_are_named_as_they_are_written(array):
    function = lb.compile(lambda first, *rest: rest)
    function(array([1.0]), array([1.0]), {"k": [array([1.0])]})
    function(array([1.0]), array([1.0]), {"k": [array([1])]})
    (line,) = function.explain()
    assert line.endswith(": rest[1]['k'][0]: float64[1] -> int64[1]")
