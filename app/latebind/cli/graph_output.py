"""What `latebind graph` prints and writes."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer

from latebind.errors import CompilationError, LoweringError, ProgramError, UnsupportedOpError
from latebind.inspection.collected import CollectedGraphs
from latebind.inspection.graph import Graph
from latebind.inspection.page_file import page_of
from latebind.inspection.passes import PASSES

#: Characters of a line where there is no terminal.
_WIDTH: Final = 160


@dataclass(frozen=True, slots=True)
class Output:
    """What is wanted.

    Attributes
    ----------
    stage : str or None
        One stage, or `backend`.
    stages : bool
        Every stage, and the backend's own text.
    dot : bool
    svg, html : Path or None
        Files to write.
    json : bool
    number : int or None
        Only this graph; the first is 1.
    title : str
        Of the page.
    """

    stage: str | None
    stages: bool
    dot: bool
    svg: Path | None
    html: Path | None
    json: bool
    number: int | None
    title: str

    @property
    def shown(self) -> tuple[str, ...]:
        """Stages to print; as recorded and as the backend lowers it, unless told otherwise."""
        if self.stages:
            return (*PASSES, "backend")
        return (self.stage,) if self.stage is not None else ("recorded", "final")


def show(seen: CollectedGraphs, wanted: Output, *, second: str | None) -> None:
    """Print or write the graphs.

    Parameters
    ----------
    second
        Backend that the graphs' own is compared with.

    Raises
    ------
    ProgramError
        If there is no graph of the wanted number, or if a file cannot be written.
    """
    graphs = seen.graphs()
    if wanted.number is not None:
        if wanted.number > len(graphs):
            raise ProgramError(f"there is no graph {wanted.number}: {len(graphs)} were compiled")
        graphs = [graphs[wanted.number - 1]]
    if wanted.json:
        typer.echo(json.dumps({"graphs": [_json(each, wanted, second) for each in graphs]}, indent=2))
    elif wanted.dot:
        for each in graphs:
            typer.echo(each.dot(wanted.stage or "recorded"))
    elif wanted.svg is None and wanted.html is None:
        _print(graphs, wanted, second)
    _write(graphs, wanted, second)
    if not graphs:
        typer.echo("latebind: no graph was compiled: the program recorded nothing that anybody needed", err=True)
    if seen.dropped:
        typer.echo(f"latebind: {seen.dropped} more graphs were compiled, and not kept", err=True)


def _print(graphs: Sequence[Graph], wanted: Output, second: str | None) -> None:
    width = shutil.get_terminal_size((_WIDTH, 0)).columns if sys.stdout.isatty() else _WIDTH
    for number, each in enumerate(graphs, wanted.number or 1):
        typer.echo(f"// graph {number}, {each.name}: {each.about}")
        for stage in wanted.shown:
            if second is None:
                typer.echo(_text(each, stage, None))
            elif stage in ("decomposed", "final", "backend"):
                typer.echo(f"// {stage}\n{_compared(each, second, stage, width)}")
            elif wanted.stages or wanted.stage is not None:
                typer.echo(each.text(stage))


def _text(graph: Graph, stage: str, backend: str | None) -> str:
    if stage != "backend":
        return graph.text(stage, backend)
    name = backend or graph.backend
    try:
        return f"# {name}\n{graph.backend_text(name)}"
    except (CompilationError, LoweringError, UnsupportedOpError) as error:
        return f"# {name} refuses this graph: {error}\n"


def _compared(graph: Graph, second: str, stage: str, width: int) -> str:
    try:
        return graph.compare(graph.backend, second, stage, width)
    except (CompilationError, LoweringError, UnsupportedOpError) as error:
        return f"# {second} refuses this graph: {error}\n"


def _json(graph: Graph, wanted: Output, second: str | None) -> dict[str, Any]:
    names = [graph.backend] if second is None else [graph.backend, second]
    drawing = graph.drawing()
    return {
        "name": graph.name,
        "about": graph.about,
        "operations": graph.operations,
        "nodes": [
            {
                "name": box.name,
                "operation": box.kind,
                "type": box.types,
                "attributes": list(box.attributes),
                "bytes": box.nbytes,
                "line": box.line,
                "function": box.function,
                "results": list(box.results),
            }
            for box in drawing.boxes
        ],
        "edges": [list(edge) for edge in drawing.edges],
        "stages": {name: {stage: _text(graph, stage, name) for stage in wanted.shown} for name in names},
    }


def _write(graphs: Sequence[Graph], wanted: Output, second: str | None) -> None:
    written: dict[Path, str] = {}
    if wanted.svg is not None:
        stage = wanted.stage if wanted.stage in PASSES else "recorded"
        for number, each in enumerate(graphs, 1):
            several = len(graphs) > 1
            name = wanted.svg.with_stem(f"{wanted.svg.stem}-{number}") if several else wanted.svg
            written[name] = each.svg(stage)
    if wanted.html is not None:
        written[wanted.html] = page_of(graphs, title=wanted.title, backends=[] if second is None else [second])
    for path, text in written.items():
        try:
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise ProgramError(f"{str(path)!r} cannot be written: {error.strerror or error}") from None
        typer.echo(f"written: {path}", err=True)
