"""Numbers of rows that batches are padded to."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from latebind.services.serving.settings import BatchingSettings


def buckets_of(batching: BatchingSettings) -> tuple[int, ...]:
    """Return the buckets, ascending: those configured, or the powers of 2; the largest batch is always one of them.

    Raises
    ------
    ValueError
        If one is not positive.

    Examples
    --------
    >>> buckets_of(BatchingSettings(max_size=24))
    (1, 2, 4, 8, 16, 24)
    """
    largest = batching.max_size
    if batching.buckets is None:
        smaller = {1 << exponent for exponent in range(largest.bit_length())}
    else:
        smaller = set(batching.buckets)
        if any(rows < 1 for rows in smaller):
            raise ValueError(f"a bucket has at least one row, got {sorted(smaller)}")
    return (*sorted(rows for rows in smaller if rows < largest), largest)


def bucket_for(rows: int, buckets: Sequence[int]) -> int:
    """Return the smallest bucket that holds so many rows; an empty batch takes the smallest."""
    return buckets[bisect_left(buckets, rows)]
