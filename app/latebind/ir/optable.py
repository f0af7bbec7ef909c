"""The op table: each operation is described once, here.

An `OpDef` says what an operation takes, what it gives (type inference with StableHLO's constraints), and whether it is
*core*, which every backend must lower, or *decomposed* into core operations where a backend does not lower it itself,
or *optional*: neither, so that it runs on the reference backend where a backend does not lower it (factorisations).
The declarations are in `latebind.ir.ops`, a module per family.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from latebind.ir.node import Attributes, Value
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType

if TYPE_CHECKING:
    from latebind.ir.builder import IrBuilder

#: Result types from operand types and attributes; raises a `TypeInferenceError` that states the constraint.
Infer = Callable[[Sequence[TensorType], Attributes], tuple[TensorType, ...]]
#: The operation in terms of core operations (or of others that have a decomposition).
Decompose = Callable[["IrBuilder", Sequence[Value], Attributes], Sequence[Value]]


@dataclass(frozen=True, slots=True)
class OpDef:
    """Everything that is known of one operation.

    Attributes
    ----------
    kind : OpKind
    operands : tuple of str
        Names of the operands; a name that starts with `*` takes any number.
    attributes : tuple of str
        Names of the attributes; a name that ends with `?` may be left out.
    infer : callable
        Result types from operand types and attributes.
    summary : str
        One line: what the operation computes.
    core : bool
        Whether every backend must lower it.
    decompose : callable or None
        Decomposition into core operations; `None` for a core or an optional operation.
    leaf : bool
        Whether it has no operands because the runtime supplies its value.
    """

    kind: OpKind
    operands: tuple[str, ...]
    attributes: tuple[str, ...]
    infer: Infer
    summary: str
    core: bool = True
    decompose: Decompose | None = None
    leaf: bool = False


_table: dict[OpKind, OpDef] = {}


def define(definition: OpDef) -> OpDef:
    """Add an operation to the table.

    Raises
    ------
    ValueError
        If the operation is there already.
    """
    if definition.kind in _table:
        raise ValueError(f"operation {definition.kind} is defined twice")
    _table[definition.kind] = definition
    return definition


def lookup(kind: OpKind) -> OpDef | None:
    """Return the definition of an operation, or `None` if the table does not have it."""
    return _table.get(kind)


def all_operations() -> Iterator[OpDef]:
    """Iterate over the table in the order of definition."""
    return iter(tuple(_table.values()))
