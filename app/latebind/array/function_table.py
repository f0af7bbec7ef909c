"""Where the lazy forms of NumPy's functions are found: a table that a package above this one brings."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

Function = Callable[..., Any]

_load: Callable[[], Mapping[Function, Function]] = dict


def set_function_table(load: Callable[[], Mapping[Function, Function]]) -> None:
    """Say how to get the table from NumPy's functions to lazy ones; it is loaded when first needed."""
    global _load
    _load = functools.cache(load)


def function_table() -> Mapping[Function, Function]:
    """Return the table; empty if nobody brought one."""
    return _load()


def lazy_form(function: Function) -> Function:
    """Return what stands for a function of NumPy."""
    return function_table()[function]
