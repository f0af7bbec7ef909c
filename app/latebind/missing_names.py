"""What is said of a name that a module does not have."""

from __future__ import annotations

import sys

import numpy as np


def missing_name(module: str, name: str) -> AttributeError:
    """Return the error for a name that one of latebind's namespaces lacks.

    Python adds the nearest name that there is where it prints the error; finding it here would make `hasattr` slow,
    with which libraries look at a namespace.

    Parameters
    ----------
    module
        `"latebind"`, `"latebind.numpy"` or `"latebind.random"`.
    name
    """
    message = f"module {module!r} has no attribute {name!r}"
    if name in vars(np) and not name.startswith("_"):
        if module == "latebind":
            message += "; its names are those of the array API standard, and NumPy's are in latebind.numpy"
        elif module == "latebind.numpy":
            message += (
                "; NumPy has it: use NumPy's on values, np.asarray(x), or another function of docs/numpy-coverage.md"
            )
    return AttributeError(message, name=name, obj=sys.modules.get(module))
