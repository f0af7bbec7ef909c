"""Short calls: Python source for one captured call, with everything that cannot change between two calls left out.

The general way (`captured.run_captured`) looks at every argument in a loop, builds a key, and has the executor launch
a closed recording. Most calls need none of that: their arguments are arrays at rest, each passed once, and numbers. For
these a function is generated that tests exactly this, one line per argument, reads the arrays' data, launches the
computation, and makes the results:

    def call(args, kwargs):
        try:
            if local.tape.capturing or ground.limit == 0 or kwargs or len(args) != 2:
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
from typing import Any

import numpy as np

from latebind.array.call_guards import MISS, CallGuards, NoShortCallError
from latebind.array.captured import Capture, call_scalars, unflatten, view_of
from latebind.backends.interface import BackendData
from latebind.runtime.cache import Variant
from latebind.runtime.metrics import CallCount
from latebind.runtime.tape import Ground
from latebind.runtime.warm_steps import SHORT_SECONDS

__all__ = ["MISS", "ShortCall", "launched_variant", "short_call"]

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
    except NoShortCallError:
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
        longest = SHORT_SECONDS if limit is None else limit * 1e-6
        if mode == "always" or (mode == "auto" and (variant.seconds is None or variant.seconds >= longest)):
            return None
    return variant


@lru_cache(maxsize=1024)
def _compiled(text: str) -> CodeType:
    """Return the code of a generated function; calls of the same form share it."""
    code = compile(text, "<short call of a compiled function>", "exec", dont_inherit=True).co_consts[0]
    assert isinstance(code, CodeType)
    return code


class _Writer(CallGuards):
    """Writes one short call."""

    def __init__(self, ground: Ground, capture: Capture, variant: Variant) -> None:
        super().__init__(ground, capture, variant)
        executor = ground.executor
        self.count = CallCount(variant, every=executor.metrics.every)
        self.names |= {
            "tick": self.count.tick,
            "SAMPLED": self.count.every,
            "launch": variant.executable.launcher(executor.backend),
            "scalar": executor.backend.make_computation_data_from_scalar,
            "device": ground.device,
            "new": object.__new__,
            "Array": executor.array_class,
        }
        self.body += "if not tick() % SAMPLED:", "    return MISS"

    def write(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Write guards and body for calls like this one."""
        self.write_guards(args, kwargs)
        self._launch()
        self._finish()

    def function(self) -> ShortCall:
        """Return the function, whose calls the metrics follow from now on."""
        lines = ["def call(args, kwargs):", "    try:"]
        lines += (f"        {line}" for line in self.guards)
        lines += ["    except (AttributeError, KeyError, TypeError, ValueError):", "        return MISS"]
        lines += (f"    {line}" for line in self.body)
        made = FunctionType(_compiled("\n".join(lines)), self.names, "call")
        self.ground.executor.metrics.follow(self.count, made)
        return made

    def _launch(self) -> None:
        """Launch the computation; its results are `q<n>`."""
        if not self.capture.positions:
            return
        executable = self.variant.executable
        arguments = [self.source(self.capture.leaf_inputs[leaf], "d", "f") for leaf in executable.leaves]
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

    def _finish(self) -> None:
        """Carry out the writes and return the results."""
        made: dict[int, str] = {}
        for output in self.capture.outputs:
            if output.position is not None and output.position not in made:
                type = self.name("T", self.capture.tape.records[output.position][0].type)
                made[output.position] = self._make(f"q{output.position}", type)
        for target, position in self.capture.written:
            array = self.source(target, "v", "e")
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
            name = self.source(source, "v", "e") if isinstance(source, int) else self.name("C", source)
        if not output.steps:
            return name
        self.names["view_of"] = view_of
        steps, type = self.name("V", output.steps), self.name("T", output.steps[-1].type)
        return f"view_of({name}, {steps}, {type})"


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
