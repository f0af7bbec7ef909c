"""Names and memory: live ranges of variables and buffers, and who may write into what.

A local name is a register: it is taken again once the variable that had it is dead, which frees that array. A buffer
dies with the last use of the last variable that sees it, and is then written over by a later result of the same type.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from latebind.backends.numpy.statements import RETURNED, Buffer, Form, Statement, Variable
from latebind.ir.opkind import OpKind
from latebind.ir.types import TensorType

#: Names of dead arrays that are smaller than this are not deleted at once: the statement costs more than it frees.
DELETE_FROM_NBYTES: Final = 1024
#: Statements per generated function. CPython's compiler needs about 5 kB per line while it works on a function.
PART_LENGTH: Final = 2000


class Part:
    """A run of statements as text.

    Attributes
    ----------
    takes : list of str
        Names that are alive at its start.
    lines : list of str
    origins : list of int
        Index of the statement that each line belongs to.
    """

    __slots__ = ("lines", "origins", "takes")

    def __init__(self, takes: list[str]) -> None:
        self.takes = takes
        self.lines: list[str] = []
        self.origins: list[int] = []


@lru_cache(maxsize=4096)
def _comment(kind: OpKind, type: TensorType) -> str:
    return f"  # {kind}: {type!r}"


class Allocator:
    """Gives each variable a name and each result a place, and writes the statements.

    Parameters
    ----------
    statements
        In order of execution.
    inputs
        The parameters.
    returned
        What the function returns.
    reuse
        Whether dead buffers take later results. Donated parameters are updated in place in any case.
    """

    def __init__(
        self, statements: Sequence[Statement], inputs: Sequence[Variable], returned: Sequence[Variable], *, reuse: bool
    ) -> None:
        self.statements = statements
        self.inputs = inputs
        self.reuse = reuse
        self.parts: list[Part] = []
        self._live: dict[str, None] = dict.fromkeys(variable.name for variable in inputs)
        self._free: list[str] = []
        self._freed: list[tuple[str, int]] = []
        self._register_count = 0
        self._pool: dict[TensorType, list[Variable]] = {}
        self._wanted: Counter[TensorType] = Counter()
        self._find_last_uses(returned)

    def _find_last_uses(self, returned: Sequence[Variable]) -> None:
        for index, statement in enumerate(self.statements):
            for variable in statement.operands:
                variable.last_use = index
                variable.buffer.last_use = index
            for variable in statement.results:
                variable.last_use = index
                if variable.buffer.last_use < index:
                    variable.buffer.last_use = index
            if statement.form:
                self._wanted[statement.results[0].type] += 1
        for variable in returned:
            variable.last_use = RETURNED
            variable.buffer.last_use = RETURNED

    def run(self) -> None:
        """Write all statements into `parts`."""
        for variable in self.inputs:
            if variable.buffer.last_use < 0:
                self._retire(variable.buffer)
        part = Part(list(self._live))
        self.parts.append(part)
        for index, statement in enumerate(self.statements):
            if len(part.origins) >= PART_LENGTH:
                part = Part(list(self._live))
                self.parts.append(part)
            lines = self._write(index, statement)
            part.lines += lines
            part.origins += [index] * len(lines)

    # One statement

    def _write(self, index: int, statement: Statement) -> list[str]:
        self._freed.clear()
        form = statement.form
        if form:
            self._wanted[statement.results[0].type] -= 1
        if form is Form.EXPRESSION:
            lines = self._write_expression(index, statement)
        elif form is Form.UPDATE:
            lines = self._write_update(index, statement)
        else:
            lines = self._write_ufunc(index, statement)
        for variable in statement.results:
            if variable.last_use == index:
                self._release(variable, index)
        lines[0] += _comment(statement.node.kind, statement.results[0].type)
        if self._freed:
            self._delete_freed(lines, index)
        return lines

    def _write_expression(self, index: int, statement: Statement) -> list[str]:
        operands = statement.operands
        names = [variable.name for variable in operands]
        for position, template in statement.in_place:
            target = operands[position]
            if self._may_overwrite(target, statement, index):
                self._take_over(target, statement.results[0], index)
                self._release_operands(operands, index)
                return [template.format(*names)]
        self._release_operands(operands, index)
        template = statement.template
        if statement.alone:
            used = [position for position, result in enumerate(statement.results) if result.last_use > index]
            if len(used) == 1:
                template = statement.alone[used[0]]
                statement.results = (statement.results[used[0]],)
        return [f"{', '.join([self._name(result) for result in statement.results])} = {template.format(*names)}"]

    def _write_ufunc(self, index: int, statement: Statement) -> list[str]:
        operands, result = statement.operands, statement.results[0]
        arguments = ", ".join([variable.name for variable in operands])
        target = None
        if statement.form is Form.UFUNC:
            for variable in operands:
                if variable.type is result.type and self._may_take(variable, index):
                    target = variable
                    break
        if target is None and (pool := self._pool.get(result.type)):
            target = pool.pop()
        if target is None:
            self._release_operands(operands, index)
            return [f"{self._name(result)} = {statement.template}({arguments})"]
        self._take_over(target, result, index)
        self._release_operands(operands, index)
        return [f"{statement.template}({arguments}, out={result.name})"]

    def _write_update(self, index: int, statement: Statement) -> list[str]:
        operands, result = statement.operands, statement.results[0]
        names = [variable.name for variable in operands]
        target = operands[0]
        if self._may_overwrite(target, statement, index):
            self._take_over(target, result, index)
            self._release_operands(operands, index)
            return [statement.template.format(*names)]
        if pool := self._pool.get(result.type):
            self._take_over(pool.pop(), result, index)
            copy = f"{result.name}[...] = {names[0]}"
        else:
            copy = f"{self._name(result)} = array({names[0]})"
        self._release_operands(operands, index)
        names[0] = result.name
        return [copy, statement.template.format(*names)]

    # Who may be written

    def _may_take(self, variable: Variable, index: int) -> bool:
        """Whether the memory of an operand is free for the result of this statement."""
        buffer = variable.buffer
        return (
            buffer.reusable
            and buffer.last_use == index
            and variable.exclusive
            and (self.reuse or buffer.owner.parameter >= 0)
            and (not variable.view or variable.type.nbytes * 2 >= buffer.nbytes)
        )

    def _may_overwrite(self, target: Variable, statement: Statement, index: int) -> bool:
        """Whether a statement may change this operand into its result."""
        if target.type is not statement.results[0].type or not self._may_take(target, index):
            return False
        if statement.overlap:
            return True
        return sum(variable.buffer is target.buffer for variable in statement.operands) == 1

    def _take_over(self, target: Variable, result: Variable, index: int) -> None:
        """Let the result live in the memory, and under the name, of a variable that is dead now."""
        buffer = target.buffer
        if not buffer.retired:
            buffer.retired = True
            if buffer.owner is not target:
                self._free_register(buffer.owner)
        result.name, result.local = target.name, target.local
        result.buffer.reusable = True
        result.buffer.nbytes = max(result.buffer.nbytes, buffer.nbytes)
        target.last_use = -1

    # Ends of live ranges

    def _release_operands(self, operands: tuple[Variable, ...], index: int) -> None:
        for variable in operands:
            if variable.last_use == index:
                self._release(variable, index)

    def _release(self, variable: Variable, index: int) -> None:
        """End a variable's live range, and its buffer's if nothing else sees it."""
        variable.last_use = -1
        buffer = variable.buffer
        if buffer.owner is not variable:
            self._free_register(variable)
        if buffer.last_use == index and not buffer.retired:
            self._retire(buffer)

    def _retire(self, buffer: Buffer) -> None:
        """Keep a dead buffer for a later result of its type, or free it."""
        buffer.retired = True
        owner = buffer.owner
        if buffer.reusable and owner.exclusive and (self.reuse or owner.parameter >= 0):
            pool = self._pool.setdefault(owner.type, [])
            if len(pool) < self._wanted[owner.type]:
                pool.append(owner)
                return
        self._free_register(owner)

    def _free_register(self, variable: Variable) -> None:
        if not variable.local:
            return
        nbytes = variable.buffer.nbytes if variable.buffer.owner.local else 0
        self._freed.append((variable.name, nbytes))
        self._live.pop(variable.name, None)

    def _delete_freed(self, lines: list[str], index: int) -> None:
        """Free the arrays of registers that this statement gave up and did not take again."""
        large = [name for name, nbytes in self._freed if nbytes >= DELETE_FROM_NBYTES]
        self._free.extend(name for name, _ in self._freed)
        if large and index < len(self.statements) - 1:
            lines.append(f"del {', '.join(large)}")

    def _name(self, result: Variable) -> str:
        """Give a result a register, one that this statement gives up if there is one: taking it frees its array."""
        if self._freed:
            name = self._freed.pop()[0]
        elif self._free:
            name = self._free.pop()
        else:
            name = f"v{self._register_count}"
            self._register_count += 1
        self._live[name] = None
        result.name = name
        return name
