"""`XlaLoweringContext`: from nodes to the text of a StableHLO module. The lowering functions are in `lowerings`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from latebind.backends.interface import BackendDevice, Computation, LoweringContext
from latebind.backends.xla.mlir import MANY, dense, splat
from latebind.backends.xla.program import Program
from latebind.ir.node import Node, Value
from latebind.ir.types import DType, TensorType

BOOL = np.dtype(np.bool_)

#: Operations that StableHLO writes as `op %a, %b : type` where all types are the same.
_SHORT: Final = frozenset({
    *("abs", "add", "and", "atan2", "cbrt", "ceil", "cosine", "count_leading_zeros", "divide", "exponential"),
    *("exponential_minus_one", "floor", "log", "log_plus_one", "logistic", "maximum", "minimum", "multiply", "negate"),
    *("not", "or", "popcnt", "power", "remainder", "round_nearest_afz", "round_nearest_even", "rsqrt", "shift_left"),
    *("shift_right_arithmetic", "shift_right_logical", "sign", "sine", "sqrt", "subtract", "tan", "tanh", "xor"),
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Emitted:
    """A value of the module: its name, `%3`, and its type."""

    name: str
    type: TensorType


#: What a lowering function takes and returns.
Operands: TypeAlias = Sequence[Emitted]


class XlaLoweringContext(LoweringContext[Emitted]):
    """Lowers a graph to one function of a StableHLO module.

    Lowering functions call `op` (and the short forms of frequent operations), which write a line each and return its
    result.
    """

    def __init__(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, Emitted] | None = None,
    ) -> None:
        self.lines: list[str] = []
        self._depth = 1
        self._names = 0
        self._constants: dict[tuple[TensorType, bytes], Emitted] = {}
        super().__init__(name, device, post_order, emission_map)

    # Writing lines

    def fresh(self) -> str:
        """Return a name that is not taken."""
        self._names += 1
        return f"%{self._names - 1}"

    def write(self, line: str) -> None:
        """Add a line to the function or region that is being written."""
        self.lines.append("  " * self._depth + line)

    def op(self, operation: str, *operands: Emitted, type: TensorType | None = None, attributes: str = "") -> Emitted:
        """Write `%n = "stablehlo.operation"(operands) {attributes}`; the type is the first operand's unless given."""
        return self.ops(operation, operands, (operands[0].type if type is None else type,), attributes)[0]

    def ops(
        self, operation: str, operands: Operands, types: Sequence[TensorType], attributes: str = "", region: str = ""
    ) -> tuple[Emitted, ...]:
        """Write an operation with any number of results, and with a region if it has one."""
        name = self.fresh()
        qualified = operation if "." in operation else f"stablehlo.{operation}"
        places = ", ".join(operand.name for operand in operands)
        target = name if len(types) == 1 else f"{name}:{len(types)}"
        if operation in _SHORT and all(operand.type is types[0] for operand in operands):
            self.write(f"{target} = {qualified} {places} : {types[0]!r}")
            return (Emitted(name, types[0]),)
        given = ", ".join(repr(operand.type) for operand in operands)
        results = ", ".join(map(repr, types))
        body = f" ({region})" if region else ""
        listed = f" <{{{attributes}}}>" if attributes else ""
        self.write(f'{target} = "{qualified}"({places}){listed}{body} : ({given}) -> ({results})')
        if len(types) == 1:
            return (Emitted(name, types[0]),)
        return tuple(Emitted(f"{name}#{index}", type) for index, type in enumerate(types))

    def region(self, types: Iterable[TensorType], body: Callable[[Operands], Operands]) -> str:
        """Write the body of a reduction or comparison on arguments of these types; return it as one text."""
        outer, self.lines = self.lines, []
        known, self._constants = self._constants, {}
        self._depth += 2
        arguments = [Emitted(self.fresh(), type) for type in types]
        results = body(arguments)
        places = ", ".join(result.name for result in results)
        returned = ", ".join(repr(result.type) for result in results)
        self.write(f"stablehlo.return {places} : {returned}")
        self._depth -= 2
        lines, self.lines, self._constants = self.lines, outer, known
        margin = "  " * self._depth
        head = ", ".join(f"{argument.name}: {argument.type!r}" for argument in arguments)
        return "\n".join(["{", f"{margin}  ^bb0({head}):", *lines, f"{margin}}}"])

    # Short forms

    def splat(self, value: bool | int | float | complex, type: TensorType) -> Emitted:
        """Return a constant with one value everywhere."""
        scalar = np.array(value).astype(type.dtype)
        key = (type, scalar.tobytes())
        found = self._constants.get(key)
        if found is None:
            found = self._constants[key] = Emitted(self.fresh(), type)
            self.write(f"{found.name} = stablehlo.constant {splat(scalar, type)}")
        return found

    def constant(self, value: np.ndarray[tuple[int, ...], DType], type: TensorType) -> Emitted:
        """Return a constant."""
        if value.dtype == BOOL and value.size > MANY:
            bits = self.constant(value.view(np.uint8), type.with_dtype(np.dtype(np.uint8)))
            return self.compare("NE", bits, self.splat(0, bits.type))
        name = self.fresh()
        self.write(f"{name} = stablehlo.constant {dense(value)}")
        return Emitted(name, type)

    def compare(self, direction: str, lhs: Emitted, rhs: Emitted, order: str | None = None) -> Emitted:
        """Return a comparison; floats compare as IEEE 754 says unless `order` is `TOTALORDER`."""
        kind = order or {"f": "FLOAT", "c": "FLOAT", "i": "SIGNED"}.get(lhs.type.dtype.kind, "UNSIGNED")
        name, type = self.fresh(), lhs.type.with_dtype(BOOL)
        self.write(
            f"{name} = stablehlo.compare {direction}, {lhs.name}, {rhs.name}, {kind} : "
            f"({lhs.type!r}, {rhs.type!r}) -> {type!r}"
        )
        return Emitted(name, type)

    def select(self, pred: Emitted, on_true: Emitted, on_false: Emitted) -> Emitted:
        """Return `on_true` where `pred` holds, else `on_false`."""
        return self.op("select", pred, on_true, on_false, type=on_true.type)

    def convert(self, operand: Emitted, dtype: DType) -> Emitted:
        """Return XLA's own conversion to a dtype, the operand itself if it has it."""
        if operand.type.dtype == dtype:
            return operand
        return self.op("convert", operand, type=operand.type.with_dtype(dtype))

    def broadcast(self, operand: Emitted, shape: tuple[int, ...]) -> Emitted:
        """Return a scalar repeated to a shape; anything else as it is."""
        if operand.type.shape or not shape:
            return operand
        return self.op(
            "broadcast_in_dim",
            operand,
            type=operand.type.with_shape(shape),
            attributes="broadcast_dimensions = array<i64>",
        )

    # The computation

    def emit_parameter(self, position: int, name: str, type: TensorType) -> Emitted:
        """Return the argument of this position."""
        return Emitted(f"%arg{position}", type)

    def build(self) -> Computation:
        """Finish the module's text."""
        outputs = {parameter: output for output, parameter in self.aliases}
        arguments = ", ".join(
            f"%arg{position}: {type!r}{_alias(outputs.get(position))}"
            for position, (_, type) in enumerate(self.parameters)
        )
        types = ", ".join(repr(type) for _, type in self.results)
        returned = ", ".join(emitted.name for emitted, _ in self.results)
        tail = f"  return {returned} : {types}" if self.results else "  return"
        head = f"func.func public @main({arguments}) -> ({types}) {{"
        # The name is no part of the text: equal programs have equal text, which the disk cache is keyed by.
        text = "\n".join([head, *self.lines, tail, "}"]) + "\n"
        return Computation(
            self.name,
            self.device,
            tuple(name for name, _ in self.parameters),
            tuple(type for _, type in self.parameters),
            tuple(type for _, type in self.results),
            tuple(self.aliases),
            text,
            Program(text),
            frozenset(outputs),
        )


def _alias(output: int | None) -> str:
    return "" if output is None else f" {{tf.aliasing_output = {output} : i32}}"
