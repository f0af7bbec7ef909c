"""The tiered backend passes the conformance kit, whichever tier a computation runs on."""

from __future__ import annotations

import pytest
from tests.conformance.runs import kit, run_kit
from tests.engines import need

#: Seconds that a run may take.
PATIENCE = 900
#: The kit without its cases of single operations, each of which XLA would compile: `xla` has them by itself.
WITHOUT_OPERATIONS = [
    kit(f"test_{name}")
    for name in ("data", "devices", "donation", "execution", "exit", "lowering", "programs", "threads")
]


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE + 60)
@pytest.mark.parametrize(
    ("tiers", "engine", "modules"),
    [("AlternatingTiers", "numpy", [kit()]), ("TiersOverXla", "jax", WITHOUT_OPERATIONS)],
)
def test_tiers_conform(tiers: str, engine: str, modules: list[str]) -> None:
    need(engine)
    done = run_kit(*modules, backend=f"tests.unit.backends.tiered.tiers:{tiers}", timeout=PATIENCE)
    tail = "\n".join(done.stdout.splitlines()[-60:])
    assert done.returncode == 0, f"{tail}\n{done.stderr[-2000:]}"
