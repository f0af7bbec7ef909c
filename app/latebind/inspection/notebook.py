"""`visualize`: a graph where the user is, in a notebook or in a file."""

from __future__ import annotations

import sys
import tempfile
import webbrowser
from pathlib import Path

from latebind.inspection.graph import Graph, graph
from latebind.runtime.lazy import LazyTensor


def visualize(*arrays: LazyTensor, path: str | Path | None = None, open: bool = False) -> Graph | Path:
    """Show the graph of arrays: what is recorded for them, and not yet run. Nothing is run to show it.

    Parameters
    ----------
    arrays
        Of one container and device.
    path
        File to write: `.html`, `.svg`, `.dot` or `.txt`.
    open
        Whether to open the file in a browser.

    Returns
    -------
    Graph or Path
        In a notebook, unless a path is given, the graph, which the notebook shows in its place. Elsewhere the path of
        an HTML file, in the folder for temporary files unless given.

    Raises
    ------
    ContainerMismatchError, DeviceMismatchError
        If the arrays do not belong together.
    OSError
        If the file cannot be written.
    """
    made = graph(*arrays)
    if path is None:
        if in_notebook() and not open:
            return made
        with tempfile.NamedTemporaryFile(prefix="latebind-graph-", suffix=".html", delete=False) as file:
            path = file.name
    written = made.save(path)
    if open:
        webbrowser.open(written.resolve().as_uri())
    return written


def in_notebook() -> bool:
    """Whether a notebook shows what the last line of a cell gives; IPython is not loaded to find out."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive is not None else None
    return shell is not None and hasattr(shell, "kernel")
