"""Settings of the torch backend."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from latebind.backends.settings import BackendSettings


class TorchSettings(BackendSettings):
    """Settings of the torch backend."""

    name: Literal["torch"] = Field(default="torch", description="Which backend this is.")
    compiler: Literal["eager", "torchscript", "inductor"] = Field(
        default="torchscript",
        description="What runs a graph: PyTorch's operations one by one (eager), TorchScript's interpreter, which "
        "needs no Python between them, or Inductor, which fuses them into C++ or Triton code and takes seconds.",
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto",
        description="Type of the default device; auto takes CUDA where PyTorch finds a GPU.",
    )
    interpretations: int | None = Field(
        default=None,
        ge=0,
        description="How often a new graph runs operation by operation before it is compiled; 0 compiles at once, null "
        "takes what pays for the compiler.",
    )
