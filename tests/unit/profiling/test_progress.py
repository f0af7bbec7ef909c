"""Progress of long compilations: what is shown, when, and to whom."""

from __future__ import annotations

import io
import queue
import sys
import threading

import pytest

import latebind as lb
from latebind.backends import compilations
from latebind.backends.compilations import compiling, unwatch_compilations, watch_compilations
from latebind.profiling.progress import CompilationProgress, TerminalLine

DEADLINE = 20.0


class Shown:
    """A progress whose lines are kept, and for which every compilation has taken five seconds."""

    def __init__(self, *, terminal: bool = True, taken: float = 5.0) -> None:
        self.lines: queue.Queue[str | None] = queue.Queue()
        self.progress = CompilationProgress(
            lambda: terminal, self.lines.put, lambda: compilations.perf_counter() + taken
        )

    def next(self) -> str | None:
        return self.lines.get(timeout=DEADLINE)

    def until_erased(self) -> None:
        while self.next() is not None:
            pass


@pytest.fixture
def shown():
    shown = Shown()
    watch_compilations(shown.progress)
    yield shown
    unwatch_compilations(shown.progress)


def test_a_long_compilation_is_shown_with_its_line_and_erased_at_its_end(shown):
    with compiling("computation_7", lambda: "train.py:12"):
        assert shown.next() == "latebind: compiling computation_7 for 5 s (train.py:12)"
        assert shown.next() == "latebind: compiling computation_7 for 5 s (train.py:12)"
    shown.until_erased()


def test_a_compilation_that_raises_is_erased_too(shown):
    with pytest.raises(ValueError, match="refused"), compiling("computation_7", lambda: "train.py:12"):
        assert shown.next() is not None
        raise ValueError("refused")
    shown.until_erased()


def test_several_at_a_time_are_one_line_about_the_one_that_takes_longest(shown):
    with compiling("first", lambda: "a.py:1"), compiling("second", lambda: "b.py:2"):
        while (line := shown.next()) != "latebind: compiling first for 5 s, and 1 more (a.py:1)":
            assert line == "latebind: compiling first for 5 s (a.py:1)"
    shown.until_erased()


def test_a_compilation_in_the_background_has_the_line_of_the_one_in_the_foreground(shown):
    shown.progress.background = True
    with compiling("computation_7", lambda: "train.py:12"):
        shown.next()
    shown.until_erased()
    with compiling("computation_7", background=True):
        assert shown.next() == "latebind: compiling computation_7 for 5 s in the background (train.py:12)"
    shown.until_erased()


def test_a_compilation_in_the_background_is_not_written_between_what_the_program_prints(shown):
    with compiling("computation_7", lambda: "train.py:12"):
        shown.next()
    shown.until_erased()
    with compiling("computation_7", background=True), compiling("computation_8", lambda: "train.py:13"):
        assert shown.next() == "latebind: compiling computation_8 for 5 s (train.py:13)"
    shown.until_erased()


def test_short_compilations_are_not_shown():
    shown = Shown(taken=-100.0)
    watch_compilations(shown.progress)
    try:
        for _ in range(3):
            with compiling("computation_7", lambda: "train.py:12"):
                pass
        with compiling("the last", lambda: "train.py:13"):
            pass
    finally:
        unwatch_compilations(shown.progress)
    lines = []
    while not shown.lines.empty():
        lines.append(shown.lines.get())
    assert set(lines) <= {None}


@pytest.mark.parametrize(("terminal", "wanted"), [(False, True), (True, False)])
def test_nothing_is_shown_without_a_terminal_or_where_it_is_not_wanted(terminal, wanted):
    shown = Shown(terminal=terminal)
    before = set(threading.enumerate())
    watch_compilations(shown.progress)
    try:
        with compiling("computation_7", lambda: "train.py:12", wanted=wanted):
            assert not _begun_since(before)
        with compiling("computation_7", background=True):  # of a graph that is not wanted
            assert not _begun_since(before)
    finally:
        unwatch_compilations(shown.progress)
    assert shown.lines.empty()


def _begun_since(before: set[threading.Thread]) -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread not in before]


def test_without_anybody_who_watches_no_compilation_is_described(monkeypatch):
    monkeypatch.setattr(compilations, "_watchers", ())
    monkeypatch.setattr(compilations, "Compilation", None)
    with compiling("computation_7", lambda: pytest.fail("nobody asked")):
        pass


@pytest.mark.parametrize(("progress", "asked"), [(True, True), (False, False)])
def test_the_settings_decide(make_container, shown, progress, asked):
    seen = []
    watch_compilations(seen.append)
    try:
        with make_container({"name": "numpy", "interpretations": 0}, tracing={"progress": progress}):
            lb.sync(lb.ones((3,)) * 2)
    finally:
        unwatch_compilations(seen.append)
    assert {compilation.wanted for compilation in seen} == {asked}
    assert len(seen) == 2  # its beginning and its end


def test_a_line_is_cut_at_the_width_of_the_terminal_and_erased_once(monkeypatch):
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setenv("COLUMNS", "20")
    line = TerminalLine()
    line.show(None)
    line.show("x" * 100)
    line.show(None)
    line.show(None)
    assert written.getvalue() == f"\r\x1b[2K{'x' * 19}\r\x1b[2K"


@pytest.mark.parametrize("stream", [None, io.StringIO(), object()])
def test_what_is_no_terminal_is_not_used(monkeypatch, stream):
    monkeypatch.setattr(sys, "stderr", stream)
    assert not TerminalLine().usable()
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    assert not TerminalLine().usable()
    TerminalLine().show("nobody reads this")
