"""The keys of `serve.yaml`: where the server listens, what it refuses, and the programs that it serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

Datatype = Literal[
    "BOOL", "INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64", "FP16", "FP32", "FP64"
]
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$"


class Group(BaseModel):
    """A group of keys: unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TensorSettings(Group):
    """One declared input or output."""

    name: str = Field(pattern=NAME, description="Name in requests; an input is the function's parameter of that name.")
    datatype: Datatype = Field(description="Datatype of the Open Inference Protocol.")
    shape: tuple[int, ...] = Field(description="Extents; -1 where a request may have any number.")

    @model_validator(mode="after")
    def _extents(self) -> Self:
        if any(extent < -1 for extent in self.shape):
            raise ValueError(f"the shape of {self.name} has a negative extent: {list(self.shape)}; -1 means any")
        return self


class BatchingSettings(Group):
    """How requests are put together along the first axis."""

    max_size: int = Field(1, ge=1, le=65536, description="Rows of a batch at most; 1 switches batching off.")
    max_delay_ms: float = Field(2.0, ge=0, description="Milliseconds that the first request waits for others at most.")
    buckets: tuple[int, ...] | None = Field(
        None,
        description="Rows that batches are padded to; null: the powers of 2 up to max_size. Each is compiled once.",
    )


class ProgramSettings(Group):
    """A program: what it runs, what it takes and gives, and how."""

    program: str = Field(description="`module:function` or `path/to/file.py:function`, relative to this file.")
    version: str = Field("1", pattern=r"^[0-9]{1,18}$", description="Version that requests may name.")
    inputs: tuple[TensorSettings, ...] = Field(min_length=1, description="Declared inputs.")
    outputs: tuple[TensorSettings, ...] = Field(min_length=1, description="Declared outputs.")
    weights: Path | None = Field(None, description=".npz or .safetensors file, loaded to the device once.")
    settings: dict[str, Any] = Field(
        default_factory=dict,
        description="Settings of its workers' container (`backend: xla`, ...), as in latebind.yaml.",
    )
    workers: int = Field(1, ge=1, le=64, description="Processes that run it.")
    memory_limit_mb: int | None = Field(None, ge=64, description="Address space beyond the one after start, in MiB.")
    timeout: float = Field(30.0, gt=0, description="Seconds that a request may take, waiting included.")
    compute_timeout: float | None = Field(
        None,
        gt=0,
        description="Seconds that one run may take before its process is ended and replaced; null: as `timeout`. The "
        "requests of a batch that takes longer are run again one by one, so that only the one to blame fails.",
    )
    startup_timeout: float = Field(300.0, gt=0, description="Seconds that loading and compiling may take.")
    queue: int = Field(256, ge=1, description="Requests that may wait; more get 429.")
    batching: BatchingSettings = Field(default_factory=BatchingSettings, description="Dynamic batching.")
    autoload: bool = Field(True, description="Whether it is loaded when the server starts.")


class ServeSettings(Group):
    """The whole file."""

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port; 0 takes a free one and prints it.")
    token: SecretStr | None = Field(None, description="Bearer token asked of everything but the health routes.")
    repository: bool = Field(False, description="Whether clients may list, load and unload programs.")
    page: bool = Field(True, description="Whether `/` shows the page.")
    max_body_mb: float = Field(64.0, gt=0, description="MiB of a request's body at most.")
    body_timeout: float = Field(30.0, gt=0, description="Seconds that a client may take to send a request.")
    drain_timeout: float = Field(30.0, gt=0, description="Seconds that requests get to finish after SIGTERM.")
    log: Literal["json", "text"] = Field("text", description="Format of the log.")
    programs: dict[str, ProgramSettings] = Field(min_length=1, description="Programs by name.")
