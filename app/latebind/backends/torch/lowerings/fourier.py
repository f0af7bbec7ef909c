"""Fourier transforms with `torch.fft`: MKL or pocketfft on the host, cuFFT on GPUs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch

from latebind.backends.torch.lowering import Terms
from latebind.backends.torch.lowering import TorchLoweringContext as Context
from latebind.backends.torch.lowerings.movement import full_operands
from latebind.ir.attributes import ints
from latebind.ir.node import Node

_TRANSFORMS: Final[dict[str, Callable[..., Any]]] = {
    "FFT": torch.fft.fftn,
    "IFFT": torch.fft.ifftn,
    "RFFT": torch.fft.rfftn,
    "IRFFT": torch.fft.irfftn,
}


@Context.register("stablehlo::fft")
def fft(context: Context, node: Node, operands: Terms) -> Terms:
    """Over the last dimensions."""
    lengths = ints(node.attributes, "fft_length")
    function = _TRANSFORMS[str(node.attributes["fft_type"])]
    (a,) = full_operands(context, node, operands)
    axes = tuple(range(-len(lengths), 0))
    return (context.call(function, a, type=node.types[0], s=lengths, dim=axes),)
