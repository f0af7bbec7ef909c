"""A `ModelService` without processes, for the tests of the HTTP side."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from latebind.services.serving.errors import UnknownModelError
from latebind.services.serving.settings import ServeSettings
from latebind.services.serving.types import (
    DATATYPES,
    InferRequest,
    InferResult,
    ModelService,
    ModelState,
    ModelStatus,
    TensorSpec,
)

_HISTOGRAM = {"bounds": [0.001, 0.1], "counts": [1, 2, 0], "sum": 0.05, "count": 3}


def echo_status(datatype: str = "FP32", shape: tuple[int, ...] = (-1, 2), **keys: Any) -> ModelStatus:
    """A program that gives back what it gets."""
    declared = (TensorSpec("x", datatype, shape),), (TensorSpec("y", datatype, shape),)
    return ModelStatus("echo", "1", ModelState.READY, "numpy", *declared, **keys)


class FakeService(ModelService):
    """Serves `echo`, and whatever statuses it is given; `behave` runs before each answer."""

    def __init__(self, *statuses: ModelStatus) -> None:
        self.known = {status.name: status for status in (statuses or (echo_status(max_batch_size=8),))}
        self.requests: list[InferRequest] = []
        self.failure: Exception | None = None
        self.begun, self.go, self.cancelled = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.waits = False
        self.done: list[str] = []

    def statuses(self) -> Sequence[ModelStatus]:
        return list(self.known.values())

    def status(self, name: str, version: str | None = None) -> ModelStatus:
        found = self.known.get(name)
        if found is None or version not in (None, found.version):
            raise UnknownModelError(f"there is no program {name!r} of version {version!r}")
        return found

    async def infer(self, name: str, version: str | None, request: InferRequest) -> InferResult:
        self.requests.append(request)
        self.begun.set()
        if self.waits:
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                raise
        if self.failure is not None:
            raise self.failure
        (x,) = request.inputs.values()
        return InferResult({"y": np.array(x)}, batch_rows=len(x) if x.ndim else 1)

    async def load(self, name: str) -> None:
        self.status(name)
        self.done.append(f"load {name}")

    async def unload(self, name: str) -> None:
        self.status(name)
        self.done.append(f"unload {name}")

    def report(self) -> Mapping[str, Any]:
        figures = {
            **dict.fromkeys(("requests", "batches"), 3),
            **dict.fromkeys(("failures", "rejected", "timeouts", "waiting", "running"), 0),
            "compilations": 2,
            "workers": [{"pid": 1, "state": "ready", "restarts": 1, "resident_bytes": 1000}],
            "batch_rows": {"4": 3},
            "latency": _HISTOGRAM,
            "queue_seconds": _HISTOGRAM,
            "compute_seconds": _HISTOGRAM,
            "fallbacks": {"linalg::svd": 2},
            "device_bytes": None,
            "counters": {},
        }
        return dict.fromkeys(self.known, figures)

    async def graphs(self, name: str) -> Sequence[Mapping[str, str]]:
        return []


def serve_settings(**keys: Any) -> ServeSettings:
    """Settings that declare `echo`."""
    tensor = {"datatype": "FP32", "shape": [-1, 2]}
    echo = {"program": "p:f", "inputs": [{"name": "x", **tensor}], "outputs": [{"name": "y", **tensor}]}
    return ServeSettings.model_validate({"programs": {"echo": echo}, "page": False, **keys})


assert set(DATATYPES) >= {"FP32"}
