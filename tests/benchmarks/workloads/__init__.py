"""The workloads: NumPy-style programs, each written once, by name."""

from __future__ import annotations

from tests.benchmarks.workloads import elementwise, learning, solvers, stencils
from tests.benchmarks.workloads.workload import Data, Workload, flat

WORKLOADS: dict[str, Workload] = {
    workload.name: workload for module in (elementwise, stencils, learning, solvers) for workload in module.WORKLOADS
}

__all__ = ["WORKLOADS", "Data", "Workload", "flat"]
