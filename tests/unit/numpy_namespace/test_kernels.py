"""`import latebind.numpy as np` runs unmodified numerical kernels, with NumPy's results."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from tests.unit.numpy_namespace.kernels import KERNELS

import latebind.numpy as lazy_numpy

#: Up to 60 dependent steps in float64, each of which may round differently: sums of products in another order, and an
#: engine's own elementary functions. Integers and decisions have to be equal.
TOLERANCE = 1e-11


def assert_equal_results(ours: Any, theirs: Any) -> None:
    assert type(theirs) is not tuple or len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        if isinstance(other, (tuple, list)):
            assert_equal_results(one, other)
            continue
        expected = numpy.asarray(other)
        found = numpy.asarray(one)
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        if expected.dtype.kind in "fc":
            numpy.testing.assert_allclose(found, expected, rtol=TOLERANCE, atol=TOLERANCE)
        else:
            numpy.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("name", KERNELS)
def test_a_kernel_gives_numpy_s_results(any_container: Any, name: str) -> None:
    assert_equal_results(KERNELS[name](lazy_numpy), KERNELS[name](numpy))


@pytest.mark.parametrize("name", ["heat", "conjugate_gradient"])
def test_a_kernel_reads_what_it_decides_on_and_nothing_else(container: Any, name: str) -> None:
    metrics = container.metrics()
    before = metrics.timers().get("TransferFromDeviceTime", (0, 0.0))[0]
    KERNELS[name](lazy_numpy)
    reads = metrics.timers().get("TransferFromDeviceTime", (0, 0.0))[0] - before
    assert 0 < reads <= {"heat": 6, "conjugate_gradient": 41}[name]
