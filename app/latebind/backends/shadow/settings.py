"""Settings of the shadow backend."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from latebind.backends.settings import BackendSettings, backend_part


class ShadowSettings(BackendSettings):
    """Settings of the shadow backend."""

    name: Literal["shadow"] = Field(default="shadow", description="Which backend this is.")
    primary: BackendSettings = backend_part("auto", description="Backend that gives the results.")
    reference: BackendSettings = backend_part("numpy", description="Backend that the results are compared with.")
    rtol: float | None = Field(
        default=None,
        ge=0,
        description="Relative difference that is allowed; null takes the square root of the dtype's epsilon.",
    )
    atol: float | None = Field(
        default=None,
        ge=0,
        description="Absolute difference that is allowed besides; null takes 16 epsilon times the largest magnitude in "
        "the reference's result, or times 1 if that is less.",
    )
    on_mismatch: Literal["raise", "warn"] = Field(
        default="raise",
        description="What a difference does: 'raise' makes the result an error at its first use, 'warn' logs it.",
    )
