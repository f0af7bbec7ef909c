"""Factorisations, equations and Fourier transforms: NumPy's own, which raise where there is no result."""

from __future__ import annotations

from typing import Final

from latebind.backends.numpy.lowering import NumpyLoweringContext as Context
from latebind.backends.numpy.lowering import Variables
from latebind.backends.numpy.lowerings.movement import full_operands
from latebind.ir.attributes import ints
from latebind.ir.node import Node

#: Expression of each operation; the names are the attributes', and `dtype` is that of the result.
_EXPRESSIONS: Final = {
    "stablehlo::cholesky": "cholesky({{0}}, {lower})",
    "stablehlo::triangular_solve": (
        "solve_triangular({{0}}, {{1}}, {left_side}, {lower}, {unit_diagonal}, {transpose_a!r})"
    ),
    "linalg::solve": "solve_equations({{0}}, {{1}})",
    "linalg::inv": "inverse({{0}})",
    "linalg::det": "determinant({{0}})",
    "linalg::slogdet": "log_determinant({{0}})",
    "linalg::qr": "orthogonal_factors({{0}}, {mode!r})",
    "linalg::eigh": "symmetric_eigenvectors({{0}})",
    "linalg::eig": "eigenvectors({{0}}, {dtype})",
    "linalg::svd": "singular_triples({{0}}, {mode!r})",
}
_VALUES: Final = {
    "linalg::eigh": "symmetric_eigenvalues({{0}})",
    "linalg::eig": "eigenvalues({{0}}, {dtype})",
    "linalg::svd": "singular_values({{0}})",
}


@Context.register(*_EXPRESSIONS)
def factorise(context: Context, node: Node, operands: Variables) -> Variables:
    """One call per operation; where only the values are asked for, the routine that leaves out the vectors."""
    kind = node.kind.qualified
    alone = node.attributes.get("vectors") is False or node.attributes.get("mode") == "none"
    template = (_VALUES if alone else _EXPRESSIONS)[kind]
    text = template.format(**node.attributes, dtype=node.types[0].dtype.name)
    operands = full_operands(context, node, operands)
    if len(node.types) == 1:
        return (context.expression(text, operands, node.types[0]),)
    return context.tuple_expression(text, operands, node.types)


@Context.register("stablehlo::fft")
def fft(context: Context, node: Node, operands: Variables) -> Variables:
    """`numpy.fft`, over the last axes."""
    lengths = ints(node.attributes, "fft_length")
    text = f"transform({{0}}, {node.attributes['fft_type']!r}, {lengths})"
    return (context.expression(text, full_operands(context, node, operands), node.types[0]),)
