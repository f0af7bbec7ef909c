"""`Program`: a computation as an FX graph, before and after compilation."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx

from latebind.backends.interface import Computation


@dataclass(slots=True)
class Program:
    """A lowered computation.

    Attributes
    ----------
    name : str
    graph : torch.fx.Graph
        Takes the parameters, returns a list of results.
    constants : dict of str to torch.Tensor
        What the graph's `get_attr` nodes name.
    borrowed : tuple of (int, int)
        Pairs of a result and the parameter whose memory it may see.
    header : str
        Comments that explain parameters and constants.
    compiler : str
        What runs it: `eager`, `torchscript` or `inductor`.
    run : callable or None
        The compiled function: tensors in, a sequence of tensors out.
    script : object or None
        What TorchScript made of it.
    """

    name: str
    graph: fx.Graph
    constants: dict[str, torch.Tensor]
    borrowed: tuple[tuple[int, int], ...]
    header: str
    compiler: str
    run: Callable[..., Sequence[torch.Tensor]] | None = field(default=None, repr=False)
    script: Any = field(default=None, repr=False)

    @property
    def text(self) -> str:
        """The FX graph as a Python function, and TorchScript's graph of it if there is one."""
        body = textwrap.dedent(self.graph.python_code("self").src).strip()
        text = f"{self.header}\n{body}\n"
        return text if self.script is None else f"{text}\n{self.script.graph}"


class TorchComputation(Computation):
    """A computation that writes its text when somebody asks for it."""

    __slots__ = ()

    @property
    def text(self) -> str:
        """The FX graph as a Python function, and TorchScript's graph of it if there is one."""
        return self.program.text if self.program is not None else ""

    @text.setter
    def text(self, value: str) -> None:
        """The text follows from the program."""
