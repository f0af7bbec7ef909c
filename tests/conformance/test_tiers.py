"""The tiered backend passes the conformance kit, whichever tier a computation runs on."""

from __future__ import annotations

import pytest
from tests.conformance.runs import kit, run_kit
from tests.engines import need

#: Seconds that a run may take; with XLA every graph of the kit is compiled.
PATIENCE = 900


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE + 60)
@pytest.mark.parametrize(("tiers", "engine"), [("AlternatingTiers", "numpy"), ("TiersOverXla", "jax")])
def test_tiers_conform(tiers: str, engine: str) -> None:
    need(engine)
    done = run_kit(kit(), backend=f"tests.unit.backends.tiered.tiers:{tiers}", timeout=PATIENCE)
    tail = "\n".join(done.stdout.splitlines()[-60:])
    assert done.returncode == 0, f"{tail}\n{done.stderr[-2000:]}"
