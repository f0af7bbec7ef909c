"""What the HTTP side and the workers' side of the server say to each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

import numpy as np

#: Datatypes of the Open Inference Protocol and the dtypes that they are. BYTES and BF16 have none here.
DATATYPES: Final[Mapping[str, np.dtype[Any]]] = {
    name: np.dtype(dtype)
    for name, dtype in {
        "BOOL": "bool", "INT8": "int8", "INT16": "int16", "INT32": "int32", "INT64": "int64", "UINT8": "uint8",
        "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64", "FP16": "float16", "FP32": "float32",
        "FP64": "float64",
    }.items()
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class TensorSpec:
    """One declared input or output.

    Attributes
    ----------
    name, datatype : str
        A key of `DATATYPES`.
    shape : tuple of int
        -1 for an extent that may be anything (only the first one, the batch axis, is batched).
    """

    name: str
    datatype: str
    shape: tuple[int, ...]


class ModelState(StrEnum):
    """What the repository index says of a program."""

    READY = "READY"
    LOADING = "LOADING"
    UNLOADED = "UNAVAILABLE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """What is known of a program.

    Attributes
    ----------
    backend : str
        Name of the backend in its workers.
    reason : str
        Why it is not ready; empty if it is.
    max_batch_size : int
        Rows that one request may have; 0 if the program is not batched.
    """

    name: str
    version: str
    state: ModelState
    backend: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    reason: str = ""
    max_batch_size: int = 0


@dataclass(slots=True)
class InferRequest:
    """A request whose names, dtypes and shapes have been checked against the declaration.

    Attributes
    ----------
    inputs : mapping of str to numpy.ndarray
    outputs : sequence of str or None
        Which ones are wanted; all if `None`.
    parameters : mapping
    request_id : str
        For the log; made up if the client sent none.
    """

    inputs: Mapping[str, np.ndarray]
    outputs: Sequence[str] | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    request_id: str = ""


@dataclass(slots=True)
class InferResult:
    """What a program returned for a request.

    Attributes
    ----------
    outputs : mapping of str to numpy.ndarray
    batch_rows : int
        Rows of the batch that the request was part of, without padding.
    queue_seconds, compute_seconds : float
    """

    outputs: Mapping[str, np.ndarray]
    batch_rows: int = 0
    queue_seconds: float = 0.0
    compute_seconds: float = 0.0


class ModelService(Protocol):
    """The programs, as the HTTP side sees them. Errors are `ServingError`s."""

    def statuses(self) -> Sequence[ModelStatus]:
        """Return all programs of the configuration, loaded or not."""
        ...

    def status(self, name: str, version: str | None = None) -> ModelStatus:
        """Return one program; `UnknownModelError` if there is none."""
        ...

    async def infer(self, name: str, version: str | None, request: InferRequest) -> InferResult:
        """Run a program. Cancelling the call takes the request out of the queue."""
        ...

    async def load(self, name: str) -> None:
        """Load a program (again): requests go to the old workers until the new ones are ready."""
        ...

    async def unload(self, name: str) -> None:
        """Stop a program after the requests that it has."""
        ...

    def report(self) -> Mapping[str, Any]:
        """Return live figures by program, for `/metrics` and the page: plain numbers, strings, lists and mappings."""
        ...

    async def graphs(self, name: str) -> Sequence[Mapping[str, str]]:
        """Return the compiled graphs of a program: `name`, `ir`, `dot`, `backend_text`."""
        ...
