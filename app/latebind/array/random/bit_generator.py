"""The bit generator: a key and a counter in a lazy array, which every draw reads and advances.

The state is an array of the device like any other, and a draw writes to it in place. So it is a leaf of each recording
and never a constant: a loop that draws is one computation, and a function that `compile` captured advances the
generator at every call, because arrays that a captured function writes to are among its results.
"""

from __future__ import annotations

import operator
import threading
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex, TypeAlias

import numpy as np

from latebind.array.conversion import create
from latebind.array.creation_functions import Device, ground_of
from latebind.array.operands import ArrayLike, apply, to_ground
from latebind.array.random.arguments import Size, size_of
from latebind.array.rules.elementwise import COPY
from latebind.array.rules.random_numbers import ADVANCE, BITS, CONSTANT_STATE
from latebind.errors import CaptureError
from latebind.ir.ops.random_numbers import UINT64, blocks_of
from latebind.runtime.capture import outlive_capture
from latebind.runtime.signature import Rule
from latebind.runtime.tape import Ground
from latebind.runtime.views import write

if TYPE_CHECKING:
    from numpy.random import SeedSequence

    from latebind.array.array import Array

#: What a generator is seeded with, as in NumPy.
Seed: TypeAlias = "int | Sequence[int] | np.ndarray | SeedSequence | None"
#: `Philox.state`: NumPy's dictionary.
State: TypeAlias = dict[str, Any]

_KEY_WORDS, _COUNTER_WORDS = 2, 4
_PERIOD = 1 << 64 * _COUNTER_WORDS
#: How far `jumped` jumps, as NumPy's does.
_JUMP = 1 << 128


class Philox:
    """The counter-based generator Philox-4x64-10, as `numpy.random.Philox`.

    The blocks that follow a key and a counter are the words of `numpy.random.Philox(key=key, counter=counter)`. Each
    draw starts at a block of its own (four words of 64 bits).

    Parameters
    ----------
    seed : int, sequence of int, SeedSequence or None
        Hashed to the key by `numpy.random.SeedSequence`; `None` takes entropy from the operating system.
    counter, key : int or array-like of uint64, optional
        Four words of counter, two words of key, the lowest first. A key takes the place of the seed.
    device : BackendDevice or str, optional
        Where the generator draws; by default the current container's default device.

    Raises
    ------
    ValueError
        If both a seed and a key are given, or a word is out of range.
    CaptureError
        Inside a function that is being captured, if neither a seed nor a key is given.
    """

    __slots__ = ("__weakref__", "_lock", "_seed_seq", "_state")

    def __init__(
        self,
        seed: Seed = None,
        *,
        counter: int | ArrayLike | None = None,
        key: int | ArrayLike | None = None,
        device: Device = None,
    ) -> None:
        if seed is not None and key is not None:
            raise ValueError("a bit generator takes a seed or a key, not both")
        ground = ground_of(device)
        if seed is None and key is None and ground.tape().capturing:
            raise CaptureError(
                "a generator without a seed, made inside a function that compile() captures, would be seeded once "
                "and give the same numbers at every call: make it outside, or give a seed"
            )
        self._seed_seq: SeedSequence | None = None
        if key is None:
            self._seed_seq = _seed_sequence(seed)
            words = self._seed_seq.generate_state(_KEY_WORDS, np.uint64)
        else:
            words = _words("key", key, _KEY_WORDS)
        start = _words("counter", 0 if counter is None else counter, _COUNTER_WORDS)
        self._start(np.concatenate([words, start]), ground)

    def _start(self, words: np.ndarray, ground: Ground) -> None:
        self._lock = threading.RLock()
        if ground.tape().capturing:
            # A leaf would go on where the last call left it; the function, called without `compile`, would not.
            self._state = create(CONSTANT_STATE, ground, words=tuple(map(int, words)))
        else:
            self._state = to_ground(words, ground)  # type: ignore[assignment]

    @property
    def seed_seq(self) -> SeedSequence:
        """The seed sequence of the generator.

        Raises
        ------
        TypeError
            If it was made from a key.
        """
        if self._seed_seq is None:
            raise TypeError("the bit generator was made from a key: it has no seed sequence to spawn from")
        return self._seed_seq

    @property
    def ground(self) -> Ground:
        """Where the generator draws."""
        return self._state._ground

    @property
    def lock(self) -> threading.RLock:
        """Held while a draw is recorded."""
        return self._lock

    def draw(self, rule: Rule, operands: Sequence[ArrayLike], blocks: int, **attributes: Hashable) -> Array:
        """Record a draw and the step of the counter over the blocks that it uses."""
        with self._lock:
            state = self._state
            drawn = apply(rule, state, *operands, ground=state._ground, **attributes)
            if blocks:
                write(state, apply(ADVANCE, state, blocks=blocks))
        return drawn

    @property
    def state(self) -> State:
        """Key and counter, in NumPy's form: `numpy.random.Philox().state = ours` goes on with the same words.

        Reading it closes the recording and waits. Setting it takes what `state` gave, here or in NumPy.

        Raises
        ------
        TypeError, ValueError
            If set to something else, or to a state of NumPy's that holds words of a block that was begun.
        """
        words = np.array(self._state)
        return {
            "bit_generator": "Philox",
            "state": {"counter": words[_KEY_WORDS:], "key": words[:_KEY_WORDS]},
            "buffer": np.zeros(_COUNTER_WORDS, np.uint64),
            "buffer_pos": _COUNTER_WORDS,
            "has_uint32": 0,
            "uinteger": 0,
        }

    @state.setter
    def state(self, value: State) -> None:
        if not isinstance(value, dict) or not isinstance(value.get("state"), dict):
            raise TypeError("the state of a bit generator is a dictionary, as `state` gives it")
        if value.get("bit_generator") != "Philox":
            raise ValueError(f"this is the state of {value.get('bit_generator')!r}, not of Philox")
        if value.get("buffer_pos", _COUNTER_WORDS) != _COUNTER_WORDS or value.get("has_uint32", 0):
            raise ValueError(
                "this state holds words of a block that was begun: each draw here starts a block of its own"
            )
        parts = value["state"]
        key = _words("key", parts["key"], _KEY_WORDS)
        counter = _words("counter", parts["counter"], _COUNTER_WORDS)
        with self._lock:
            fresh = to_ground(np.concatenate([key, counter]), self.ground)
            write(self._state, apply(COPY, fresh))

    def advance(self, delta: int) -> Philox:
        """Move the counter on by a number of blocks, backwards if negative; return the generator itself."""
        with self._lock:
            write(self._state, apply(ADVANCE, self._state, blocks=operator.index(delta) % _PERIOD))
        return self

    def jumped(self, jumps: int = 1) -> Philox:
        """Return a generator with the same key whose counter is 2**128 blocks further, times `jumps`."""
        other = object.__new__(Philox)
        other._lock = threading.RLock()
        other._seed_seq = self._seed_seq
        with self._lock:
            other._state = apply(ADVANCE, self._state, blocks=operator.index(jumps) * _JUMP % _PERIOD)
        return other

    def spawn(self, n_children: SupportsIndex) -> list[Philox]:
        """Return generators whose streams are independent of this one's, on the same device.

        Raises
        ------
        TypeError
            If the generator was made from a key.
        ValueError
            If the number is negative.
        CaptureError
            Inside a function that is being captured: the children would be the same at every call.
        """
        count = operator.index(n_children)
        if count < 0:
            raise ValueError(f"cannot spawn {count} generators")
        if self.ground.tape().capturing:
            raise CaptureError(
                "spawn() inside a function that compile() captures gives the same children at every call"
            )
        with self._lock:
            sequences = self.seed_seq.spawn(count)
        return [self.resting(one, self.ground) for one in sequences]

    @classmethod
    def resting(cls, sequence: SeedSequence, ground: Ground) -> Philox:
        """Return the generator of a seed sequence as an array of the device, also while a function is captured."""
        found = object.__new__(cls)
        found._seed_seq = sequence
        found._lock = threading.RLock()
        key = sequence.generate_state(_KEY_WORDS, np.uint64)
        found._state = to_ground(np.concatenate([key, np.zeros(_COUNTER_WORDS, np.uint64)]), ground)  # type: ignore[assignment]
        outlive_capture(found._state)
        return found

    def random_raw(self, size: Size = None) -> Array:
        """Return words of 64 bits, an array of uint64 of this shape."""
        shape = size_of("random_raw", size)
        return self.draw(BITS, (), blocks_of(shape, UINT64), shape=shape, dtype=UINT64)

    def __reduce__(self) -> tuple[object, tuple[State, SeedSequence | None]]:
        return _restored, (self.state, self._seed_seq)

    def __repr__(self) -> str:
        return f"<Philox on {self.ground!r}>"


def _restored(state: State, seed_seq: SeedSequence | None) -> Philox:
    """Return a bit generator of the current container in a state."""
    parts = state["state"]
    found = Philox(key=parts["key"], counter=parts["counter"])
    found._seed_seq = seed_seq
    return found


def _words(name: str, value: Any, count: int) -> np.ndarray:
    """Return an integer, or words of 64 bits, as this many words."""
    if isinstance(value, (int, np.integer)):
        number = int(value)
        if not 0 <= number < 1 << 64 * count:
            raise ValueError(f"{name} has to be between 0 and 2**{64 * count} - 1, got {number}")
        return np.array([number >> 64 * place & 0xFFFFFFFFFFFFFFFF for place in range(count)], np.uint64)
    found = np.asarray(value)
    if found.shape != (count,) or found.dtype.kind not in "iu" or (found.dtype.kind == "i" and (found < 0).any()):
        raise ValueError(f"{name} has to be an integer or {count} words of uint64, got {value!r}")
    return found.astype(np.uint64)


def _seed_sequence(seed: Seed) -> SeedSequence:
    from numpy.random import SeedSequence

    if isinstance(seed, SeedSequence):
        return seed
    try:
        return SeedSequence(seed)
    except (TypeError, ValueError) as error:
        # NumPy's types, so that what catches its errors catches these.
        raise type(error)(f"a seed is an integer from 0 on, or a sequence of such, or None, got {seed!r}") from None
