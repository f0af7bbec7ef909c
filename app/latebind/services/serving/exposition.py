"""Prometheus's text of what the programs and the routes have done."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from latebind.runtime.exposition import CONTENT_TYPE, Family, description
from latebind.runtime.exposition import exposition as text
from latebind.services.serving.guard import HttpCounts
from latebind.services.serving.types import ModelService, ModelState

_COUNTERS: Final = {
    "requests": "Requests that programs were asked for.",
    "failures": "Requests that ended because the program raised or died.",
    "rejected": "Requests that were refused because the queue was full.",
    "timeouts": "Requests that took too long.",
    "batches": "Batches that were run.",
    "compilations": description("UncachedCompile"),
}
_GAUGES: Final = {
    "waiting": "Requests in the queue.",
    "running": "Requests in workers.",
    "device_bytes": "Device memory.",
}
_HISTOGRAMS: Final = {
    "latency": "Seconds from a request to its result.",
    "queue_seconds": "Seconds that requests waited.",
    "compute_seconds": "Seconds that batches took.",
}
_WORKER_STATES: Final = ("starting", "ready", "busy", "dead")


def exposition(service: ModelService, counts: HttpCounts, version: str) -> tuple[bytes, str]:
    """Return the text and its content type."""
    return text(_families(service, counts, version)).encode(), CONTENT_TYPE


def _families(service: ModelService, counts: HttpCounts, version: str) -> Iterator[Family]:
    report = service.report()
    up, info = Family("latebind_up", "gauge", "The server answers."), Family("latebind_info", "gauge", "Version.")
    up.add(1)
    info.add(1, version=version)
    ready = Family("latebind_model_ready", "gauge", "Whether a program is ready.")
    for one in service.statuses():
        ready.add(int(one.state is ModelState.READY), model=one.name, backend=one.backend)
    yield from (up, info, ready)
    for name, meaning in _COUNTERS.items():
        counter = Family(f"latebind_{name}", "counter", meaning)
        for model, figures in report.items():
            counter.add(figures[name], model=model)
        yield counter
    for name, meaning in _GAUGES.items():
        gauge = Family(f"latebind_{name}", "gauge", meaning)
        for model, figures in report.items():
            if figures[name] is not None:
                gauge.add(figures[name], model=model)
        yield gauge
    for name, meaning in _HISTOGRAMS.items():
        histogram = Family(f"latebind_{name.removesuffix('_seconds')}_seconds", "histogram", meaning)
        for model, figures in report.items():
            measured = figures[name]
            histogram.add_histogram(measured["bounds"], measured["counts"], measured["sum"], model=model)
        yield histogram
    yield from _workers(report)
    yield _responses(counts)


def _responses(counts: HttpCounts) -> Family:
    family = Family("latebind_http_responses", "counter", "Responses.")
    for (method, route, status), number in counts.responses.items():
        family.add(number, method=method, route=route, status=str(status))
    return family


def _workers(report: Mapping[str, Mapping[str, Any]]) -> Iterator[Family]:
    states = Family("latebind_workers", "gauge", "Worker processes.")
    restarts = Family("latebind_worker_restarts", "counter", "Workers started again.")
    memory = Family("latebind_worker_resident_bytes", "gauge", "Memory of the workers.")
    fallbacks = Family("latebind_fallbacks", "counter", description("Fallback::"))
    rows = Family("latebind_batch_rows", "counter", "Batches by rows.")
    for model, figures in report.items():
        workers = figures["workers"]
        for state in _WORKER_STATES:
            states.add(sum(worker["state"] == state for worker in workers), model=model, state=state)
        restarts.add(sum(worker["restarts"] for worker in workers), model=model)
        memory.add(sum(worker["resident_bytes"] for worker in workers), model=model)
        for operation, count in figures["fallbacks"].items():
            fallbacks.add(count, model=model, operation=operation)
        for number, count in figures["batch_rows"].items():
            rows.add(count, model=model, rows=str(number))
    yield from (states, restarts, memory, fallbacks, rows)
