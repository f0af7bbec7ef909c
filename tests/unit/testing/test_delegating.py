"""A wrapped backend is asked everything that the interface has."""

from __future__ import annotations

from types import FunctionType

import pytest

from latebind.backends.interface import Backend, LoweringContext
from latebind.backends.numpy.backend import NumpyBackend
from latebind.testing.delegating import DelegatingBackend, DelegatingLoweringContext


def public_methods(interface: type) -> set[str]:
    kinds = (FunctionType, property)
    return {name for name, value in vars(interface).items() if isinstance(value, kinds) and not name.startswith("_")}


def test_every_method_of_a_backend_is_delegated():
    assert public_methods(Backend) <= set(vars(DelegatingBackend))


def test_every_method_of_a_lowering_context_is_delegated():
    assert public_methods(LoweringContext) <= set(vars(DelegatingLoweringContext))


@pytest.mark.parametrize("name", ["name", "blocking", "interpretations", "gaps", "deviations"])
def test_attributes_are_the_wrapped_instances(name):
    wrapped = NumpyBackend()
    # Marks that no class has by default.
    setattr(wrapped, name, object())
    assert getattr(DelegatingBackend(wrapped), name) is getattr(wrapped, name)


def test_shutting_down_shuts_the_wrapped_backend_down(monkeypatch):
    wrapped, closed = NumpyBackend(), []
    monkeypatch.setattr(wrapped, "prepare_to_exit", lambda: closed.append(wrapped))
    DelegatingBackend(wrapped).prepare_to_exit()
    assert closed == [wrapped]
