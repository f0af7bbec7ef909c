from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from latebind.backends.registry import BUILT_IN, BackendCatalogue, BackendSpec
from latebind.errors import SettingsError
from latebind.settings import Settings, load_settings

#: A backend whose settings model has options; its class is never loaded, only the model.
TILED = BackendSpec(
    name="tiled",
    summary="a backend with options",
    backend="no.such.module:Nothing",
    settings="tiled_settings:TiledSettings",
    extra="tiled",
    requires=("no_such_engine",),
)

#: A backend that is composed of two others, and one whose default makes it a part of itself.
PAIR = BackendSpec("pair", "two backends", "no.such.module:Nothing", settings="tiled_settings:PairSettings")
ENDLESS = BackendSpec("endless", "itself", "no.such.module:Nothing", settings="tiled_settings:EndlessSettings")

MODEL = """
from pydantic import Field
from latebind.backends.settings import BackendSettings, backend_part

class TiledSettings(BackendSettings):
    tile_size: int = Field(16, ge=1, description="Edge of a tile.")
    order: list[str] = []

class PairSettings(BackendSettings):
    left: BackendSettings = backend_part("auto", description="The one.")
    right: BackendSettings = backend_part("tiled", description="The other.")
    strict: bool = Field(False, description="An option of its own.")

class EndlessSettings(BackendSettings):
    inner: BackendSettings = backend_part("endless", description="Itself.")
"""

Load = Callable[..., Settings]


@pytest.fixture
def catalogue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BackendCatalogue:
    (tmp_path / "tiled_settings.py").write_text(MODEL)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(__import__("sys").modules, "tiled_settings", raising=False)
    numpy = next(spec for spec in BUILT_IN if spec.name == "numpy")
    return BackendCatalogue([numpy, TILED, PAIR, ENDLESS])


@pytest.fixture
def load(tmp_path: Path, catalogue: BackendCatalogue) -> Load:
    """Load settings from texts: the YAML file, the .env file, the environment, keyword arguments."""

    def load_texts(
        yaml: str | None = None, env: dict[str, str] | None = None, dotenv: str | None = None, **overrides: Any
    ) -> Settings:
        config = None
        if yaml is not None:
            config = tmp_path / "config.yaml"
            config.write_text(yaml)
        dotenv_path = tmp_path / ".env"
        dotenv_path.write_text(dotenv or "")
        return load_settings(config, overrides, environ=env or {}, dotenv=dotenv_path, catalogue=catalogue)

    return load_texts


@pytest.fixture
def failure(load: Load, tmp_path: Path) -> Callable[..., str]:
    """Load settings that cannot be used and return the message, with the temporary folder's path taken out."""

    def message(*args: Any, **kwargs: Any) -> str:
        with pytest.raises(SettingsError) as caught:
            load(*args, **kwargs)
        text = str(caught.value)
        assert "\n" not in text
        return text.replace(f"{tmp_path}/", "")

    return message
