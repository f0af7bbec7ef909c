"""Reductions and scatters with any associative body: PyTorch has them for some bodies and dtypes only."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

Combine = Callable[[Tensor, Tensor], Tensor]


def folded(x: Tensor, *, combine: Combine, dims: tuple[int, ...], shape: tuple[int, ...]) -> Tensor:
    """Combine the elements along dimensions: halves with each other, until one is left."""
    kept = tuple(d for d in range(len(shape)) if d not in dims)
    count = math.prod(shape[d] for d in dims)
    x = x.permute((*dims, *kept)).reshape((count, *(shape[d] for d in kept)))
    while count > 1:
        half = count // 2
        pairs = combine(x[0:half], x[half : 2 * half])
        x = torch.cat([pairs, x[2 * half : count]]) if count % 2 else pairs
        count = half + count % 2
    return x.squeeze(0)


def segments_folded(
    positions: Tensor, updates: Tensor, *, combine: Combine, count: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Combine the updates that go to one position, in their order.

    Parameters
    ----------
    positions
        Shape `(count,)`.
    updates
        Shape `(count, width)`.

    Returns
    -------
    positions, updates
        Sorted by position; the last of each run of equal positions has all of the run combined.
    is_last
        Where that is.
    """
    by_position = torch.sort(positions, dim=0, stable=True)
    positions = by_position[0]
    updates = torch.index_select(updates, 0, by_position[1])
    distance = 1
    while distance < count:
        same = torch.eq(positions[distance:count], positions[0 : count - distance])
        merged = combine(updates[0 : count - distance], updates[distance:count])
        later = torch.where(same.unsqueeze(1), merged, updates[distance:count])
        updates = torch.cat([updates[0:distance], later])
        distance *= 2
    return positions, updates, last_of_runs(positions, count=count)


def last_of_runs(positions: Tensor, *, count: int) -> Tensor:
    """Return whether each of sorted positions is the last of a run of equal ones."""
    differs = torch.ne(positions[1:count], positions[0 : count - 1])
    return torch.cat([differs, torch.eq(positions[0:1], positions[0:1])])
