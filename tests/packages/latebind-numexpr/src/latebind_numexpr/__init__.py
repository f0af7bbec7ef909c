"""A latebind backend for numexpr: elementwise work becomes few numexpr expressions, the rest falls back to NumPy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import Any

import numexpr
import numpy as np
from numexpr.expressions import OpNode, VariableNode, kind_to_type
from pydantic import Field

from latebind.backends.interface import Backend, BackendData, BackendDevice, Computation, LoweringContext
from latebind.backends.settings import BackendSettings
from latebind.errors import CompilationError
from latebind.ir.node import Node
from latebind.ir.types import ELEMENT_NAMES, TensorType

#: The dtypes that numexpr has, from narrow to wide, and its names for them.
KINDS = dict(bool="bool", int32="int", int64="long", float32="float", float64="double", complex128="complex")
#: What is one numexpr operation (`=` if its name differs), by first letters of the kinds for which results agree.
OPERATIONS = {
    ("stablehlo", "bilfdc"): "add convert=cast multiply=mul negate=neg select=where subtract=sub",
    ("stablehlo", "bilfd"): "abs=absolute compare",
    ("stablehlo", "bil"): "and not=invert or xor",
    ("stablehlo", "dc"): "complex imag real",
    ("stablehlo", "fd"): "maximum minimum",
    ("stablehlo", "bfd"): """
        atan2=arctan2 ceil cosine=cos divide=div exponential=exp exponential_minus_one=expm1 floor is_finite=isfinite
        log log_plus_one=log1p power=pow remainder=fmod round_nearest_even=round sine=sin sqrt tan tanh""",
    ("chlo", "bfd"): """
        acos=arccos acosh=arccosh asin=arcsin asinh=arcsinh atan=arctan atanh=arctanh cosh is_inf=isinf
        next_after=nextafter sinh tan""",
    ("numpy", "bfd"): "copysign hypot log10 log2 power=pow signbit trunc",
}
COMPARISONS = {"EQ": "eq", "NE": "ne", "GT": "gt", "GE": "ge", "LT": "gt", "LE": "ge"}
#: What is one NumPy function, most of them a view: from attributes and arrays to an array.
MOVEMENTS: dict[str, Callable[..., Any]] = {
    "stablehlo::broadcast_in_dim": lambda a, x: np.broadcast_to(
        np.moveaxis(x[..., *[None] * (len(a["shape"]) - x.ndim)], range(x.ndim), a["broadcast_dimensions"]), a["shape"]
    ),
    "stablehlo::constant": lambda a: a["value"],
    "stablehlo::reshape": lambda a, x: x.reshape(a["shape"]),
    "stablehlo::slice": lambda a, x: x[*map(slice, a["start_indices"], a["limit_indices"], a["strides"]), ...],
    "stablehlo::transpose": lambda a, x: x.transpose(a["permutation"]),
}
#: numexpr has one set of threads, and scratch space in each compiled expression.
LOCK = Lock()


class NumexprSettings(BackendSettings):
    """Settings of the numexpr backend; `threads` is inherited."""

    operations: int = Field(default=30, ge=1, le=30, description="Operations in one expression; longer ones are cut.")


@dataclass(eq=False, slots=True)
class Piece:
    """A value: a parameter, what NumPy makes of other values (`run`), or a numexpr operation."""

    type: TensorType
    name: str
    operands: Sequence[Piece] = ()
    run: Callable[..., Any] | None = None
    size: int = 0  # operations in its expression; 0 if it gets an array
    used: bool = False

    def tree(self, names: Mapping[Piece, str]) -> Any:
        """Return the expression for numexpr; what has a name is a variable."""
        kind = KINDS[self.type.dtype.name]
        if self in names:
            return VariableNode(names[self], kind)
        return OpNode(self.name, [each.tree(names) for each in self.operands], kind)

    def compiled(self, names: Mapping[Piece, str]) -> Callable[..., Any]:
        """Return a function of what has a name."""
        if self.run is not None:
            return self.run
        signature = [(name, kind_to_type[KINDS[each.type.dtype.name]]) for each, name in names.items()]
        expression = numexpr.NumExpr(self.tree(names), signature)

        def run(*arrays: Any) -> Any:
            with LOCK:
                return expression(*arrays, out=np.empty(self.type.shape, self.type.dtype), ex_uses_vml=numexpr.use_vml)

        return run


class NumexprContext(LoweringContext[Piece]):
    """Lowers to pieces; a numexpr operation that is used once becomes a part of what uses it."""

    limit = 30

    def emit_parameter(self, position: int, name: str, type: TensorType) -> Piece:
        return Piece(type, f"p{position}")

    def operation(self, node: Node, operands: Sequence[Piece], name: str) -> list[Piece]:
        """Lower to a numexpr operation; operands that are used already, or that make it too long, get an array."""
        if name == "compare":
            direction = str(node.attributes["comparison_direction"])
            name, operands = COMPARISONS[direction], operands[:: -1 if direction in ("LT", "LE") else 1]
        size = 1 + sum(each.size for each in operands)
        for each in set(operands):
            if each.used or size > self.limit:
                each.size = 0
            each.used = True
        return [Piece(node.types[0], name, operands, size=1 + sum(each.size for each in operands))]

    def movement(self, node: Node, operands: Sequence[Piece], function: Callable[..., Any]) -> list[Piece]:
        """Lower to a NumPy function of arrays; of constants it is computed now."""
        run = partial(function, node.attributes)
        if any(each.name == "constant" for each in operands):
            run, operands = partial(np.asarray, run(*(each.run() for each in operands))), ()
        for each in operands:
            each.size = 0
        return [Piece(node.types[0], node.kind.name if operands else "constant", operands, run)]

    def build(self) -> Computation:
        """Return the computation, a Python function with a line for each array; `compile` makes what it calls."""
        results, types = zip(*self.results, strict=True) if self.results else ((), ())
        names, sources, calls = {}, {}, {}
        lines = [f"def computation({', '.join(f'p{position}' for position in range(len(self.parameters)))}):"]
        for piece in dict.fromkeys(self.emitted.values()):
            piece.size = 0 if piece in results else piece.size
            sources[piece] = dict.fromkeys(a for x in piece.operands for a in (sources[x] if x.size else [x]))
            written = f"{piece.name}({', '.join(names[each] for each in piece.operands)})"
            names[piece] = written if piece.operands else piece.name
            if not piece.size and (piece.operands or piece.run):
                inputs, name = {each: names[each] for each in sources[piece]}, f"v{len(calls)}"
                lines.append(f"    {name} = make_{name}({', '.join(inputs.values())})  # {written}: {piece.type}")
                calls[f"make_{name}"] = partial(piece.compiled, inputs)
                names[piece] = name
        text = "\n".join([*lines, f"    return [{', '.join(names[piece] for piece in results)}]"])
        given = tuple(name for name, _ in self.parameters), tuple(type for _, type in self.parameters)
        return Computation(self.name, self.device, *given, tuple(types), tuple(self.aliases), text, calls)


GAPS: dict[str, frozenset[str]] = {}
for (dialect, letters), words in OPERATIONS.items():
    for kind, _, name in (word.partition("=") for word in words.split()):
        NumexprContext.register(f"{dialect}::{kind}")(partial(NumexprContext.operation, name=name or kind))
        GAPS[f"{dialect}::{kind}"] = frozenset(t for t in ELEMENT_NAMES if KINDS.get(t, "-")[0] not in letters)
for kind, function in MOVEMENTS.items():
    NumexprContext.register(kind)(partial(NumexprContext.movement, function=function))


class NumexprBackend(Backend):
    """Runs elementwise work on numexpr; it overwrites no buffer, so data is never `owned`, that is: may be donated."""

    name = "numexpr"
    settings_model = NumexprSettings
    gaps = GAPS
    supports = NumexprContext.supports

    def __init__(self, settings=None):
        super().__init__(settings)
        with LOCK:
            self._threads = numexpr.set_num_threads(settings.threads) if settings and settings.threads else None

    def prepare_to_exit(self):
        with LOCK:
            numexpr.set_num_threads(self._threads or numexpr.get_num_threads())

    def backend_devices(self):
        return [BackendDevice("cpu")]

    def make_computation_data_from_tensor(self, tensor, type, device, *, copy=True):
        return BackendData(type, device, np.array(tensor, type.dtype, copy=copy or None), owned=False)

    def make_tensor_from_computation_data(self, data):
        data.wait()
        return np.broadcast_to(data.handle, data.type.shape)  # a read-only view

    def create_lowering_context(self, name, device, post_order=(), emission_map=None):
        context = NumexprContext(name, device, post_order, emission_map)
        context.limit = getattr(self.settings, "operations", context.limit)
        return context

    def lowers(self, node):
        order = [*KINDS, *ELEMENT_NAMES].index
        narrows = node.kind.name == "convert" and order(node.operands[0].dtype.name) >= order(node.types[0].dtype.name)
        return super().lowers(node) and not narrows and node.attributes.get("compare_type") != "TOTALORDER"

    def compile(self, computations):
        for computation in computations:
            if not isinstance(computation.program, dict):
                raise CompilationError(f"computation {computation.name!r} was not lowered by the numexpr backend")
            with LOCK:
                if "computation" not in computation.program:
                    computation.program.update({name: make() for name, make in computation.program.items()})
                    exec(computation.text, computation.program)
        return list(computations)

    def execute_computation(self, computation, arguments, device):
        arrays = computation.program["computation"](*[data.handle for data in arguments])
        results = zip(computation.result_types, arrays, strict=True)
        return [BackendData(type, device, np.asarray(array, order="C"), owned=False) for type, array in results]
