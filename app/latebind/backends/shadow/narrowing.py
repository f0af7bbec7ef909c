"""Narrowing a difference down to the smallest subgraph that shows it on equal inputs.

First every operation is run by itself on both backends, with the primary's values as operands: most differences are one
operation's. What differs in company only (a fusion, an accumulated error) is narrowed down by bisection: first the
shortest beginning of the graph that hands on something wrong, then the shortest end of that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from latebind.backends.interface import Backend, BackendDevice, HostArray
from latebind.backends.shadow.comparison import Difference, Tolerance, compare
from latebind.ir.node import Node, Value, post_order

Values = dict[Value, HostArray]


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two backends, and the device that it uses."""

    backend: Backend
    device: BackendDevice

    def evaluate(self, nodes: Iterable[Node], inputs: Mapping[Value, HostArray], results: Sequence[Value]) -> Values:
        """Run nodes as one computation, without donation; inputs that they do not use are left out."""
        chosen = list(nodes)
        used = {operand for node in chosen for operand in node.operands}
        given = [value for value in inputs if value in used]
        context = self.backend.create_lowering_context("narrowing", self.device)
        for position, value in enumerate(given):
            context.add_parameter(value, f"p{position}")
        for node in chosen:
            context.lower(node)
        for value in results:
            context.add_result(value)
        (computation,) = self.backend.compile([context.build()])
        arguments = [
            self.backend.make_computation_data_from_tensor(inputs[value], value.type, self.device) for value in given
        ]
        outputs = self.backend.execute_computation(computation, arguments, self.device)
        hosts = map(self.backend.make_tensor_from_computation_data, outputs)
        return dict(zip(results, hosts, strict=True))


@dataclass(frozen=True, slots=True)
class Culprit:
    """The smallest subgraph that differs.

    Attributes
    ----------
    nodes : tuple of Node
        Operands before users.
    inputs : dict
        Values that come from outside, the same for both backends.
    result : Value
        What differs.
    primary, reference : ndarray
        It, from both backends.
    difference : Difference
    """

    nodes: tuple[Node, ...]
    inputs: Values
    result: Value
    primary: HostArray
    reference: HostArray
    difference: Difference


class Narrowing:
    """Finds the smallest subgraph on which two backends differ.

    Parameters
    ----------
    primary, reference
    tolerance
    parameters
        Values of the graph's parameters.
    target
        The result that differs.
    """

    def __init__(
        self, primary: Side, reference: Side, tolerance: Tolerance, parameters: Mapping[Value, HostArray], target: Value
    ) -> None:
        self._primary = primary
        self._reference = reference
        self._tolerance = tolerance
        self._parameters = dict(parameters)
        self._target = target
        inputs = {value.node for value in parameters}
        self._nodes = [node for node in post_order([target]) if node not in inputs]

    def find(self) -> Culprit | None:
        """Return the smallest subgraph found; `None` if nothing differs when it is run again."""
        values = dict(self._parameters)
        return self._first_operation(values) or self._smallest_run(values)

    def _first_operation(self, values: Values) -> Culprit | None:
        """Return the first operation that differs by itself; if none does, `values` has the primary's of all."""
        for node in self._nodes:
            operands = {operand: values[operand] for operand in node.operands}
            culprit = self._differs([node], operands, [node.value(index) for index in range(len(node.types))], values)
            if culprit is not None:
                return culprit
        return None

    def _smallest_run(self, values: Values) -> Culprit | None:
        """Bisect: the shortest beginning of the graph that hands on something wrong, then its shortest end."""
        count = len(self._nodes)
        last = _first_true(1, count, lambda length: self._run(0, length, self._handed_on(length), values) is not None)
        whole = self._run(0, last, self._handed_on(last), values)
        if whole is None:
            return None
        wrong = [whole.result]
        length = _first_true(1, last, lambda length: self._run(last - length, last, wrong, values) is not None)
        return self._run(last - length, last, wrong, values) or whole

    def _handed_on(self, stop: int) -> list[Value]:
        """Return the values of the first nodes that the rest of the graph uses."""
        used = {operand for node in self._nodes[stop:] for operand in node.operands} | {self._target}
        made = (node.value(index) for node in self._nodes[:stop] for index in range(len(node.types)))
        return [value for value in made if value in used]

    def _run(self, start: int, stop: int, results: Sequence[Value], values: Values) -> Culprit | None:
        """Compare results of a run of nodes, computed from the primary's values before the run."""
        members = set(self._nodes[start:stop])
        if any(result.node not in members for result in results):
            return None
        needed = _reachable(results, members)
        nodes = [node for node in self._nodes[start:stop] if node in needed]
        inputs = {operand: values[operand] for node in nodes for operand in node.operands if operand.node not in needed}
        return self._differs(nodes, inputs, results)

    def _differs(
        self, nodes: Sequence[Node], inputs: Values, results: Sequence[Value], values: Values | None = None
    ) -> Culprit | None:
        """Run nodes on both sides and compare; the primary's results are added to `values`."""
        ours = self._primary.evaluate(nodes, inputs, results)
        if values is not None:
            values.update(ours)
        try:
            theirs = self._reference.evaluate(nodes, inputs, results)
        except Exception:
            return None  # what the reference cannot do alone cannot be compared
        for result in results:
            difference = compare(ours[result], theirs[result], self._tolerance)
            if difference is not None:
                return Culprit(tuple(nodes), inputs, result, ours[result], theirs[result], difference)
        return None


def _reachable(results: Sequence[Value], members: set[Node]) -> set[Node]:
    """Return the members that results depend on through members."""
    found = {result.node for result in results}
    stack = list(found)
    while stack:
        for operand in stack.pop().operands:
            if operand.node in members and operand.node not in found:
                found.add(operand.node)
                stack.append(operand.node)
    return found


def _first_true(low: int, high: int, holds: Callable[[int], bool]) -> int:
    """Return a number in the range for which something holds and for whose predecessor it does not.

    Taken to hold for `high`; if it holds for all from some number on, that number is found.
    """
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low
