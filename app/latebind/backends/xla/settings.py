"""Settings of the XLA backend."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class XlaSettings(BaseModel):
    """Settings of the XLA backend."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Literal["xla"] = Field(default="xla", description="Which backend this is.")
    platform: Literal["auto", "cpu", "cuda", "rocm", "tpu"] = Field(
        default="auto",
        description="Whose devices are the default; 'auto' takes JAX's own choice: TPU or GPU where there is one.",
    )
    devices: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="Number of host devices, cpu:0 and up, which share the processor; null takes JAX's. For tests.",
    )
    threads: int | None = Field(
        default=None,
        ge=1,
        description="Threads that one computation may use on the CPU; null takes all cores.",
    )
    persistent_cache: bool = Field(
        default=True, description="Keep compiled programs on disk, so that a later process need not compile them."
    )
    cache_directory: Path | None = Field(
        default=None, description="Where they are kept; null takes the user's cache directory."
    )
    cache_max_bytes: int = Field(
        default=1 << 30, ge=0, description="Size of that directory above which the oldest programs are deleted."
    )
    compiler_options: dict[str, bool | int | float | str] = Field(
        default_factory=dict,
        description="XLA's own flags for each compilation, such as {xla_backend_optimization_level: 1}.",
    )
