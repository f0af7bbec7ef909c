"""`compile`: a function captured once per signature and run without recording."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Hashable
from time import perf_counter
from typing import Any, Generic, ParamSpec, TypeVar, overload

import numpy as np

from latebind.array.call_options import ArgumentNames, ArgumentNumbers, CallOptions
from latebind.array.captured import (
    Capture,
    describe,
    flatten,
    leaf_key,
    leave,
    owners_of,
    run_captured,
    stand_in_for,
    stand_ins_passed,
    unflatten,
)
from latebind.array.operands import as_array
from latebind.array.recaptures import CaptureNote, difference, differences, note_of
from latebind.array.short_calls import MISS, ShortCall, launched_variant, short_call
from latebind.backends.interface import BackendData
from latebind.errors import CaptureError, DonatedDataError
from latebind.runtime.cache import Captured
from latebind.runtime.capture import CaptureTape
from latebind.runtime.current import current_executor
from latebind.runtime.events import Synced
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.recording import common_ground
from latebind.runtime.signature import Rule
from latebind.runtime.tape import Ground

P = ParamSpec("P")
R = TypeVar("R")

_CALL = Rule("a call of a compiled function", lambda b, x: x)
#: Captures kept per function before the least recently used one is dropped.
_KEPT_CAPTURES = 256
#: Short calls that are tried one after the other before a key is built.
_TRIED = 4


class CompiledFunction(Generic[P, R]):
    """What `compile` returns: a callable with the function's signature.

    Attributes
    ----------
    captures : int
        How often the function was captured: once per combination of argument structure, types and, for arguments
        whose value Python code looked at, values. `explain` says why.
    """

    def __init__(self, function: Callable[P, R], options: CallOptions) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._options = options
        self._captured: dict[Hashable, list[Capture]] = {}
        self._short: tuple[ShortCall, ...] = ()
        self._notes: list[CaptureNote] = []
        self._clock = 0
        self._lock = threading.Lock()
        self.captures = 0

    def __get__(self, instance: object, owner: type | None = None) -> Callable[..., R]:
        if instance is None:
            return self
        return functools.partial(self, instance)  # type: ignore[arg-type]

    # Hot path: a call that is like one before. Measured by `make bench`, rows "call of a compiled function".
    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        for call in self._short:
            result = call(args, kwargs)
            if result is not MISS:
                return result  # type: ignore[no-any-return]
        return self._call(args, kwargs)

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
        wrapped = self._options.hide_static(args, kwargs) if self._options.any_static else (args, kwargs)
        leaves, structure = flatten(wrapped)
        arrays = [leaf for leaf in leaves if isinstance(leaf, LazyTensor)]
        ground = common_ground(_CALL, arrays) if arrays else current_executor().ground()
        if ground.limit == 0 or ground.tape().capturing:  # eager, or called from a function that is being captured
            return self._function(*args, **kwargs)
        if any(isinstance(leaf, np.ndarray) for leaf in leaves):
            leaves = [as_array(leaf, ground) if isinstance(leaf, np.ndarray) else leaf for leaf in leaves]
            arrays = [leaf for leaf in leaves if isinstance(leaf, LazyTensor)]
        inputs, roles = owners_of(arrays)
        keys = tuple([leaf._type if isinstance(leaf, LazyTensor) else leaf_key(leaf) for leaf in leaves])
        key = (structure, ground, keys, roles)
        try:
            candidates = self._captured.setdefault(key, [])
        except TypeError as error:
            which = self._options.unhashable(structure.paths(), leaves)
            raise CaptureError(
                f"{which} of {self._name} can be neither traced nor compared: {error}; "
                "pass arrays, numbers, strings and containers of these"
            ) from None
        capture = next((one for one in candidates if one.accepts(leaves)), None)
        if capture is None:
            capture = self._capture(ground, leaves, structure, inputs, roles)
            candidates.insert(0, capture)
            self._make_room()
        if capture.mixes(inputs):
            return self._function(*args, **kwargs)
        self._clock = capture.used = self._clock + 1
        if capture.short is not None and capture.short not in self._short:
            result = capture.short(args, kwargs)
            if result is not MISS:
                return result  # type: ignore[no-any-return]
        result = run_captured(ground, capture, leaves, inputs)
        self._shorten(ground, capture, *wrapped)
        return result  # type: ignore[no-any-return]

    @property
    def _name(self) -> str:
        return str(getattr(self._function, "__qualname__", self._function))

    # Short calls

    def _shorten(self, ground: Ground, capture: Capture, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Make the call short from now on if it can be; give that up where the computation turned out to take long."""
        if capture.short is None:
            if launched_variant(ground, capture) is None or max(one.runs for one in capture.structure.variants) < 2:
                return
            capture.short = short_call(ground, capture, args, kwargs) or _general
            if capture.short is not _general:
                with self._lock:
                    self._short = (capture.short, *self._short[: _TRIED - 1])
        elif capture.short is not _general and launched_variant(ground, capture) is None:
            self._forget(capture)

    def _forget(self, capture: Capture) -> None:
        with self._lock:
            self._short = tuple(call for call in self._short if call is not capture.short)
            capture.short = None

    def _make_room(self) -> None:
        """Drop the least recently used capture where there are too many."""
        with self._lock:
            kept = [(capture.used, key, capture) for key, found in list(self._captured.items()) for capture in found]
        if len(kept) > _KEPT_CAPTURES:
            # The newest has not been used yet.
            _, key, dropped = min(((u, k, c) for u, k, c in kept if u), key=lambda item: item[0], default=kept[0])
            with self._lock:
                found = [capture for capture in self._captured.get(key, []) if capture is not dropped]
                if found:
                    self._captured[key] = found
                else:
                    self._captured.pop(key, None)
            self._forget(dropped)

    def cache_clear(self) -> None:
        """Drop everything that was captured, and what `explain` knows; `captures` counts on."""
        with self._lock:
            self._captured = {}
            self._short = ()
            self._notes = []

    # Captures

    def explain(self) -> list[str]:
        """Return why the function was captured again: for every capture after the first, a line.

        Each line has the user's line of the call, and the first difference to the most similar earlier capture: an
        argument's type or shape, a number whose value Python code looks at (and where), the structure of the arguments,
        arrays that share memory, or an array from outside. The last 256 captures are kept.

        Examples
        --------
        >>> step.explain()  # doctest: +SKIP
        ['train.py:40: images: float32[64, 784] -> float32[16, 784]',
         'train.py:52: depth: 2 -> 3, whose value is looked at in model.py:17']
        """
        return differences(self._notes, self._options)

    def _capture(
        self, ground: Ground, leaves: list[Any], structure: Any, inputs: list[LazyTensor], roles: Hashable
    ) -> Capture:
        self.captures += 1
        executor = ground.executor
        executor.metrics.count("Captures")
        start = perf_counter()
        if executor.close_recording(ground.tape()) is not None and executor.events.observers:
            executor.events.tell(Synced("capture", start, perf_counter()))
        tape = CaptureTape(ground)
        stand_ins = [stand_in_for(ground, array) for array in inputs]
        originals = [stand_in._data for stand_in in stand_ins]
        passed, numbers = stand_ins_passed(leaves, inputs, stand_ins)
        previous = ground.tape()
        try:
            try:
                ground.local.tape = tape
                args, kwargs = unflatten(structure, passed)
                result = self._function(*args, **kwargs)
                outputs, treedef = flatten(result)
                capture = describe(tape, inputs, stand_ins, originals, numbers, outputs, treedef)
            finally:
                leave(ground, previous, tape)
        except BaseException:
            leave(ground, previous, tape)  # once more: Ctrl-C may have come in the middle of it
            raise
        if self._options.any_donated:
            capture.gone = self._taken_away(ground, capture, leaves, structure, inputs)
        note = note_of(ground, capture, leaves, structure, roles)
        self._notes = [*self._notes[1 - _KEPT_CAPTURES :], note]
        capture.structure.captured = Captured(self._name, lambda: difference(self._notes, note, self._options))
        return capture

    def _taken_away(
        self, ground: Ground, capture: Capture, leaves: list[Any], structure: Any, inputs: list[LazyTensor]
    ) -> dict[int, BackendData]:
        """Return for each donated input the data that takes the place of its values.

        An array that is also another argument, or is (seen by) a result, stays as it is; so does the base of a view.
        """
        kept = {id(output.source) for output in capture.outputs if isinstance(output.source, LazyTensor)}
        kept |= {id(inputs[output.source]) for output in capture.outputs if isinstance(output.source, int)}
        donated: dict[int, str] = {}
        for path, leaf in zip(structure.paths(), leaves, strict=True):
            if isinstance(leaf, LazyTensor):
                if leaf._link is None and self._options.is_donated(path):
                    donated.setdefault(id(leaf), self._options.show(path))
                else:
                    kept.add(id(leaf if leaf._link is None else leaf._link.base))
        gone = {}
        for number, array in enumerate(inputs):
            if id(array) in donated and id(array) not in kept:
                gone[number] = BackendData(array._type, ground.device)
                gone[number].error = DonatedDataError(
                    f"this array's values are gone: it was the donated argument {donated[id(array)]} of a call of "
                    f"{self._name}; use what the call returned, or pass a copy"
                )
        return gone


def _general(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Stand for the short call of a capture that has none."""
    return MISS


@overload
def compile(
    function: Callable[P, R],
    /,
    *,
    static_argnums: ArgumentNumbers = None,
    static_argnames: ArgumentNames = None,
    donate_argnums: ArgumentNumbers = None,
    donate_argnames: ArgumentNames = None,
) -> CompiledFunction[P, R]: ...


@overload
def compile(
    function: None = None,
    /,
    *,
    static_argnums: ArgumentNumbers = None,
    static_argnames: ArgumentNames = None,
    donate_argnums: ArgumentNumbers = None,
    donate_argnames: ArgumentNames = None,
) -> Callable[[Callable[P, R]], CompiledFunction[P, R]]: ...


def compile(
    function: Callable[..., Any] | None = None,
    /,
    *,
    static_argnums: ArgumentNumbers = None,
    static_argnames: ArgumentNames = None,
    donate_argnums: ArgumentNumbers = None,
    donate_argnames: ArgumentNames = None,
) -> Any:
    """Capture a function's array operations once per signature and run them without recording.

    Arguments and results may be arrays, numbers, strings and (nested) tuples, lists, dictionaries and other pytrees of
    these. The function is called to capture its operations when the structure of its arguments, or the shape, dtype,
    device or aliasing of its arrays is new; later calls only run the computation. Numbers that are combined with
    arrays are parameters; a number that Python code looks at (`if n > 3`, `range(n)`, `math.sqrt(a)`) is part of
    the signature. Writes to arguments and to arrays from outside are carried out at every call, and a result that is an
    argument, or a view of one, is that at every call.

    Parameters
    ----------
    function
        What to compile; without it, a decorator is returned.
    static_argnums, static_argnames
        Arguments that are part of the signature by their value, by position or name: the function gets them as they
        are, and is captured once per value. They have to be hashable.
    donate_argnums, donate_argnames
        Arguments whose arrays may be overwritten. After the call, such an array has the value that the function wrote
        to it, or raises `DonatedDataError` where it is used. Nothing is donated of a view, or of an array that is
        a result or another argument as well; and what the engine cannot overwrite (a NumPy array that was made of it
        is alive) is copied.

    Raises
    ------
    CaptureError
        If the function has no such argument; when it is called, if it needs the value of an array while it is captured,
        such as a branch on an array's value.

    Examples
    --------
    >>> @compile(static_argnames="axis", donate_argnums=0)
    ... def step(w, x, rate, *, axis): ...
    """
    options = (static_argnums, static_argnames), (donate_argnums, donate_argnames)
    if function is None:
        return lambda wrapped: CompiledFunction(wrapped, CallOptions(wrapped, *options))
    return CompiledFunction(function, CallOptions(function, *options))
