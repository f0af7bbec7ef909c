"""Rules and signatures: what an array operation means in the IR, memoised per operand types and attributes.

A *rule* is a function `rule(builder, *operands, **attributes) -> Value` that expresses one array operation (NumPy's
`add` with its promotion and broadcasting, `mean` over axes, an indexing expression) in operations of the op table. It
runs once per combination of operand types and attributes; the nodes it made are kept in a `Signature` as a template,
and recording the operation again only refers to the signature.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, NamedTuple, TypeAlias, final
from weakref import WeakKeyDictionary

import numpy as np

from latebind.errors import ScalarRangeError
from latebind.ir.builder import IrBuilder
from latebind.ir.node import Node, Value, post_order
from latebind.ir.promotion import integer_range, weak_scalar_dtype
from latebind.ir.types import DType, TensorType

if TYPE_CHECKING:
    from latebind.backends.interface import BackendDevice
    from latebind.runtime.compiler import Compiler
    from latebind.runtime.launch import Executable
    from latebind.runtime.tape import Scalar

#: What stands for an operand in a signature's key: the type of an array, the Python type of a weak scalar, or the
#: dtype of a NumPy scalar. `INDEX` is the key of an index or a slice bound.
OperandKey: TypeAlias = "TensorType | type[bool] | type[int] | type[float] | type[complex] | DType"
RuleFunction: TypeAlias = Callable[..., Value]
ScalarDType: TypeAlias = Callable[[OperandKey, Sequence[DType]], DType]
RuleAttributes: TypeAlias = tuple[tuple[str, Hashable], ...]

#: What `Rule.host_kind` says of a scalar that NumPy takes as it is.
AS_IT_IS: Final = object()
INDEX: Final[DType] = np.dtype(np.int64)

#: Smaller buffers are not worth a computation of its own that overwrites them.
DONATION_BYTES: Final = 4096

#: Signatures kept per rule. Programs whose shapes change every round would otherwise grow the table for ever.
SIGNATURES_PER_RULE: Final = 4096

#: Counts signatures; a counter of `itertools` is not torn between threads.
_made = itertools.count()

_FLOAT_LIMIT: Final = int(np.finfo(np.float64).max)


class Template(NamedTuple):
    """What an operation on operands of certain types is in the IR."""

    placeholders: tuple[Node, ...]
    nodes: tuple[Node, ...]
    result: Value


@final
class Signature:
    """One rule on operands of certain types: result type and node template.

    Attributes
    ----------
    rule : Rule
    type : TensorType
        Type of the result.
    operand_types : tuple of TensorType
        Type of each operand; a scalar is zero-dimensional.
    is_scalar : tuple of bool
        Whether each operand is a scalar, which is kept in the recording's list of scalars.
    has_large_operand : bool
        Whether an operand's buffer is worth overwriting.
    keywords : dict
        The attributes, by name.
    host_kinds : tuple
        For each operand `None` if it is an array, or what makes the scalar that NumPy takes of the recorded one.
    low, high : int or None
        Range that a Python integer has to be in to be the scalar operand.
    """

    __slots__ = (
        "_template",
        "array_count",
        "attributes",
        "has_large_operand",
        "high",
        "host_kinds",
        "is_scalar",
        "kernels",
        "keywords",
        "low",
        "operand_types",
        "rule",
        "scalar_count",
        "type",
    )

    def __init__(self, rule: Rule, keys: Sequence[OperandKey], attributes: RuleAttributes) -> None:
        array_dtypes = [key.dtype for key in keys if isinstance(key, TensorType)]
        self.rule = rule
        self.attributes = attributes
        self.is_scalar = tuple(not isinstance(key, TensorType) for key in keys)
        self.scalar_count = sum(self.is_scalar)
        self.array_count = len(keys) - self.scalar_count
        self.operand_types = tuple(
            key if isinstance(key, TensorType) else TensorType.of((), rule.scalar_dtype(key, array_dtypes))
            for key in keys
        )
        self.keywords = dict(attributes)
        self._template: Template | None = None
        inferred = None if rule.infer is None else rule.infer(*self.operand_types, **self.keywords)
        self.type = self.template.result.type if inferred is None else inferred
        self.low, self.high = self._bounds(keys)
        self.host_kinds = tuple(None if isinstance(key, TensorType) else rule.host_kind(key) for key in keys)
        self.has_large_operand = any(type.nbytes >= DONATION_BYTES for type in self.operand_types)
        self.kernels: WeakKeyDictionary[Compiler, dict[tuple[BackendDevice, tuple[int, ...]], Executable]] = (
            WeakKeyDictionary()
        )

    @property
    def template(self) -> Template:
        """The nodes, made when they are first asked for: what only runs directly needs none.

        One object, stored in one step: two threads that make it at once each use a whole one.
        """
        made = self._template
        if made is None:
            placeholders = tuple(self.builder.make_parameter(type) for type in self.operand_types)
            result = self.rule.function(self.builder, *(node.value() for node in placeholders), **self.keywords)
            own = set(map(id, placeholders))
            nodes = tuple(node for node in post_order([result]) if id(node) not in own)
            made = self._template = Template(placeholders, nodes, result)
        return made

    #: Builds templates. Backends' own builders see the nodes when a graph is materialised.
    builder: ClassVar[IrBuilder] = IrBuilder()

    def _bounds(self, keys: Sequence[OperandKey]) -> tuple[int | None, int | None]:
        bounds = []
        for position, (key, type) in enumerate(zip(keys, self.operand_types, strict=True)):
            if key is int and type.dtype.kind in "iu":
                low, high = integer_range(type.dtype)
                bounds.append((self.rule.least.get(position, low), high))
            elif key is int:
                bounds.append((-_FLOAT_LIMIT, _FLOAT_LIMIT))
        if not bounds:
            return None, None
        return max(low for low, _ in bounds), min(high for _, high in bounds)

    def host_operands(self, arrays: Sequence[Any], scalars: Sequence[Scalar]) -> list[Any]:
        """Return operands as `Rule.direct` takes them, from the host arrays and the scalars among them."""
        array, scalar = iter(arrays), iter(scalars)
        return [
            next(array) if kind is None else next(scalar) if kind is AS_IT_IS else kind(next(scalar))
            for kind in self.host_kinds
        ]

    def check_range(self, value: int) -> None:
        """Raise `ScalarRangeError` if a Python integer does not fit the dtype that it has to take."""
        if self.low is not None and self.high is not None and not self.low <= value <= self.high:
            dtype = next(type.dtype for type, scalar in zip(self.operand_types, self.is_scalar, strict=True) if scalar)
            if value < 0 and self.low in self.rule.least.values():
                raise ScalarRangeError(
                    f"{self.rule.name}: {value} is negative, for which integers give no integers: "
                    "convert the array to floating point first, with astype"
                )
            raise ScalarRangeError(
                f"Python integer {value} is out of bounds for {dtype.name} in {self.rule.name!r}: it takes the dtype "
                "of the array that it is combined with; convert the array first, with astype"
            )

    def instantiate(self, builder: IrBuilder, operands: Sequence[Value]) -> Value:
        """Make the template's nodes with these operands; return the result."""
        made: dict[Node, Node] = {}
        template = self.template
        actual = dict(zip(template.placeholders, operands, strict=True))
        for node in template.nodes:
            inputs = [
                actual[operand.node] if operand.node in actual else made[operand.node].value(operand.index)
                for operand in node.operands
            ]
            made[node] = builder.make_generic(node.kind, inputs, node.attributes, types=node.types)
        result = template.result
        return actual[result.node] if result.node in actual else made[result.node].value(result.index)

    def __repr__(self) -> str:
        operands = ", ".join(map(repr, self.operand_types))
        return f"{self.rule.name}({operands}) -> {self.type!r}"


@final
class Rule:
    """An array operation: a name that users know and the function that expresses it in the IR.

    Attributes
    ----------
    name : str
        Name in the array API or in NumPy, used in messages.
    scalar_dtype : callable
        Dtype that a scalar operand takes, from its key and the dtypes of the arrays; NumPy's rule for most operations.
    signatures : dict
        Signature per operand keys and attributes. Two-operand operators without attributes are looked up here on the
        recording path.
    least : dict
        Smallest Python integer that an operand may be where it becomes an integer, by the operand's position.
    inverse : Rule or None
        For a view operation, the rule `(base, value, *scalars, **attributes)` that writes a value through the view.
    infer : callable or None
        From operand types and attributes to the result's type, for rules whose nodes take longer to make; `None` where
        the nodes have to say, and raise.
    direct : callable or None
        The same operation over host arrays, for direct execution; may raise for what it leaves to the nodes.
    direct_write : callable or None
        For a rule of assignment, `(target, *operands, **attributes)` that writes to a host array.
    ufunc : numpy.ufunc or None
        The ufunc that `direct` is, if it is one.
    """

    __slots__ = (
        "direct",
        "direct_write",
        "function",
        "infer",
        "inverse",
        "least",
        "name",
        "scalar_dtype",
        "signatures",
        "ufunc",
    )

    def __init__(self, name: str, function: RuleFunction, inverse: Rule | None = None) -> None:
        self.name = name
        self.function = function
        self.inverse = inverse
        self.scalar_dtype: ScalarDType = weak_scalar_dtype
        self.least: dict[int, int] = {}
        self.signatures: dict[Hashable, Signature] = {}
        self.infer: Callable[..., TensorType | None] | None = None
        self.direct: Callable[..., Any] | None = None
        self.direct_write: Callable[..., None] | None = None
        self.ufunc: np.ufunc | None = None

    def host_kind(self, key: OperandKey) -> Any:
        """Return what makes the scalar that NumPy takes of one with this key; `AS_IT_IS` for a Python number.

        In an index, and in an assignment, the dtype of a NumPy scalar makes no difference.
        """
        if not isinstance(key, np.dtype) or self.inverse is not None or self.direct_write is not None:
            return AS_IT_IS
        return key.type

    def signature(self, keys: tuple[OperandKey, ...], attributes: RuleAttributes = ()) -> Signature:
        """Return the signature for these operand keys and attributes, made at the first call.

        Raises
        ------
        TypeInferenceError
            If the operands or attributes break a constraint of the operation.
        """
        key: Hashable = (keys, attributes) if attributes else keys
        try:
            return self.signatures[key]
        except KeyError:
            made = Signature(self, keys, attributes)
            next(_made)
            if len(self.signatures) >= SIGNATURES_PER_RULE:
                self.signatures.clear()
            return self.signatures.setdefault(key, made)  # another thread may have made it meanwhile

    def __repr__(self) -> str:
        return f"<rule {self.name}>"


def made_signatures() -> int:
    """Return how many signatures were made in this process."""
    return int(_made.__reduce__()[1][0])


def rule(name: str, *, inverse: Rule | None = None) -> Callable[[RuleFunction], Rule]:
    """Make a function the rule of an array operation (decorator)."""

    def decorate(function: RuleFunction) -> Rule:
        return Rule(name, function, inverse)

    return decorate
