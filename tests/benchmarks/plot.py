"""A picture of a run: every workload in steady state, and the first calls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.benchmarks.results import Results


class PlotError(Exception):
    """There is no picture; the message says why."""


def write_plot(results: Results, path: Path) -> None:
    """Write a PNG.

    Raises
    ------
    PlotError
        If Matplotlib is not installed, or there is nothing to draw.
    """
    try:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot
    except ImportError as error:
        raise PlotError(f"no plot: Matplotlib is not importable ({error}); it is in the extra 'bench'") from error
    if not any(comparison.taken.get("numpy") for comparison in results.workloads.values()):
        raise PlotError("no plot: it shows workloads against NumPy, and none was run")
    names = list(results.workloads)
    contenders = sorted({name for comparison in results.workloads.values() for name in comparison.taken} - {"numpy"})
    figure, axes = pyplot.subplots(1, 2, figsize=(15, 2 + 0.32 * len(names)), sharey=True)
    colours = pyplot.get_cmap("tab20")
    for index, contender in enumerate(contenders):
        style: dict[str, Any] = {
            "label": contender,
            "color": colours(index),
            "marker": "D" if contender.startswith("latebind") else "o",
            "linestyle": "none",
            "markersize": 7 if contender.startswith("latebind") else 5,
        }
        speedups = results.speedups(contender, "numpy")
        axes[0].plot([speedups.get(name, float("nan")) for name in names], range(len(names)), **style)
        firsts = [_first_call(results, name, contender) for name in names]
        axes[1].plot(firsts, range(len(names)), **style)
    titles = ("steady state: times as fast as NumPy", "first call in a process: times as fast as NumPy")
    for axis, title in zip(axes, titles, strict=True):
        axis.set_xscale("log")
        axis.axvline(1.0, color="black", linewidth=0.8)
        axis.grid(axis="both", alpha=0.3)
        axis.set_title(title)
    axes[0].set_yticks(range(len(names)), names)
    axes[0].invert_yaxis()
    figure.legend(*axes[0].get_legend_handles_labels(), loc="lower center", ncols=7)
    figure.text(0.01, 0.005, results.machine["processor"], fontsize=7)
    figure.tight_layout(rect=(0, 0.08, 1, 1))
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _first_call(results: Results, workload: str, contender: str) -> float:
    for generation in reversed(results.first_calls):
        calls = generation.get(workload, {})
        if contender in calls and "numpy" in calls:
            return calls["numpy"] / calls[contender]
    return float("nan")
