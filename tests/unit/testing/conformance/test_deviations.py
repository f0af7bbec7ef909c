"""Patterns of case names."""

from __future__ import annotations

import pytest

from latebind.testing.conformance.deviations import matches, matching


@pytest.mark.parametrize(
    ("name", "pattern", "match"),
    [
        ("stablehlo::tan[float32]-special", "stablehlo::tan[float32]*", True),
        ("stablehlo::tan[float32]-special", "stablehlo::tan[float32]-special", True),
        ("stablehlo::tan[float64]-special", "stablehlo::tan[float32]*", False),
        ("stablehlo::tanh[float32]-special", "stablehlo::tan[float32]*", False),
        ("stablehlo::tanh[float32]-special", "stablehlo::tan*", True),
        ("stablehlo::tan[float32]-special", "*[float??]-special", True),
        ("stablehlo::tan[float32]-denormals", "*-denormals", True),
        ("stablehlo::Tan[float32]-denormals", "stablehlo::tan*", False),
    ],
)
def test_brackets_stand_for_themselves(name, pattern, match):
    assert matches(name, pattern) is match


def test_all_patterns_that_match_are_found():
    declared = {"a*": "1", "*b": "2", "c": "3"}
    assert matching("ab", declared) == ["a*", "*b"]
