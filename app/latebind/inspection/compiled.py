"""The graphs that a program's run compiles, collected while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from latebind.inspection.graph import Graph
from latebind.inspection.passes import Target, stages_text
from latebind.inspection.recorded import Recorded
from latebind.runtime.current import current_executor
from latebind.runtime.events import Event, VariantCompiled
from latebind.runtime.launch import Stage

if TYPE_CHECKING:
    from latebind.runtime.executor import LazyGraphExecutor

#: Graphs kept; of a program that compiles more, these are the first.
KEPT: Final = 1000

_WHY: Final = {
    "new": "a new graph",
    "scalars": "compiled again: a scalar that varies became a parameter",
    "outputs": "compiled again: other arrays are wanted, or other buffers may be overwritten",
}


@dataclass(frozen=True, slots=True)
class _Seen:
    name: str
    why: str
    recorded: Recorded
    stages: tuple[Stage, ...]


class CompiledGraphs:
    """Graphs in the order in which they were compiled.

    Parameters
    ----------
    executor
        Whose graphs.
    others
        Other backends at hand, by name.

    Attributes
    ----------
    dropped : int
        Graphs that were compiled after `KEPT` others.
    """

    def __init__(self, executor: LazyGraphExecutor, others: dict[str, Target] | None = None) -> None:
        self._target = Target.of(executor)
        self._others = others or {}
        self._seen: list[_Seen] = []
        self.dropped = 0

    def observe(self, event: Event) -> None:
        """Take down a recording that was compiled."""
        if not isinstance(event, VariantCompiled):
            return
        if len(self._seen) >= KEPT:
            self.dropped += 1
            return
        variant = event.variant
        stages = variant.executable.stages
        name = stages[0].computation.name if stages else f"graph_{len(self._seen)}"
        recorded = Recorded.of_tape(event.tape, variant.outputs, variant.promoted)
        self._seen.append(_Seen(name, _WHY[event.reason], recorded, stages))

    def graphs(self) -> list[Graph]:
        """Return what was seen so far; to be called before the executor is closed."""
        target = self._target
        return [
            Graph(
                seen.name,
                seen.recorded,
                target,
                others=self._others,
                texts={target.name: stages_text(seen.stages, target.name)},
                note=seen.why,
            )
            for seen in list(self._seen)
        ]


@contextmanager
def compiled_graphs(
    executor: LazyGraphExecutor | None = None, others: dict[str, Target] | None = None
) -> Iterator[CompiledGraphs]:
    """Collect the graphs that are compiled inside the block, by the current container unless told otherwise.

    A graph that is in the cache already is not compiled again; one that runs operation by operation is not compiled
    at all (`recording.direct: false`, and `interpretations: 0` of the backend, have each new graph compiled).
    """
    watched = current_executor() if executor is None else executor
    collected = CompiledGraphs(watched, others)
    with watched.events.watched_by(collected.observe):
        yield collected
