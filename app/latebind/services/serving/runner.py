"""A program in its worker process: its container, its compiled function, and the runs that warm it up."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, cast

import numpy as np
from pydantic import BaseModel

import latebind
from latebind.backends.interface import Backend
from latebind.backends.tiered.backend import TieredBackend
from latebind.backends.tiered.policy import Phase
from latebind.containers import Container, process_default
from latebind.errors import CaptureError
from latebind.injection.container import BoundContainer
from latebind.injection.library import providers
from latebind.services.serving.buckets import buckets_of
from latebind.services.serving.errors import ProgramLoadError, ResultMismatchError
from latebind.services.serving.places import SourceFolders
from latebind.services.serving.program import (
    check_parameters,
    host_result,
    inputs_for,
    is_batched,
    load_function,
    load_weights,
    named_results,
    shapes_are_known,
    specs_of,
)
from latebind.services.serving.settings import ProgramSettings
from latebind.services.serving.shelf import GraphShelf
from latebind.services.serving.types import DATATYPES
from latebind.settings import Settings, load_settings, settings_with_provenance

logger = logging.getLogger("latebind.serving")

#: Runs that warm a shape up: at least so many, so that calls take the short way, and at most.
_RUNS_AT_LEAST: Final = 3
_RUNS_AT_MOST: Final = 64
#: Seconds that deciding on tiers may take per shape beside.
_DECIDING: Final = 5.0
#: What a tiered backend does in a worker unless told otherwise, where all shapes are known: everything is compiled,
#: tried and decided before the worker is ready. Shapes that are not known run on the baseline at once, and are compiled
#: in the background, as the backend does by itself: requests never wait for its compiler.
_TIERS: Final[Mapping[str, object]] = {"compile_after": 0.0, "synchronous": True}
#: A worker waits for each result, so that a thread for computations gains nothing.
_ALONE: Final[Mapping[str, object]] = {"asynchronous": "never"}
#: Several workers would write their progress over each other, and over the log.
_QUIET: Final[Mapping[str, object]] = {"progress": False}


def worker_settings(given: Mapping[str, object], *, shapes_are_known: bool = True) -> Settings:
    """Return the settings of a worker's container: those of its program, over the environment's.

    Raises
    ------
    SettingsError, BackendUnavailableError
        As `load_settings` does.
    """
    settings = load_settings(None, given, overrides_from="the program's settings")
    said = {each.key for each in settings_with_provenance(settings) if each.source != "default"}
    changed = {"execution": _ALONE, "tracing": _QUIET}
    if settings.backend.name == "tiered" and shapes_are_known:
        changed["backend"] = _TIERS
    update = {}
    for group, values in changed.items():
        model: BaseModel = getattr(settings, group)
        unsaid = {key: value for key, value in values.items() if f"{group}.{key}" not in said}
        update[group] = model.model_copy(update=unsaid)
    return settings.model_copy(update=update)


class ProgramRunner:
    """Loads a program and runs it. For one thread.

    Parameters
    ----------
    name
        For messages.
    program
    base
        Folder that its paths are relative to.

    Raises
    ------
    ProgramLoadError, LatebindError
        If it cannot be loaded.
    """

    def __init__(self, name: str, program: ProgramSettings, base: Path) -> None:
        self.program = program
        self._base = base
        self.inputs = specs_of(program.inputs)
        self.outputs = specs_of(program.outputs)
        self.batched = is_batched(program)
        settings = worker_settings(program.settings, shapes_are_known=shapes_are_known(program))
        self.container = cast(BoundContainer, Container(name=f"program {name}", settings=settings))
        self._shelf = GraphShelf()
        self.container.tracer.override(providers.Object(self._shelf))
        self._deterministic = settings.deterministic
        self._leaving = ExitStack()
        self._leaving.callback(self.container.close)
        self._leaving.enter_context(self.container)
        self._leaving.enter_context(process_default(self.container))
        self.backend: Backend = self.container.backend()
        self._function = load_function(program.program, base)
        self._call = latebind.compile(self._function)
        takes_weights = check_parameters(self._function, program)
        self._fixed: dict[str, object] = {}
        if takes_weights and program.weights is not None:
            weights = load_weights(base / program.weights)
            self._fixed["weights"] = {key: latebind.asarray(array) for key, array in weights.items()}

    def close(self) -> None:
        """Close the container."""
        self._leaving.close()

    # Running

    def run(self, inputs: Sequence[np.ndarray], rows: int | None = None) -> list[np.ndarray]:
        """Run the program and return its outputs in host memory.

        Parameters
        ----------
        inputs
            In the order of their declaration. The program may keep their memory.
        rows
            Rows of the batch, padding included; `None` where requests are not put together.

        Raises
        ------
        ResultMismatchError
            If the results are not as declared.
        Exception
            Whatever the program raises.
        """
        arguments = {}
        for spec, array in zip(self.inputs, inputs, strict=True):
            array.flags.writeable = False  # nobody writes to it any more, so that it need not be copied
            arguments[spec.name] = latebind.asarray(array)
        results = named_results(self._result(arguments), self.outputs)
        return [host_result(value, spec, rows) for value, spec in zip(results, self.outputs, strict=True)]

    def _result(self, arguments: Mapping[str, object]) -> object:
        if self._call is self._function:
            return self._function(**arguments, **self._fixed)
        try:
            return self._call(**arguments, **self._fixed)
        except CaptureError as error:
            logger.warning("the program cannot be compiled as a whole and is recorded at every request: %s", error)
            self._call = self._function  # type: ignore[assignment]
            return self._result(arguments)

    # Before the first request

    def warm_up(self) -> None:
        """Run the program on zeros until no request of a declared shape has to wait for a compiler.

        Free extents are 1, but the first one, which is each number of rows that batches are padded to. A program with
        other free extents may raise on that and is taken as it is.

        Raises
        ------
        ProgramLoadError
            If the program raises, or returns something else than it declares.
        """
        guessed = any(extent == -1 for spec in self.inputs for extent in spec.shape[1:])
        for rows in buckets_of(self.program.batching) if self.batched else (None,):
            self._shelf.label = "" if rows is None else f"{rows} rows"
            try:
                self._warm_up(rows)
            except Exception as error:
                if not guessed or isinstance(error, ResultMismatchError):
                    what = "zeros" if rows is None else f"{rows} rows of zeros"
                    raise ProgramLoadError(f"on {what}, the program raised {type(error).__name__}: {error}") from error
                logger.warning(
                    "on zeros with free extents of 1, the program raised %s: %s", type(error).__name__, error
                )
                break
        self._shelf.label = ""

    def _warm_up(self, rows: int | None) -> None:
        began = time.monotonic()
        active: tuple[int, ...] = ()
        for number in range(1, 1 << 20):
            before, active = active, self._activity()
            enough = number > _RUNS_AT_MOST or (number > _RUNS_AT_LEAST and before == active)
            if enough and (self._decided() or time.monotonic() - began > _DECIDING):
                return
            self.run(inputs_for(self.inputs, rows), rows)

    def _activity(self) -> tuple[int, ...]:
        """Return what grows as long as graphs are new."""
        return self.compilations(), self.container.metrics().counter("Interpreted")

    def _decided(self) -> bool:
        """Whether a tiered backend has decided where each graph runs."""
        if not isinstance(self.backend, TieredBackend) or self._deterministic:
            return True
        undecided = (Phase.WAITING, Phase.COMPILED, Phase.TRIAL)
        return not any(program.phase in undecided for program in self.backend.ledger.programs())

    # Figures

    def compilations(self) -> int:
        """Return how often an engine's compiler was called."""
        compiled, _ = self.container.metrics().timers().get("CompileTime", (0, 0.0))
        if isinstance(self.backend, TieredBackend):
            compiled += self.backend.ledger.counters()["TierCompiled"]
        return int(compiled)

    def figures(self) -> dict[str, Any]:
        """Return counters, compilations, what fell back, and the memory of the devices."""
        counters = self.container.metrics().counters()
        if isinstance(self.backend, TieredBackend):
            counters |= self.backend.ledger.counters()
        prefix = "Fallback::"
        fallbacks = {name.removeprefix(prefix): value for name, value in counters.items() if name.startswith(prefix)}
        if counters.get("FallbackGraphs"):
            fallbacks["whole graphs"] = counters["FallbackGraphs"]
        return {
            "counters": counters,
            "compilations": self.compilations(),
            "fallbacks": fallbacks,
            "device_bytes": self.backend.device_bytes(),
        }

    def graphs(self) -> list[dict[str, str]]:
        """Return the compiled graphs: `name`, `ir`, `dot`, `backend_text`, without the folders of this machine."""
        folders = SourceFolders([self._base])
        return [{form: folders.shorten(text) for form, text in graph.items()} for graph in self._shelf.texts()]

    def dtypes(self) -> list[np.dtype[Any]]:
        """Return the dtypes of the inputs, in the order of their declaration."""
        return [DATATYPES[spec.datatype] for spec in self.inputs]
