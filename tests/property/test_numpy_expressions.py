"""Every function of `latebind.numpy` on arrays full of special values: NumPy's result, or both refuse.

The expressions are those of the unit tests, which name every function; here, Hypothesis fills the arrays.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.property.strategies import examples
from tests.unit.numpy_namespace.array_expressions import ARRAYS
from tests.unit.numpy_namespace.samples import samples
from tests.unit.numpy_namespace.test_functions_match_numpy import assert_same, evaluate, lazy
from tests.unit.numpy_namespace.value_expressions import VALUES
from tests.unit.numpy_namespace.write_expressions import WRITES

import latebind.numpy as lnp
from latebind.array.array import Array
from latebind.errors import LatebindError

SECTIONS = {**ARRAYS, **VALUES, "writes": WRITES}
NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, np.nan]
#: Sums of products in another order differ where there are infinities.
FINITE = ("products", "linalg", "fft", "quantiles", "calculus")
#: Points on an axis, which are different and in order.
POINTS = [-4.0, -2.5, -1.0, 0.0, 0.5, 1.0, 3.0, 7.0]
#: Sorted indices and such: their samples stay.
FIXED = "kze"

#: What NumPy does not define, or latebind documents as different, by parts of expressions.
UNDEFINED = {
    "argpartition": "order within the partitions",
    "np.argsort(": "order of equal elements, without kind='stable'",
    "x, w, v, period": "which of two equal points counts",
    "svd(x)[2].shape": "the error of a factorisation, where only the shape is asked for",
    "weights=j": "weights that add up to zero: NumPy reads them and raises, here the result is NaN",
    "np.linalg.lstsq(y.T, x.T)[1]": "residuals where the rank is not full: NumPy has none",
}


@st.composite
def special_samples(draw: st.DrawFn, finite: bool) -> dict[str, np.ndarray]:
    """The samples, with other values."""
    floats = NUMBERS if finite else [*NUMBERS, np.inf, -np.inf]
    made = {}
    for name, x in samples().items():
        if name not in FIXED:
            pool: list[Any] = {"f": floats, "b": [False, True], "i": [0, 1, 2, -1, 7, -9, 100]}.get(x.dtype.kind, [])
            if x.dtype.kind == "c":
                pool = [complex(re, im) for re in floats for im in floats]
            x = draw(hnp.arrays(x.dtype, x.shape, elements=st.sampled_from(pool), fill=st.nothing()))
        made[name] = x
    made["s"] = np.sort(draw(st.permutations(POINTS))[: samples()["s"].size])
    return made


def value(result: Any) -> Any:
    """Return the result, computed: a part of it may be refused only now."""
    if isinstance(result, Array):
        return np.asarray(result)
    return [value(one) for one in result] if isinstance(result, (tuple, list)) else result


def difference(expression: str, values: dict[str, np.ndarray]) -> str | None:
    """Return in what the results differ, or `None`."""
    try:
        expected = evaluate(np, expression, {name: x.copy() for name, x in values.items()})
    except Exception as error:
        try:
            found = value(evaluate(lnp, expression, lazy(values)))
        except (LatebindError, type(error)):
            return None
        return f"{expression}: NumPy raises {error!r}, latebind gives {found}"
    try:
        found = evaluate(lnp, expression, lazy(values))
        value(found)
        assert_same(found, expected)
    except Exception as error:
        return f"{expression}: {error!s}\n{expected}"
    return None


@pytest.mark.parametrize("section", sorted(SECTIONS))
@examples(0.1)
@given(data=st.data())
def test_special_values(section: str, data: st.DataObject) -> None:
    values = data.draw(special_samples(finite=section in FINITE))
    defined = [one for one in SECTIONS[section] if not any(part in one for part in UNDEFINED)]
    different = [text for one in defined if (text := difference(one, values))]
    assert not different, "\n\n".join(different)
