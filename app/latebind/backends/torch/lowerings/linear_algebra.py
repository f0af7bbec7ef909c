"""Factorisations and equations with `torch.linalg`: LAPACK on the host, cuSOLVER and MAGMA on GPUs.

Results come column by column; `memory.plan_memory` makes those contiguous that leave.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

import torch

from latebind.backends.torch.dtypes import carrier
from latebind.backends.torch.kernels import factorisations
from latebind.backends.torch.lowering import Term, Terms
from latebind.backends.torch.lowering import TorchLoweringContext as Context
from latebind.backends.torch.lowerings.movement import full_operands
from latebind.ir.node import Node
from latebind.ir.ops.linear_algebra import real_dtype

#: Operations that are one function of PyTorch with one result.
_SINGLE: Final[dict[str, Callable[..., Any]]] = {
    "linalg::solve": torch.linalg.solve,
    "linalg::inv": torch.linalg.inv,
    "linalg::det": torch.linalg.det,
}


@Context.register(*_SINGLE)
def single(context: Context, node: Node, operands: Terms) -> Terms:
    """One call; it raises for a singular matrix that has to be inverted."""
    operands = full_operands(context, node, operands)
    return (context.call(_SINGLE[node.kind.qualified], *operands, type=node.types[0]),)


def _several(context: Context, node: Node, function: Callable[..., Any], a: Term, **options: Any) -> Terms:
    """Call a function with a tuple of results."""
    both = context.call(function, a, type=node.types[0], **options)
    return [context.call(operator.getitem, both, index, type=type) for index, type in enumerate(node.types)]


def _finite(context: Context, a: Term, *, triangle: bool) -> Term:
    """Return the matrices, of which the computation raises an error if they are not finite."""
    part = carrier(real_dtype(a.type.dtype))
    return context.kernel(factorisations.refused_unless_finite, a, type=a.type, dtype=part, triangle=triangle)


@Context.register("linalg::slogdet")
def slogdet(context: Context, node: Node, operands: Terms) -> Terms:
    """Sign and logarithm; PyTorch's sign is that of a singular matrix, 0, also where the logarithm is NaN."""
    (a,) = full_operands(context, node, operands)
    sign, logarithm = _several(context, node, torch.linalg.slogdet, a)
    return context.kernel(factorisations.sign_or_nan, sign, logarithm, type=sign.type), logarithm


@Context.register("linalg::qr")
def qr(context: Context, node: Node, operands: Terms) -> Terms:
    """`geqrf` and `orgqr`: signs are LAPACK's."""
    (a,) = full_operands(context, node, operands)
    return _several(context, node, torch.linalg.qr, a, mode=node.attributes["mode"])


@Context.register("linalg::eigh")
def eigh(context: Context, node: Node, operands: Terms) -> Terms:
    """Of the lower triangle; raises for what is not finite."""
    (a,) = full_operands(context, node, operands)
    a = _finite(context, a, triangle=True)
    if node.attributes["vectors"]:
        return _several(context, node, torch.linalg.eigh, a, UPLO="L")
    return (context.call(torch.linalg.eigvalsh, a, type=node.types[0], UPLO="L"),)


@Context.register("linalg::eig")
def eig(context: Context, node: Node, operands: Terms) -> Terms:
    """Raises for what is not finite: `eig` does itself."""
    (a,) = full_operands(context, node, operands)
    if node.attributes["vectors"]:
        return _several(context, node, torch.linalg.eig, a)
    a = _finite(context, a, triangle=False)
    return (context.call(torch.linalg.eigvals, a, type=node.types[0]),)


@Context.register("linalg::svd")
def svd(context: Context, node: Node, operands: Terms) -> Terms:
    """Raises for what is not finite."""
    (a,), mode = full_operands(context, node, operands), node.attributes["mode"]
    a = context.kernel(factorisations.infinities_as_nan, a, type=a.type)
    if mode == "none":
        return (context.call(torch.linalg.svdvals, a, type=node.types[0]),)
    return _several(context, node, torch.linalg.svd, a, full_matrices=mode == "complete")


@Context.register("stablehlo::cholesky")
def cholesky(context: Context, node: Node, operands: Terms) -> Terms:
    """Raises for a matrix that is not positive definite."""
    (a,), order = full_operands(context, node, operands), node.types[0].shape[-1]
    square = node.types[0].with_shape((order, order))
    options = {"dtype": carrier(square.dtype), "device": context.torch_device}
    identity = context.call(torch.eye, order, type=square, **options)
    lower = node.attributes["lower"] is True
    return (context.kernel(factorisations.cholesky, a, identity, type=node.types[0], lower=lower),)


@Context.register("stablehlo::triangular_solve")
def triangular_solve(context: Context, node: Node, operands: Terms) -> Terms:
    """`trsm`; a zero on the diagonal gives infinities."""
    left, lower, unit = (node.attributes[name] is True for name in ("left_side", "lower", "unit_diagonal"))
    found = context.kernel(
        factorisations.solve_triangular,
        *full_operands(context, node, operands),
        type=node.types[0],
        left=left,
        lower=lower,
        unit=unit,
        transposition=str(node.attributes["transpose_a"]),
    )
    return (found,)
