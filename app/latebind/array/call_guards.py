"""The guards of a short call: whether its arguments, and the arrays from outside, are like those of the capture."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from latebind.array.call_options import Static
from latebind.array.captured import Capture, flatten, is_traced_number, number_bits
from latebind.array.operands import as_array
from latebind.runtime.cache import Variant
from latebind.runtime.current import current_executor
from latebind.runtime.lazy import LazyTensor
from latebind.runtime.liveness import unreferenced
from latebind.runtime.tape import Ground

#: What a short call returns instead of a result if it does not apply.
MISS: Final = object()
#: Captures with more arguments, or more results, have no short call: its source would take long to compile.
_MOST: Final = 256
#: Up to so many arrays are compared in pairs to see whether one was passed twice.
_PAIRS: Final = 4
_ERRORS: Final = {error.__name__: error for error in (AttributeError, KeyError, TypeError, ValueError, Exception)}


class NoShortCallError(Exception):
    """Something in the call needs the general way."""


class CallGuards:
    """Decides whether a call is like the captured one, as statements.

    Attributes
    ----------
    names : dict
        Global names of the function.
    guards : list of str
        Statements that decide whether the call is like the captured one; `v<n>` is argument leaf n.
    body : list of str
        What runs if it is.
    leaf_of_input : list of int
        Argument leaf behind each input.
    """

    def __init__(self, ground: Ground, capture: Capture, variant: Variant) -> None:
        self.ground = ground
        self.capture = capture
        self.variant = variant
        self.names: dict[str, Any] = {
            "__builtins__": {"len": len, "type": type, "hasattr": hasattr, **_ERRORS},
            "MISS": MISS,
            "ground": ground,
            "local": ground.local,
        }
        self.guards: list[str] = []
        self.body: list[str] = []
        self.leaves: list[Any] = []
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

    def write_guards(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Write the guards for calls like this one.

        Raises
        ------
        NoShortCallError
            If such calls need the general way.
        """
        self.miss_if("local.tape.capturing or ground.limit == 0")
        self._take_apart(args, kwargs)
        if not any(isinstance(leaf, LazyTensor) for leaf in self.leaves):
            self.names["current"] = current_executor
            self.miss_if("current().ground() is not ground")
        for number, leaf in enumerate(self.leaves):
            self._guard(number, leaf)
        given = {id(self.leaves[number]) for number in self.leaf_of_input}
        if len(given) < len(self.leaf_of_input) or len(self.capture.outputs) > _MOST:
            raise NoShortCallError  # captured for an array that was passed twice
        self._guard_outside()
        self._guard_aliasing()
        self._guard_donation()

    # Arguments

    def _take_apart(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Name the leaves: through the built-in containers if there are no others, else through optree."""
        leaves, structure = flatten((args, kwargs))
        if len(leaves) > _MOST:
            raise NoShortCallError
        guards = list(self.guards)
        self._take("args", args)
        if kwargs or len(args) == 0:
            self._take("kwargs", kwargs)
        else:
            self.miss_if("kwargs")
        if len(self.leaves) == len(leaves) and all(a is b for a, b in zip(self.leaves, leaves, strict=True)):
            return
        if any(isinstance(leaf, Static) for leaf in leaves):
            raise NoShortCallError
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
                raise NoShortCallError
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
                raise NoShortCallError
            self.leaf_of_input.append(number)
            self._guard_array(f"v{number}", f"d{number}", leaf)
        elif isinstance(leaf, np.ndarray):
            if self.capture.gone or type(leaf) is not np.ndarray or not leaf.shape:
                raise NoShortCallError
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
                raise NoShortCallError
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
                raise NoShortCallError
            datas += [f"f{name[1:]}" for name in self.outside.values()]
        if len(datas) > _PAIRS:
            self.miss_if(f"len({{{', '.join(datas)}}}) != {len(datas)}")
        else:
            pairs = [f"{a} is {b}" for index, a in enumerate(datas) for b in datas[:index]]
            if pairs:
                self.miss_if(" or ".join(pairs))

    def _guard_donation(self) -> None:
        """Test that nothing but its array holds what will be overwritten; else the general way has it copied."""
        datas = [self.source(self.capture.leaf_inputs[leaf], "d", "f") for leaf in self.variant.donated]
        if datas:
            self.names |= {"unreferenced": unreferenced, "can_donate": self.ground.executor.backend.can_donate}
            # Besides the list, the array and the local name.
            self.miss_if(f"False in unreferenced([{', '.join(datas)}], 2)")
            self.miss_if(" or ".join(f"not can_donate({data})" for data in datas))

    def source(self, source: int | LazyTensor, argument: str, outside: str) -> str:
        """Return the local name for an input or an outside array; the prefixes choose the array or its data."""
        if isinstance(source, int):
            return f"{argument}{self.leaf_of_input[source]}"
        return f"{outside}{self.outside[id(source)][1:]}"
