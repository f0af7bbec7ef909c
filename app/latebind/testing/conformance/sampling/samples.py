"""What a sample is, and the table from an operation to its generator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from latebind.ir.builder import IrBuilder
from latebind.ir.node import AttributeValue, Value
from latebind.ir.types import ELEMENT_NAMES, DType, TensorType

Array = npt.NDArray[Any]
#: Makes a parameter of the graph that is fed with an array.
Feed = Callable[[Array], Value]

#: Every dtype of the IR, in the order of the table.
DTYPES: Final[tuple[DType, ...]] = tuple(np.dtype(name) for name in ELEMENT_NAMES)


@dataclass(frozen=True, slots=True)
class Operand:
    """An operand that is a parameter of the computation.

    Attributes
    ----------
    array : numpy.ndarray
        What is fed, in whatever memory layout it has.
    """

    array: Array

    @property
    def value(self) -> Array:
        """What the operation sees."""
        return self.array

    def build(self, b: IrBuilder, feed: Feed) -> Value:
        """Add the operand to a graph."""
        return feed(self.array)


@dataclass(frozen=True, slots=True)
class Constant(Operand):
    """An operand that is a constant of the computation."""

    def build(self, b: IrBuilder, feed: Feed) -> Value:
        """Add the constant to a graph."""
        return b.make_constant(np.asarray(self.array)).value()


@dataclass(frozen=True, slots=True)
class Broadcast(Operand):
    """An operand that is broadcast inside the computation, by NumPy's rules."""

    shape: tuple[int, ...] = ()

    @property
    def value(self) -> Array:
        """The array in its full shape."""
        return np.broadcast_to(self.array, self.shape)

    def build(self, b: IrBuilder, feed: Feed) -> Value:
        """Add a parameter and its broadcast to a graph."""
        return b.make_expand(feed(self.array), self.shape).value()


@dataclass(frozen=True, slots=True)
class Transposed(Operand):
    """An operand whose dimensions are reversed inside the computation."""

    @property
    def value(self) -> Array:
        """The transposed array."""
        return self.array.T

    def build(self, b: IrBuilder, feed: Feed) -> Value:
        """Add a parameter and its transposition to a graph."""
        return b.op("stablehlo::transpose", feed(self.array), permutation=tuple(reversed(range(self.array.ndim))))


@dataclass(frozen=True, slots=True)
class Vanishing(Operand):
    """An operand that the computation subtracts from itself: zeros, which a compiler may see."""

    @property
    def value(self) -> Array:
        """Zeros."""
        return np.zeros_like(self.array)

    def build(self, b: IrBuilder, feed: Feed) -> Value:
        """Add a parameter and the difference to a graph."""
        value = feed(self.array)
        return b.op("stablehlo::subtract", value, value)


@dataclass(frozen=True, slots=True)
class Sample:
    """One application of an operation.

    Attributes
    ----------
    label : str
        Last part of the case's name.
    operands : tuple of Operand
    attributes : mapping
    terms : int
        How many values each element of the result combines; tolerances grow with it.
    """

    label: str
    operands: tuple[Operand, ...]
    attributes: Mapping[str, AttributeValue] = field(default_factory=dict)
    terms: int = 1

    def combining(self, terms: int) -> Sample:
        """Return the same sample, whose results combine this many values."""
        return replace(self, terms=max(1, terms))


#: Samples of one operation for one dtype, a cheap one first: it says whether the type rule accepts the dtype.
Generator = Callable[[str, DType], Iterator[Sample]]

_generators: dict[str, Generator] = {}


def samples_of(*kinds: str) -> Callable[[Generator], Generator]:
    """Register a generator for these operations (decorator)."""

    def register(generator: Generator) -> Generator:
        for kind in kinds:
            if kind in _generators:
                raise ValueError(f"{kind} has two sample generators")
            _generators[kind] = generator
        return generator

    return register


def generators() -> Mapping[str, Generator]:
    """Return the table from an operation's qualified name to its generator."""
    from latebind.testing.conformance.sampling import (  # noqa: F401
        contraction,
        creation,
        elementwise,
        indexing,
        linear_algebra,
        movement,
        random_numbers,
        reductions,
        sorting,
    )

    return _generators


def sample(label: str, *operands: Operand | Array, **attributes: AttributeValue) -> Sample:
    """Make a sample; a plain array is a parameter."""
    return Sample(label, tuple(o if isinstance(o, Operand) else Operand(np.asarray(o)) for o in operands), attributes)


def type_of(array: Array) -> TensorType:
    """Return the type of a host array."""
    return TensorType.of(array.shape, array.dtype)
