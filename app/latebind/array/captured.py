"""What one captured call supplies, computes, writes and returns; and the way to run it that covers every case."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from latebind.array.array import Array
from latebind.array.call_options import Static
from latebind.array.selected_views import settle_view
from latebind.backends.interface import BackendData
from latebind.ir.types import ELEMENT_NAMES, TensorType
from latebind.runtime.cache import Structure, scalar_bits
from latebind.runtime.capture import CaptureTape, InputData, ScalarArgument
from latebind.runtime.lazy import LazyTensor, ViewLink, ViewStep
from latebind.runtime.replay import replay
from latebind.runtime.signature import Signature
from latebind.runtime.tape import Ground, Tape
from latebind.runtime.views import as_memory, is_number, rebind

#: Sightings that no backend interprets: who calls `compile` wants a compiled computation.
_COMPILE_AT_ONCE = 1 << 30


@dataclass(slots=True)
class Output:
    """Where one result of a captured call comes from.

    Attributes
    ----------
    position : int or None
        The record that computes it, or the temporary that it is a view of.
    source : int or LazyTensor or None
        The input (by number) or the outside array that it is, or that it is a view of.
    steps : tuple of ViewStep
        View operations from the source to the result.
    fresh : bool
        Whether the source is a constant, of which every call returns an array of its own.
    """

    position: int | None = None
    source: int | LazyTensor | None = None
    steps: tuple[ViewStep, ...] = ()
    fresh: bool = False
    constant: Any = None


@dataclass(slots=True, eq=False, weakref_slot=True)
class Capture:
    """One captured call.

    Attributes
    ----------
    tape : CaptureTape
    structure : Structure
        Its computations.
    leaf_inputs : list
        For each leaf, the number of the input behind it, or the outside array.
    scalar_arguments : dict
        For scalars of the recording that are arguments: which one.
    scalar_signatures : dict
        The operations that take them, which know what integers fit.
    fixed : dict
        Scalar arguments whose value Python code has seen, in bits.
    written : list of (input number or outside array, position)
    outputs : list of Output
    treedef
        Structure of the result.
    types : list
        Outside arrays with the type that they had.
    positions : list of int
        All records that a call has to compute, ascending.
    owners : list
        Outside arrays that own what the function reads or writes.
    gone : dict
        For each input that a call takes away from the caller, the data that says so.
    read_at : dict
        For each of `fixed`, the user's line that looked at the value.
    short : callable, False or None
        The way to run it that skips everything that cannot have changed; `False` if there is none, `None` if it is not
        known yet.
    used : int
        The function's clock at the last use.
    """

    tape: CaptureTape
    structure: Structure
    leaf_inputs: list[int | LazyTensor]
    scalar_arguments: dict[int, int]
    scalar_signatures: dict[int, Signature]
    fixed: dict[int, object]
    written: list[tuple[int | LazyTensor, int]]
    outputs: list[Output]
    treedef: Any
    types: list[tuple[LazyTensor, TensorType]]
    positions: list[int]
    owners: list[LazyTensor]
    read_at: dict[int, str]
    gone: dict[int, BackendData] = field(default_factory=dict)
    short: Callable[[tuple[Any, ...], dict[str, Any]], Any] | None = None
    used: int = 0

    def mixes(self, inputs: list[LazyTensor]) -> bool:
        """Whether an argument is also used from outside by a function that writes, so that one could see the other."""
        if not self.owners or not self.written:
            return False
        return any(owner is array for owner in self.owners for array in inputs)

    def accepts(self, leaves: list[Any]) -> bool:
        """Whether the numbers and outside arrays that the capture depends on are as they were."""
        for number, bits in self.fixed.items():
            if number_bits(leaves[number]) != bits:
                return False
        return all(array._type is type for array, type in self.types) if self.types else True


def flatten(tree: Any) -> tuple[list[Any], Any]:
    import optree

    return optree.tree_flatten(tree, none_is_leaf=True)


def unflatten(treedef: Any, leaves: list[Any]) -> Any:
    import optree

    return optree.tree_unflatten(treedef, leaves)


def is_traced_number(kind: type) -> bool:
    """Whether arguments of this type become parameters of the computation: Python's numbers and NumPy's."""
    return kind in (int, float, complex) or (issubclass(kind, np.number) and kind.__name__ in ELEMENT_NAMES)


def leaf_key(leaf: Any) -> object:
    """Return what of an argument that is no array is part of the signature: a number's type, other values."""
    kind = type(leaf)
    return kind if is_traced_number(kind) else (kind, leaf)


def number_bits(number: Any) -> object:
    """Return a number's value in a form that is equal for the same bits only; its type is part of the key already."""
    return scalar_bits(number.item() if isinstance(number, np.generic) else number)


def owners_of(arrays: list[LazyTensor]) -> tuple[list[LazyTensor], Hashable]:
    """Return the distinct arrays that own the arguments' values, and how the arguments relate to them."""
    if len(set(map(id, arrays))) == len(arrays):
        for array in arrays:
            if array._link is not None or not array._type.shape:
                break
        else:
            return arrays, None
    numbers: dict[int, int] = {}
    owners: list[LazyTensor] = []
    roles: list[Hashable] = []
    for array in arrays:
        settle_view(array)
        link = array._link
        owner = array if link is None else link.base
        number = numbers.setdefault(id(owner), len(owners))
        if number == len(owners):
            owners.append(owner)
        steps = () if link is None else tuple((step.rule, step.attributes, step.scalars) for step in link.steps)
        roles.append((number, owner._type, steps, is_number(owner)))
    return owners, tuple(roles)


def stand_in_for(ground: Ground, array: LazyTensor) -> LazyTensor:
    stand_in = ground.executor.wrap(InputData(array._type, ground.device), ground)
    return stand_in if is_number(array) else as_memory(stand_in)


def stand_ins_passed(
    leaves: list[Any], inputs: list[LazyTensor], stand_ins: list[LazyTensor]
) -> tuple[list[Any], dict[int, ScalarArgument]]:
    """Return what the function is called with, and the numbers among it by argument."""
    by_owner = {id(owner): stand_in for owner, stand_in in zip(inputs, stand_ins, strict=True)}
    views: dict[int, LazyTensor] = {}
    passed: list[Any] = []
    numbers: dict[int, ScalarArgument] = {}
    for number, leaf in enumerate(leaves):
        if isinstance(leaf, LazyTensor):
            link = leaf._link
            if link is None:
                passed.append(by_owner[id(leaf)])
                continue
            if id(leaf) not in views:
                views[id(leaf)] = view_of(by_owner[id(link.base)], link.steps, leaf._type)
            passed.append(views[id(leaf)])
        elif isinstance(leaf, Static):
            passed.append(leaf.value)
        elif is_traced_number(type(leaf)):
            numbers[number] = ScalarArgument(leaf, number)
            passed.append(numbers[number])
        else:
            passed.append(leaf)
    return passed, numbers


def view_of(base: LazyTensor, steps: tuple[ViewStep, ...], type: TensorType) -> LazyTensor:
    """Return a view that computes its value when it is first used."""
    view = base._tape.ground.executor.wrap(InputData(type, base._tape.ground.device), base._tape.ground)
    base._version = getattr(base, "_version", 0)
    view._link = ViewLink(base, steps, base._version - 1)
    return view


def describe(
    tape: CaptureTape,
    inputs: list[LazyTensor],
    stand_ins: list[LazyTensor],
    originals: list[Any],
    numbers: dict[int, ScalarArgument],
    results: list[Any],
    treedef: Any,
) -> Capture:
    """Work out what a call has to supply, compute, write and return."""
    input_of = {id(data): number for number, data in enumerate(originals)}
    owner_of: dict[int, int | LazyTensor] = {id(stand_in): number for number, stand_in in enumerate(stand_ins)}
    owner_of.update({key: array for key, (array, _) in tape.captured.items() if key not in tape.made})
    leaf_inputs: list[int | LazyTensor] = [
        input_of[id(data)] if array is None else array
        for data, array in zip(tape.leaves, tape.leaf_arrays, strict=True)
    ]
    written: list[tuple[int | LazyTensor, int]] = [
        (number, stand_in._pos) for number, stand_in in enumerate(stand_ins) if stand_in._tape is tape
    ]
    written += [(array, array._pos) for array in tape.written()]
    scalars: list[Any] = list(tape.scalars)
    arguments = {index: value.position for index, value in enumerate(scalars) if isinstance(value, ScalarArgument)}
    tape.scalars = [value.value if isinstance(value, ScalarArgument) else value for value in scalars]
    distinct = {id(result): result for result in results if isinstance(result, LazyTensor)}
    bases = Counter(id(_owner(result)) for result in distinct.values())
    signatures = [record[0] for record in tape.records for _ in range(record[0].scalar_count)]
    structure = Structure(tape.records)
    structure.promoted = frozenset(arguments)
    structure.sightings = _COMPILE_AT_ONCE
    outputs = [_output(tape, result, owner_of, bases) for result in results]
    positions = {position for _, position in written}
    positions.update(output.position for output in outputs if output.position is not None)
    positions.update(check.flag._pos for check in tape.checks)
    return Capture(
        tape,
        structure,
        leaf_inputs,
        arguments,
        {index: signatures[index] for index in arguments},
        {number: scalar_bits(value.value) for number, value in numbers.items() if value.read},
        written,
        outputs,
        treedef,
        [(array, array._type) for array, _ in tape.captured.values()],
        sorted(positions),
        [_owner(array) for array, _ in tape.captured.values()],
        {number: value.line for number, value in numbers.items() if value.read},
    )


def _owner(array: LazyTensor) -> LazyTensor:
    """Return the array that owns the values: itself, or the base of a view."""
    return array if array._link is None else array._link.base


def _output(tape: CaptureTape, result: Any, owner_of: dict[int, int | LazyTensor], bases: Counter[int]) -> Output:
    if isinstance(result, ScalarArgument):
        return Output(constant=result.get())
    if not isinstance(result, LazyTensor):
        return Output(constant=result)
    link = result._link
    if link is not None and any(step.operands for step in link.steps) and result._tape is tape:
        return Output(position=result._pos)  # which part it is differs from call to call: an array of its own
    owner = _owner(result)
    source = owner_of.get(id(owner))
    if source is not None:
        return Output(source=source, steps=() if link is None else link.steps)
    if link is not None and owner._tape is tape and bases[id(owner)] > 1:  # shares its values with another result
        return Output(position=owner._pos, steps=link.steps)
    if result._tape is tape:
        return Output(position=result._pos)
    return Output(source=result, fresh=id(result) in tape.made)


def leave(ground: Ground, previous: Tape, tape: CaptureTape) -> None:
    """End a capture: outside arrays get back the values that they had before; what the capture made is dropped.

    May be called again if it was interrupted.
    """
    ground.local.tape = previous
    for array, data in tape.captured.values():
        if array._tape is tape:
            array._data = data
            array._tape = tape.ground
            if array._link is not None:
                array._link.version = -1  # as stale as it may have been
    tape.arrays = []
    tape.leaves = []
    tape.leaf_of = {}


def run_captured(ground: Ground, capture: Capture, leaves: list[Any], inputs: list[LazyTensor]) -> Any:
    """Run a captured call with these arguments, whatever they are."""
    executor = ground.executor
    arguments = [
        executor.leaf_data(inputs[source] if isinstance(source, int) else source) for source in capture.leaf_inputs
    ]
    scalars = capture.tape.scalars
    if capture.scalar_arguments:
        scalars = call_scalars(scalars, capture.scalar_arguments, capture.scalar_signatures, leaves)
    fresh = {position: _new(capture, position) for position in capture.positions}
    if fresh:
        dying = [
            (inputs[source], leaf, capture.gone[source])
            for leaf, source in enumerate(capture.leaf_inputs)
            if isinstance(source, int) and source in capture.gone
        ]
        replay(executor, capture.tape, capture.structure, arguments, scalars, fresh, dying)
    for number, gone in capture.gone.items():
        array = inputs[number]
        executor.materialize(array)
        array._data = gone
    for target, position in capture.written:
        array = inputs[target] if isinstance(target, int) else target
        rebind(array, fresh[position])
        if hasattr(array, "_version"):
            array._version += 1
    results = [_result(output, fresh, inputs) for output in capture.outputs]
    return unflatten(capture.treedef, results)


def call_scalars(
    recorded: Sequence[Any], arguments: Mapping[int, int], signatures: Mapping[int, Signature], leaves: Any
) -> list[Any]:
    """Return the scalars of a recording, with this call's arguments among them.

    Parameters
    ----------
    recorded
        As captured.
    arguments, signatures
        For each scalar that is an argument, which one, and the operation that takes it.
    leaves
        The arguments, by number.

    Raises
    ------
    ScalarRangeError
        If a Python integer does not fit the dtype that it has to take.
    """
    scalars = list(recorded)
    for index, number in arguments.items():
        value = leaves[number]
        if type(value) is int:
            signatures[index].check_range(value)
        scalars[index] = value.item() if isinstance(value, np.generic) else value
    return scalars


def _new(capture: Capture, position: int) -> LazyTensor:
    array: LazyTensor = object.__new__(Array)
    array._type = capture.tape.records[position][0].type
    array._link = None
    array._pos = position
    return array


def _result(output: Output, made: dict[int, LazyTensor], inputs: list[LazyTensor]) -> Any:
    if output.position is not None:
        result = made[output.position]
        return view_of(result, output.steps, output.steps[-1].type) if output.steps else result
    if output.source is None:
        return output.constant
    source = inputs[output.source] if isinstance(output.source, int) else output.source
    if output.fresh:
        ground = source._tape.ground
        return ground.executor.wrap(source._data, ground)
    if not output.steps:
        return source
    return view_of(source, output.steps, output.steps[-1].type)
