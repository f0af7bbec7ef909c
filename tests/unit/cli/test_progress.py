"""The progress bar of a program: long compilations are shown in it, and where they were shown before afterwards."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from latebind.cli.progress import ProgressDisplay
from latebind.profiling.progress import progress


@pytest.mark.parametrize("terminal", [True, False])
def test_a_long_compilation_is_part_of_the_bar_while_there_is_one(terminal):
    before = progress.show, progress.background
    written = io.StringIO()
    display = ProgressDisplay(Console(file=written, force_terminal=terminal, width=200))
    for _ in display.track(range(3), "training"):
        assert progress.background == terminal
        assert (progress.show != before[0]) == terminal
        if terminal:
            progress.show("compiling computation_7 for 3 s")
    assert (progress.show, progress.background) == before
    assert ("compiling computation_7 for 3 s" in written.getvalue()) == terminal


def test_a_program_that_raises_inside_the_bar_leaves_the_line_as_it_was():
    before = progress.show, progress.background
    display = ProgressDisplay(Console(file=io.StringIO(), force_terminal=True))
    with pytest.raises(ValueError, match="boom"):
        _raise_inside(display)
    assert (progress.show, progress.background) == before


def _raise_inside(display: ProgressDisplay) -> None:
    steps = display.track(range(3), "training")
    try:
        next(iter(steps))
        raise ValueError("boom")
    finally:
        steps.close()  # type: ignore[attr-defined]
