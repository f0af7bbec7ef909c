"""The tolerance of each operation, with its reason. docs/conformance.md prints this table."""

from __future__ import annotations

from typing import Final

from latebind.testing.conformance.comparison import Tolerance

EXACT: Final = Tolerance()
_CHOICE: Final = Tolerance(
    zero_sign=False, reason="exact, but which of two zeros is taken is open: IEEE 754-2008 leaves maximum(-0, +0) open"
)
_FUNCTION: Final = Tolerance(
    ulps=8, half=2, reason="mathematical libraries promise 1 to 4 ulp each, and two of them are compared"
)
_TRIGONOMETRIC: Final = Tolerance(
    ulps=8,
    half=2,
    absolute=2,
    reason="1 to 4 ulp each; near a zero that is not representable, the reduced argument has an absolute error",
)
_COMPOSED: Final = Tolerance(
    ulps=32,
    half=4,
    reason="engines compose these of several functions, whose errors add up",
)
_LOG_OF_SUM: Final = Tolerance(
    ulps=32, half=4, absolute=32, reason="the sum inside rounds, which shows where the logarithm is near zero"
)
_SPECIAL: Final = Tolerance(
    ulps=64,
    half=8,
    absolute=64,
    reason="series and rational functions of a dozen terms; absolute near zeros that are not representable",
)
_SUM: Final = Tolerance(
    ulps=2,
    magnitude=4,
    zero_sign=False,
    reason="sums round in any order: the error is relative to the sum of the absolute values (Higham, Accuracy and "
    "Stability, 4.2), times the root of the number of terms",
)
_PRODUCT: Final = Tolerance(
    ulps=4, zero_sign=False, reason="one rounding for each factor, in any order, engines may keep more digits"
)

_COMPLEX_ARITHMETIC: Final = Tolerance(
    ulps=8, zero_sign=False, reason="products and quotients of complex numbers round several times"
)
_COMPLEX_FUNCTION: Final = Tolerance(
    ulps=32,
    absolute=32,
    zero_sign=False,
    reason="composed of several real functions of the parts; absolute where the logarithm of a modulus is near zero",
)
_FACTORISATION: Final = Tolerance(
    ulps=64,
    absolute=256,
    zero_sign=False,
    reason="backward stable: a small multiple of epsilon times the norm, below 16, and the condition of the matrix, 10",
)
_TRANSFORM: Final = Tolerance(
    ulps=64,
    absolute=64,
    zero_sign=False,
    reason="relative to the norm of the signal, below 32; smaller elements of the result have its absolute error",
)

_VARIATE: Final = Tolerance(
    ulps=1024,
    reason="a normal number through some twenty operations; logarithms below 64 come back through an exponential",
)


def _by_operation(*entries: tuple[str, Tolerance]) -> dict[str, Tolerance]:
    return {kind: tolerance for kinds, tolerance in entries for kind in kinds.split()}


_TABLE: Final = _by_operation(
    (
        "stablehlo::maximum stablehlo::minimum stablehlo::clamp stablehlo::reduce/maximum stablehlo::reduce/minimum"
        " stablehlo::reduce_window/maximum stablehlo::reduce_window/minimum stablehlo::scatter/maximum"
        " stablehlo::scatter/minimum",
        _CHOICE,
    ),
    (
        "stablehlo::cbrt stablehlo::exponential stablehlo::exponential_minus_one stablehlo::log stablehlo::log_plus_one"
        " stablehlo::logistic stablehlo::rsqrt stablehlo::tanh stablehlo::atan2 numpy::exp2 numpy::log2 numpy::log10"
        " numpy::hypot",
        _FUNCTION,
    ),
    ("stablehlo::cosine stablehlo::sine stablehlo::tan chlo::tan", _TRIGONOMETRIC),
    (
        "chlo::acos chlo::acosh chlo::asin chlo::asinh chlo::atan chlo::atanh chlo::cosh chlo::sinh stablehlo::power"
        " numpy::power",
        _COMPOSED,
    ),
    ("random::normal", _COMPOSED),
    ("random::variate", _VARIATE),
    ("numpy::logaddexp", _LOG_OF_SUM),
    ("chlo::digamma chlo::erf chlo::erf_inv chlo::erfc chlo::lgamma", _SPECIAL),
    (
        "stablehlo::dot_general stablehlo::reduce/add stablehlo::reduce_window/add stablehlo::scatter/add"
        " numpy::cumulative_sum lazy_tensors::replication_pad_backward",
        _SUM,
    ),
    (
        "stablehlo::cholesky stablehlo::triangular_solve linalg::solve linalg::inv linalg::det linalg::slogdet"
        " linalg::qr linalg::eigh linalg::eig linalg::svd",
        _FACTORISATION,
    ),
    ("stablehlo::fft", _TRANSFORM),
    (
        "stablehlo::reduce/multiply stablehlo::reduce_window/multiply stablehlo::scatter/multiply"
        " numpy::cumulative_prod",
        _PRODUCT,
    ),
)

#: Where complex operands need another tolerance: their parts round several times, and cancel.
_COMPLEX: Final = _by_operation(
    (
        "stablehlo::multiply stablehlo::divide stablehlo::abs stablehlo::sqrt stablehlo::sign chlo::square",
        _COMPLEX_ARITHMETIC,
    ),
    (
        "stablehlo::exponential stablehlo::exponential_minus_one stablehlo::log stablehlo::log_plus_one"
        " stablehlo::logistic stablehlo::rsqrt stablehlo::tanh stablehlo::cosine stablehlo::sine stablehlo::tan"
        " chlo::tan numpy::exp2 numpy::log2 numpy::log10",
        _COMPLEX_FUNCTION,
    ),
)


def tolerance_of(kind: str, dtype_kind: str, body: str = "") -> Tolerance:
    """Return the tolerance of an operation.

    Parameters
    ----------
    kind
        Qualified name.
    dtype_kind
        `numpy.dtype.kind` of the operands.
    body
        Name of the body of a reduction or scatter, such as `add`.
    """
    if dtype_kind == "c" and kind in _COMPLEX:
        return _COMPLEX[kind]
    return _TABLE.get(f"{kind}/{body}" if body else kind, EXACT)


def table() -> dict[str, Tolerance]:
    """Return every tolerance that is not exact, by operation; complex ones under `name (complex)`."""
    return {**_TABLE, **{f"{kind} (complex)": tolerance for kind, tolerance in _COMPLEX.items()}}
