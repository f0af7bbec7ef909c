"""Random programs with views and writes leave the values on the backend that they leave on the reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from os import getpid
from pathlib import Path
from tempfile import gettempdir
from time import monotonic
from typing import Any, Final

import numpy as np
import pytest

import latebind as lb
from latebind.backends.interface import Backend
from latebind.injection.container import BoundContainer
from latebind.testing.conformance.backends import BackendUnderTest

pytest.importorskip("hypothesis", reason="random programs need hypothesis: pip install 'latebind[conformance]'")
import hypothesis
from hypothesis import strategies as st

from latebind.testing.conformance.programs.comparing import first_difference, run, script
from latebind.testing.conformance.programs.drawing import Drawing
from latebind.testing.conformance.programs.steps import EXPRESSIONS, Step
from latebind.testing.conformance.programs.writes import EFFECTS

#: Steps that a program has at most.
LONGEST: Final = 120
STARTS: Final = (Drawing.start,)
#: Seconds for making a failing program smaller.
SHRINKING: Final = 60
_COMPILED: Final = "tested.backend().interpretations = 0"


@pytest.fixture(params=["compiled", "configured"])
def tested(request: pytest.FixtureRequest, under_test: BackendUnderTest, backend: Backend) -> Iterator[BoundContainer]:
    """A container with the backend; every graph compiled at once, or interpreted first as the backend asks for."""
    if request.param == "configured" and not backend.interpretations:
        pytest.skip("the backend compiles every graph at once anyway")
    container = under_test.container()
    if request.param == "compiled":
        container.backend().interpretations = 0
    yield container
    container.close()


@pytest.fixture
def reference() -> Iterator[BoundContainer]:
    """A container with the reference backend."""
    container = lb.build_container(backend="numpy")
    yield container
    container.close()


@st.composite
def one_step(draw: st.DrawFn, drawing: Drawing, steps: Sequence[Step]) -> None:
    """Draw a step; its choices stand together, so that Hypothesis can leave it out."""
    drawing.source = draw
    if drawing.variables or steps == STARTS:
        draw(st.sampled_from(steps))(drawing)


@st.composite
def random_programs(draw: st.DrawFn, reference: BoundContainer) -> Drawing:
    """Draw a program: some arrays, then steps."""
    drawing = Drawing({"lb": lb, "np": np}, reference)
    for _ in range(draw(st.integers(1, 3))):
        draw(one_step(drawing, STARTS))
    for _ in range(LONGEST):
        if not draw(st.integers(0, 40)):
            break
        draw(one_step(drawing, EXPRESSIONS + EFFECTS))
    return drawing


#: Small programs that engines got wrong once, or died of.
KNOWN: Final = {
    "zero-by-itself": ["x0 = lb.asarray(np.arange(4))", "x0 -= x0", "x1 = x0 % x0", "x2 = x0 // x0"],
    "zero-by-zero": ["x0 = lb.asarray(np.arange(4))", "x1 = x0 - x0", "x2 = x0 * 0", "x3 = x1 // x2", "x4 = x1 % x2"],
    "smallest-by-minus-one": ["x0 = lb.asarray(np.array([-(2**31)], np.int32))", "x1 = x0 // -1", "x2 = x0 % -1"],
    "write-through-a-view": ["x0 = lb.zeros((3, 4))", "x1 = x0.T[1]", "x1 += 1", "x2 = x0 + x0", "x1[...] = 5"],
    "overlapping-write": ["x0 = lb.asarray(np.arange(6))", "x0[1:] = x0[:-1]", "x0[...] = x0[::-1]"],
    "no-elements": [
        "x0 = lb.zeros((0, 3))",
        "x1 = lb.sum(x0, axis=0)",
        "x2 = x0 @ lb.ones((3, 2))",
        "x3 = lb.sort(x0)",
    ],
}


class Patience:
    """Ends the search for a smaller program: some time after the first failure, only known failures are run again.

    Hypothesis has no such limit of its own below five minutes, which an engine that compiles slowly would use up.
    """

    def __init__(self) -> None:
        self.failed: set[tuple[str, ...]] = set()
        self._first: float | None = None

    def is_over(self, lines: Sequence[str]) -> bool:
        """Whether this program need not be run any more."""
        return self._first is not None and monotonic() - self._first > SHRINKING and tuple(lines) not in self.failed

    def note(self, lines: Sequence[str]) -> None:
        """Remember a program that failed."""
        self.failed.add(tuple(lines))
        self._first = self._first or monotonic()


def outcome(drawing: Drawing, tested: BoundContainer) -> str:
    """Run a program on the backend; return what differs, or what was raised."""
    found = {"lb": lb, "np": np}
    try:
        run(drawing.lines, found, tested)
        return first_difference(drawing, found)
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_known_program(name: str, tested: BoundContainer, reference: BoundContainer) -> None:
    results: list[dict[str, Any]] = []
    for container in (reference, tested):
        names: dict[str, Any] = {"lb": lb, "np": np}
        run(KNOWN[name], names, container)
        results.append({key: np.asarray(names[key]) for key in names if key.startswith("x")})
    wanted, found = results
    for key, value in wanted.items():
        np.testing.assert_array_equal(found[key], value, err_msg=f"{key} of {KNOWN[name]}", strict=True)


def test_random_programs(
    tested: BoundContainer,
    reference: BoundContainer,
    under_test: BackendUnderTest,
    pytestconfig: pytest.Config,
    request: pytest.FixtureRequest,
) -> None:
    """The failure that is shown is the smallest that was found, as a script that prints both values."""
    compiled = "compiled" in request.node.name
    patience = Patience()
    running = Path(gettempdir()) / f"latebind-conformance-{getpid()}.py"
    program = partial(script, tested=under_test.source(), setup=_COMPILED if compiled else "")

    @hypothesis.settings(
        max_examples=pytestconfig.getoption("--latebind-examples"),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        print_blob=False,
    )
    @hypothesis.given(random_programs(reference))
    def programs(drawing: Drawing) -> None:
        if patience.is_over(drawing.lines):
            return
        names = [variable.name for variable in drawing.variables]
        running.write_text(program(drawing.lines, names))
        message = outcome(drawing, tested)
        if message:
            patience.note(drawing.lines)
            pytest.fail(f"{message}\n\nThe program:\n\n{program(drawing.lines, names)}", pytrace=False)

    try:
        programs()
    finally:  # it stays where the engine takes the interpreter down, to say by which program
        running.unlink(missing_ok=True)
