"""The JSON Schema that editors are given."""

from __future__ import annotations

from latebind.backends.registry import BUILT_IN, BackendCatalogue, BackendSpec
from latebind.settings import settings_schema


def test_every_key_is_described():
    schema = settings_schema()
    definitions = [each for name, each in schema["$defs"].items() if name != "Backend"]
    groups = [schema, *(each for each in definitions if not each["title"].endswith("BackendSettings"))]
    for group in groups:
        for name, field in group["properties"].items():
            assert name == "name" or "description" in field or "$ref" in field, (group["title"], name)


def test_the_known_backends_are_members_by_name_and_by_path(catalogue):
    schema = settings_schema(catalogue)
    assert schema["properties"]["backend"]["$ref"] == "#/$defs/Backend"
    text, options, path = schema["$defs"]["Backend"]["anyOf"]
    assert text["examples"] == ["auto", "numpy", "tiled", "pair", "endless"]
    assert set(options["discriminator"]["mapping"]) == {"auto", "numpy", "tiled", "pair", "endless"}
    assert path["properties"]["name"]["pattern"] == ":"


def test_a_part_is_any_backend(catalogue):
    part = settings_schema(catalogue)["$defs"]["PairSettings"]["properties"]["left"]
    assert part == {"$ref": "#/$defs/Backend", "description": "The one.", "default": "auto"}


def test_unknown_keys_are_refused():
    assert settings_schema()["additionalProperties"] is False


def test_a_broken_third_party_is_left_out_and_said_so():
    broken = BackendSpec("broken", "", "no.such:Backend", source="entry point of broken-package")
    schema = settings_schema(BackendCatalogue([*BUILT_IN, broken]))
    assert "backend 'broken' (entry point of broken-package) cannot be loaded" in schema["$comment"]
