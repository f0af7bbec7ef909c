"""Inference requests of the Open Inference Protocol v2: from bytes to arrays, everything checked before it is made.

A body is JSON, or JSON followed by the bytes of tensors (the binary tensor extension); the header
`Inference-Header-Content-Length` says where the JSON ends. Errors name the field.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from math import prod
from typing import Any, Final

import numpy as np
import orjson

from latebind.services.serving.errors import InvalidRequestError
from latebind.services.serving.types import DATATYPES, InferRequest, ModelStatus, TensorSpec

#: Characters of an `id` at most.
LONGEST_ID: Final = 200
#: Parameters that name parts of the protocol which are not served.
_UNSERVED: Final = {
    "classification": "the classification extension",
    "shared_memory_region": "the shared memory extension",
    "shared_memory_byte_size": "the shared memory extension",
    "shared_memory_offset": "the shared memory extension",
}
_REQUEST_KEYS: Final = frozenset(("id", "parameters", "inputs", "outputs"))


@dataclass(frozen=True, slots=True)
class WantedOutput:
    """An output that the response is to have."""

    name: str
    binary: bool


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """What a body says.

    Attributes
    ----------
    request : InferRequest
    outputs : tuple of WantedOutput
    client_id : str or None
        The `id`, which the response repeats.
    """

    request: InferRequest
    outputs: tuple[WantedOutput, ...]
    client_id: str | None


def parse_request(body: bytes | memoryview, header_length: str | None, status: ModelStatus) -> ParsedRequest:
    """Return the request that a body holds.

    Parameters
    ----------
    body
        Decompressed.
    header_length
        Value of `Inference-Header-Content-Length`; `None` if the body is JSON as a whole.
    status
        What the program declares.

    Raises
    ------
    InvalidRequestError
        If anything does not fit; nothing is allocated then but what the body itself takes.
    """
    view = memoryview(body)
    cut = len(view) if header_length is None else _header_length(header_length, len(view))
    document = _document(view[:cut])
    parameters = _parameters(document.get("parameters"), "parameters")
    binary_default = _flag(parameters.pop("binary_data_output", False), "parameters.binary_data_output")
    inputs = _inputs(document.get("inputs"), view[cut:], status)
    outputs = _outputs(document.get("outputs"), status, binary_default)
    client_id = _client_id(document.get("id"))
    request = InferRequest(inputs, tuple(one.name for one in outputs), parameters)
    return ParsedRequest(request, outputs, client_id)


def _header_length(text: str, size: int) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise InvalidRequestError(f"Inference-Header-Content-Length has to be a number of bytes, got {text[:40]!r}")
    length = int(text)
    if not 0 < length <= size:
        raise InvalidRequestError(f"Inference-Header-Content-Length is {length}, the body has {size} bytes")
    return length


def _document(text: memoryview) -> dict[str, Any]:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise InvalidRequestError(f"the body is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise InvalidRequestError("the body has to be a JSON object with 'inputs'")
    unknown = sorted(document.keys() - _REQUEST_KEYS)
    if unknown:
        raise InvalidRequestError(f"unknown field {_shown(unknown[0])}: known are {', '.join(sorted(_REQUEST_KEYS))}")
    return document


def _parameters(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidRequestError(f"{where} has to be an object")
    for name, one in value.items():
        if name in _UNSERVED:
            raise InvalidRequestError(f"{where}.{name}: {_UNSERVED[name]} is not served here")
        if not isinstance(one, (str, int, float, bool)):
            raise InvalidRequestError(f"{where}.{_shown(name)} has to be a string, a number or a truth value")
    return dict(value)


def _flag(value: Any, where: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidRequestError(f"{where} has to be true or false")
    return value


def _client_id(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > LONGEST_ID or not value.isprintable():
        raise InvalidRequestError(f"id has to be a string of at most {LONGEST_ID} printable characters")
    return value


# Inputs


def _inputs(value: Any, binary: memoryview, status: ModelStatus) -> dict[str, np.ndarray]:
    if not isinstance(value, list) or not value:
        raise InvalidRequestError("inputs has to be a list with the program's inputs")
    specs = {spec.name: spec for spec in status.inputs}
    if len(value) > len(specs):
        raise InvalidRequestError(f"inputs has {len(value)} entries, the program has {len(specs)} inputs")
    found: dict[str, np.ndarray] = {}
    at = 0
    for index, entry in enumerate(value):
        where = f"inputs[{index}]"
        spec = _spec(entry, where, specs)
        if spec.name in found:
            raise InvalidRequestError(f"{where}.name: {spec.name!r} is there twice")
        shape = _shape(entry, where, spec, status.max_batch_size)
        array, taken = _tensor(entry, where, spec, shape, binary[at:])
        found[spec.name] = array
        at += taken
    if at != len(binary):
        raise InvalidRequestError(f"{len(binary) - at} bytes follow the last binary tensor")
    missing = [name for name in specs if name not in found]
    if missing:
        raise InvalidRequestError(f"inputs: {missing[0]!r} is missing")
    return found


def _spec(entry: Any, where: str, specs: Mapping[str, TensorSpec]) -> TensorSpec:
    if not isinstance(entry, dict):
        raise InvalidRequestError(f"{where} has to be an object")
    name, datatype = entry.get("name"), entry.get("datatype")
    spec = specs.get(name) if isinstance(name, str) else None
    if spec is None:
        raise InvalidRequestError(f"{where}.name: {_shown(name)} is no input of the program; it has {_names(specs)}")
    if datatype != spec.datatype:
        served = "" if datatype in DATATYPES else ", a datatype that is not served"
        raise InvalidRequestError(f"{where}.datatype: {spec.name!r} is {spec.datatype}, got {_shown(datatype)}{served}")
    return spec


def _shape(entry: Mapping[str, Any], where: str, spec: TensorSpec, most_rows: int) -> tuple[int, ...]:
    shape = entry.get("shape")
    if not isinstance(shape, list) or any(type(extent) is not int or extent < 0 for extent in shape):
        raise InvalidRequestError(f"{where}.shape has to be a list of whole numbers")
    if len(shape) != len(spec.shape):
        raise InvalidRequestError(f"{where}.shape: {spec.name!r} has {len(spec.shape)} dimensions, got {len(shape)}")
    for axis, (extent, declared) in enumerate(zip(shape, spec.shape, strict=True)):
        if declared not in (-1, extent):
            raise InvalidRequestError(f"{where}.shape[{axis}]: {spec.name!r} has {list(spec.shape)}, got {shape}")
    if most_rows and shape and shape[0] > most_rows:
        raise InvalidRequestError(f"{where}.shape[0]: at most {most_rows} rows are taken in one request")
    return tuple(shape)


def _tensor(
    entry: Mapping[str, Any], where: str, spec: TensorSpec, shape: tuple[int, ...], binary: memoryview
) -> tuple[np.ndarray, int]:
    """Return a tensor, and how many of the binary bytes it took."""
    parameters = _parameters(entry.get("parameters"), f"{where}.parameters")
    size = parameters.get("binary_data_size")
    if size is None:
        if "data" not in entry:
            raise InvalidRequestError(f"{where}.data is missing")
        return _from_json(entry["data"], f"{where}.data", spec.datatype, shape), 0
    if "data" in entry:
        raise InvalidRequestError(f"{where} has both data and parameters.binary_data_size")
    expected = prod(shape) * DATATYPES[spec.datatype].itemsize
    if type(size) is not int or size != expected:
        raise InvalidRequestError(
            f"{where}.parameters.binary_data_size: {spec.datatype} of shape {list(shape)} has {expected} bytes, "
            f"got {_shown(size)}"
        )
    if len(binary) < expected:
        raise InvalidRequestError(f"{where}: the body has {len(binary)} of its {expected} bytes")
    return _from_bytes(binary[:expected], where, spec.datatype, shape), expected


def _from_bytes(data: memoryview, where: str, datatype: str, shape: tuple[int, ...]) -> np.ndarray:
    if datatype == "BOOL":
        found = np.frombuffer(data, np.uint8)
        if found.size and found.max() > 1:
            raise InvalidRequestError(f"{where}: a BOOL is a byte 0 or 1")
        return found.view(np.bool_).reshape(shape)
    dtype = DATATYPES[datatype]
    return np.frombuffer(data, dtype.newbyteorder("<")).astype(dtype, copy=False).reshape(shape)


#: Python types that the numbers of a datatype's kind may have in JSON.
_KINDS: Final[dict[str, set[type]]] = {"b": {bool}, "i": {int}, "u": {int}, "f": {int, float}}


def _from_json(data: Any, where: str, datatype: str, shape: tuple[int, ...]) -> np.ndarray:
    if not isinstance(data, list):
        raise InvalidRequestError(f"{where} has to be a list")
    values = _flat(data, where, shape)
    count = prod(shape)
    if len(values) != count:
        raise InvalidRequestError(f"{where} has {len(values)} numbers, shape {list(shape)} has {count}")
    dtype = DATATYPES[datatype]
    kinds = set(map(type, values))
    if not kinds <= _KINDS[dtype.kind]:
        wrong = next(iter(kinds - _KINDS[dtype.kind]))
        raise InvalidRequestError(f"{where}: {datatype} cannot hold {_KIND_NAMES.get(wrong, wrong.__name__)}")
    try:
        with np.errstate(over="ignore"):
            found = np.array(values, dtype)
    except (OverflowError, ValueError):
        raise InvalidRequestError(f"{where}: a number does not fit into {datatype}") from None
    if dtype.kind == "f" and not np.isfinite(found).all():
        raise InvalidRequestError(f"{where}: a number does not fit into {datatype}")
    return found.reshape(shape)


_KIND_NAMES: Final = {
    type(None): "null (NaN and infinities are sent as binary data)",
    bool: "truth values",
    float: "fractions",
    int: "whole numbers",
    str: "text",
    list: "lists of other depths",
    dict: "objects",
}


def _flat(data: list[Any], where: str, shape: tuple[int, ...]) -> Sequence[Any]:
    """Return the numbers of a list that is flat already, or nested as the shape says."""
    if not data or not isinstance(data[0], list):
        return data
    for depth, extent in enumerate(shape):
        if depth:
            if not all(type(one) is list for one in data):
                raise InvalidRequestError(f"{where} is nested less deep than its shape {list(shape)}")
            if any(len(one) != extent for one in data):
                raise InvalidRequestError(f"{where}: a list at depth {depth} has not the {extent} entries of its shape")
            data = list(chain.from_iterable(data))
        elif len(data) != extent:
            raise InvalidRequestError(f"{where} has {len(data)} entries, shape {list(shape)} has {extent}")
    return data


# Outputs


def _outputs(value: Any, status: ModelStatus, binary_default: bool) -> tuple[WantedOutput, ...]:
    names = {spec.name for spec in status.outputs}
    if value is None or value == []:
        return tuple(WantedOutput(spec.name, binary_default) for spec in status.outputs)
    if not isinstance(value, list):
        raise InvalidRequestError("outputs has to be a list")
    found: dict[str, WantedOutput] = {}
    for index, entry in enumerate(value):
        where = f"outputs[{index}]"
        if not isinstance(entry, dict):
            raise InvalidRequestError(f"{where} has to be an object")
        name = entry.get("name")
        if not isinstance(name, str) or name not in names:
            raise InvalidRequestError(
                f"{where}.name: {_shown(name)} is no output of the program; it has {_names(names)}"
            )
        if name in found:
            raise InvalidRequestError(f"{where}.name: {name!r} is there twice")
        parameters = _parameters(entry.get("parameters"), f"{where}.parameters")
        binary = _flag(parameters.get("binary_data", binary_default), f"{where}.parameters.binary_data")
        found[name] = WantedOutput(name, binary)
    return tuple(found.values())


def _names(names: Any) -> str:
    return ", ".join(map(repr, sorted(names)))


def _shown(value: Any) -> str:
    """Return what a client sent, short enough to be sent back."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
