"""Compiled functions and repeated steps on XLA, whose computations run on while Python goes on."""

from __future__ import annotations

import numpy as np
import pytest

import latebind as lb
from latebind.errors import DonatedDataError, OutOfBoundsError

#: Calls after which a call is short.
WARM = 6
SIZE = 4096  # elements: more than what is too small to be overwritten


def test_short_calls_give_what_the_function_gives(container):
    def function(x, y, a):
        x += y * a
        return x * 2, {"y": y, "z": [y - a]}

    compiled = lb.compile(function)
    x, mirror, y = lb.zeros(3), np.zeros(3), lb.asarray([1.0, 2.0, 3.0])
    for k in range(3 * WARM):
        double, rest = compiled(x, y, k / 2)
        mirror += np.array([1.0, 2.0, 3.0]) * (k / 2)
        assert np.asarray(x).tolist() == mirror.tolist()
        assert np.asarray(double).tolist() == (mirror * 2).tolist()
        assert rest["y"] is y
        assert np.asarray(rest["z"][0]).tolist() == [1.0 - k / 2, 2.0 - k / 2, 3.0 - k / 2]
    assert compiled.captures == 1
    assert compiled._short


def test_a_donated_buffer_is_taken_over_and_an_exported_one_is_copied(container):
    step = lb.compile(lambda w: w + 1, donate_argnums=0)
    w = lb.zeros(SIZE)
    for _ in range(2 * WARM):
        old, w = w, step(w)
        with pytest.raises(DonatedDataError):
            np.asarray(old)
    assert step._short
    exports = []
    for _ in range(WARM):
        exports.append(np.asarray(w))
        w = step(w)
    assert [export[0] for export in exports] == [2.0 * WARM + k for k in range(WARM)]
    assert container.metrics().counter("DonatedBuffers") >= 2 * WARM


def test_bad_indices_and_warm_steps(container):
    x = lb.asarray([1.0, 2.0])
    for k in range(3 * WARM):
        y = x[lb.asarray([k % 3])] * 2
        z = x + k
        lb.mark_step()
        assert np.asarray(z).tolist() == [1.0 + k, 2.0 + k]
        if k % 3 < 2:
            assert np.asarray(y).tolist() == [2.0 + 2 * (k % 3)]
        else:
            with pytest.raises(OutOfBoundsError):
                np.asarray(y)


def test_warm_steps_of_in_place_updates(container):
    w = lb.zeros(SIZE)
    exports = []
    for k in range(4 * WARM):
        w += 1.0
        lb.mark_step()
        if k >= 2 * WARM:
            exports.append(np.asarray(w))
    assert [export[0] for export in exports] == [2.0 * WARM + 1 + k for k in range(2 * WARM)]
    assert container.metrics().counter("DonatedBuffers") >= WARM
