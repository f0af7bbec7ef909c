"""What is said of a name that a module does not have."""

from __future__ import annotations

import sys
from typing import Final

import numpy as np

#: What other libraries call ours.
_ELSEWHERE: Final = {"jit": "compile", "tensor": "asarray", "block_until_ready": "wait_device_ops"}


def missing_name(module: str, name: str) -> AttributeError:
    """Return the error for a name that one of latebind's namespaces lacks.

    Python adds the nearest name that there is where it prints the error; finding it here would make `hasattr` slow,
    with which libraries look at a namespace.

    Parameters
    ----------
    module
        `"latebind"`, or one of its namespaces: `"latebind.numpy"`, `"latebind.linalg"`, ...
    name
    """
    message = f"module {module!r} has no attribute {name!r}"
    inner = module.removeprefix("latebind").lstrip(".")
    if module == "latebind.numpy":
        if _is_numpys("", name):
            message += (
                "; NumPy has it: use NumPy's on values, np.asarray(x), or another function of docs/numpy-coverage.md"
            )
    elif inner != "random" and _is_numpys(inner, name):
        message += (
            "; its names are those of the array API standard, and NumPy's are in "
            f"{module.replace('latebind', 'latebind.numpy')}"
        )
    elif module == "latebind" and name in _ELSEWHERE:
        message += f"; what others call {name} is {_ELSEWHERE[name]} here"
    return AttributeError(message, name=name, obj=sys.modules.get(module))


def _is_numpys(inner: str, name: str) -> bool:
    return not name.startswith("_") and name in vars(getattr(np, inner) if inner else np)
