"""TorchScript, made straight from the FX graph.

`torch.jit.trace` would run the graph, with its memory, and `torch.jit.script` parses text; for 200 operations they take
11 and 100 ms, this takes less than one, and neither's deprecation warnings arise. TorchScript's graph has one node per
ATen operator with all arguments, so each call is matched with the operator's schemas.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import torch
from torch import fx

from latebind.backends.torch.program import Program
from latebind.errors import CompilationError

_TENSOR: Final = torch._C.TensorType.get()
_LIST_OF_TENSORS: Final = torch._C.ListType(_TENSOR)
_LIST_OF_OPTIONAL_TENSORS: Final = torch._C.ListType(torch._C.OptionalType(_TENSOR))
#: ATen names of Python's operators, and of functions with another name there.
_OPERATORS: Final = {
    operator.add: "add",
    operator.sub: "sub",
    operator.mul: "mul",
    operator.neg: "neg",
    operator.and_: "bitwise_and",
    operator.or_: "bitwise_or",
    operator.xor: "bitwise_xor",
    operator.invert: "bitwise_not",
    operator.lshift: "bitwise_left_shift",
    operator.rshift: "bitwise_right_shift",
    operator.eq: "eq",
    operator.ne: "ne",
    operator.lt: "lt",
    operator.le: "le",
    operator.gt: "gt",
    operator.ge: "ge",
}
#: Numbers of memory formats in ATen.
_MEMORY_FORMATS: Final = {torch.contiguous_format: 0, torch.preserve_format: 1}


def compile_torchscript(program: Program, *, optimise: bool) -> Callable[..., Sequence[torch.Tensor]]:
    """Return the TorchScript function of the graph.

    Parameters
    ----------
    optimise
        Whether TorchScript's profiling executor may specialise and fuse the graph in its first runs. On the host it has
        nothing to fuse and takes 20 ms for 200 operations; the switch is per thread, and is put back after each call.

    Raises
    ------
    CompilationError
        If an operation has no counterpart in TorchScript.
    """
    translation = _Translation(program)
    program.script = function = translation.function()
    if translation.seen_inputs or translation.seen_outputs:
        function = _reinterpreting(function, translation.seen_inputs, translation.seen_outputs)
    if optimise:
        return function  # type: ignore[no-any-return]
    get, put = torch._C._get_graph_executor_optimize, torch._C._set_graph_executor_optimize

    def run(*tensors: torch.Tensor) -> Sequence[torch.Tensor]:
        before = get()
        put(False)
        try:
            return function(*tensors)  # type: ignore[no-any-return]
        finally:
            put(before)

    return run


def _reinterpreting(
    function: Callable[..., Any], inputs: dict[int, torch.dtype], outputs: dict[int, torch.dtype]
) -> Callable[..., Sequence[torch.Tensor]]:
    """Return the function with some of its inputs and outputs seen as other dtypes."""

    def run(*tensors: torch.Tensor) -> Sequence[torch.Tensor]:
        given = list(tensors)
        for position, dtype in inputs.items():
            given[position] = given[position].view(dtype)
        results = list(function(*given))
        for position, dtype in outputs.items():
            results[position] = results[position].view(dtype)
        return results

    return run


class _Translation:
    """One FX graph on its way to TorchScript.

    TorchScript cannot view a tensor as another dtype (`aten::view.dtype` never matches). Where parameters and results
    are, that is done outside, `seen_inputs` and `seen_outputs` say how; elsewhere it is a copy.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.graph: Any = torch._C.Graph()
        self.values: dict[fx.Node, Any] = {}
        self.constants: dict[Any, Any] = {}
        self.inputs: list[fx.Node] = []
        self.seen_inputs: dict[int, torch.dtype] = {}
        self.seen_outputs: dict[int, torch.dtype] = {}

    def function(self) -> Any:
        for node in self.program.graph.nodes:
            try:
                self._node(node)
            except CompilationError:
                raise
            except Exception as error:
                raise CompilationError(
                    f"TorchScript cannot express {node.format_node()} of computation {self.program.name!r}: {error}"
                ) from error
        return torch._C._create_function_from_graph("forward", self.graph)

    def _node(self, node: Any) -> None:
        if node.op == "placeholder":
            self.inputs.append(node)
            self.values[node] = self.graph.addInput(node.name)
            self.values[node].setType(_TENSOR)
        elif node.op == "get_attr":
            self.values[node] = self.graph.insertConstant(self.program.constants[str(node.target)])
        elif node.op == "output":
            results = [self._result(position, item) for position, item in enumerate(node.args[0])]
            self.graph.registerOutput(self._list(results, _LIST_OF_TENSORS))
        elif _seen_as(node) is not None:
            self._view(node)
        elif node.target is operator.getitem:
            self.values[node] = self._item(self.values[node.args[0]], node.args[1])
        else:
            self.values[node] = self._call(node)

    def _view(self, node: Any) -> None:
        """See bits as another dtype: outside for parameters, and for what is a result only; else by a copy."""
        source, dtype = node.args
        if source in self.inputs and len(source.users) == 1:
            self.seen_inputs[self.inputs.index(source)] = dtype
            self.values[node] = self.values[source]
        elif any(user.op != "output" for user in node.users):
            self.values[node] = self._operation("view_copy", [self.values[source], self._constant(dtype)])

    def _result(self, position: int, node: Any) -> Any:
        if node in self.values:
            return self.values[node]
        self.seen_outputs[position] = node.args[1]
        return self.values[node.args[0]]

    def _item(self, source: Any, item: Any) -> Any:
        """Return one of several results, or the view that slices give."""
        if isinstance(item, int):
            return source[item]
        for dimension, part in enumerate(item if isinstance(item, tuple) else (item,)):
            if part != slice(None):
                step = 1 if part.step is None else part.step
                source = self._operation(
                    "slice", [source, *map(self._constant, (dimension, part.start, part.stop, step))]
                )
        return source

    def _call(self, node: Any) -> Any:
        name = _aten_name(node)
        schema = _schema(name, node.args, node.kwargs)
        if schema is None:
            raise CompilationError(
                f"TorchScript has no operator aten::{name} for the arguments {node.args}, {node.kwargs} in computation "
                f"{self.program.name!r}"
            )
        inputs = [self._argument(value, argument) for value, argument in _bound(schema, node.args, node.kwargs)]
        return self._operation(name, inputs, len(schema.returns))

    def _operation(self, name: str, inputs: list[Any], results: int = 1) -> Any:
        made = self.graph.create(f"aten::{name}", inputs, results)
        self.graph.insertNode(made)
        outputs = list(made.outputs())
        for output in outputs:
            output.setType(_TENSOR)
        return outputs[0] if results == 1 else outputs

    def _argument(self, value: Any, argument: Any) -> Any:
        if isinstance(value, fx.Node):
            return self.values[value]
        if isinstance(value, (list, tuple)):
            if "Tensor" in str(argument.type):
                items = [self.values[item] if isinstance(item, fx.Node) else self._constant(item) for item in value]
                optional = "Optional" in str(argument.type) or "?" in str(argument.type)
                return self._list(items, _LIST_OF_OPTIONAL_TENSORS if optional else _LIST_OF_TENSORS)
            if not value:
                return self._list([], torch._C.ListType.ofInts())
            return self._constant(list(value))
        return self._constant(value)

    def _constant(self, value: Any) -> Any:
        value = _MEMORY_FORMATS.get(value, value) if isinstance(value, torch.memory_format) else value
        key = repr(value)
        found = self.constants.get(key)
        if found is None:
            found = self.constants[key] = self.graph.insertConstant(value)
        return found

    def _list(self, items: list[Any], type: Any) -> Any:
        made = self.graph.create("prim::ListConstruct", items, 1)
        self.graph.insertNode(made)
        made.output().setType(type)
        return made.output()


def _seen_as(node: Any) -> torch.dtype | None:
    """Return the dtype as which a node sees the bits of its operand; `None` if it does not."""
    is_view = node.op == "call_method" and node.target == "view" and isinstance(node.args[1], torch.dtype)
    return node.args[1] if is_view else None


def _aten_name(node: Any) -> str:
    if isinstance(node.target, str):
        return node.target
    if node.target in _OPERATORS:
        return _OPERATORS[node.target]
    if isinstance(node.target, torch._ops.OpOverload):
        return node.target._schema.name.partition("::")[2]
    return str(node.target.__name__)


#: Schemas that were found, by operator and kinds of arguments.
_found: Final[dict[Any, Any]] = {}


def _schema(name: str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Return the operator's schema that admits these arguments, or `None`."""
    kinds = (name, tuple(map(_kind, args)), tuple((key, _kind(value)) for key, value in kwargs.items()))
    if kinds not in _found:
        schemas = torch._C._jit_get_schemas_for_operator(f"aten::{name}")
        _found[kinds] = next((schema for schema in schemas if _admits(schema, args, kwargs)), None)
    return _found[kinds]


def _kind(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return (list, *sorted({str(_kind(item)) for item in value}))
    return type(value)


def _bound(schema: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Pair each argument of the schema with its value or default."""
    for position, argument in enumerate(schema.arguments):
        if position < len(args):
            yield args[position], argument
        else:
            yield kwargs.get(argument.name, argument.default_value), argument


def _admits(schema: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> bool:
    names = [argument.name for argument in schema.arguments]
    if len(args) > len(names) or not set(kwargs) <= set(names[len(args) :]):
        return False
    for position, argument in enumerate(schema.arguments):
        if position < len(args):
            if argument.kwarg_only or not _fits(args[position], str(argument.type)):
                return False
        elif argument.name in kwargs:
            if not _fits(kwargs[argument.name], str(argument.type)):
                return False
        elif not argument.has_default_value():
            return False
    return True


def _fits(value: Any, type: str) -> bool:
    """Whether a value may be passed where the schema has this type."""
    if type.startswith("Optional[") and type.endswith("]"):
        return value is None or _fits(value, type[len("Optional[") : -1])
    if isinstance(value, fx.Node):
        return type == "Tensor"
    if isinstance(value, (list, tuple)):
        if any(isinstance(item, fx.Node) for item in value):
            return type in ("List[Tensor]", "List[Optional[Tensor]]")
        return type == "List[int]"
    if isinstance(value, bool):
        return type == "bool"
    if isinstance(value, (int, torch.dtype, torch.memory_format, torch.layout)):
        return type in ("int", "number")
    if isinstance(value, float):
        return type in ("float", "number")
    if isinstance(value, complex):
        return type in ("complex", "number")
    if isinstance(value, torch.device):
        return type == "Device"
    return isinstance(value, str) and type == "str"
