"""OpenTelemetry spans of requests, where its API is installed; otherwise nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from latebind.services.serving.types import ModelStatus

try:
    from opentelemetry import propagate, trace
except ImportError:
    trace = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from starlette.requests import Request


@contextmanager
def infer_span(request: Request, status: ModelStatus) -> Iterator[Callable[[str, Any], None]]:
    """Record an inference as a span below the caller's (`traceparent`); gives what sets an attribute of it."""
    if trace is None:
        yield lambda name, value: None
        return
    context = propagate.extract(dict(request.headers))
    attributes = {
        "latebind.model": status.name,
        "latebind.model_version": status.version,
        "latebind.backend": status.backend,
        "latebind.request_id": request.state.request_id,
    }
    tracer = trace.get_tracer("latebind.serving")
    with tracer.start_as_current_span("infer", context, trace.SpanKind.SERVER, attributes) as span:
        yield lambda name, value: span.set_attribute(f"latebind.{name}", value)
