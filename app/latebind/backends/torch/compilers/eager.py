"""PyTorch's operations one by one, from the Python function that FX writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MethodType, SimpleNamespace
from typing import Any

import torch

from latebind.backends.torch.program import Program


def compile_eager(program: Program) -> Callable[..., Sequence[torch.Tensor]]:
    """Return the function that FX writes for the graph; its constants are attributes of what it is bound to."""
    source = program.graph.python_code("self")
    names: dict[str, Any] = dict(source.globals)
    exec(compile(source.src.strip(), f"<latebind {program.name}>", "exec"), names)
    return MethodType(names["forward"], SimpleNamespace(**program.constants))
