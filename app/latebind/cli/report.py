"""What a run tells: its counters, its times, its results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from latebind.cli.program import Results
from latebind.profiling.profile import Profile
from latebind.profiling.sections import PHASES
from latebind.runtime.tracing import GraphText

if TYPE_CHECKING:
    from latebind.runtime.executor import LazyGraphExecutor

#: Larger results are described in JSON, not spelt out.
SPELT_OUT: Final = 100


@dataclass(frozen=True, slots=True)
class RunReport:
    """One run of a program on one backend.

    Attributes
    ----------
    program, backend, device : str
    seconds : float
        Wall-clock time of the program.
    counters : dict
        The executor's counters.
    phases : dict
        Seconds by phase.
    results : dict
        Named results in host memory.
    graphs : sequence of GraphText
        Compiled graphs, in the forms asked for.
    profile : Profile or None
        Where the time and the memory went, if that was asked for.
    ended_by : str
        What ended the program before its end; empty if nothing did.
    """

    program: str
    backend: str
    device: str
    seconds: float
    counters: dict[str, int]
    phases: dict[str, float]
    results: Results
    graphs: Sequence[GraphText]
    profile: Profile | None = None
    ended_by: str = ""

    @classmethod
    def of(
        cls,
        program: str,
        executor: LazyGraphExecutor,
        seconds: float,
        results: Results,
        profile: Profile | None = None,
    ) -> RunReport:
        """Read the executor's metrics."""
        metrics = executor.metrics
        return cls(
            program=program,
            backend=executor.backend.name,
            device=str(executor.backend.backend_device()),
            seconds=seconds,
            counters=metrics.counters(),
            phases={phase: sum(map(metrics.seconds, timers)) for phase, timers in PHASES.items()},
            results=results,
            graphs=tuple(executor.tracer.graphs),
            profile=profile,
        )

    def count(self, name: str) -> int:
        """Return a counter; 0 if nothing was counted."""
        return self.counters.get(name, 0)

    @property
    def steps(self) -> int:
        """Calls of `mark_step`, or recordings closed where the program makes none."""
        return self.count("Steps") or self.count("Recordings")

    @property
    def operations_per_step(self) -> float:
        """Operations recorded per step."""
        return self.count("RecordedOps") / max(1, self.steps)

    @property
    def overhead_us(self) -> float:
        """Microseconds of recording and dispatch per operation, with the program's own Python between operations."""
        return 1e6 * (self.phases["record"] + self.phases["dispatch"]) / max(1, self.count("RecordedOps"))

    @property
    def fallbacks(self) -> dict[str, int]:
        """Operations that ran on the reference backend, by name."""
        prefix = "Fallback::"
        return {name.removeprefix(prefix): n for name, n in self.counters.items() if name.startswith(prefix)}

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        more: dict[str, Any] = {} if self.profile is None else {"stats": self.profile.to_json()}
        if self.ended_by:
            more["ended_by"] = self.ended_by
        return {
            "program": self.program,
            "backend": self.backend,
            "device": self.device,
            "seconds": self.seconds,
            "graphs_compiled": self.count("UncachedCompile"),
            "scalar_promotions": self.count("ScalarPromotion"),
            "cache_hits": self.count("CachedCompile"),
            "operations_per_step": self.operations_per_step,
            "overhead_us_per_operation": self.overhead_us,
            "phases": self.phases,
            "counters": self.counters,
            "results": {name: _result_json(value) for name, value in self.results.items()},
            "graphs": [{"name": graph.name, "form": graph.form, "text": graph.text} for graph in self.graphs],
            **more,
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """The largest difference of one result between two runs; NaN where shapes differ or only one has it."""

    name: str
    backend: str
    absolute: float
    relative: float


def differences(reports: Sequence[RunReport]) -> list[Difference]:
    """Compare each run's results with the first run's."""
    first, *others = reports
    found = []
    for other in others:
        for name in dict.fromkeys((*first.results, *other.results)):
            absolute, relative = _largest_difference(first.results.get(name), other.results.get(name))
            found.append(Difference(name, other.backend, absolute, relative))
    return found


def _largest_difference(
    expected: np.typing.NDArray[np.generic] | None, actual: np.typing.NDArray[np.generic] | None
) -> tuple[float, float]:
    if expected is None or actual is None or expected.shape != actual.shape:
        return float("nan"), float("nan")
    wide = np.complex128 if np.iscomplexobj(expected) or np.iscomplexobj(actual) else np.float64
    a, b = expected.astype(wide), actual.astype(wide)
    equal = (a == b) | (np.isnan(a) & np.isnan(b))
    with np.errstate(all="ignore"):
        absolute = np.where(equal, 0.0, np.abs(a - b))
        relative = np.where(equal, 0.0, absolute / np.abs(a))
    return float(absolute.max(initial=0.0)), float(relative.max(initial=0.0))


def _result_json(value: np.typing.NDArray[np.generic]) -> object:
    if value.ndim == 0:
        return json_value(value.item())
    described: dict[str, object] = {"shape": list(value.shape), "dtype": str(value.dtype)}
    return described | {"values": json_value(value.tolist())} if value.size <= SPELT_OUT else described


def json_value(value: object) -> object:
    """Return numbers that JSON lacks (NaN, infinity, complex) as text, in lists too."""
    if isinstance(value, list):
        return [json_value(each) for each in value]
    if isinstance(value, bool | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)
