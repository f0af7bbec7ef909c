"""The cases: every operation has some, and their names say which is which."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from latebind.ir.optable import all_operations
from latebind.testing.conformance.groups import Group, all_groups, operations, takes
from latebind.testing.conformance.sampling.samples import generators

GROUPS = all_groups()


def test_every_operation_has_samples():
    assert {kind.qualified for kind in operations()} == set(generators())


def test_only_kinds_known_by_name_alone_are_left_out():
    left_out = {definition.kind.qualified for definition in all_operations()} - {
        kind.qualified for kind in operations()
    }
    assert left_out == {
        "lazy_tensors::all_to_all",
        "lazy_tensors::collective_permute",
        "lazy_tensors::cross_replica_sum",
        "lazy_tensors::moving_average",
        "lazy_tensors::nms",
        "lazy_tensors::not_supported",
    }


def test_every_operation_is_checked_for_some_dtype():
    assert {group.kind for group in GROUPS} == {kind.qualified for kind in operations()}


@pytest.mark.parametrize(
    ("kind", "dtypes"),
    [
        ("stablehlo::not", "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64"),
        ("stablehlo::cbrt", "float16 float32 float64"),
        ("stablehlo::complex", "float32 float64"),
        ("chlo::asin", "float16 float32 float64 complex64 complex128"),
    ],
)
def test_dtypes_are_those_of_the_type_rule(kind, dtypes):
    assert [group.dtype.name for group in GROUPS if group.kind == kind] == dtypes.split()


def test_kinds_without_a_dtype_of_their_own_are_checked_for_all():
    assert takes("lazy_tensors::device_data", np.dtype(np.complex128))


def test_there_are_not_too_many_computations():
    """An engine compiles one per group; a few seconds each would be an hour."""
    assert len(GROUPS) < 1500


def test_names_of_cases_are_unique():
    for group in GROUPS:
        names = Counter(case.name for case in group.cases())
        assert names.most_common(1)[0][1] == 1, names.most_common(3)


def test_cases_are_the_same_every_time():
    group = Group("stablehlo::add", np.dtype(np.float32))
    first, second = ([case.sample.operands[0].array for case in group.cases()] for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)


def test_values_that_matter_are_there():
    cases = {case.sample.label: case for case in Group("stablehlo::add", np.dtype(np.float32)).cases()}
    left, right = (operand.array for operand in cases["special"].sample.operands)
    pairs = set(zip(map(repr, left.tolist()), map(repr, right.tolist()), strict=True))
    assert {("inf", "-inf"), ("nan", "0.0"), ("-0.0", "0.0"), ("-0.0", "-0.0")} <= pairs
    assert cases["large"].sample.operands[0].array.size == 70_000
    assert not cases["unit-dims"].sample.operands[0].array.flags.c_contiguous
