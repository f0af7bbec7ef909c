"""The child of a probe: it makes one backend, runs a small program on it, and compares each result with NumPy's.

It reads its orders from standard input and tells what it does in lines of JSON, so that whoever started it knows how
far it came if an engine takes the process down or never returns.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from time import perf_counter
from typing import Any, Final, TextIO, TypeAlias

import numpy as np

Say: TypeAlias = Callable[..., None]

#: The backends that interpret a graph at first have compiled it after so many rounds.
_ROUNDS: Final = 10
_TOLERANCE: Final = {"float64": 1e-12, "float32": 1e-5, "int64": 0.0}


@dataclass(frozen=True, slots=True)
class Check:
    """One program: what it is called, the dtype, and the function, given a namespace and two operands."""

    name: str
    dtype: str
    function: Callable[[Any, Any, Any], Any]


def _elementwise(xp: Any, a: Any, b: Any) -> Any:
    return xp.sin(a) * 2 + xp.sqrt(b) / 3 - xp.where(a < b, a, b)


def _integers(xp: Any, a: Any, b: Any) -> Any:
    return (a * 3 - b) // 2 + xp.where(a < b, a, b)


def _matmul(xp: Any, a: Any, b: Any) -> Any:
    return xp.matmul(a, b)


def _reduction(xp: Any, a: Any, b: Any) -> Any:
    return xp.sum(a * b, axis=0) + xp.max(a) - xp.min(b)


def _checks() -> Iterator[Check]:
    for dtype in ("float64", "float32", "int64"):
        yield Check("elementwise", dtype, _integers if dtype == "int64" else _elementwise)
        yield Check("matmul", dtype, _matmul)
        yield Check("reduction", dtype, _reduction)


#: The operands are whole numbers, so that matrix products are exact whatever the engine multiplies with.
CHECKS: Final = tuple(_checks())


def operands(dtype: str) -> tuple[Any, Any]:
    """Return the two operands of a check, `(16, 16)`."""
    count = np.arange(256).reshape(16, 16)
    return (count % 7).astype(dtype), (count % 5 + 1).astype(dtype)


def run_check(namespace: Any, check: Check) -> str | None:
    """Run a check, recorded and compiled, and return how its result differs from NumPy's, or `None`.

    Parameters
    ----------
    namespace
        The array namespace of the container that is tested; `compile` is latebind's.
    check
    """
    from latebind import compile

    host = operands(check.dtype)
    expected = check.function(np, *host)
    recorded = [namespace.asarray(each) for each in host]
    result = None
    for _ in range(_ROUNDS):
        result = check.function(namespace, *recorded)
        problem = _difference(np.asarray(result), expected, check.dtype)
        if problem is not None:
            return problem
    compiled = compile(lambda a, b: check.function(namespace, a, b))
    problem = _difference(np.asarray(compiled(*recorded)), expected, check.dtype)
    return None if problem is None else f"under compile: {problem}"


def _difference(actual: np.ndarray[Any, Any], expected: np.ndarray[Any, Any], dtype: str) -> str | None:
    if actual.dtype != expected.dtype or actual.shape != expected.shape:
        return f"gave {actual.dtype}{list(actual.shape)} instead of {expected.dtype}{list(expected.shape)}"
    tolerance = _TOLERANCE[dtype]
    wrong = ~np.isclose(actual, expected, rtol=tolerance, atol=tolerance, equal_nan=True)
    if not wrong.any():
        return None
    place = tuple(map(int, np.argwhere(wrong)[0]))
    count = int(wrong.sum())
    return f"{count} of {wrong.size} values are wrong, the first at {list(place)}: {actual[place]!s} instead of " + str(
        expected[place]
    )


def run(orders: dict[str, Any], say: Say) -> None:
    """Do what the orders say, and tell each step.

    Parameters
    ----------
    orders
        `backend`, its name; `configured`, whether it is the one of the configuration, with its options and the file
        `config`; `self_test`, whether the checks run.
    say
        Called with an event's name and what there is to say of it.
    """
    from latebind.errors import BackendUnavailableError, LatebindError

    try:
        container = _container(orders)
        backend = container.backend()
        say("loaded", devices=[str(device) for device in backend.backend_devices()], report=backend.metric_report())
        if orders["self_test"]:
            _run_checks(container, say)
        say("closing")
        container.close()
        say("done")
    except BackendUnavailableError as error:
        say("unavailable", message=str(error))
    except LatebindError as error:
        say("failed", message=f"{type(error).__name__}: {error}")
    except Exception as error:
        say("failed", message=f"{type(error).__name__}: {error}")


def _container(orders: dict[str, Any]) -> Any:
    from latebind.containers import Container, build_container
    from latebind.settings import load_settings

    if orders["configured"]:
        return build_container(orders["config"])
    settings = load_settings(None, {"backend": orders["backend"]}, environ={}, dotenv=None)
    return Container(name=orders["backend"], settings=settings)


def _run_checks(container: Any, say: Say) -> None:
    for check in CHECKS:
        label = f"{check.name} {check.dtype}"
        say("checking", name=label)
        start = perf_counter()
        try:
            problem = run_check(container.namespace(), check)
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        say("checked", name=label, problem=problem, seconds=perf_counter() - start)


def _private_output() -> TextIO:
    """Return what was standard output, for us alone; what engines print goes to standard error."""
    stream = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return stream


def main() -> None:
    """Read the orders from standard input and carry them out."""
    output = _private_output()

    def say(event: str, **details: object) -> None:
        output.write(json.dumps({"event": event, **details}) + "\n")
        output.flush()

    orders = json.load(sys.stdin)
    faulthandler.enable()
    run(orders, say)
