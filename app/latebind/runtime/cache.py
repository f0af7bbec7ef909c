"""The computation cache: exact keys, adaptive scalars, least recently used entries leave first.

A `Structure` stands for all recordings with equal records: same signatures, same operands relative to each other, same
aliasing of leaves. The key is the tuple of records itself, compared in full, so graphs that differ never share a
computation whatever their hashes. Under it, a `Variant` is one compiled computation: which records are its outputs,
which leaves it may overwrite, and which scalars are constants with what values.
"""

from __future__ import annotations

import math
import struct
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import CodeType

    from latebind.backends.interface import BackendDevice
    from latebind.runtime.launch import Executable
    from latebind.runtime.tape import Record, Scalar

#: Hits in a row on a variant that could donate more before one that does is compiled.
_HITS_BEFORE_DONATION: Final = 2
#: A record: a tuple of three, an array's slot, and the numbers that are not small.
_RECORD_BYTES: Final = 96
#: Computations kept per structure: outputs, donated buffers and constants could vary without end.
_KEPT_VARIANTS: Final = 32


def scalar_bits(value: Scalar) -> object:
    """Return a scalar in a form that is equal only for the same type and bits: `0.0` is not `-0.0`, NaN is itself."""
    if type(value) is float:
        return struct.pack("d", value)
    if type(value) is complex:
        return struct.pack("dd", value.real, value.imag)
    return type(value), value


def _needs_bits(value: Scalar) -> bool:
    """Whether `==` does not decide if a scalar of the same type has the same bits."""
    parts = (value.real, value.imag) if isinstance(value, complex) else (value,)
    return any(isinstance(part, float) and (part == 0.0 or math.isnan(part)) for part in parts)


class Variant:
    """One compiled computation of a structure.

    Attributes
    ----------
    outputs : tuple of int
        Positions of the records that it returns; `live` is the same as a list, `output_set` as a set.
    donated : frozenset of int
        Leaves that it may overwrite.
    promoted : frozenset of int
        Scalars that are parameters.
    executable : Executable
    seconds : float or None
        Expected time of one execution, from those measured.
    places : tuple of two lists
        Code object and `f_lasti` of the user's line of each record, of the recording that it was compiled for.
    """

    __slots__ = (
        "_bits",
        "_scalars",
        "constants",
        "donated",
        "executable",
        "live",
        "output_set",
        "outputs",
        "places",
        "promoted",
        "runs",
        "seconds",
        "underused",
    )

    def __init__(
        self,
        outputs: Sequence[int],
        donated: Collection[int],
        promoted: Collection[int],
        scalars: Sequence[Scalar],
        executable: Executable,
        places: tuple[Sequence[CodeType], Sequence[int]] = ((), ()),
    ) -> None:
        self.outputs = tuple(outputs)
        self.output_set = frozenset(outputs)
        self.live = list(outputs)
        self.donated = frozenset(donated)
        self.promoted = frozenset(promoted)
        self.constants = [index for index in range(len(scalars)) if index not in self.promoted]
        self._scalars = [scalars[index] for index in self.constants]
        self._bits = [(index, scalar_bits(scalars[index])) for index in self.constants if _needs_bits(scalars[index])]
        self.executable = executable
        self.places = places
        self.seconds: float | None = None
        self.runs = 0
        self.underused = 0

    def accepts(self, scalars: Sequence[Scalar]) -> bool:
        """Whether the scalars that are constants of this variant have the same bits as these."""
        if not self.constants:
            return True
        candidates = scalars if not self.promoted else [scalars[index] for index in self.constants]
        if self._bits:
            return all(a == b or (a != a and b != b) for a, b in zip(candidates, self._scalars, strict=True)) and all(
                scalar_bits(scalars[index]) == bits for index, bits in self._bits
            )
        return candidates == self._scalars

    def constant(self, index: int) -> Scalar:
        """Return the value of a scalar that is one of the constants."""
        return self._scalars[self.constants.index(index)]

    def differing(self, scalars: Sequence[Scalar]) -> set[int]:
        """Return the indices of the constants whose bits differ from these scalars."""
        return {
            index
            for index, constant in zip(self.constants, self._scalars, strict=True)
            if scalar_bits(constant) != scalar_bits(scalars[index])
        }


@dataclass(frozen=True, slots=True)
class Captured:
    """One capture of a function.

    Attributes
    ----------
    function : str
    difference : callable
        Gives the user's line of the earlier capture that is most like this one, and the first difference to it as
        text; `None` if there was no capture before.
    """

    function: str
    difference: Callable[[], tuple[str, str] | None]


class Structure:
    """All recordings with equal records.

    Attributes
    ----------
    records : list of Record
    variants : list of Variant
        Most recently used first.
    promoted : frozenset of int
        Scalars that have been seen to vary; grows only.
    promotions : int
        How often it grew: at most twice, so that a structure is compiled at most three times for its scalars.
    successor : Structure or None
        The structure that was recorded after this one the last time: the prediction.
    sightings : int
        How often it was recorded.
    interpreted : float
        Seconds spent running it operation by operation, without the making of kernels.
    has_large_leaf : bool
        Whether a leaf's buffer may be worth overwriting; known once there is a variant.
    last_used : int
        The cache's clock at the last use.
    cached : bool
        Whether it is, or was, in a cache, and not a captured function's own.
    bytes : int
        What the cache counts for it.
    captured : Captured or None
        What it is a capture of, if it is a captured function's own.
    evicted : bool
        Whether the cache has dropped it.
    """

    __slots__ = (
        "_observed",
        "bytes",
        "cached",
        "captured",
        "evicted",
        "has_large_leaf",
        "interpreted",
        "last_used",
        "promoted",
        "promotions",
        "records",
        "sightings",
        "successor",
        "variants",
    )

    def __init__(self, records: list[Record]) -> None:
        self.records = records
        self.last_used = 0
        self.evicted = False
        self._observed: list[Scalar] | None = None
        self.variants: list[Variant] = []
        self.promoted: frozenset[int] = frozenset()
        self.promotions = 0
        self.successor: Structure | None = None
        self.sightings = 0
        self.cached = False
        self.captured: Captured | None = None
        self.bytes = 0
        self.interpreted = 0.0
        self.has_large_leaf = True

    def measured_bytes(self) -> int:
        """Estimate what the records and the computations take."""
        return _RECORD_BYTES * len(self.records) + sum(variant.executable.nbytes for variant in self.variants)

    def observe(self, scalars: Sequence[Scalar]) -> None:
        """Note the scalars of an interpreted recording: those that vary are parameters from the first compile."""
        if self._observed is None:
            self._observed = list(scalars)
            return
        varying = {
            index
            for index, (before, now) in enumerate(zip(self._observed, scalars, strict=True))
            if scalar_bits(before) != scalar_bits(now)
        }
        if not varying <= self.promoted:
            self.promotions = 1
            self.promoted |= varying

    def add(self, variant: Variant) -> None:
        """Keep a computation; the least recently used one leaves if there are too many."""
        self.variants = [variant, *self.variants[: _KEPT_VARIANTS - 1]]

    def match(self, live: Sequence[int], scalars: Sequence[Scalar], donatable: Collection[int]) -> Variant | None:
        """Return a variant that computes at least the live records, with these scalars, overwriting no leaf in use."""
        best: Variant | None = None
        for variant in self.variants:
            if (
                variant.output_set.issuperset(live)
                and variant.donated.issubset(donatable)
                and variant.accepts(scalars)
                and (best is None or len(variant.donated) > len(best.donated))
            ):
                best = variant
                if len(best.donated) == len(donatable):
                    break
        if best is None:
            return None
        if len(best.donated) < len(donatable):
            best.underused += 1
            if best.underused > _HITS_BEFORE_DONATION:
                return None
        if best is not self.variants[0]:
            self.variants = [best, *(variant for variant in self.variants if variant is not best)]
        return best

    def promote(self, scalars: Sequence[Scalar]) -> bool:
        """Turn the scalars that vary into parameters; return whether there were any.

        The first time, those that differ from a compiled variant; the second time, all of them.
        """
        candidates = [variant for variant in self.variants if variant.promoted == self.promoted]
        if not candidates:
            return False
        differing = min((variant.differing(scalars) for variant in candidates), key=len)
        if not differing:
            return False
        self.promotions += 1
        self.promoted = self.promoted | differing if self.promotions == 1 else frozenset(range(len(scalars)))
        self.variants = [variant for variant in self.variants if variant.promoted == self.promoted]
        return True


class ComputationCache:
    """Structures by key, bounded in number and in bytes; the least recently used leaves first.

    Parameters
    ----------
    max_entries
        Structures kept; at least 1.
    max_bytes
        What their records and computations may take together, estimated; the one in use stays in any case.

    Attributes
    ----------
    bytes : int
        What they take now.
    """

    def __init__(self, max_entries: int = 512, max_bytes: int = 1 << 29) -> None:
        self.max_entries = max_entries
        self.max_bytes = max_bytes
        self.bytes = 0
        self.evicted = 0
        self._entries: dict[tuple[object, ...], Structure] = {}
        self._clock = 0
        self._lock = threading.Lock()

    def find(
        self, records: list[Record], predicted: Structure | None, device: BackendDevice | None = None
    ) -> Structure:
        """Return the structure with these records on a device, made at the first sight.

        The prediction, of the same device, is compared first: that costs a fraction of hashing the records.
        """
        self._clock += 1
        if predicted is not None and not predicted.evicted and predicted.records == records:
            predicted.last_used = self._clock
            return predicted
        key = (device, *records)
        with self._lock:
            structure = self._entries.get(key)
            if structure is None:
                structure = self._entries[key] = Structure(records)
                structure.last_used = self._clock
                structure.cached = True
                self._weigh(structure)
                if len(self._entries) > self.max_entries:
                    self._evict()
            structure.last_used = self._clock
            return structure

    def weigh(self, structure: Structure) -> None:
        """Count what a structure takes, after a computation was added to it; others may have to leave."""
        with self._lock:
            if structure.cached and not structure.evicted:
                self._weigh(structure)

    def _weigh(self, structure: Structure) -> None:
        before, structure.bytes = structure.bytes, structure.measured_bytes()
        self.bytes += structure.bytes - before
        while self.bytes > self.max_bytes and len(self._entries) > 1:
            self._evict()

    def touch(self, structure: Structure) -> None:
        """Note that a structure was used."""
        self._clock += 1
        structure.last_used = self._clock

    def _evict(self) -> None:
        key, _ = min(self._entries.items(), key=lambda item: item[1].last_used)
        dropped = self._entries.pop(key)
        dropped.evicted = True
        dropped.variants = []
        dropped.successor = None
        self.bytes -= dropped.bytes
        self.evicted += 1

    def structures(self) -> list[Structure]:
        """Return what is in the cache."""
        with self._lock:
            return list(self._entries.values())

    def clear(self) -> None:
        """Drop every computation."""
        with self._lock:
            entries, self._entries = self._entries, {}
            self.bytes = 0
        for structure in entries.values():
            structure.evicted = True
            structure.variants = []
            structure.successor = None
        self.evicted += len(entries)

    def __len__(self) -> int:
        return len(self._entries)
