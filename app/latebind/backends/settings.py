"""Base classes of the settings models that backends bring."""

from __future__ import annotations

from typing import Any

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


def backend_part(default: str, *, description: str) -> Any:
    """Return the field of a backend that another one is composed of; its annotation has to be `BackendSettings`.

    In the configuration it is a name, or a mapping with the part's own options. The part is built first, and reaches
    the composed backend's constructor as the keyword argument of the field's name.

    Parameters
    ----------
    default
        Name of the part where the configuration says none; may be `auto`.
    description
        For the JSON Schema.

    Examples
    --------
    >>> class PairSettings(BackendSettings):
    ...     left: BackendSettings = backend_part("auto", description="Runs the graphs.")
    """
    return Field(
        default_factory=lambda: BackendSettings(name=default),
        description=description,
        json_schema_extra={"default": default},
    )


def part_defaults(model: type[BaseModel]) -> dict[str, str]:
    """Return the parts of a composed backend's settings model: the default name of each, by field."""
    return {
        name: field.get_default(call_default_factory=True, validated_data={}).name
        for name, field in model.model_fields.items()
        if isinstance(field.annotation, type)
        and issubclass(field.annotation, BackendSettings)
        and field.default_factory is not None
    }


def part_settings(settings: object) -> dict[str, BackendSettings]:
    """Return the settings of each part that settings of a composed backend hold, by field."""
    fields = type(settings).model_fields if isinstance(settings, BaseModel) else {}
    return {name: value for name in fields if isinstance(value := getattr(settings, name), BackendSettings)}
