"""`python -m tests.conformance.array_api`: the array API standard's own test suite on each backend, and what it counts.

The suite, data-apis/array-api-tests, is no part of latebind: the person who runs this fetches it once (`HOW_TO_FETCH`).
It runs in a process per backend, without the settings of the environment, with examples that are the same each time.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from rich.console import Console
from rich.table import Table

import latebind
from latebind.backends.registry import BUILT_IN

ROOT: Final = Path(__file__).parents[2]
BACKENDS: Final = ("numpy", "xla", "torch")
#: Examples per property, the number that docs/array-api.md gives counts for.
EXAMPLES: Final = 5
#: What the suite imports besides pytest and Hypothesis, by name of the distribution.
NEEDS: Final = {"ndindex": "ndindex", "pytest_jsonreport": "pytest-json-report"}
HOW_TO_FETCH: Final = """\
The array API standard's test suite is not there. Looked for a folder with `array_api_tests` in:
{places}
Fetch it with its submodule, the text of the standard:

    git clone --recurse-submodules https://github.com/data-apis/array-api-tests {place}

or say where it is: make conformance ARRAY_API_TESTS=/path/to/array-api-tests"""
HOW_TO_COMPLETE: Final = """\
The suite in {place} lacks its submodule, the text of the standard:

    git -C {place} submodule update --init"""
HOW_TO_INSTALL: Final = """\
The suite needs {names}, which this Python does not have:

    {python} -m pip install -c constraints.txt -e '.[suite]'"""


class SuiteError(Exception):
    """The suite cannot run here; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Known:
    """Tests that fail for a reason that is known and is not latebind's to remove.

    Attributes
    ----------
    pattern : str
        Regular expression that the test's whole name matches.
    reason : str
    always : bool
        Whether they fail whatever the examples, so that one that passes has to be taken off the list.
    """

    pattern: str
    reason: str
    always: bool = True


KNOWN: Final = (
    Known(
        r"test_(binary|iop)\[(floor_divide|__i?floordiv__)\(.*infinity.*\) -> ([+-]infinity|-0)\]",
        "Python's result, which the standard allows and the suite does not",
    ),
    Known(
        r"test_dunder_dlpack",
        "read-only memory is not exported to a consumer that refuses a copy and cannot be told",
        always=False,
    ),
    Known(r"test_can_cast", "the suite takes None for float64, which NumPy's dtypes do as well", always=False),
)


@dataclass(frozen=True, slots=True)
class Counts:
    """What came of one run.

    Attributes
    ----------
    passed, failed : tuple of str
        Names of the tests.
    skipped : int
    """

    passed: tuple[str, ...]
    failed: tuple[str, ...]
    skipped: int

    @property
    def unknown(self) -> list[str]:
        """Failures that no entry of `KNOWN` explains."""
        return [name for name in self.failed if reason_of(name) is None]

    @property
    def cured(self) -> list[str]:
        """Tests that pass although an entry of `KNOWN` says that they always fail."""
        return [name for name in self.passed if (known := reason_of(name)) is not None and known.always]


def reason_of(name: str) -> Known | None:
    """Return the entry of `KNOWN` that explains a failure."""
    return next((known for known in KNOWN if re.fullmatch(known.pattern, name)), None)


def find_suite(named: str | None) -> Path:
    """Return the folder of the suite: the named one, one beside the project, or one in the cache directory.

    Raises
    ------
    SuiteError
        If it is not there, or not complete.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    places = [Path(named).expanduser()] if named else [ROOT.parent / "array-api-tests", cache / "array-api-tests"]
    for place in places:
        if (place / "array_api_tests").is_dir():
            if not any((place / "array-api").glob("src/*")):
                raise SuiteError(HOW_TO_COMPLETE.format(place=place))
            return place
    listed = "\n".join(f"    {place}" for place in places)
    raise SuiteError(HOW_TO_FETCH.format(places=listed, place=places[-1]))


def check_needs() -> None:
    """Raise `SuiteError` if the suite's own requirements are not installed."""
    missing = [name for module, name in NEEDS.items() if importlib.util.find_spec(module) is None]
    if missing:
        raise SuiteError(HOW_TO_INSTALL.format(names=" and ".join(missing), python=sys.executable))


def run_suite(suite: Path, backend: str, *, examples: int, arguments: Sequence[str] = ()) -> Counts:
    """Run the suite on one backend.

    Raises
    ------
    SuiteError
        If pytest did not get as far as a report; its output is on the terminal.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LATEBIND_", "PYTEST_"))}
    environment |= {
        "LATEBIND_BACKEND": backend,
        "ARRAY_API_TESTS_MODULE": "latebind",
        "PYTHONPATH": str(Path(latebind.__file__).parents[1]),
    }
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "array_api_tests", "-q", "--tb=short", "-p", "no:cacheprovider"]
        command += [f"--max-examples={examples}", "--disable-deadline", "--derandomize", f"--junitxml={report}"]
        environment["HYPOTHESIS_STORAGE_DIRECTORY"] = folder
        subprocess.run([*command, *arguments], cwd=suite, env=environment, check=False)
        if not report.is_file():
            raise SuiteError(f"the suite did not run on {backend}: see what pytest printed above")
        return read_report(report)


def read_report(report: Path) -> Counts:
    """Return the counts of a report in JUnit's format."""
    passed, failed, skipped = [], [], 0
    for case in ElementTree.parse(report).iter("testcase"):
        outcomes, name = {child.tag for child in case}, str(case.get("name"))
        if outcomes & {"failure", "error"}:
            failed.append(name)
        elif "skipped" in outcomes:
            skipped += 1
        else:
            passed.append(name)
    return Counts(tuple(passed), tuple(failed), skipped)


def show(results: dict[str, Counts], console: Console) -> bool:
    """Print the counts, and each cause of failures; return whether exactly what is known to fail fails."""
    table = Table("backend", "passed", "failed", "of them known", "skipped", title="array-api-tests")
    for backend, counts in results.items():
        total = len(counts.passed) + len(counts.failed)
        known = len(counts.failed) - len(counts.unknown)
        cells = (f"{len(counts.passed)} of {total}", len(counts.failed), known, counts.skipped)
        table.add_row(backend, *map(str, cells))
    console.print(table)
    lines = []
    for entry in KNOWN:
        found = {name: sum(reason_of(one) is entry for one in counts.failed) for name, counts in results.items()}
        listed = ", ".join(f"{count} on {name}" for name, count in found.items() if count)
        if listed:
            lines.append(f"known: {entry.reason} ({listed})")
    wrong = []
    for backend, counts in results.items():
        wrong += [f"FAILED on {backend}: {name}" for name in counts.unknown]
        wrong += [f"PASSED on {backend}, take it off the list of known failures: {name}" for name in counts.cured]
    for line in [*lines, *wrong]:
        console.print(line, soft_wrap=True, highlight=False, markup=False)
    return not wrong


def usable(names: Iterable[str], console: Console) -> list[str]:
    """Return the backends whose engine is installed; say which are not."""
    missing = {spec.name: spec.missing for spec in BUILT_IN if spec.missing}
    for name in names:
        if name in missing:
            console.print(f"{name}: not run, it needs {', '.join(missing[name])}")
    return [name for name in names if name not in missing]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the suite; return 0, 1 if it says anything new, or 2 if it cannot run."""
    parser = argparse.ArgumentParser(prog="python -m tests.conformance.array_api", description=__doc__)
    parser.add_argument("--suite", default=os.environ.get("ARRAY_API_TESTS"), help="folder of array-api-tests")
    parser.add_argument("--backends", nargs="+", default=BACKENDS, help="default: %(default)s")
    parser.add_argument("--examples", type=int, default=EXAMPLES, help="examples per property (%(default)s)")
    parser.add_argument("pytest", nargs="*", metavar="-- ARGUMENT", help="for pytest, behind --: -- -k linalg")
    options = parser.parse_args(arguments)
    console = Console()
    try:
        suite = find_suite(options.suite or None)
        check_needs()
        results = {
            name: run_suite(suite, name, examples=options.examples, arguments=options.pytest)
            for name in usable(options.backends, console)
        }
    except SuiteError as error:
        print(error, file=sys.stderr)
        return 2
    return 0 if show(results, console) and results else 1


if __name__ == "__main__":
    sys.exit(main())
