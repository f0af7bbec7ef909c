"""`latebind graph`: what a program records, before and after each pass, as text, as drawings, as one page."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import typer

from latebind.cli.graph_output import Output, show
from latebind.cli.observed import UnfinishedRun, build, run_in
from latebind.cli.parameters import ConfigFile, ProgramArguments, ProgramName, complete_backends
from latebind.cli.program import find_program
from latebind.injection.container import BoundContainer
from latebind.inspection.collected import CollectedGraphs, compiled_graphs, timed_graphs
from latebind.inspection.passes import PASSES, Target
from latebind.profiling.operations import can_time_operations


def graph(
    program: ProgramName,
    arguments: ProgramArguments = None,
    config: ConfigFile = None,
    backend: Annotated[
        list[str] | None,
        typer.Option(
            help="Backend, whatever the settings say. Given twice, both are shown side by side; the program runs on "
            "the first.",
            autocompletion=complete_backends,
        ),
    ] = None,
    number: Annotated[int | None, typer.Option("--graph", help="Only this graph; they count from 1.", min=1)] = None,
    stage: Annotated[
        str | None, typer.Option(help=f"What to show: {', '.join(PASSES)} or backend (its own text).")
    ] = None,
    stages: Annotated[bool, typer.Option("--stages", help="Show every stage, and the backend's own text.")] = False,
    text: Annotated[bool, typer.Option("--text", help="Print text; this is the default.")] = False,
    dot: Annotated[bool, typer.Option("--dot", help="Print Graphviz's language.")] = False,
    svg: Annotated[Path | None, typer.Option(help="Draw into this file; of several graphs, a file each.")] = None,
    html: Annotated[Path | None, typer.Option(help="Write one page with everything to this file.")] = None,
    timed: Annotated[
        bool, typer.Option("--time", help="Run operation by operation and time each, to colour the page by.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run a program, and show each graph that is compiled: as recorded, and after each pass.

    Nothing but the file is loaded by the page that --html writes. What the program prints goes to standard error.
    """
    found = find_program(program)
    names = _backends(backend or ())
    if stage is not None and stage not in (*PASSES, "backend"):
        raise typer.BadParameter(
            f"there is no {stage!r}: known are {', '.join(PASSES)} and backend", param_hint="--stage"
        )
    if dot + text + as_json > 1:
        raise typer.BadParameter("give one of --text, --dot and --json", param_hint="--dot")
    if dot and (stages or stage == "backend" or len(names) > 1):
        raise typer.BadParameter("it draws one stage of one backend's graph: see --html for more", param_hint="--dot")
    if timed and html is None:
        raise typer.BadParameter("times are shown by the page: give --html too", param_hint="--time")
    for path, option in ((svg, "--svg"), (html, "--html")):
        _check_writable(path, option)
    wanted = Output(stage, stages, dot, svg, html, as_json, number, Path(program).name)
    with _running(config, names, timed=timed) as (container, seen):
        second = None if len(names) == 1 else names[1]
        try:
            run_in(container, found, tuple(arguments or ()), quiet=True)
        except UnfinishedRun as unfinished:
            show(seen, wanted, second=second)
            unfinished.leave()
        show(seen, wanted, second=second)


def _backends(given: Sequence[str]) -> list[str | None]:
    if len(given) > 2 or len(set(given)) < len(given):
        raise typer.BadParameter("give one backend, or two that differ", param_hint="--backend")
    return list(given) or [None]


def _check_writable(path: Path | None, option: str) -> None:
    """Say that a file cannot be written before the program runs."""
    if path is None:
        return
    folder = path.parent
    if path.is_dir() or not folder.is_dir() or not os.access(path if path.exists() else folder, os.W_OK):
        raise typer.BadParameter(f"{str(path)!r} cannot be written", param_hint=option)


@contextmanager
def _running(
    config: Path | None, names: Sequence[str | None], *, timed: bool
) -> Iterator[tuple[BoundContainer, CollectedGraphs]]:
    """Make a container per backend, and collect what the first one compiles, or runs."""
    with ExitStack() as stack:
        containers = []
        for name in names:
            # Who asks to see compiled graphs has each graph compiled, none interpreted.
            container = build(config, name, ["text"])
            stack.callback(container.close)
            containers.append(container)
        others = {each.backend().name: Target.of(each.executor()) for each in containers[1:]}
        executor = containers[0].executor()
        if timed and not can_time_operations(executor):
            raise typer.BadParameter(
                f"backend {executor.backend.name!r} runs a graph as one computation, and cannot tell what an operation "
                "costs; backends 'numpy' and 'tiered' can",
                param_hint="--time",
            )
        collect = timed_graphs if timed else compiled_graphs
        yield containers[0], stack.enter_context(collect(executor, others))
