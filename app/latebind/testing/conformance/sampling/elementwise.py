"""Samples of elementwise operations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from latebind.ir.types import DType
from latebind.testing.conformance.sampling.samples import (
    DTYPES,
    Array,
    Broadcast,
    Constant,
    Sample,
    Transposed,
    Vanishing,
    sample,
    samples_of,
)
from latebind.testing.conformance.sampling.values import (
    branch_cuts,
    denormal,
    ordinary,
    special_array,
    special_pairs,
    strided,
    wide,
)

LARGE: Final = (70_000,)

_UNARY: Final = (
    "stablehlo:: abs cbrt ceil cosine count_leading_zeros exponential exponential_minus_one floor imag is_finite log"
    " log_plus_one logistic negate not popcnt real round_nearest_afz round_nearest_even rsqrt sign sine sqrt tan tanh"
    " | chlo:: acos acosh asin asinh atan atanh conj cosh digamma erf erf_inv erfc is_inf is_neg_inf is_pos_inf lgamma"
    " sinh square tan"
    " | numpy:: exp2 log10 log2 round signbit trunc"
)
_BINARY: Final = (
    "stablehlo:: add and atan2 complex divide maximum minimum multiply or power remainder shift_left"
    " shift_right_arithmetic shift_right_logical subtract xor"
    " | chlo:: next_after"
    " | numpy:: copysign floor_divide hypot logaddexp power remainder"
)


def _named(table: str) -> list[str]:
    groups = (group.split() for group in table.split("|"))
    return [namespace + name for namespace, *names in groups for name in names]


def _in_domain(kind: str, values: Array) -> Array:
    """Return values moved to where a function has results that say something."""
    name = kind.partition("::")[2]
    if values.dtype.kind != "f":
        return values
    if name in ("acos", "asin", "atanh", "erf_inv"):
        return np.asarray(np.sin(values)).astype(values.dtype)
    if name in ("log", "log2", "log10", "sqrt", "rsqrt", "lgamma", "digamma"):
        return np.abs(values)
    return np.abs(values) + values.dtype.type(1) if name == "acosh" else values


@samples_of(*_named(_UNARY))
def unary(kind: str, dtype: DType) -> Iterator[Sample]:
    """One operand: everyday, wide, special and denormal values; shapes and layouts."""
    yield sample("scalar", _in_domain(kind, ordinary(dtype, ())))
    yield sample("values", _in_domain(kind, ordinary(dtype, (300,))))
    yield sample("wide", wide(dtype))
    yield sample("special", special_array(dtype))
    if dtype.kind in "fc":
        yield sample("denormals", denormal(dtype))
    if dtype.kind == "c":
        yield sample("branch-cuts", branch_cuts(dtype))
    yield sample("empty", ordinary(dtype, (0, 3)))
    yield sample("unit-dims", strided(_in_domain(kind, ordinary(dtype, (3, 1, 4)))))
    yield sample("transposed", Transposed(_in_domain(kind, ordinary(dtype, (4, 3)))))
    yield sample("large", _in_domain(kind, ordinary(dtype, LARGE)))


def _exponents(dtype: DType, shape: tuple[int, ...]) -> Array:
    """Return exponents that are small, so that powers neither overflow nor amplify every error of the base."""
    values = ordinary(dtype, shape, 5)
    if dtype.kind in "iu":
        return np.asarray(values % dtype.type(7))
    return np.asarray(np.clip(values.real, -5, 5) if dtype.kind == "f" else values / 10).astype(dtype)


def _operands(kind: str, dtype: DType, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Return two operands of everyday size that fit the operation."""
    name = kind.partition("::")[2]
    left, right = ordinary(dtype, shape, 3), ordinary(dtype, shape, 4)
    if name == "power":
        return np.abs(left).astype(dtype) if dtype.kind == "f" else left, _exponents(dtype, shape)
    if name.startswith("shift"):
        width = dtype.type(8 * dtype.itemsize) if dtype.kind in "iu" else dtype.type(1)
        return left, np.asarray(right % width) if dtype.kind in "iu" else right
    return left, right


@samples_of(*_named(_BINARY))
def binary(kind: str, dtype: DType) -> Iterator[Sample]:
    """Two operands of one type: values, all pairs of special ones, shapes, broadcasts, constants."""
    yield sample("scalar", *_operands(kind, dtype, ()))
    left, right = _operands(kind, dtype, (300,))
    yield sample("values", left, right)
    if not kind.endswith("::power"):  # at these magnitudes, the last bit of the base changes all of the power
        yield sample("wide", wide(dtype), wide(dtype)[::-1])
    yield sample("special", *special_pairs(dtype))
    if dtype.kind in "fc":
        tiny = denormal(dtype)
        yield sample("denormals", np.concatenate([tiny, tiny]), np.concatenate([tiny[::-1], np.ones_like(tiny)]))
    yield sample("empty", *_operands(kind, dtype, (0, 3)))
    yield sample("unit-dims", *map(strided, _operands(kind, dtype, (3, 1, 4))))
    left, right = _operands(kind, dtype, (3, 4))
    yield sample("broadcast-rows", left, Broadcast(right[:1], (3, 4)))
    yield sample("broadcast-columns", Broadcast(left[:, :1], (3, 4)), Transposed(np.asarray(right.T)))
    yield sample("broadcast-both", Broadcast(left[:1], (3, 4)), Broadcast(right[:, :1], (3, 4)))
    yield sample("broadcast-scalar", Broadcast(left[0, 0], (3, 4)), right)
    for index, value in enumerate(_constants(kind, dtype)):
        yield sample(f"constant-{index}", left, Broadcast(np.array(value, dtype), (3, 4)))
        yield sample(f"literal-{index}", left[0, 0], Constant(np.array(value, dtype)))
    yield sample("constants", Constant(left), Constant(right))
    if dtype.kind in "iu":  # what a compiler may compute itself, and divide by zero
        zeros = np.zeros_like(left)
        yield sample("constant-zeros", Constant(zeros), Constant(zeros))
        yield sample("zero-constant", left, Constant(zeros))
        yield sample("vanishing", Vanishing(left), Vanishing(left))
    yield sample("large", *_operands(kind, dtype, LARGE))


def _constants(kind: str, dtype: DType) -> tuple[float, ...]:
    """Return right operands that compilers like to treat apart."""
    if kind.endswith("::power") and dtype.kind in "ifc":
        return (2, 0, -1, 3) if dtype.kind == "i" else (2, 0.5, -1, -0.5, 0, 3)
    return (1,) if dtype.kind == "b" else (2,)


@samples_of("stablehlo::compare")
def compare(kind: str, dtype: DType) -> Iterator[Sample]:
    """Every direction on all pairs of special values; the total order of floats, NaN of both signs included."""
    left, right = special_pairs(dtype)
    yield sample("EQ-special", left, right, comparison_direction="EQ")
    for direction in ("NE", "LT", "LE", "GT", "GE"):
        yield sample(f"{direction}-special", left, right, comparison_direction=direction)
    for direction in ("EQ", "LT"):
        yield sample(f"{direction}-scalar", left[0], right[0], comparison_direction=direction)
        values, others = ordinary(dtype, LARGE, 1), ordinary(dtype, LARGE, 2)
        yield sample(f"{direction}-large", values, others, comparison_direction=direction)
        value = np.asarray(ordinary(dtype, (3, 4)))
        row = Broadcast(value[:1], (3, 4))
        yield sample(f"{direction}-broadcast", strided(value), row, comparison_direction=direction)
        yield sample(f"{direction}-empty", value[:0], value[:0], comparison_direction=direction)
    if dtype.kind == "f":
        tiny = denormal(dtype)
        zeros = np.zeros_like(tiny)
        yield sample("EQ-denormals", tiny, zeros, comparison_direction="EQ")
        yield sample("LT-denormals", zeros, tiny, comparison_direction="LT")
        values = np.concatenate([special_array(dtype), -special_array(dtype)])
        left, right = (side.ravel() for side in np.meshgrid(values, values))
        for direction in ("EQ", "NE", "LT", "LE", "GT", "GE"):
            attributes = {"comparison_direction": direction, "compare_type": "TOTALORDER"}
            yield sample(f"{direction}-total-order", left, right, **attributes)


def _convertible(source: DType, target: DType, values: Array) -> Array:
    """Return the values that `docs/semantics.md` gives a result for.

    It is silent on floats outside the range of unsigned integers of 32 and 64 bits.
    """
    if source.kind not in "fc" or target.name not in ("uint32", "uint64"):
        return values
    limit = 2.0 ** (8 * target.itemsize)
    with np.errstate(all="ignore"):
        real = values.real.astype(np.float64)
        return np.asarray(values[(real > -1) & (real < limit)])


@samples_of("lazy_tensors::cast")
def cast(kind: str, dtype: DType) -> Iterator[Sample]:
    """A few of the conversions, which are those of `convert`."""
    for name in ("int32", "float64", "complex64", "bool"):
        target = np.dtype(name)
        values = _convertible(dtype, target, special_array(dtype))
        yield sample(f"to-{name}-values", ordinary(dtype, (10,)), dtype=target)
        yield sample(f"to-{name}-special", values, dtype=target)


@samples_of("stablehlo::convert")
def convert(kind: str, dtype: DType) -> Iterator[Sample]:
    """From this dtype to every dtype: everyday, wide and special values."""
    yield sample("scalar", np.abs(ordinary(dtype, ())), dtype=np.dtype(np.int16))
    for target in DTYPES:
        for label, values in (
            ("values", ordinary(dtype, (100,))),
            ("wide", wide(dtype)),
            ("special", special_array(dtype)),
        ):
            yield sample(f"to-{target.name}-{label}", _convertible(dtype, target, values), dtype=target)
        if dtype.kind in "fc":
            yield sample(f"to-{target.name}-denormals", denormal(dtype)[:4], dtype=target)
        if target.kind == "f" and dtype.kind in "iu":
            yield sample(f"to-{target.name}-ties", _rounding_ties(dtype, target), dtype=target)
    yield sample("empty", ordinary(dtype, (0, 2)), dtype=np.dtype(np.float32))
    yield sample("strided", strided(ordinary(dtype, (3, 1, 4))), dtype=np.dtype(np.complex64))


def _rounding_ties(source: DType, target: DType) -> Array:
    """Return integers half way between two floats, where the source has such integers."""
    digits = np.finfo(target.name).nmant + 1
    top = int(np.iinfo(source.name).max)
    candidates = [2**digits + 1, 2**digits + 3, 2 ** (digits + 1) + 2, 2 ** (digits + 1) + 6, 2**digits - 1]
    return np.array([value for value in candidates if value <= top] or [1], source)


@samples_of("stablehlo::select")
def select(kind: str, dtype: DType) -> Iterator[Sample]:
    """Masks of the full shape and scalar masks; choices that are broadcast."""
    values, others = ordinary(dtype, (3, 4), 1), ordinary(dtype, (3, 4), 2)
    mask = ordinary(np.dtype(bool), (3, 4))
    yield sample("values", mask, values, others)
    for flag in (True, False):
        yield sample(f"scalar-mask-{flag}", np.array(flag), values, others)
    yield sample("scalar", mask[0, 0], values[0, 0], others[0, 0])
    yield sample("broadcast-choice", strided(mask), Broadcast(values[0, 0], (3, 4)), others)
    yield sample("broadcast-mask", Broadcast(mask[:, :1], (3, 4)), values, Broadcast(others[:1], (3, 4)))
    yield sample("empty", mask[:0], values[:0], others[:0])
    special = special_array(dtype)
    yield sample("special", ordinary(np.dtype(bool), special.shape, 3), special, special[::-1])
    yield sample("large", ordinary(np.dtype(bool), LARGE), ordinary(dtype, LARGE, 1), ordinary(dtype, LARGE, 2))


@samples_of("stablehlo::clamp")
def clamp(kind: str, dtype: DType) -> Iterator[Sample]:
    """Scalar and full bounds, bounds in the wrong order, NaN in each place."""
    values = ordinary(dtype, (3, 4))
    low, high = (np.quantile(values.real, q, method="nearest").astype(dtype) for q in (0.3, 0.7))
    yield sample("scalar-bounds", low, values, high)
    yield sample("full-bounds", Broadcast(low, (3, 4)), values, ordinary(dtype, (3, 4), 2))
    yield sample("crossed-bounds", high, strided(values), low)
    yield sample("scalar", low, values[0, 0], high)
    yield sample("literal-bounds", Constant(low), values, Constant(high))
    yield sample("empty", low, values[:0], high)
    left, right = special_pairs(dtype)
    yield sample("special", left, right, np.roll(left, 7))
