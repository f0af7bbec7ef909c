"""`IrBuilder`: the only maker of nodes."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

import latebind.ir.ltc_ops
import latebind.ir.ops  # noqa: F401  (fills the op table)
from latebind.errors import ScalarRangeError, ShapeMismatchError, TypeInferenceError, UnsupportedOpError
from latebind.ir.node import Attributes, AttributeValue, Node, Value
from latebind.ir.opkind import OpKind
from latebind.ir.optable import Infer, OpDef, all_operations, lookup
from latebind.ir.types import DType, TensorType

DEVICE_DATA: Final = OpKind.get("lazy_tensors::device_data")
TENSOR_LIST: Final = OpKind.get("lazy_tensors::tensor_list")
CONSTANT: Final = OpKind.get("stablehlo::constant")
CONVERT: Final = OpKind.get("stablehlo::convert")
BROADCAST_IN_DIM: Final = OpKind.get("stablehlo::broadcast_in_dim")
GET_DIMENSION_SIZE: Final = OpKind.get("stablehlo::get_dimension_size")

_NO_ATTRIBUTES: Final[Attributes] = {}
_INT32_MAX: Final = 2**31 - 1


class TypedData(Protocol):
    """Data on a device, as far as the IR is concerned: something that has a type."""

    type: TensorType


class DeviceDataNode(Node):
    """A leaf whose value the runtime supplies.

    Attributes
    ----------
    data : object or None
        The backend's data; `None` for an abstract parameter.
    """

    __slots__ = ("data",)

    def __init__(self, data: TypedData | None, type: TensorType, origin: int) -> None:
        super().__init__(DEVICE_DATA, (), (type,), _NO_ATTRIBUTES, origin)
        self.data = data


class SizeNode(Node):
    """An extent, or arithmetic on extents: zero-dimensional int32 (int64 where the value needs it).

    Attributes
    ----------
    static_value : int
        The size while the program is recorded; exact where it is not symbolic, an upper bound where it is.
    is_symbolic : bool
        Whether the size is known only when the computation runs.
    """

    __slots__ = ("is_symbolic", "static_value")

    def __init__(
        self,
        kind: OpKind,
        operands: tuple[Value, ...],
        type: TensorType,
        attributes: Attributes,
        origin: int,
        *,
        static_value: int,
        is_symbolic: bool = False,
    ) -> None:
        super().__init__(kind, operands, (type,), attributes, origin)
        self.static_value = static_value
        self.is_symbolic = is_symbolic


class _Form:
    """What `make_generic` has to check about one operation, worked out once from its definition."""

    __slots__ = ("allowed", "definition", "infer", "minimum", "required", "variadic")

    def __init__(self, definition: OpDef) -> None:
        self.definition = definition
        self.infer: Infer = definition.infer
        self.variadic = any(name.startswith("*") for name in definition.operands)
        self.minimum = len(definition.operands) - self.variadic
        self.allowed = frozenset(name.removesuffix("?") for name in definition.attributes)
        self.required = frozenset(name for name in definition.attributes if not name.endswith("?"))

    def check_operand_count(self, count: int) -> None:
        if count != self.minimum and (count < self.minimum or not self.variadic):
            definition = self.definition
            more = " or more" if self.variadic else ""
            raise ShapeMismatchError(
                f"{definition.kind} takes {self.minimum}{more} operands ({', '.join(definition.operands)}), got {count}"
            )

    def check_attribute_names(self, attributes: Attributes) -> None:
        names = attributes.keys()
        if missing := self.required - names:
            raise TypeInferenceError(f"{self.definition.kind} needs attribute {', '.join(sorted(missing))}")
        if unknown := names - self.allowed:
            raise TypeInferenceError(
                f"{self.definition.kind} has no attribute {', '.join(sorted(unknown))}; "
                f"it has {', '.join(sorted(self.allowed)) or 'none'}"
            )


_forms: dict[OpKind, _Form] = {}


def form_of(kind: OpKind) -> _Form:
    """Return what there is to check about an operation.

    Raises
    ------
    UnsupportedOpError
        If the op table does not have it.
    """
    form = _forms.get(kind)
    if form is None:
        definition = lookup(kind)
        if definition is None:
            near = [other.kind.qualified for other in all_operations() if other.kind.name == kind.name]
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise UnsupportedOpError(f"the op table has no operation {kind}{hint}")
        form = _forms[kind] = _Form(definition)
    return form


class _State(threading.local):
    """What a builder keeps per thread: several may build graphs at once."""

    origin: int = -1


class IrBuilder:
    """Makes nodes; a backend may bring its own.

    Attributes
    ----------
    origin : int
        Origin that new nodes take unless told otherwise; -1 for none.
    """

    def __init__(self) -> None:
        self._state = _State()

    @property
    def origin(self) -> int:
        """Origin that this thread's new nodes take."""
        return self._state.origin

    @origin.setter
    def origin(self, origin: int) -> None:
        self._state.origin = origin

    # Any operation

    def make_generic(
        self,
        kind: OpKind | str,
        operands: Sequence[Value],
        attributes: Attributes | None = None,
        *,
        types: Sequence[TensorType] | None = None,
        origin: int = -1,
    ) -> Node:
        """Make a node of any operation of the table.

        Parameters
        ----------
        kind
            The operation, or its qualified name.
        operands
            Its operands.
        attributes
            Its attributes, under StableHLO's names.
        types
            Result types, if the caller knows them already; inferred otherwise.
        origin
            Position in the recording; the builder's current one if negative.

        Raises
        ------
        UnsupportedOpError
            If the table does not have the operation.
        TypeInferenceError
            If the operands or attributes break one of its constraints.
        """
        if not isinstance(kind, OpKind):
            kind = OpKind.get(kind)
        form = _forms.get(kind) or form_of(kind)
        inputs = tuple(operands)
        if len(inputs) != form.minimum:
            form.check_operand_count(len(inputs))
        if attributes is None:
            attributes = _NO_ATTRIBUTES
        if attributes.keys() != form.required:
            form.check_attribute_names(attributes)
        if types is None:
            types = form.infer([value.node.types[value.index] for value in inputs], attributes)
        return Node(kind, inputs, tuple(types), attributes, self.origin if origin < 0 else origin)

    def op(self, name: str, *operands: Value, **attributes: AttributeValue) -> Value:
        """Make a node of an operation with one result; return the result: `b.op("stablehlo::add", x, y)`."""
        return Value(self.make_generic(OpKind.get(name), operands, attributes), 0)

    # Leaves

    def make_device_data(self, data: TypedData | None, *, type: TensorType | None = None) -> DeviceDataNode:
        """Make a leaf for data that lives on a device, or, with `data=None`, an abstract parameter of a type."""
        if type is None:
            if data is None:
                raise TypeInferenceError("lazy_tensors::device_data without data needs a type")
            type = data.type
        return DeviceDataNode(data, type, self.origin)

    def make_parameter(self, type: TensorType, origin: int = -1) -> DeviceDataNode:
        """Make an abstract parameter: a leaf that has a type and no data yet."""
        return DeviceDataNode(None, type, self.origin if origin < 0 else origin)

    def make_scalar(
        self, value: bool | int | float | complex | np.generic, type: TensorType | DType | npt.DTypeLike
    ) -> Node:
        """Make a zero-dimensional constant.

        Raises
        ------
        ScalarRangeError
            If a Python int does not fit the dtype.
        ShapeMismatchError
            If the type is not zero-dimensional.
        """
        if isinstance(type, TensorType):
            if type.shape:
                raise ShapeMismatchError(f"a scalar constant is zero-dimensional, got type {type}")
            dtype = type.dtype
        else:
            dtype = np.dtype(type)
        try:
            array = np.array(value, dtype=dtype)
        except OverflowError:
            raise ScalarRangeError(f"Python integer {value!r} does not fit {dtype}") from None
        return self.make_constant(array)

    def make_constant(self, value: npt.NDArray[np.generic]) -> Node:
        """Make a constant of any rank; an array that can still be written is copied."""
        if value.flags.writeable or not value.flags.c_contiguous or not value.dtype.isnative:
            value = np.array(value, dtype=value.dtype.newbyteorder("="), order="C")
            value.setflags(write=False)
        type = TensorType.of(value.shape, value.dtype)
        return Node(CONSTANT, (), (type,), {"value": value}, self.origin)

    # Common forms

    def make_expand(self, value: Value, shape: tuple[int, ...]) -> Node:
        """Broadcast to a shape by NumPy's rules: dimensions aligned at the end, extents of 1 repeated."""
        first = len(shape) - len(value.shape)
        if first < 0:
            raise ShapeMismatchError(f"cannot broadcast {value.type} to the smaller rank of shape {shape}")
        dimensions = tuple(range(first, len(shape)))
        return self.make_generic(BROADCAST_IN_DIM, (value,), {"broadcast_dimensions": dimensions, "shape": shape})

    def make_cast(self, value: Value, dtype: DType) -> Node:
        """Convert to a dtype."""
        return self.make_generic(CONVERT, (value,), {"dtype": dtype})

    def make_tensor_list(self, values: Sequence[Value]) -> Node:
        """Bundle values in one node, with one output per value."""
        return self.make_generic(TENSOR_LIST, values)

    # Sizes

    def make_size_node(self, value: Value, dim: int) -> SizeNode:
        """Make the size of one dimension; `dim` counts from the end if negative."""
        rank = len(value.shape)
        if not -rank <= dim < rank:
            raise ShapeMismatchError(f"{GET_DIMENSION_SIZE}({value.type}): dimension {dim} is outside rank {rank}")
        attributes: Attributes = {"dimension": dim % rank}
        made = self.make_generic(GET_DIMENSION_SIZE, (value,), attributes)
        return SizeNode(made.kind, made.operands, made.types[0], attributes, made.origin, static_value=value.shape[dim])

    def make_size_add(self, a: Value | Node, b: Value | Node) -> SizeNode:
        """Add two sizes."""
        left, right = _size(a), _size(b)
        return self._size_arithmetic("stablehlo::add", left, right, left.static_value + right.static_value)

    def make_size_mul(self, a: Value | Node, b: Value | Node) -> SizeNode:
        """Multiply two sizes."""
        left, right = _size(a), _size(b)
        return self._size_arithmetic("stablehlo::multiply", left, right, left.static_value * right.static_value)

    def make_size_div(self, a: Value | Node, b: Value | Node) -> SizeNode:
        """Divide two sizes, rounding down.

        Raises
        ------
        ShapeMismatchError
            If the divisor is zero.
        """
        left, right = _size(a), _size(b)
        if right.static_value == 0:
            raise ShapeMismatchError(f"cannot divide the size {left.static_value} by a size of zero")
        return self._size_arithmetic("stablehlo::divide", left, right, left.static_value // right.static_value)

    def _size_arithmetic(self, kind: str, left: SizeNode, right: SizeNode, value: int) -> SizeNode:
        """Make one operation on sizes, in int64 where the result or an operand needs it."""
        operands: tuple[Value, ...] = (left.value(), right.value())
        wide = value > _INT32_MAX or left.types[0] is not right.types[0]
        if wide:
            operands = tuple(self.make_cast(operand, np.dtype(np.int64)).value() for operand in operands)
        made = self.make_generic(kind, operands)
        symbolic = left.is_symbolic or right.is_symbolic
        return SizeNode(
            made.kind, operands, made.types[0], made.attributes, made.origin, static_value=value, is_symbolic=symbolic
        )


def _size(size: Value | Node) -> SizeNode:
    """Return the size node that was passed as it is or as a value."""
    node = size.node if isinstance(size, Value) else size
    if not isinstance(node, SizeNode):
        raise TypeInferenceError(f"{node!r} is not a size: make it with make_size_node")
    return node
