"""What importing latebind costs others: no settings library, no container, no engine."""

from __future__ import annotations

import subprocess
import sys


def test_import_latebind_loads_no_settings_library_no_container_and_no_engine():
    heavy = {"pydantic", "pydantic_settings", "yaml", "dependency_injector", "typer", "rich", "jax", "torch", "fastapi"}
    program = f"import latebind, sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
