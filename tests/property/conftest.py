"""An executor on the NumPy backend is the current one for the property tests, and for no others."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from latebind.backends.numpy.backend import NumpyBackend
from latebind.runtime import current
from latebind.runtime.executor import LazyGraphExecutor


@pytest.fixture(scope="module", autouse=True)
def executor() -> Iterator[LazyGraphExecutor]:
    made = LazyGraphExecutor(NumpyBackend(), name="property tests")
    token = current.set_current(lambda: made)
    yield made
    current.reset_current(token)
    made.close()
