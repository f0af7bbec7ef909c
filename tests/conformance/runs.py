"""Running the kit as a user does: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
WRONG = "tests.unit.testing.conformance.wrong_backends"


def run_kit(*arguments: str, backend: str | None = None, timeout: float = 110) -> subprocess.CompletedProcess[str]:
    """Run the kit with these arguments of pytest; a name with a capital is a class in `wrong_backends`."""
    chosen: list[str] = []
    if backend is not None:
        chosen = ["--latebind-backend", f"{WRONG}:{backend}" if backend[0].isupper() else backend]
    plugin = [] if _is_registered() else ["-p", "latebind.testing.plugin"]
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, "-p", "no:cacheprovider", "-q", "--pyargs", *chosen, *arguments],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith(("LATEBIND_", "PYTEST_"))},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def kit(module: str = "") -> str:
    """Return the argument that selects the kit, or one module of it."""
    return "latebind.testing.conformance" + (f".{module}" if module else "")


def _is_registered() -> bool:
    """Whether pytest loads the plugin by its entry point."""
    from importlib.metadata import entry_points

    return any(entry.value == "latebind.testing.plugin" for entry in entry_points(group="pytest11"))
