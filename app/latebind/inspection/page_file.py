"""One HTML file with graphs in it: no other file, and no request to any host."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from latebind.errors import CompilationError, LoweringError, UnsupportedOpError
from latebind.inspection.drawing import FOLDS, Drawing, folded
from latebind.inspection.families import COLOURS
from latebind.inspection.layout import LAYER_HEIGHT, lay_out
from latebind.inspection.passes import PASSES, PassName
from latebind.inspection.svg import BOX_HEIGHT, LABEL_LENGTH, widths

if TYPE_CHECKING:
    from latebind.inspection.graph import Graph

_PAGE: Final = "latebind.inspection.page"
_SCRIPTS: Final = ("drawing.js", "colours.js", "canvas.js", "panes.js", "app.js")

#: A graph of more recorded operations is shown as recorded and as the backend lowers it, without what is between.
_ALL_STAGES_BELOW: Final = 3000
#: A drawing of more boxes is not shown as text too.
_TEXT_BELOW: Final = 6000
#: What passes say of a graph that does not depend on the backend.
_COMMON: Final[tuple[PassName, ...]] = ("recorded", "expanded", "simplified")
_OWN: Final[tuple[PassName, ...]] = ("decomposed", "final")


def page_of(
    graphs: Sequence[Graph],
    *,
    title: str,
    backends: Sequence[str] = (),
    compiled: bool = True,
) -> str:
    """Return a page with these graphs.

    Parameters
    ----------
    title
        Heading of the page.
    backends
        Backends whose passes and texts are shown beside each graph's own; with one, the two stand side by side.
    compiled
        Whether to have what takes a compilation: the backends' own texts, and what they fuse.
    """
    content = _Content(compiled=compiled)
    listed = [content.add(graph, backends) for graph in graphs]
    index = {
        "graphs": listed,
        "palette": COLOURS,
        "layer_height": LAYER_HEIGHT,
        "box_height": BOX_HEIGHT,
        "label_length": LABEL_LENGTH,
        "compare": bool(backends),
        "strings": list(content.strings),
    }
    data = [_script("page", index), *(_script(name, value) for name, value in content.data.items())]
    script = "\n".join(_part(name) for name in _SCRIPTS)
    page = _part("page.html")
    for mark, text in (
        ("@TITLE@", escape(title)),
        ("@STYLE@", _part("page.css")),
        ("@SCRIPT@", script),
        # Last, so that nothing in it is taken for a mark.
        ("@DATA@", "\n".join(data)),
    ):
        page = page.replace(mark, text)
    return page


def frame_of(page: str, height: int = 520) -> str:
    """Return a page as a frame for a notebook: its scripts run, and see nothing of the notebook."""
    return (
        f'<iframe srcdoc="{escape(page)}" sandbox="allow-scripts" style="width: 100%; height: {height}px; '
        'border: 1px solid #8886; border-radius: 6px" title="latebind graph"></iframe>'
    )


def _part(name: str) -> str:
    return files(_PAGE).joinpath(name).read_text(encoding="utf-8")


def _script(name: str, value: object) -> str:
    """Return data as a script element; nothing in it can end the element."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'


class _Content:
    """The data of a page: an element per view and text, and one table of all strings."""

    def __init__(self, *, compiled: bool) -> None:
        self.compiled = compiled
        self.data: dict[str, object] = {}
        self.strings: dict[str, int] = {}

    def add(self, graph: Graph, backends: Sequence[str]) -> dict[str, object]:
        """Add a graph; return its entry in the index."""
        names = list(dict.fromkeys([graph.backend, *backends]))
        views = []
        operations = graph.operations
        small = operations <= _ALL_STAGES_BELOW
        for stage in PASSES if small else ("recorded", "final"):
            for name in names if stage in _OWN else names[:1]:
                views.append(self._view(graph, stage, name, named=stage in _OWN))
        texted = names if self.compiled and graph.recorded.outputs else []
        texts = [self._own_text(graph, name) for name in texted]
        return {"name": graph.name, "operations": operations, "about": graph.about, "views": views, "texts": texts}

    def _view(self, graph: Graph, stage: PassName, backend: str, *, named: bool) -> dict[str, object]:
        drawing = self._drawing(graph, stage, backend)
        identity = f"view-{len(self.data)}"
        title = f"{stage}, {backend}" if named else stage
        with_text = len(drawing.boxes) <= _TEXT_BELOW
        self.data[identity] = {
            "title": title,
            "about": PASSES[stage],
            "drawing": self._encoded(drawing, graph.seconds),
            "folds": {by: self._encoded(folded(drawing, by), graph.seconds) for by in FOLDS},
            "text": graph.text(stage, backend) if with_text else None,
        }
        return {"id": identity, "title": title, "stage": stage, "text": with_text}

    def _drawing(self, graph: Graph, stage: PassName, backend: str) -> Drawing:
        try:
            return graph.drawing(stage, backend, fused=self.compiled)
        except (CompilationError, LoweringError):
            return graph.drawing(stage, backend)  # the text says what the backend has against it

    def _own_text(self, graph: Graph, backend: str) -> dict[str, object]:
        identity = f"text-{len(self.data)}"
        try:
            self.data[identity] = graph.backend_text(backend)
        except (CompilationError, LoweringError, UnsupportedOpError) as error:
            self.data[identity] = f"{backend} refuses this graph: {error}"
        return {"id": identity, "title": backend}

    def _encoded(self, drawing: Drawing, seconds: Mapping[int, float] | None) -> dict[str, object]:
        """Return a drawing with its layout as columns; texts are numbers of strings."""
        boxes = drawing.boxes
        sizes = widths(drawing)
        layout = lay_out(sizes, drawing.edges)
        is_folded = any(box.members for box in boxes)
        columns = {
            name: [self._string(getattr(box, name)) for box in boxes]
            for name in ("label", "kind", "family", "types", "line", "function", "code")
        }
        return {
            **columns,
            "attributes": [self._string("\n".join(box.attributes)) for box in boxes],
            "bytes": [box.nbytes for box in boxes],
            "origin": [box.origin for box in boxes],
            "results": {index: box.results for index, box in enumerate(boxes) if box.results},
            "members": [box.members for box in boxes] if is_folded else None,
            "parameters": None if is_folded else sum(box.family == "input" for box in boxes),
            "seconds": None if seconds is None else _times(drawing, seconds),
            "fusion": [self._string(box.fusion) for box in boxes] if any(box.fusion for box in boxes) else None,
            "x": [round(x, 1) for x in layout.x],
            "at": layout.layer,
            "w": [round(width) for width in sizes],
            "width": round(layout.width),
            "height": round(layout.height),
            "edges": [end for edge in drawing.edges for end in edge],
            "bends": {edge: [round(x) for x in bends] for edge, bends in layout.bends.items()},
        }

    def _string(self, text: str) -> int:
        return self.strings.setdefault(text, len(self.strings))


def _times(drawing: Drawing, seconds: Mapping[int, float]) -> list[float]:
    """Return the time of each box: of its recorded operation, or of all that were folded into it."""
    return [sum(seconds.get(origin, 0.0) for origin in box.origins) for box in drawing.boxes]
