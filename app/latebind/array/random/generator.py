"""`Generator`: numbers, integers, bytes, and drawing from what there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

import numpy as np

from latebind.array.creation_functions import Device
from latebind.array.operands import ArrayLike
from latebind.array.random.arguments import DTypeLike, Size
from latebind.array.random.bit_generator import Philox, Seed
from latebind.array.random.distributions import Distributions
from latebind.array.random.integers import draw_integers
from latebind.array.random.selection import Selection
from latebind.array.random.variates import Variates
from latebind.array.random.vectors import Vectors
from latebind.array.rules.common import integer
from latebind.errors import DTypeMismatchError, ShapeMismatchError

if TYPE_CHECKING:
    from numpy.random import SeedSequence

    from latebind.array.array import Array


class Generator(Variates, Vectors, Distributions, Selection):
    """Random numbers as lazy arrays, with the methods of `numpy.random.Generator`.

    Drawing records operations. The stream is that of the bit generator, the same on every backend and device, and does
    not depend on how the shape of a draw is factored: elements take their words in C order.

    Draws are recorded under a lock, so that several threads may share a generator; which gets which numbers depends on
    their timing, and each waits for the other's recording. Generators from `spawn`, one per thread, are better. A
    function that `compile` captured and that draws must be called by one thread at a time.

    Parameters
    ----------
    bit_generator
        Where the bits come from.
    """

    def __init__(self, bit_generator: Philox) -> None:
        if not isinstance(bit_generator, Philox):
            raise DTypeMismatchError(
                f"a Generator takes a latebind.random.Philox, got {type(bit_generator).__name__}: "
                "use latebind.random.default_rng(seed)"
            )
        self._bit_generator = bit_generator

    @property
    def bit_generator(self) -> Philox:
        """The generator's key and counter."""
        return self._bit_generator

    def random(self, size: Size = None, dtype: DTypeLike = None, out: Array | None = None) -> Array:
        """Return numbers that are uniform in [0, 1): multiples of 2**-53, or of 2**-24 for float32.

        Parameters
        ----------
        size : int, tuple of int or None
            Shape of the result.
        dtype : dtype, optional
            float32 or float64; by default the container's default real dtype.
        out : Array, optional
            Written and returned.

        Raises
        ------
        DTypeMismatchError
            If the dtype is another one, or `out` has another one.
        ShapeMismatchError
            If `size` is given and differs from the shape of `out`.
        """
        return self._into("random", size, dtype, out)

    def standard_normal(self, size: Size = None, dtype: DTypeLike = None, out: Array | None = None) -> Array:
        """Return standard normal numbers: the quantile of each word. Parameters and errors as for `random`."""
        return self._into("standard_normal", size, dtype, out)

    def standard_exponential(
        self,
        size: Size = None,
        dtype: DTypeLike = None,
        method: Literal["zig", "inv"] = "inv",
        out: Array | None = None,
    ) -> Array:
        """Return exponential numbers of mean 1, by inversion: other methods draw until they accept.

        Parameters and errors as for `random`; `method="zig"` is a ValueError.
        """
        if method != "inv":
            raise ValueError(f"standard_exponential: method {method!r} draws until it accepts; there is 'inv' only")
        return self._into("standard_exponential", size, dtype, out)

    def _into(self, name: str, size: Size, dtype: DTypeLike, out: Array | None) -> Array:
        if out is None:
            return self._draw(name, size, dtype)
        if dtype is not None and np.dtype(dtype) != out.dtype:
            raise DTypeMismatchError(f"random.{name}: out has dtype {out.dtype.name}, not {np.dtype(dtype).name}")
        drawn = self._draw(name, out.shape if size is None else size, out.dtype)
        if drawn.shape != out.shape:
            raise ShapeMismatchError(f"random.{name}: out has shape {out.shape}, not {drawn.shape}")
        out[...] = drawn
        return out

    def integers(
        self,
        low: ArrayLike,
        high: ArrayLike | None = None,
        size: Size = None,
        dtype: DTypeLike = None,
        endpoint: bool = False,
    ) -> Array:
        """Return integers from `low` up to `high`, without it unless `endpoint`; from 0 up to `low` if it is alone.

        An integer takes one word of 64 bits where there are at most 2**32 to choose from, two words otherwise, and is
        `floor(word * count / 2**64)`, or `/ 2**128`: each is drawn with its probability to a relative 2**-32 or
        better, exactly where the count is a power of two.

        Parameters
        ----------
        low, high : int or array-like of integers
            Broadcast. Of lazy arrays, the values are not checked; where `high` is not above `low`, the numbers have
            no meaning.
        size : int, tuple of int or None
            By default the shape of the bounds.
        dtype : dtype, optional
            An integer dtype or bool; by default the container's default integer dtype.

        Raises
        ------
        ValueError
            If a bound does not fit the dtype, or `high` is not above `low`.
        DTypeMismatchError
            If the dtype or a bound is no integer.
        ShapeMismatchError
            If the bounds do not broadcast to the size.
        """
        return draw_integers(self.bit_generator, low, high, size, dtype, endpoint)

    def bytes(self, length: SupportsIndex) -> bytes:
        """Return random bytes; closes the recording and waits."""
        count = integer("random.bytes", "length", length)
        if count < 0:
            raise ValueError(f"random.bytes: length must not be negative, got {count}")
        words = self.integers(0, 1 << 32, -(-count // 4), np.uint32)
        return np.asarray(words).astype("<u4").tobytes()[:count]

    def spawn(self, n_children: SupportsIndex) -> list[Generator]:
        """Return generators whose streams are independent of this one's and of each other.

        The keys come from `numpy.random.SeedSequence.spawn`: the same seed gives the same children, in order.

        Raises
        ------
        TypeError
            If the bit generator was made from a key.
        CaptureError
            Inside a function that is being captured.
        """
        return [Generator(one) for one in self.bit_generator.spawn(n_children)]

    def __reduce__(self) -> tuple[object, tuple[Any, ...]]:
        return Generator, (self.bit_generator,)

    def __repr__(self) -> str:
        return f"Generator({self.bit_generator!r})"


def default_rng(seed: Seed | Philox | Generator | SeedSequence = None, *, device: Device = None) -> Generator:
    """Return a generator on the current container's default device, or on `device`.

    Parameters
    ----------
    seed : int, sequence of int, SeedSequence, Philox, Generator or None
        `None` takes entropy from the operating system. A generator is returned as it is.

    Raises
    ------
    DeviceMismatchError
        If the backend has no such device.
    CaptureError
        Without a seed, inside a function that is being captured.
    """
    if isinstance(seed, Generator):
        return seed
    return Generator(seed if isinstance(seed, Philox) else Philox(seed, device=device))
