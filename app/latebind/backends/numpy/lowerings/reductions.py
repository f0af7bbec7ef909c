"""Reductions, cumulative operations, positions of extremes."""

from __future__ import annotations

from typing import Final

import numpy as np

from latebind.backends.numpy.lowering import NumpyLoweringContext as Context
from latebind.backends.numpy.lowering import Variables
from latebind.backends.numpy.statements import Variable
from latebind.ir.attributes import integer, ints
from latebind.ir.node import Node
from latebind.ir.types import DType

#: Ufunc of each body.
_BODIES: Final = {
    "stablehlo::add": "add",
    "stablehlo::multiply": "multiply",
    "stablehlo::maximum": "maximum",
    "stablehlo::minimum": "minimum",
    "stablehlo::and": "bitwise_and",
    "stablehlo::or": "bitwise_or",
}


def body_of(node: Node, attribute: str = "body") -> str:
    """Return the ufunc that a node names as the body of a reduction."""
    return _BODIES[str(node.attributes[attribute])]


def _lowest(dtype: DType) -> bool | int | float | None:
    return {"b": False, "f": -np.inf, "c": None}.get(dtype.kind, _integer_limit(dtype, "min"))


def _highest(dtype: DType) -> bool | int | float | None:
    return {"b": True, "f": np.inf, "c": None}.get(dtype.kind, _integer_limit(dtype, "max"))


def _integer_limit(dtype: DType, end: str) -> int:
    return int(getattr(np.iinfo(dtype.name), end)) if dtype.kind in "iu" else 0


def identity_of(body: str, dtype: DType) -> bool | int | float | None:
    """Return what leaves any value as it is when combined with it; `None` if there is no such value."""
    if body in ("maximum", "minimum"):
        return _lowest(dtype) if body == "maximum" else _highest(dtype)
    if body == "bitwise_and":
        return {"b": True, "u": _integer_limit(dtype, "max")}.get(dtype.kind, -1)
    return 1 if body == "multiply" else 0


def _is_identity(initial: Variable, body: str) -> bool:
    known = initial.constant
    return known is not None and known.ndim == 0 and bool(known == identity_of(body, known.dtype))


@Context.register("stablehlo::reduce")
def reduce(context: Context, node: Node, operands: Variables) -> Variables:
    """`ufunc.reduce`, then combined with the initial value unless that is the identity."""
    operand, initial = operands
    source, type, body = node.operands[0].type, node.types[0], body_of(node)
    dimensions = ints(node.attributes, "dimensions")
    if any(source.shape[dimension] == 0 for dimension in dimensions):
        return (initial,)
    if dimensions:
        operand = context.full(operand, source)
        axis = str(dimensions[0] if len(dimensions) == 1 else dimensions)
        dtype = _dtype_argument(body, type.dtype)
        operand = context.expression(f"{body}_reduce({{0}}, {axis}{dtype})", (operand,), type)
    if _is_identity(initial, body):
        return (operand,)
    return (context.ufunc(body, (operand, initial), type.dtype),)


def _dtype_argument(body: str, dtype: DType) -> str:
    """Return the argument that keeps sums and products of small integers from being widened."""
    return f", {dtype.name}" if body in ("add", "multiply") and dtype.kind in "biu" else ""


def _accumulate(body: str, context: Context, node: Node, operands: Variables) -> Variables:
    operand = context.full(operands[0], node.operands[0].type)
    dtype = _dtype_argument(body, node.types[0].dtype)
    text = f"{body}_accumulate({{0}}, {integer(node.attributes, 'dimension')}{dtype})"
    return (context.expression(text, (operand,), node.types[0]),)


@Context.register("numpy::cumulative_sum")
def cumulative_sum(context: Context, node: Node, operands: Variables) -> Variables:
    """`add.accumulate`."""
    return _accumulate("add", context, node, operands)


@Context.register("numpy::cumulative_prod")
def cumulative_prod(context: Context, node: Node, operands: Variables) -> Variables:
    """`multiply.accumulate`."""
    return _accumulate("multiply", context, node, operands)


@Context.register("numpy::argmax", "numpy::argmin")
def position_of_extreme(context: Context, node: Node, operands: Variables) -> Variables:
    """The first position of the extreme; NaN wins."""
    operand = context.full(operands[0], node.operands[0].type)
    text = f"{{0}}.{node.kind.name}({integer(node.attributes, 'dimension')})"
    return (context.expression(text, (operand,), node.types[0]),)
