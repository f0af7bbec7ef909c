"""Typed reading of a node's attributes: rules and lowerings get the type that they expect, or an error."""

from __future__ import annotations

from collections.abc import Hashable

import numpy as np
import numpy.typing as npt

from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.node import Attributes, AttributeValue
from latebind.ir.opkind import OpKind
from latebind.ir.types import ELEMENT_NAMES, DType


def ints(attributes: Attributes, name: str, default: tuple[int, ...] | None = None) -> tuple[int, ...]:
    """Return an attribute that is a tuple of int.

    Raises
    ------
    ShapeMismatchError
        If it is something else, or is missing and has no default.
    """
    value = attributes.get(name, default)
    if type(value) is not tuple:
        raise ShapeMismatchError(f"attribute {name!r} must be a tuple of int, got {value!r}")
    for item in value:
        if type(item) is not int:
            raise ShapeMismatchError(f"attribute {name!r} must be a tuple of int, got {value!r}")
    return value  # type: ignore[return-value]


def pairs(attributes: Attributes, name: str) -> tuple[tuple[int, int], ...]:
    """Return an attribute that is a tuple of pairs of int; raise `ShapeMismatchError` if it is something else."""
    value = attributes.get(name)
    if type(value) is not tuple:
        raise ShapeMismatchError(f"attribute {name!r} must be a tuple of pairs of int, got {value!r}")
    for item in value:
        if type(item) is not tuple or len(item) != 2 or type(item[0]) is not int or type(item[1]) is not int:
            raise ShapeMismatchError(f"attribute {name!r} must be a tuple of pairs of int, got {value!r}")
    return value  # type: ignore[return-value]


def integer(attributes: Attributes, name: str) -> int:
    """Return an attribute that is an int; raise `ShapeMismatchError` if it is something else."""
    value = attributes.get(name)
    if type(value) is not int:
        raise ShapeMismatchError(f"attribute {name!r} must be an int, got {value!r}")
    return value


def boolean(attributes: Attributes, name: str) -> bool:
    """Return an attribute that is a bool; raise `DTypeMismatchError` if it is something else."""
    value = attributes.get(name)
    if not isinstance(value, bool):
        raise DTypeMismatchError(f"attribute {name!r} must be a bool, got {value!r}")
    return value


def text(attributes: Attributes, name: str, allowed: tuple[str, ...], default: str | None = None) -> str:
    """Return an attribute that is one of some words; raise `DTypeMismatchError` if it is something else."""
    value = attributes.get(name, default)
    if not isinstance(value, str) or value not in allowed:
        raise DTypeMismatchError(f"attribute {name!r} must be one of {', '.join(allowed)}, got {value!r}")
    return value


def element_type(attributes: Attributes, name: str = "dtype") -> DType:
    """Return an attribute that is a dtype of the IR; raise `DTypeMismatchError` if it is something else."""
    value = attributes.get(name)
    if not isinstance(value, np.dtype) or value.name not in ELEMENT_NAMES:
        known = ", ".join(ELEMENT_NAMES)
        raise DTypeMismatchError(f"attribute {name!r} must be one of the dtypes {known}; got {value!r}")
    return value


def array(attributes: Attributes, name: str = "value") -> npt.NDArray[np.generic]:
    """Return an attribute that is an array; raise `DTypeMismatchError` if it is something else."""
    value = attributes.get(name)
    if not isinstance(value, np.ndarray):
        raise DTypeMismatchError(f"attribute {name!r} must be a NumPy array, got {type(value).__name__}")
    return value


def body_kind(attributes: Attributes, name: str = "body") -> OpKind | None:
    """Return an attribute that names the body of a reduction, or `None`; raise `DTypeMismatchError` otherwise."""
    value = attributes.get(name)
    if value is not None and not isinstance(value, OpKind):
        raise DTypeMismatchError(f"attribute {name!r} must be an OpKind, got {value!r}")
    return value


def key_of(value: AttributeValue) -> Hashable:
    """Return a key that is equal for attribute values that are the same bit by bit.

    Python's own equality will not do: `0.0 == -0.0`, `1 == True == 1.0`, and NaN differs from itself.
    """
    if isinstance(value, tuple):
        return tuple(item if type(item) is int else key_of(item) for item in value)
    if isinstance(value, np.ndarray):
        return ("array", value.dtype, value.shape, value.tobytes())
    if isinstance(value, float):
        return ("float", value.hex())
    if isinstance(value, complex):
        return ("complex", value.real.hex(), value.imag.hex())
    if type(value) is int:
        return value
    return (type(value), value)


def key_of_all(attributes: Attributes) -> Hashable:
    """Return a key that is equal for mappings of attributes that are the same bit by bit, in whatever order."""
    if not attributes:
        return ()
    return tuple((name, key_of(attributes[name])) for name in sorted(attributes))
