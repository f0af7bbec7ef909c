"""A graph to be drawn: boxes with what a person wants to know of them, and edges; folded by the user's code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, Literal

from latebind.inspection.families import Family, family_of
from latebind.inspection.passes import PassGraph
from latebind.ir.builder import CONSTANT
from latebind.ir.node import Node, post_order
from latebind.ir.print_text import describe_attributes
from latebind.ir.source import SourceLine

#: What a drawing may be folded by.
FoldKey = Literal["line", "function"]
FOLDS: Final[tuple[FoldKey, ...]] = ("line", "function")

#: More inputs than this are one box in a folded drawing.
_FEW_INPUTS: Final = 24


@dataclass(frozen=True, slots=True)
class Box:
    """A node of a drawing: an operation, an input, or what a line or a function was folded to.

    Attributes
    ----------
    name : str
        As in the text: `%3`, `%arg0`; empty for a folded box.
    label : str
    kind : str
        Qualified name of the operation; empty for a folded box.
    family : str
    types : str
        Types of the results.
    attributes : tuple of str
    nbytes : int
        Bytes of the results.
    origin : int
        Position in the recording; -1 if it has none.
    line, function : str
        The user's line (`file.py:12`) and its function; empty if there is none.
    code : str
        Text of the user's line.
    results : tuple of int
        Which results of the graph it gives.
    members : tuple of int
        Boxes of the unfolded drawing that it stands for.
    origins : tuple of int
        Positions in the recording of the operations in it; of a constant, none.
    fusion : str
        The engine's fused kernel in which it runs; empty if it is in none, or if the engine does not tell.
    """

    name: str
    label: str
    kind: str
    family: Family
    types: str
    attributes: tuple[str, ...]
    nbytes: int
    origin: int
    line: str = ""
    function: str = ""
    code: str = ""
    results: tuple[int, ...] = ()
    members: tuple[int, ...] = ()
    origins: tuple[int, ...] = ()
    fusion: str = ""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Boxes, operands before users, and the edges between them.

    Attributes
    ----------
    boxes : list of Box
    edges : list of (int, int)
        From the box of an operand to that of its user; each pair once.
    """

    boxes: list[Box]
    edges: list[tuple[int, int]] = field(default_factory=list)


def drawing_of(
    graph: PassGraph, line: Callable[[int], SourceLine | None], fusions: Mapping[Node, str] = MappingProxyType({})
) -> Drawing:
    """Return the drawing of a graph; names are those of its text."""
    parameters = set(graph.parameters)
    used = post_order(graph.results)
    order = [*graph.parameters, *(node for node in used if node not in parameters)]
    index = {node: position for position, node in enumerate(order)}
    results: dict[Node, list[int]] = {}
    for number, value in enumerate(graph.results):
        results.setdefault(value.node, []).append(number)
    places = _Places(line)
    boxes = []
    for position, node in enumerate(order):
        is_parameter = position < len(graph.parameters)
        name = f"%arg{position}" if is_parameter else f"%{position - len(graph.parameters)}"
        place = places(-1 if is_parameter else node.origin)
        box = _box(node, name, place, tuple(results.get(node, ())), is_parameter=is_parameter)
        boxes.append(replace(box, fusion=fusions[node]) if node in fusions else box)
    pairs = ((index[operand.node], position) for node, position in index.items() for operand in node.operands)
    return Drawing(boxes, list(dict.fromkeys(pairs)))


class _Places:
    """The user's lines as text, each worked out once."""

    def __init__(self, line: Callable[[int], SourceLine | None]) -> None:
        self._line = line
        self._known: dict[SourceLine, tuple[str, str, str]] = {}

    def __call__(self, origin: int) -> tuple[str, str, str]:
        where = self._line(origin) if origin >= 0 else None
        if where is None:
            return "", "", ""
        known = self._known.get(where)
        if known is None:
            known = self._known[where] = (str(where), where.function, where.text)
        return known


def _box(node: Node, name: str, place: tuple[str, str, str], results: tuple[int, ...], *, is_parameter: bool) -> Box:
    types = ", ".join(map(repr, node.types))
    attributes = tuple(describe_attributes(node.kind, node.attributes))
    family = family_of(node.kind)
    label = name if is_parameter else node.kind.name
    if node.kind.name == "constant" and attributes:
        label = attributes[0].removeprefix("dense<").removesuffix(">")
    nbytes = sum(type.nbytes for type in node.types)
    line, function, code = place
    origin = -1 if is_parameter else node.origin
    return Box(
        name,
        label,
        "an input" if is_parameter else node.kind.qualified,
        "input" if is_parameter else family,
        types,
        attributes,
        nbytes,
        origin,
        line,
        function,
        code,
        results,
        origins=(origin,) if origin >= 0 and node.kind is not CONSTANT else (),
    )


def folded(drawing: Drawing, by: FoldKey) -> Drawing:
    """Return the drawing with the operations of a line, or of a function, in one box each.

    A loop makes boxes that depend on each other, so edges may go back in the order of the boxes.
    """
    inputs = sum(box.family == "input" for box in drawing.boxes)
    group_of: dict[tuple[str, object], int] = {}
    members: list[list[int]] = []
    group: list[int] = []
    for position, box in enumerate(drawing.boxes):
        key: tuple[str, object]
        if box.family == "input":
            key = ("input", position if inputs <= _FEW_INPUTS else "all")
        else:
            # Two functions of one name are two.
            file = box.line.rpartition(":")[0]
            key = ("line", box.line) if by == "line" else ("function", (file, box.function))
        found = group_of.setdefault(key, len(members))
        if found == len(members):
            members.append([])
        members[found].append(position)
        group.append(found)
    pairs = ((group[source], group[target]) for source, target in drawing.edges)
    edges = [pair for pair in dict.fromkeys(pairs) if pair[0] != pair[1]]
    return Drawing([_folded_box(drawing.boxes, each, by) for each in members], edges)


def _folded_box(boxes: Sequence[Box], members: Sequence[int], by: FoldKey) -> Box:
    first = boxes[members[0]]
    results = tuple(number for member in members for number in boxes[member].results)
    if first.family == "input" and len(members) == 1:
        return replace(first, members=tuple(members))
    families = Counter(boxes[member].family for member in members)
    families.pop("constant", None)
    family = families.most_common(1)[0][0] if families else "constant"
    short = first.line.replace("\\", "/").rpartition("/")[2]
    if first.family == "input":
        label = f"{len(members)} inputs"
    elif by == "line":
        label = short or "(no line)"
    else:
        label = f"{first.function} ({short.rpartition(':')[0]})" if first.function else "(no function)"
    kinds = Counter(boxes[member].label for member in members if boxes[member].kind != CONSTANT.qualified)
    attributes = tuple(f"{times} x {kind}" for kind, times in kinds.most_common())
    count = kinds.total() if first.family != "input" else 0
    held = f"{count} operation{'s' * (count != 1)}" if count else f"{len(members)} value{'s' * (len(members) != 1)}"
    fusions = {boxes[member].fusion for member in members} - {""}
    return Box(
        "",
        label,
        "",
        family,
        held,
        attributes,
        sum(boxes[member].nbytes for member in members),
        first.origin,
        first.line if by == "line" else "",
        first.function,
        first.code if by == "line" else "",
        results,
        tuple(members),
        tuple(dict.fromkeys(origin for member in members for origin in boxes[member].origins)),
        fusions.pop() if len(fusions) == 1 else "",
    )
