"""What lowering records: variables, the memory behind them, and statements that are not yet text."""

from __future__ import annotations

import enum
from typing import Final

import numpy as np
import numpy.typing as npt

from latebind.ir.node import Node
from latebind.ir.types import TensorType

#: `last_use` of what the function returns.
RETURNED: Final = 1 << 60


class Buffer:
    """Memory that one or more variables see: the array that was allocated for it, and views of that array.

    Attributes
    ----------
    owner : Variable
        The variable that the memory was allocated for.
    nbytes : int
        Memory that stays allocated as long as any of the variables does.
    reusable : bool
        Whether it may be written once nobody needs it: false for constants, for parameters that are not donated, and
        for zero-dimensional results, which NumPy gives as immutable scalars.
    last_use : int
        Index of the last statement that reads any of the variables.
    retired : bool
        Whether its death is accounted for.
    """

    __slots__ = ("last_use", "nbytes", "owner", "retired", "reusable")

    def __init__(self, owner: Variable, nbytes: int, *, reusable: bool = True) -> None:
        self.owner = owner
        self.nbytes = nbytes
        self.reusable = reusable
        self.last_use = -1
        self.retired = False


class Variable:
    """A variable of the generated function.

    Its array may be smaller than the value that it stands for: a value that repeats along some dimensions is kept
    with extents of 1 there (or without leading dimensions), as NumPy's own broadcasting takes it.

    Attributes
    ----------
    type : TensorType
        Type of the array.
    buffer : Buffer
        The memory; shared with the variables that this one is a view of.
    name : str
        Name in the generated text; locals get theirs when the text is written.
    local : bool
        Whether the name is a local variable, neither a parameter nor a constant.
    exclusive : bool
        Whether each element has memory of its own, unlike in a broadcast view.
    view : bool
        Whether the array is a view of another variable's.
    last_use : int
        Index of the last statement that reads it.
    constant : ndarray or None
        The value, if it is known.
    parameter : int
        Position among the parameters, or -1.
    """

    __slots__ = ("buffer", "constant", "exclusive", "last_use", "local", "name", "parameter", "type", "view")

    buffer: Buffer

    def __init__(self, type: TensorType, name: str = "") -> None:
        self.type = type
        self.name = name
        self.local = not name
        self.view = False
        self.exclusive = True
        self.last_use = -1
        self.constant: npt.NDArray[np.generic] | None = None
        self.parameter = -1

    def __repr__(self) -> str:
        return f"<variable {self.name or '?'}: {self.type!r}>"


class Form(enum.IntEnum):
    """How a statement is written, and where its result may go."""

    #: `v = template`, a fresh result or a view.
    EXPRESSION = 0
    #: `v = f(operands)` or `f(operands, out=v)`; `v` may be one of the operands.
    UFUNC = 1
    #: `v = f(operands)` or `f(operands, out=v)`; `v` is none of the operands.
    UFUNC_APART = 2
    #: `template` changes operand 0, which becomes the result; copied first if it is still needed.
    UPDATE = 3


class Statement:
    """One statement of the generated function.

    Attributes
    ----------
    node : Node
        The operation that it comes from.
    form : Form
    template : str
        Text with `{0}`, `{1}`, ... for the operands; for the ufunc forms, the name of the function.
    operands : tuple of Variable
    results : tuple of Variable
    in_place : tuple of (int, str)
        Other ways to write an `EXPRESSION`: if this operand dies here, the template that changes it into the result.
    alone : tuple of str
        For several results, the template for each when it is the only one that is used.
    overlap : bool
        Whether an update is right if other operands share memory with the one that changes.
    """

    __slots__ = ("alone", "form", "in_place", "node", "operands", "overlap", "results", "template")

    def __init__(
        self,
        node: Node,
        form: Form,
        template: str,
        operands: tuple[Variable, ...],
        results: tuple[Variable, ...],
        in_place: tuple[tuple[int, str], ...] = (),
        *,
        alone: tuple[str, ...] = (),
        overlap: bool = False,
    ) -> None:
        self.node = node
        self.form = form
        self.template = template
        self.operands = operands
        self.results = results
        self.in_place = in_place
        self.alone = alone
        self.overlap = overlap
