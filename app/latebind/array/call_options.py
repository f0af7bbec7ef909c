"""Which arguments of a compiled function are static, and which are donated."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from latebind.errors import CaptureError
from latebind.runtime.cache import scalar_bits
from latebind.runtime.lazy import LazyTensor

#: One position or name, or several.
ArgumentNumbers = int | Sequence[int] | None
ArgumentNames = str | Iterable[str] | None


class Static:
    """An argument that is part of the signature by its value, whatever it is."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Static) or type(self.value) is not type(other.value):
            return False
        if type(self.value) in (float, complex):
            return scalar_bits(self.value) == scalar_bits(other.value)
        return bool(self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value)


class CallOptions:
    """Static and donated arguments of one function.

    Parameters
    ----------
    function
        Its signature tells the names of positional arguments, and the positions of names.
    static, donated
        Positions and names, as `compile` takes them.

    Raises
    ------
    CaptureError
        If the function has no such argument, or if one is to be static and donated.
    TypeError
        If it is no function, or one whose body runs only after the call: a generator or a coroutine.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        static: tuple[ArgumentNumbers, ArgumentNames],
        donated: tuple[ArgumentNumbers, ArgumentNames],
    ) -> None:
        _check_function(function)
        try:
            self.parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):  # a built-in without a signature
            self.parameters = []
        self.static_numbers, self.static_names = self._resolve("static", *static)
        self.donated_numbers, self.donated_names = self._resolve("donate", *donated)
        both = self.static_numbers & self.donated_numbers or self.static_names & self.donated_names
        if both:
            raise CaptureError(f"argument {next(iter(both))!r} cannot be static and donated: only arrays are donated")
        self.any_static = bool(self.static_numbers or self.static_names)
        self.any_donated = bool(self.donated_numbers or self.donated_names)

    def _resolve(
        self, option: str, given_numbers: ArgumentNumbers, given_names: ArgumentNames
    ) -> tuple[frozenset[int], frozenset[str]]:
        numbers = {given_numbers} if isinstance(given_numbers, int) else set(given_numbers or ())
        names = {given_names} if isinstance(given_names, str) else set(given_names or ())
        positional = [one for one in self.parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
        variadic = {one.kind for one in self.parameters}
        open_ended = not self.parameters or inspect.Parameter.VAR_POSITIONAL in variadic
        for number in list(numbers):
            if number < 0 and not open_ended:
                numbers.remove(number)
                numbers.add(number := number + len(positional))
            if number < 0 or (number >= len(positional) and not open_ended):
                raise CaptureError(
                    f"{option}_argnums: the function has no positional argument {number}; it has {len(positional)}"
                )
        known = [one.name for one in self.parameters if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)]
        unknown = names.difference(known)
        if unknown and self.parameters and inspect.Parameter.VAR_KEYWORD not in variadic:
            raise CaptureError(
                f"{option}_argnames: the function has no argument {min(unknown)!r}; it has {', '.join(known)}"
            )
        for number, one in enumerate(positional):
            if one.kind is one.POSITIONAL_OR_KEYWORD and (number in numbers or one.name in names):
                numbers.add(number)
                names.add(one.name)
        return frozenset(numbers), frozenset(names)

    def hide_static(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments with the static ones wrapped, so that they are leaves that are compared by value."""
        return (
            tuple(Static(value) if number in self.static_numbers else value for number, value in enumerate(args)),
            {name: Static(value) if name in self.static_names else value for name, value in kwargs.items()},
        )

    def is_donated(self, path: tuple[Any, ...]) -> bool:
        """Whether the leaf at this path of `(args, kwargs)` belongs to a donated argument."""
        return path[1] in (self.donated_names if path[0] else self.donated_numbers)

    def unhashable(self, paths: Iterable[tuple[Any, ...]], leaves: Iterable[object]) -> str:
        """Return which argument cannot be compared, for a message."""
        for path, leaf in zip(paths, leaves, strict=True):
            try:
                hash(None if isinstance(leaf, LazyTensor) else leaf)  # an array is compared by its type
            except TypeError:
                static = "static argument" if isinstance(leaf, Static) else "argument"
                return f"the {static} {self.show(path)}"
        return "an argument"

    def show(self, path: tuple[Any, ...]) -> str:
        """Return a path of `(args, kwargs)` as the function's author would write it: `x['w'][0]`."""
        name, rest = str(path[1]), path[2:]
        if not path[0]:
            name = self._positional_name(path[1])
        return name + "".join(f"[{key!r}]" for key in rest)

    def _positional_name(self, number: int) -> str:
        for position, one in enumerate(self.parameters):
            if one.kind is one.VAR_POSITIONAL:
                return f"{one.name}[{number - position}]"
            if position == number:
                return one.name
        return f"argument {number}"


def _check_function(function: object) -> None:
    if not callable(function):
        raise TypeError(f"compile() takes a function, got {function!r}: write compile(f), not compile(f(x))")
    kinds = (
        ("a generator", inspect.isgeneratorfunction),
        ("a coroutine", inspect.iscoroutinefunction),
        ("an asynchronous generator", inspect.isasyncgenfunction),
    )
    for kind, matches in kinds:
        if matches(function):
            name = getattr(function, "__qualname__", repr(function))
            raise TypeError(
                f"compile() cannot capture {name}: it is {kind}, whose body runs after the call; compile the function "
                "that it calls for each step"
            )
