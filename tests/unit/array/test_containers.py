"""Arrays of two containers do not meet, wherever they are handed over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import latebind as lb
from latebind.containers import build_container
from latebind.errors import ContainerMismatchError


@pytest.mark.parametrize(
    "mix",
    [
        lambda x, y: x + y,
        lambda x, y: lb.where(x > 0, x, y),
        lambda x, y: x[y > 0],
        lambda x, y: x.__setitem__(y > 0, 1),
        lambda x, y: x.__setitem__(slice(None), y),
        lambda x, y: x.__iadd__(y),
        lambda x, y: np.sin(x, out=y),
        lambda x, y: lb.concat([x, y]),
    ],
)
def test_arrays_of_two_containers_are_an_error_that_names_both(mix: Callable[[Any, Any], Any]) -> None:
    one, two = (build_container(backend="numpy", name=name) for name in ("one", "two"))
    x, y = one.namespace().ones(3), two.namespace().ones(3)
    with pytest.raises(ContainerMismatchError, match=r"'one'.*'two'|'two'.*'one'"):
        mix(x, y)
    assert x.tolist() == y.tolist() == [1, 1, 1]
    one.close()
    two.close()
