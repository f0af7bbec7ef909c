"""`Graph`: what arrays are computed from, as text, as a drawing, as a page."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from latebind.inspection.comparison import side_by_side
from latebind.inspection.drawing import Drawing, FoldKey, drawing_of, folded
from latebind.inspection.passes import (
    PASSES,
    PassGraph,
    PassName,
    Target,
    after_passes,
    backend_stages,
    fusions_of,
    other_target,
    recorded_graph,
    stages_text,
)
from latebind.inspection.recorded import Recorded, record_of
from latebind.inspection.svg import to_svg
from latebind.ir.node import Node
from latebind.ir.print_dot import to_dot
from latebind.ir.print_text import to_text
from latebind.runtime.graph import needed_records
from latebind.runtime.lazy import LazyTensor


class Graph:
    """The graph of some arrays, as it was when it was asked for. Looking at it computes nothing.

    Parameters
    ----------
    name
        What it is called in texts.
    recorded
        The recording.
    target
        Its own backend.
    others
        Other backends at hand, by name; any that can be used here is made when it is asked for.
    texts
        Backends' own texts that are known already, by backend.
    note
        What else there is to say of it.
    seconds
        What each recorded operation took, by position, where that was measured.
    """

    def __init__(
        self,
        name: str,
        recorded: Recorded,
        target: Target,
        *,
        others: Mapping[str, Target] | None = None,
        texts: Mapping[str, str] | None = None,
        note: str = "",
        seconds: Mapping[int, float] | None = None,
    ) -> None:
        self.name = name
        self.note = note
        self.seconds = seconds
        self.recorded = recorded
        self._own = target.name
        self._targets = {**(others or {}), target.name: target}
        self._texts = dict(texts or {})
        self._passes: dict[str, dict[str, PassGraph]] = {}
        self._recorded: PassGraph | None = None

    @property
    def backend(self) -> str:
        """Name of the graph's own backend."""
        return self._own

    @property
    def stages(self) -> tuple[PassName, ...]:
        """Names of what `text` shows: the recording, and the graph after each pass."""
        return tuple(PASSES)

    @property
    def operations(self) -> int:
        """Number of recorded operations that the results need."""
        return sum(needed_records(self.recorded.records, self.recorded.outputs))

    @property
    def about(self) -> str:
        """One line on what it is."""
        results = self.recorded.results
        if self.note:
            count, given = self.operations, len(results)
            return f"{self.note}; {count} operation{'s' * (count != 1)}, {given} result{'s' * (given != 1)}"
        waiting = sum(place >= 0 for place in results)
        state = "computed already" if not waiting else "not computed yet" if waiting == len(results) else "mixed"
        arrays = f"{len(results)} array{'s' * (len(results) != 1)}"
        if state == "mixed":
            state = f"{waiting} of them not computed yet"
        return f"{arrays}, {state}, on {self.recorded.device} of backend {self.backend!r}"

    # As text

    def text(self, stage: PassName | str = "recorded", backend: str | None = None) -> str:
        """Return the graph as text, with types and the user's lines.

        Parameters
        ----------
        stage
            One of `stages`, or `"all"`.
        backend
            Whose passes; the graph's own by default.
        """
        names: Sequence[str] = self.stages if stage == "all" else (stage,)
        return "\n".join(self._text(name, backend) for name in names)

    def _text(self, stage: str, backend: str | None, *, lines: bool = True) -> str:
        graph = self.graph_after(stage, backend)
        locate = self.recorded.locator() if lines else None
        about = f"// {graph.name}: {PASSES[graph.name]}"
        if graph.name in ("decomposed", "final"):
            about += f" ({backend or self.backend})"
        return "\n".join([about, *self._notes(), to_text(self.name, graph.parameters, graph.results, locate)])

    def _notes(self) -> list[str]:
        """Say which results have nothing to show, because they are there already."""
        results = self.recorded.results
        computed = [str(number) for number, place in enumerate(results) if place < 0]
        if not computed:
            return []
        if len(computed) == len(results):
            return ["// nothing is recorded: what was asked for is computed already"]
        return [f"// computed already, and an input here: result {', '.join(computed)}"]

    def backend_text(self, backend: str | None = None) -> str:
        """Return the computation in a backend's own language, as it compiles it; the graph's own by default.

        Raises
        ------
        SettingsError, BackendUnavailableError
            If there is no such backend, or if it cannot be used here.
        LoweringError, CompilationError
            If it refuses the graph.
        """
        name = backend or self.backend
        if name not in self._texts:
            if not self.recorded.outputs:
                return "# nothing to compile: what was asked for is computed already\n"
            with self._target(name) as target:
                self._texts[name] = stages_text(backend_stages(self.recorded, target), name)
        return self._texts[name]

    def compare(self, first: str, second: str, stage: PassName | str = "final", width: int = 160) -> str:
        """Return a stage, or `"backend"` for the backends' own texts, for two backends side by side."""
        if stage == "backend":
            left, right = self.backend_text(first), self.backend_text(second)
        else:
            left, right = (self._text(stage, name, lines=False) for name in (first, second))
        return side_by_side((first, second), left, right, width)

    # As a drawing

    def drawing(
        self,
        stage: PassName | str = "recorded",
        backend: str | None = None,
        fold: FoldKey | None = None,
        *,
        fused: bool = False,
    ) -> Drawing:
        """Return boxes and edges.

        Parameters
        ----------
        stage, backend
            As for `text`.
        fold
            What of the user's code is one box: a `"line"` or a `"function"`.
        fused
            Whether to have the backend compile the final stage, to tell what it fuses.
        """
        graph = self.graph_after(stage, backend)
        fusions: Mapping[Node, str] = {}
        if fused and stage == "final":
            with self._target(backend or self.backend) as target:
                fusions = fusions_of(graph, target)
        drawn = drawing_of(graph, self.recorded.line, fusions)
        return drawn if fold is None else folded(drawn, fold)

    def dot(self, stage: PassName | str = "recorded", backend: str | None = None) -> str:
        """Return the graph in Graphviz's language."""
        graph = self.graph_after(stage, backend)
        return to_dot(self.name, graph.parameters, graph.results, self.recorded.locator())

    def svg(self, stage: PassName | str = "recorded", backend: str | None = None, fold: FoldKey | None = None) -> str:
        """Return a drawing as SVG. Graphviz is not needed."""
        return to_svg(self.drawing(stage, backend, fold), f"{self.name}, {stage}")

    def html(
        self,
        backends: Sequence[str] = (),
        *,
        compiled: bool = True,
    ) -> str:
        """Return one page with everything: all stages and texts, to zoom, search, fold, colour and compare.

        Parameters
        ----------
        backends
            Backends to show beside the graph's own.
        compiled
            Whether to have what takes a compilation: the backends' own texts, and what they fuse.
        """
        from latebind.inspection.page_file import page_of

        return page_of([self], title=self.name, backends=backends, compiled=compiled)

    def save(self, path: str | Path, stage: PassName | str = "recorded") -> Path:
        """Write the graph as HTML, SVG, DOT or text, by the end of the file's name; return the path.

        Raises
        ------
        ValueError
            If the name ends otherwise.
        OSError
            If the file cannot be written.
        """
        target = Path(path)
        forms: dict[str, Callable[[], str]] = {
            ".html": self.html,
            ".svg": lambda: self.svg(stage),
            ".dot": lambda: self.dot(stage),
            ".txt": lambda: self.text("all"),
        }
        if target.suffix not in forms:
            raise ValueError(f"a graph is saved as {', '.join(forms)}, by the end of the file's name: {path}")
        target.write_text(forms[target.suffix](), encoding="utf-8")
        return target

    def graph_after(self, stage: PassName | str, backend: str | None = None) -> PassGraph:
        """Return the nodes after a pass.

        Raises
        ------
        ValueError
            If there is no such stage.
        """
        if stage not in PASSES:
            raise ValueError(f"there is no stage {stage!r}: known are {', '.join(PASSES)}")
        if stage == "recorded":
            if self._recorded is None:
                self._recorded = recorded_graph(self.recorded)
            return self._recorded
        name = backend or self.backend
        if name not in self._passes:
            with self._target(name) as target:
                self._passes[name] = {graph.name: graph for graph in after_passes(self.recorded, target)}
        return self._passes[name][stage]

    @contextmanager
    def _target(self, name: str) -> Iterator[Target]:
        known = self._targets.get(name)
        if known is not None:
            yield known
            return
        with other_target(name) as made:
            yield made

    def _repr_html_(self) -> str:
        from latebind.inspection.page_file import frame_of

        return frame_of(self.html(compiled=False))

    def __repr__(self) -> str:
        return f"<graph of {self.about}; print(graph.text()), graph.save('graph.html')>"

    def __str__(self) -> str:
        return self.text()


def graph(*arrays: LazyTensor) -> Graph:
    """Return the graph of arrays: what is recorded for them, and not yet run. Nothing is run to find out.

    Parameters
    ----------
    arrays
        Of one container and device. An array that is computed already is an input of the graph, and said to be.

    Raises
    ------
    ContainerMismatchError, DeviceMismatchError
        If the arrays do not belong together.
    """
    flat = [one for each in arrays for one in (each if isinstance(each, list | tuple) else (each,))]
    if not flat or not all(isinstance(each, LazyTensor) for each in flat):
        wrong = next((type(each).__name__ for each in flat if not isinstance(each, LazyTensor)), "nothing")
        raise TypeError(f"graph takes latebind arrays, or lists of them, got {wrong}")
    recorded = record_of(flat)
    ground = flat[0]._tape.ground
    return Graph("graph", recorded, Target.of(ground.executor, ground.device))
