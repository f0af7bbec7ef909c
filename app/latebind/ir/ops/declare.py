"""One-line declarations of operations, and the checks that their type rules share.

A rule raises `ShapeMismatchError` or `DTypeMismatchError` with the constraint alone; `declare` wraps it so that the
error also names the operation and the operand types.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final

from latebind.errors import DTypeMismatchError, ShapeMismatchError, TypeInferenceError
from latebind.ir.node import Attributes
from latebind.ir.opkind import OpKind
from latebind.ir.optable import Decompose, Infer, OpDef, define
from latebind.ir.types import TensorType

#: Sets of `numpy.dtype.kind`, by what StableHLO's specification calls them.
ANY: Final = frozenset("biufc")
BOOL_OR_INT: Final = frozenset("biu")
INT: Final = frozenset("iu")
FLOAT: Final = frozenset("f")
FLOAT_OR_COMPLEX: Final = frozenset("fc")
SIGNED: Final = frozenset("ifc")
NUMERIC: Final = frozenset("iufc")
REAL: Final = frozenset("iuf")

_KIND_NAMES: Final = {"b": "boolean", "i": "signed integer", "u": "unsigned integer", "f": "float", "c": "complex"}


def declare(
    kind: str,
    operands: str,
    attributes: str,
    rule: Infer,
    summary: str,
    *,
    decompose: Decompose | None = None,
    leaf: bool = False,
    optional: bool = False,
) -> OpDef:
    """Add an operation to the table: core, unless it has a decomposition, is a leaf or is optional.

    Parameters
    ----------
    kind
        Qualified name.
    operands, attributes
        Names, separated by spaces (`*name` for any number of operands, `name?` for an optional attribute).
    rule
        Result types; raises the constraint alone.
    summary
        One line: what the operation computes.
    decompose
        Decomposition into other operations.
    leaf
        Whether the runtime supplies the value.
    optional
        Whether a backend may leave it out although it has no decomposition: it runs on the reference backend then.
    """
    interned = OpKind.get(kind)

    def infer(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
        try:
            return rule(types, attributes)
        except TypeInferenceError as error:
            shown = ", ".join(map(repr, types))
            raise type(error)(f"{interned}({shown}): {error}") from None

    return define(
        OpDef(
            interned,
            tuple(operands.split()),
            tuple(attributes.split()),
            infer,
            summary,
            core=decompose is None and not optional,
            decompose=decompose,
            leaf=leaf,
        )
    )


def check_kind(type: TensorType, kinds: frozenset[str], what: str = "operands") -> None:
    """Refuse a type whose dtype is not of one of these kinds."""
    if type.dtype.kind not in kinds:
        allowed = " or ".join(name for kind, name in _KIND_NAMES.items() if kind in kinds)
        raise DTypeMismatchError(f"{what} must be {allowed}, got {type.dtype}")


def check_same_type(types: Sequence[TensorType], what: str = "operands") -> None:
    """Refuse types that are not all the same."""
    first = types[0]
    for other in types:
        if other is not first:
            if other.shape != first.shape:
                raise ShapeMismatchError(f"{what} must have the same shape")
            raise DTypeMismatchError(f"{what} must have the same dtype")


def check_scalar_of(type: TensorType, dtype_of: TensorType, what: str) -> None:
    """Refuse what is not zero-dimensional or has not the dtype of another type."""
    if type.shape:
        raise ShapeMismatchError(f"{what} must be zero-dimensional")
    if type.dtype is not dtype_of.dtype and type.dtype != dtype_of.dtype:
        raise DTypeMismatchError(f"{what} must have the operand's dtype {dtype_of.dtype}")


def check_dimension(dimension: int, rank: int, what: str) -> None:
    """Refuse a dimension outside `[0, rank)`."""
    if not 0 <= dimension < rank:
        raise ShapeMismatchError(f"{what} = {dimension} must be a dimension of a value of rank {rank}")


def check_dimensions(dimensions: Sequence[int], rank: int, what: str) -> None:
    """Refuse dimensions outside `[0, rank)` or that come twice."""
    for dimension in dimensions:
        if not 0 <= dimension < rank:
            raise ShapeMismatchError(f"{what} = {tuple(dimensions)} must be dimensions of a value of rank {rank}")
    if len(dimensions) > 1 and len(set(dimensions)) != len(dimensions):
        raise ShapeMismatchError(f"{what} = {tuple(dimensions)} must be unique")


def check_sorted(dimensions: Sequence[int], what: str) -> None:
    """Refuse dimensions that do not ascend."""
    if any(a >= b for a, b in pairwise(dimensions)):
        raise ShapeMismatchError(f"{what} = {tuple(dimensions)} must ascend")


def check_shape(shape: Iterable[int], what: str = "shape") -> None:
    """Refuse negative extents."""
    if any(extent < 0 for extent in shape):
        raise ShapeMismatchError(f"{what} = {tuple(shape)} must not be negative")


def check_length(values: Sequence[object], rank: int, what: str) -> None:
    """Refuse an attribute that has not one item per dimension."""
    if len(values) != rank:
        raise ShapeMismatchError(f"{what} = {tuple(values)} must have one item for each of {rank} dimensions")


def same_type_rule(kinds: frozenset[str]) -> Infer:
    """Return the rule of an elementwise operation whose operands and result have one type."""

    def infer(types: Sequence[TensorType], attributes: Attributes) -> tuple[TensorType, ...]:
        first = types[0]
        if types[-1] is not first:
            check_same_type(types)
        if first.dtype.kind not in kinds:
            check_kind(first, kinds)
        return (first,)

    return infer
