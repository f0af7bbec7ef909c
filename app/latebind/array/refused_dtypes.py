"""Why an array cannot hold a dtype, and what to do instead."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Final

import numpy as np

from latebind.ir.types import ELEMENT_NAMES

_HOLDS: Final = f"latebind arrays hold {', '.join(ELEMENT_NAMES)}"
_TEXT: Final = "text is no number: convert it first, with float(), or np.asarray(x, dtype=float)"
_DATES: Final = "make numbers of dates first: np.asarray(x).astype('int64')"
#: What to do about a kind of NumPy's dtypes.
_REMEDIES: Final = {
    "U": _TEXT,
    "S": _TEXT,
    "T": _TEXT,
    "M": _DATES,
    "m": _DATES,
    "V": "take the fields one by one: x['name']",
    "O": "an array of Python objects (None among numbers, say) has to become numbers first: np.asarray(x, dtype=float)",
    "f": "there is no extended precision: use float64",
    "c": "there is no extended precision: use complex128",
}


def refusal(dtype: object) -> str:
    """Return the message for a dtype that the IR does not know."""
    try:
        kind = np.dtype(dtype).kind  # type: ignore[call-overload]
    except TypeError:
        near = get_close_matches(str(dtype), ELEMENT_NAMES, n=1)
        remedy = f"did you mean {near[0]!r}?" if near else "there is no such dtype"
    else:
        remedy = _REMEDIES.get(kind, "")
    return f"dtype {dtype!s} is not supported: {_HOLDS}" + (f"; {remedy}" if remedy else "")
