"""What `import latebind` costs beside what it needs, and beside its peers; every import in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.benchmarks import contenders as peers
from tests.benchmarks.contenders import Contenders
from tests.benchmarks.measurement import Measure
from tests.benchmarks.tables import Aim, Report

TITLE = "import time"
#: Import statements by contender.
IMPORTS = {
    peers.LATEBIND: "latebind",
    "NumPy": "numpy",
    "required dependencies": "numpy, dependency_injector.containers, pydantic, pydantic_settings, yaml, dotenv, "
    "optree, typer, rich.console",
    "PyTorch": "torch",
    "JAX": "jax.numpy",
    "MLX": "mlx.core",
}
_ENGINES = ("jax", "jaxlib", "torch", "mlx")
_TIMED = "from time import perf_counter as t; s = t(); import {}; print(t() - s)"
_LOADED = (
    "import sys, json; before = set(sys.modules); import latebind; "
    "print(json.dumps(sorted({name.partition('.')[0] for name in set(sys.modules) - before})))"
)


def run(quick: bool) -> Report:
    """Measure each import in turns."""
    report = Report("import_time", TITLE)
    found = Contenders()
    for name, modules in IMPORTS.items():
        found.add(name, lambda modules=modules: _import(modules))
    loaded = json.loads(_python(_LOADED))
    outside = [name for name in loaded if name not in sys.stdlib_module_names and not name.startswith("_")]
    report.compare(
        "import in a fresh interpreter, ms (start of the interpreter not counted)",
        found,
        rounds=1 if quick else 15,
        settle=False,
        warmup=0,
        notes=[
            f"`import latebind` loads from outside the standard library: {', '.join(outside)}.",
            "Required dependencies: those of pyproject.toml, imported together without latebind.",
        ],
    )
    engines = [name for name in loaded if name in _ENGINES]
    report.aims.append(Aim("import latebind loads no engine", ", ".join(engines) or "none", not engines))
    return report


def _import(modules: str) -> Measure:
    code = _TIMED.format(modules)
    try:
        _python(code)
    except RuntimeError as error:
        raise peers.MissingPeerError(str(error).strip().splitlines()[-1]) from error
    return lambda: float(_python(code)) * 1e3


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{code}: {done.stderr}")
    return done.stdout
