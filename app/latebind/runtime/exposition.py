"""Prometheus's text format (version 0.0.4), without its client library: of a container's metrics, and of a server's.

The format is described in "Exposition formats" of Prometheus's documentation.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from latebind.runtime.metrics import DESCRIPTIONS

if TYPE_CHECKING:
    from latebind.runtime.metrics import Metrics

#: What an HTTP response says that it is.
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
#: Families of counters, by their prefix: name of the metric, and of the label that tells them apart. What a server
#: counts per program has the same names.
_FAMILIES: Final = {
    "Fallback::": ("latebind_fallbacks", "operation"),
    "NumpyFallback::": ("latebind_numpy_fallbacks", "function"),
    "Compiled::": ("latebind_compiled_figures", "figure"),
}
_COUNTERS: Final = {"UncachedCompile": "latebind_compilations"}
_WORD: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_LABEL: Final = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)


@dataclass(slots=True)
class Family:
    """One metric: samples that differ in their labels.

    Attributes
    ----------
    name : str
        Without the suffix of a counter.
    kind : str
    help : str
        One sentence.
    samples : list of (str, mapping, float)
        Suffix, labels, value.
    """

    name: str
    kind: Literal["counter", "gauge", "summary", "histogram"]
    help: str
    samples: list[tuple[str, Mapping[str, str], float]] = field(default_factory=list)

    def add(self, value: float, suffix: str = "", /, **labels: str) -> None:
        """Add a sample."""
        self.samples.append((suffix, labels, value))

    def add_histogram(self, bounds: Sequence[float], counts: Sequence[int], total: float, /, **labels: str) -> None:
        """Add what was measured, by bucket: a count for each bound, and one more for what is above them."""
        below = 0
        for bound, count in zip((*bounds, math.inf), counts, strict=True):
            below += count
            self.add(below, "_bucket", **labels, le=_number(float(bound)))
        self.add(total, "_sum", **labels)
        self.add(below, "_count", **labels)


def exposition(families: Iterable[Family]) -> str:
    """Return the text of all families; those without samples are announced all the same."""
    return "".join(f"{line}\n" for family in families for line in _lines(family))


def _lines(family: Family) -> Iterator[str]:
    name = f"{family.name}_total" if family.kind == "counter" else family.name
    yield f"# HELP {name} {_one_line(family.help)}"
    yield f"# TYPE {name} {family.kind}"
    for suffix, labels, value in family.samples:
        shown = ",".join(f'{label}="{_quoted(text)}"' for label, text in labels.items())
        yield f"{name}{suffix}{{{shown}}} {_number(value)}" if shown else f"{name}{suffix} {_number(value)}"


def metric_families(metrics: Metrics, labels: Mapping[str, str]) -> Iterator[Family]:
    """Return a container's metrics: counters as counters, timers as summaries in seconds without quantiles.

    Parameters
    ----------
    metrics
    labels
        Put on every sample, such as the container's name.

    Raises
    ------
    ValueError
        If a label's name is none.
    """
    for label in labels:
        if _LABEL.fullmatch(label) is None:
            raise ValueError(f"{label!r} is no name for a label: letters, digits and _, no digit and no __ first")
    families: dict[str, Family] = {}
    for name, value in sorted(metrics.counters().items()):
        prefix, separator, rest = name.partition("::")
        metric, label = _FAMILIES.get(prefix + separator, (_COUNTERS.get(name, f"latebind_{_snake(name)}"), ""))
        family = families.get(metric)
        if family is None:
            family = families[metric] = Family(metric, "counter", description(prefix + separator))
        family.add(value, **{**labels, label: rest} if label else labels)
    yield from families.values()
    for name, (count, seconds) in sorted(metrics.timers().items()):
        family = Family(f"latebind_{_snake(name.removesuffix('Time'))}_seconds", "summary", description(name))
        family.add(count, "_count", **labels)
        family.add(seconds, "_sum", **labels)
        yield family


def description(name: str) -> str:
    """Return what a metric means, as a sentence."""
    text = DESCRIPTIONS.get(name, name)
    return f"{text[0].upper()}{text[1:]}."


def _snake(name: str) -> str:
    return re.sub(r"\W", "_", _WORD.sub("_", name), flags=re.ASCII).lower()


def _number(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"


def _one_line(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _quoted(text: str) -> str:
    return _one_line(text).replace('"', r"\"")
