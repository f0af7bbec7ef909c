"""Running a drawn program on the backend under test, comparing, and printing it as a script."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import numpy as np

from latebind.testing.conformance.programs.drawing import Drawing, Variable

#: What differs by less than this many times the bound on the error counts as equal: the bound is of first order.
SLACK: Final = 4

_SCRIPT: Final = """\
import numpy as np

import latebind as lb


def program():
{body}
    return {{{results}}}


def values(container):
    with container:
        return {{name: np.asarray(array) for name, array in program().items()}}


reference = lb.build_container(backend="numpy")
tested = {tested}
{setup}wanted, found = values(reference), values(tested)
for name in wanted:
    print(name, "reference:", wanted[name].tolist(), "tested:", found[name].tolist(), sep="\\n    ")
"""


def script(lines: Sequence[str], names: Sequence[str], tested: str, setup: str = "") -> str:
    """Return a program as a script that prints its values on the reference and on the tested backend.

    Parameters
    ----------
    lines
        The program.
    names
        Its variables at the end.
    tested
        Expression for the container under test.
    setup
        Statement that follows it.
    """
    return _SCRIPT.format(
        body="\n".join(f"    {line}" for line in lines) or "    pass",
        results=", ".join(f"{name!r}: {name}" for name in names),
        tested=tested,
        setup=f"{setup}\n" if setup else "",
    )


def run(lines: Sequence[str], namespace: dict[str, Any], current: AbstractContextManager[object]) -> None:
    """Run a program's lines."""
    with current:
        for line in lines:
            exec(line, namespace)


def first_difference(drawing: Drawing, found: dict[str, Any]) -> str:
    """Return what differs from the reference in the first variable that does, or an empty string."""
    for variable in drawing.variables:
        wanted = np.asarray(drawing.names[variable.name])
        message = _difference(variable, wanted, np.asarray(found[variable.name]))
        if message:
            return f"{variable.name} {message}"
    return ""


def _difference(variable: Variable, wanted: np.ndarray[Any, Any], found: np.ndarray[Any, Any]) -> str:
    if (found.dtype, found.shape) != (wanted.dtype, wanted.shape):
        return f"is {found.dtype}{list(found.shape)}, expected {wanted.dtype}{list(wanted.shape)}"
    error = variable.worth.error
    if variable.dtype.kind != "f" or not error:
        same = (found == wanted) | ((found != found) & (wanted != wanted))
    else:
        with np.errstate(all="ignore"):
            gap = np.abs(found.astype(np.float64) - wanted.astype(np.float64))
        same = (found == wanted) | (gap <= SLACK * error) | (np.isnan(found) & np.isnan(wanted))
    if np.all(same):
        return ""
    return f"is {found.tolist()}, expected {wanted.tolist()}, within {SLACK * error:.3g}"
