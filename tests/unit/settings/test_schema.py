"""The JSON Schema that editors are given."""

from __future__ import annotations

from latebind.backends.registry import BUILT_IN, BackendCatalogue, BackendSpec
from latebind.settings import settings_schema


def test_every_key_is_described():
    schema = settings_schema()
    groups = [schema, *(each for each in schema["$defs"].values() if not each["title"].endswith("BackendSettings"))]
    for group in groups:
        for name, field in group["properties"].items():
            assert name == "name" or "description" in field or "$ref" in field, (group["title"], name)


def test_the_known_backends_are_members_by_name_and_by_path(catalogue):
    backend = settings_schema(catalogue)["properties"]["backend"]
    text, options, path = backend["anyOf"]
    assert text["examples"] == ["auto", "numpy", "tiled"]
    assert set(options["discriminator"]["mapping"]) == {"auto", "numpy", "tiled"}
    assert path["properties"]["name"]["pattern"] == ":"


def test_unknown_keys_are_refused():
    assert settings_schema()["additionalProperties"] is False


def test_a_broken_third_party_is_left_out_and_said_so():
    broken = BackendSpec("broken", "", "no.such:Backend", source="entry point of broken-package")
    schema = settings_schema(BackendCatalogue([*BUILT_IN, broken]))
    assert "backend 'broken' (entry point of broken-package) cannot be loaded" in schema["$comment"]
