"""Settings of the tiered backend."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from latebind.backends.settings import BackendSettings, backend_part


class TieredSettings(BackendSettings):
    """Settings of the tiered backend."""

    name: Literal["tiered"] = Field(default="tiered", description="Which backend this is.")
    baseline: BackendSettings = backend_part("numpy", description="Backend that runs a graph at once.")
    optimizing: BackendSettings = backend_part(
        "auto", description="Backend that compiles in the background what runs often; its devices are the ones used."
    )
    compile_after: float = Field(
        default=1.0,
        ge=0,
        description="A graph is compiled once it has run on the baseline for this many times what compiling it is "
        "expected to take; 0 compiles before the first run.",
    )
    margin: float | None = Field(
        default=0.9,
        gt=0,
        le=1,
        description="The other tier is adopted if it takes at most this share of the present one's time; null adopts "
        "every graph that compiles, without measuring.",
    )
    workers: int = Field(default=1, ge=1, le=64, description="Threads that compile.")
    max_pending: int = Field(
        default=64, ge=1, description="Graphs that may wait to be compiled; a further one stays on the baseline longer."
    )
    synchronous: bool = Field(
        default=False, description="Compile in the thread that runs the graph, instead of in the background; for tests."
    )
    exit_wait_s: float = Field(
        default=10.0,
        ge=0,
        description="Seconds that closing, and the end of the process, wait for a compilation that has begun.",
    )
