"""Which versions are installed, and whether latebind works with them."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Final

from latebind.diagnosis.finding import Finding, Severity

#: Distributions that latebind always needs and whose version explains most reports.
LIBRARIES: Final = ("latebind", "numpy", "dependency-injector", "pydantic", "pydantic-settings")


def versions() -> dict[str, str | None]:
    """Return the version of Python and of each library; `None` where no package of that name is installed."""
    return {"python": platform.python_version()} | {name: installed_version(name) for name in LIBRARIES}


def installed_version(distribution: str) -> str | None:
    """Return the version of an installed package, or `None`; nothing is imported."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def version_findings(extras: frozenset[str] = frozenset()) -> list[Finding]:
    """Return each installed package that is of another version than latebind, with these extras, asks for.

    Without the package `packaging`, which reads such requirements, nothing is found.
    """
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return []
    found = []
    for text in _requirements():
        requirement = Requirement(text)
        extra = requirement.marker is not None and "extra" in str(requirement.marker)
        wanted = requirement.marker is None or any(
            requirement.marker.evaluate({"extra": name}) for name in (extras if extra else {""})
        )
        present = installed_version(requirement.name)
        if wanted and present is not None and not requirement.specifier.contains(present, prereleases=True):
            found.append(
                Finding(
                    Severity.WARNING,
                    f"package {requirement.name}",
                    f"version {present} is installed, but latebind asks for {requirement.specifier}",
                    f"pip install '{requirement.name}{requirement.specifier}'",
                )
            )
    return found


def _requirements() -> list[str]:
    try:
        return requires("latebind") or []
    except PackageNotFoundError:
        return []
