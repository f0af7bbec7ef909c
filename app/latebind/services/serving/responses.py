"""Inference responses of the Open Inference Protocol v2: JSON, or JSON followed by the bytes of tensors."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import orjson

from latebind.services.serving.requests import WantedOutput
from latebind.services.serving.types import DATATYPES, InferResult, ModelStatus

#: Bytes from which on a response is compressed for a client that accepts that.
WORTH_COMPRESSING: Final = 16_384
JSON: Final = "application/json"
BINARY: Final = "application/octet-stream"
_NAMES: Final = {dtype: name for name, dtype in DATATYPES.items()}


def encode_result(
    result: InferResult, outputs: Sequence[WantedOutput], status: ModelStatus, client_id: str | None
) -> tuple[bytes, dict[str, str]]:
    """Return a response's body and headers.

    NaN and infinities are `null` in JSON, which has no such numbers; the binary form keeps them.
    """
    entries: list[dict[str, Any]] = []
    tails: list[bytes] = []
    for wanted in outputs:
        array = np.ascontiguousarray(result.outputs[wanted.name])
        entry: dict[str, Any] = {
            "name": wanted.name,
            "datatype": _NAMES[array.dtype],
            "shape": list(result.outputs[wanted.name].shape),
        }
        if wanted.binary:
            tails.append(array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes())
            entry["parameters"] = {"binary_data_size": len(tails[-1])}
        else:
            entry["data"] = array.reshape(-1)
        entries.append(entry)
    document: dict[str, Any] = {"model_name": status.name, "model_version": status.version}
    if client_id is not None:
        document["id"] = client_id
    document["outputs"] = entries
    head = orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)
    if not tails:
        return head, {"content-type": JSON}
    return b"".join((head, *tails)), {"content-type": BINARY, "inference-header-content-length": str(len(head))}


def compress(body: bytes, headers: dict[str, str], accepted: str) -> bytes:
    """Compress a body if it is large and the client accepts a way; the headers are changed to say so."""
    if len(body) < WORTH_COMPRESSING:
        return body
    ways = {way.partition(";")[0].strip().lower() for way in accepted.split(",") if not way.endswith("q=0")}
    if "gzip" in ways:
        headers["content-encoding"] = "gzip"
        return gzip.compress(body, compresslevel=1)
    if "deflate" in ways:
        headers["content-encoding"] = "deflate"
        return zlib.compress(body, level=1)
    return body
