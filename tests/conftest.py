"""Shared by all tests: how many examples property tests try, and no settings from the developer's environment.

Tests that name no backend run on `numpy`, which starts fastest, and not on whatever `auto` finds here.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("quick", settings.get_profile("default"), max_examples=15)
settings.load_profile("default")

for variable in [name for name in os.environ if name.startswith("LATEBIND_")]:
    del os.environ[variable]
os.environ["LATEBIND_BACKEND"] = "numpy"
