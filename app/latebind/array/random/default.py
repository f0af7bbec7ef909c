"""The generators behind `latebind.random.normal(...)`: one per container, device and thread, seeded by the settings."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

from latebind.array.creation_functions import Device
from latebind.array.random import generator as generators
from latebind.array.random.bit_generator import Philox, Seed
from latebind.array.random.generator import Generator
from latebind.runtime.current import ExecutorSource, current_executor, reset_current, set_current

if TYPE_CHECKING:
    from numpy.random import SeedSequence

    from latebind.runtime.executor import LazyGraphExecutor

_KEPT_AT: Final = "latebind.random"


class _Defaults:
    """The default generators of one executor: a seed sequence, and a child of it for each thread after the first."""

    def __init__(self, seed: int | None) -> None:
        from numpy.random import SeedSequence

        self.seed = seed
        self._sequence = SeedSequence(seed)
        self._lock = threading.Lock()
        self._taken = False
        self._local = threading.local()

    def generator(self, executor: LazyGraphExecutor) -> Generator:
        """Return this thread's generator, on the executor's default device."""
        found: Generator | None = getattr(self._local, "generator", None)
        if found is None:
            with self._lock:
                sequence = self._sequence.spawn(1)[0] if self._taken else self._sequence
                self._taken = True
            found = self._local.generator = Generator(Philox.resting(sequence, executor.ground()))
        return found


_lock = threading.Lock()


def _defaults(executor: LazyGraphExecutor) -> _Defaults:
    """Return the executor's default generators; new ones after `set_rng_seed`."""
    found = executor.attached.get(_KEPT_AT)
    if not isinstance(found, _Defaults) or found.seed != executor.seed:
        with _lock:
            found = executor.attached.get(_KEPT_AT)
            if not isinstance(found, _Defaults) or found.seed != executor.seed:
                found = executor.attached[_KEPT_AT] = _Defaults(executor.seed)
    return found


class RandomNamespace(Generator):
    """The functions of `latebind.random`, which draw from the default generator of a container.

    Parameters
    ----------
    source
        Gives the executor of the container.
    """

    def __init__(self, source: ExecutorSource) -> None:
        self._source = source
        self.Generator: type[Generator] = Generator
        self.Philox: type[Philox] = Philox

    @property
    def bit_generator(self) -> Philox:
        """Key and counter of the default generator of the container and this thread."""
        return self.default_generator().bit_generator

    def default_generator(self) -> Generator:
        """Return the generator that the functions of this namespace draw from on this thread.

        The first thread of a container that draws has the stream of `default_rng(settings.seed)`; the threads after it
        have children of that, as `spawn` gives them, in the order in which they come. None draws what another drew.
        """
        executor = self._source()
        return _defaults(executor).generator(executor)

    def default_rng(self, seed: Seed | Philox | Generator | SeedSequence = None, *, device: Device = None) -> Generator:
        """Return a generator of this namespace's container; see `latebind.random.default_rng`."""
        token = set_current(self._source)
        try:
            return generators.default_rng(seed, device=device)
        finally:
            reset_current(token)

    def __repr__(self) -> str:
        return "<the functions of latebind.random>"


#: What `latebind.random` has: bound to whatever container is current.
RANDOM: Final = RandomNamespace(current_executor)
