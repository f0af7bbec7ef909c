"""What can be configured: one pydantic model per group of keys, each key documented where it stands."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, SerializeAsAny
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from latebind.backends.settings import BackendSettings


def _refuse_truth_value(value: object) -> object:
    if isinstance(value, bool):
        raise ValueError("should be a number, not a truth value")
    return value


def _split_commas(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Integer = Annotated[int, BeforeValidator(_refuse_truth_value)]
Number = Annotated[float, BeforeValidator(_refuse_truth_value)]


class SettingsGroup(BaseModel):
    """A group of keys: unknown keys are refused, and nothing changes after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class AutoBackendSettings(BackendSettings):
    """`backend: auto`: the installed backend of the highest priority, found without importing the others.

    `load_settings` puts the settings of the backend that it takes in its place.
    """

    name: Literal["auto"] = "auto"


class DefaultDtypeSettings(SettingsGroup):
    """Dtypes of arrays that are created without one."""

    real: Literal["float64", "float32"] = Field("float64", description="Dtype of Python floats.")
    integral: Literal["int64", "int32"] = Field("int64", description="Dtype of Python integers.")
    complex: Literal["complex128", "complex64"] = Field("complex128", description="Dtype of Python complex numbers.")


class RecordingSettings(SettingsGroup):
    """How operations are recorded."""

    limit: Integer = Field(
        10_000, ge=1, description="Operations after which a recording is flushed by itself, so that it cannot grow."
    )
    direct: bool = Field(
        True,
        description="Whether a program whose recordings keep missing the cache runs operation by operation, without "
        "recording, until it repeats itself; where the backend's values are host arrays.",
    )
    source_lines: bool = Field(True, description="Whether errors and printed graphs name the line of user code.")


class CacheSettings(SettingsGroup):
    """How many computations are kept, and how large they may be together."""

    max_entries: Integer = Field(
        512, ge=1, description="Computations kept per backend; the least recently used is dropped first."
    )
    max_bytes: Integer = Field(
        1 << 29, ge=1, description="Bytes that the computations kept may take in host memory, estimated."
    )


class ExecutionSettings(SettingsGroup):
    """Where computations run."""

    asynchronous: Literal["auto", "never", "always"] = Field(
        "auto",
        description="Whether computations run on a worker thread while Python records on: 'auto' does where the "
        "engine blocks and the computation is long enough to gain.",
    )
    queue_size: Integer = Field(
        16, ge=1, description="Computations that may wait for the worker before the caller does."
    )
    inline_below_us: Number | None = Field(
        None,
        ge=0,
        description="Computations expected to take fewer microseconds than this run on the caller's thread; null "
        "measures the threshold.",
    )


class TracingSettings(SettingsGroup):
    """What is kept, and shown, of the graphs that are compiled."""

    show: Annotated[tuple[Literal["text", "ir", "dot"], ...], BeforeValidator(_split_commas)] = Field(
        (), description="Forms to keep of each graph: 'ir' (StableHLO-like), 'dot' (Graphviz), 'text' (the backend's)."
    )
    progress: bool = Field(
        True,
        description="Whether a compilation that takes longer than a second is shown on standard error, where that is a "
        "terminal.",
    )
    warn_after_compilations: Integer | None = Field(
        8,
        ge=1,
        description="Compilations that one line of user code may cause before a warning says why the last one was made;"
        " null never warns.",
    )


class Settings(BaseSettings):
    """Everything that can be configured.

    The constructor takes keyword arguments only; `load_settings` reads the environment, `.env` and YAML as well.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True, validate_default=True)

    backend: SerializeAsAny[BackendSettings] = Field(
        default_factory=lambda: AutoBackendSettings(), description="The backend and its own options."
    )
    eager: bool = Field(False, description="Run every operation at once instead of recording it, for debugging.")
    deterministic: bool = Field(
        False,
        description="Never turn scalars into parameters: a graph is always compiled with its constants. It also stays "
        "on the baseline of a tiered backend.",
    )
    fallback: Literal["reference", "error"] = Field(
        "reference",
        description="What happens to an operation that the backend can neither lower nor decompose: it runs on the "
        "reference backend and is counted, or it is an error.",
    )
    numpy_fallback: Literal["error", "convert"] = Field(
        "error",
        description="What happens to a NumPy function that has no lazy form when it gets a lazy array: it is an error, "
        "or it runs on NumPy arrays, gives one, and is counted.",
    )
    verify: bool = Field(
        False, description="Check every graph before it is lowered; slower, for those who write rules or backends."
    )
    seed: Integer | None = Field(
        None,
        description="Seed of the default generators of `latebind.random`, and of the engine's own; null takes entropy "
        "from the operating system and leaves the engine's as they are.",
    )
    default_dtype: DefaultDtypeSettings = Field(DefaultDtypeSettings(), description=DefaultDtypeSettings.__doc__)
    recording: RecordingSettings = Field(RecordingSettings(), description=RecordingSettings.__doc__)
    cache: CacheSettings = Field(CacheSettings(), description=CacheSettings.__doc__)
    execution: ExecutionSettings = Field(ExecutionSettings(), description=ExecutionSettings.__doc__)
    tracing: TracingSettings = Field(TracingSettings(), description=TracingSettings.__doc__)

    #: Source of each value that is not a default, by key path.
    _sources: dict[tuple[str, ...], str] = PrivateAttr(default_factory=dict)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read keyword arguments only: `load_settings` reads the rest, and knows where each value is from."""
        return (init_settings,)
