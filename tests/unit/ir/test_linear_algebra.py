"""Type rules of factorisations and transforms, and how what packs their results vanishes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from latebind.errors import DTypeMismatchError as DType
from latebind.errors import ShapeMismatchError as Shape
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Value, post_order
from latebind.ir.simplify import simplify

Parameter = Callable[..., Value]
SOLVE = {"left_side": False, "lower": True, "unit_diagonal": False, "transpose_a": "ADJOINT"}


@pytest.mark.parametrize(
    ("kind", "shape", "dtype", "attributes", "results"),
    [
        ("stablehlo::cholesky", (2, 3, 3), "complex64", {"lower": True}, "tensor<2x3x3xcomplex<f32>>"),
        ("linalg::inv", (3, 3), "float64", {}, "tensor<3x3xf64>"),
        ("linalg::det", (2, 3, 3), "float32", {}, "tensor<2xf32>"),
        ("linalg::slogdet", (3, 3), "complex128", {}, "tensor<complex<f64>> tensor<f64>"),
        ("linalg::qr", (5, 3), "float32", {"mode": "reduced"}, "tensor<5x3xf32> tensor<3x3xf32>"),
        ("linalg::qr", (5, 3), "float32", {"mode": "complete"}, "tensor<5x5xf32> tensor<5x3xf32>"),
        ("linalg::eigh", (3, 3), "complex64", {"vectors": True}, "tensor<3xf32> tensor<3x3xcomplex<f32>>"),
        ("linalg::eig", (3, 3), "float64", {"vectors": False}, "tensor<3xcomplex<f64>>"),
        ("linalg::svd", (2, 4, 3), "complex64", {"mode": "none"}, "tensor<2x3xf32>"),
        ("linalg::svd", (4, 3), "float64", {"mode": "complete"}, "tensor<4x4xf64> tensor<3xf64> tensor<3x3xf64>"),
        ("linalg::svd", (4, 3), "float64", {"mode": "reduced"}, "tensor<4x3xf64> tensor<3xf64> tensor<3x3xf64>"),
        ("stablehlo::fft", (2, 8), "float32", {"fft_type": "RFFT", "fft_length": (8,)}, "tensor<2x5xcomplex<f32>>"),
        ("stablehlo::fft", (4, 5), "complex128", {"fft_type": "IRFFT", "fft_length": (4, 9)}, "tensor<4x9xf64>"),
    ],
)
def test_results(
    b: IrBuilder, parameter: Parameter, kind: str, shape: Any, dtype: str, attributes: Any, results: str
) -> None:
    node = b.make_generic(kind, [parameter(shape, dtype)], attributes)
    assert " ".join(map(repr, node.types)) == results


@pytest.mark.parametrize(
    ("kind", "operands", "attributes", "error", "message"),
    [
        ("linalg::det", [((2, 3), "float32")], {}, Shape, "last two dimensions must be equal"),
        ("linalg::svd", [((3,), "float32")], {"mode": "none"}, Shape, "must be matrices"),
        ("linalg::qr", [((3, 3), "float32")], {"mode": "none"}, DType, "must be one of"),
        ("linalg::inv", [((3, 3), "float16")], {}, DType, "single or double precision"),
        ("linalg::inv", [((3, 3), "int32")], {}, DType, "must be float or complex"),
        ("linalg::eigh", [((3, 3), "float32")], {"vectors": 1}, DType, "must be a bool"),
        ("linalg::solve", [((3, 3), "float32"), ((2, 3), "float32")], {}, Shape, "as many rows"),
        ("linalg::solve", [((2, 3, 3), "float32"), ((3, 3), "float32")], {}, Shape, "leading dimensions"),
        ("linalg::solve", [((3, 3), "float32"), ((3, 3), "float64")], {}, DType, "same dtype"),
        ("stablehlo::triangular_solve", [((3, 3), "float32"), ((3, 2), "float32")], SOLVE, Shape, "columns"),
        ("stablehlo::fft", [((4,), "float32")], {"fft_type": "FFT", "fft_length": (4,)}, DType, "complex"),
        ("stablehlo::fft", [((4,), "complex64")], {"fft_type": "FFT", "fft_length": (3,)}, Shape, "not fit"),
        ("stablehlo::fft", [((4,), "complex64")], {"fft_type": "FFT", "fft_length": ()}, Shape, "one to 3"),
    ],
)  # fmt: skip
def test_constraints(
    b: IrBuilder, parameter: Parameter, kind: str, operands: Any, attributes: Any, error: Any, message: str
) -> None:
    with pytest.raises(error, match=f"{kind}.*{re.escape(message)}"):
        b.make_generic(kind, [parameter(*operand) for operand in operands], attributes)


def cut(b: IrBuilder, x: Value, start: int, limit: int) -> Value:
    return b.op("stablehlo::slice", x, start_indices=(start,), limit_indices=(limit,), strides=(1,))


def test_a_slice_within_one_part_of_a_concatenation_is_a_slice_of_the_part(b: IrBuilder, parameter: Parameter) -> None:
    x, y = parameter((3,)), parameter((4,))
    joined = b.op("stablehlo::concatenate", x, y, dimension=0)
    assert simplify([cut(b, joined, 0, 3), cut(b, joined, 3, 7)], b) == [x, y]
    (inner,) = simplify([cut(b, joined, 4, 6)], b)
    assert inner.node.operands == (y,) and inner.node.attributes["start_indices"] == (1,)
    (across,) = simplify([cut(b, joined, 2, 4)], b)
    assert [node.kind.name for node in post_order([across])][-2:] == ["concatenate", "slice"]


def test_the_parts_of_a_complex_number_that_was_put_together_are_the_parts(b: IrBuilder, parameter: Parameter) -> None:
    x, y = parameter((3,)), parameter((3,))
    z = b.op("stablehlo::complex", x, y)
    assert simplify([b.op("stablehlo::real", z), b.op("stablehlo::imag", z)], b) == [x, y]
    assert np.dtype(np.complex64) == z.dtype
