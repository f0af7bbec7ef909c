"""A drawing as SVG, in latebind's own layout: no Graphviz is needed."""

from __future__ import annotations

from html import escape
from itertools import pairwise
from typing import Final

from latebind.inspection.drawing import Box, Drawing
from latebind.inspection.families import COLOURS
from latebind.inspection.layout import LAYER_HEIGHT, Layout, lay_out

BOX_HEIGHT: Final = 38.0
#: Longer labels are cut; the whole is in the details.
LABEL_LENGTH: Final = 30
_CHARACTER: Final = 6.7
_PADDING: Final = 16.0

_STYLE: Final = """
text { font: 11px ui-monospace, monospace; text-anchor: middle; fill: #0f172a }
.type { font-size: 9.5px; fill: #475569 }
rect { stroke: #94a3b8 } .result { stroke: #0f172a; stroke-width: 2 }
path { fill: none; stroke: #94a3b8; stroke-width: 1.2 } .head { fill: #94a3b8; stroke: none }
.ground { fill: #ffffff; stroke: none }
@media (prefers-color-scheme: dark) {
text { fill: #f1f5f9 } .type { fill: #cbd5e1 } rect { stroke: #64748b } .result { stroke: #f8fafc }
path { stroke: #64748b } .head { fill: #64748b } .ground { fill: #0b1120 }
"""


def lines_of(box: Box) -> tuple[str, str]:
    """Return the two lines that are drawn in a box, cut to a sensible length."""
    return _cut(box.label), _cut(box.types)


def _cut(text: str) -> str:
    return text if len(text) <= LABEL_LENGTH else text[: LABEL_LENGTH - 1] + "…"


def widths(drawing: Drawing) -> list[float]:
    """Return the width of each box."""
    return [_PADDING + _CHARACTER * max(map(len, lines_of(box))) for box in drawing.boxes]


def to_svg(drawing: Drawing, title: str) -> str:
    """Draw boxes and edges; what does not fit in a box is in its tooltip. Light or dark as the viewer prefers."""
    sizes = widths(drawing)
    layout = lay_out(sizes, drawing.edges)
    width, height = max(layout.width, 40.0), max(layout.height, 40.0)
    dark = "".join(f".{_class(family)} {{ fill: {colour} }}\n" for family, (_, colour) in COLOURS.items())
    light = "".join(f".{_class(family)} {{ fill: {colour} }}\n" for family, (colour, _) in COLOURS.items())
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" role="img">',
        f"<title>{escape(title)}</title>",
        f"<style>{light}{_STYLE}{dark}}}</style>",
        '<rect class="ground" width="100%" height="100%"/>',
    ]
    parts += [_edge(layout, edge, source, target) for edge, (source, target) in enumerate(drawing.edges)]
    parts += [
        _node(box, layout.x[index], _centre(layout.layer[index]), sizes[index])
        for index, box in enumerate(drawing.boxes)
    ]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _class(family: str) -> str:
    return "of-" + family.replace(" ", "-")


def _centre(layer: int) -> float:
    return (layer + 0.5) * LAYER_HEIGHT


def _node(box: Box, x: float, y: float, width: float) -> str:
    label, types = map(escape, lines_of(box))
    about = [f"{box.name} {box.kind}".strip() or box.label, box.types, *box.attributes, box.line, box.code]
    tip = escape("\n".join(line for line in about if line))
    marked = " result" if box.results else ""
    return (
        f'<g><title>{tip}</title><rect class="{_class(box.family)}{marked}" x="{x - width / 2:.1f}" '
        f'y="{y - BOX_HEIGHT / 2:.1f}" width="{width:.1f}" height="{BOX_HEIGHT:.0f}" rx="6"/>'
        f'<text x="{x:.1f}" y="{y - 3:.1f}">{label}</text>'
        f'<text class="type" x="{x:.1f}" y="{y + 11:.1f}">{types}</text></g>'
    )


def _edge(layout: Layout, edge: int, source: int, target: int) -> str:
    """Draw a curve through the bends, with a head at its end."""
    start, end = layout.layer[source], layout.layer[target]
    step = 1 if end >= start else -1
    points = [(layout.x[source], _centre(start) + step * BOX_HEIGHT / 2)]
    points += [(x, _centre(start + step * (number + 1))) for number, x in enumerate(layout.bends.get(edge, ()))]
    x, y = layout.x[target], _centre(end) - step * BOX_HEIGHT / 2
    points.append((x, y - step * 5))
    curve = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x0, y0), (x1, y1) in pairwise(points):
        middle = (y0 + y1) / 2
        curve.append(f"C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}")
    head = f"M{x - 3.5:.1f} {y - step * 6:.1f}h7L{x:.1f} {y:.1f}z"
    return f'<path d="{"".join(curve)}"/><path class="head" d="{head}"/>'
