"""`NumpyLoweringContext`: from nodes to statements over NumPy. The lowering functions are in `lowerings`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from latebind.backends.interface import BackendDevice, Computation, LoweringContext
from latebind.backends.numpy.allocation import Allocator
from latebind.backends.numpy.program import Program
from latebind.backends.numpy.source import write_source
from latebind.backends.numpy.statements import Buffer, Form, Statement, Variable
from latebind.errors import LoweringError
from latebind.ir.node import Node, Value
from latebind.ir.types import DType, TensorType

#: What a lowering function takes and returns.
Variables = Sequence[Variable]


class NumpyLoweringContext(LoweringContext[Variable]):
    """Lowers a graph to one generated Python function.

    Lowering functions call `ufunc`, `expression`, `view` and `update`, which record statements and return the
    variable of the result. Names, the reuse of dead buffers and the text come in `build`.

    Parameters
    ----------
    name, device, post_order, emission_map
        As in `LoweringContext`.
    reuse_buffers
        Whether dead buffers take later results.
    """

    def __init__(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: Mapping[Value, Variable] | None = None,
        *,
        reuse_buffers: bool = True,
    ) -> None:
        self.statements: list[Statement] = []
        self.constants: list[Variable] = []
        self._scalars: dict[tuple[DType, bytes], Variable] = {}
        self.plans: dict[str, object] = {}
        self.donated: set[int] = set()
        self.reuse_buffers = reuse_buffers
        self.inputs: list[Variable] = []
        self.result_nodes: list[Node] = []
        super().__init__(name, device, post_order, emission_map)

    def lower(self, node: Node) -> None:
        """Emit one node whose operands are emitted."""
        self.node = node
        super().lower(node)

    # Parameters, results, donation

    def emit_parameter(self, position: int, name: str, type: TensorType) -> Variable:
        """Return the variable of a parameter."""
        variable = Variable(type, f"p{position}")
        variable.buffer = Buffer(variable, type.nbytes, reusable=False)
        variable.parameter = position
        self.inputs.append(variable)
        return variable

    def add_result(self, value: Value) -> int:
        """Declare that the computation returns this value; return its position among the results."""
        self.result_nodes.append(value.node)
        return super().add_result(value)

    def set_up_alias(self, output_index: int, parameter_index: int) -> None:
        """Let an output take the buffer of a parameter that dies with this call; donates the parameter."""
        super().set_up_alias(output_index, parameter_index)
        self.donate(parameter_index)

    def donate(self, parameter_index: int) -> None:
        """Declare that a parameter dies with this call, so that its buffer is free after its last use.

        Raises
        ------
        LoweringError
            If there is no such parameter.
        """
        if not 0 <= parameter_index < len(self.parameters):
            raise LoweringError(f"{self.name!r} has {len(self.parameters)} parameters: cannot donate {parameter_index}")
        self.donated.add(parameter_index)
        self.inputs[parameter_index].buffer.reusable = True

    # What lowering functions record

    def constant(self, value: npt.NDArray[np.generic]) -> Variable:
        """Return the variable of a value that is known now; it is built once per computation."""
        if not value.shape:
            found = self._scalars.get(key := (value.dtype, value.tobytes()))
            if found is not None:
                return found
        variable = Variable(TensorType.of(value.shape, value.dtype), f"c{len(self.constants)}")
        if value.flags.writeable:
            value = value.copy()
            value.flags.writeable = False
        if not value.shape:
            self._scalars[key] = variable
        self.constants.append(variable)
        variable.constant = value
        variable.buffer = Buffer(variable, value.nbytes, reusable=False)
        return variable

    def plan(self, plan: object) -> str:
        """Return the global name of something that is worked out once per computation."""
        name = f"s{len(self.plans)}"
        self.plans[name] = plan
        return name

    def scalar(self, value: bool | int | float | complex, dtype: DType) -> Variable:
        """Return the variable of a zero-dimensional constant."""
        return self.constant(np.array(value, dtype))

    def expression(
        self,
        template: str,
        operands: Variables,
        type: TensorType,
        *,
        in_place: tuple[tuple[int, str], ...] = (),
    ) -> Variable:
        """Record `result = template`, a fresh array; return the result.

        Parameters
        ----------
        template
            Python text with `{0}`, `{1}`, ... for the operands.
        operands
            What the placeholders stand for.
        type
            Type of the resulting array.
        in_place
            Pairs of an operand's position and a template that turns this operand into the result.
        """
        result = self._fresh(type)
        self.statements.append(Statement(self.node, Form.EXPRESSION, template, tuple(operands), (result,), in_place))
        return result

    def tuple_expression(
        self, template: str, operands: Variables, types: Sequence[TensorType], *, alone: tuple[str, ...] = ()
    ) -> tuple[Variable, ...]:
        """Record `result, ... = template`, fresh arrays; return the results.

        `alone` has, for each result, the template that gives it alone, where none of the others is used.
        """
        results = tuple(map(self._fresh, types))
        statement = Statement(self.node, Form.EXPRESSION, template, tuple(operands), results, alone=alone)
        self.statements.append(statement)
        return results

    def elementwise(self, function: str, operands: Variables, dtype: DType) -> Variable:
        """Record `result = function(operands)` for a function that broadcasts and has no `out`; return the result."""
        places = ", ".join(f"{{{position}}}" for position in range(len(operands)))
        return self.expression(f"{function}({places})", operands, broadcast_type(operands, dtype))

    def ufunc(self, function: str, operands: Variables, dtype: DType) -> Variable:
        """Record a ufunc of operands that broadcast; its result goes to a dead buffer if there is one."""
        result = self._fresh(broadcast_type(operands, dtype))
        self.statements.append(Statement(self.node, Form.UFUNC, function, tuple(operands), (result,)))
        return result

    def ufunc_apart(self, function: str, operands: Variables, type: TensorType) -> Variable:
        """Record a function whose `out` must not overlap the operands, such as `matmul`."""
        result = self._fresh(type)
        self.statements.append(Statement(self.node, Form.UFUNC_APART, function, tuple(operands), (result,)))
        return result

    def view(self, template: str, operands: Variables, type: TensorType, *, exclusive: bool = True) -> Variable:
        """Record `result = template` where the result may share the memory of operand 0; return the result.

        Set `exclusive` to false if elements of the result share memory with each other.
        """
        source = operands[0]
        result = Variable(type)
        result.buffer = source.buffer
        result.view = True
        result.exclusive = source.exclusive and exclusive
        self.statements.append(Statement(self.node, Form.EXPRESSION, template, tuple(operands), (result,)))
        return result

    def update(self, template: str, operands: Variables, *, overlap: bool = False) -> Variable:
        """Record a statement that changes operand 0, in place if its buffer dies here; return the changed array.

        Set `overlap` if the statement is right even where other operands share memory with operand 0.
        """
        result = self._fresh(operands[0].type)
        statement = Statement(self.node, Form.UPDATE, template, tuple(operands), (result,), overlap=overlap)
        self.statements.append(statement)
        return result

    def full(self, variable: Variable, type: TensorType) -> Variable:
        """Return the array in its full shape (a read-only view if it has to be broadcast)."""
        if variable.type is type:
            return variable
        shape = self._named_shape(type)
        return self.view(f"broadcast_to({{0}}, {shape})", (variable,), type, exclusive=False)

    def materialised(self, variable: Variable, type: TensorType) -> Variable:
        """Return the array in its full shape with memory of its own for each element."""
        if variable.type is type and variable.exclusive:
            return variable
        return self.expression(f"filled({{0}}, {self._named_shape(type)})", (variable,), type)

    def _fresh(self, type: TensorType) -> Variable:
        variable = Variable(type)
        variable.buffer = Buffer(variable, type.nbytes, reusable=bool(type.shape))
        return variable

    @staticmethod
    def _named_shape(type: TensorType) -> str:
        return repr(type.shape)

    # The end

    def build(self) -> Computation:
        """Write the function; `compile` makes it callable."""
        returned, borrowed = self._finish_results()
        allocator = Allocator(self.statements, self.inputs, returned, reuse=self.reuse_buffers)
        allocator.run()
        self.constants = [constant for constant in self.constants if constant.buffer.last_use >= 0]
        program = Program(
            source=write_source(self, allocator, returned),
            variables={**{constant.name: constant.constant for constant in self.constants}, **self.plans},
            sites=[(s.node.kind, s.node.origin, tuple(o.type for o in s.node.operands)) for s in self.statements],
            donated=frozenset(self.donated),
            borrowed=borrowed,
        )
        return Computation(
            name=self.name,
            device=self.device,
            parameter_names=tuple(name for name, _ in self.parameters),
            parameter_types=tuple(type for _, type in self.parameters),
            result_types=tuple(type for _, type in self.results),
            aliases=tuple(self.aliases),
            text=program.source.text,
            program=program,
        )

    def _finish_results(self) -> tuple[list[Variable], tuple[tuple[int, int], ...]]:
        """Make each result an array that the caller may keep; also return which results see a parameter's memory."""
        returned: list[Variable] = []
        borrowed: list[tuple[int, int]] = []
        for position, (variable, type) in enumerate(self.results):
            self.node = self.result_nodes[position]
            variable = self._as_result(variable, type)
            returned.append(variable)
            if variable.buffer.owner.parameter >= 0:
                borrowed.append((position, variable.buffer.owner.parameter))
        return returned, tuple(borrowed)

    def _as_result(self, variable: Variable, type: TensorType) -> Variable:
        """Return a variable that is an array, in full shape, and keeps no memory alive that is much larger.

        Results may share memory with each other, with parameters and with constants: `is_sole_owner` sees that.
        """
        if variable.type is not type or not variable.exclusive:
            return self.materialised(variable, type)
        owner = variable.buffer.owner
        if owner.local and not owner.type.shape:
            return variable if type.shape else self.expression("asarray({0})", (variable,), type)
        if variable.view and type.nbytes * 2 < variable.buffer.nbytes:
            return self.expression("{0}.copy()", (variable,), type)
        return variable


def broadcast_type(operands: Variables, dtype: DType) -> TensorType:
    """Return the type of the array that NumPy makes of these operands elementwise."""
    first = operands[0].type
    shape = first.shape
    for operand in operands:
        if operand.type is not first and operand.type.shape != shape:
            shape = np.broadcast_shapes(*(operand.type.shape for operand in operands))
            break
    return first if first.dtype is dtype and first.shape == shape else TensorType.of(shape, dtype)
