"""Short calls: Python source for one captured call, with everything that cannot change between two calls left out.

The general way (`captured.run_captured`) looks at every argument in a loop, builds a key, and has the executor launch
a closed recording. Most calls need none of that: their arguments are arrays at rest, each passed once, and numbers. For
these a function is generated that tests exactly this, one line per argument, reads the arrays' data, launches the
computation, and makes the results:

    def call(args, kwargs):
        try:
            if tape_of.tape.capturing or ground.limit == 0 or kwargs or len(args) != 2:
                return MISS
            v0, v1 = args
            if v0._type is not T0 or v0._tape is not ground or v0._link is not None:
                return MISS
            d0 = v0._data
            ...
        except (AttributeError, KeyError, TypeError, ValueError):
            return MISS
        if not tick() % SAMPLED:
            return MISS
        q0, = launch([d0, scalar(v1, S1, device)])
        r0 = new(Array)
        ...
        return r0

`MISS` sends the call to the general way, which raises the errors and covers the rest; every `SAMPLED`th call goes there
to be measured. What is tested here is never less than what the key of the general way holds.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import CodeType, FunctionType
from typing import Any, Final

import numpy as np

from latebind.array.call_options import Static
from latebind.array.captured import (
    Capture,
    call_scalars,
    flatten,
    is_traced_number,
    number_bits,
    unflatten,
    view_of,
)
from latebind.array.operands import as_array
from latebind.backends.interface import BackendData
from latebind.runtime.cache import Variant
from latebind.runtime.current import current_executor
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.liveness import unreferenced
from latebind.runtime.metrics import CallCount
from latebind.runtime.tape import Ground

#: What a short call returns instead of a result if it does not apply.
MISS: Final = object()
#: Captures with more arguments, or more results, have no short call: its source would take long to compile.
_MOST: Final = 256
#: Up to so many arrays are compared in pairs to see whether one was passed twice.
_PAIRS: Final = 4
#: Computations of a blocking engine that take longer, in seconds, may be the worker's.
_SHORT_SECONDS: Final = 2e-4

ShortCall = Callable[[tuple[Any, ...], dict[str, Any]], Any]


def short_call(ground: Ground, capture: Capture, args: tuple[Any, ...], kwargs: dict[str, Any]) -> ShortCall | None:
    """Return the short way to run a captured call, or `None` if it has none.

    Parameters
    ----------
    ground
        Where the arrays of the call are.
    capture
        What was captured, run at least once.
    args, kwargs
        Arguments that it was captured for; static ones wrapped as `Static`.
    """
    variant = launched_variant(ground, capture)
    if variant is None or capture.tape.checks:
        return None
    writer = _Writer(ground, capture, variant)
    try:
        writer.write(args, kwargs)
    except _NoShortCallError:
        return None
    return writer.function()


def launched_variant(ground: Ground, capture: Capture) -> Variant | None:
    """Return the computation that a short call may launch in the caller's thread; `None` if there is none."""
    executor = ground.executor
    variant = max(capture.structure.variants, key=lambda one: len(one.donated), default=None)
    if variant is None or not variant.executable.proven or variant.live != capture.positions:
        return None
    if any(capture.leaf_inputs[leaf] not in capture.gone for leaf in variant.donated):
        return None
    if executor.backend.blocking:
        mode, limit = executor.options.asynchronous, executor.options.inline_below_us
        longest = _SHORT_SECONDS if limit is None else limit * 1e-6
        if mode == "always" or (mode == "auto" and (variant.seconds is None or variant.seconds >= longest)):
            return None
    return variant


class _NoShortCallError(Exception):
    """Something in the call needs the general way."""


@lru_cache(maxsize=1024)
def _compiled(text: str) -> CodeType:
    """Return the code of a generated function; calls of the same form share it."""
    code = compile(text, "<short call of a compiled function>", "exec", dont_inherit=True).co_consts[0]
    assert isinstance(code, CodeType)
    return code


class _Writer:
    """Writes one short call.

    Attributes
    ----------
    names : dict
        Global names of the function.
    guards : list of str
        Statements that decide whether the call is like the captured one; `v<n>` is argument leaf n.
    body : list of str
        What runs if it is.
    """

    def __init__(self, ground: Ground, capture: Capture, variant: Variant) -> None:
        self.ground = ground
        self.capture = capture
        self.variant = variant
        self.count = CallCount(variant)
        executor = ground.executor
        self.names: dict[str, Any] = {
            "__builtins__": {"len": len, "type": type, "hasattr": hasattr, **_ERRORS},
            "MISS": MISS,
            "ground": ground,
            "local": ground.local,
            "tick": self.count.tick,
            "SAMPLED": CallCount.SAMPLED,
            "launch": variant.executable.launcher(executor.backend),
            "scalar": executor.backend.make_computation_data_from_scalar,
            "device": ground.device,
            "new": object.__new__,
            "Array": executor.array_class,
        }
        self.guards: list[str] = []
        self.body: list[str] = ["if not tick() % SAMPLED:", "    return MISS"]
        self.leaves: list[Any] = []
        #: Leaf of each input.
        self.leaf_of_input: list[int] = []
        self.outside: dict[int, str] = {}

    def name(self, prefix: str, value: object) -> str:
        """Return a global name for a value."""
        name = f"{prefix}{len(self.names)}"
        self.names[name] = value
        return name

    def miss_if(self, condition: str) -> None:
        """Leave for the general way on a condition."""
        self.guards += f"if {condition}:", "    return MISS"

    def function(self) -> ShortCall:
        """Return the function, whose calls the metrics follow from now on."""
        lines = ["def call(args, kwargs):", "    try:"]
        lines += (f"        {line}" for line in self.guards)
        lines += ["    except (AttributeError, KeyError, TypeError, ValueError):", "        return MISS"]
        lines += (f"    {line}" for line in self.body)
        made = FunctionType(_compiled("\n".join(lines)), self.names, "call")
        self.ground.executor.metrics.follow(self.count, made)
        return made

    def write(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Write guards and body for calls like this one."""
        self.miss_if("local.tape.capturing or ground.limit == 0")
        self._take_apart(args, kwargs)
        if not any(isinstance(leaf, LazyTensor) for leaf in self.leaves):
            self.names["current"] = current_executor
            self.miss_if("current().ground() is not ground")
        for number, leaf in enumerate(self.leaves):
            self._guard(number, leaf)
        given = {id(self.leaves[number]) for number in self.leaf_of_input}
        if len(given) < len(self.leaf_of_input) or len(self.capture.outputs) > _MOST:
            raise _NoShortCallError  # captured for an array that was passed twice
        self._guard_outside()
        self._guard_aliasing()
        self._guard_donation()
        self._launch()
        self._finish()

    # Arguments

    def _take_apart(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Name the leaves: through the built-in containers if there are no others, else through optree."""
        leaves, structure = flatten((args, kwargs))
        if len(leaves) > _MOST:
            raise _NoShortCallError
        guards = list(self.guards)
        self._take("args", args)
        if kwargs or len(args) == 0:
            self._take("kwargs", kwargs)
        else:
            self.miss_if("kwargs")
        if len(self.leaves) == len(leaves) and all(a is b for a, b in zip(self.leaves, leaves, strict=True)):
            return
        if any(isinstance(leaf, Static) for leaf in leaves):
            raise _NoShortCallError
        self.guards, self.leaves = guards, leaves
        self.names |= {"flatten": flatten, "structure": structure}
        self.guards += ("leaves, found = flatten((args, kwargs))",)
        self.miss_if("found != structure")
        self.guards.append(f"{''.join(f'v{number}, ' for number in range(len(leaves)))}= leaves" if leaves else "pass")

    def _take(self, name: str, value: Any) -> None:
        """Name the leaves of a container, in optree's order."""
        kind = type(value)
        if kind not in (tuple, list, dict):
            self.guards.append(f"v{len(self.leaves)} = {name}")
            self.leaves.append(value)
            return
        if name not in ("args", "kwargs"):
            self.miss_if(f"type({name}) is not {self.name('K', kind)}")
        self.miss_if(f"len({name}) != {len(value)}")
        if kind is dict:
            if len({type(key) for key in value}) > 1 or not all(type(key) in (str, int) for key in value):
                raise _NoShortCallError
            parts = [(f"{name}[{key!r}]", value[key]) for key in sorted(value)]
        elif not any(type(part) in (tuple, list, dict) for part in value):
            first = len(self.leaves)
            self.leaves += value
            self.guards += (f"{''.join(f'v{number}, ' for number in range(first, len(self.leaves)))}= {name}",) * bool(
                value
            )
            return
        else:
            parts = [(f"{name}[{index}]", part) for index, part in enumerate(value)]
        for expression, part in parts:
            if type(part) in (tuple, list, dict):
                inner = f"c{len(self.guards)}"
                self.guards.append(f"{inner} = {expression}")
                self._take(inner, part)
            else:
                self._take(expression, part)

    def _guard(self, number: int, leaf: Any) -> None:
        """Test one argument."""
        if isinstance(leaf, LazyTensor):
            if leaf._link is not None:
                raise _NoShortCallError
            self.leaf_of_input.append(number)
            self._guard_array(f"v{number}", f"d{number}", leaf)
        elif isinstance(leaf, np.ndarray):
            if self.capture.gone or type(leaf) is not np.ndarray or not leaf.shape:
                raise _NoShortCallError
            self.names |= {"ndarray": np.ndarray, "as_array": as_array}
            self.leaf_of_input.append(number)
            dtype = self.name("D", leaf.dtype)
            self.miss_if(f"type(v{number}) is not ndarray or v{number}.dtype != {dtype}")
            self.miss_if(f"v{number}.shape != {leaf.shape!r}")
            self.body.append(f"d{number} = (v{number} := as_array(v{number}, ground))._data")
        elif is_traced_number(type(leaf)):
            self._guard_number(number, leaf)
        else:
            value = leaf.value if isinstance(leaf, Static) else leaf
            self._guard_value(f"v{number}", value)

    def _guard_array(self, array: str, data: str, leaf: LazyTensor) -> None:
        type = self.name("T", leaf._type)
        self.miss_if(f"{array}._type is not {type} or {array}._tape is not ground or {array}._link is not None")
        if not leaf._type.shape:  # an array without dimensions may be a number or memory
            self.miss_if(f"{'not ' if hasattr(leaf, '_version') else ''}hasattr({array}, '_version')")
        self.guards.append(f"{data} = {array}._data")
        self.miss_if(f"{data}._ready is not None or {data}.error is not None")

    def _guard_number(self, number: int, leaf: Any) -> None:
        self.miss_if(f"type(v{number}) is not {self.name('K', type(leaf))}")
        bits = self.capture.fixed.get(number)
        if bits is not None:
            self.names["bits"] = number_bits
            self.miss_if(f"bits(v{number}) != {self.name('B', bits)}")
        if type(leaf) is int:
            for index, argument in self.capture.scalar_arguments.items():
                signature = self.capture.scalar_signatures[index]
                if argument == number and signature.low is not None:
                    low, high = self.name("L", signature.low), self.name("H", signature.high)
                    self.miss_if(f"not {low} <= v{number} <= {high}")

    def _guard_value(self, name: str, value: Any) -> None:
        """Test an argument that is part of the signature by its value; the same object always is."""
        same = f"{name} is not {self.name('C', value)}"
        if type(value) in (str, bytes, int):
            same = f"type({name}) is not {self.name('K', type(value))} or {name} != {self.name('C', value)}"
        self.miss_if(same)

    def _guard_outside(self) -> None:
        """Test the arrays from outside that are read or written."""
        arrays = [source for source in self.capture.leaf_inputs if isinstance(source, LazyTensor)]
        arrays += [target for target, _ in self.capture.written if isinstance(target, LazyTensor)]
        for array in arrays:
            if id(array) in self.outside:
                continue
            if array._link is not None:
                raise _NoShortCallError
            number = len(self.outside)
            self.outside[id(array)] = f"e{number}"
            self.names[f"e{number}"] = array
            self._guard_array(f"e{number}", f"f{number}", array)

    def _guard_aliasing(self) -> None:
        """Test that no array comes twice, and that none of those that a writing function knows is an argument."""
        if any(isinstance(self.leaves[number], np.ndarray) for number in self.leaf_of_input):
            given = [number for number in self.leaf_of_input if isinstance(self.leaves[number], LazyTensor)]
        else:
            given = self.leaf_of_input
        datas = [f"d{number}" for number in given]
        if self.capture.written:
            if any(id(owner) not in self.outside for owner in self.capture.owners):
                raise _NoShortCallError
            datas += [f"f{name[1:]}" for name in self.outside.values()]
        if len(datas) > _PAIRS:
            self.miss_if(f"len({{{', '.join(datas)}}}) != {len(datas)}")
        else:
            pairs = [f"{a} is {b}" for index, a in enumerate(datas) for b in datas[:index]]
            if pairs:
                self.miss_if(" or ".join(pairs))

    def _guard_donation(self) -> None:
        """Test that nothing but its array holds what will be overwritten; else the general way has it copied."""
        datas = [self._source(self.capture.leaf_inputs[leaf], "d", "f") for leaf in self.variant.donated]
        if datas:
            self.names |= {"unreferenced": unreferenced, "can_donate": self.ground.executor.backend.can_donate}
            # Besides the list, the array and the local name.
            self.miss_if(f"False in unreferenced([{', '.join(datas)}], 2)")
            self.miss_if(" or ".join(f"not can_donate({data})" for data in datas))

    # Running

    def _launch(self) -> None:
        """Launch the computation; its results are `q<n>`."""
        if not self.capture.positions:
            return
        executable = self.variant.executable
        arguments = [self._source(self.capture.leaf_inputs[leaf], "d", "f") for leaf in executable.leaves]
        for index, type in zip(executable.scalars, executable.scalar_types, strict=True):
            number = self.capture.scalar_arguments[index]
            value = f"v{number}.item()" if isinstance(self.leaves[number], np.generic) else f"v{number}"
            arguments.append(f"scalar({value}, {self.name('S', type)}, device)")
        self.names["recover"] = _recovery(self.ground, self.capture, self.variant)
        results = "".join(f"q{position}, " for position in self.variant.outputs)
        numbers = set(self.capture.scalar_arguments.values())
        given = ", ".join(f"{number}: v{number}" for number in sorted(numbers))
        self.body += [
            f"v{self.leaf_of_input[number]}._data = {self.name('G', gone)}"
            for number, gone in self.capture.gone.items()
        ]
        self.body += (
            f"arguments = [{', '.join(arguments)}]",
            "try:",
            f"    {results}= launch(arguments)",
            "except Exception as error:",
            f"    {results}= recover(error, arguments, {{{given}}})",
        )

    def _source(self, source: int | LazyTensor, argument: str, outside: str) -> str:
        if isinstance(source, int):
            return f"{argument}{self.leaf_of_input[source]}"
        return f"{outside}{self.outside[id(source)][1:]}"

    def _finish(self) -> None:
        """Carry out the writes and return the results."""
        made: dict[int, str] = {}
        for output in self.capture.outputs:
            if output.position is not None and output.position not in made:
                type = self.name("T", self.capture.tape.records[output.position][0].type)
                made[output.position] = self._make(f"q{output.position}", type)
        for target, position in self.capture.written:
            array = self._source(target, "v", "e")
            self.body += (
                f"{array}._data = q{position}",
                f"if hasattr({array}, '_version'):",
                f"    {array}._version += 1",
            )
        results = [self._result(output, made) for output in self.capture.outputs]
        marks = [_Mark(text) for text in results]
        text = _display(unflatten(self.capture.treedef, marks))
        if text is None:
            self.names |= {"unflatten": unflatten, "result": self.capture.treedef}
            text = f"unflatten(result, [{', '.join(results)}])"
        self.body.append(f"return {text}")

    def _make(self, data: str, type: str) -> str:
        """Make an array of its own for data; return its name."""
        name = f"r{len(self.body)}"
        self.body += (
            f"{name} = new(Array)",
            f"{name}._type = {type}",
            f"{name}._link = None",
            f"{name}._data = {data}",
            f"{name}._tape = ground",
        )
        return name

    def _result(self, output: Any, made: dict[int, str]) -> str:
        source = output.source
        if output.position is not None:
            name = made[output.position]
        elif source is None:
            return self.name("C", output.constant)
        elif output.fresh:
            kept = self.name("C", source)
            return self._make(f"{kept}._data", self.name("T", source._type))
        else:
            name = self._source(source, "v", "e") if isinstance(source, int) else self.name("C", source)
        if not output.steps:
            return name
        self.names["view_of"] = view_of
        steps, type = self.name("V", output.steps), self.name("T", output.steps[-1].type)
        return f"view_of({name}, {steps}, {type})"


_ERRORS: Final = {error.__name__: error for error in (AttributeError, KeyError, TypeError, ValueError, Exception)}


class _Mark:
    """Stands for a result while their structure is written down."""

    def __init__(self, text: str) -> None:
        self.text = text


def _display(value: Any) -> str | None:
    """Return nested built-in containers of marks as an expression; `None` if there are others."""
    if isinstance(value, _Mark):
        return value.text
    if type(value) is dict:
        if not all(type(key) in (str, int) for key in value):
            return None
        keys, parts = list(value), [_display(part) for part in value.values()]
        if None in parts:
            return None
        return f"{{{', '.join(f'{key!r}: {part}' for key, part in zip(keys, parts, strict=True))}}}"
    if type(value) not in (tuple, list):
        return None
    parts = [_display(part) for part in value]
    if None in parts:
        return None
    inner = ", ".join(part for part in parts if part is not None)
    if type(value) is list:
        return f"[{inner}]"
    return f"({inner}{',' if len(parts) == 1 else ''})"


def _recovery(
    ground: Ground, capture: Capture, variant: Variant
) -> Callable[[Exception, list[BackendData], dict[int, Any]], list[BackendData]]:
    """Return what runs a failed call operation by operation, so that only what depends on the failure fails."""
    runner = ground.executor.runner
    # Not the capture itself, which holds the function that holds this.
    tape, arguments_of, signatures = capture.tape, capture.scalar_arguments, capture.scalar_signatures

    def recover(error: Exception, arguments: list[BackendData], given: dict[int, Any]) -> list[BackendData]:
        scalars = call_scalars(tape.scalars, arguments_of, signatures, given)
        copy = tape.closed_copy([], scalars, {})
        return runner.isolation(copy).recover(variant, arguments, error)

    return recover
