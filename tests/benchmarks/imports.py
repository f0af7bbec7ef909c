"""What `import latebind` costs beside what it needs; every import in an interpreter of its own."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.benchmarks.comparison import Comparison
from tests.benchmarks.workers import ROOT

REQUIRED = "latebind's required dependencies"
#: Modules by contender; the dependencies are those of pyproject.toml, imported together.
IMPORTS = {
    "latebind": "latebind",
    REQUIRED: "numpy, dependency_injector.containers, pydantic, pydantic_settings, yaml, dotenv, optree, typer, "
    "rich.console",
    "numpy": "numpy",
    "torch": "torch",
    "jax": "jax.numpy",
    "mlx": "mlx.core",
    "dask": "dask.array",
    "numba": "numba",
    "numexpr": "numexpr",
}
_TIMED = "from time import perf_counter as t; s = t(); import {}; print(t() - s)"
_ROUNDS = 15


def measure_imports(quick: bool) -> Comparison:
    """Measure all imports in turns; those that are not installed are named."""
    result = Comparison(
        "imports",
        "import in a fresh interpreter, its own start not counted",
        "ms",
        ["With every extra installed that is installed here: dependency-injector imports FastAPI where it finds it."],
    )
    for turn in range(1 if quick else _ROUNDS + 1):
        for name, modules in IMPORTS.items():
            if name in result.problems:
                continue
            done = subprocess.run(
                [sys.executable, "-W", "ignore", "-c", _TIMED.format(modules)],
                capture_output=True,
                text=True,
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
            )
            if done.returncode:
                result.problems[name] = ("missing", done.stderr.strip().splitlines()[-1])
            elif turn or quick:  # the first round fills the system's file cache
                result.taken.setdefault(name, []).append(float(done.stdout) * 1e3)
            else:
                result.first[name] = float(done.stdout) * 1e3
    return result
