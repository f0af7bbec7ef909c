"""The pytest plugin: fixtures for applications, and the options and the summary of the conformance kit.

pytest loads it in every run where latebind is installed, so it imports nothing but pytest until the kit is run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from latebind.testing.fixtures import latebind_container, latebind_override_backend
from latebind.testing.fixtures import pytest_configure as _configure_fixtures

if TYPE_CHECKING:
    from latebind.testing.conformance.summary import Summary

__all__ = ["latebind_container", "latebind_override_backend"]

KIT: Final = "latebind.testing.conformance"
#: Name of the user property that carries what a test of the kit found, to the controller if pytest-xdist runs.
PROPERTY: Final = "latebind-conformance"
WHAT_TO_PASS: Final = (
    f"the conformance kit needs to know what to test: pytest --pyargs {KIT} --latebind-backend my_package:MyBackend "
    "(a dotted path, a known name such as xla, torch or numpy, or a YAML configuration file)"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the conformance kit."""
    group = parser.getgroup("latebind", "latebind's conformance kit")
    group.addoption(
        "--latebind-backend",
        metavar="BACKEND",
        help=f"backend that `pytest --pyargs {KIT}` tests: a known name, my_package:MyBackend, or config.yaml",
    )
    group.addoption(
        "--latebind-examples",
        metavar="N",
        type=int,
        default=20,
        help="random programs that the conformance kit compares with the reference (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker of the fixtures; prepare the summary if the kit is run."""
    _configure_fixtures(config)
    if config.getoption("--latebind-backend") is not None:
        config.pluginmanager.register(ConformanceRun(config), "latebind-conformance-run")
    elif any(argument.partition("::")[0].startswith(KIT) for argument in config.args):
        raise pytest.UsageError(WHAT_TO_PASS)


class ConformanceRun:
    """Collects what the kit's tests report, and prints the table at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.found: list[dict[str, Any]] = []
        self.summary: Summary | None = None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take what a test found from its report."""
        if report.when == "call" or report.outcome == "failed":
            for name, value in report.user_properties:
                if name == PROPERTY and isinstance(value, dict):
                    self.found.append(value)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Fail the run if a declared deviation has gone: its pattern has to be removed."""
        if not self.found or hasattr(self.config, "workerinput"):
            return
        from latebind.testing.conformance.summary import Summary

        self.summary = Summary.of(self.found)
        if self.summary.gone and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the table."""
        if self.summary is None:
            return
        backend = self.config.getoption("--latebind-backend")
        terminalreporter.section(f"latebind conformance: {backend}")
        for line in self.summary.lines(terminalreporter._tw.fullwidth):
            terminalreporter.write_line(line)
