"""Views that an index selects which is data: `x[argmax(y)]` is one before the index is known."""

from __future__ import annotations

from latebind.array.rules.indexing import BASIC_INDEX, Structure
from latebind.runtime.lazy import LazyTensor, ViewLink, ViewStep


def settle_view(array: LazyTensor) -> None:
    """Read the numbers that select a view, so that they are known: from then on they are scalars of its steps."""
    link = array._link
    if link is None or not any(step.operands for step in link.steps):
        return
    steps = []
    source = link.base._type
    for step in link.steps:
        if step.operands:
            axes = dict(step.attributes)["axes"]
            numbers = [int(index._tape.ground.executor.value(index)) for index in step.operands]
            starts = {axis: number % source.shape[axis] for axis, number in zip(axes, numbers, strict=True)}  # type: ignore[call-overload]
            structure: Structure = tuple(("int",) if axis in starts else ("all",) for axis in range(len(source.shape)))
            chosen = tuple(starts[axis] for axis in sorted(starts))
            step = ViewStep(BASIC_INDEX, (("structure", structure),), step.type, chosen)
        steps.append(step)
        source = step.type
    array._link = ViewLink(link.base, tuple(steps), link.version)
