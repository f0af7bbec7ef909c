"""Prometheus's text of what the programs and the routes have done."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from latebind.services.serving.guard import HttpCounts
from latebind.services.serving.types import ModelService, ModelState

_COUNTERS = {
    "requests": "Requests that programs were asked for.",
    "failures": "Requests that ended because the program raised or died.",
    "rejected": "Requests that were refused because the queue was full.",
    "timeouts": "Requests that took too long.",
    "batches": "Batches that were run.",
    "compilations": "Graphs that were compiled in the workers.",
}
_GAUGES = {"waiting": "Requests in the queue.", "running": "Requests in workers.", "device_bytes": "Device memory."}
_HISTOGRAMS = {
    "latency": "Seconds from a request to its result.",
    "queue_seconds": "Seconds that requests waited.",
    "compute_seconds": "Seconds that batches took.",
}
_WORKER_STATES = ("starting", "ready", "busy", "dead")


def exposition(service: ModelService, counts: HttpCounts, version: str) -> tuple[bytes, str]:
    """Return the text and its content type."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(service, counts, version))
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Figures(Collector):
    def __init__(self, service: ModelService, counts: HttpCounts, version: str) -> None:
        self._service = service
        self._counts = counts
        self._version = version

    def collect(self) -> Iterable[Metric]:
        report = self._service.report()
        yield GaugeMetricFamily("latebind_up", "The server answers.", 1)
        yield _labelled(GaugeMetricFamily("latebind_info", "Version.", labels=["version"]), [([self._version], 1)])
        statuses = self._service.statuses()
        family = GaugeMetricFamily("latebind_model_ready", "Whether a program is ready.", labels=["model", "backend"])
        yield _labelled(family, [([one.name, one.backend], float(one.state is ModelState.READY)) for one in statuses])
        for name, text in _COUNTERS.items():
            counter = CounterMetricFamily(f"latebind_{name}", text, labels=["model"])
            yield _labelled(counter, [([model], figures[name]) for model, figures in report.items()])
        for name, text in _GAUGES.items():
            gauge = GaugeMetricFamily(f"latebind_{name}", text, labels=["model"])
            known = [([model], figures[name]) for model, figures in report.items() if figures[name] is not None]
            yield _labelled(gauge, known)
        for name, text in _HISTOGRAMS.items():
            yield _histogram(name, text, report)
        yield from _workers(report)
        yield self._responses()

    def _responses(self) -> Metric:
        labels = ["method", "route", "status"]
        family = CounterMetricFamily("latebind_http_responses", "Responses.", labels=labels)
        found = [([method, route, str(status)], n) for (method, route, status), n in self._counts.responses.items()]
        return _labelled(family, found)


def _workers(report: Mapping[str, Mapping[str, Any]]) -> Iterator[Metric]:
    states = GaugeMetricFamily("latebind_workers", "Worker processes.", labels=["model", "state"])
    restarts = CounterMetricFamily("latebind_worker_restarts", "Workers started again.", labels=["model"])
    memory = GaugeMetricFamily("latebind_worker_resident_bytes", "Memory of the workers.", labels=["model"])
    fallbacks = CounterMetricFamily("latebind_fallbacks", "Operations on the reference.", labels=["model", "operation"])
    rows = CounterMetricFamily("latebind_batch_rows", "Batches by rows.", labels=["model", "rows"])
    for model, figures in report.items():
        workers = figures["workers"]
        for state in _WORKER_STATES:
            states.add_metric([model, state], sum(worker["state"] == state for worker in workers))
        restarts.add_metric([model], sum(worker["restarts"] for worker in workers))
        memory.add_metric([model], sum(worker["resident_bytes"] for worker in workers))
        for operation, count in figures["fallbacks"].items():
            fallbacks.add_metric([model, operation], count)
        for number, count in figures["batch_rows"].items():
            rows.add_metric([model, str(number)], count)
    yield from (states, restarts, memory, fallbacks, rows)


def _labelled(family: Any, values: Iterable[tuple[list[str], float]]) -> Metric:
    for labels, value in values:
        family.add_metric(labels, value)
    return family  # type: ignore[no-any-return]


def _histogram(name: str, text: str, report: Mapping[str, Mapping[str, Any]]) -> Metric:
    name = name if name.endswith("_seconds") else f"{name}_seconds"
    family = HistogramMetricFamily(f"latebind_{name}", text, labels=["model"])
    for model, figures in report.items():
        known = figures[name] if name in figures else figures[name.removesuffix("_seconds")]
        total, buckets = 0, []
        for bound, count in zip([*map(str, known["bounds"]), "+Inf"], known["counts"], strict=True):
            total += count
            buckets.append((bound, float(total)))
        family.add_metric([model], buckets, known["sum"])
    return family
