"""Drawing from what there is: `choice`, and orders of things by sorting random keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from latebind.array.indexing_functions import take, take_along_axis
from latebind.array.manipulation_functions import reshape
from latebind.array.operands import ArrayLike, apply, as_array, host_array
from latebind.array.random.arguments import Size, size_of
from latebind.array.random.bit_generator import Philox
from latebind.array.random.integers import draw_integers
from latebind.array.rules.common import INT64, normalize_axis
from latebind.array.rules.random_numbers import BITS, ORDER, RULES
from latebind.array.rules.sorting import ARGSORT, SEARCHSORTED
from latebind.array.statistical_functions import cumulative_sum
from latebind.errors import DTypeMismatchError, ShapeMismatchError
from latebind.ir.ops.random_numbers import FLOAT64, UINT64, blocks_of
from latebind.runtime.capture import ScalarArgument
from latebind.runtime.lazy import LazyTensor

if TYPE_CHECKING:
    from latebind.array.array import Array

#: How far the sum of host probabilities may be from 1, as in NumPy.
_SUM_TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))


class Selection:
    """What a generator does with arrays; a subclass says where its bits come from.

    Orders come from sorting keys of 64 bits. Of n elements, two keys are equal with a probability below `n**2 / 2**65`,
    and then keep their order.
    """

    @property
    def bit_generator(self) -> Philox:
        """The generator's key and counter."""
        raise NotImplementedError

    def choice(
        self,
        a: ArrayLike,
        size: Size = None,
        replace: bool = True,
        p: ArrayLike | None = None,
        axis: int = 0,
        shuffle: bool = True,
    ) -> Array:
        """Return elements of `a`, or of `range(a)`, drawn at random.

        Parameters
        ----------
        a : int or array-like
        size : int, tuple of int or None
            Takes the place of the axis in the shape of `a`; `None` draws one element.
        replace : bool
            Whether an element may be drawn more than once.
        p : array-like, optional
            Probability of each element, one dimension. Of a lazy array, the values are not checked, and are divided by
            their sum.
        axis : int
            The axis of `a` to draw from.
        shuffle : bool
            Accepted for NumPy's sake: without replacement, the order is always random.

        Raises
        ------
        ValueError
            If there is nothing to draw from, or too little without replacement, or `p` holds no probabilities.
        ShapeMismatchError
            If `p` does not have one item per element, or `axis` is out of range.
        """
        population, count, axis = _population(a, axis)
        shape = size_of("choice", size)
        wanted = int(np.prod(shape, dtype=np.int64))
        if not count and wanted:
            raise ValueError("random.choice: a must not be empty if something is to be drawn")
        if not replace and wanted > count:
            raise ValueError(f"random.choice: cannot draw {wanted} of {count} elements without replacement")
        weights = None if p is None else _probabilities(p, count, 0 if replace else wanted)
        if not replace:
            chosen = reshape(self._order((count,), 0, weights)[:wanted], shape)
        elif weights is None or not wanted:
            chosen = draw_integers(self.bit_generator, 0, max(count, 1), shape, INT64, False)
        else:
            chosen = self._weighted(weights, shape)
        return chosen if population is None else take(population, chosen, axis=axis)

    def permutation(self, x: ArrayLike, axis: int = 0) -> Array:
        """Return `range(x)` in random order, or a copy of an array with an axis in random order.

        Raises
        ------
        ShapeMismatchError
            If the axis is out of range.
        """
        if isinstance(x, (int, np.integer, ScalarArgument)):
            count = int(x)
            if count < 0:
                raise ShapeMismatchError(f"random.permutation: the length must not be negative, got {count}")
            return self._order((count,), 0)
        array = as_array(x, self.bit_generator.ground)
        axis = normalize_axis("random.permutation", axis, array.ndim)
        return take(array, self._order((array.shape[axis],), 0), axis=axis)

    def permuted(self, x: ArrayLike, *, axis: int | None = None, out: Array | None = None) -> Array:
        """Return a copy with the elements along an axis in random order, each line in its own; of all for `None`.

        Parameters
        ----------
        x : Array or array-like
        axis : int, optional
        out : Array, optional
            Written and returned; may be `x`.

        Raises
        ------
        ShapeMismatchError
            If the axis is out of range, or `out` has another shape.
        """
        array = as_array(x, self.bit_generator.ground)
        if axis is None:
            result = reshape(take(reshape(array, (-1,)), self._order((array.size,), 0), axis=0), array.shape)
        else:
            axis = normalize_axis("random.permuted", axis, array.ndim)
            result = take_along_axis(array, self._order(array.shape, axis), axis=axis)
        if out is None:
            return result
        if out.shape != result.shape:
            raise ShapeMismatchError(f"random.permuted: out has shape {out.shape}, not {result.shape}")
        out[...] = result
        return out

    def shuffle(self, x: Array | np.ndarray, axis: int = 0) -> None:
        """Put an axis of an array into random order, in place; through a view, of the array that it is a view of.

        Raises
        ------
        DTypeMismatchError
            If it is no array that can be written: lists are not shuffled.
        ShapeMismatchError
            If the axis is out of range.
        """
        if not isinstance(x, (LazyTensor, np.ndarray)):
            raise DTypeMismatchError(f"random.shuffle takes an array, got {type(x).__name__}: use permutation")
        shuffled = self.permutation(x, axis)
        x[...] = shuffled if isinstance(x, LazyTensor) else np.asarray(shuffled)

    def _order(self, shape: tuple[int, ...], axis: int, weights: ArrayLike | None = None) -> Array:
        """Return positions along an axis, in random order; heavier ones tend to come first."""
        bits = self.bit_generator
        if weights is None:
            return apply(ORDER, bits.draw(BITS, (), blocks_of(shape, UINT64), shape=shape, dtype=UINT64), axis=axis)
        # The first of independent exponential clocks with these rates rings by their proportions, then the next.
        rule, blocks = RULES["standard_exponential"], blocks_of(shape, FLOAT64)
        keys = bits.draw(rule, (), blocks, shape=shape, dtype=FLOAT64) / as_array(weights, bits.ground)
        return apply(ARGSORT, keys, axis=axis, descending=False, stable=True)

    def _weighted(self, weights: ArrayLike, shape: tuple[int, ...]) -> Array:
        bits = self.bit_generator
        uniform = bits.draw(RULES["random"], (), blocks_of(shape, FLOAT64), shape=shape, dtype=FLOAT64)
        if isinstance(weights, LazyTensor):
            total: Any = cumulative_sum(as_array(weights).astype(FLOAT64))
        else:
            total = np.cumsum(weights)  # type: ignore[arg-type]
        return apply(SEARCHSORTED, as_array(total / total[-1], bits.ground), uniform, right=True)


def _population(a: ArrayLike, axis: int) -> tuple[ArrayLike | None, int, int]:
    """Return the array to draw from (none for positions alone), how many elements its axis has, and the axis."""
    if isinstance(a, (int, np.integer, ScalarArgument)):
        count = int(a)
        if count < 0:
            raise ValueError(f"random.choice: a must not be negative, got {count}")
        return None, count, 0
    array: Any = a if isinstance(a, LazyTensor) else host_array(a)
    if not array.ndim:
        raise DTypeMismatchError("random.choice: a has to be an integer or an array with at least one dimension")
    axis = normalize_axis("random.choice", axis, array.ndim)
    return array, array.shape[axis], axis


def _probabilities(p: ArrayLike, count: int, least: int) -> ArrayLike:
    """Return checked probabilities: lazy as they are, others as float64; `least` is how many must not be 0."""
    weights: Any = p if isinstance(p, LazyTensor) else host_array(p)
    if weights.ndim != 1 or weights.shape[0] != count:
        raise ShapeMismatchError(
            f"random.choice: p has to have one dimension with {count} probabilities, got shape {weights.shape}"
        )
    if weights.dtype.kind not in "iuf":
        raise DTypeMismatchError(f"random.choice: p has to be real numbers, got {weights.dtype.name}")
    if isinstance(p, LazyTensor):
        return p
    weights = weights.astype(np.float64)
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("random.choice: probabilities have to be finite and must not be negative")
    if abs(weights.sum() - 1) > _SUM_TOLERANCE:
        raise ValueError(f"random.choice: probabilities do not sum to 1, but to {weights.sum()}")
    if np.count_nonzero(weights) < least:
        raise ValueError(f"random.choice: fewer than {least} probabilities are not 0")
    return weights  # type: ignore[no-any-return]
