"""Tiered backends for the conformance kit and for random programs: what runs where depends on no measured time."""

from __future__ import annotations

import random
from typing import Any

from latebind.backends.interface import Backend
from latebind.backends.numpy.backend import NumpyBackend
from latebind.backends.numpy.settings import NumpySettings
from latebind.backends.tiered.backend import TieredBackend
from latebind.backends.tiered.policy import Account, Phase, Policy
from latebind.backends.tiered.settings import TieredSettings


class Alternation(Policy):
    """Compiles everything before its first run, and sends each run to a tier at random, from a seed."""

    def __init__(self, seed: int) -> None:
        super().__init__(compile_after=0.0)
        self._random = random.Random(seed)

    def next_tier(self, account: Account) -> tuple[bool, bool]:
        return account.phase is Phase.COMPILED and self._random.random() < 0.5, False


def _everything_compiled(optimizing: Backend) -> dict[str, Any]:
    return {
        "settings": TieredSettings(synchronous=True, compile_after=0.0, margin=None),
        "baseline": NumpyBackend(NumpySettings(interpretations=0)),
        "optimizing": optimizing,
    }


class AlternatingTiers(TieredBackend):
    """NumPy on both tiers, so that results have to be the same bits; no graph ever settles."""

    def __init__(self, settings: object = None, seed: int = 0) -> None:
        super().__init__(**_everything_compiled(NumpyBackend()))
        self.ledger.policy = Alternation(seed)


class TiersOverXla(TieredBackend):
    """XLA as the optimizing backend; every graph is compiled and runs there."""

    def __init__(self, settings: object = None) -> None:
        from latebind.backends.xla.backend import XlaBackend
        from latebind.backends.xla.settings import XlaSettings

        super().__init__(**_everything_compiled(XlaBackend(XlaSettings(persistent_cache=False))))
