"""The op table as a whole."""

from __future__ import annotations

import re

import pytest

from latebind.errors import UnsupportedOpError
from latebind.ir.builder import IrBuilder
from latebind.ir.ltc_ops import REFUSED
from latebind.ir.opkind import OpKind
from latebind.ir.optable import OpDef, all_operations, define, lookup

OPERATIONS = tuple(all_operations())

#: `lazy_tensors` are the kinds of `ltc_ops.h` of PyTorch 2.13, and the list of the IR builder.
NAMES = {
    "stablehlo": """
        abs add and atan2 bitcast_convert broadcast_in_dim cbrt ceil cholesky clamp compare complex concatenate
        constant convert cosine count_leading_zeros divide dot_general dynamic_slice dynamic_update_slice
        exponential exponential_minus_one fft floor gather get_dimension_size imag iota is_finite log log_plus_one
        logistic maximum minimum multiply negate not optimization_barrier or pad popcnt power real reduce
        reduce_window remainder reshape reverse round_nearest_afz round_nearest_even rsqrt scatter select
        shift_left shift_right_arithmetic shift_right_logical sign sine slice sort sqrt subtract tan tanh
        transpose triangular_solve xor
    """,
    "chlo": """
        acos acosh asin asinh atan atanh conj cosh digamma erf erf_inv erfc is_inf is_neg_inf is_pos_inf
        lgamma next_after sinh square tan
    """,
    "linalg": "det eig eigh inv qr slogdet solve svd",
    "numpy": """
        argmax argmin copysign cumulative_prod cumulative_sum exp2 floor_divide hypot log10 log2 logaddexp
        power remainder round signbit trunc
    """,
    "random": "advance bits integers normal order uniform variate",
    "lazy_tensors": """
        all_to_all cast collective_permute cross_replica_sum device_data ltc_get_dimensions_size
        moving_average nms not_supported replication_pad replication_pad_backward tensor_data tensor_list
    """,
}


#: What runs on the reference backend where a backend does not lower it.
OPTIONAL = {
    *(f"stablehlo::{name}" for name in ("cholesky", "fft", "triangular_solve")),
    *(f"linalg::{name}" for name in ("eig", "eigh", "qr", "slogdet", "solve", "svd")),
}


@pytest.mark.parametrize("namespace", NAMES)
def test_the_table_has_exactly_the_operations_of_each_namespace(namespace: str) -> None:
    assert sorted(d.kind.name for d in OPERATIONS if d.kind.namespace == namespace) == sorted(NAMES[namespace].split())


def test_only_known_namespaces_appear() -> None:
    assert {d.kind.namespace for d in OPERATIONS} == set(NAMES)


@pytest.mark.parametrize("definition", OPERATIONS, ids=lambda d: d.kind.qualified)
def test_every_operation_has_a_one_line_summary_and_well_formed_names(definition: OpDef) -> None:
    assert definition.summary.endswith(".") and "\n" not in definition.summary
    assert all(re.fullmatch(r"\*?[a-z_]+", name) for name in definition.operands)
    assert all(re.fullmatch(r"[a-z_]+\??", name) for name in definition.attributes)
    assert lookup(definition.kind) is definition


@pytest.mark.parametrize("definition", OPERATIONS, ids=lambda d: d.kind.qualified)
def test_every_operation_is_core_or_a_leaf_or_decomposed_or_optional(definition: OpDef) -> None:
    if definition.kind.qualified in OPTIONAL:
        assert not definition.core and definition.decompose is None
    elif definition.kind.namespace == "stablehlo":
        assert definition.core and definition.decompose is None
    elif definition.leaf:
        assert definition.kind.qualified == "lazy_tensors::device_data"
    else:
        assert not definition.core and definition.decompose is not None


@pytest.mark.parametrize("name", REFUSED)
def test_kinds_without_a_meaning_are_refused_by_name(b: IrBuilder, name: str) -> None:
    definition = lookup(OpKind.get(f"lazy_tensors::{name}"))
    assert definition is not None and definition.decompose is not None
    for attempt in (lambda: definition.infer((), {}), lambda: definition.decompose(b, (), {})):
        with pytest.raises(UnsupportedOpError, match=f"lazy_tensors::{name} is known by name only"):
            attempt()


def test_an_operation_is_defined_once() -> None:
    with pytest.raises(ValueError, match="stablehlo::abs is defined twice"):
        define(next(d for d in OPERATIONS if d.kind.qualified == "stablehlo::abs"))
