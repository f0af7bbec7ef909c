"""Base classes of the settings models that backends bring."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class BackendSettings(BaseModel):
    """What every backend's settings have. A backend subclasses this in its own folder and adds its options.

    Each option is a field with a default and a `description`, which the JSON Schema and `latebind config show` print.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="Which backend compiles and runs the graphs.")
    threads: int | None = Field(
        default=None,
        ge=1,
        description="Threads that the engine may use for one computation; null leaves it at its own default.",
    )


class OpenBackendSettings(BackendSettings):
    """Settings of a third party's backend that brings no model: any option is accepted and handed over as it is."""

    model_config = ConfigDict(extra="allow")
