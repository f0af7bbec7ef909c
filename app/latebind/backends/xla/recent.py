"""What was used lately, in two generations: bounded, and without a lock."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A mapping that keeps the entries used last, at most `most` of them, and at least half as many.

    Entries go into the younger half. When that is full it becomes the older half, and what was in the older one and has
    not been used since is dropped. Every step is one operation on a dictionary, so threads may lose an entry that the
    other one made, and nothing else.
    """

    def __init__(self, most: int) -> None:
        self._half = most // 2
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """Return an entry, or `None`."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        """Add an entry."""
        young = self._young
        if len(young) >= self._half:
            self._old, self._young = young, {}
            young = self._young
        young[key] = value

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())
