"""`compile`: a function captured once per signature and run without recording."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

from latebind.array.array import Array
from latebind.array.operands import as_array
from latebind.array.selected_views import settle_view
from latebind.errors import CaptureError
from latebind.ir.types import TensorType
from latebind.runtime.cache import Structure, scalar_bits
from latebind.runtime.capture import CaptureTape, InputData, ScalarArgument
from latebind.runtime.current import current_executor
from latebind.runtime.lazy import LazyTensor, ViewLink, ViewStep
from latebind.runtime.recording import common_ground
from latebind.runtime.signature import Rule, Signature
from latebind.runtime.tape import Ground
from latebind.runtime.views import as_memory, is_number, rebind

P = ParamSpec("P")
R = TypeVar("R")

_CALL = Rule("a call of a compiled function", lambda b, x: x)
#: Sightings that no backend interprets: who calls `compile` wants a compiled computation.
_COMPILE_AT_ONCE = 1 << 30
#: Captures kept per function before the oldest is dropped.
_KEPT_CAPTURES = 256


@dataclass(slots=True)
class _Output:
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


@dataclass(slots=True)
class _Capture:
    """One captured call.

    Attributes
    ----------
    tape : CaptureTape
    structure : Structure
        Its computations.
    leaf_inputs : list
        For each leaf, the number of the input behind it, or the outside array.
    scalar_signatures : dict
        The operations that take them, which know what integers fit.
    scalar_arguments : dict
        For scalars of the recording that are arguments: which one.
    fixed : dict
        Scalar arguments whose value Python code has seen, in bits.
    written : list of (input number or outside array, position)
    outputs : list of _Output
    treedef
        Structure of the result.
    types : list
        Outside arrays with the type that they had.
    positions : list of int
        All records that a call has to compute, ascending.
    owners : list
        Outside arrays that own what the function reads or writes.
    """

    tape: CaptureTape
    structure: Structure
    leaf_inputs: list[int | LazyTensor]
    scalar_arguments: dict[int, int]
    scalar_signatures: dict[int, Signature]
    fixed: dict[int, object]
    written: list[tuple[int | LazyTensor, int]]
    outputs: list[_Output]
    treedef: Any
    types: list[tuple[LazyTensor, TensorType]]
    positions: list[int]
    owners: list[LazyTensor]

    def mixes(self, inputs: list[LazyTensor]) -> bool:
        """Whether an argument is also used from outside by a function that writes, so that one could see the other."""
        if not self.owners or not self.written:
            return False
        return any(owner is array for owner in self.owners for array in inputs)

    def accepts(self, leaves: list[Any]) -> bool:
        """Whether the numbers and outside arrays that the capture depends on are as they were."""
        for number, bits in self.fixed.items():
            if scalar_bits(leaves[number]) != bits:
                return False
        return all(array._type is type for array, type in self.types) if self.types else True


class CompiledFunction(Generic[P, R]):
    """What `compile` returns: a callable with the function's signature.

    Attributes
    ----------
    captures : int
        How often the function was captured: once per combination of argument structure, types and, for arguments
        whose value Python code looked at, values.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._captured: dict[Hashable, list[_Capture]] = {}
        self.captures = 0

    def __get__(self, instance: object, owner: type | None = None) -> Callable[..., R]:
        if instance is None:
            return self
        return functools.partial(self, instance)  # type: ignore[arg-type]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        leaves, structure = _flatten((args, kwargs))
        arrays: list[LazyTensor] = []
        keys: list[object] = []
        for position, leaf in enumerate(leaves):
            if isinstance(leaf, np.ndarray):
                leaf = leaves[position] = as_array(leaf)
            if isinstance(leaf, LazyTensor):
                arrays.append(leaf)
                keys.append(leaf._type)
            else:
                keys.append(_leaf_key(leaf))
        ground = common_ground(_CALL, arrays) if arrays else current_executor().ground()
        if ground.limit == 0 or ground.tape().capturing:  # eager, or called from a function that is being captured
            return self._function(*args, **kwargs)
        inputs, roles = _inputs(arrays)
        key = (structure, ground, tuple(keys), roles)
        try:
            candidates = self._captured.setdefault(key, [])
        except TypeError as error:
            raise CaptureError(
                f"an argument of {self._function.__qualname__} can be neither traced nor compared: {error}; "
                "pass arrays, numbers, strings and containers of these"
            ) from None
        capture = next((one for one in candidates if one.accepts(leaves)), None)
        if capture is None:
            capture = self._capture(ground, leaves, structure, inputs)
            candidates.insert(0, capture)
            del candidates[_KEPT_CAPTURES:]
        if capture.mixes(inputs):
            return self._function(*args, **kwargs)
        return _call(ground, capture, leaves, inputs)  # type: ignore[no-any-return]

    def _capture(self, ground: Ground, leaves: list[Any], structure: Any, inputs: list[LazyTensor]) -> _Capture:
        self.captures += 1
        executor = ground.executor
        executor.metrics.count("Captures")
        executor.close_recording(ground.tape())
        tape = CaptureTape(ground)
        stand_ins = [_stand_in(ground, array) for array in inputs]
        originals = [stand_in._data for stand_in in stand_ins]
        passed, numbers = _passed(leaves, inputs, stand_ins)
        previous, ground.local.tape = ground.tape(), tape
        try:
            args, kwargs = _unflatten(structure, passed)
            result = self._function(*args, **kwargs)
            outputs, treedef = _flatten(result)
            return _describe(tape, inputs, stand_ins, originals, numbers, outputs, treedef)
        finally:
            ground.local.tape = previous
            _restore(tape)


def compile(function: Callable[P, R]) -> CompiledFunction[P, R]:
    """Capture a function's array operations once per signature and run them without recording.

    Arguments and results may be arrays, numbers, strings and (nested) tuples, lists, dictionaries and other pytrees of
    these. The function is called to capture its operations when the structure of its arguments, or the shape, dtype,
    device or aliasing of its arrays is new; later calls only run the computation. Numbers that are combined with
    arrays are parameters; a number that Python code looks at (`if n > 3`, `range(n)`, `math.sqrt(a)`) is part of
    the signature. Writes to arguments and to arrays from outside are carried out at every call, and a result that is an
    argument, or a view of one, is that at every call.

    Raises
    ------
    CaptureError
        If the function needs the value of an array while it is captured, such as a branch on an array's value.
    """
    return CompiledFunction(function)


def _flatten(tree: Any) -> tuple[list[Any], Any]:
    import optree

    return optree.tree_flatten(tree, none_is_leaf=True)


def _unflatten(treedef: Any, leaves: list[Any]) -> Any:
    import optree

    return optree.tree_unflatten(treedef, leaves)


def _leaf_key(leaf: Any) -> object:
    """Return what of an argument that is no array is part of the signature: a number's Python type, other values."""
    kind = type(leaf)
    return kind if kind in (int, float, complex) else (kind, leaf)


def _inputs(arrays: list[LazyTensor]) -> tuple[list[LazyTensor], Hashable]:
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


def _stand_in(ground: Ground, array: LazyTensor) -> LazyTensor:
    stand_in = ground.executor.wrap(InputData(array._type, ground.device), ground)
    return stand_in if is_number(array) else as_memory(stand_in)


def _passed(
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
                views[id(leaf)] = _view(by_owner[id(link.base)], link.steps, leaf._type)
            passed.append(views[id(leaf)])
        elif type(leaf) in (int, float, complex):
            numbers[number] = ScalarArgument(leaf, number)
            passed.append(numbers[number])
        else:
            passed.append(leaf)
    return passed, numbers


def _view(base: LazyTensor, steps: tuple[ViewStep, ...], type: TensorType) -> LazyTensor:
    """Return a view that computes its value when it is first used."""
    view = base._tape.ground.executor.wrap(InputData(type, base._tape.ground.device), base._tape.ground)
    base._version = getattr(base, "_version", 0)
    view._link = ViewLink(base, steps, base._version - 1)
    return view


def _describe(
    tape: CaptureTape,
    inputs: list[LazyTensor],
    stand_ins: list[LazyTensor],
    originals: list[Any],
    numbers: dict[int, ScalarArgument],
    results: list[Any],
    treedef: Any,
) -> _Capture:
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
    return _Capture(
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
    )


def _owner(array: LazyTensor) -> LazyTensor:
    """Return the array that owns the values: itself, or the base of a view."""
    return array if array._link is None else array._link.base


def _output(tape: CaptureTape, result: Any, owner_of: dict[int, int | LazyTensor], bases: Counter[int]) -> _Output:
    if isinstance(result, ScalarArgument):
        return _Output(constant=result.get())
    if not isinstance(result, LazyTensor):
        return _Output(constant=result)
    link = result._link
    if link is not None and any(step.operands for step in link.steps) and result._tape is tape:
        return _Output(position=result._pos)  # which part it is differs from call to call: an array of its own
    owner = _owner(result)
    source = owner_of.get(id(owner))
    if source is not None:
        return _Output(source=source, steps=() if link is None else link.steps)
    if link is not None and owner._tape is tape and bases[id(owner)] > 1:  # shares its values with another result
        return _Output(position=owner._pos, steps=link.steps)
    if result._tape is tape:
        return _Output(position=result._pos)
    return _Output(source=result, fresh=id(result) in tape.made)


def _restore(tape: CaptureTape) -> None:
    """Give outside arrays back the values that they had before the capture; drop what the capture made."""
    for array, data in tape.captured.values():
        if array._tape is tape:
            array._data = data
            array._tape = tape.ground
            if array._link is not None:
                array._link.version = -1  # as stale as it may have been
    tape.arrays = []
    tape.leaves = []
    tape.leaf_of = {}


def _call(ground: Ground, capture: _Capture, leaves: list[Any], inputs: list[LazyTensor]) -> Any:
    executor = ground.executor
    arguments = [
        executor.leaf_data(inputs[source] if isinstance(source, int) else source) for source in capture.leaf_inputs
    ]
    scalars = capture.tape.scalars
    if capture.scalar_arguments:
        scalars = list(scalars)
        for index, number in capture.scalar_arguments.items():
            scalars[index] = leaves[number]
            if type(leaves[number]) is int:
                capture.scalar_signatures[index].check_range(leaves[number])
    fresh = {position: _new(capture, position) for position in capture.positions}
    if fresh:
        executor.replay(ground, capture.tape, capture.structure, arguments, scalars, fresh)
    for target, position in capture.written:
        array = inputs[target] if isinstance(target, int) else target
        rebind(array, fresh[position])
        if hasattr(array, "_version"):
            array._version += 1
    results = [_result(output, fresh, inputs) for output in capture.outputs]
    return _unflatten(capture.treedef, results)


def _new(capture: _Capture, position: int) -> LazyTensor:
    array: LazyTensor = object.__new__(Array)
    array._type = capture.tape.records[position][0].type
    array._link = None
    array._pos = position
    return array


def _result(output: _Output, made: dict[int, LazyTensor], inputs: list[LazyTensor]) -> Any:
    if output.position is not None:
        result = made[output.position]
        return _view(result, output.steps, output.steps[-1].type) if output.steps else result
    if output.source is None:
        return output.constant
    source = inputs[output.source] if isinstance(output.source, int) else output.source
    if output.fresh:
        ground = source._tape.ground
        return ground.executor.wrap(source._data, ground)
    if not output.steps:
        return source
    return _view(source, output.steps, output.steps[-1].type)
