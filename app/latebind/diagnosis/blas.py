"""Which BLAS NumPy was built with, and which thread pools are loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def blas() -> dict[str, Any]:
    """Return NumPy's BLAS and LAPACK, its instruction sets, and the thread pools.

    Returns
    -------
    dict
        `blas` and `lapack` with `name` and `version`; `simd`, the instruction sets that NumPy found; `thread_pools`,
        what threadpoolctl knows of the libraries that are loaded, or `None` where it is not installed.
    """
    built: Mapping[str, Any] = np.show_config(mode="dicts") or {}
    libraries = built.get("Build Dependencies", {})
    return {
        **{kind: _library(libraries.get(kind, {})) for kind in ("blas", "lapack")},
        "simd": list(built.get("SIMD Extensions", {}).get("found", [])),
        "thread_pools": _thread_pools(),
    }


def _library(described: Mapping[str, Any]) -> dict[str, str]:
    return {key: str(described.get(key, "unknown")) for key in ("name", "version")}


def _thread_pools() -> list[dict[str, Any]] | None:
    try:
        from threadpoolctl import threadpool_info  # type: ignore[import-untyped]
    except ImportError:
        return None
    return [
        {"api": pool.get("user_api"), "library": pool.get("internal_api"), "threads": pool.get("num_threads")}
        for pool in threadpool_info()
    ]
