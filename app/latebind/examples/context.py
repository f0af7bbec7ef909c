"""What `latebind run` hands to an example."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from latebind.array.array import Array

#: Named results of a program; `latebind run --compare` compares them between backends.
Results: TypeAlias = Mapping[str, Array | float]


def _silent(steps: Iterable[int], description: str) -> Iterator[int]:
    yield from steps


@dataclass(frozen=True, slots=True)
class RunContext:
    """How a program talks to whoever runs it.

    Attributes
    ----------
    progress : callable
        `progress(steps, description)` iterates over the steps and shows a bar.
    report : callable
        Shows a line of text beside the bar.
    arguments : tuple of str
        What followed the program's name on the command line.
    """

    progress: Callable[[Iterable[int], str], Iterable[int]] = _silent
    report: Callable[[str], None] = field(default=lambda text: None)
    arguments: tuple[str, ...] = ()
