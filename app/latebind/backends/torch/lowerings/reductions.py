"""Reductions, cumulative operations, positions of extremes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from latebind.backends.torch.dtypes import carrier
from latebind.backends.torch.kernels import unsigned
from latebind.backends.torch.kernels.folding import folded
from latebind.backends.torch.lowering import Term, Terms
from latebind.backends.torch.lowering import TorchLoweringContext as Context
from latebind.backends.torch.lowerings.elementwise import Function, apply, bound, chosen, converted, family
from latebind.ir.attributes import integer, ints
from latebind.ir.node import Node
from latebind.ir.types import DType

_UINT8: Final = np.dtype(np.uint8)
#: Reductions over several dimensions that PyTorch has, by body and family; `*` for all others that have one.
_NATIVE: Final[dict[str, dict[str, Function]]] = {
    "stablehlo::add": {"b": torch.any, "*": torch.sum},
    "stablehlo::multiply": {"b": torch.all},
    "stablehlo::maximum": {"b": torch.any, "i": torch.amax, "y": torch.amax, "f": torch.amax},
    "stablehlo::minimum": {"b": torch.all, "i": torch.amin, "y": torch.amin, "f": torch.amin},
    "stablehlo::and": {"b": torch.all},
    "stablehlo::or": {"b": torch.any},
}
#: The same for unsigned integers, whose order has to be made first.
_ORDERED: Final[dict[str, Function]] = {"stablehlo::maximum": torch.amax, "stablehlo::minimum": torch.amin}


def body_of(node: Node, attribute: str = "body") -> str:
    """Return the qualified name of a reduction's body."""
    return str(node.attributes[attribute])


def combiner(body: str, dtype: DType) -> Function:
    """Return the body as a function of two tensors."""
    function = chosen(body, dtype)
    assert function is not None
    return bound(function, dtype)


def combined(context: Context, body: str, operands: Terms, dtype: DType) -> Term:
    """Add the body as an elementwise function."""
    function = chosen(body, dtype)
    assert function is not None
    return apply(context, function, operands, dtype)


def identity_of(body: str, dtype: DType) -> bool | int | float | None:
    """Return what leaves any value as it is when combined with it; `None` if there is no such value."""
    name = body.partition("::")[2]
    if name in ("maximum", "minimum"):
        low = name == "maximum"
        if dtype.kind in "iu":
            return int(np.iinfo(dtype.name).min if low else np.iinfo(dtype.name).max)
        return {"b": not low, "f": -np.inf if low else np.inf}.get(dtype.kind)
    if name == "and":
        return True if dtype.kind == "b" else int(np.iinfo(dtype.name).max) if dtype.kind == "u" else -1
    return 1 if name == "multiply" else 0


def _is_identity(initial: Term, body: str) -> bool:
    known = initial.constant
    return known is not None and known.ndim == 0 and bool(known == identity_of(body, known.dtype))


@Context.register("stablehlo::reduce")
def reduce(context: Context, node: Node, operands: Terms) -> Terms:
    """PyTorch's reduction, then combined with the initial value unless that is the identity."""
    operand, initial = operands
    source, type, body = node.operands[0].type, node.types[0], body_of(node)
    dimensions = ints(node.attributes, "dimensions")
    if any(source.shape[dimension] == 0 for dimension in dimensions):
        return (initial,)
    if dimensions:
        operand = reduced(context, context.full(operand, source), dimensions, body)
    if _is_identity(initial, body):
        return (operand,)
    return (combined(context, body, (operand, initial), type.dtype),)


def reduced(context: Context, operand: Term, dimensions: tuple[int, ...], body: str) -> Term:
    """Return the elements along dimensions, none of them empty, combined."""
    dtype, shape = operand.type.dtype, operand.type.shape
    type = operand.type.with_shape(tuple(e for d, e in enumerate(shape) if d not in dimensions))
    if body == "stablehlo::multiply" and dtype.kind != "b":
        return _product(context, operand, dimensions)
    choices = _NATIVE[body]
    function = choices.get(family(dtype), choices.get("*"))
    if function is torch.sum:
        return context.call(function, operand, dimensions, type=type, dtype=carrier(dtype))
    if function is not None:
        return context.call(function, operand, dimensions, type=type)
    if family(dtype) == "u" and body in _ORDERED:
        return context.kernel(
            _ordered_reduction, operand, type=type, reduction=_ORDERED[body], dims=dimensions, dtype=carrier(dtype)
        )
    return context.kernel(folded, operand, type=type, combine=combiner(body, dtype), dims=dimensions, shape=shape)


def _product(context: Context, operand: Term, dimensions: tuple[int, ...]) -> Term:
    """Multiply along one dimension after the other: `prod` takes one."""
    for dimension in sorted(dimensions, reverse=True):
        shape = operand.type.shape
        type = operand.type.with_shape((*shape[:dimension], *shape[dimension + 1 :]))
        operand = context.call(torch.prod, operand, dimension, type=type, dtype=carrier(type.dtype))
    return operand


def _ordered_reduction(x: Tensor, *, reduction: Function, dims: tuple[int, ...], dtype: torch.dtype) -> Any:
    return unsigned.flipped(reduction(unsigned.flipped(x, dtype=dtype), dims), dtype=dtype)


def _accumulate(function: Function, context: Context, node: Node, operands: Terms) -> Terms:
    type = node.types[0]
    operand = context.full(operands[0], type)
    dimension = integer(node.attributes, "dimension")
    return (context.call(function, operand, dimension, type=type, dtype=carrier(type.dtype)),)


@Context.register("numpy::cumulative_sum")
def cumulative_sum(context: Context, node: Node, operands: Terms) -> Terms:
    """`cumsum`."""
    return _accumulate(torch.cumsum, context, node, operands)


@Context.register("numpy::cumulative_prod")
def cumulative_prod(context: Context, node: Node, operands: Terms) -> Terms:
    """`cumprod`."""
    return _accumulate(torch.cumprod, context, node, operands)


@Context.register("numpy::argmax", "numpy::argmin")
def position_of_extreme(context: Context, node: Node, operands: Terms) -> Terms:
    """The first position of the extreme; NaN wins."""
    operand = ordered(context, context.full(operands[0], node.operands[0].type))
    function = getattr(torch, node.kind.name)
    return (context.call(function, operand, integer(node.attributes, "dimension"), type=node.types[0]),)


def ordered(context: Context, operand: Term) -> Term:
    """Return a term whose tensor has the order of the values; booleans become uint8."""
    dtype = operand.type.dtype
    if dtype.kind == "b":
        return converted(context, operand, _UINT8)
    if family(dtype) == "u":
        return context.kernel(unsigned.flipped, operand, type=operand.type, dtype=carrier(dtype))
    return operand
