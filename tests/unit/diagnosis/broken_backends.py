"""Backends that go wrong in each way that the doctor has to survive; its probes import them by their dotted paths."""

from __future__ import annotations

import os
import signal
import sys
import threading

from latebind.backends.numpy.backend import NumpyBackend


class Wrong(NumpyBackend):
    """Adds one to everything that it hands out."""

    name = "wrong"

    def make_tensor_from_computation_data(self, data):
        return super().make_tensor_from_computation_data(data) + 1


class Crashing(NumpyBackend):
    """Takes the process down at the first computation, as an engine with a bug does."""

    name = "crashing"

    def execute_computation(self, computation, arguments, device):
        print("the engine's last words", file=sys.stderr, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)


class Leaving(NumpyBackend):
    """Leaves the process while it is made, without a word."""

    name = "leaving"

    def __init__(self, settings=None):
        os._exit(7)


class Hanging(NumpyBackend):
    """Never returns from the first computation."""

    name = "hanging"

    def execute_computation(self, computation, arguments, device):
        threading.Event().wait()


class NeverLoaded(NumpyBackend):
    """Never returns from its constructor."""

    name = "never_loaded"

    def __init__(self, settings=None):
        threading.Event().wait()


class Refusing(NumpyBackend):
    """Cannot be made."""

    name = "refusing"

    def __init__(self, settings=None):
        raise OSError("libengine.so.3: cannot open shared object file")


class Chatty(NumpyBackend):
    """Prints to standard output, as engines do, and leaves a process behind that holds it open."""

    name = "chatty"

    def __init__(self, settings=None):
        print("loading 3 plugins", flush=True)
        if os.fork() == 0:
            threading.Event().wait()
        super().__init__(settings)


class HangingAtExit(NumpyBackend):
    """Never returns from its shutdown."""

    name = "hanging_at_exit"

    def prepare_to_exit(self):
        threading.Event().wait()
