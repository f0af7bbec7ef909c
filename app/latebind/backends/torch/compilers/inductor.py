"""Inductor: the FX graph fused into C++ (or Triton) code."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import fx

from latebind.backends.torch.dtypes import native
from latebind.backends.torch.program import Program
from latebind.errors import CompilationError
from latebind.ir.types import TensorType

#: Inductor's own state is the process's, and so are Python's warning filters.
_LOCK: Final = threading.Lock()


def compile_inductor(
    program: Program, parameters: Sequence[TensorType], device: torch.device
) -> Callable[..., Sequence[torch.Tensor]]:
    """Return the function that Inductor makes of the graph, for these shapes.

    Raises
    ------
    CompilationError
        If Inductor refuses the graph, or finds no compiler.
    """
    root: Any = torch.nn.Module()
    for name, tensor in program.constants.items():
        root.register_buffer(name, tensor)
    with _LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = fx.GraphModule(root, program.graph)
        examples: list[Any] = [torch.empty(type.shape, dtype=native(type.dtype), device=device) for type in parameters]
        try:
            from torch._inductor import compile as compile_graph

            compiled: Any = compile_graph(module, examples)
        except Exception as error:
            raise CompilationError(
                f"Inductor cannot compile {program.name!r}: {type(error).__name__}: {_first_line(error)}"
            ) from error
    return compiled  # type: ignore[no-any-return]


def _first_line(error: Exception) -> str:
    return next((line for line in str(error).splitlines() if line.strip()), "no reason given")
