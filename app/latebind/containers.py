"""The composition root: which provider builds what from what. Nothing else builds a backend."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter, methodcaller
from typing import TYPE_CHECKING, Any, Protocol, cast

from latebind.backends.interface import Backend, BackendDevice, EmissionMap, LoweringContext
from latebind.backends.registry import default_catalogue
from latebind.explaining.notices import Notices
from latebind.injection.backend import BackendProvider
from latebind.injection.container import BoundContainer
from latebind.injection.derived import PerBackend, Slot
from latebind.injection.library import containers, providers
from latebind.injection.lifecycle import Lifecycle
from latebind.profiling.progress import show_progress
from latebind.runtime.cache import ComputationCache
from latebind.runtime.current import set_default_factory
from latebind.runtime.executor import LazyGraphExecutor
from latebind.runtime.metrics import Metrics
from latebind.runtime.options import ExecutorOptions
from latebind.runtime.tracing import Tracer
from latebind.settings import Settings, load_settings

if TYPE_CHECKING:
    from latebind.array.namespace import Namespace
    from latebind.ir.builder import IrBuilder
    from latebind.ir.node import Node

REFERENCE_BACKEND = "numpy"


class LoweringContextFactory(Protocol):
    """Makes lowering contexts, in both forms."""

    def __call__(
        self,
        name: str,
        device: BackendDevice,
        post_order: Sequence[Node] = (),
        emission_map: EmissionMap[Any] | None = None,
    ) -> LoweringContext[Any]:
        """Return an empty lowering context, or one with nodes and what is already emitted."""


def build_backend(settings: Settings) -> Backend:
    """Make the backend that the settings name, with its own settings."""
    backend = default_catalogue().build(settings.backend)
    if settings.deterministic:
        backend.be_deterministic()
    return backend


def build_reference_backend(lifecycle: Lifecycle) -> Backend:
    """Make the backend that runs what the configured one cannot."""
    backend = default_catalogue().find(REFERENCE_BACKEND).build()
    lifecycle.add(backend.prepare_to_exit)
    return backend


def executor_options(settings: Settings) -> ExecutorOptions:
    """Return the few values that the executor needs."""
    return ExecutorOptions(
        eager=settings.eager,
        deterministic=settings.deterministic,
        fallback=settings.fallback,
        numpy_fallback=settings.numpy_fallback,
        recording_limit=settings.recording.limit,
        asynchronous=settings.execution.asynchronous,
        queue_size=settings.execution.queue_size,
        inline_below_us=settings.execution.inline_below_us,
        default_real=settings.default_dtype.real,
        default_integral=settings.default_dtype.integral,
        default_complex=settings.default_dtype.complex,
        seed=settings.seed,
        direct=settings.recording.direct,
        source_lines=settings.recording.source_lines,
        verify=settings.verify,
        progress=settings.tracing.progress,
    )


def build_cache(backend: Backend, settings: Settings) -> ComputationCache:
    """Make the cache of one backend instance: what one compiled is of no use to another."""
    return ComputationCache(settings.cache.max_entries, settings.cache.max_bytes)


def create_lowering_context(
    create: LoweringContextFactory,
    name: str,
    device: BackendDevice,
    post_order: Sequence[Node] = (),
    emission_map: EmissionMap[Any] | None = None,
) -> LoweringContext[Any]:
    """Make a lowering context of the backend in force, in either of its two forms."""
    return create(name, device, post_order, emission_map)


def build_executor(
    backend: Backend,
    ir_builder: IrBuilder,
    lowering_contexts: LoweringContextFactory,
    cache: ComputationCache,
    metrics: Metrics,
    tracer: Tracer,
    settings: Settings,
    reference: Callable[[], Backend],
    name: str,
) -> LazyGraphExecutor:
    """Make the executor of one backend instance."""
    if settings.tracing.progress:
        show_progress()
    executor = LazyGraphExecutor(
        backend,
        ir_builder=ir_builder,
        lowering_context=lowering_contexts,
        cache=cache,
        metrics=metrics,
        tracer=tracer,
        options=executor_options(settings),
        reference=reference,
        name=name,
    )
    executor.events.compiled = Notices(
        cache, settings.tracing.warn_after_compilations, source_lines=settings.recording.source_lines
    )
    return executor


def build_namespace(backend: Backend, executor: LazyGraphExecutor) -> Namespace:
    """Make the array API namespace of one executor."""
    from latebind.array.namespace import Namespace

    return Namespace(executor)


class Container(containers.DeclarativeContainer):
    """Everything that latebind is made of; `Container()` gives a `BoundContainer`, as does `build_container`."""

    instance_type = BoundContainer

    name = providers.Object("default")
    config: providers.Object[Any] = providers.Object(None)
    overrides: providers.Object[Any] = providers.Object(None)
    lifecycle = providers.ThreadSafeSingleton(Lifecycle, name.provider)

    settings = providers.ThreadSafeSingleton(load_settings, config, overrides)
    metrics = providers.ThreadSafeSingleton(Metrics)
    tracer = providers.ThreadSafeSingleton(Tracer, settings.provided.tracing.show)

    backend = BackendProvider(build_backend, settings, lifecycle)
    reference_backend = providers.ThreadSafeSingleton(build_reference_backend, lifecycle)

    ir_builder = PerBackend(backend, methodcaller("ir_builder"))
    lowering_contexts = PerBackend(backend, attrgetter("create_lowering_context"))
    lowering_context = providers.Callable(create_lowering_context, lowering_contexts)
    computation_cache = PerBackend(backend, build_cache, settings)
    executor = PerBackend(
        backend,
        build_executor,
        ir_builder,
        lowering_contexts,
        computation_cache,
        metrics,
        tracer,
        settings,
        reference_backend.provider,
        name,
        shutdown=LazyGraphExecutor.close,
    )
    namespace = PerBackend(backend, build_namespace, executor)
    slot = providers.ThreadSafeSingleton(Slot, executor.provider, backend.provider)


def build_container(
    config: str | os.PathLike[str] | None = None, *, name: str | None = None, **overrides: object
) -> BoundContainer:
    """Build a container with its own settings, backend and caches.

    Parameters
    ----------
    config
        YAML file; by default the one that `LATEBIND_CONFIG` names, if any.
    name
        Name for messages; by default a number.
    overrides
        Settings of the highest priority: `backend="numpy"`, `recording={"limit": 100}`.

    Raises
    ------
    SettingsError
        If the settings cannot be used; `load_settings` tells how.

    Examples
    --------
    >>> with build_container(backend="numpy") as container:  # doctest: +SKIP
    ...     x = latebind.ones(3)
    >>> container.close()  # doctest: +SKIP
    """
    container = cast(BoundContainer, Container(name=name or _next_name(), config=config, overrides=overrides))
    container.settings()
    return container


_lock = threading.RLock()
_names = 0
_default: BoundContainer | None = None
_exiting = False


def _next_name() -> str:
    global _names
    with _lock:
        _names += 1
        return f"container {_names}"


def default_container() -> BoundContainer:
    """Return the container of functions that are given neither an array nor a current container.

    It is built at first use from the environment, `.env` and `LATEBIND_CONFIG`; its backend is the process-wide cell's:
    a `BackendRegistrar` overrides it. It is closed when the interpreter exits; after `close`, the next use builds
    another one.
    """
    container = _default
    if container is not None and (_exiting or not container.closed):
        return container
    with _lock:
        if _default is None or (_default.closed and not _exiting):
            container = build_container(name="default")
            container.backend.follow_cell(beneath=True)
            container.lifecycle().add(lambda: set_default_factory(default_executor))
            _set_default(container)
        return cast(BoundContainer, _default)


@contextmanager
def process_default(container: BoundContainer) -> Iterator[None]:
    """Make a container the process default meanwhile, on threads that the program starts as well."""
    previous = _default
    container.backend.follow_cell(beneath=False)
    _set_default(container)
    try:
        yield
    finally:
        container.backend.leave_cell()
        _set_default(previous)


def _set_default(container: BoundContainer | None) -> None:
    global _default
    with _lock:
        _default = container
        usable = container is not None and not container.closed
        set_default_factory(container.slot().get if container is not None and usable else default_executor)


def default_executor() -> LazyGraphExecutor:
    """Return the executor of the process default container."""
    return cast(LazyGraphExecutor, default_container().slot().get())


def _close_default() -> None:
    global _exiting
    _exiting = True
    if _default is not None:
        _default.close()


set_default_factory(default_executor)
atexit.register(_close_default)
