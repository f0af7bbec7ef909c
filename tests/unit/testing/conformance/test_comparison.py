"""When a result counts as the reference's."""

from __future__ import annotations

import numpy as np
import pytest

from latebind.testing.conformance.comparison import Tolerance, agreement, difference
from latebind.testing.conformance.tolerances import table, tolerance_of

EXACT = Tolerance()
EIGHT = Tolerance(ulps=8)
TINY = float(np.finfo(np.float32).smallest_subnormal)
NORMAL = float(np.finfo(np.float32).smallest_normal)
EPS = float(np.finfo(np.float32).eps)


def agrees(found, wanted, tolerance=EXACT, dtype=np.float32, **options):
    return bool(agreement(np.array(found, dtype), np.array(wanted, dtype), tolerance, **options))


@pytest.mark.parametrize("tolerance", [EXACT, EIGHT], ids=["exact", "eight-ulps"])
@pytest.mark.parametrize("value", [0.0, -0.0, 1.0, np.inf, -np.inf, np.nan, 3e38])
def test_a_value_agrees_with_itself(value, tolerance):
    assert agrees(value, value, tolerance)


def test_nan_agrees_whatever_its_sign():
    assert agrees(-np.nan, np.nan)


@pytest.mark.parametrize("tolerance", [EXACT, EIGHT], ids=["exact", "eight-ulps"])
@pytest.mark.parametrize(
    ("found", "wanted"), [(0.0, -0.0), (np.nan, 1.0), (1.0, np.nan), (np.inf, -np.inf), (np.inf, 1.0), (1.0, np.inf)]
)
def test_other_kinds_of_numbers_differ(found, wanted, tolerance):
    assert not agrees(found, wanted, tolerance)


def test_sign_of_zero_is_ignored_where_it_is_open():
    assert agrees(0.0, -0.0, Tolerance(zero_sign=False))


@pytest.mark.parametrize(("ulps", "agree"), [(7, True), (9, False)])
def test_tolerance_is_in_units_of_the_last_place(ulps, agree):
    assert agrees(1 + ulps * EPS, 1.0, EIGHT) is agree
    assert agrees(1024 * (1 + ulps * EPS), 1024.0, EIGHT) is agree


def test_float16_may_have_a_tolerance_of_its_own():
    tolerance = Tolerance(ulps=8, half=1)
    assert agrees(1 + 4 * 2**-10, 1.0, Tolerance(ulps=8), np.float16)
    assert not agrees(1 + 4 * 2**-10, 1.0, tolerance, np.float16)


def test_largest_number_agrees_with_infinity_only_within_the_tolerance():
    largest = float(np.finfo(np.float32).max)
    assert agrees(np.inf, largest, EIGHT)
    assert not agrees(np.inf, largest, EXACT)
    assert not agrees(np.inf, largest / 2, EIGHT)


def test_sums_are_compared_relative_to_their_terms():
    tolerance = Tolerance(magnitude=4)
    assert agrees(1e-6, 0.0, tolerance, magnitude=np.array(10.0, np.float32))
    assert not agrees(1e-4, 0.0, tolerance, magnitude=np.array(10.0, np.float32))


def test_denormals_count_as_zeros_except_where_they_are_the_point():
    for value in (TINY, -TINY, NORMAL / 2, NORMAL):
        assert agrees(0.0, value) and agrees(-0.0, value)
        assert not agrees(0.0, value, denormals=True)
    assert not agrees(0.0, 4 * NORMAL)
    assert agrees(TINY, TINY, denormals=True)


def test_zeros_of_different_sign_do_not_pass_as_flushed_denormals():
    assert not agrees(0.0, -0.0)


@pytest.mark.parametrize(
    ("found", "wanted", "agree"),
    [
        (1 + 1e-9j, 1 + 0j, True),  # relative to the modulus, not to the part
        (1 + 1e-3j, 1 + 0j, False),
        (complex(np.inf, np.nan), complex(np.inf, 1), True),
        (complex(1, np.nan), complex(np.inf, 1), False),
        (complex(np.nan, 1), complex(1, np.nan), True),
        (complex(1, 1), complex(1, np.nan), False),
        (complex(np.nan, 1), complex(1, 1), False),
    ],
)
def test_complex_numbers_agree_in_modulus_and_kind(found, wanted, agree):
    assert agrees(found, wanted, EIGHT, np.complex64) is agree


def test_exact_complex_numbers_agree_part_by_part():
    assert not agrees(complex(0.0, -0.0), complex(0.0, 0.0), EXACT, np.complex64)
    assert agrees(complex(np.nan, -0.0), complex(np.nan, -0.0), EXACT, np.complex64)


def test_integers_are_exact_whatever_the_tolerance():
    assert not agrees(1, 2, EIGHT, np.int8)


def test_difference_names_type_count_and_elements():
    wanted = np.arange(6, dtype=np.int32).reshape(2, 3)
    found = wanted.copy()
    found[1, 2] = 9

    def exact(left, right):
        return agreement(left, right, EXACT)

    assert difference(wanted, wanted, exact) == ""
    assert difference(wanted[0], wanted, exact) == "is int32[3], expected int32[2, 3]"
    assert difference(wanted.astype(np.int64), wanted, exact) == "is int64[2, 3], expected int32[2, 3]"
    assert difference(found, wanted, exact).startswith("1 of 6 elements differ: [1, 2] is np.int32(9), expected")


def test_tolerances_of_sums_grow_with_their_terms():
    tolerance = tolerance_of("stablehlo::reduce", "f", "add")
    assert tolerance.scaled(100).magnitude == 10 * tolerance.magnitude
    assert EXACT.scaled(100) is EXACT


def test_arithmetic_movement_and_comparison_are_exact():
    for kind in ("add", "multiply", "divide", "sqrt", "floor", "reshape", "compare", "convert"):
        assert tolerance_of(f"stablehlo::{kind}", "f").exact


def test_every_tolerance_has_a_reason():
    assert all(len(tolerance.reason) > 20 for tolerance in table().values())
