"""`TorchLoweringContext`: from nodes to a `torch.fx` graph. The lowering functions are in `lowerings`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from torch import fx

from latebind.backends.interface import BackendDevice, HostArray, LoweringContext
from latebind.backends.torch.data import copied, torch_device
from latebind.backends.torch.dtypes import carrier, is_reinterpreted, native
from latebind.backends.torch.memory import plan_memory
from latebind.backends.torch.program import Program, TorchComputation
from latebind.errors import LoweringError
from latebind.ir.node import Node, Value
from latebind.ir.types import DType, TensorType

#: A function of tensors, or the name of a method of tensors.
Function = Callable[..., Any] | str


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A tensor in the graph.

    Attributes
    ----------
    node : torch.fx.Node
    type : TensorType
        The tensor's shape, which broadcasts to the value's, and the value's dtype (`dtypes.carrier` has the tensor's).
    constant : numpy.ndarray or None
        The value, if it is known now.
    """

    node: fx.Node
    type: TensorType
    constant: HostArray | None = None


Terms = Sequence[Term]


class TorchLoweringContext(LoweringContext[Term]):
    """Lowers a graph to a `torch.fx.Graph`.

    Lowering functions add one function call with `call`, or run a kernel, an ordinary function over tensors, on
    proxies with `kernel`, so that each of its calls becomes a node. A graph holds functions of PyTorch only, with
    static arguments.

    Parameters
    ----------
    name, device, post_order, emission_map
        As in `LoweringContext`.
    compiler
        What will run the graph: `eager`, `torchscript` or `inductor`.
    """

    def __init__(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, Term] | None = None,
        *,
        compiler: str = "eager",
    ) -> None:
        self.compiler = compiler
        self.graph = fx.Graph()
        self.tracer = fx.proxy.GraphAppendingTracer(self.graph)
        self.torch_device = torch_device(device)
        self.constants: dict[str, torch.Tensor] = {}
        self.inputs: list[fx.Node] = []
        self._known: dict[tuple[DType, bytes], Term] = {}
        super().__init__(name, device, post_order, emission_map)

    @property
    def indexes_with_tensors(self) -> bool:
        """Whether a window at a start that is data is an index expression: a view would need the start on the host."""
        return self.compiler == "inductor" or not self.is_host

    @property
    def is_host(self) -> bool:
        """Whether the computation runs on the host."""
        return self.torch_device.type == "cpu"

    @property
    def is_ordered(self) -> bool:
        """Whether `scatter` assigns in the order of the updates."""
        return self.is_host and self.compiler != "inductor"

    def emit_parameter(self, position: int, name: str, type: TensorType) -> Term:
        """Return the term of a parameter, with the bits of unsigned integers as signed ones."""
        node = self.graph.placeholder(f"p{position}")
        node.meta["type"] = (type.shape, native(type.dtype))
        self.inputs.append(node)
        return self.reinterpreted(node, type, carrier(type.dtype))

    def donate(self, parameter_index: int) -> None:
        """Say that a parameter's buffer dies with this call, so that it may be overwritten after its last use.

        Raises
        ------
        LoweringError
            If there is no such parameter.
        """
        if not 0 <= parameter_index < len(self.parameters):
            raise LoweringError(f"{self.name!r} has {len(self.parameters)} parameters: cannot donate {parameter_index}")
        super().donate(parameter_index)

    # What lowering functions call

    def call(self, function: Function, *arguments: Any, type: TensorType, **options: Any) -> Term:
        """Add one call; terms among the arguments, also in lists, stand for their tensors. Return the result."""
        operation = "call_method" if isinstance(function, str) else "call_function"
        node = self.graph.create_node(operation, function, _nodes(arguments), options)
        node.meta["type"] = (type.shape, carrier(type.dtype))
        return Term(node, type)

    def elementwise(self, function: Function, operands: Terms, dtype: DType, **options: Any) -> Term:
        """Add a call of an elementwise function, whose operands broadcast."""
        return self.call(function, *operands, type=broadcast_type(operands, dtype), **options)

    def kernel(self, function: Callable[..., Any], *arguments: Any, type: TensorType, **options: Any) -> Term:
        """Add the calls that a kernel makes; return its result."""
        result = function(*self._proxies(arguments), **options)
        return self._term(result, type)

    def kernels(
        self, function: Callable[..., Any], *arguments: Any, types: Sequence[TensorType], **options: Any
    ) -> list[Term]:
        """Add the calls that a kernel makes; return its results."""
        results = function(*self._proxies(arguments), **options)
        return [self._term(result, type) for result, type in zip(results, types, strict=True)]

    def elementwise_kernel(self, function: Callable[..., Any], operands: Terms, dtype: DType, **options: Any) -> Term:
        """Add the calls of a kernel that is elementwise."""
        return self.kernel(function, *operands, type=broadcast_type(operands, dtype), **options)

    def constant(self, value: HostArray) -> Term:
        """Return the term of a value that is known now; its tensor is made once per computation."""
        key = (value.dtype, value.tobytes()) if not value.shape else None
        if key is not None and key in self._known:
            return self._known[key]
        type = TensorType.of(value.shape, value.dtype)
        tensor = copied(value, type).view(carrier(type.dtype)).to(self.torch_device)
        node = self.graph.get_attr(self._name(tensor))
        node.meta["type"] = (type.shape, tensor.dtype)
        term = Term(node, type, value)
        if key is not None:
            self._known[key] = term
        return term

    def scalar(self, value: bool | int | float | complex, dtype: DType) -> Term:
        """Return the term of a zero-dimensional constant."""
        return self.constant(np.array(value, dtype))

    def tensor(self, value: HostArray) -> Term:
        """Return the term of an array that a lowering function works out: positions, mostly."""
        return self.constant(np.ascontiguousarray(value) if value.shape else value)

    def full(self, term: Term, type: TensorType) -> Term:
        """Return the term in its full shape: a view with repeated elements if it has to be broadcast."""
        if term.type.shape == type.shape:
            return term
        return self.call("expand", term, type.shape, type=term.type.with_shape(type.shape))

    def fresh(self, term: Term, type: TensorType) -> Term:
        """Return a contiguous copy in full shape that may be changed; `build` drops the copy if the original dies."""
        term = self.full(term, type)
        return self.call(torch.clone, term, type=term.type, memory_format=torch.contiguous_format)

    def reinterpreted(self, node: fx.Node, type: TensorType, dtype: torch.dtype) -> Term:
        """Return the term of a tensor whose bits are seen as another dtype of the same width."""
        if node.meta["type"][1] is dtype:
            return Term(node, type)
        view = self.graph.call_method("view", (node, dtype))
        view.meta["type"] = (type.shape, dtype)
        return Term(view, type)

    def _name(self, tensor: torch.Tensor) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = tensor
        return name

    def _proxies(self, arguments: Sequence[Any]) -> list[Any]:
        return [fx.Proxy(item.node, self.tracer) if isinstance(item, Term) else item for item in arguments]

    @staticmethod
    def _term(result: fx.Proxy, type: TensorType) -> Term:
        result.node.meta.setdefault("type", (type.shape, carrier(type.dtype)))
        return Term(result.node, type)

    # The end

    def build(self) -> TorchComputation:
        """Finish the graph; `compile` makes it callable."""
        outputs = []
        for term, type in self.results:
            term = self.full(term, type)
            dtype = native(type.dtype)
            node = self.reinterpreted(term.node, type, dtype).node if is_reinterpreted(type.dtype) else term.node
            outputs.append(node)
        donated = {self.inputs[position] for position in self.donated}
        outputs, borrowed = plan_memory(self.graph, self.inputs, outputs, donated, everything=self.is_ordered)
        self.graph.output(outputs)
        program = Program(self.name, self.graph, self.constants, borrowed, self._header(), self.compiler)
        return TorchComputation(
            name=self.name,
            device=self.device,
            parameter_names=tuple(name for name, _ in self.parameters),
            parameter_types=tuple(type for _, type in self.parameters),
            result_types=tuple(type for _, type in self.results),
            aliases=tuple(self.aliases),
            program=program,
        )

    def _header(self) -> str:
        """Return the comments that explain parameters and constants."""
        lines = [f"# {self.name} on {self.device}"]
        for position, (given, type) in enumerate(self.parameters):
            donated = ", donated" if position in self.donated else ""
            lines.append(f"# p{position} ({given}): {type!r}{donated}")
        for name, tensor in self.constants.items():
            shown = f" = {tensor.item()}" if not tensor.ndim else f" of shape {tuple(tensor.shape)}"
            lines.append(f"# {name}{shown}: {tensor.dtype}")
        return "\n".join(lines)


def _nodes(arguments: Any) -> Any:
    """Replace terms by their FX nodes."""
    if isinstance(arguments, Term):
        return arguments.node
    if isinstance(arguments, (list, tuple)):
        return type(arguments)([_nodes(item) for item in arguments])
    return arguments


def broadcast_type(operands: Terms, dtype: DType) -> TensorType:
    """Return the type of the tensor that PyTorch makes of these operands elementwise."""
    first = operands[0].type
    shape = first.shape
    for operand in operands:
        if operand.type.shape != shape:
            shape = np.broadcast_shapes(*(operand.type.shape for operand in operands))
            break
    return first if first.dtype is dtype and first.shape == shape else TensorType.of(shape, dtype)


#: dtype objects that types hold.
BOOL: Final = np.dtype(np.bool_)
INT64: Final = np.dtype(np.int64)
