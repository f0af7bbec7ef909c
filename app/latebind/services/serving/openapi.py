"""The OpenAPI document of the server."""

from __future__ import annotations

from typing import Any, Final

from latebind.services.serving.requests import LONGEST_ID
from latebind.services.serving.settings import NAME, ServeSettings
from latebind.services.serving.types import DATATYPES

_ERRORS: Final = {
    "400": "A name, datatype, shape or body that does not fit; `error` names the field.",
    "401": "The bearer token is missing or wrong.",
    "403": "The configuration switches this off.",
    "404": "No program has this name and version.",
    "408": "The body was sent too slowly.",
    "413": "The body is too large.",
    "429": "The program's queue is full; `Retry-After` says when to try again.",
    "500": "The program raised or died.",
    "503": "The program is not loaded, or not ready yet.",
    "504": "The program took too long.",
}
_JSON: Final = "application/json"


def _object(properties: dict[str, Any], required: tuple[str, ...] = (), *, open_: bool = False) -> dict[str, Any]:
    schema = {"type": "object", "properties": properties, "required": list(required), "additionalProperties": open_}
    return schema if required else {name: value for name, value in schema.items() if name != "required"}


def _reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


def _array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_TEXT: Final = {"type": "string"}
_DATATYPE: Final = {"type": "string", "enum": list(DATATYPES)}
_SHAPE: Final = _array({"type": "integer", "minimum": -1})
_PARAMETERS: Final = {
    "type": "object",
    "additionalProperties": {"type": ["string", "number", "boolean"]},
    "not": {"anyOf": [{"required": [name]} for name in ("classification", "shared_memory_region")]},
}
_SCHEMAS: Final[dict[str, Any]] = {
    "Error": _object({"error": _TEXT}, ("error",)),
    "Declared": _object({"name": _TEXT, "datatype": _DATATYPE, "shape": _SHAPE}, ("name", "datatype", "shape")),
    "Model": _object(
        {
            "name": _TEXT,
            "versions": _array(_TEXT),
            "platform": _TEXT,
            "inputs": _array(_reference("Declared")),
            "outputs": _array(_reference("Declared")),
        },
        ("name", "versions", "platform", "inputs", "outputs"),
    ),
    "Server": _object(
        {"name": _TEXT, "version": _TEXT, "extensions": _array(_TEXT), "latebind": {"type": "object"}},
        ("name", "version", "extensions"),
    ),
    "InputTensor": _object(
        {
            "name": _TEXT,
            "datatype": _DATATYPE,
            "shape": _array({"type": "integer", "minimum": 0}),
            "parameters": _PARAMETERS,
            "data": {"type": "array", "description": "Nested as the shape says, or flat in row-major order."},
        },
        ("name", "datatype", "shape"),
    ),
    "WantedOutput": _object({"name": _TEXT, "parameters": _PARAMETERS}, ("name",)),
    "InferRequest": _object(
        {
            "id": {"type": "string", "maxLength": LONGEST_ID},
            "parameters": _PARAMETERS,
            "inputs": _array(_reference("InputTensor")) | {"minItems": 1},
            "outputs": _array(_reference("WantedOutput")),
        },
        ("inputs",),
    ),
    "OutputTensor": _object(
        {
            "name": _TEXT,
            "datatype": _DATATYPE,
            "shape": _array({"type": "integer", "minimum": 0}),
            "parameters": _PARAMETERS,
            "data": {"type": "array", "description": "Flat, row-major; null for NaN and infinities."},
        },
        ("name", "datatype", "shape"),
    ),
    "InferResponse": _object(
        {"model_name": _TEXT, "model_version": _TEXT, "id": _TEXT, "outputs": _array(_reference("OutputTensor"))},
        ("model_name", "outputs"),
    ),
    "Live": _object({"live": {"type": "boolean"}}, ("live",)),
    "Ready": _object({"ready": {"type": "boolean"}}, ("ready",)),
    "ModelReady": _object({"name": _TEXT, "ready": {"type": "boolean"}, "reason": _TEXT}, ("name", "ready")),
    "IndexRequest": _object({"ready": {"type": "boolean"}}, open_=True),
    "Index": _array(
        _object({"name": _TEXT, "version": _TEXT, "state": _TEXT, "reason": _TEXT}, ("name", "state")),
    ),
    "Anything": {"type": "object"},
}


def _content(name: str) -> dict[str, Any]:
    return {_JSON: {"schema": _reference(name)}}


def _operation(
    summary: str, answer: str, errors: str, *, body: str | None = None, open_: bool = False, unready: str | None = None
) -> dict[str, Any]:
    """Describe one operation: what it answers, and with which errors."""
    codes = errors.split() if open_ else ["401", *errors.split()]
    responses: dict[str, Any] = {"200": {"description": "It worked.", "content": _content(answer)}}
    for code in codes:
        responses[code] = {"description": _ERRORS[code], "content": _content("Error")}
    if unready:
        responses["503"] = {"description": "Not ready.", "content": _content(unready)}
    found: dict[str, Any] = {"summary": summary, "responses": responses}
    if body is not None:
        found["requestBody"] = {"content": _content(body), "required": body == "InferRequest"}
    if open_:
        found["security"] = []
    return found


def _infer() -> dict[str, Any]:
    found = _operation("Run a program.", "InferResponse", "400 404 408 413 429 500 503 504", body="InferRequest")
    binary = {"schema": {"type": "string", "format": "binary"}}
    found["responses"]["200"]["content"]["application/octet-stream"] = binary
    found["requestBody"]["content"]["application/octet-stream"] = binary
    found["parameters"] = [
        {
            "name": "Inference-Header-Content-Length",
            "in": "header",
            "required": False,
            "description": "Bytes of JSON before the bytes of binary tensors.",
            "schema": {"type": "integer", "minimum": 1},
        }
    ]
    return found


def openapi_document(settings: ServeSettings, version: str) -> dict[str, Any]:
    """Return the document for these settings."""
    model, by_version = "/v2/models/{name}", "/v2/models/{name}/versions/{version}"
    load = _operation("Load a program, or load it again.", "Anything", "400 403 404 408 413 503", body="Anything")
    unload = _operation("Stop a program.", "Anything", "400 403 404 408 413", body="Anything")
    index = _operation("List the programs.", "Index", "400 403 408 413", body="IndexRequest")
    paths: dict[str, Any] = {
        "/v2": {"get": _operation("About the server.", "Server", "")},
        "/v2/health/live": {"get": _operation("Whether the process answers.", "Live", "", open_=True)},
        "/v2/health/ready": {
            "get": _operation("Whether all programs are ready.", "Ready", "", open_=True, unready="Ready")
        },
        "/v2/repository/index": {"post": index},
        "/v2/repository/models/{name}/load": {"post": load},
        "/v2/repository/models/{name}/unload": {"post": unload},
        "/metrics": {"get": _operation("Prometheus's text.", "Anything", "")},
    }
    paths["/metrics"]["get"]["responses"]["200"]["content"] = {"text/plain": {"schema": _TEXT}}
    for path in (model, by_version):
        paths[path] = {"get": _operation("About a program.", "Model", "404")}
        paths[path + "/ready"] = {
            "get": _operation("Whether a program is ready.", "ModelReady", "404", unready="ModelReady")
        }
        paths[path + "/infer"] = {"post": _infer()}
    for path, item in paths.items():
        if names := [name for name in ("name", "version") if "{" + name + "}" in path]:
            item["parameters"] = [_path_parameter(name, settings) for name in names]
    return {
        "openapi": "3.1.0",
        "info": {"title": "latebind", "version": version, "description": "The Open Inference Protocol v2."},
        "paths": paths,
        "components": {"schemas": _SCHEMAS, "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        "security": [{"bearer": []}] if settings.token is not None else [],
    }


def _path_parameter(name: str, settings: ServeSettings) -> dict[str, Any]:
    schema = {"type": "string", "pattern": NAME if name == "name" else r"^[0-9]{1,18}$"}
    schema["examples"] = sorted(settings.programs) if name == "name" else ["1"]  # type: ignore[assignment]
    return {"name": name, "in": "path", "required": True, "schema": schema}
