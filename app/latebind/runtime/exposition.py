"""Metrics as Prometheus's text format (version 0.0.4), without its client library."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from latebind.runtime.metrics import DESCRIPTIONS

if TYPE_CHECKING:
    from latebind.runtime.metrics import Metrics

#: What an HTTP response says that it is.
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
#: Families of counters, by their prefix: name of the metric, and of the label that tells them apart. What the server
#: counts per program has the server's name.
_FAMILIES: Final = {
    "Fallback::": ("latebind_fallbacks", "operation"),
    "NumpyFallback::": ("latebind_numpy_fallbacks", "function"),
    "Compiled::": ("latebind_compiled_figures", "figure"),
}
_COUNTERS: Final = {"UncachedCompile": "latebind_compilations"}
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def exposition(metrics: Metrics, labels: Mapping[str, str]) -> str:
    """Return all metrics: counters as counters, timers as summaries in seconds without quantiles.

    Parameters
    ----------
    metrics
    labels
        Put on every sample, such as the container's name.
    """
    lines: list[str] = []
    families: dict[str, list[tuple[str, int]]] = {}
    for name, value in sorted(metrics.counters().items()):
        prefix, separator, rest = name.partition("::")
        family = prefix + separator
        if family in _FAMILIES:
            families.setdefault(family, []).append((rest, value))
        else:
            metric = f"{_COUNTERS.get(name, f'latebind_{_snake(name)}')}_total"
            lines += _head(metric, "counter", name)
            lines.append(_sample(metric, labels, value))
    for family, values in families.items():
        metric, label = _FAMILIES[family]
        lines += _head(f"{metric}_total", "counter", family)
        lines += (_sample(f"{metric}_total", {**labels, label: rest}, value) for rest, value in values)
    for name, (count, seconds) in sorted(metrics.timers().items()):
        metric = f"latebind_{_snake(name.removesuffix('Time'))}_seconds"
        lines += _head(metric, "summary", name)
        lines += (_sample(f"{metric}_count", labels, count), _sample(f"{metric}_sum", labels, seconds))
    return "".join(f"{line}\n" for line in lines)


def _snake(name: str) -> str:
    return re.sub(r"\W", "_", _WORD.sub("_", name)).lower()


def _head(metric: str, kind: str, name: str) -> Iterator[str]:
    description = DESCRIPTIONS.get(name, name)
    text = f"{description[0].upper()}{description[1:]}.".replace("\\", r"\\").replace("\n", r"\n")
    yield f"# HELP {metric} {text}"
    yield f"# TYPE {metric} {kind}"


def _sample(metric: str, labels: Mapping[str, str], value: float) -> str:
    shown = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
    return f"{metric}{{{shown}}} {value!r}" if shown else f"{metric} {value!r}"


def _escaped(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")
