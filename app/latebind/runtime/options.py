"""The few values of the settings that the executor needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ExecutorOptions:
    """How an executor records and runs.

    Attributes
    ----------
    eager : bool
        Run every operation at once, for debugging.
    deterministic : bool
        Never turn scalars into parameters, so that a graph is always compiled with its constants.
    fallback : "reference" or "error"
        What happens to an operation that the backend can neither lower nor decompose.
    numpy_fallback : "error" or "convert"
        What happens to a NumPy function without a lazy form: an error, or the conversion of its arrays.
    recording_limit : int
        Operations after which a recording is flushed by itself.
    asynchronous : "auto", "never" or "always"
        Whether computations of a blocking engine run on a worker thread; `auto` moves the long ones there.
    queue_size : int
        Computations that may wait for the worker before recording blocks.
    inline_below_us : float or None
        Computations expected to take less than this many microseconds run inline; `None` measures the cost of a
        hand-over to the worker and takes ten times that.
    direct : bool
        Whether programs that never repeat run operation by operation without recording, where the backend can.
    interpretations : int or None
        How often a new graph is run operation by operation before it is compiled; `None` leaves it to the backend.
    default_real, default_integral, default_complex : str
        Dtypes of arrays created without one.
    seed : int or None
        Seed of the random streams; `None` takes fresh entropy.
    source_lines : bool
        Whether messages name the user's line.
    verify : bool
        Whether every graph is verified before it is lowered; slower, for those who write rules or backends.
    progress : bool
        Whether long compilations may be shown on a terminal.
    """

    eager: bool = False
    deterministic: bool = False
    fallback: Literal["reference", "error"] = "reference"
    numpy_fallback: Literal["error", "convert"] = "error"
    recording_limit: int = 10_000
    asynchronous: Literal["auto", "never", "always"] = "auto"
    queue_size: int = 16
    inline_below_us: float | None = None
    direct: bool = True
    interpretations: int | None = None
    default_real: str = "float64"
    default_integral: str = "int64"
    default_complex: str = "complex128"
    seed: int | None = None
    source_lines: bool = True
    verify: bool = False
    progress: bool = False
