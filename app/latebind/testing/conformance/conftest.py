"""What the kit's tests share: the backend under test, instances of it, the reference, and how outcomes are reported."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from latebind.backends.interface import Backend, BackendDevice
from latebind.testing.conformance.backends import BackendUnderTest, BrokenBackendError
from latebind.testing.conformance.checking import Checker
from latebind.testing.conformance.deviations import matching
from latebind.testing.conformance.tools import Bench
from latebind.testing.plugin import PROPERTY, WHAT_TO_PASS

HERE = Path(__file__).parent
_UNDER_TEST = pytest.StashKey[BackendUnderTest]()
_INSTANCE = pytest.StashKey[Backend]()


class BrokenBackend(pytest.Item):
    """The one failure that stands for all tests when the backend cannot be built."""

    error: BrokenBackendError

    def runtest(self) -> None:
        """Raise why."""
        raise self.error

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        """Show the message, and what caused it, without the kit's own frames."""
        cause = excinfo.value.__cause__
        while cause is not None and cause.__cause__ is not None:
            cause = cause.__cause__
        root = f"\ncaused by {type(cause).__name__}: {cause}" if cause is not None else ""
        return f"{excinfo.value}{root}"

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where."""
        return self.path, 0, self.name


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Build the backend before the first test; if that fails, one failure replaces all tests of the kit."""
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    if not ours:
        return
    wanted = config.getoption("--latebind-backend", None)
    if wanted is None:
        raise pytest.UsageError(WHAT_TO_PASS)
    config.stash[_UNDER_TEST] = under_test = BackendUnderTest(wanted)
    try:
        config.stash[_INSTANCE] = under_test.build()
    except BrokenBackendError as error:
        parent = ours[0].parent
        assert parent is not None
        item: BrokenBackend = BrokenBackend.from_parent(parent, name=f"build[{wanted}]")
        item.error = error
        items[:] = [other for other in items if other not in set(ours)] + [item]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Report the outcome of tests of the interface to the table; a declared deviation is an expected failure."""
    report = yield
    backend = item.config.stash.get(_INSTANCE, None)
    if call.when == "call" and backend is not None and item.path.is_relative_to(HERE) and not _is_operation(item):
        name = f"interface::{item.name}"
        patterns = matching(name, backend.deviations)
        failed = report.failed
        if patterns and failed:
            report.outcome, report.wasxfail = "skipped", backend.deviations[patterns[0]]
        found = {
            "group": name,
            "failures": {name: ""} if failed and not patterns else {},
            "expected": {pattern: [int(failed), 1] for pattern in patterns},
            "skipped": report.skipped and not failed,
        }
        report.user_properties.append((PROPERTY, found))
    return report


def _is_operation(item: pytest.Item) -> bool:
    return "group" in getattr(item, "fixturenames", ()) or isinstance(item, BrokenBackend)


@pytest.fixture(scope="session")
def under_test(pytestconfig: pytest.Config) -> BackendUnderTest:
    """What `--latebind-backend` names."""
    return pytestconfig.stash[_UNDER_TEST]


@pytest.fixture(scope="session")
def backend(pytestconfig: pytest.Config) -> Iterator[Backend]:
    """The instance that most tests share."""
    made = pytestconfig.stash[_INSTANCE]
    yield made
    made.prepare_to_exit()


@pytest.fixture
def device(backend: Backend) -> BackendDevice:
    """The default device."""
    return backend.backend_device()


@pytest.fixture(scope="session")
def checker(backend: Backend) -> Checker:
    """What evaluates and compares cases."""
    return Checker(backend)


@pytest.fixture
def bench(backend: Backend) -> Bench:
    """Small graphs on the backend, for the tests of the interface."""
    return Bench(backend)
