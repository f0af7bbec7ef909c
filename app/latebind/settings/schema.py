"""The JSON Schema of a configuration file."""

from __future__ import annotations

from typing import Any, Final

from latebind.backends.registry import AUTO, BackendCatalogue, default_catalogue
from latebind.backends.settings import BackendSettings
from latebind.errors import BackendUnavailableError
from latebind.settings.model import AutoBackendSettings
from latebind.settings.selection import settings_class

#: Definition that stands for any backend, the parts of a composed one included.
_ANY_BACKEND: Final = "Backend"


def settings_schema(catalogue: BackendCatalogue | None = None) -> dict[str, Any]:
    """Return the JSON Schema of a configuration file, with the options of every known backend that can be loaded."""
    catalogue = catalogue or default_catalogue()
    models: list[type[BackendSettings]] = []
    left_out: list[str] = []
    for spec in catalogue.specs.values():
        try:
            models.append(spec.load_settings_model())
        except BackendUnavailableError as error:
            left_out.append(str(error))
    schema = settings_class((AutoBackendSettings, *models)).model_json_schema()
    definitions, backend = schema["$defs"], schema["properties"]["backend"]
    by_name = {"type": "string", "description": "Name of a backend, or a dotted path 'package.module:Class'."}
    by_path = {"type": "object", "required": ["name"], "properties": {"name": {"type": "string", "pattern": ":"}}}
    options = {key: backend.pop(key) for key in ("oneOf", "discriminator") if key in backend}
    if definitions.pop(BackendSettings.__name__, None) is not None:
        _replace(definitions, f"#/$defs/{BackendSettings.__name__}", f"#/$defs/{_ANY_BACKEND}")
    definitions[_ANY_BACKEND] = {"anyOf": [by_name | {"examples": [AUTO, *catalogue.specs]}, options, by_path]}
    backend["$ref"] = f"#/$defs/{_ANY_BACKEND}"
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    if left_out:
        schema["$comment"] = "left out: " + "; ".join(left_out)
    return schema


def _replace(schema: object, reference: str, by: str) -> None:
    """Replace a reference wherever it stands."""
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref" and value == reference:
                schema[key] = by
            _replace(value, reference, by)
    elif isinstance(schema, list):
        for value in schema:
            _replace(value, reference, by)
