"""Every backend that latebind brings passes the conformance kit, run as a user runs it."""

from __future__ import annotations

import pytest
from tests.conformance.runs import kit, run_kit
from tests.engines import STRICT

from latebind.backends.registry import BUILT_IN, BackendSpec

#: Lines of the end of a run that a failure shows: the failed cases, and as much of the table.
SHOWN = 60
#: Seconds that one backend may take; the kit aims at three minutes on the slowest.
PATIENCE = 900
#: Composed of others, which are checked by themselves.
COMPOSED = ("shadow", "tiered")
SPECS = [spec for spec in BUILT_IN if spec.name not in COMPOSED]


@pytest.mark.slow
@pytest.mark.timeout(PATIENCE + 60)
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_backend_conforms(spec: BackendSpec) -> None:
    if spec.missing:
        message = f"backend {spec.name!r} needs {', '.join(spec.missing)}, which is not installed"
        if STRICT:
            pytest.fail(f"{message}, but every backend has to be tested here")
        pytest.skip(message)
    done = run_kit(kit(), backend=spec.name, timeout=PATIENCE)
    tail = "\n".join(done.stdout.splitlines()[-SHOWN:])
    assert done.returncode == 0, f"{tail}\n{done.stderr[-2000:]}"
    assert f"latebind conformance: {spec.name}" in done.stdout
