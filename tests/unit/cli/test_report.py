"""The differences between runs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from latebind.cli.report import RunReport, differences


def report(backend: str, **results: object) -> RunReport:
    arrays = {name: np.asarray(value) for name, value in results.items()}
    return RunReport(
        "program",
        backend,
        "cpu:0",
        1.0,
        {"RecordedOps": 10, "Steps": 2},
        {"record": 1e-5, "dispatch": 1e-5},
        arrays,
        (),
    )


@pytest.mark.parametrize(
    ("one", "other", "absolute", "relative"),
    [
        (1.0, 1.0, 0.0, 0.0),
        (2.0, 2.5, 0.5, 0.25),
        ([1.0, 10.0], [1.5, 10.0], 0.5, 0.5),
        (0.0, 1.0, 1.0, math.inf),
        (math.nan, math.nan, 0.0, 0.0),
        (math.inf, math.inf, 0.0, 0.0),
        ([], [], 0.0, 0.0),
        ([True], [False], 1.0, 1.0),
        ([1 + 1j], [1 - 1j], 2.0, math.sqrt(2)),
    ],
)
def test_the_largest_difference_is_found(one, other, absolute, relative):
    (found,) = differences([report("a", x=one), report("b", x=other)])
    assert (found.name, found.backend) == ("x", "b")
    assert found.absolute == pytest.approx(absolute)
    assert found.relative == pytest.approx(relative)


def test_results_that_cannot_be_compared_are_nan():
    shapes, missing = differences([report("a", x=[1.0, 2.0]), report("b", x=[1.0], y=2.0)])
    assert math.isnan(shapes.absolute) and math.isnan(missing.absolute)
    assert missing.name == "y"


def test_ratios_per_step_and_operation():
    assert report("a").operations_per_step == 5
    assert report("a").overhead_us == pytest.approx(2.0)
