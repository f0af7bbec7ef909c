"""Ctrl-C wherever it comes leaves recordings consistent; what is computed afterwards is right."""

from __future__ import annotations

import linecache
import os
import sys

import numpy as np
import pytest

import latebind

PACKAGE = os.path.dirname(os.path.abspath(latebind.__file__))


class Interrupt:
    """Raises KeyboardInterrupt at the n-th line of the package that runs.

    Lines that take a lock are passed over: leaving the block is a line event of its own before the lock is released,
    where a trace function can raise but a signal cannot arrive.
    """

    def __init__(self, countdown):
        self.countdown = countdown

    def __enter__(self):
        sys.settrace(self._call)
        return self

    def __exit__(self, *_):
        sys.settrace(None)

    def _call(self, frame, event, argument):
        name = frame.f_code.co_filename
        return self._line if name.startswith(PACKAGE) and self.countdown > 0 else None

    def _line(self, frame, event, argument):
        if event == "line" and self.countdown > 0:
            if linecache.getline(frame.f_code.co_filename, frame.f_lineno).lstrip().startswith("with "):
                return self._line
            self.countdown -= 1
            if not self.countdown:
                raise KeyboardInterrupt
        return self._line


def interrupted(countdown, function):
    """Return whether the function was interrupted."""
    try:
        with Interrupt(countdown):
            function()
    except KeyboardInterrupt:
        return True
    return False


def everywhere(make, check, *, limit, step=1):
    """Interrupt a fresh program at every `step`-th line until it ends uninterrupted."""
    for countdown in range(1, limit, step):
        state = make()
        hit = interrupted(countdown, state[0])
        check(*state[1:], hit)
        if not hit:
            return countdown
    raise AssertionError("the program did not end")


def test_an_interrupted_operator_records_all_or_nothing(executor, array):
    def make():
        x = array([1.0, 2.0])
        y = x + 1
        return lambda: y * 2.0 - x, x, y

    def check(x, y, hit):
        assert np.asarray(y + x).tolist() == [3.0, 5.0]
        assert np.asarray(y * 3).tolist() == [6.0, 9.0]

    assert everywhere(make, check, limit=2000) > 10


def test_an_interrupted_write_happens_or_does_not(executor, array):
    def make():
        base = array(np.zeros(4)) + 0.0
        view, other = base[1:3], base[2:]

        def write():
            view.__iadd__(1.0)

        return write, base, view, other

    def check(base, view, other, hit):
        first = np.asarray(base).tolist()
        assert first in ([0.0] * 4, [0.0, 1.0, 1.0, 0.0])
        assert np.asarray(view).tolist() == first[1:3]
        assert np.asarray(other).tolist() == first[2:]
        base += 1
        assert np.asarray(view).tolist() == [one + 1 for one in first[1:3]]

    assert everywhere(make, check, limit=5000) > 10


@pytest.mark.parametrize("interpretations", [0, 1_000_000])
def test_an_interrupted_read_can_be_repeated(make_executor, array, interpretations):
    def make():
        make_executor(interpretations=interpretations)
        x = array([1.0, 2.0])
        y = x * 2.0 + 1.0
        z = y - x
        return lambda: np.asarray(y), x, y, z

    def check(x, y, z, hit):
        assert np.asarray(y).tolist() == [3.0, 5.0]
        assert np.asarray(z).tolist() == [2.0, 3.0]
        assert np.asarray(x + y).tolist() == [4.0, 7.0]

    everywhere(make, check, limit=100_000, step=29)


def test_an_interrupted_donation_is_right_or_an_error(executor, array):
    def make():
        x = array(np.zeros(4096))
        for _ in range(5):
            x += 1.0
            executor.mark_step()
        x += 1.0
        return executor.mark_step, x

    def check(x, hit):
        try:
            value = np.asarray(x)[0]
        except RuntimeError as error:
            assert "interrupted" in str(error)
        else:
            assert value == 6.0
        assert np.asarray(array([1.0]) + 1).tolist() == [2.0]

    everywhere(make, check, limit=5000, step=3)


def test_an_interrupted_submission_hangs_nobody(make_executor, array):
    def make():
        executor = make_executor(asynchronous="always")
        x = array([1.0])
        y = x + 1
        return executor.mark_step, executor, x, y

    def check(executor, x, y, hit):
        executor.wait_device_ops()
        try:
            assert np.asarray(y).tolist() == [2.0]
        except RuntimeError as error:
            assert "interrupted" in str(error) or "lost" in str(error)
        assert np.asarray(x * 3).tolist() == [3.0]

    everywhere(make, check, limit=100_000, step=37)


def test_an_interrupted_capture_leaves_everything_as_before(executor, array):
    from latebind.array.capture import compile

    state = array([1.0, 2.0])

    def make():
        @compile
        def function(x):
            state.__iadd__(x)
            return state * 2

        state[...] = 1.0
        np.asarray(state)
        x = array([1.0, 1.0])
        return lambda: function(x), function, x

    def check(function, x, hit):
        before = np.asarray(state).tolist()
        assert before in ([1.0, 1.0], [2.0, 2.0])
        assert np.asarray(function(x)).tolist() == [2 * (one + 1) for one in before]

    everywhere(make, check, limit=100_000, step=61)
