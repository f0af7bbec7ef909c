"""The fixtures of latebind's own pytest plugin."""

from __future__ import annotations

from latebind.testing.fixtures import latebind_container, latebind_override_backend, pytest_configure

__all__ = ["latebind_container", "latebind_override_backend", "pytest_configure"]
