"""Settings of the NumPy backend."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from latebind.backends.numpy import INTERPRETATIONS


class NumpySettings(BaseModel):
    """Settings of the NumPy backend."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["numpy"] = Field(default="numpy", description="Which backend this is.")
    devices: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Number of host devices, cpu:0 and up. They share the processor; more than one is for tests.",
    )
    reuse_buffers: bool = Field(
        default=True,
        description="Write results over intermediate arrays that nothing needs any more, instead of into new ones.",
    )
    interpretations: int = Field(
        default=INTERPRETATIONS,
        ge=0,
        description="How often a new graph runs operation by operation, at most, before it is compiled; 0 compiles at "
        "once.",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        description="Threads that BLAS may use, set through threadpoolctl; null leaves BLAS at its own default.",
    )
